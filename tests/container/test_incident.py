"""The incident in a real engine: who died of what, as docker and as the probe say it."""

import json

import pytest
from docker import Container, VERSION, docker, events_in, on_machine

MEMORY = "--memory=64m"
NO_SWAP = "--memory-swap=64m"
FAST = ("-e", "LEAKSIM_RATE=16MB/s")
LEAK = ("oomdrill", "oomprobe", "run", "--", "leaksim")
# The worker dies of the limit; its parent, a shell, reaps it and lives on for a while.
WORKER = ("oomdrill", "oomprobe", "run", "--", "sh", "-c", "leaksim --rate 32MB/s; sleep 3; exit 0")


def assert_killed_by_own_limit(ended):
    assert ended.code == 137
    assert ended.oom_killed, "docker itself saw the kill"
    kill = ended.one("memory.oom_kill")
    assert kill["scope"] == "own_limit"
    assert kill["kills"] == 1
    assert kill["limit_bytes"] == 64 << 20
    assert kill["limit_source"] == "own"
    assert kill["counters_after"]["oom_kill"] - kill["counters_before"]["oom_kill"] == 1
    exited = ended.one("workload.exited")
    assert (exited["verdict"], exited["exit_code"], exited["signal"]) == ("oom_killed", 137, "SIGKILL")
    assert kill["victim"]["pid"] == exited["pid"]


def test_default_command_is_the_whole_incident():
    with Container(MEMORY, NO_SWAP, *FAST, "oomdrill") as container:
        ended = container.ended()
    assert_killed_by_own_limit(ended)
    started = ended.one("probe.started")
    assert started["cgroup_version"] == f"v{VERSION}"
    assert started["pid1"] is True
    assert ended.one("leak.started")["rate_bytes_per_s"] == 16_000_000
    # The state before the kill had to be written ahead of it.
    last = ended.all("memory.last_words")
    assert last and last[-1]["used_percent"] > 90
    assert [e["threshold_percent"] for e in ended.all("memory.threshold") if e["direction"] == "up"] == [75, 85, 95]
    # The kernel took the workload, not the probe: it was there to tell.
    assert ended.events[-1]["event"] == "probe.stopped"


def test_guide_s_own_python_script_is_reported_the_same_way():
    # 1 MB/s as in the guide would take a minute: a smaller limit gives the same incident.
    with Container("--memory=24m", "--memory-swap=24m", "oomdrill-python") as container:
        ended = container.ended()
    assert ended.code == 137 and ended.oom_killed
    assert ended.one("memory.oom_kill")["scope"] == "own_limit"
    assert ended.one("workload.exited")["verdict"] == "oom_killed"


def test_kill_from_outside_is_no_oom():
    with Container(MEMORY, *LEAK, "--rate", "100kB/s") as container:
        seen = container.wait_for("leak.started")
        victim = [e for e in seen if e["event"] == "workload.started"][0]["pid"]
        killer = docker("exec", "--user", "0", container.name, "sh", "-c", f"kill -9 {victim}", check=False)
        # 137: the probe, process 1, was gone before the shell was, and took it along.
        assert killer.returncode in (0, 137), killer.stderr
        ended = container.ended()
    assert ended.code == 137
    assert not ended.oom_killed
    assert not ended.all("memory.oom_kill")
    exited = ended.one("workload.exited")
    assert (exited["verdict"], exited["signal"]) == ("killed", "SIGKILL")


def test_docker_kill_of_the_container_leaves_no_oom_event():
    with Container(MEMORY, *LEAK, "--rate", "100kB/s") as container:
        container.wait_for("leak.started")
        docker("kill", container.name)
        ended = container.ended()
    assert ended.code == 137 and not ended.oom_killed
    assert not ended.all("memory.oom_kill")


def test_docker_stop_is_stopped():
    with Container(MEMORY, *LEAK, "--rate", "100kB/s") as container:
        container.wait_for("leak.started")
        docker("stop", "-t", "60", container.name)
        ended = container.ended()
    assert ended.code == 0, "leaksim ends cleanly on SIGTERM"
    assert ended.one("leak.stopped")["reason"] == "signal"
    exited = ended.one("workload.exited")
    assert (exited["verdict"], exited["exit_code"]) == ("stopped", 0)
    assert not ended.all("memory.oom_kill")


