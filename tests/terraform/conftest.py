import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from harness import GUIDE, MODULE, NEEDED, Root, Stub, check_tools, copy_of  # noqa: E402


@pytest.fixture(scope="session")
def stub(tmp_path_factory):
    check_tools()
    served = Stub(tmp_path_factory.mktemp("stub"))
    yield served
    served.stop()


@pytest.fixture(scope="session")
def module(stub, tmp_path_factory):
    """The module as a root, for plans."""
    return Root(stub, copy_of(MODULE, tmp_path_factory.mktemp("module") / "root")).init()


@pytest.fixture(scope="session")
def guide(stub, tmp_path_factory):
    """The guide's own HCL as a root."""
    directory = tmp_path_factory.mktemp("guide")
    (directory / "main.tf").write_text(GUIDE.read_text())
    return Root(stub, directory).init()


# What is applied against the stub, and looked at by many tests: name -> (folder, variables).
APPLIED = {
    "fargate": ("examples/fargate", {"image": NEEDED["image"], "fis": True, "notification_emails": ["a@example.org"]}),
    "ec2": ("examples/ec2", {"image": NEEDED["image"], "subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]}),
    "full": (
        ".",
        {
            **NEEDED,
            "name": "full",
            "tags": {"Team": "memory"},
            "guide_alarms": True,
            "fis": True,
            "fis_stop_alarm_arn": "arn:aws:cloudwatch:xx-test-1:123456789012:alarm:stop",
            "notification_emails": ["a@example.org", "b@example.org"],
            "leaksim": {"rate": "2MB/s", "max-bytes": "100MiB"},
            "oomprobe": {"interval": "1s"},
            "environment": {"EXTRA": "1"},
            "probe_mode": "sidecar",
            "probe_image": "123456789012.dkr.ecr.xx-test-1.amazonaws.com/probe:1",
            "restart_policy": {},
            "container_memory_reservation": 128,
            "log_kms_key_arn": "arn:aws:kms:xx-test-1:123456789012:key/00000000-0000-0000-0000-000000000000",
            "notify_each": True,
        },
    ),
}


@pytest.fixture(scope="session")
def applied(stub, tmp_path_factory):
    """applied("full") -> the root and the state's values; computed attributes are made up."""
    done = {}

    def apply(name):
        if name not in done:
            folder, variables = APPLIED[name]
            root = Root(stub, copy_of(MODULE, tmp_path_factory.mktemp(name) / "tree") / folder).init()
            done[name] = (root, root.apply(**variables)["values"])
        return done[name]

    return apply
