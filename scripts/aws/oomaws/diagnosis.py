"""From what is known of a service's tasks to one finding each, and the one that matters. Pure.

A finding says how sure it is: `certain` where our probe's counters tell, `likely` where only ECS's words do."""

from dataclasses import dataclass, field

from . import shape, sizes
from .command import bytes_text, rate_text, time_text

KNOWLEDGE = "docs/knowledge-base.md"
HIGH = 0.75  # of the limit: a plateau above is worth a word
CLOSE = 0.95  # of the limit: a crash there may be a failed allocation
SCATTERED = 1.5  # resident by live byte of a heap: more is fragmentation
BLIND_POINTS = 20  # percent points between the truth and ECS's metric
HORIZON_S = 7 * 86400  # a leak that needs longer is not today's incident
REDEPLOY_S = 120  # what new tasks need to take over; a kill that is nearer comes first

# Worst first: the headline is the first that any task has. What tells nothing of the service is last.
KINDS = {
    "burst": "killed by memory that came all at once",
    "oom-kill": "the essential container was OOM-killed",
    "worker-oom-kill": "a worker was OOM-killed and its container lives on: ECS shows nothing of it",
    "allocation-failure": "crashed close to the limit: an allocation may have failed",
    "slow-leak": "memory grows and will meet the limit",
    "sigkill-outside": "SIGKILL from outside, not for memory",
    "stop-timeout": "killed at the stop timeout because it did not end on SIGTERM, not for memory",
    "plateau": "memory is high and stays there: no leak",
    "ended": "ended for reasons of its own, not for memory",
    "healthy": "no sign of memory exhaustion",
    "unknown": "no events of oomprobe and nothing from ECS to go by",
    "stopped": "a deployment, a scale-in or a person stopped it, not for memory",
}
TROUBLE = {"burst", "oom-kill", "worker-oom-kill", "allocation-failure", "slow-leak", "sigkill-outside", "stop-timeout"}


# Of these a release of late is the first suspect; and what to do where it is not to blame.
RELEASED = {
    "oom-kill": "scripts/aws/resolve scale-up --rollback buys time",
    "worker-oom-kill": "fewer or smaller workers, or scale-up",
    "allocation-failure": "scripts/aws/resolve scale-up --rollback, then who limits itself",
    "slow-leak": "scripts/aws/resolve redeploy before the kill",
}


@dataclass
class Task:
    """Of one task: what ECS says of the container, and the probe's events (docs/events.md)."""

    id: str
    running: bool
    exit_code: int = None
    reason: str = ""  # the container's
    stop_code: str = ""
    stopped_reason: str = ""  # the task's
    limit_bytes: int = None
    events: list = field(default_factory=list)

    def of(self, *names):
        return [event for event in self.events if event["event"] in names]


@dataclass
class Finding:
    kind: str
    confidence: str
    task: str
    why: list
    growth: shape.Shape = None
    memory_mib: int = None  # a limit that would have been enough, where that can be said
    eta_s: float = None  # to the kill, where one is foretold