def test_worker_killed_while_its_parent_lives():
    with Container(MEMORY, NO_SWAP, *WORKER) as container:
        seen = container.wait_for("memory.oom_kill")
        assert container.state()["Running"], "the container outlives its worker"
        kill = [e for e in seen if e["event"] == "memory.oom_kill"][0]
        assert kill["survived"] is True
        ended = container.ended()
    assert ended.code == 0
    exited = ended.one("workload.exited")
    assert (exited["verdict"], exited["exit_code"]) == ("completed", 0)
    ended.one("memory.oom_kill")


@pytest.fixture
def task_cgroup():
    """An ECS task's shape: a parent with the limit, containers below it without one of their own."""
    if VERSION == "1":
        path, limit = "/sys/fs/cgroup/memory/oomdrill-task", "memory.limit_in_bytes"
        swap = "memory.memsw.limit_in_bytes"
    else:
        path, limit, swap = "/sys/fs/cgroup/oomdrill-task", "memory.max", "memory.swap.max"
        on_machine("sh", "-c", "echo +memory > /sys/fs/cgroup/cgroup.subtree_control")
    no_swap = 64 << 20 if VERSION == "1" else 0
    on_machine("sh", "-c", f"mkdir -p {path} && echo {64 << 20} > {path}/{limit} && "
               f"if [ -e {path}/{swap} ]; then echo {no_swap} > {path}/{swap}; fi")
    yield "/oomdrill-task"
    on_machine("sh", "-c", f"find {path} -depth -type d -exec rmdir {{}} \\;")


def test_limit_of_the_task_binds_and_is_resolved(task_cgroup):
    # v2 in a private namespace cannot read an ancestor's limit (facts.md, 1): the refusal to leak
    # without a limit is then right, and the user says so.
    allow = () if VERSION == "1" else ("-e", "LEAKSIM_ALLOW_UNLIMITED=1")
    with Container("--cgroup-parent", task_cgroup, *allow, *FAST, "oomdrill") as container:
        ended = container.ended()
    started = ended.one("probe.started")
    if VERSION == "1":
        assert started["limit_bytes"] == 64 << 20
        assert started["limit_source"] == "hierarchical"
        assert started["limit_complete"] is True
    else:
        assert started["limit_complete"] is False
        assert started["limit_source"] == "host"
    assert ended.code == 137
    assert ended.one("memory.oom_kill")["scope"] == "ancestor_limit"
    assert ended.one("workload.exited")["verdict"] == "oom_killed"


def test_runs_locked_down():
    with Container("--read-only", "--cap-drop=ALL", "--user", "65534", "--security-opt", "no-new-privileges",
                   MEMORY, NO_SWAP, *FAST, "oomdrill") as container:
        assert_killed_by_own_limit(container.ended())


def test_leaksim_alone_reports_against_the_limit():
    with Container(MEMORY, "oomdrill", "leaksim", "--pattern", "burst:size=8MiB,interval=500ms", "--until", "60%") as container:
        ended = container.ended()
    assert ended.code == 0
    assert ended.one("leak.started")["limit_bytes"] == 64 << 20
    stopped = ended.one("leak.stopped")
    assert stopped["reason"] == "until"
    assert stopped["used_bytes"] >= 0.6 * (64 << 20)


def test_refuses_to_leak_without_a_limit():
    with Container("oomdrill", "leaksim") as container:
        ended = container.ended()
    assert ended.code == 69
    assert "--allow-unlimited" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_doctor_tells_what_can_be_known():
    with Container(MEMORY, "oomdrill", "oomprobe", "doctor", "--format", "json") as container:
        ended = container.ended()
    assert ended.code == 0
    facts = json.loads(ended.stdout)
    assert facts["cgroup_version"] == f"v{VERSION}"
    assert facts["limit_bytes"] == 64 << 20
    assert facts["limit_source"] == "own"


def test_snapshot_is_a_health_check():
    with Container(MEMORY, *LEAK, "--rate", "1MB/s") as container:
        container.wait_for("leak.started")
        healthy = docker("exec", container.name, "oomprobe", "snapshot", "--fail-above", "95%", "--format", "json", check=False)
        assert healthy.returncode == 0, healthy.stderr
        assert events_in(healthy.stdout)[0]["limit_bytes"] == 64 << 20
        full = docker("exec", container.name, "oomprobe", "snapshot", "--fail-above", "1%", check=False)
        assert full.returncode == 1


def test_is_a_subreaper_where_it_is_not_pid_1():
    with Container("--init", MEMORY, NO_SWAP, *FAST, "oomdrill") as container:
        ended = container.ended()
    assert ended.one("probe.started")["pid1"] is False
    assert_killed_by_own_limit(ended)
