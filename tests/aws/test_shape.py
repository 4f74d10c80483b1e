"""Shape, diagnosis and sizes: pure, so tried on many more cases than containers could be run for."""

import random

import pytest
from oomaws import diagnosis, metrics, shape, sizes

MIB = 1 << 20
LIMIT = 512 * MIB


def leak(rate, interval, start=20 * MIB, limit=LIMIT, noise=0):
    chance, series, t, used = random.Random(1), [], 0.0, start
    while used < limit:
        series.append((t, int(used + chance.uniform(-noise, noise))))
        t, used = t + interval, used + rate * interval
    return [*series, (t, limit)]


def stairs(size, every, interval, limit=LIMIT, start=20 * MIB):
    series, t, used = [], 0.0, start
    while used < limit:
        series.append((t, used))
        t += interval
        if int(t / every) > int((t - interval) / every):
            used += size
    return [*series, (t, limit)]


@pytest.mark.parametrize("limit", [64 * MIB, LIMIT, 30 << 30])
@pytest.mark.parametrize("samples", [6, 40, 4000])
@pytest.mark.parametrize("noise", [0, 0.01])
def test_a_steady_leak_at_any_pace_and_size(limit, samples, noise):
    rate = limit / samples  # one interval of 1 s each
    found = shape.of(leak(rate, 1.0, limit / 50, limit, noise * limit), limit, is_dead=True)
    assert found.name == "leak"
    assert abs(found.bytes_per_s - rate) < 0.35 * rate


@pytest.mark.parametrize("size", [40 * MIB, 128 * MIB, 2 * LIMIT])
@pytest.mark.parametrize("looks_a_step", [6, 10, 100])
def test_a_burst_at_any_pace_and_size(size, looks_a_step):
    found = shape.of(stairs(size, 10.0, 10.0 / looks_a_step), LIMIT, is_dead=True)
    assert found.name == "burst"
    assert found.step_bytes >= min(size, LIMIT - 20 * MIB) * 0.2


