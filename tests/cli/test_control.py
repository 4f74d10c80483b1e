"""Targets of leaksim on this kernel: what it holds, and how fast it answers."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from conftest import (BIN, CLEAN, IS_V1, TIMEOUT, require, rows, run_on_terminal,
                      wait_until)

MiB = 1 << 20
USAGE = "memory.usage_in_bytes" if IS_V1 else "memory.current"

# Holds as many MiB as the last line on its stdin says, in pages of its own.
OTHER = """
import mmap, sys
held = []
for line in sys.stdin:
    while len(held) < int(line):
        page = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.write(b"x" * (1 << 20))
        held.append(page)
    while len(held) > int(line):
        held.pop().close()
    print(len(held), flush=True)
"""


class Leak:
    """leaksim in a cgroup, with its events in a file."""

    def __init__(self, cgroup, tmp_path, *arguments):
        self.path = tmp_path / f"events-{len(list(tmp_path.iterdir()))}"
        self.cgroup = cgroup
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                [BIN / "leaksim", "--format", "json", *arguments], env=CLEAN, stdout=out,
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                preexec_fn=cgroup.enter)

    def events(self, name=None):
        lines = self.path.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if name in (None, event["event"])]

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=TIMEOUT)
        return err

    def cpu(self):
        """Of all its threads, in seconds."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def leak(make_cgroup, tmp_path):
    running = []

    def start(limit, *arguments, cgroup=None):
        running.append(Leak(cgroup or make_cgroup(limit), tmp_path, *arguments))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


@pytest.fixture
def other():
    running = []

    def start(cgroup):
        process = subprocess.Popen(["/usr/bin/python3", "-c", OTHER], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, preexec_fn=cgroup.enter)
        running.append(process)

        def hold(mib):
            process.stdin.write(f"{mib}\n")
            process.stdin.flush()
            process.stdout.readline()

        hold(0)
        return hold

    yield start
    for process in running:
        process.kill()
        process.communicate()


def used(cgroup):
    return int((cgroup.path / USAGE).read_text())


def test_hold_follows_the_container(leak, other, make_cgroup):
    cgroup = make_cgroup(256 * MiB)
    hold = other(cgroup)
    held = leak(None, "--until", "50%", "--then", "hold", "--rate", "200MB/s",
                "--report-every", "100ms", cgroup=cgroup)
    wait_until(lambda: held.events("leak.holding"), "the target")
    target = held.events("leak.started")[0]["until_bytes"]
    assert target == 128 * MiB

    def settle(what):
        wait_until(lambda: abs(used(cgroup) - target) <= target / 100, what)

    settle("the target, first")
    for mib in (40, 90, 20, 110, 0):
        hold(mib)
        settle(f"the target, with {mib} MiB held by another process")
        # From now on it neither leaves the target nor hunts around it.
        time.sleep(0.3)
        at = len(held.events("leak.holding"))
        for _ in range(20):
            assert abs(used(cgroup) - target) <= target / 100
            time.sleep(0.025)
        live = [event["live_bytes"] for event in held.events("leak.holding")[at:]]
        assert len(set(live)) <= 2, live
    # The other one moves steadily, 2 MiB at a time.
    for mib in range(0, 60, 2):
        hold(mib)
        time.sleep(0.1)
    settle("the target, after a steady move")
    assert held.end() == ""
    assert held.events()[-1]["reason"] == "signal"


def test_hold_sleeps(leak):
    held = leak(64 * MiB, "--until", "50%", "--then", "hold", "--rate", "max",
                "--report-every", "1s")
    wait_until(lambda: held.events("leak.holding"), "the target")
    time.sleep(0.5)
    began, before = time.monotonic(), held.cpu()
    time.sleep(5)
    share = (held.cpu() - before) / (time.monotonic() - began)
    assert share < 0.01, f"{100 * share:.2f} % of a core"


def test_release_gives_all_back(leak):
    released = leak(64 * MiB, "--until", "80%", "--then", "release", "--rate", "max")
    wait_until(lambda: released.events("leak.released"), "the release")
    event = released.events("leak.released")[0]
    started = released.events("leak.started")[0]
    assert event["live_bytes"] == 0
    assert event["allocated_bytes"] > 45 * MiB
    assert event["used_bytes"] - started["used_bytes"] < 1.5 * MiB
    assert used(released.cgroup) < 4 * MiB
    assert released.process.poll() is None


