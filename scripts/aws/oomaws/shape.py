"""Leak, burst or plateau, from a series of samples. Pure.

What tells a burst from a leak is not how fast memory grows but for what share of the time it does:
a leak grows nearly always, a burst hardly ever, whatever the size, limit and rate."""

from dataclasses import dataclass
from statistics import median

WARM_UP = 0.1  # of the time: a start (a JVM's heap, a cache) is no leak
FEWEST = 4  # points
FLAT = 0.03  # of the limit: less is noise
MOST_OF_IT = 0.8  # of all growth ...
BURST_TIME = 0.35  # ... within less than this share of the time is a burst; a steady leak needs MOST_OF_IT of it
BUCKETS = 200  # of the time, whose means are looked at: jitter of many samples is no growth
SETTLED = 0.1  # of the growth in the last third of the time: it is over


@dataclass
class Shape:
    name: str  # leak | burst | plateau | falling | unknown
    bytes_per_s: float = 0.0  # over the time looked at
    step_bytes: int = 0  # the largest rise without a pause: the probe may look several times while it lasts
    level_bytes: int = 0  # at the end
    seconds: float = 0.0  # looked at


def points(events):
    """[(time, bytes)] of the working set. A kill is the point where the limit was met."""
    from .recording import seconds  # the one reader of times

    series = []
    for event in events:
        used = event.get("working_set_bytes", event.get("used_bytes"))
        if event["event"] in ("memory.sample", "memory.last_words", "memory.threshold") and used is not None:
            series.append((seconds(event), used))
        elif event["event"] == "memory.oom_kill" and not event.get("survived") and event.get("limit_bytes"):
            series.append((seconds(event), event["limit_bytes"]))
    return sorted(series)


def of(series, limit, is_dead=False):
    if len(series) < FEWEST or not limit:
        return Shape("unknown", level_bytes=series[-1][1] if series else 0)
    begin, end = series[0][0], series[-1][0]
    kept = [p for p in series if p[0] >= begin + WARM_UP * (end - begin)]
    # A leak that kills within its first moments has no warm-up to leave out.
    series = kept if len(kept) >= FEWEST else series
    span = series[-1][0] - series[0][0]
    if span <= 0:
        return Shape("unknown", level_bytes=series[-1][1])
    few = max(1, len(series) // 10)
    first = median(p[1] for p in series[:few])
    last = series[-1][1] if is_dead else median(p[1] for p in series[-few:])
    intervals = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(series, series[1:])]
    made = Shape("plateau", (last - first) / span, largest_rise(intervals), int(last), span)
    if last - first < -FLAT * limit:
        made.name = "falling"
    elif last - first >= FLAT * limit and not (not is_dead and settled(series, first, last)):
        smooth = means(series, is_dead)
        rises = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(smooth, smooth[1:])]
        made.name = "burst" if growing_share(rises, span) < BURST_TIME else "leak"
    return made


def means(series, is_dead):
    """The series in at most BUCKETS means; the kill stays a point of its own."""
    if len(series) <= BUCKETS:
        return series
    body, end = (series[:-1], series[-1:]) if is_dead else (series, [])
    begin, width = body[0][0], (body[-1][0] - body[0][0]) / BUCKETS
    buckets = {}
    for point in body:
        buckets.setdefault(int((point[0] - begin) / width), []).append(point)
    return [(sum(p[0] for p in b) / len(b), sum(p[1] for p in b) / len(b)) for _, b in sorted(buckets.items())] + end


def largest_rise(intervals):
    most = without_pause = 0
    for _, rise in intervals:
        without_pause = without_pause + rise if rise > 0 else 0
        most = max(most, without_pause)
    return most


def settled(series, first, last):
    start = series[0][0] + 2 / 3 * (series[-1][0] - series[0][0])
    late = [p[1] for p in series if p[0] >= start]
    return len(late) >= 2 and max(late) - late[0] < SETTLED * (last - first)


def growing_share(intervals, span):
    """The least share of the time that holds MOST_OF_IT of all rises."""
    rises = sorted(((rise, took) for took, rise in intervals if rise > 0), key=lambda r: r[0] / max(r[1], 1e-3), reverse=True)
    wanted, time = MOST_OF_IT * sum(rise for rise, _ in rises), 0.0
    for rise, took in rises:
        time += took * min(1.0, wanted / rise)
        wanted -= rise
        if wanted <= 0:
            break
    return time / span
