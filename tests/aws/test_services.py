"""What is done to a whole service: a drill in all of its tasks, more memory and back, a release and back; and a service that a sidecar
watches."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from account import IMAGE, Stack


def running(stack):
    return [t["taskDefinitionArn"].rsplit("/", 1)[-1] for t in stack.tasks() if t["lastStatus"] == "RUNNING"]


def test_a_drill_on_the_service_ends_in_the_kill_and_is_put_back(account, market):
    stack = market("whole")
    account.wait(lambda: running(stack) == ["whole:1"], "the service runs")
    done = account.script("drill", "--on-service", "--rate", "200MB/s", "--yes", "--poll", "1s", *stack.where)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in           every task of whole, whole:1, 480 MiB" in done.stdout
    assert re.search(r"verdict +oom-kill \(certain\)", done.stdout) and "put back     whole:1" in done.stdout
    # What the service had of leaksim's options is not in the drill: it would have stopped at 100 MiB.
    assert "leak holds" not in done.stdout
    account.wait(lambda: running(stack) == ["whole:1"], "the service runs as before")
    killed = [t for t in stack.tasks("whole:2") if t["containers"][0].get("exitCode") == 137]
    assert killed and not [t for t in stack.tasks("whole:1") if t["containers"][0].get("exitCode") == 137]


def test_more_memory_and_back_and_a_release_and_back(account, market):
    stack = market("web")
    words = ["--yes", "--settle", "0s", "--poll", "1s", *stack.where]
    done = account.script("resolve", "scale-up", *words)
    assert done.returncode == 0 and "steady       web on web:2" in done.stdout, done.stdout + done.stderr
    # scripts/aws made web:2, and knows of what.
    done = account.script("resolve", "rollback", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"before +web:2 +1024 +256 +app 992 +1\n +after +web:1 +512 +256 +app 480 +1\n", done.stdout), done.stdout
    assert "steady       web on web:1" in done.stdout
    assert f"undo         scripts/aws/resolve rollback --to web:2 {' '.join(stack.where)}" in done.stdout
    # Nobody told of what a pipeline's revision was made: the one before it.
    assert stack.release({"LEAKSIM_RATE": "200MB/s", "LEAKSIM_MAX_BYTES": "600MiB"}) == "web:3"
    told = account.json("resolve", "rollback", "--to", "web:1", *words)
    assert (told["before"]["task_definition"], told["after"]["task_definition"], told["steady"]) == ("web:3", "web:1", True)
    stack.release()
    done = account.script("resolve", "rollback", "--dry-run", *stack.where)
    assert re.search(r"before +web:4 .*\n +after +web:3 ", done.stdout), done.stdout + done.stderr
    account.wait(lambda: "web:1" not in running(stack), "the last release is out")


def test_what_does_not_hold_goes_back_by_itself(account, market):
    stack = market("endless")
    revision = stack.release({"LEAKSIM_MAX_BYTES": "4GiB", "LEAKSIM_RATE": "300MB/s"})
    done = account.script("resolve", "scale-up", "--rollback", "--yes", "--timeout", "20s", "--settle", "6s", "--poll", "1s", *stack.where)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not steady: " in done.stderr and f"rolled back  to {revision}, 1 tasks" in done.stdout
    account.wait(lambda: set(running(stack)) <= {revision}, "the revision before runs")
    account.script("resolve", "rollback", "--to", "endless:1", "--yes", "--settle", "0s", "--poll", "1s", *stack.where)


WORKER = "while :; do leaksim --rate 320MB/s --format json; sleep 1; done"


def test_a_killed_worker_is_not_steady_though_ecs_says_so(account, market):
    stack = market("workers")
    stack.release({"LEAKSIM_MAX_BYTES": "4GiB"}, ["sh", "-c", WORKER])
    done = account.script("resolve", "scale-up", "--rollback", "--yes", "--settle", "12s", "--poll", "1s", *stack.where)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not steady: workers of 1 new tasks were OOM-killed" in done.stderr and "rolled back  to workers:2, 1 tasks" in done.stdout
    account.script("resolve", "rollback", "--to", "workers:1", "--yes", "--settle", "0s", "--poll", "1s", *stack.where)


def test_more_memory_is_no_release_to_go_back_of(account, market):
    stack = market("slowly")
    stack.release({"LEAKSIM_MAX_BYTES": "4GiB", "LEAKSIM_RATE": "4MB/s"})
    words = ["--yes", "--poll", "1s", *stack.where]
    assert account.script("resolve", "scale-up", "--settle", "12s", *words).returncode == 0
    told = account.json("diagnose", *stack.where, code=1)
    account.script("resolve", "rollback", "--to", "slowly:1", "--settle", "0s", *words)
    assert told["revision_before"] == "slowly:2" and told["diagnosis"]["kind"] == "slow-leak"
    assert told["next"].startswith("scripts/aws/resolve redeploy "), told["next"]


def test_what_is_over_is_told_as_history(account, market):
    """A release that is killed again and again, and gone back of."""
    stack = market("bygone")
    account.wait(lambda: running(stack) == ["bygone:1"], "the service runs")
    stack.release({"LEAKSIM_MAX_BYTES": "4GiB", "LEAKSIM_RATE": "300MB/s"})
    account.wait(lambda: len([t for t in stack.tasks("bygone:2") if t["lastStatus"] == "STOPPED"]) >= 2, "two kills")
    shown = account.script("diagnose", "--tasks", "1", *stack.where).stdout
    more = re.search(r"^(?:also|            ) +and (\d) more that were killed, not looked into: --tasks (\d)\n", shown, re.M)
    assert more and int(more[2]) == int(more[1]) + 1, shown
    assert account.script("resolve", "rollback", "--yes", "--settle", "4s", "--poll", "1s", *stack.where).returncode == 0

    # Its cure was the rollback: what is deployed now is not to be changed for it.
    (killed, *_) = [task_of(t) for t in stack.tasks("bygone:2") if t["containers"][0].get("exitCode") == 137]
    told = account.json("diagnose", "--task", killed, *stack.where, code=1)
    assert told["diagnosis"]["kind"] == "oom-kill" and told["next"].startswith(f"scripts/aws/logs --task {killed} "), told["next"]
    assert "of an earlier deployment (bygone:2)" in told["reason"]
    shown = account.script("diagnose", "--task", killed[:8], *stack.where).stdout
    assert f"because      task {killed[:8]}, of an earlier deployment (bygone:2)\n" in shown, shown

    assert f"log          of task {killed[:8]}:\n" in shown and f"fullest      {killed[:8]}  peak " in shown, shown
    of_whom = re.findall(r"^(?:oom events|          )   ([0-9a-f]{8})  \d\d:\d\d:\d\d  (?:OOM kill|workload ended)", shown, re.M)
    assert of_whom and set(of_whom) == {killed[:8]}, shown

    # Without --task: of what runs, and what it was that is over.
    shown = account.script("diagnose", *stack.where).stdout
    (living,) = [task_of(t) for t in stack.tasks() if t["lastStatus"] == "RUNNING"]
    ends = [t for t in stack.tasks() if t["lastStatus"] == "STOPPED"]
    kills = sum("OutOfMemory" in t["containers"][0].get("reason", "") for t in ends)
    assert "diagnosis    healthy " in shown and "what grew" not in shown, shown
    assert f"before       {len(ends)} tasks of earlier deployments stopped, {kills} of them with an OOM kill; " in shown, shown
    assert re.search(rf"^(?:fullest|       )      {living[:8]}  peak .*, runs$", shown, re.M), shown
    assert shown.count(", runs\n") == 1

    # That a deployment ends a task is no fault of the task.
    (replaced,) = [task_of(t) for t in stack.tasks("bygone:1") if t["lastStatus"] == "STOPPED"]
    told = account.json("diagnose", "--task", replaced, *stack.where)
    assert (told["diagnosis"]["kind"], told["next"]) == ("stopped", None), told["diagnosis"]
    assert told["diagnosis"]["why"][0].startswith("a deployment or a scale-in stopped it; exit code ")
    assert "last lines" not in told["reason"]


def task_of(task):
    return task["taskArn"].rsplit("/", 1)[-1]


@pytest.fixture(scope="session")
def watched(account, stub, network, tmp_path_factory):
    """The EC2 example, whose task has the probe as a sidecar (pidMode task)."""
    stack = Stack(account, stub, tmp_path_factory.mktemp("watched"), network, example="ec2")
    stack.root.init()
    values = stack.root.apply(image=IMAGE, name="watched", subnet_ids=["subnet-0123456789abcdef0"],
                              security_group_ids=["sg-0123456789abcdef0"])["values"]
    return stack.make(values, {"LEAKSIM_RATE": "100MB/s"}, desired=0, stop_timeout=2)


BY_PID = """until found=$(grep -l '^leaksim$' /proc/[0-9]*/comm); do sleep 0.1; done
found=${found#/proc/} && exec oomprobe watch --interval 100ms --pid "${found%%/*}" """


def test_a_sidecar_tells_of_the_kill_that_it_outlives(account, watched):
    """By the pid of the other container's process, which it sees in the task's pid namespace, and its cgroup by that."""
    stack = copy.copy(watched)
    stack.definition = {**stack.definition, "container_definitions": json.dumps([
        {**c, "command": ["sh", "-c", BY_PID]} if c["name"] == "oomprobe" else c
        for c in json.loads(stack.definition["container_definitions"])])}
    stack.release({"LEAKSIM_RATE": "100MB/s"})
    told, kills = drill_that_is_seen(account, stack)
    account.aws("ecs", "update-service", "--cluster", stack.cluster, "--service", stack.service, "--task-definition", "watched:1")
    (task,) = [t for t in account.tasks() if t["taskArn"].endswith(told["task"])]
    ends = {c["name"]: c.get("reason", "") for c in task["containers"]}
    assert ends == {"app": "OutOfMemoryError: Container killed due to memory usage", "oomprobe": ""}
    assert kills[-1]["limit_bytes"] == 384 << 20, "the other's limit, not its own"


def events_of(account, stack, task, container):
    return [json.loads(message) for stream, message in account.control("events", group=stack.group)
            if stream.endswith(task) and f"/{container}/" in stream and message.startswith("{")]


def drill_that_is_seen(account, stack):
    """A drill and the sidecar's memory.oom_kill of it: of three at most, for an engine may remove the killed container's
    cgroup before anyone read its counter; then nobody is certain, and says so."""
    for _ in range(3):
        told = account.json("drill", *stack.where, "--yes", "--poll", "1s")
        assert told["verdict"]["kind"] == "oom-kill", told
        seen = events_of(account, stack, told["task"], "oomprobe")
        kills = [e for e in seen if e["event"] == "memory.oom_kill"]
        assert told["verdict"]["confidence"] == ("certain" if kills else "likely"), told
        if kills:
            return told, kills
        assert all(e["verdict"] == "unknown" for e in seen if e["event"] == "container.ended"), seen
    raise AssertionError("the sidecar saw none of three kills")


def test_the_module_s_sidecar_tells_of_the_kill(account, watched):
    told, kills = drill_that_is_seen(account, watched)
    (task,) = [t for t in account.tasks() if t["taskArn"].endswith(told["task"])]
    ends = {c["name"]: (c["exitCode"], c.get("reason", "")) for c in task["containers"]}
    assert ends["app"] == (137, "OutOfMemoryError: Container killed due to memory usage")
    assert ends["oomprobe"] == (0, ""), "it ends by SIGTERM, when the task does"
    diagnosed = account.json("diagnose", "--task", told["task"], *watched.where, code=1)
    assert diagnosed["diagnosis"]["kind"] == "oom-kill" and diagnosed["diagnosis"]["confidence"] == "certain"
    for kill in kills:
        assert kill["container_name"] == "app" and kill["limit_bytes"] == 384 << 20


def test_a_worker_s_kill_is_told_by_the_sidecar_too(account, watched):
    told = account.json("drill", "--command", "leaksim --rate 200MB/s --format json; sleep 2", "--expect", "worker-oom-kill", *watched.where,
                        "--yes", "--poll", "1s")
    assert told["verdict"]["confidence"] == "certain", told
