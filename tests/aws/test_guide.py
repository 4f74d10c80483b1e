"""The guide from its start to its end through the scripts: real aws CLI, real terraform, real containers that the kernel
kills; AWS itself is the stand-in. docs/guide-transcript.md is what this test saw; OOMDRILL_WRITE_DOCS=1 writes it anew."""

import json
import os
import re

from conftest import ROOT, Stack, of_type

TRANSCRIPT = ROOT / "docs" / "guide-transcript.md"
HEAD = """# The guide, played through

What `tests/aws/test_guide.py` saw when it was last written (`OOMDRILL_WRITE_DOCS=1 tests/aws/run test_guide.py`); every run
compares its commands and the labels of their answers with what is here. The aws CLI, Terraform, the containers, their limits and their OOM kills
are real. AWS is a stand-in (`tests/aws/standin.py`), `docker build` and `push` are only recorded, and the service leaks 80 MB/s in
place of the guide's 1 MB/s: it needs 600 MiB, and has 480.
"""
DOCKER = """#!/bin/sh
[ "$1" = login ] && cat >/dev/null
[ "$1 $2" = "buildx version" ] && exit 0
echo "docker $*" >> "$DOCKER_CALLS"
"""
# What differs from run to run.
VOLATILE = [
    (r"\b[0-9a-f]{32}\b", "TASK"), (r"\b(?=\d*[a-f])[0-9a-f]{8}\b", "TASK"), (r"\d{2}:\d{2}:\d{2}", "hh:mm:ss"), (r"/tmp/\S*/examples/fargate", "deploy/terraform/examples/fargate"),
    (r"http://127\.0\.0\.1:\d+", "ENDPOINT"), (r"ecs-svc/\d+", "ecs-svc/…"), (r"oomdrill:[0-9a-f]{7,40}(-dirty)?\b", "oomdrill:COMMIT"),
    (r"\d{4}-\d{2}-\d{2}", "DATE"),
]


class Player:
    def __init__(self, account, stack, folder, environment):
        self.account, self.stack, self.folder, self.environment = account, stack, folder, environment
        self.parts = [HEAD]

    def say(self, text):
        self.parts.append(text)

    def run(self, name, *words, code=0):
        done = self.account.script(name, *words, env=self.environment, cwd=self.folder)
        assert done.returncode == code, f"{name} {words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        text = done.stdout
        for pattern, plain in VOLATILE:
            text = re.sub(pattern, plain, text)
        shown = " ".join(word if re.fullmatch(r"[\w.:=,%/-]+", word) else f"'{word}'" for word in words)
        self.parts.append(f"```\n$ scripts/aws/{name} {shown}".rstrip() + f"\n{text.rstrip()}\n```")
        return done.stdout


def shape_of(text):
    """Commands, and the labels at the start of the lines of each answer, in order; what was told in between may differ in number."""
    commands = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line, []))
        elif commands and re.match(r"[a-z][a-z ]{0,11} ", line) and len(line) > 13 and line[12] == " ":
            label = line[:12].strip()
            if label == "diagnosis" or label == "verdict":
                label = " ".join(line.split()[:2])
            if label not in commands[-1][1] and label not in ("event", "also", "oom events", "fullest", "memory"):
                commands[-1][1].append(label)
        elif line.startswith("#"):
            commands.append((line, []))
    return commands


def diagnosed(out):
    return re.search(r"^diagnosis +([\w-]+) ", out, re.M)[1]