def examine(task):
    """The finding of one task."""
    kills = task.of("memory.oom_kill")
    exits = task.of("workload.exited")
    samples = task.of("memory.sample", "memory.last_words")
    limit = next((event["limit_bytes"] for event in reversed(samples + kills) if event.get("limit_bytes")), task.limit_bytes)
    # A sidecar does not see what became of the main process (no `survived`); its exit code tells.
    outlived = not task.running and task.exit_code not in (None, 137)
    fatal = [kill for kill in kills if not kill.get("survived", outlived)]
    by_ecs = task.reason.startswith("OutOfMemory")
    verdict = exits[-1]["verdict"] if exits else None
    is_oom = verdict == "oom_killed" or bool(fatal and not task.running) or by_ecs and task.exit_code == 137
    grown = shape.of(shape.points(task.events), limit, is_dead=is_oom)
    why = []

    def found(kind, confidence, *reasons, memory_mib=None, eta_s=None):
        said = notes(samples, task.of("leak.progress"), limit, tells_growth=kind != "healthy")
        return Finding(kind, confidence, task.id, [*reasons, *why, *said], grown, memory_mib, eta_s)

    if is_oom:
        confidence = "certain" if fatal or verdict == "oom_killed" else "likely"
        why += kill_evidence(fatal, task, verdict)
        if grown.name == "burst":
            enough = (limit + 2 * grown.step_bytes) >> 20
            return found("burst", confidence, f"grew by {bytes_text(grown.step_bytes)} at once and hardly otherwise, "
                         f"into a limit of {bytes_text(limit)}", memory_mib=enough)
        if grown.name == "leak":
            return found("oom-kill", confidence, f"grew steadily by {rate_text(grown.bytes_per_s)} for {time_text(grown.seconds)}, "
                         f"up to its limit of {bytes_text(limit)}")
        return found("oom-kill", confidence, f"killed at its limit of {bytes_text(limit)}; too few samples to tell leak from burst")
    if kills or by_ecs:
        if kills:
            victim = kills[-1].get("victim", {}).get("name")
            why.append(f"{sum(k['kills'] for k in kills)} kills by the kernel's counter{', of ' + victim if victim else ''}; "
                       "the main process went on")
            return found("worker-oom-kill", "certain" if outlived or all("survived" in k for k in kills) else "likely")
        return found("worker-oom-kill", "likely", f"ECS: {task.reason}; yet exit code {task.exit_code}: not the main process was killed")
    if verdict == "killed" or not task.running and task.exit_code == 137:
        asked = exits[-1]["stop_requested"] if exits and "stop_requested" in exits[-1] else None
        by_stop = asked or asked is None and task.stop_code in ("UserInitiated", "ServiceSchedulerInitiated")
        counted = bool(exits) or bool(samples)
        why.append("exit code 137 without an OOM kill by the kernel's counter" if counted
                   else "exit code 137, and ECS does not say OutOfMemory; nobody counted")
        if task.stopped_reason:
            why.append(f"ECS: {task.stopped_reason}")
        return found("stop-timeout" if by_stop else "sigkill-outside", "certain" if exits else "likely")
    if verdict in ("crashed", "failed") and limit and samples and samples[-1]["used_bytes"] >= CLOSE * limit:
        return found("allocation-failure", "likely",
                     f"{verdict} with exit code {exits[-1]['exit_code']} at {bytes_text(samples[-1]['used_bytes'])} of {bytes_text(limit)}")
    by_whom = stopper(task)
    if not task.running and by_whom:
        return found("stopped", "certain" if exits else "likely", f"{by_whom} stopped it; exit code {task.exit_code}", f"ECS: {task.stopped_reason}",
                     *([f"it grew steadily by {rate_text(grown.bytes_per_s)} until then: look at a task that still runs"]
                       if grown.name == "leak" else []))
    if not task.running:
        return found("ended", "certain" if exits else "likely", f"exit code {task.exit_code}",
                     *([task.stopped_reason] if task.stopped_reason else []))
    if not samples:
        return found("unknown", "unknown", "no sample of oomprobe in its log; is it the entry point or a sidecar?")
    return living(found, grown, limit)


def stopper(task):
    """Who asked for the end of a task, or None. The scheduler also stops what fails a health check: that is the task's own end."""
    if task.stop_code == "UserInitiated":
        return "a person or a script"
    return "a deployment or a scale-in" if task.stopped_reason.startswith("Scaling activity initiated by") else None


def living(found, grown, limit):
    level = grown.level_bytes / limit if limit else 0
    text = f"at {bytes_text(grown.level_bytes)} of {bytes_text(limit)} ({100 * level:.0f} %)"
    if grown.name in ("leak", "burst") and grown.bytes_per_s > 0:
        eta = (limit - grown.level_bytes) / grown.bytes_per_s
        if eta < HORIZON_S:
            how = "in bursts" if grown.name == "burst" else "steadily"
            return found("slow-leak", "likely", f"grows {how} by {rate_text(grown.bytes_per_s)}, {text}: "
                         f"killed in {time_text(eta)} if it goes on so", eta_s=eta)
    if grown.name == "plateau" and level >= HIGH:
        return found("plateau", "likely", f"{text}, flat for {time_text(grown.seconds)}")
    if grown.name == "unknown":
        return found("healthy", "unknown", f"{text}; too few samples to tell more")
    return found("healthy", "likely", text)


def kill_evidence(fatal, task, verdict):
    why = []
    for kill in fatal[-1:]:
        before, after = kill["counters_before"].get("oom_kill"), kill["counters_after"].get("oom_kill")
        why.append(f"the kernel's counter oom_kill went {before} → {after}, scope {kill['scope']}")
        if kill["scope"] == "ancestor_limit":
            why.append("it was the task's limit, not the container's: all containers of the task count, look at the others too")
        elif kill["scope"] == "host":
            why.append("the whole host ran out: another container may be the cause")
    if task.reason or task.exit_code is not None:
        why.append(f"ECS: exit code {task.exit_code}, {task.reason or 'and says nothing of memory'}")
    if not fatal and verdict != "oom_killed":
        why.append("no event of oomprobe: only ECS's word for it")
    return why


