"""Every kind of memory with every pattern, in a limit of 64 MiB: the kernel charges what leaksim
says that it holds, and gets all of it back; and the blind spot, live."""

import functools
import json
import re

import pytest
from docker import Container, NETWORK, VERSION, docker, events_in

MiB = 1 << 20
LIMIT = ("--memory=64m", "--memory-swap=64m")
# What the kernel charges ahead: 64 pages a CPU; and what the runs' own shell and leaksim take.
SLACK = MiB
# Patterns whose defaults are for minutes, in less than two seconds; others run as they are, at LEAKSIM_RATE.
QUICK = {
    "burst": "burst:size=8MiB,interval=100ms",
    "staircase": "staircase:step=8MiB,dwell=100ms",
    "exponential": "exponential:doubling=100ms",
    "sawtooth": "sawtooth:leak=8MiB",
    "cache-fill": "cache-fill:fill=20MiB,leak=32MB/s",
    "random-walk": "random-walk:drift=32MB/s,step=50ms",
    "replay": "replay:file=/tmp/curve.csv",
    "hold": "linear:for=200ms;hold:for=200ms",
    "fragment": "fragment:round=4MiB",
    "comb": "comb:fill=4MiB",
    "shift": "shift:round=4MiB",
    "lru": "lru:cache=8MiB",
}
# Less than the others: fragments of a heap stay resident, and every inode takes a descriptor.
MOST = {"heap": "14MiB", "kernel:inodes": "20MiB"}
# Settings of kinds beyond the default.
VARIANTS = ["file:clean", "kernel:sockets", "kernel:inodes"]
# Steps of charges that are larger than a page: a huge page, a stack, a socket buffer.
GRANULE = {"hugepage": 2 * MiB, "stack": MiB // 8, "kernel:sockets": MiB // 8}


def leaksim(*arguments):
    return docker("run", "--rm", "--network", NETWORK, *LIMIT, "oomdrill", "leaksim", *arguments).stdout


@functools.lru_cache
def listed(what):
    """{name: why it cannot run here, or None}, from leaksim itself."""
    found = {}
    for line in leaksim(f"--list-{what}").splitlines():
        if match := re.match(r"([\w-]+): .*?(?:\(not here: (.*)\))?$", line):
            found[match[1]] = match[2]
    return found


def runs(kind, patterns):
    """{pattern: (exit code, events, errors)}: one container, one leaksim after another."""
    script = [r"printf '0,0\n0.5,20000000\n1,10000000\n' > /tmp/curve.csv"]
    for pattern in patterns:
        script.append(
            f"echo RUN {pattern}; leaksim --kind {kind} --pattern '{QUICK.get(pattern, pattern)}' "
            f"--max-bytes {MOST.get(kind, '36MiB')} --duration 2s --report-every 0 --format json 2>&1; echo EXIT $?")
    # 20 MiB of inodes are 15,000 descriptors; an engine's own limit may be 4096.
    descriptors = ("--ulimit", "nofile=16384:16384") if kind == "kernel:inodes" else ()
    with Container(*LIMIT, *descriptors, "-e", "LEAKSIM_RATE=64MB/s", "oomdrill", "sh", "-c", "; ".join(script)) as container:
        docker("wait", container.name)
        text = container.logs()[0]
    found = {}
    for part in text.split("RUN ")[1:]:
        name, _, rest = part.partition("\n")
        out, _, code = rest.rpartition("EXIT ")
        found[name.strip()] = (int(code), events_in(out), out)
    return found


@functools.lru_cache
def runs_of(kind):
    return runs(kind, listed("patterns"))


def keeps_a_note(events):
    """Whether the kernel may have noted bytes of freed objects instead of uncharging them. Linux 6.18 does so where
    the softirq that frees inodes interrupts a charge: in 7 of 1,300 runs the objects were gone, and up to 2.6 MiB
    stood until another process of the cgroup charged something."""
    return events[-1]["residue_bytes"] > SLACK


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        kinds = list(listed("kinds")) + VARIANTS
        metafunc.parametrize("kind, pattern", [(k, p) for k in kinds for p in listed("patterns")])


def test_charges_what_it_holds_and_gives_it_back(kind, pattern, record_property):
    if why := listed("kinds")[kind.partition(":")[0]]:
        pytest.skip(why)
    code, events, text = runs_of(kind)[pattern]
    for _ in range(2):
        if code == 0 and kind == "kernel:inodes" and keeps_a_note(events):
            print(f"{kind} {pattern}: {events[-1]['residue_bytes']} bytes left; once more")
            code, events, text = runs(kind, [pattern])[pattern]
    if code == 64 and "frees single blocks" in text:
        pytest.skip(f"{kind} has no small blocks")
    assert code == 0, text
    started, stopped = events[0], events[-1]
    assert (started["event"], stopped["event"]) == ("leak.started", "leak.stopped"), text
    live, allocated = stopped["live_bytes"], stopped["allocated_bytes"]
    assert allocated > 0
    rise = stopped["used_bytes"] - started["used_bytes"]
    overhead = started["overhead_percent"] / 100
    slack = SLACK + GRANULE.get(kind, 0)
    if started["claimed_counter"] == "none":
        least, most = -slack, slack
    elif kind == "heap":  # an allocator may keep what is freed
        least, most = 0.98 * live - slack, (1.02 + overhead) * allocated + slack
    else:
        least, most = 0.98 * live - slack, (1.02 + overhead) * live + slack
    print(f"{kind} {pattern}: {live / MiB:.2f} MiB held, {rise / MiB:.2f} MiB charged, "
          f"{stopped['residue_bytes'] / MiB:.2f} MiB left")
    assert least <= rise <= most
    assert stopped["charged_as_claimed"] is True
    assert stopped["residue_bytes"] <= SLACK


def test_blind_spot_a_memfd_leak_kills_while_ecs_on_v1_shows_nothing():
    with Container(*LIMIT, "oomdrill", "oomprobe", "run", "--", "leaksim", "--kind", "memfd", "--rate", "8MB/s",
                   "--report-every", "100ms") as container:
        ended = container.ended()
    assert ended.code == 137 and ended.oom_killed
    assert ended.one("memory.oom_kill")["scope"] == "own_limit"
    last = ended.all("leak.progress")[-1]
    seen = last["observers"]
    print(json.dumps(seen))
    assert last["used_percent"] > 85
    assert seen["ecs_v1_percent"] < 10
    assert seen["ecs_v2_percent"] > 85
    assert seen["docker_bytes"] > 0.85 * 64 * MiB
    assert seen["rss_bytes"] < 0.1 * 64 * MiB
    if VERSION == "1":  # the probe's own metric, as ECS would publish it
        assert all(e["MemoryUtilization"] < 10 for e in ended.all("memory.sample"))


def test_children_of_the_kind_fork_die_with_it():
    script = ("leaksim --kind fork --rate 64MB/s --max-bytes 20MiB --hold & "
              "sleep 2; ps=$(cat /proc/[0-9]*/comm | grep -c '^leaksim$'); kill -9 $!; sleep 1; "
              "echo before $ps after $(cat /proc/[0-9]*/comm | grep -c '^leaksim$')")
    with Container("--init", *LIMIT, "oomdrill", "sh", "-c", script) as container:
        docker("wait", container.name)
        out = container.logs()[0]
    before, after = map(int, re.search(r"before (\d+) after (\d+)", out).groups())
    assert before >= 3 and after == 0
