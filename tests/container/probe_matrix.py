#!/usr/bin/python3
"""Drives every verdict of `oomprobe run` in the memory cgroup that this runs in, in varied order, and
prints truth against verdict. Needs a limit of 64 MiB or so, a Python, and nothing else:

    probe_matrix.py OOMPROBE [ROUNDS]

The last line is JSON: what a test reads. Exit: 0 all as it should be, 1 not, 64 usage."""

import json
import random
import signal
import subprocess
import sys
import time

# 98 % of an address space of 1 GiB, then one request too many.
ABORT = ("import mmap, os, resource, time\n"
         "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
         "used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
         "held = mmap.mmap(-1, (1 << 30) * 98 // 100 - used)\n"
         "time.sleep(0.5)\n"
         "try: bytearray(1 << 29)\n"
         "except MemoryError: os.abort()\n")
LOOP = "echo ready; while :; do sleep 0.02; done"
# Two workers die in one look; a worker dies and its parent lives on.
WORKERS = "tail /dev/zero; tail /dev/zero; sleep 0.4; exit 0"
WORKER = "tail /dev/zero; sleep 0.4; exit 0"

# name, options, command, signal after "ready", verdict, OOM kills, victim's name where it must be known
SCENARIOS = [
    ("completed", [], ["true"], None, "completed", 0, None),
    ("plain failure", [], ["sh", "-c", "exit 3"], None, "failed", 0, None),
    ("crash", [], ["sh", "-c", "kill -SEGV $$"], None, "crashed", 0, None),
    ("external SIGKILL", [], ["sh", "-c", "kill -KILL $$"], None, "killed", 0, None),
    ("SIGTERM obeyed", [], ["sh", "-c", "trap 'exit 0' TERM; " + LOOP], signal.SIGTERM, "stopped", 0, None),
    ("stop timeout", ["--kill-after", "100ms"], ["sh", "-c", "trap '' TERM; " + LOOP], signal.SIGTERM,
     "stop_timeout", 0, None),
    ("own limit", [], ["tail", "/dev/zero"], None, "oom_killed", 1, "tail"),
    ("worker killed", [], ["sh", "-c", WORKER], None, "completed", 1, None),
    ("two workers killed", [], ["sh", "-c", WORKERS], None, "completed", 2, None),
    ("allocator failure", ["--interval", "100ms"], [sys.executable, "-c", ABORT], None,
     "allocation_failed", 0, None),
]


def run(probe, scenario):
    _, options, command, number, *_ = scenario
    process = subprocess.Popen([probe, "run", "--format", "json", *options, "--", *command],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    if number is not None:
        for line in process.stdout:
            lines.append(line)
            if line == "ready\n":
                process.send_signal(number)
                break
    out, err = process.communicate(timeout=120)
    events = [json.loads(line) for line in (*lines, *out.splitlines()) if line.startswith('{"event"')]
    return process.returncode, events, err


def judge(scenario, code, events):
    """What the probe said, and what is wrong with it."""
    _, _, _, _, verdict, kills, victim = scenario
    exited = [e for e in events if e["event"] == "workload.exited"]
    told = [e for e in events if e["event"] == "memory.oom_kill"]
    if len(exited) != 1:
        return "lost", [f"{len(exited)} workload.exited, exit code {code}"]
    said, confidence = exited[0]["verdict"], exited[0]["confidence"]
    wrong = []
    if said != verdict:
        wrong.append(f"says {said} ({confidence})")
    if sum(e["kills"] for e in told) != kills:
        wrong.append(f"tells {sum(e['kills'] for e in told)} kills of {kills}")
    if code != exited[0]["exit_code"]:
        wrong.append(f"exits {code}, announced {exited[0]['exit_code']}")
    if victim and (told[0]["victim"] or {}).get("name") != victim:
        wrong.append(f"names {told[0]['victim']}")
    if any(e["scope"] != "own_limit" for e in told):
        wrong.append("scope " + ", ".join(e["scope"] for e in told))
    return f"{said} ({confidence})", wrong


def main(arguments):
    if not 2 <= len(arguments) <= 3:
        print(__doc__, file=sys.stderr)
        return 64
    probe, rounds = arguments[1], int(arguments[2]) if len(arguments) > 2 else 20
    # The kernel must take the workloads, as it would where this is no part of the picture.
    order = [i for i in range(len(SCENARIOS)) for _ in range(rounds)]
    random.Random(4).shuffle(order)
    table, problems, named = {}, [], 0
    start = time.monotonic()
    for i in order:
        scenario = SCENARIOS[i]
        code, events, err = run(probe, scenario)
        said, wrong = judge(scenario, code, events)
        table.setdefault(scenario[0], {}).setdefault(said, 0)
        table[scenario[0]][said] += 1
        problems += [f"{scenario[0]}: {what} {err.strip()}" for what in wrong]
        if scenario[0] == "worker killed":
            named += sum(1 for e in events if e["event"] == "memory.oom_kill" and e["victim"])
    for name, row in table.items():
        print(f"{name:20}" + ", ".join(f"{count} x {said}" for said, count in sorted(row.items())))
    print(f"{len(order)} runs in {time.monotonic() - start:.0f} s; {named} of {rounds} workers that a shell "
          f"reaped were named; {len(problems)} problems")
    print(json.dumps({"runs": len(order), "table": table, "problems": problems}))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
