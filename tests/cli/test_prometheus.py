"""What Prometheus gets, checked by its own promtool."""

import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import BIN, CLEAN, TIMEOUT, require, wait_until


sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from debian_binary import debian_binary  # noqa: E402


@pytest.fixture(scope="session")
def promtool():
    try:
        return debian_binary("prometheus", "/usr/bin/promtool")
    except RuntimeError as why:
        require(False, str(why), "apt-get install prometheus")


def check(promtool, text):
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr + text
    assert "oomprobe_memory_used_bytes " in text


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_at_a_port(promtool):
    port = free_port()
    with subprocess.Popen([BIN / "oomprobe", "run", "--prometheus", f"127.0.0.1:{port}", "--", "sleep", "600"],
                          env=CLEAN, stdout=subprocess.PIPE) as probe:
        try:
            assert any(b"workload.started" in line for line in probe.stdout)
            for _ in range(3):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT) as answer:
                    check(promtool, answer.read().decode())
        finally:
            probe.send_signal(signal.SIGTERM)


def test_in_a_file(promtool, tmp_path):
    file = tmp_path / "oomprobe.prom"
    with subprocess.Popen([BIN / "oomprobe", "run", "--interval", "50ms", "--prometheus", file, "--", "sh", "-c",
                           "read line; exit 3"], env=CLEAN, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as probe:
        wait_until(lambda: file.exists() and file.stat().st_size > 0, "the first figures")
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            check(promtool, file.read_text())
        probe.communicate(b"\n")
    assert probe.returncode == 3
    text = file.read_text()
    check(promtool, text)
    assert 'oomprobe_workload_exit_code{verdict="failed"} 3\n' in text
    assert [each.name for each in tmp_path.iterdir()] == ["oomprobe.prom"]