def test_then_oom_goes_on_to_the_kill(leak):
    killed = leak(64 * MiB, "--until", "50%", "--then", "oom", "--rate", "40MB/s")
    assert killed.process.wait(TIMEOUT) == -signal.SIGKILL
    reached = killed.events("leak.target_reached")
    assert len(reached) == 1 and 31 * MiB < reached[0]["used_bytes"] < 34 * MiB
    assert killed.events("leak.stopped") == []


def test_the_target_is_told_first(make_cgroup):
    def start(*arguments):
        done = subprocess.run([BIN / "leaksim", *arguments], env=CLEAN, capture_output=True,
                              text=True, check=False, timeout=TIMEOUT,
                              preexec_fn=make_cgroup(64 * MiB).enter)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[0]

    line = start("--format", "text", "--until", "50%", "--rate", "max")
    assert "until 50% (32.0 MiB by current)" in line
    assert re.search(r"limit 64.0 MiB \(own: /sys/fs/cgroup/\S+\)", line)
    event = json.loads(start("--until", "14MiB-headroom", "--basis", "anon", "--rate", "max"))
    assert (event["until_bytes"], event["basis"], event["then"]) == (50 * MiB, "anon", "exit")


@pytest.mark.parametrize("rate", ["1kB/min", "100GB/s", "max"])
def test_a_signal_is_answered_at_once(leak, rate):
    # At 100 GB/s it is behind all the time. The bound is issue 3's; a quiet machine takes 5 ms.
    slowest = 0
    for _ in range(20):
        # A cap, so that the machine is not filled up between signal and answer.
        busy = leak(1 << 30, "--rate", rate, "--report-every", "10ms", "--pattern", "linear",
                    "--until", "1000MiB", "--then", "hold")
        wait_until(lambda: len(busy.events()) > 1, "the first report")
        at = time.monotonic()
        busy.process.send_signal(signal.SIGTERM)
        busy.process.wait(TIMEOUT)
        slowest = max(slowest, time.monotonic() - at)
        assert busy.events()[-1]["signal"] == "SIGTERM"
    print(f"{rate}: slowest of 20 {1000 * slowest:.1f} ms")


def test_workers_share_the_rate_and_their_kills_are_told(leak):
    crew = leak(64 * MiB, "--workers", "3", "--rate", "120MB/s", "--report-every", "50ms")
    assert crew.process.wait(TIMEOUT) == 137  # its own exit: it lived to tell
    killed = crew.events("leak.worker_killed")
    assert len(killed) == 3 and {event["worker"] for event in killed} == {1, 2, 3}
    assert all(event["oom"] for event in killed)
    assert {event["rate_bytes_per_s"] for event in crew.events("leak.started")} == {40e6}
    assert crew.cgroup.pids() == []


@pytest.mark.parametrize("kind", ["anon", "heap"])
def test_expect_oom_is_judged_from_outside(leak, kind):
    judged = leak(64 * MiB, "--expect", "oom", "--restart", "1", "--rate", "max", "--kind", kind)
    assert judged.process.wait(TIMEOUT) == 0
    assert [event["restart"] for event in judged.events("leak.started")] == [0, 1]
    verdict = judged.events("leak.verdict")[0]
    assert (verdict["judgement"], verdict["workers_oom_killed"]) == ("met", 2)


def test_expect_survive_and_plateau(leak):
    for arguments, code in (
            (["survive", "--until", "50%"], 0),
            (["survive"], 1),
            (["oom", "--until", "50%"], 1),
            (["plateau", "--until", "50%", "--then", "hold", "--duration", "2s"], 0),
            (["plateau", "--rate", "20MB/s", "--duration", "2s"], 1)):
        judged = leak(64 * MiB, "--rate", "100MB/s", "--expect", *arguments)
        assert judged.process.wait(TIMEOUT) == code, arguments
        assert judged.events()[-1]["event"] == "leak.verdict"
        assert (judged.events()[-1]["judgement"] == "met") == (code == 0)
        assert bool(judged.process.stderr.read()) == (code != 0)


def test_workers_hold_together(leak, other, make_cgroup):
    cgroup = make_cgroup(256 * MiB)
    hold = other(cgroup)
    crew = leak(None, "--workers", "3", "--until", "50%", "--then", "hold", "--rate", "200MB/s",
                cgroup=cgroup)
    target = 128 * MiB
    wait_until(lambda: len(crew.events("leak.holding")) >= 3, "the target")
    for mib in (60, 0, 30):
        hold(mib)
        wait_until(lambda: abs(used(cgroup) - target) <= target / 100, f"with {mib} MiB")
        time.sleep(0.5)
        for _ in range(10):
            assert abs(used(cgroup) - target) <= target / 100
            time.sleep(0.025)
    assert crew.end() == ""
    assert len(crew.events("leak.stopped")) == 3


