"""Containers of the stand-in: the commands of a task definition, in real memory cgroups with their real limits, one for the
task and one below it for each container, laid out and named as the ECS agent does. With pidMode `task` the containers see one
another's processes, and each its own cgroup, as on ECS. Needs root."""

import hashlib
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
# What a container engine does for a container that shares its task's pid namespace.
ENTER = 'mount -t proc proc /proc && mount --bind "$0" "$1" && shift && exec "$@"'


def own_cgroup():
    """Below the tests' own cgroup, where oomdrill makes its own too."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == ("memory" if IS_V1 else ""):
            found = ROOT / path.lstrip("/")
            return found if IS_V1 and found.is_dir() else ROOT
    return ROOT


def made(folder, mib=None):
    """A cgroup with its limit; its parents, if need be, without one."""
    if not folder.parent.exists():
        made(folder.parent)
    if not IS_V1:
        (folder.parent / "cgroup.subtree_control").write_text("+memory")
    folder.mkdir(exist_ok=True)
    file, value = NO_SWAP
    if (folder / file).exists():
        (folder / file).write_text(value)
    if mib:
        (folder / LIMIT).write_text(str(int(mib) << 20))
    return folder


def gone(folder):
    """Removes a cgroup, with what still runs in it."""
    deadline = time.monotonic() + PATIENCE_S
    while folder.exists():
        for pid in pids_of(folder):
            kill(pid, signal.SIGKILL)
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def pids_of(cgroup):
    try:
        return [int(pid) for pid in (cgroup / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Pod:
    """What the containers of a task share: its cgroup, and with `shares_pids` a pid namespace."""

    ALL = own_cgroup() / f"oomdrill-aws-{os.getpid()}"

    def __init__(self, name, limit_mib, shares_pids):
        self.cgroup, self.pause = made(self.ALL / "ecs" / name, limit_mib), None
        if shares_pids:
            # As the agent's pause container: PID 1 of the namespace, in a cgroup of its own.
            self.pause_cgroup = made(self.cgroup / docker_id(name, "pause"))
            self.pause = started(["unshare", "--pid", "--fork", "--kill-child", "sleep", "infinity"], self.pause_cgroup, os.environ)

    def pid(self):
        """Of the namespace's PID 1."""
        return first_child(self.pause.pid)

    def remove(self):
        if self.pause:
            self.pause.kill()
            self.pause.wait()
            gone(self.pause_cgroup)
        gone(self.cgroup)

    @classmethod
    def remove_all(cls):
        for folder in (cls.ALL / "ecs", cls.ALL):
            gone(folder)


def docker_id(task, container):
    return hashlib.sha256(f"{task}/{container}".encode()).hexdigest()


def started(command, cgroup, environment, **more):
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
                            preexec_fn=lambda: (cgroup / "cgroup.procs").write_text(str(os.getpid())), **more)


def first_child(pid):
    deadline = time.monotonic() + PATIENCE_S
    while True:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {pid} starts none")
        time.sleep(0.01)


class Container:
    def __init__(self, pod, docker, command, environment, limit_mib):
        self.cgroup = made(pod.cgroup / docker, limit_mib)
        self.is_entered = pod.pause is not None
        if self.is_entered:
            command = ["nsenter", "--target", str(pod.pid()), "--pid", "unshare", "--mount", "--propagation", "private",
                       "sh", "-c", ENTER, str(self.cgroup), str(ROOT), *command]
        self.process = started(command, self.cgroup, environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def oom_kills(self):
        """Counted from outside, as Docker does."""
        file = self.cgroup / ("memory.oom_control" if IS_V1 else "memory.events")
        counters = dict(line.split() for line in file.read_text().splitlines())
        return int(counters.get("oom_kill", 0))

    def main(self):
        """Pid of the container's first process."""
        return first_child(self.process.pid) if self.is_entered else self.process.pid

    def pids(self):
        return pids_of(self.cgroup)

    def stop(self, timeout):
        """SIGTERM to the first process, SIGKILL to all after the timeout, as the ECS agent does."""
        if self.process.poll() is None:
            kill(self.main(), signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        for pid in self.pids():
            kill(pid, signal.SIGKILL)

    def exit_code(self):
        code = self.process.wait()
        return 128 - code if code < 0 else code

    def remove(self):
        gone(self.cgroup)
