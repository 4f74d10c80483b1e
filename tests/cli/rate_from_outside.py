#!/usr/bin/python3
"""Measures how fast leaksim, and beside it the guide's memory_leak.py, really grow.

Both run for the same time in memory cgroups of their own, and what counts is the usage that the
kernel shows of these, sampled from outside; the rate is the slope of the regression line. Needs
root. Exit code: 0 leaksim is within the tolerance, 1 it is not, 2 nothing could be measured.
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

NOMINAL = 1_000_000  # bytes a second: the guide's, and leaksim's default
INTERVAL = 0.05
# Start-up is over, and the kernel's first charges to a new cgroup, too.
SETTLE = 2.0
HERE = pathlib.Path(__file__).resolve().parent
GUIDE = HERE.parent / "fixtures" / "guide" / "memory_leak.py"


def cannot(message):
    print(f"rate_from_outside: {message}", file=sys.stderr)
    sys.exit(2)


class Cgroup:
    """A memory cgroup, v1 or v2, with one program in it."""

    def __init__(self, name, limit):
        v1 = pathlib.Path("/sys/fs/cgroup/memory")
        root = v1 if (v1 / "memory.usage_in_bytes").exists() else pathlib.Path("/sys/fs/cgroup")
        limit_file, usage_file = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes")
            if root == v1
            else ("memory.max", "memory.current")
        )
        self.path = root / f"oomdrill-rate-{os.getpid()}-{name}"
        try:
            if root != v1 and "memory" not in (root / "cgroup.subtree_control").read_text().split():
                (root / "cgroup.subtree_control").write_text("+memory")
            self.path.mkdir()
            (self.path / limit_file).write_text(str(limit))
            self.usage = open(self.path / usage_file, "rb", buffering=0)
        except OSError as error:
            cannot(f"cannot make a memory cgroup: {error}; run it as root, outside of a container")
        self.process = None

    def start(self, command):
        procs = str(self.path / "cgroup.procs")

        def enter():
            with open(procs, "w") as file:
                file.write(str(os.getpid()))

        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=enter
        )

    def used(self):
        return int(os.pread(self.usage.fileno(), 32, 0))

    def end(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.usage.close()
        for _ in range(100):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.05)


def slope(points):
    """Least squares, in bytes a second."""
    n = len(points)
    mean_x = sum(x for x, _ in points) / n
    mean_y = sum(y for _, y in points) / n
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points
    )


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("leaksim", type=pathlib.Path, help="the program to measure")
    parser.add_argument("--seconds", type=float, default=60, help="length of the measurement")
    parser.add_argument("--tolerance", type=float, default=0.5, help="of nominal, in percent")
    options = parser.parse_args()
    if not os.access(options.leaksim, os.X_OK):
        cannot(f"{options.leaksim}: no such program")
    if options.seconds < 5:
        cannot("--seconds: below 5 the kernel's batches of charges are the larger part")
    programs = {
        "leaksim": [str(options.leaksim.resolve()), "--report-every", "0"],
        "memory_leak.py": [sys.executable, str(GUIDE)],
    }
    points = measure(programs, options.seconds)
    print(f"nominal {NOMINAL} B/s, {options.seconds:.0f} s, usage of the cgroup from outside:")
    rates = {name: slope(series) for name, series in points.items()}
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
