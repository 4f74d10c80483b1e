import copy
import json
import os
import subprocess
from pathlib import Path

import pytest
from account import HERE, IMAGE, PATIENCE_S, REGION, ROOT, SCRIPTS, Account, Stack  # noqa: F401
from harness import MODULE, Root, Stub, copy_of, of_type  # noqa: F401
from incidents import WELL

IS_V1 = Path("/sys/fs/cgroup/memory/memory.usage_in_bytes").exists()


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    made = Account(tmp_path_factory.mktemp("account"))
    try:
        yield made
        refused = made.control("look", since=1 << 40)["refused"]
    finally:
        made.end()
    assert not refused, f"requests that AWS's service models refuse: {refused}"


@pytest.fixture(autouse=True)
def no_faults_are_left(request):
    yield
    if "account" in request.fixturenames:
        request.getfixturevalue("account").control("clear")


@pytest.fixture(scope="session")
def network(account):
    return account.network()


@pytest.fixture(scope="session")
def stub(tmp_path_factory):
    served = Stub(tmp_path_factory.mktemp("stub"))
    yield served
    served.stop()


@pytest.fixture(scope="session")
def applied(account, stub, network, tmp_path_factory):
    """applied(name) -> the stack and its state's values."""

    def apply(name):
        stack = Stack(account, stub, tmp_path_factory.mktemp(name), network)
        stack.root.init()
        return stack, stack.root.apply(image=IMAGE, name=name)["values"]

    return apply


@pytest.fixture(scope="session")
def idle(applied):
    """A service without tasks, for drills beside it; the probe looks every 100 ms, so that a drill may be short."""
    stack, values = applied("shop")
    return stack.make(values, {"OOMPROBE_INTERVAL": "100ms", "LEAKSIM_RATE": "160MB/s"}, desired=0, stop_timeout=2)


@pytest.fixture(scope="session")
def module(stub, tmp_path_factory):
    return Root(stub, copy_of(MODULE, tmp_path_factory.mktemp("module") / "root")).init()


@pytest.fixture(scope="session")
def market(account, applied):
    """market(name) -> a service of its own with one task that is well."""
    base, values = applied("market")
    base.make(values, WELL, desired=0, stop_timeout=2)
    base.values = values

    def put(name):
        return copy.copy(base).make(values, WELL, stop_timeout=2, name=name)

    return put


# Commands that bring each kind of end about; the rate and the probe's interval are those of `idle`.
WORKERS = "leaksim --rate 320MB/s --format json; echo the worker ended with $?; sleep 1; exit 0"
STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"
DRILLS = {
    "leak": ([], "oom-kill"),
    "burst": (["--pattern", "burst:size=96MiB,interval=800ms"], "burst"),
    "one-burst": (["--pattern", "burst:size=600MiB,interval=2s"], "burst"),
    "fragment": (["--pattern", "fragment:rate=160MB/s"], "oom-kill"),
    "worker": (["--command", WORKERS], "worker-oom-kill"),
    "kill": (["--command", "sleep 1; kill -9 $$"], "sigkill-outside"),
    "stop": (["--command", STUBBORN, "--timeout", "2s"], "healthy"),
    "plateau": (["--rate", "320MB/s", "--until", "85%", "--hold", "--timeout", "10s"], "plateau"),
    "low": (["--rate", "320MB/s", "--until", "30%", "--hold", "--timeout", "6s"], "healthy"),
    "slow-leak": (["--rate", "4MB/s", "--timeout", "6s"], "slow-leak"),
    "exit": (["--command", "sleep 1; exit 3"], "ended"),
}


@pytest.fixture(scope="session")
def drilled(account, idle):
    """drilled(name) -> what the drill command told, once for all tests."""
    done = {}

    def run(name):
        if name not in done:
            words, kind = DRILLS[name]
            done[name] = account.json("drill", *words, *idle.where, "--yes", "--poll", "2s", "--expect", kind)
        return done[name]

    return run


def recorded(folder, options, end, name="drill.jsonl", interval="50ms"):
    """The recording of a real drill in the container's 480 MiB."""
    for _ in range(3):  # on a machine that is short of CPU the kernel may take the witness too; the verdict says so
        done = subprocess.run(
            [Path(os.environ["OOMDRILL_BIN"]) / "oomdrill", "run", "-q", "-m", "480MiB", "--interval", interval, "--engine", "cgroup",
             "--expect", end, "-o", name, *options], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if done.returncode == 0:
            return folder / name
    raise AssertionError(done.stdout + done.stderr)


def evaluate(plan, recording, *options, code=0):
    done = subprocess.run([Path(os.environ["OOMDRILL_BIN"]) / "oomdrill", "evaluate", "--alarms", plan, "--format", "json", *options, recording],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def plan(stub, tmp_path_factory):
    """`terraform show -json` of the Fargate example's plan, the guide's alarms beside ours."""
    folder = tmp_path_factory.mktemp("plan")
    root = Root(stub, copy_of(MODULE, folder / "tree") / "examples" / "fargate").init()
    path = folder / "plan.json"
    path.write_text(json.dumps(root.plan(image=IMAGE)))
    return path


@pytest.fixture
def evaluable(plan):
    """evaluable(folder): a plan and a recording there, for the docs."""

    def put(folder):
        (folder / "plan.json").write_bytes(plan.read_bytes())
        recorded(folder, ["--", "--rate", "40MB/s"], "oom_killed", "leak.jsonl")

    return put
