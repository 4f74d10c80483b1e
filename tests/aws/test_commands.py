"""What holds for every command: dry runs, refusals, faults of AWS, pages."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPTS
from oomaws import leak

COMMANDS = sorted(path.name for path in SCRIPTS.iterdir() if path.is_file())
NAMED = ["diagnose", "drill", "logs", "resolve", "review"]
WORDS = {"diagnose": [], "drill": ["--yes"], "logs": ["--out", "recordings"], "resolve": ["redeploy", "--yes"], "review": ["weekly"]}
CHANGES = re.compile(r"^(Create|Update|Delete|Register|Run|Stop|Put)")

DENIED = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: {action} on resource: arn:aws:x because no policy allows it"


def one_line(done, name):
    assert done.stderr.startswith(f"{name}: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_all_seven_are_there():
    assert COMMANDS == ["deploy", "diagnose", "drill", "logs", "resolve", "review", "teardown"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_exit_codes_and_shared_options(name):
    done = subprocess.run([SCRIPTS / name, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""
    for part in ("exit codes:", "--dry-run", "--profile", "--region", "--endpoint-url", "--json", "examples:"):
        assert part in done.stdout, part
    assert ("--yes" in done.stdout) == (name in ("deploy", "drill", "resolve", "teardown"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_option_is_a_usage_error(name):
    done = subprocess.run([SCRIPTS / name, *(WORDS.get(name) or []), "--explode"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert one_line(done, name)


# What AWS would refuse, or a task of ECS only tell when it has ended.
BAD = [
    ("drill", ["--rate", "8XB/s"], "'8XB/s' is no rate; write it as 1MB/s, 64KiB/s, 100MB/min or max"),
    ("drill", ["--rate", "0MB/s"], "it must be above 0"),
    ("drill", ["--until", "90 %"], "write it as oom, 90%, 512MiB or 50MiB-headroom"),
    ("drill", ["--until", "0%"], "a percentage is above 0%"),
    ("drill", ["--max-bytes", "lots"], "is no size"),
    ("drill", ["--duration", "soon"], "is no duration"),
    ("drill", ["--kind", "ram"], "one of anon, heap"),
    ("drill", ["--kind", "tmpfs:size=1MiB"], "tmpfs takes dir, not 'size'"),
    ("drill", ["--pattern", "brust"], "one of linear, burst"),
    ("drill", ["--pattern", "burst:sise=1MiB"], "burst takes size, interval, jitter, for, not 'sise'"),
    ("drill", ["--pattern", "burst:size=1Mb;hold:for=never"], "for=never: write it as"),
    ("drill", ["--pattern", "burst:size"], "NAME:KEY=VALUE"),
    ("drill", ["--timeout", "0s"], "too short"),
    ("drill", ["--poll", "often"], "30s, 10m, 1h, 7d"),
    ("drill", ["--expect", "death"], "invalid choice"),
    ("diagnose", ["--since", "0s"], "too short"),
    ("diagnose", ["--task", "web"], "hexadecimal digits"),
    ("diagnose", ["--tasks", "0"], "no number from 1 on"),
    ("diagnose", ["--region", "Frankfurt"], "no region, such as eu-central-1"),
    ("diagnose", ["--endpoint-url", "localhost"], "http:// or https://"),
    ("diagnose", ["--cluster", "my cluster"], "letters, digits"),
    ("logs", ["--page", "20000"], "no number from 1 to 10000"),
    ("logs", [], "required: --out"),
    ("resolve", ["grow"], "invalid choice"),
    ("resolve", ["rollback", "--to", "web"], "FAMILY:N"),
    ("resolve", ["redeploy", "--to", "web:1"], "it is for rollback"),
    ("resolve", ["scale-up", "--memory", "1GiB"], "no number from 1 on"),
    ("review", ["yearly"], "invalid choice"),
    ("deploy", ["--platforms", "windows/amd64"], "linux/amd64, linux/arm64"),
    ("deploy", ["--tag", "a b"], "no tag of an image"),
    ("deploy", ["--repository", "Oomdrill"], "no repository of ECR"),
    ("deploy", ["--image", "not an image"], "REGISTRY/NAME:TAG"),
    ("deploy", ["--var", "image"], "NAME=VALUE"),
    ("teardown", ["--var", "image"], "NAME=VALUE"),
]


@pytest.mark.parametrize("name, words, part", BAD, ids=[" ".join([n, *w]) for n, w, _ in BAD])
def test_a_bad_value_is_told_before_aws_is_asked(name, words, part):
    # No CLI at all: whoever called it would fail otherwise.
    environment = {**os.environ, "PATH": os.path.dirname(shutil.which("python3", path="/usr/bin"))}
    more = ["--out", "r"] if name == "logs" and words else []
    done = subprocess.run([SCRIPTS / name, *words, *more], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (64, "")
    assert part in one_line(done, name)


def test_patterns_and_kinds_are_those_of_leaksim():
    def told(option):
        return subprocess.run([Path(os.environ["OOMDRILL_BIN"]) / "leaksim", option], capture_output=True, text=True, check=True).stdout

    patterns = {}
    for line in told("--list-patterns").splitlines():
        title, parameter = re.match(r"([a-z-]+): ", line), re.match(r"  ([a-z]+)=([A-Z]+) ", line)
        if title:
            patterns[title[1]] = {}
        elif parameter:
            patterns[list(patterns)[-1]][parameter[1]] = parameter[2]
    assert leak.PATTERNS == patterns
    kinds = {}
    for line in told("--list-kinds").splitlines():
        title, parameter = re.match(r"([a-z]+): ", line), re.match(r"  ([a-z]+)=", line)
        if title:
            kinds[title[1]] = ()
        elif parameter:
            kinds[list(kinds)[-1]] += (parameter[1],)
    assert leak.KINDS == kinds


@pytest.mark.parametrize("check, texts", [
    (leak.rate, ["max", "1MB/s", "0.5MiB/s", "512", "100MB/min", "8 kb/h"]),
    (leak.amount, ["oom", "90%", "512MiB", "50MiB-headroom", "1000"]),
    (leak.size, ["1", "64MiB", ".5gb"]),
    (leak.duration, ["500ms", "30s", "10m", "2h", "7"]),
    (leak.pattern, ["hold", "burst:size=64MiB,interval=10s,jitter=5%", "linear:rate=1MB/s,for=10s;hold", "replay:file=/tmp/a.csv,speed=2.5"]),
    (leak.kind, ["anon", "tmpfs:dir=/tmp", "kernel:of=sockets"]),
], ids=["rate", "amount", "size", "duration", "pattern", "kind"])
def test_what_leaksim_takes_is_taken(check, texts):
    for text in texts:
        assert check(text) == text


FAULTS = [
    ("ThrottlingException", "Rate exceeded", 75, "throttles"),
    ("ExpiredTokenException", "The security token included in the request is expired", 77, "have expired"),
    ("UnrecognizedClientException", "The security token included in the request is invalid.", 77, "sts get-caller-identity"),
    ("AccessDeniedException", DENIED, 77, "no permission for ecs:DescribeServices on arn:aws:x"),
]


# The first call of each command that the stand-in can refuse.
FIRST = {name: ("DescribeServices", "ecs") for name in NAMED} | {"deploy": ("DescribeRepositories", "ecr"), "teardown": ("ListTasks", "ecs")}


@pytest.mark.parametrize("name", FIRST)
def test_each_fault_of_aws_is_one_line_with_its_remedy(account, idle, name):
    operation, service = FIRST[name]
    where = () if name == "deploy" else idle.where

    def refused(fault):
        code, message, status, part = fault
        account.control("clear")
        account.fault(operation, code, message)
        done = account.script(name, *(WORDS.get(name) or []), *where)
        assert done.returncode == status, done.stderr
        assert part.replace("ecs:DescribeServices", f"{service}:{operation}") in one_line(done, name)

    for fault in FAULTS:
        refused(fault)


@pytest.mark.parametrize("name, operation, status", [("drill", "RunTask", 77), ("logs", "DescribeLogStreams", 77), ("resolve", "UpdateService", 77)])
def test_a_permission_that_lacks_later_is_told_too(account, idle, name, operation, status):
    account.fault(operation, "AccessDeniedException", DENIED)
    done = account.script(name, *WORDS[name], *idle.where)
    assert done.returncode == status
    assert f"no permission for {'logs' if name == 'logs' else 'ecs'}:{operation}" in one_line(done, name)


def test_a_throttled_call_is_tried_again(account, idle):
    account.fault("DescribeServices", "ThrottlingException", "Rate exceeded", times=1)
    assert account.script("diagnose", *idle.where).returncode in (0, 1)


def test_diagnose_goes_on_without_what_it_may_not_read(account, idle):
    account.fault("FilterLogEvents", "AccessDeniedException", DENIED)
    account.fault("GetMetricData", "AccessDeniedException", DENIED)
    done = account.script("diagnose", "--json", *idle.where)
    told = json.loads(done.stdout)
    assert len(told["incomplete"]) == 2 and "logs:FilterLogEvents" in told["incomplete"][0]
    assert done.stderr.count("going on without it") == 2


@pytest.mark.parametrize("where, status, part", [
    (["--cluster", "nowhere", "--service", "web"], 66, "aws ecs list-clusters"),
    (["--cluster", "shop", "--service", "web"], 66, "no service 'web' in cluster 'shop'"),
    (["--cluster", "shop", "--service", "shop", "--container", "db"], 66, "no container 'db'"),
    (["--cluster", "shop", "--service", "shop", "--profile", "nobody"], 64, "no profile 'nobody'"),
    (["--cluster", "shop", "--service", "shop", "--endpoint-url", "http://127.0.0.1:9"], 69, "cannot be reached"),
])
def test_what_is_not_there_is_said(account, idle, where, status, part):
    assert idle.cluster == idle.service == "shop"
    done = account.script("diagnose", *where)
    assert done.returncode == status, done.stderr
    assert part in one_line(done, "diagnose")


def test_without_region_credentials_or_cli(account, idle, tmp_path):
    for lacking, status, part in (({"AWS_DEFAULT_REGION": None, "AWS_ENDPOINT_URL": None}, 64, "--region"),
                                  ({"AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}, 77, "no credentials")):
        done = account.script("diagnose", *idle.where, env=lacking)
        assert done.returncode == status and part in one_line(done, "diagnose")
    # Version 1 of the CLI does not know AWS_REGION, which its successor prefers.
    done = account.script("diagnose", *idle.where, "--dry-run", env={**NOBODY, "AWS_REGION": "eu-west-1"})
    assert done.returncode == 0 and "--region eu-west-1" in done.stdout
    (tmp_path / "python3").symlink_to("/usr/bin/python3")
    done = account.script("diagnose", *idle.where, env={"PATH": str(tmp_path)})
    assert done.returncode == 69 and "apt install awscli" in one_line(done, "diagnose")


def test_which_service_must_be_said_where_nothing_was_applied(account, tmp_path):
    done = account.script("diagnose", "--terraform", str(tmp_path))
    assert done.returncode == 64 and "--cluster NAME --service NAME" in one_line(done, "diagnose")


def are_taken(account, calls):
    """Each is one that the CLI and AWS's model accept: what is refused then is the caller."""
    account.fault("*", "AccessDeniedException", DENIED)
    for line in calls:
        told = account.cli(*shlex.split(line)[1:])
        assert "AccessDenied" in told["err"], line + told["err"]


