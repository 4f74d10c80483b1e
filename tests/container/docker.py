"""The engine under test, through its command line: what a user has."""

import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from validate_events import Validator, check_stream  # noqa: E402

CLIENT = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else "docker"
VERSION = os.environ.get("CGROUP_VERSION", "")
# In the VM a network namespace of its own costs a container three seconds; nothing is reachable
# from there anyway.
NETWORK = "host" if VERSION == "2" else "none"
# TCG is an order of magnitude slower than the machine it runs on.
PATIENCE_S = 300


def docker(*arguments, check=True, timeout=PATIENCE_S):
    done = subprocess.run([CLIENT, *arguments], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done


def on_machine(*command):
    """Runs a command as root on the machine that the engine runs on (host namespaces)."""
    if VERSION == "2":
        command = [str(ROOT / "tests/vm/engine"), "exec", "--", *command]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout


@dataclass
class Ended:
    """A container that ended: what docker says and what the probe said."""

    code: int
    oom_killed: bool
    stdout: str
    stderr: str
    events: list = field(default_factory=list)

    def all(self, name):
        return [event for event in self.events if event["event"] == name]

    def one(self, name):
        found = self.all(name)
        assert len(found) == 1, f"{len(found)} {name} in:\n{self.stdout}\n{self.stderr}"
        return found[0]


def events_in(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"event"')]


class Container:
    """`docker run -d` with the given arguments; removed at the end of the `with` block."""

    def __init__(self, *arguments):
        self.name = "oomdrill-test-" + uuid.uuid4().hex[:12]
        docker("run", "-d", "--network", NETWORK, "--name", self.name, *arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        docker("rm", "-f", self.name, check=False)

    def logs(self):
        done = docker("logs", self.name)
        return done.stdout, done.stderr

    def state(self):
        return json.loads(docker("inspect", "-f", "{{json .State}}", self.name).stdout)

    def wait_for(self, event, count=1):
        """Until the event stands in the log; the events so far."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            seen = events_in(self.logs()[0])
            if sum(1 for e in seen if e["event"] == event) >= count:
                return seen
            if not self.state()["Running"]:
                break
            time.sleep(0.2)
        raise AssertionError(f"no {event} in:\n" + "\n".join(self.logs()))

    def ended(self):
        """Waits for the end; every line that the probe wrote is checked against the schema."""
        docker("wait", self.name)
        state = self.state()
        stdout, stderr = self.logs()
        lines = stdout.encode().splitlines(keepends=True)
        wrong = [found for found in check_stream(lines, Validator(), foreign=True) if found[0]]
        assert not wrong, wrong
        return Ended(state["ExitCode"], state["OOMKilled"], stdout, stderr, events_in(stdout))