def installed(library):
    """The file of a library that the loader knows."""
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    return next((line.rpartition("=> ")[2] for line in listed.stdout.splitlines()
                 if line.strip().startswith(library + " ")), None)


@pytest.mark.parametrize("name, library, setting, options, unproven", [
    ("system", "libc.so.6", {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}, "arena_max=0x2", None),
    ("jemalloc", "libjemalloc.so.2", {"MALLOC_CONF": "narenas:1,dirty_decay_ms:0,bogus:7"},
     "narenas=1 dirty_decay_ms=0", "bogus=7"),
    ("mimalloc", "libmimalloc.so.2", {"MIMALLOC_PAGE_RESET": "1"}, None, "MIMALLOC_PAGE_RESET=1"),
    ("tcmalloc", "libtcmalloc_minimal.so.4", {}, None, None)])
def test_the_allocator_is_proved(make_cgroup, name, library, setting, options, unproven):
    file = installed(library)
    require(file, f"{library} is not installed", "scripts/setup test")
    done = subprocess.run(
        [BIN / "leaksim", "--allocator", name, "--pattern", "fragment:round=4MB", "--rate", "20MB/s",
         "--duration", "600ms", "--report-every", "200ms", "--format", "json"],
        env={**CLEAN, **setting}, capture_output=True, text=True, check=False, timeout=TIMEOUT,
        preexec_fn=make_cgroup(64 * MiB).enter)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    told = events[0]["allocator"]
    assert told["name"] == {"system": "glibc"}.get(name, name)
    assert told["file"] == os.path.realpath(file) and told["proven"] is True
    assert (told.get("options"), told.get("options_unproven")) == (options, unproven)
    assert events[0]["kind"] == "heap"
    last = events[-2]
    assert last["event"] == "leak.progress"
    assert last["fragmentation"] > 0.9
    heap = last["heap"]
    if name == "jemalloc":
        assert {"allocated_bytes", "active_bytes", "resident_bytes", "retained_bytes"} <= set(heap)
    if "allocated_bytes" in heap:
        assert heap["allocated_bytes"] >= last["live_bytes"]
    assert heap["mapped_bytes"] > last["live_bytes"]


def test_a_preload_that_does_not_take_is_an_error(make_cgroup):
    library = installed("libm.so.6")
    done = subprocess.run([BIN / "leaksim", "--allocator", library], env=CLEAN, text=True,
                          capture_output=True, check=False, timeout=TIMEOUT,
                          preexec_fn=make_cgroup(64 * MiB).enter)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith(f"leaksim: --allocator {library}: was preloaded, and malloc is")
    assert done.stderr.count("\n") == 1


def test_workers_have_one_live_line_together(make_cgroup):
    code, text = run_on_terminal("leaksim", "--workers", "3", "--rate", "30MB/s", "--max-bytes",
                                 "30MB", "--report-every", "100ms", preexec_fn=make_cgroup(64 * MiB).enter)
    assert code == 0, text
    shown = re.findall(r"\r3 x linear:rate=30MB/s  \[#*\.*\] +[0-9.]+ %  [0-9.]+ MiB of ", text)
    assert len(shown) >= 3, text
    assert "leak.progress" not in text
    screen = rows(text)
    assert not any(row.startswith("3 x") for row in screen), screen
    for name in ("started", "stopped"):
        told = [row for row in screen if re.match(rf"[0-9:]+ +leak\.{name} +worker [123]: ", row)]
        assert len(told) == 3, screen
    assert any(re.match(r"ended +survived after .*, workers OOM-killed 0", row) for row in screen)


def test_a_kill_leaves_no_live_line_before_it(make_cgroup):
    code, text = run_on_terminal("leaksim", "--expect", "oom", "--rate", "60MB/s",
                                 preexec_fn=make_cgroup(64 * MiB).enter)
    assert code == 0, text
    assert "\rlinear:rate=60MB/s  [#" in text
    screen = rows(text)
    for name in ("worker_killed", "verdict"):
        assert any(re.match(rf"[0-9:]+ (!!|  ) leak\.{name} ", row) for row in screen), screen
    assert any(re.match(r"ended +oom_killed after .*, workers OOM-killed 1", row) for row in screen)
