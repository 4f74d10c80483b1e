"""The named drills as incidents of a service: what a release of today does to it, and what a first responder has to find.

Paced so that a kill is seconds away, in the 480 MiB that the Fargate example's container has."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone

from harness import of_type, only

WELL = {"LEAKSIM_RATE": "max", "LEAKSIM_MAX_BYTES": "100MiB", "LEAKSIM_HOLD": "1", "OOMPROBE_INTERVAL": "200ms"}
WORKER = "while :; do leaksim --rate 160MB/s --format json; sleep 3; done"


@dataclass
class Incident:
    what: str  # happens, in words, for whoever has played it
    environment: dict  # of the release that brings it
    kind: str  # that diagnose has to name
    because: str  # expression that its reasons have to match: the cause
    cure: str  # the command that `next` has to begin with
    page: str  # alarm or rule of deploy/terraform that calls
    command: list = None
    after: tuple = field(default=("healthy",))  # what diagnose may say when it is over


BACK = "scripts/aws/resolve rollback --to "
INCIDENTS = {
    "guide": Incident(
        "a steady leak on the heap, to the kill, again and again", {"LEAKSIM_RATE": "40MB/s"},
        "oom-kill", r"grew steadily.*what grew: heap and stacks", BACK, "task-killed"),
    "blind-spot": Incident(
        "the same in shared memory, which MemoryUtilization leaves out on cgroup v1", {"LEAKSIM_KIND": "memfd", "LEAKSIM_RATE": "40MB/s"},
        "oom-kill", r"grew steadily.*what grew: shared memory", BACK, "task-killed"),
    "burst": Incident(
        "600 MiB at once", {"LEAKSIM_PATTERN": "burst:size=600MiB,interval=4s", "LEAKSIM_MAX_BYTES": "600MiB", "LEAKSIM_HOLD": "1"},
        "burst", r"grew by [\d.]+ MiB at once", "scripts/aws/resolve scale-up --memory 2048", "task-killed", after=("healthy", "plateau")),
    "slow-leak": Incident(
        "a leak that needs minutes to the kill: nobody is dead yet", {"LEAKSIM_RATE": "1500kB/s", "OOMPROBE_INTERVAL": "1s"},
        "slow-leak", r"grows steadily.*killed in .* if it goes on so", BACK, "memory-exhaustion"),
    "fragmentation": Incident(
        "memory is freed, and the allocator cannot give it back", {"LEAKSIM_PATTERN": "fragment:rate=60MB/s"},
        "oom-kill", r"grew steadily.*what was freed stays", BACK, "task-killed"),
    "hidden-worker-kill": Incident(
        "workers are killed, and the container lives", {}, "worker-oom-kill", r"kills by the kernel's counter, of leaksim; the main process went on",
        BACK, "killed", command=["sh", "-c", WORKER]),
}


def environment(incident):
    """Of the release: what the one before held is not held any more."""
    return {"OOMPROBE_INTERVAL": WELL["OOMPROBE_INTERVAL"], **incident.environment}


def has_begun(stack, revision, incident):
    """What pages has happened: a task killed, a worker killed, or the time to the kill foretold."""
    if incident.page == "task-killed":
        return [t for t in stack.tasks(revision) if t["lastStatus"] == "STOPPED" and t["containers"][0].get("exitCode") == 137]
    wanted = {"killed": lambda e: e["event"] == "memory.oom_kill" and e.get("survived"),
              "memory-exhaustion": lambda e: e["event"] == "memory.growth" and e.get("confidence") in ("likely", "certain")}[incident.page]
    return [event for event in stack.events() if wanted(event) and f"{event.get('family')}:{event.get('revision')}" == revision]


def page(values, stack, incident, begun):
    """The message that deploy/terraform's rule or alarm sends."""
    if incident.page != "task-killed":
        (alarm,) = [a for a in of_type(values, "aws_cloudwatch_composite_alarm") if a["alarm_name"].endswith(f"-{incident.page}")]
        return f"ALARM: \"{alarm['alarm_name']}\"\n{alarm['alarm_description']}"
    task = begun[0]
    (transformer,) = only(values, "aws_cloudwatch_event_target")["input_transformer"]
    message = transformer["input_template"]
    task = {**task, "stoppedAt": datetime.fromtimestamp(task["stoppedAt"], timezone.utc).isoformat(timespec="milliseconds")}
    for name, path in transformer["input_paths"].items():
        message = message.replace(f"<{name}>", json.dumps(task.get(path.rsplit(".", 1)[1])))
    return message.strip()
