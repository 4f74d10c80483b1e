"""Asks AWS for what diagnosis needs to know of a task."""

from . import diagnosis, recording
from .call import Trouble
from .place import task_id


def of(aws, place, task, warn):
    """diagnosis.Task of a described task, and the lines of its log."""
    containers = {c["name"]: c for c in task.get("containers", [])}
    container = containers.get(place.container["name"], {})
    lines, events = [], []
    try:
        lines, events = recording.of_task(aws, place, task)
    except Trouble as trouble:
        warn(f"{trouble}; going on without this log")
    return diagnosis.Task(
        id=task_id(task),
        running=task.get("lastStatus") != "STOPPED",
        exit_code=container.get("exitCode"),
        reason=container.get("reason", ""),
        stop_code=task.get("stopCode", ""),
        stopped_reason=task.get("stoppedReason", ""),
        limit_bytes=place.limit_mib * (1 << 20) if place.limit_mib else None,
        events=events,
    ), lines


def as_json(finding):
    if finding is None:
        return None
    return {
        "kind": finding.kind,
        "confidence": finding.confidence,
        "task": finding.task,
        "why": finding.why,
        "growth": vars(finding.growth) if finding.growth else None,
        "enough_mib": finding.memory_mib,
        "eta_s": finding.eta_s,
    }
