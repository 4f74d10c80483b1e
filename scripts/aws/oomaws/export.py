"""Log streams into files, resumable.

DIR/.export.json keeps for each stream how far its file reaches: the bytes written, the last event's time, and how many
events of that very millisecond are in. CloudWatch's own tokens expire after a day; these do not."""

import json
import os
import threading
import time
from pathlib import Path

from .call import NO_INPUT, Trouble

CANNOT_CREATE = 73
STATE = ".export.json"


def streams(aws, group, prefix, since_ms):
    """Streams of a prefix that have events after a time."""
    answer = aws.read("logs", "describe-log-streams", {"logStreams": [{"logStreamName": f"{prefix}TASK_ID"}]},
                      log_group_name=group, log_stream_name_prefix=prefix)
    return [s["logStreamName"] for s in answer["logStreams"] if s.get("lastEventTimestamp", s.get("lastIngestionTime", since_ms)) >= since_ms]


def fleet(aws, place, folder, since, only=None, page=10000):
    """[{path, task, events, new}] after fetching what is new."""
    folder = Path(folder)
    group, prefixes = place.log_streams()
    if not group:
        raise Trouble(NO_INPUT, f"{place.revision} does not write to CloudWatch Logs (logDriver awslogs with a stream prefix)")
    state = {}
    if not aws.dry_run:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / STATE).exists():
                state = json.loads((folder / STATE).read_text())
        except (OSError, ValueError) as error:
            raise Trouble(CANNOT_CREATE, f"{folder}: {error}; another --out") from None
    wanted = [
        (stream, f"{stream.rsplit('/', 1)[-1]}.jsonl" if len(prefixes) == 1 else f"{stream.rsplit('/', 1)[-1]}.{name}.jsonl")
        for name, prefix in prefixes.items() for stream in streams(aws, group, f"{prefix}/", int(since * 1000))
        if not only or any(stream.rsplit("/", 1)[-1].startswith(task) for task in only)
    ]
    lock = threading.Lock()

    def one(stream, name):
        kept = state.setdefault(stream, {"bytes": 0, "time": int(since * 1000), "at_time": 0, "events": 0})
        before = kept["events"]

        def counted(**more):
            with lock:
                kept.update(more)
                save(folder, state)

        fetch(aws, group, stream, folder / name, dict(kept), page, counted)
        return {"path": str(folder / name), "task": stream.rsplit("/", 1)[-1], "events": kept["events"], "new": kept["events"] - before}

    done = aws.together(*[lambda what=what: one(*what) for what in wanted])
    for trouble in done:
        if isinstance(trouble, Trouble):
            raise trouble
    if only and not done and not aws.dry_run:
        raise Trouble(NO_INPUT, f"no task {', '.join(only)} has events of that time in {group}")
    return done


def fetch(aws, group, stream, path, kept, page, counted):
    """Appends what is new; counted(…) is told after each page how far the file reaches."""
    token, skip, start = None, kept["at_time"], kept["time"]
    if aws.dry_run:
        aws.read("logs", "get-log-events", {}, log_group_name=group, log_stream_name=stream, start_from_head=True,
                 start_time=start, limit=page)
        return
    try:
        out = open(path, "r+b" if path.exists() else "w+b")
    except OSError as error:
        raise Trouble(CANNOT_CREATE, f"{path}: {error.strerror}; another --out") from None
    until = int(time.time() * 1000)  # a stream that is being written would have no end
    with out:
        out.truncate(kept["bytes"])  # what a run that was stopped has written and not counted
        out.seek(kept["bytes"])
        while True:
            answer = aws.read("logs", "get-log-events", log_group_name=group, log_stream_name=stream, start_from_head=True,
                              start_time=start, end_time=until, limit=page, next_token=token)
            events = answer["events"]
            fresh, skip = events[skip:], max(0, skip - len(events))
            for event in fresh:
                out.write(event["message"].rstrip("\n").encode() + b"\n")
                kept["at_time"] = kept["at_time"] + 1 if event["timestamp"] == kept["time"] else 1
                kept["time"] = event["timestamp"]
            out.flush()
            os.fsync(out.fileno())
            kept["bytes"] = out.tell()
            kept["events"] += len(fresh)
            counted(**kept)
            # The end is reached where the same token comes back.
            if not events or answer["nextForwardToken"] == token:
                return
            token = answer["nextForwardToken"]


def save(folder, state):
    temporary = folder / f"{STATE}.new"
    temporary.write_text(json.dumps(state, indent=1))
    temporary.replace(folder / STATE)