def test_a_start_is_no_leak():
    heap = [(t, min(t * 40, 300) * MIB) for t in range(10)] + [(t, 300 * MIB + t * MIB // 100) for t in range(10, 600)]
    assert shape.of(heap, LIMIT).name == "plateau"


def test_a_slow_leak_after_a_start_is_one():
    series = [(t, min(t * 40, 200) * MIB + t * MIB // 4) for t in range(600)]
    assert shape.of(series, LIMIT).name == "leak"


def test_a_leak_that_ended_is_a_plateau():
    series = [(t, min(t, 30) * 10 * MIB) for t in range(300)]
    assert shape.of(series, LIMIT).name == "plateau"


def test_page_cache_that_comes_and_goes_is_no_leak():
    series = [(t, (200 + 60 * (t % 7) // 6) * MIB) for t in range(300)]
    assert shape.of(series, LIMIT).name == "plateau"


def test_too_few_points_are_not_judged():
    assert shape.of([(0, MIB), (1, 2 * MIB)], LIMIT).name == "unknown"
    assert shape.of([], LIMIT).name == "unknown"


def task(**known):
    return diagnosis.Task(id="t", limit_bytes=LIMIT, **{"running": False, **known})


@pytest.mark.parametrize("known, kind", [
    (dict(exit_code=137, reason="OutOfMemoryError: Container killed due to memory usage"), "oom-kill"),
    # amazon-ecs-agent#2467: a worker's kill marks the container, which ends well.
    (dict(exit_code=0, reason="OutOfMemoryError: Container killed due to memory usage"), "worker-oom-kill"),
    (dict(exit_code=137, stop_code="UserInitiated"), "stop-timeout"),
    (dict(exit_code=137, stop_code="EssentialContainerExited"), "sigkill-outside"),
    (dict(exit_code=143, stop_code="ServiceSchedulerInitiated", stopped_reason="Scaling activity initiated by (deployment ecs-svc/1)"), "stopped"),
    (dict(exit_code=143, stop_code="ServiceSchedulerInitiated", stopped_reason="Task failed ELB health checks in (target-group x)"), "ended"),
    (dict(exit_code=143, stop_code="UserInitiated"), "stopped"),
    (dict(exit_code=1), "ended"),
    (dict(running=True), "unknown"),
])
def test_without_our_probe_ecs_words_decide_and_are_only_likely(known, kind):
    found = diagnosis.examine(task(**known))
    assert found.kind == kind
    assert found.confidence in ("likely", "unknown")


def sample(second, used, **more):
    return {"event": "memory.sample", "time": f"2026-11-24T11:{second // 60:02}:{second % 60:02}.000Z", "seq": second + 1,
            "used_bytes": used, "limit_bytes": LIMIT, "used_percent": 100 * used / LIMIT, "oom_killed": 0, **more}


@pytest.mark.parametrize("reason, kind", [("Scaling activity initiated by (deployment ecs-svc/1)", "stopped"),
                                          ("Essential container in task exited", "ended")])
def test_a_leak_that_a_deployment_stopped_is_told(reason, kind):
    events = [sample(s, s * 4 * MIB) for s in range(60)]
    found = diagnosis.examine(task(exit_code=0, stopped_reason=reason, events=events))
    assert found.kind == kind
    assert any("MB/s until then: look at" in why for why in found.why) == (kind == "stopped"), found.why


def test_a_metric_that_stays_flat_is_told():
    events = [sample(s, s * 8 * MIB, shmem_bytes=s * 8 * MIB, anon_bytes=MIB, MemoryUtilization=1) for s in range(60)]
    found = diagnosis.examine(task(running=True, events=events))
    assert found.kind == "slow-leak"
    assert any("MemoryUtilization shows 1 %" in why for why in found.why)
    assert any("shared memory" in why for why in found.why)


def test_a_crash_at_the_limit_may_be_a_failed_allocation():
    events = [sample(s, int(LIMIT * (0.9 + 0.001 * s))) for s in range(60)]
    exited = {"event": "workload.exited", "time": "2026-11-24T11:01:00.000Z", "seq": 61, "pid": 1, "exit_code": 134, "signal": "SIGABRT",
              "verdict": "crashed", "core_dumped": False, "duration_s": 60}
    assert diagnosis.examine(task(exit_code=134, events=[*events, exited])).kind == "allocation-failure"


def test_the_tasks_limit_is_told_from_the_containers():
    kill = {"event": "memory.oom_kill", "time": "2026-11-24T11:01:00.000Z", "seq": 61, "scope": "ancestor_limit", "kills": 1,
            "limit_bytes": LIMIT, "counters_before": {"oom_kill": 0}, "counters_after": {"oom_kill": 1}, "survived": False}
    found = diagnosis.examine(task(exit_code=137, events=[kill]))
    assert found.kind == "oom-kill" and any("task's limit" in why for why in found.why)


def test_the_worst_finding_is_the_headline():
    findings = [diagnosis.Finding(kind, "likely", kind, []) for kind in ("healthy", "oom-kill", "plateau", "worker-oom-kill")]
    assert diagnosis.headline(findings).kind == "oom-kill"
    assert diagnosis.headline([]) is None


def test_every_kind_has_a_next_step():
    for kind in diagnosis.KINDS:
        command, why = diagnosis.next_step(diagnosis.Finding(kind, "likely", "t", []), "--cluster c --service s", 256, 512)
        assert why and (command is None or command.startswith("scripts/aws/"))


@pytest.mark.parametrize("eta_s, suspect, command, words", [
    (3.21, None, "scale-up --rollback", "buys time only"), (0.0, None, "scale-up --rollback", "buys time only"),
    (3.21, "web:1", "rollback --to web:1", "scale-up --rollback buys time"),
    (600.0, None, "redeploy", "before the kill"), (600.0, "web:1", "rollback --to web:1", "redeploy before the kill"),
])
def test_a_redeploy_is_for_a_kill_that_it_can_forestall(eta_s, suspect, command, words):
    finding = diagnosis.Finding("slow-leak", "likely", "t", [], eta_s=eta_s)
    told, why = diagnosis.next_step(finding, "--cluster c --service s", 256, 512, suspect)
    assert told == f"scripts/aws/resolve {command} --cluster c --service s" and words in why and ("redeploy" in why) == (eta_s == 600 and bool(suspect))


def test_the_time_to_the_kill_is_in_the_finding():
    found = diagnosis.examine(task(running=True, events=[sample(s, s * 8 * MIB) for s in range(60)]))
    assert found.kind == "slow-leak" and 5 < found.eta_s < 9, found


def test_what_grew_is_no_news_of_one_that_is_well():
    grown = [sample(s, min(s, 10) * 10 * MIB, anon_bytes=min(s, 10) * 10 * MIB) for s in range(60)]
    found = diagnosis.examine(task(running=True, events=grown))
    assert found.kind == "healthy" and not any("what grew" in why for why in found.why), found.why


def test_what_grew_is_told_up_to_the_kill():
    grown = [sample(s, s * 10 * MIB, shmem_bytes=s * 10 * MIB) for s in range(1, 10)]
    freed = sample(10, 5 * MIB, shmem_bytes=0)
    kill = {"event": "memory.oom_kill", "time": freed["time"], "scope": "own_limit", "kills": 1, "survived": False,
            "counters_before": {"oom_kill": 0}, "counters_after": {"oom_kill": 1}}
    found = diagnosis.examine(task(running=False, exit_code=137, events=[*grown, kill, freed]))
    assert found.kind == "oom-kill" and any("shared memory" in why and "80.0 MiB" in why for why in found.why), found.why


def test_the_dead_do_not_hide_the_tasks_that_run():
    peaks = [{"task_id": f"{n:08}abcdef", "peak": f"{99 - n}", "last": "5"} for n in range(9)]
    lines = metrics.fullest_lines(peaks, {"00000001abcdef", "00000007abcdef"})
    assert [line.split()[0] for line in lines] == ["00000000", "00000001", "00000002", "00000003", "00000004", "00000007"]
    assert [line for line in lines if line.endswith(", runs")] == [lines[1], lines[5]] and lines[5] == "00000007  peak 92 %, last 5 %, runs"


def test_fargate_sizes():
    assert sizes.next_size(256, 512) == (256, 1024)
    assert sizes.next_size(256, 2048) == (512, 4096)
    assert sizes.next_size(16384, 122880) is None
    assert sizes.size_for(256, 600) == (256, 1024)
    assert not sizes.is_sold(256, 4096)
    for cpu, memories in sizes.SIZES.items():
        assert memories == sorted(set(memories))
        assert all(sizes.is_sold(*sizes.size_for(cpu, m)) for m in memories)


def test_the_sizes_are_those_of_the_terraform_module(module):
    """Two tables, one truth: the module's variable refuses what is not sold."""
    from harness import NEEDED, Failed

    for cpu, memory in ((256, 2048), (512, 4096), (16384, 122880)):
        assert sizes.is_sold(cpu, memory) and module.plan(**NEEDED, cpu=cpu, memory=memory)
    for cpu, memory in ((256, 4096), (1024, 1024)):
        assert not sizes.is_sold(cpu, memory)
        with pytest.raises(Failed):
            module.plan(**NEEDED, cpu=cpu, memory=memory)


def test_a_block_that_was_looked_at_while_it_came_is_one_step():
    series = [(float(t), 10 * MIB) for t in range(20)]
    series += [(20 + k / 10, 10 * MIB + k * 40 * MIB) for k in range(1, 11)] + [(22.0, 410 * MIB)]
    assert shape.of(series, LIMIT, is_dead=True).step_bytes == 400 * MIB