@pytest.mark.parametrize("name", NAMED)
def test_a_dry_run_prints_calls_and_changes_nothing(account, idle, name, tmp_path):
    before = len(account.control("look")["calls"])
    words = [word for word in WORDS[name] if word != "--yes"]
    done = account.script(name, *words, "--dry-run", *idle.where, "--profile", "other", "--region", "eu-central-1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = account.control("look", since=before)["calls"]
    assert not [call for call in made if CHANGES.match(call[1])]
    calls = [line for line in done.stdout.splitlines() if line.startswith("aws ")]
    assert calls
    assert all("--profile other --region eu-central-1" in line for line in calls)
    are_taken(account, [line for line in calls if " wait " not in line])
    assert not list(tmp_path.iterdir())


NOBODY = {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null", "AWS_DEFAULT_REGION": None, "AWS_ENDPOINT_URL": None,
          "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.mark.parametrize("name, words", [("diagnose", []), ("drill", []), ("drill", ["--on-service", "--rate", "8MB/s"]), ("logs", ["--out", "r"]),
                                         ("resolve", ["scale-up"]), ("resolve", ["scale-out"]), ("resolve", ["redeploy"]),
                                         ("resolve", ["rollback"]), ("review", ["monthly"]), ("deploy", []), ("teardown", [])])
