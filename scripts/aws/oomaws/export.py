"""Log streams into files, resumable.

DIR/.export.json keeps for each stream how far its file reaches: the bytes written, the last event's time, and how many
events of that very millisecond are in. CloudWatch's own tokens expire after a day; these do not."""

import json
import os
from pathlib import Path

from .call import NO_INPUT, Trouble

CANNOT_CREATE = 73
STATE = ".export.json"


def streams(aws, group, prefix, since_ms):
    """Streams of a prefix that have events after a time."""
    answer = aws.read("logs", "describe-log-streams", {"logStreams": [{"logStreamName": f"{prefix}TASK_ID"}]},
                      log_group_name=group, log_stream_name_prefix=prefix)
    return [s["logStreamName"] for s in answer["logStreams"] if s.get("lastEventTimestamp", s.get("lastIngestionTime", since_ms)) >= since_ms]


def fleet(aws, place, folder, since, only=None, page=10000, say=print):
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
    done = []
    for name, prefix in prefixes.items():
        for stream in streams(aws, group, f"{prefix}/", int(since * 1000)):
            task = stream.rsplit("/", 1)[-1]
            if only and not any(task.startswith(wanted) for wanted in only):
                continue
            # Two containers of a task are two files.
            path = folder / (f"{task}.jsonl" if len(prefixes) == 1 else f"{task}.{name}.jsonl")
            kept = state.setdefault(stream, {"bytes": 0, "time": int(since * 1000), "at_time": 0, "events": 0})
            before = kept["events"]
            fetch(aws, group, stream, path, kept, page, lambda: save(folder, state))
            done.append({"path": str(path), "task": task, "events": kept["events"], "new": kept["events"] - before})
    if only and not done and not aws.dry_run:
        raise Trouble(NO_INPUT, f"no task {', '.join(only)} has events of that time in {group}")
    return done


def fetch(aws, group, stream, path, kept, page, save_state):
    token, skip, start = None, kept["at_time"], kept["time"]
    if aws.dry_run:
        aws.read("logs", "get-log-events", {}, log_group_name=group, log_stream_name=stream, start_from_head=True,
                 start_time=start, limit=page)
        return
    try:
        out = open(path, "r+b" if path.exists() else "w+b")
    except OSError as error:
        raise Trouble(CANNOT_CREATE, f"{path}: {error.strerror}; another --out") from None
    with out:
        out.truncate(kept["bytes"])  # what a run that was stopped has written and not counted
        out.seek(kept["bytes"])
        while True:
            answer = aws.read("logs", "get-log-events", log_group_name=group, log_stream_name=stream, start_from_head=True,
                              start_time=start, limit=page, next_token=token)
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
            save_state()
            # The end is reached where the same token comes back.
            if not events or answer["nextForwardToken"] == token:
                return
            token = answer["nextForwardToken"]


def save(folder, state):
    temporary = folder / f"{STATE}.new"
    temporary.write_text(json.dumps(state, indent=1))
    temporary.replace(folder / STATE)
