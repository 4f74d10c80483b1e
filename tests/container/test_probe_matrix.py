"""Truth against verdict, and the places that a probe finds itself in."""

import json
import os
import time
from pathlib import Path

import pytest
from docker import PATIENCE_S, ROOT, VERSION, Container, docker

# Another image may be named: one whose oomprobe is newer than the rest.
IMAGE = os.environ.get("OOMDRILL_PYTHON_IMAGE", "oomdrill-python")
MATRIX_IMAGE = os.environ.get("OOMDRILL_MATRIX_IMAGE", "oomdrill-matrix")
MATRIX = (Path(__file__).parent / "probe_matrix.py").read_text("utf-8")
# Emulated, 20 rounds take a quarter of an hour: OOMDRILL_MATRIX_ROUNDS=20 tests/container/run v2 -k matrix
ROUNDS = int(os.environ.get("OOMDRILL_MATRIX_ROUNDS", "20" if VERSION == "1" else "3"))


@pytest.fixture(scope="module")
def matrix():
    """What the matrix found; its table is left beside the suite's log."""
    left = ROOT / "build" / "logs" / f"probe-matrix-v{VERSION}.txt"
    left.unlink(missing_ok=True)
    # Not --privileged: the engine may itself be in a container that has not every capability.
    rights = ("--cap-add=SYS_ADMIN", *(["--cap-add=SYS_RESOURCE"] if VERSION == "2" else []),
              "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined")
    with Container(*rights, "--user", "0", MATRIX_IMAGE, "python3", "-c", MATRIX, "oomprobe",
                   str(ROUNDS)) as container:
        docker("wait", container.name, timeout=PATIENCE_S * 6)
        out, err = container.logs()
    assert out, err
    *table, summary = out.splitlines()
    left.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(summary)
    left.write_text("\n".join([*table, *found["problems"]]) + "\n", "utf-8")
    return found


def test_confusion_matrix(matrix):
    assert matrix["certainly_wrong"] == 0
    assert not matrix["miscounted"], "\n".join(matrix["miscounted"])
    # Emulated, the kernel may take the main process while a child's death is still under way: once, not each time.
    most = 0 if VERSION == "1" else max(1, ROUNDS // 10)
    assert not [truth for truth, runs in matrix["wrong"].items() if runs > most], "\n".join(matrix["problems"])
    assert len(matrix["problems"]) <= (0 if VERSION == "1" else matrix["runs"] // 20), "\n".join(matrix["problems"])
    for truth, row in matrix["table"].items():
        assert sum(row.values()) >= ROUNDS or truth == "200 in a row", (truth, row)


def test_confusion_matrix_is_certain_where_it_can_be(matrix):
    table = matrix["table"]
    # Kill and death are one to one: nothing to doubt.
    for truth in ("own limit", "task's limit", "task's below own"):
        assert table[truth].keys() == {"oom_killed (certain)"}
    # Nobody can be sure of these.
    assert table["allocator failure"] == {"allocation_failed (likely)": ROUNDS}
    assert table["no cgroup, OOM"] == {"killed (unknown)": ROUNDS}


def test_confusion_matrix_has_every_truth_of_this_kernel(matrix):
    both = {"first 10 ms", "grandchild by name", "task's limit", "innocent, lives", "innocent, killed", "200 in a row"}
    assert both | ({"group kill", "host"} if VERSION == "2" else set()) <= set(matrix["table"])


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
    with Container("--memory=64m", "--memory-swap=64m", "oomdrill-scratch", "/oomprobe", "run", "--", "/oomprobe",
                   "--version") as container:
        ended = container.ended()
    assert ended.code == 0, ended.stderr
    assert ended.one("workload.exited")["verdict"] == "completed"
    assert ended.one("probe.started")["limit_bytes"] == 64 << 20


def test_an_oom_kill_in_an_empty_image():
    with Container("--memory=64m", "--memory-swap=64m", "oomdrill-scratch", "/oomprobe", "run", "--", "/busybox",
                   "tail", "/dev/zero") as container:
        ended = container.ended()
    assert ended.code == 137, ended.stderr
    assert ended.one("workload.exited")["verdict"] == "oom_killed"
    assert ended.one("memory.oom_kill")["victim"]["name"] == "busybox"


def test_below_the_engine_s_init():
    with Container("--init", "--memory=64m", "--memory-swap=64m", IMAGE, "oomprobe", "run", "--", "sh", "-c",
                   "tail /dev/zero; exit 7") as container:
        ended = container.ended()
    assert ended.code == 7
    assert ended.one("probe.started")["pid1"] is False
    assert ended.one("workload.exited")["verdict"] == "failed"
    assert sum(e["kills"] for e in ended.all("memory.oom_kill")) == 1
