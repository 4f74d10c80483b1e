"""A memory cgroup for one child at a time, v1 or v2. Needs root."""

import os
import pathlib
import re
import subprocess
import sys
import time

V1 = pathlib.Path("/sys/fs/cgroup/memory")
IS_V1 = (V1 / "memory.usage_in_bytes").exists()
ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


class Cgroup:
    """One that limits to `limit` bytes, without swap."""

    def __init__(self, limit, name="fill"):
        parent = V1 if IS_V1 else pathlib.Path("/sys/fs/cgroup")
        if not IS_V1 and "memory" not in (parent / "cgroup.subtree_control").read_text().split():
            (parent / "cgroup.subtree_control").write_text("+memory")
        self.path = parent / f"oomdrill-bench-{os.getpid()}-{name}"
        self.path.mkdir()
        self._set("memory.limit_in_bytes" if IS_V1 else "memory.max", limit)
        self._set("memory.memsw.limit_in_bytes" if IS_V1 else "memory.swap.max", limit if IS_V1 else 0)
        self.usage = self.path / ("memory.usage_in_bytes" if IS_V1 else "memory.current")

    def _set(self, file, value):
        if (self.path / file).exists():
            (self.path / file).write_text(str(value))

    def used(self):
        return int(self.usage.read_text())

    def oom_kills(self):
        text = (self.path / ("memory.oom_control" if IS_V1 else "memory.events")).read_text()
        return int(re.search(r"^oom_kill (\d+)", text, re.MULTILINE)[1])

    def start(self, command, out=subprocess.PIPE, env=None):
        """`out`: for both of its outputs."""
        return subprocess.Popen(["/bin/sh", "-c", ENTER, str(self.path), *map(str, command)], stdin=subprocess.DEVNULL,
                                stdout=out, stderr=out, text=True, env=env)

    def run(self, command):
        child = self.start(command)
        out, err = child.communicate()
        if child.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}: exit code {child.returncode}: {err.strip()}")
        return out

    def remove(self):
        for _ in range(100):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()
