"""What a program costs that watches while nothing happens: alone in a memory cgroup, over a span of time."""

import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "bench")]
from cgroup import IS_V1, Cgroup  # noqa: E402
from debian_binary import debian_binary  # noqa: E402

MIB = 1 << 20
SETTLE_S = SPAN_S = 5


class Watched:
    """In a cgroup of 64 MiB."""

    def __init__(self, name, command):
        self.name = name
        self.cgroup = Cgroup(64 * MIB, name.replace(" ", "-"))
        self.process = self.cgroup.start(command, subprocess.DEVNULL)

    def read(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}").read_text()

    def cpu_ns(self):
        """The scheduler's own sum."""
        return int(self.read("schedstat").split()[0])

    def faults(self):
        fields = self.read("stat").rpartition(")")[2].split()
        return int(fields[7]) + int(fields[9])

    def begin(self):
        self.fault, self.cpu = self.faults(), []
        self.span()

    def span(self):
        if self.process.poll() is not None:
            sys.exit(f"probe: {self.name} has ended with {self.process.returncode}")
        self.cpu.append((time.monotonic(), self.cpu_ns()))

    def end(self):
        """MiB charged, of it anonymous, RSS; percent of a core in each span; page faults."""
        stat = dict(line.split() for line in (self.cgroup.path / "memory.stat").read_text().splitlines())
        memory = dict(line.split(":", 1) for line in self.read("status").splitlines() if ":" in line)
        return {"charged": self.cgroup.used() / MIB, "anon": int(stat["rss" if IS_V1 else "anon"]) / MIB,
                "rss": int(memory["VmRSS"].split()[0]) / 1024, "faults": self.faults() - self.fault,
                "cpu": [(ns - ns_before) / 1e7 / (at - before) for (before, ns_before), (at, ns) in itertools.pairwise(self.cpu)]}

    def remove(self):
        self.process.kill()
        self.process.wait()
        self.cgroup.remove()


def earlyoom():
    """RuntimeError: it cannot be had."""
    return [debian_binary("earlyoom", "/usr/bin/earlyoom"), "--dryrun"]


def side_by_side(oomprobe, beside, spans):
    """name → what each cost, in the same spans, the probe at one look a second; `beside`: name → command."""
    with tempfile.TemporaryDirectory() as folder:
        # As it is installed.
        probe = shutil.copy(oomprobe, folder)
        subprocess.run(["strip", probe], check=True)
        commands = {f"oomprobe {form}": [probe, "watch", "--format", form, "--interval", "1s"] for form in ("json", "emf")}
        commands |= beside
        watched = []
        try:
            for name, command in commands.items():
                watched.append(Watched(name, command))
                # Each wakes in its own part of the second: who comes after another finds the kernel's files in the CPU's cache.
                time.sleep(1 + 1 / len(commands))
            time.sleep(SETTLE_S)
            for each in watched:
                each.begin()
            for _ in range(spans):
                time.sleep(SPAN_S)
                for each in watched:
                    each.span()
            return {each.name: each.end() for each in watched}
        finally:
            for each in watched:
                each.remove()
