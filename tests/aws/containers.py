"""Containers of the stand-in: the command of a task definition, in real memory cgroups, one for the task and one below it
for the container, with their real limits. Needs root."""

import os
import signal
import subprocess
import time
from pathlib import Path

MEMORY = Path("/sys/fs/cgroup/memory")
IS_V1 = (MEMORY / "memory.usage_in_bytes").exists()
ROOT = MEMORY if IS_V1 else Path("/sys/fs/cgroup")
LIMIT = "memory.limit_in_bytes" if IS_V1 else "memory.max"
NO_SWAP = ("memory.swappiness", "0") if IS_V1 else ("memory.swap.max", "0")
PATIENCE_S = 30


def own_cgroup():
    """Below the tests' own cgroup, where oomdrill makes its own too."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == ("memory" if IS_V1 else ""):
            found = ROOT / path.lstrip("/")
            return found if IS_V1 and found.is_dir() else ROOT
    return ROOT


class Container:
    def __init__(self, name, command, environment, limit_mib, task_limit_mib):
        self.task_cgroup = own_cgroup() / f"oomdrill-aws-{name}"
        self.cgroup = self.task_cgroup / "app"
        self.task_cgroup.mkdir()
        if not IS_V1:
            (self.task_cgroup / "cgroup.subtree_control").write_text("+memory")
        self.cgroup.mkdir()
        for folder, mib in ((self.task_cgroup, task_limit_mib), (self.cgroup, limit_mib)):
            file, value = NO_SWAP
            if (folder / file).exists():
                (folder / file).write_text(value)
            if mib:
                (folder / LIMIT).write_text(str(int(mib) << 20))
        self.stop_requested = False
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: (self.cgroup / "cgroup.procs").write_text(str(os.getpid())), start_new_session=True)

    def oom_kills(self):
        """Counted from outside, as Docker does."""
        file = self.cgroup / ("memory.oom_control" if IS_V1 else "memory.events")
        counters = dict(line.split() for line in file.read_text().splitlines())
        return int(counters.get("oom_kill", 0))

    def pids(self):
        try:
            return [int(pid) for pid in (self.cgroup / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def stop(self, timeout):
        """SIGTERM to the first process, SIGKILL to all after the timeout, as the ECS agent does."""
        self.stop_requested = True
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def exit_code(self):
        code = self.process.wait()
        return 128 - code if code < 0 else code

    def remove(self):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.kill()
            try:
                self.cgroup.rmdir()
                self.task_cgroup.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
