"""Truth against verdict, and the places that a probe finds itself in."""

import json
import os
import time
from pathlib import Path

import pytest
from docker import Container, VERSION, docker, on_machine

# Another image may be named: one whose oomprobe is newer than the rest.
IMAGE = os.environ.get("OOMDRILL_PYTHON_IMAGE", "oomdrill-python")
MATRIX = (Path(__file__).parent / "probe_matrix.py").read_text("utf-8")
ROUNDS = 20


@pytest.fixture(scope="module")
def full_python():
    """The driver needs more than python3-minimal has."""
    if VERSION == "2":
        pytest.skip("the VM has no builder")
    image = "oomdrill-matrix-test"
    script = (f"d=$(mktemp -d) && printf 'FROM {IMAGE}\\nUSER 0\\nRUN apt-get update && apt-get install -y "
              f"--no-install-recommends python3\\n' >$d/Dockerfile && docker build -q -t {image} $d; rm -r $d")
    on_machine("sh", "-c", script)
    return image


def run_matrix(image, *options):
    with Container(*options, image, "python3", "-c", MATRIX, "oomprobe", str(ROUNDS)) as container:
        docker("wait", container.name)
        out, err = container.logs()
    print(out)
    assert out, err
    summary = json.loads(out.splitlines()[-1])
    assert summary["problems"] == [], err
    return summary


def test_confusion_matrix(full_python):
    summary = run_matrix(full_python, "--memory=64m", "--memory-swap=64m", "--user", "0")
    assert summary["runs"] >= ROUNDS * 10
    for row in summary["table"].values():
        assert sum(row.values()) == ROUNDS
    # Kill and death are one to one: nothing to doubt.
    assert summary["table"]["own limit"] == {"oom_killed (certain)": ROUNDS}
    # Nobody can be sure of these.
    assert summary["table"]["allocator failure"] == {"allocation_failed (likely)": ROUNDS}


def test_without_root_and_capabilities():
    with Container("--read-only", "--cap-drop=ALL", "--user", "12345:54321", "--security-opt", "no-new-privileges",
                   "--memory=64m", "--memory-swap=64m", IMAGE,
                   "oomprobe", "run", "--", "tail", "/dev/zero") as container:
        ended = container.ended()
    assert ended.code == 137
    assert ended.one("workload.exited")["verdict"] == "oom_killed"
    assert ended.one("memory.oom_kill")["victim"]["name"] == "tail"


def test_swap_beyond_the_limit():
    with Container("--memory=64m", "--memory-swap=96m", IMAGE, "oomprobe", "run", "--", "tail", "/dev/zero") as container:
        ended = container.ended()
    assert ended.one("workload.exited")["verdict"] == "oom_killed"


def test_a_sibling_s_cgroup_through_a_shared_pid_namespace():
    with Container("--memory=64m", "--memory-swap=64m", "--user", "0", IMAGE, "sleep", "600") as app:
        with Container("--memory=96m", "--user", "0", "--pid", f"container:{app.name}", IMAGE,
                       "oomprobe", "watch", "--pid", "1", "--interval", "100ms") as sidecar:
            seen = sidecar.wait_for("memory.sample")
            assert seen[0]["limit_bytes"] == 64 << 20, "the sibling's, not its own"
            docker("exec", app.name, "sh", "-c", "tail /dev/zero; true", check=False)
            kill = [e for e in sidecar.wait_for("memory.oom_kill") if e["event"] == "memory.oom_kill"][0]
            assert kill["scope"] == "own_limit"
            # The descriptors outlive the sibling.
            docker("kill", app.name)
            time.sleep(1)
            docker("kill", "-s", "TERM", sidecar.name, check=False)


def test_an_empty_image():
    scratch = "oomdrill-scratch-test"
    script = (f"d=$(mktemp -d) && id=$(docker create {IMAGE} true) && docker cp $id:/usr/local/bin/oomprobe $d/oomprobe "
              f"&& docker rm $id >/dev/null && printf 'FROM scratch\\nCOPY oomprobe /\\n' >$d/Dockerfile "
              f"&& docker build -q -t {scratch} $d && rm -r $d")
    if VERSION == "2":
        pytest.skip("the VM has no builder")
    on_machine("sh", "-c", script)
    try:
        # No shell, no libc, no /etc: the probe is the workload too.
        with Container("--memory=64m", scratch, "/oomprobe", "run", "--", "/oomprobe", "--version") as container:
            ended = container.ended()
        assert ended.code == 0, ended.stderr
        assert ended.one("workload.exited")["verdict"] == "completed"
        assert ended.one("probe.started")["limit_bytes"] == 64 << 20
    finally:
        docker("rmi", "-f", scratch, check=False)
