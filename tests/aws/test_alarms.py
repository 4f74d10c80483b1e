"""The alarms as terraform plans them, fed to `oomdrill evaluate` on drills recorded here: a real kernel, at STRETCH times the pace,
so that half a minute's recording stands for what takes eight minutes at the guide's 1 MB/s. So does the probe's interval: what it
forecasts from so many looks is then what it would forecast at that pace from as many."""

import json
import re
from pathlib import Path

import pytest
from conftest import IS_V1, evaluate, recorded

STRETCH = 40
INTERVAL = "25ms"  # of 1 s
# Of what does not leak: its start is to be over within six looks. The forecast takes a longer one for a leak, as well it may.
START_INTERVAL = "100ms"
# 1 MB/s of leak, and the container's 480 MiB: what the descriptions speak of.
LEAK = ["--", "--rate", f"{STRETCH}MB/s"]
SHARED = f"""
import os, time
shared, block = os.memfd_create("drill"), b"x" * 1000000
start, written = time.monotonic(), 0
while True:
    while written < (time.monotonic() - start) * {STRETCH}e6:
        os.write(shared, block)
        written += len(block)
    time.sleep(0.01)
"""
CACHE = """
import os, time
end = time.monotonic() + 12
while time.monotonic() < end:
    with open("cache.bin", "wb") as file:
        for _ in range(600):
            file.write(b"x" * 1000000)
os.unlink("cache.bin")
"""
# As a build does: some hundred MiB come and go with each file. Not to be stretched: at its own pace, and the probe's.
BUILD = r"""
end=$(($(date +%s) + 25))
while [ "$(date +%s)" -lt $end ]; do
  printf '#include <regex>\n#include <map>\nint main() { return std::regex_match("aab", std::regex("a+b")); }\n' |
    g++ -std=c++20 -O1 -x c++ -c -o /dev/null - || exit 1
done
"""
# The forecast's alarm states its lead for leaks that take forecast_seconds / 2 + 30 s or longer.
SHORTEST_S, LIMIT_B = 480, 480 << 20
# name: (options of oomdrill run, how it has to end)
RECORDINGS = {
    "leak": (LEAK, "oom_killed"),
    "leak in the shortest time": (["--", "--rate", str(int(LIMIT_B / SHORTEST_S * STRETCH))], "oom_killed"),
    "leak in twice that": (["--", "--rate", str(int(LIMIT_B / SHORTEST_S / 2 * STRETCH))], "oom_killed"),
    "shared": (["--workload", "--", "/usr/bin/python3", "-c", SHARED], "oom_killed"),
    "half full": (["--", "--rate", "max", "--until", "50%", "--hold", "--duration", "12s"], "completed"),
    "page cache": (["--workload", "--", "/usr/bin/python3", "-c", CACHE], "completed"),
    "idle": (["--workload", "--", "sleep", "12"], "completed"),
    "plateau": (["--", "--rate", "max", "--until", "70%", "--hold", "--duration", "12s"], "completed"),
    "compile": (["--workload", "--", "sh", "-c", BUILD], "completed"),
}
OWN_PACE = {"compile"}


@pytest.fixture(scope="session")
def judged(plan, tmp_path_factory):
    """judged(name) -> alarm name -> what evaluate says of it."""
    done = {}

    def judge(name):
        if name not in done:
            options, end = RECORDINGS[name]
            folder = tmp_path_factory.mktemp(name.replace(" ", "-"))
            interval = "1s" if name in OWN_PACE else INTERVAL if end == "oom_killed" else START_INTERVAL
            told = evaluate(plan, recorded(folder, options, end, interval=interval), "--stretch", "1" if name in OWN_PACE else str(STRETCH),
                            "--delay", "30s")
            done[name] = {alarm["name"].removeprefix("oomdrill-"): alarm for alarm in told["alarms"]}
        return done[name]

    return judge


def description(plan, name):
    alarms = [r["values"] for r in plan_resources(plan) if r["type"] == "aws_cloudwatch_metric_alarm"]
    (alarm,) = [a for a in alarms if a["alarm_name"] == f"oomdrill-{name}"]
    return alarm["alarm_description"]


def promised(plan, name):
    """The lead that an alarm's description states, in seconds."""
    return float(re.search(r"at least (\d+) s before the kill", description(plan, name))[1])


def plan_resources(plan):
    from harness import resources

    return resources(json.loads(Path(plan).read_text())["planned_values"]).values()


def test_the_early_alarm_leads_the_kill_as_its_description_says(plan, judged):
    alarm = judged("leak")["memory-lead"]
    assert alarm["fired"] == "before"
    assert alarm["alignments"]["before"] == alarm["alignments"]["tried"] >= 10
    # In the worst alignment of its periods with the incident.
    assert alarm["alignments"]["worst_lead_s"] >= promised(plan, "memory-lead") == 60


def test_the_built_in_set_is_what_the_module_makes(judged, tmp_path_factory):
    planned = judged("leak")
    recording = tmp_path_factory.getbasetemp() / "leak0" / "drill.jsonl"
    told = evaluate("corrected", recording, "--stretch", str(STRETCH), "--delay", "30s")
    assert len(told["alarms"]) == 8
    for alarm in told["alarms"]:
        assert alarm == planned[alarm["name"].removeprefix("oomdrill-")], alarm["name"]


@pytest.mark.parametrize("name", ["leak in the shortest time", "leak", "leak in twice that"])
def test_the_forecast_leads_the_kill_as_its_description_says(plan, judged, name):
    alarm = judged(name)["memory-forecast"]
    assert alarm["fired"] == "before"
    assert alarm["alignments"]["before"] == alarm["alignments"]["tried"] >= 10
    assert alarm["alignments"]["worst_lead_s"] >= promised(plan, "memory-forecast") == 75
    assert f"takes {SHORTEST_S} s or longer" in description(plan, "memory-forecast")


def test_the_guides_alarms_come_too_late_or_never(judged):
    alarms = judged("leak")
    for name in ("ecs-memory-utilization-high", "memory-utilization", "oom-kills"):
        assert alarms[name]["fired"] != "before", alarms[name]
        assert alarms[name].get("alignments", {"before": 0})["before"] == 0  # absent where there is no data
    assert alarms["oom-kills"]["fired"] == "never"
    assert alarms["oom-killed"]["fired"] == "after"


@pytest.mark.skipif(not IS_V1, reason="cgroup v2 counts shared memory in MemoryUtilization; scripts/test container runs v1")
def test_shared_memory_is_seen_where_ecs_is_blind(plan, judged):
    alarms = judged("shared")
    assert alarms["memory-lead"]["fired"] != "before", "on v1 the formula leaves it out"
    assert alarms["memory-shared"]["fired"] == "before"
    assert alarms["memory-shared"]["alignments"]["worst_lead_s"] >= promised(plan, "memory-shared")


@pytest.mark.parametrize("name", ["half full", "page cache", "plateau", "compile", "idle"])
def test_nothing_fires_without_a_leak(judged, name):
    alarms = judged(name)
    # The probe falls silent when the recording ends: that alarm is right to fire.
    fired = {alarm: told["why"] for alarm, told in alarms.items() if told["fired"] != "never" and alarm != "probe-silent"}
    assert not fired


def test_a_lead_that_no_alarm_has_is_refused(plan, tmp_path):
    recording = recorded(tmp_path, ["-m", "64MiB", *LEAK], "oom_killed")
    told = evaluate(plan, recording, "--stretch", str(STRETCH), "--require-lead", "1h", code=1)
    assert told["alarms"]
