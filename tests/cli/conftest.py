"""The programs as a user runs them. OOMDRILL_BIN is the folder that they are in."""

import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import termios
import time
import uuid

import pytest

BIN = pathlib.Path(os.environ.get("OOMDRILL_BIN", ""))
MEMORY = pathlib.Path("/sys/fs/cgroup/memory")
IS_V1 = (MEMORY / "memory.usage_in_bytes").exists()
ROOT = MEMORY if IS_V1 else pathlib.Path("/sys/fs/cgroup")
TIMEOUT = 120
# The tests' own settings must not reach the programs.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("LEAKSIM_", "OOMPROBE_", "OOMDRILL_", "ECS_"))
}


def require(condition, reason, remedy):
    """A skip that says why; in CI, whose machine has everything, a failure."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; {remedy} (a skip is a failure in CI)")
    pytest.skip(f"{reason}; {remedy}")


def run(program, *arguments, env=None, **options):
    """One program to its end; its output is bytes where text=False."""
    options.setdefault("text", True)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [BIN / program, *arguments],
        env={**CLEAN, **(env or {})},
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        **options,
    )


def run_on_terminal(program, *arguments, **options):
    """One program to its end on a terminal of 120 columns: its exit code and all that it wrote."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    with subprocess.Popen([BIN / program, *arguments], env=CLEAN, stdin=follower, stdout=follower,
                          stderr=follower, **options) as process:
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], TIMEOUT)[0]:
            try:
                piece = os.read(leader, 4096)
            except OSError:  # EIO: nobody has the terminal any more
                break
            shown += piece
        os.close(leader)
    return process.returncode, shown.decode()


def rows(shown):
    """What stays on the screen: of each line what was written after the last return in it."""
    return [re.split(r"\r(?:\x1b\[K)?", line)[-1] for line in shown.replace("\r\n", "\n").split("\n")]


def wait_until(condition, what):
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


class Cgroup:
    """A memory cgroup of a test."""

    def __init__(self, limit=None):
        if not IS_V1 and "memory" not in (ROOT / "cgroup.subtree_control").read_text().split():
            (ROOT / "cgroup.subtree_control").write_text("+memory")
        self.path = ROOT / f"oomdrill-cli-{uuid.uuid4().hex[:8]}"
        self.path.mkdir()
        if limit is not None:
            (self.path / ("memory.limit_in_bytes" if IS_V1 else "memory.max")).write_text(str(limit))

    def enter(self):
        """For preexec_fn."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self):
        return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]

    def remove(self):
        def gone():
            for pid in self.pids():
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            try:
                self.path.rmdir()
                return True
            except OSError:
                return False

        wait_until(gone, f"{self.path} is busy")


@pytest.fixture
def make_cgroup():
    require(os.geteuid() == 0, "needs a memory cgroup of its own", "run the tests as root")
    made = []

    def make(limit=None):
        made.append(Cgroup(limit))
        return made[-1]

    yield make
    for cgroup in made:
        cgroup.remove()


@pytest.fixture(scope="session", autouse=True)
def programs():
    for name in ("leaksim", "oomprobe", "oomdrill"):
        assert os.access(BIN / name, os.X_OK), f"{BIN / name}: set OOMDRILL_BIN to <build>/bin"
