import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from docker import ROOT, VERSION, docker  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def engine_is_the_one_asked_for():
    assert VERSION in ("1", "2"), "run tests/container/run v1|v2, which sets CGROUP_VERSION"
    assert docker("info", "-f", "{{.CgroupVersion}}").stdout.strip() == VERSION


def pytest_terminal_summary(terminalreporter):
    ran = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    if any("test_confusion_matrix" in report.nodeid for report in ran):
        for table in ROOT.glob(f"build/logs/probe-matrix-v{VERSION}.txt"):
            terminalreporter.write_line(table.read_text("utf-8"))
