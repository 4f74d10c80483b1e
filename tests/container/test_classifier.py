"""Leak or not, on a real kernel: leaksim's patterns, and programs that do not leak, told apart by `oomdrill trend`."""

import collections
import json
import subprocess
from dataclasses import dataclass

import pytest
from docker import CLIENT, NETWORK, PATIENCE_S, VERSION, Container

# TCG is slow: a sample costs it more than it costs the machine.
INTERVAL = {"1": "100ms", "2": "250ms"}.get(VERSION)
COMPILE = r"""
cd /tmp && i=0
while [ $i -lt 4000 ]; do echo "int f$i(int a) { int b[4] = {a, $i, 3, 4}; for (int k = 0; k < 4; ++k) a += b[k] * k; return a; }"; i=$((i + 1)); done > a.c
end=$(($(date +%s) + 10)); while [ $(date +%s) -lt $end ]; do tcc -c a.c -o a.o; done
"""
REDIS = r"""
redis-server --port 0 --unixsocket /tmp/s --save '' --appendonly no --loglevel warning >/dev/null & server=$!
until redis-cli -s /tmp/s ping >/dev/null 2>&1; do sleep 0.2; done
load() { redis-benchmark -s /tmp/s -q -n 5000 -r 1000 -d 512 -P 16 -t set,get >/dev/null; }
# From when it is full: emulated and beside others that took most of ten seconds, and was told as growth.
load; end=$(($(date +%s) + 12))
while [ $(date +%s) -lt $end ]; do load; done
kill $server; wait $server
"""
COPY = r"""
head -c 150000000 /dev/zero > /tmp/from
for i in 1 2 3; do cp /tmp/from /tmp/to; sync; sleep 1; done
"""


@dataclass
class Case:
    limit: str
    command: list
    patterns: set  # more than one: what the curve shows depends on where it ends


def leaksim(*options):
    return ["leaksim", *options]


NO_LEAK = {"plateau", "page_cache"}
LEAKS = {
    "linear to the kill": Case("64m", leaksim("--rate", "4MB/s"), {"steady"}),
    "linear, slow": Case("64m", leaksim("--rate", "1MB/s", "--duration", "12s"), {"steady"}),
    "burst": Case("96m", leaksim("--pattern", "burst:size=12MiB,interval=2s", "--duration", "12s"), {"burst"}),
    "sawtooth": Case("96m", leaksim("--pattern", "sawtooth:rate=8MB/s,grow=8MiB,leak=2MiB", "--duration", "20s"), {"sawtooth", "steady"}),
    "fragment": Case("128m", leaksim("--pattern", "fragment", "--rate", "5MB/s", "--max-bytes", "60MiB"),
                     {"fragmentation"}),
}
OTHERS = {
    "held at half": Case("64m", leaksim("--rate", "20MB/s", "--until", "50%", "--then", "hold", "--duration", "10s"), NO_LEAK),
    "page cache alone": Case("64m", leaksim("--kind", "file", "--rate", "8MB/s", "--duration", "10s"), NO_LEAK),
    "a compile": Case("256m", ["sh", "-c", COMPILE], NO_LEAK),
    "redis under load": Case("128m", ["sh", "-c", REDIS], NO_LEAK),
    "a file copy": Case("64m", ["sh", "-c", COPY], NO_LEAK),
    "sleep": Case("32m", ["sleep", "8"], NO_LEAK),
}
CASES = {**LEAKS, **OTHERS}
seen = collections.Counter()


@pytest.fixture(scope="module", autouse=True)
def matrix(request):
    """Printed whatever comes out: what it is called, by what it is."""
    yield
    columns = sorted({pattern for _, pattern in seen})
    lines = ["", f"cgroup v{VERSION}".ljust(20) + "".join(column.rjust(15) for column in columns)]
    for case in CASES:
        if any(name == case for name, _ in seen):
            lines.append(case.ljust(20) + "".join(str(seen[case, column] or ".").rjust(15) for column in columns))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n".join(lines), flush=True)


@pytest.mark.parametrize("name", CASES)
def test_a_leak_is_told_from_what_is_none(name):
    case = CASES[name]
    with Container("--user", "0", "--memory", case.limit, "--memory-swap", case.limit, "oomdrill-services", "oomprobe", "run",
                   "--format", "json", "--interval", INTERVAL, "--", *case.command) as container:
        recording = container.ended().stdout
    asked = subprocess.run([CLIENT, "run", "--rm", "-i", "--network", NETWORK, "oomdrill", "oomdrill", "trend", "--format", "json", "-"],
                           input=recording, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert asked.returncode == 0, asked.stderr
    runs = json.loads(asked.stdout)["runs"]
    assert len(runs) == 1, runs
    seen[name, runs[0]["pattern"]] += 1
    assert runs[0]["pattern"] in case.patterns, runs[0]["why"] + "\n" + recording[-6000:]
    assert runs[0]["leak"] == (name in LEAKS)
