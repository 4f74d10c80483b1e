"""Each way a task may end or live, made by the drill command in a real container, and diagnosed rightly."""

import signal

import pytest
from conftest import DRILLS

@pytest.mark.parametrize("name", DRILLS)
def test_named_drills_are_diagnosed_rightly(account, idle, drilled, name):
    kind = DRILLS[name][1]
    told = drilled(name)
    assert told["as_expected"] is True
    verdict = told["verdict"]
    assert verdict["kind"] == kind, verdict
    (task,) = [t for t in account.tasks() if t["taskArn"].endswith(told["task"])]
    exit_code = task["containers"][0]["exitCode"]
    is_oom = kind in ("oom-kill", "burst")
    assert (exit_code == 137) == (is_oom or name in ("kill", "stop")), task
    # The kernel's counter from outside, as ECS tells it.
    assert ("OutOfMemoryError" in task["containers"][0].get("reason", "")) == (is_oom or kind == "worker-oom-kill"), task
    if is_oom:
        assert verdict["confidence"] == "certain"
        assert any("oom_kill went 0 → 1" in why for why in verdict["why"]), verdict
    # The same from the evidence alone, as someone would who was called.
    later = {"stop": "stop-timeout", "plateau": "stopped", "low": "stopped", "slow-leak": "stopped"}.get(name, kind)
    code = 0 if later in ("ended", "stopped") else 1
    diagnosed = account.json("diagnose", "--task", told["task"], *idle.where, code=code)
    assert diagnosed["diagnosis"]["kind"] == later, diagnosed["diagnosis"]
    assert diagnosed["diagnosis"]["task"] == told["task"]


def test_a_burst_names_a_size_that_holds_it(account, idle):
    told = account.json("drill", "--pattern", "burst:size=600MiB,interval=1s", *idle.where, "--yes", "--poll", "2s")
    verdict = told["verdict"]
    assert verdict["kind"] == "burst" and verdict["enough_mib"] > 600
    diagnosed = account.json("diagnose", "--task", told["task"], *idle.where, code=1)
    assert "resolve scale-up --memory 2048" in diagnosed["next"], diagnosed["next"]


def test_a_drill_that_ends_otherwise_is_exit_code_1(account, idle):
    done = account.script("drill", "--command", "true", *idle.where, "--yes", "--poll", "2s", "--expect", "oom")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "verdict      ended" in done.stdout and "expected     oom: no" in done.stdout


def test_a_sigkill_from_outside_is_not_taken_for_memory(account, idle):
    """The kill comes while memory is nearly full: the counter decides, not the level."""
    import subprocess

    from conftest import SCRIPTS

    process = subprocess.Popen([SCRIPTS / "drill", "--json", "--rate", "320MB/s", "--until", "90%", "--hold", *idle.where, "--yes",
                                "--poll", "2s", "--expect", "sigkill-outside"],
                               env=account.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    known = {t["taskArn"] for t in account.tasks()}
    task = account.wait(lambda: next((t for t in account.tasks() if t["taskArn"] not in known), None), "the drill's task")
    group, stream = idle.group, f"{idle.family}/app/{task['taskArn'].rsplit('/', 1)[-1]}"
    account.wait(lambda: any("leak.holding" in e["message"] for e in account.aws(
        "logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream)["events"]), "the leak holds")
    account.control("kill", task=task["taskArn"], signal=int(signal.SIGKILL))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
