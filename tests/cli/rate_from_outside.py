#!/usr/bin/python3
"""Measures how fast leaksim really grows, from outside. Needs root.

Without --pattern: beside the guide's memory_leak.py. Both run for the same time in memory cgroups
of their own, and what counts is the usage that the kernel shows of these; the rate is the slope of
the regression line.

With --pattern (any number of them, side by side): how far the growth ever is from the nominal
curve. The kernel charges a cgroup in batches of 64 pages a CPU, which is more than the tolerance,
so what counts is what the kernel finds in the process's own page tables, and these themselves; the
cgroup's figures stand beside them. Within the tolerance is: 0.1 % of what is due, plus one step.

With --answer: how long SIGTERM is unanswered at a rate that the machine cannot keep, and whether
the events say that it cannot.

Exit code: 0 leaksim is within the tolerance, 1 it is not, 2 nothing could be measured.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from cgroup import Cgroup as Limited  # noqa: E402

NOMINAL = 1_000_000  # bytes a second: the guide's, and leaksim's default
INTERVAL = 0.05
# Start-up is over, and the kernel's first charges to a new cgroup, too.
SETTLE = 2.0
GUIDE = ROOT / "tests" / "fixtures" / "guide" / "memory_leak.py"


def cannot(message):
    print(f"rate_from_outside: {message}", file=sys.stderr)
    sys.exit(2)


class Cgroup(Limited):
    """Of one program, which is killed at its end."""

    def __init__(self, name, limit):
        self.process = None
        try:
            super().__init__(limit, name)
        except OSError as error:
            cannot(f"cannot make a memory cgroup: {error}; run it as root, outside of a container")

    def start(self, command, out=subprocess.DEVNULL):
        self.process = super().start(command, out)

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.remove()


def measure(programs, seconds):
    limit = int(NOMINAL * (seconds + SETTLE) * 2) + (64 << 20)
    cgroups = {}
    points = {name: [] for name in programs}
    try:
        for name in programs:
            cgroups[name] = Cgroup(name, limit)
        for name, command in programs.items():
            cgroups[name].start(command)
        begin = time.monotonic() + SETTLE
        next_look = begin
        while next_look <= begin + seconds:
            time.sleep(max(0.0, next_look - time.monotonic()))
            for name, cgroup in cgroups.items():
                points[name].append((time.monotonic(), cgroup.used()))
            next_look += INTERVAL
        for name, cgroup in cgroups.items():
            code = cgroup.process.poll()
            if code is not None:
                cannot(f"{name} ended by itself with {code}")
    finally:
        for cgroup in cgroups.values():
            cgroup.end()
    return points


SIZES = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
TIMES = {"ms": 1e-3, "s": 1, "m": 60}


def quantity(text, units):
    unit = text.lstrip("0123456789.")
    if unit not in units:
        cannot(f"'{text}': the unit is none of {', '.join(units)}")
    return float(text[: len(text) - len(unit)]) * units[unit]


class Nominal:
    """The curve that a pattern promises, told independently of the program: bytes at a time."""

    def __init__(self, pattern):
        name, _, rest = pattern.partition(":")
        given = dict(item.split("=", 1) for item in rest.split(",") if item)
        blocks = {"burst": ("size", "64MiB", "interval", "10s"),
                  "staircase": ("step", "16MiB", "dwell", "30s")}
        if name == "linear":
            self.rate = quantity(given.get("rate", "1MB/s").removesuffix("/s"), SIZES)
            self.every = 0.01
            self.step = self.rate * self.every
        elif name in blocks:
            size, usual_size, time_, usual_time = blocks[name]
            self.step = quantity(given.get(size, usual_size), SIZES)
            self.every = quantity(given.get(time_, usual_time), TIMES)
            self.rate = self.step / self.every
        else:
            cannot(f"no curve is known here of '{name}', only of linear, {', '.join(blocks)}")

    def at(self, elapsed):
        return math.floor(elapsed / self.every + 1e-9) * self.step


def written(pid):
    """Bytes of anonymous memory in the page tables of `pid`, and those of the tables."""
    total = 0
    with open(f"/proc/{pid}/smaps_rollup") as file:
        total += sum(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))
    with open(f"/proc/{pid}/status") as file:
        total += sum(int(line.split()[1]) for line in file if line.startswith("VmPTE:"))
    return total << 10


@contextlib.contextmanager
def load(wanted):
    """As many busy processes as there are CPUs."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(os.cpu_count() if wanted else 0)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def follow(leaksim, patterns, seconds, loaded):
    """Samples (elapsed, written, used) of each pattern; elapsed since its own leak.started."""
    samples = {pattern: [] for pattern in patterns}
    with contextlib.ExitStack() as stack:
        running = {}
        for number, pattern in enumerate(patterns):
            due = Nominal(pattern).rate * (seconds + SETTLE)
            cgroup = Cgroup(str(number), int(due * 2) + (256 << 20))
            stack.callback(cgroup.end)
            cgroup.start([leaksim, "--pattern", pattern, "--report-every", "0", "--format", "json"],
                         out=subprocess.PIPE)
            started = json.loads(cgroup.process.stdout.readline())
            # The event was made just before the leak's clock started.
            age = time.time() - stamp(started["time"])
            running[pattern] = (cgroup, time.monotonic() - age)
        stack.enter_context(load(loaded))
        end = time.monotonic() + seconds + SETTLE
        next_look = time.monotonic() + SETTLE
        while next_look <= end:
            time.sleep(max(0.0, next_look - time.monotonic()))
            for pattern, (cgroup, origin) in running.items():
                before = time.monotonic()
                bytes_ = written(cgroup.process.pid)
                samples[pattern].append(
                    ((before + time.monotonic()) / 2 - origin, bytes_, cgroup.used()))
            next_look = max(next_look + INTERVAL, time.monotonic())
    return samples


