"""Events out of log streams: what leaksim and oomprobe wrote, one JSON object a line (docs/events.md)."""

import json
from datetime import datetime, timezone

from .place import task_id

# What tells the shape of the growth; without it samples of a long life would be many pages.
PAGES = 3
SMALL = 256 << 10  # bytes of a page that is not full for its size: what was before is not there, or not much


def parsed(message):
    """The event in a line, or None. A workload's own half line may stand before it."""
    at = message.find('{"event":"')
    if at < 0:
        return None
    try:
        return json.loads(message[at:])
    except ValueError:
        return None


def seconds(event):
    return datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def tail(aws, group, stream, limit=10000):
    """The last lines of a stream as CloudWatch gives them, oldest first: some PAGES MB."""
    lines, token = [], None
    for _ in range(PAGES):
        page = aws.read("logs", "get-log-events", {"events": [], "nextBackwardToken": None}, log_group_name=group,
                        log_stream_name=stream, limit=min(limit, 10000), next_token=token)
        lines = page["events"] + lines
        is_small = page["events"] and sum(len(line["message"]) for line in page["events"]) < SMALL
        if len(lines) >= limit or is_small or page.get("nextBackwardToken") in (None, token):
            break
        token = page["nextBackwardToken"]
    return lines[-limit:]


def of_task(aws, place, task, limit=10000):
    """(lines, events) of all of a task's streams: the service's own words, and what watches it."""
    group, prefixes = place.log_streams()
    lines, events = [], []
    for prefix in prefixes.values():
        got = tail(aws, group, f"{prefix}/{task_id(task)}", limit)
        lines += got
        events += [event for event in (parsed(line["message"]) for line in got) if event]
    return lines, sorted(events, key=lambda event: event["time"])


class Follower:
    """News of a task's streams."""

    def __init__(self, aws, place, task):
        self._aws, self._streams = aws, {}
        self._group, prefixes = place.log_streams()
        for prefix in prefixes.values():
            self._streams[f"{prefix}/{task_id(task)}"] = (0, set())

    def events(self):
        """Those that came since the last time."""
        fresh = []
        for stream, (since, known) in self._streams.items():
            page = self._aws.read("logs", "get-log-events", log_group_name=self._group, log_stream_name=stream, start_from_head=True,
                                  start_time=since)
            for line in page["events"]:
                event = parsed(line["message"])
                key = (line["timestamp"], line["message"])
                if event and key not in known:
                    fresh.append(event)
            if page["events"]:  # those of the same millisecond come again
                last = page["events"][-1]["timestamp"]
                self._streams[stream] = (last, {(e["timestamp"], e["message"]) for e in page["events"] if e["timestamp"] == last})
        return sorted(fresh, key=lambda event: event["time"])


def narrated(event):
    """One line for people, or None for what is no news."""
    name, text = event["event"], None
    if name == "memory.threshold":
        text = f"{event['threshold_percent']:g} % passed {'upwards' if event['direction'] == 'up' else 'downwards'}"
        if "eta_oom_s" in event:
            text += f", {event['eta_oom_s']:g} s to the limit"
    elif name == "memory.oom_kill":
        victim = event.get("victim", {}).get("name", "a process")
        text = f"OOM kill of {victim}, {event['scope'].replace('_', ' ')}"
        if event.get("survived"):
            text += "; the container lives on"
    elif name == "workload.exited":
        text = f"workload ended: {event['verdict']}, exit code {event['exit_code']}"
    elif name == "workload.started":
        text = f"workload started: {event['command']}"
    elif name == "workload.stopping":
        text = f"{event['signal']} passed on to the workload"
    elif name == "memory.growth" and "eta_oom_s" in event:
        text = f"growth: {event['eta_oom_s']:g} s to the limit"
    elif name == "probe.warning":
        text = f"probe: {event['message']}"
    elif name == "leak.holding":
        text = f"leak holds {event['live_bytes'] / (1 << 20):.1f} MiB"
    elif name == "leak.stopped":
        text = f"leak stopped: {event['reason']}"
    return f"{event['time'][11:19]}  {text}" if text else None
