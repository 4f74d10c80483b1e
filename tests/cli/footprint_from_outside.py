#!/usr/bin/python3
"""Measures what leaksim, and beside it the guide's memory_leak.py, take before they leak: the usage
of a memory cgroup of its own, from outside, a second after the start. Needs root.

Each has run once before, so that its files are in the page cache and charged to nobody here; what
is left is what the program makes of its own. leaksim grows by a byte a second then; the first block
of the Python script is taken off, at its size. Exit code: 0 leaksim takes a quarter at most, 1 it
does not, 2 nothing could be measured.
"""
import argparse
import os
import pathlib
import statistics
import sys
import time

from rate_from_outside import GUIDE, Cgroup, cannot

FIRST_BLOCK = 250_000 * 4  # of the guide's script
MiB = 1 << 20


def footprint(name, command, grown):
    cgroup = Cgroup(name, 256 * MiB)
    try:
        cgroup.start(command)
        time.sleep(0.9)  # the second block comes after a second
        if cgroup.process.poll() is not None:
            cannot(f"{name} ended by itself with {cgroup.process.returncode}")
        return cgroup.used() - grown
    finally:
        cgroup.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("leaksim", type=pathlib.Path, help="the program to measure")
    parser.add_argument("--runs", type=int, default=5, help="of each; the medians are compared")
    options = parser.parse_args()
    if not os.access(options.leaksim, os.X_OK):
        cannot(f"{options.leaksim}: no such program")
    programs = {
        "leaksim": ([str(options.leaksim.resolve()), "--rate", "1B/s"], 0),
        "memory_leak.py": ([sys.executable, str(GUIDE)], FIRST_BLOCK),
    }
    runs = {name: [] for name in programs}
    for number in range(options.runs + 1):
        for name, (command, grown) in programs.items():
            used = footprint(f"{name}-{number}", command, grown)
            if number > 0:  # the first one warms the page cache
                runs[name].append(used)
    medians = {name: statistics.median(used) for name, used in runs.items()}
    for name, used in runs.items():
        print(f"{name:<15}{medians[name] / MiB:6.2f} MiB (of {options.runs}:"
              f" {min(used) / MiB:.2f} to {max(used) / MiB:.2f})")
    share = medians["leaksim"] / medians["memory_leak.py"]
    print(f"leaksim takes {100 * share:.0f} % of it, allowed 25 %")
    return int(share > 0.25)


if __name__ == "__main__":
    sys.exit(main())