def stamp(text):
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(
        text[19:-1])


def deviation(samples, nominal, column):
    """The furthest that it is from the curve, the offset of the start taken off: the least such."""
    errors = [sample[column] - nominal.at(sample[0]) for sample in samples]
    # What the program holds beside the leak; a sample at a step's edge is a whole step off.
    base = sorted(errors)[len(errors) // 2]
    return max(errors) - base, min(errors) - base, errors[-1] - base


def check_patterns(options):
    samples = follow(str(options.leaksim.resolve()), options.pattern, options.seconds, options.load)
    beside = f" with {os.cpu_count()} busy processes beside it" if options.load else ""
    print(f"{options.seconds:.0f} s from outside{beside}, furthest from the nominal curve:")
    failed = False
    for pattern, series in samples.items():
        nominal = Nominal(pattern)
        most = 0.001 * nominal.rate * series[-1][0] + nominal.step
        above, below, last = deviation(series, nominal, 1)
        used = deviation(series, nominal, 2)
        bad = max(above, -below) > most
        failed |= bad
        print(f"  {pattern}: {above:+.0f} {below:+.0f} B, at the end {last:+.0f} B, of"
              f" {nominal.at(series[-1][0]):.0f} B due; allowed {most:.0f} B:"
              f" {'NOT within' if bad else 'within'}"
              f" (cgroup usage {used[0]:+.0f} {used[1]:+.0f} B)")
    return failed


def check_answer(options):
    tries = 20
    slowest_event = slowest_exit = 0.0
    debts = []
    with load(options.load):
        for number in range(tries):
            cgroup = Cgroup(f"answer-{number}", 2 << 30)
            try:
                # The rate is out of reach for a second or so of this much memory.
                cgroup.start([str(options.leaksim.resolve()), "--rate", "100GB/s", "--format", "json",
                              "--report-every", "20ms", "--until", "95%", "--then", "hold"],
                             out=subprocess.PIPE)
                lines = cgroup.process.stdout
                events = [json.loads(lines.readline()) for _ in range(2 + number % 5)]
                debts.append((events[-1].get("debt_bytes", 0), events[-1]["achieved_bytes_per_s"]))
                at = time.monotonic()
                cgroup.process.send_signal(signal.SIGTERM)
                while json.loads(lines.readline())["event"] != "leak.stopped":
                    pass
                slowest_event = max(slowest_event, time.monotonic() - at)
                cgroup.process.wait()
                slowest_exit = max(slowest_exit, time.monotonic() - at)
            finally:
                cgroup.end()
    debt, achieved = min(debts)
    print(f"100 GB/s asked: at least {debt} B of debt in each of {tries} events, achieved"
          f" {achieved:.0f} B/s")
    print(f"SIGTERM, slowest of {tries}: leak.stopped after {1000 * slowest_event:.1f} ms, gone after"
          f" {1000 * slowest_exit:.1f} ms; allowed 100 ms")
    return debt == 0 or slowest_event > 0.1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("leaksim", type=pathlib.Path, help="the program to measure")
    parser.add_argument("--seconds", type=float, default=60, help="length of the measurement")
    parser.add_argument("--tolerance", type=float, default=0.5, help="of nominal, in percent")
    parser.add_argument("--pattern", action="append", help="to follow: linear, burst, staircase")
    parser.add_argument("--answer", action="store_true", help="measure the answer to SIGTERM")
    parser.add_argument("--load", action="store_true", help="keep all CPUs busy beside it")
    options = parser.parse_args()
    if not os.access(options.leaksim, os.X_OK):
        cannot(f"{options.leaksim}: no such program")
    if options.seconds < 5:
        cannot("--seconds: below 5 the kernel's batches of charges are the larger part")
    if options.pattern or options.answer:
        failed = bool(options.pattern) and check_patterns(options)
        return int((options.answer and check_answer(options)) or failed)
    programs = {
        "leaksim": [str(options.leaksim.resolve()), "--report-every", "0"],
        "memory_leak.py": [sys.executable, str(GUIDE)],
    }
    points = measure(programs, options.seconds)
    print(f"nominal {NOMINAL} B/s, {options.seconds:.0f} s, usage of the cgroup from outside:")
    rates = {name: statistics.linear_regression(*zip(*series)).slope for name, series in points.items()}
    for name, rate in rates.items():
        print(
            f"  {name:<15}{rate:>10.0f} B/s = {100 * rate / NOMINAL:7.3f} % of nominal"
            f" (at the start {points[name][0][1] / (1 << 20):.1f} MiB used)"
        )
    error = 100 * abs(rates["leaksim"] / NOMINAL - 1)
    if error > options.tolerance:
        print(f"leaksim is {error:.3f} % off, more than {options.tolerance} %")
        return 1
    print(f"leaksim is {error:.3f} % off, within {options.tolerance} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