def test_the_whole_guide(account, stub, network, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "docker").write_text(DOCKER)
    (tools / "docker").chmod(0o755)
    calls = tmp_path / "docker-calls"
    stack = Stack(account, stub, tmp_path, network)
    work = tmp_path / "work"
    work.mkdir()
    play = Player(account, stack, work, {
        **{k: v for k, v in stack.environment.items() if k.startswith(("TF_", "OOMDRILL_", "CHECKPOINT"))},
        "PATH": f"{tools}:{os.environ['OOMDRILL_BIN']}:{os.environ['PATH']}", "DOCKER_CALLS": str(calls)})

    play.say("## 1. Incident simulation\n\nThe image is built and pushed, and what `deploy/terraform` describes is put up.")
    play.run("deploy", "--yes")
    built = calls.read_text().splitlines()
    assert built[0].startswith("docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-central-1.amazonaws.com")
    assert built[1].startswith("docker buildx build --platform linux/amd64,linux/arm64 --tag 123456789012.dkr.ecr.") and "--push" in built[1]
    values = json.loads(stack.root.run("show", "-json").stdout)["values"]
    stack.make(values, {"LEAKSIM_RATE": "80MB/s", "LEAKSIM_MAX_BYTES": "600MiB", "LEAKSIM_HOLD": "1", "OOMPROBE_INTERVAL": "200ms"},
               stop_timeout=10)
    assert len(of_type(values, "aws_cloudwatch_metric_alarm")) >= 9

    play.say("A drill: one more task of the same definition, with a pace of its own.")
    out = play.run("drill", "--rate", "160MB/s", "--yes", "--poll", "2s")
    assert "OOM kill of leaksim, own limit" in out and "expected     oom: yes" in out

    play.say("## 2. Issue identification\n\nThe service itself dies all the while. One command asks all that the guide looks at.")
    account.wait(lambda: [t for t in account.tasks() if t.get("group") == f"service:{stack.service}" and t["lastStatus"] == "STOPPED"],
                 "the service's own task dies")
    out = play.run("diagnose", code=1)
    assert diagnosed(out) == "oom-kill"
    assert "OutOfMemoryError: Container killed due to memory usage" in out and "exit 137" in out
    assert "has started 1 tasks" in out and "average of the tasks" in out
    assert re.search(r"^next +scripts/aws/resolve scale-up ", out, re.M)

    play.say("## 3. Immediate resolution\n\nWhat the last line said, first as a dry run.")
    out = play.run("resolve", "scale-up", "--dry-run")
    assert "aws ecs register-task-definition" in out and "aws ecs update-service" in out
    out = play.run("resolve", "scale-up", "--yes", "--rollback", "--settle", "12s", "--poll", "2s")
    assert re.search(r"before +oomdrill:1 +512 +256 +app 480 +1\n +after +oomdrill:\(new\) +1024 +256 +app 992 +1", out), out
    assert "steady       oomdrill on oomdrill:2" in out
    play.say("The memory that it needed is there: no leak, but a need. Whoever looks again is told so, not to scale up once more.")
    out = play.run("diagnose")
    assert diagnosed(out) == "healthy" and "tasks of earlier deployments stopped" in out
    out = play.run("resolve", "scale-out", "--count", "2", "--yes", "--settle", "2s", "--poll", "2s")
    assert "steady" in out
    out = play.run("resolve", "redeploy", "--yes", "--settle", "2s", "--poll", "2s")
    assert "steady" in out

    play.say("## 4. Preventive measures\n\nAlarms, scaling and dashboard came with `deploy`. The regular reviews:")
    play.run("review", "weekly")
    play.run("review", "monthly")
    report = next(work.glob("review-monthly-*.md")).read_text()
    assert "| oom_killed | 137 |" in report and "oomdrill-memory-lead" in report and "oom-kills" in report
    assert re.search(r"\| .* \| 75(\.0)? \| 300 / 300 s \|", report), report

    play.say("## 5. Documentation and runbooks\n\n[runbook.md](runbook.md), [post-incident-review.md](post-incident-review.md), "
             "[knowledge-base.md](knowledge-base.md). The recordings for the review:")
    play.run("logs", "--out", "recordings")
    assert len(list((work / "recordings").glob("*.jsonl"))) >= 4

    play.say("## 6. Testing and validation\n\n[drills.md](drills.md) is the programme. A burst, which no average shows, and a plateau, which is no "
             "leak:")
    out = play.run("drill", "--pattern", "burst:size=1200MiB,interval=2s", "--max-bytes", "4GiB", "--expect", "burst", "--yes",
                   "--poll", "3s")
    assert "verdict      burst" in out
    out = play.run("drill", "--rate", "320MB/s", "--until", "85%", "--max-bytes", "2GiB", "--hold", "--timeout", "15s", "--expect", "plateau",
                   "--yes", "--poll", "3s")
    assert "verdict      plateau" in out

    play.say("And down again.")
    account.wait(lambda: not [t for t in account.tasks() if t.get("startedBy") == "oomdrill" and t["lastStatus"] != "STOPPED"], "no drill runs")
    play.run("teardown", "--yes", "--repository", "oomdrill")
    assert account.aws("ecr", "describe-repositories")["repositories"] == []
    account.aws("ecs", "update-service", "--cluster", stack.cluster, "--service", stack.service, "--desired-count", "0")

    text = "\n\n".join(part.strip("\n") for part in play.parts) + "\n"
    if os.environ.get("OOMDRILL_WRITE_DOCS") == "1":
        TRANSCRIPT.write_text(text)
    assert shape_of(TRANSCRIPT.read_text()) == shape_of(text), "OOMDRILL_WRITE_DOCS=1 tests/aws/run test_guide.py writes it anew"