def test_a_dry_run_needs_neither_credentials_nor_region(account, idle, name, words, tmp_path):
    """The exact calls, for what deploy/terraform puts up by default; which is said before any of them."""
    nowhere = ["--terraform", str(tmp_path)] if name not in ("deploy", "teardown") else []
    done = account.script(name, *words, "--dry-run", *nowhere, env=NOBODY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()[0]
    assert said.startswith(f"{name}: ") and said.endswith("; the calls below are for what deploy/terraform puts up by default"), said
    environment = {k: v for k, v in {**account.environment, **NOBODY}.items() if v is not None}
    both = subprocess.run([SCRIPTS / name, *words, "--dry-run", *nowhere], env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout.splitlines()
    assert both.index(said) < next(at for at, line in enumerate(both) if line.startswith("aws ")), both
    calls = [line for line in done.stdout.splitlines() if line.startswith("aws ")]
    assert calls and not list(tmp_path.iterdir())
    if name not in ("deploy", "teardown"):
        assert "--cluster oomdrill --service" in calls[0]
    are_taken(account, [line for line in calls if " sts " not in line and " wait " not in line and " | " not in line])


@pytest.mark.parametrize("name", ["diagnose", "logs", "review"])
def test_a_dry_run_is_of_the_service_that_is_named(account, market, name, tmp_path):
    """And not of what deploy/terraform puts up by default, where AWS can be asked."""
    stack = market(f"named-{name}")
    account.aws("ecs", "update-service", "--cluster", stack.cluster, "--service", stack.service, "--desired-count", "0")
    done = account.script(name, *WORDS[name], "--dry-run", env={"OOMDRILL_CLUSTER": stack.cluster, "OOMDRILL_SERVICE": stack.service}, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"/ecs/{stack.service}" in done.stdout and "oomdrill:" not in done.stdout and "/ecs/oomdrill" not in done.stdout, done.stdout
    assert f"describe-task-definition --task-definition {stack.family}:1" in done.stdout or f"task-definition/{stack.family}:1" in done.stdout


def test_what_a_dry_run_assumes_is_what_terraform_puts_up(module):
    from harness import NEEDED, only
    from oomaws import place

    planned = module.plan(**NEEDED)["planned_values"]
    definition, service = only(planned, "aws_ecs_task_definition"), only(planned, "aws_ecs_service")
    (container,) = json.loads(definition["container_definitions"])
    assumed = place.assumed_definition(None)
    (app,) = assumed["containerDefinitions"]
    assert (assumed["family"], assumed["cpu"], assumed["memory"], assumed["networkMode"], assumed["requiresCompatibilities"]) == (
        definition["family"], definition["cpu"], definition["memory"], definition["network_mode"], definition["requires_compatibilities"])
    for key in ("name", "memory", "entryPoint", "command", "essential"):
        assert app[key] == container[key], key
    for key in ("awslogs-group", "awslogs-stream-prefix"):
        assert app["logConfiguration"]["options"][key] == container["logConfiguration"]["options"][key]
    assert place.DEFAULT == service["name"] == only(planned, "aws_ecs_cluster")["name"]


def test_a_printed_call_does_what_the_command_does(account, idle):
    done = account.script("resolve", "redeploy", "--dry-run", *idle.where)
    (call,) = [line for line in done.stdout.splitlines() if line.startswith("aws ecs update-service")]
    before = len(account.control("look")["calls"])
    ran = subprocess.run(["sh", "-c", call], env=account.environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (made,) = account.control("look", since=before)["calls"]
    assert made == ["ecs", "UpdateService", {"cluster": idle.cluster, "service": idle.service, "forceNewDeployment": True}]


@pytest.mark.parametrize("name, words", [("drill", []), ("resolve", ["redeploy"])])
def test_nothing_is_changed_unasked(account, idle, name, words):
    done = account.script(name, *words, *idle.where)
    assert done.returncode == 64 and "--yes to go ahead" in one_line(done, name)


def test_small_pages_lose_nothing(account, idle):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: account.script("drill", "--command", "true", "--expect", "ended", *idle.where, "--yes", "--poll", "1s"), range(3)))
    whole = account.json("diagnose", *idle.where, code=None)
    account.control("page", size=1)
    paged = account.json("diagnose", *idle.where, code=None)
    assert paged["stopped"] == whole["stopped"] >= 3
    assert len(paged["oom_events"]) == len(whole["oom_events"]) >= 3


def messages(account, stack, task):
    stream = f"{stack.family}/app/{task}"
    events = account.aws("logs", "get-log-events", "--log-group-name", stack.group, "--log-stream-name", stream, "--start-from-head")
    return [event["message"] for event in events["events"]]


def test_logs_exports_recordings_that_oomdrill_could_read_and_goes_on_where_it_stopped(account, idle, tmp_path):
    told = account.json("drill", "--rate", "320MB/s", *idle.where, "--yes", "--poll", "1s")
    words = ["logs", "--out", str(tmp_path / "r"), "--task", told["task"], "--page", "7", *idle.where]
    account.fault("GetLogEvents", "AccessDeniedException", DENIED, times=0)
    whole = messages(account, idle, told["task"])
    # Stopped in the middle: the third page is refused.
    account.control("clear")
    account.fault("GetLogEvents", "AccessDeniedException", DENIED, times=-1)
    assert account.script(*words).returncode == 77
    account.control("clear")
    (first,) = account.json(*words)["files"]
    (second,) = account.json(*words)["files"]
    assert (first["new"], second["new"]) == (len(whole), 0)
    path = tmp_path / "r" / f"{told['task']}.jsonl"
    assert path.read_text().splitlines() == whole
    assert json.loads(whole[-1])["event"] == "probe.stopped"
    # Killed while it wrote: what was not counted is written anew.
    state = tmp_path / "r" / ".export.json"
    kept = json.loads(state.read_text())
    (stream,) = kept
    lines = path.read_bytes().splitlines(keepends=True)
    last = [e for e in whole[:10]]
    stamp = account.aws("logs", "get-log-events", "--log-group-name", idle.group, "--log-stream-name", stream,
                        "--start-from-head")["events"][9]["timestamp"]
    same = [e["timestamp"] for e in account.aws("logs", "get-log-events", "--log-group-name", idle.group, "--log-stream-name", stream,
                                                "--start-from-head")["events"][:10]].count(stamp)
    kept[stream] = {"bytes": sum(map(len, lines[:10])), "time": stamp, "at_time": same, "events": len(last)}
    state.write_text(json.dumps(kept))
    path.write_bytes(b"".join(lines[:12]) + b'{"half a li')
    (resumed,) = account.json(*words)["files"]
    assert resumed["new"] == len(whole) - 10
    assert path.read_text().splitlines() == whole


def test_logs_of_a_task_that_is_not_there(account, idle, tmp_path):
    done = account.script("logs", "--out", str(tmp_path), "--task", "0000", *idle.where)
    assert done.returncode == 66 and "no task 0000" in one_line(done, "logs")
    done = account.script("logs", "--out", "/proc/nowhere", *idle.where)
    assert done.returncode == 73 and "another --out" in one_line(done, "logs")


def test_diagnose_of_a_task_that_is_not_there(account, idle, drilled):
    done = account.script("diagnose", "--task", "deadbeef", *idle.where)
    assert done.returncode == 66 and done.stdout == ""
    assert "no task deadbeef among those of shop that run or stopped of late in cluster shop" in one_line(done, "diagnose")
    # One that is named is looked at, however long ago it stopped.
    task = drilled("exit")["task"]
    account.wait(lambda: [t for t in account.tasks() if t["taskArn"].endswith(task) and time.time() - t["stoppedAt"] > 1], "it stopped before --since")
    assert account.json("diagnose", "--task", task[:8], "--since", "1s", *idle.where)["diagnosis"]["task"] == task


@pytest.mark.parametrize("words, part", [
    (["scale-up", "--memory", "700"], "the next is --memory 1024 --cpu 256"),
    (["scale-up", "--memory", "4096", "--cpu", "256"], "not sold"),
    (["scale-up", "--memory", "999999"], "122880 MiB is the most"),
    (["scale-up", "--memory", "512"], "has 512 MiB and 256 CPU units already"),
    (["scale-out", "--memory", "512"], "takes no such option"),
    (["scale-out", "--count", "0"], "no number from 1 on"),
    (["rollback", "--yes"], "is the first revision of its family"),
    (["rollback", "--to", "shop:99"], "no revision shop:99"),
    (["rollback", "--to", "shop:1"], "runs it already"),
])
def test_resolve_refuses_what_cannot_be(account, idle, words, part):
    done = account.script("resolve", *words, *idle.where)
    assert done.returncode in (64, 66), done.stdout + done.stderr
    assert part in one_line(done, "resolve")


def test_review_says_what_oomdrill_cannot_do_and_goes_on(account, idle, drilled, tmp_path):
    drilled("leak")
    old = tmp_path / "oomdrill"
    old.write_text("#!/bin/sh\necho \"oomdrill: unknown command '$1'; oomdrill --help\" >&2\nexit 64\n")
    old.chmod(0o755)
    told = account.json("review", "monthly", *idle.where, env={"OOMDRILL": str(old)}, cwd=tmp_path)
    assert told["trend"] is None and told["rightsize"] is None
    assert told["missing"] == ["trend: this oomdrill has no `trend` yet", "rightsize: this oomdrill has no `rightsize` yet"]
    report = (tmp_path / told["report"]).read_text()
    assert "# Memory of shop, monthly review" in report and "Not known: trend" in report
    assert "| oom_killed | 137 |" in report
    assert "shop-memory-lead" in report and "memory-scaling-policy" not in report.split("## Scaling")[0]
    (tmp_path / "answers").write_text('{"verdict": "leak", "tasks": [{"bytes_per_s": 5}]}')
    old.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked; cat {tmp_path}/answers\n")
    told = account.json("review", "weekly", *idle.where, env={"OOMDRILL": str(old)}, cwd=tmp_path)
    assert told["trend"]["verdict"] == "leak" and "rightsize" not in told
    assert (tmp_path / "asked").read_text().startswith("trend --format json review-recordings/")
    assert "| tasks[0].bytes_per_s | 5 |" in (tmp_path / told["report"]).read_text()


def test_scripts_use_nothing_beyond_the_standard_library():
    import sys

    own = {path.stem for path in (SCRIPTS / "oomaws").glob("*.py")} | {"oomaws"}
    for path in [*(SCRIPTS / "oomaws").glob("*.py"), *(SCRIPTS / name for name in COMMANDS)]:
        for module in re.findall(r"^(?:from|import) ([a-z_]+)", path.read_text(), re.M):
            assert module in sys.stdlib_module_names | own, f"{path}: {module}"
        assert os.access(path, os.X_OK) == (path.suffix == ""), path
    assert str(ROOT) in str(SCRIPTS)