def notes(samples, heap, limit, tells_growth):
    """What the samples say beside: what grew, and whether ECS's metric shows it; `heap`: what a program tells of its own.
    Each service grows as it starts: of one that is well that is no news."""
    if len(samples) < 2 or not limit:
        return []
    # After a kill the kernel takes the memory back, and the probe's last look is in the midst of that.
    fullest = max(samples, key=lambda sample: sample.get("used_bytes", 0))
    said = []
    grown = {
        name: fullest[name] - samples[0][name]
        for name in ("anon_bytes", "shmem_bytes", "kernel_bytes") if name in fullest and name in samples[0]
    }
    if grown and tells_growth:
        name, most = max(grown.items(), key=lambda item: item[1])
        if most > shape.FLAT * limit:
            what = {"anon_bytes": "heap and stacks", "shmem_bytes": "shared memory, tmpfs", "kernel_bytes": "kernel memory"}[name]
            said.append(f"what grew: {what} ({name}), by {bytes_text(most)}")
    if heap and heap[-1].get("fragmentation", 0) >= SCATTERED:
        said.append(f"of the heap {bytes_text(heap[-1]['live_bytes'])} are live, by its own account, and {heap[-1]['fragmentation']:.1f} times that "
                    f"resident: what was freed stays ({KNOWLEDGE}, fragmentation)")
    if "MemoryUtilization" in fullest and fullest["used_percent"] - fullest["MemoryUtilization"] > BLIND_POINTS \
            and fullest.get("shmem_bytes", 0) > limit * BLIND_POINTS / 100:
        said.append(f"ECS's MemoryUtilization shows {fullest['MemoryUtilization']:.0f} % where {fullest['used_percent']:.0f} % are used "
                    f"({KNOWLEDGE}, the metric is flat)")
    return said


def headline(findings):
    """The worst finding; of several tasks with the same, the first (they come latest first)."""
    order = list(KINDS)
    return min(findings, key=lambda finding: order.index(finding.kind)) if findings else None


def next_step(finding, where, cpu=None, memory=None, suspect=None, bygone=None):
    """(command or None, why) after a finding. `where`: the options that name the service; sizes in CPU units and MiB;
    `suspect`: the revision before the one that runs, where its release is suspected; `bygone`: the finding's revision,
    where it is not deployed any more."""
    if finding is None:
        return None, "nothing stopped and nothing runs; look at the service's events above"
    if bygone and finding.kind in TROUBLE:  # a cure would change what this is not a finding of
        return (f"scripts/aws/logs --task {finding.task} --out recordings {where}",
                f"it is of an earlier deployment ({bygone}); of what is deployed now: scripts/aws/diagnose without --task")
    wanted = finding.memory_mib
    size = sizes.size_for(cpu, max(wanted, (memory or 0) + 1)) if wanted and cpu and memory else None
    up = f"scripts/aws/resolve scale-up{f' --memory {size[1]}' if size else ''} --rollback {where}"
    # A kill that no redeploy can forestall is treated as one that was.
    is_near = finding.eta_s is not None and finding.eta_s < REDEPLOY_S
    kind = "oom-kill" if is_near else finding.kind
    if suspect and kind in RELEASED:
        return (f"scripts/aws/resolve rollback --to {suspect} {where}",
                f"the release is new; if it is not to blame: {RELEASED[kind]}")
    return {
        "burst": (up, "room for the block; a limit on what one request may take is the cure"),
        "oom-kill": (up, f"buys time only; the leak stays: {KNOWLEDGE}, known leaks"),
        "worker-oom-kill": (f"scripts/aws/logs --task {finding.task} --out recordings {where}",
                            "then fewer or smaller workers, or scale-up; the service lost work without a restart"),
        "allocation-failure": (up, "room, then look for who limits itself (ulimit -v, a heap setting)"),
        "slow-leak": (f"scripts/aws/resolve redeploy {where}", "starts it afresh before the kill, one task after another"),
        "sigkill-outside": (f"scripts/aws/logs --task {finding.task} --out recordings {where}",
                            "memory is not it: who sent it? another process of the task, an operator, the host's end"),
        "stop-timeout": (f"scripts/aws/logs --task {finding.task} --out recordings {where}",
                         "let it end on SIGTERM, or raise stopTimeout (at most 120 s on Fargate)"),
        "plateau": (f"scripts/aws/review weekly {where}", "see whether it stays; high is not yet wrong"),
        "ended": (f"scripts/aws/logs --task {finding.task} --out recordings {where}", "its own last lines tell why"),
        "stopped": (None, "its end needs no cure; of what runs now: scripts/aws/diagnose without --task"),
        "unknown": (None, "add oomprobe: deploy/terraform/README.md, Your own service"),
        "healthy": (None, "nothing to do"),
    }[kind]
