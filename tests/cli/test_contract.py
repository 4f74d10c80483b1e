"""What every program promises of its command line: exit code, one clear line, help."""

import re
import subprocess
from dataclasses import dataclass, field

import pytest
from conftest import BIN, IS_V1, ROOT, TIMEOUT, require, run

MiB = 1 << 20
LEAKSIM, OOMPROBE, OOMDRILL = "leaksim", "oomprobe", "oomdrill"


@dataclass
class Case:
    program: str
    arguments: list
    code: int
    out: list = field(default_factory=list)
    err: list = field(default_factory=list)
    env: dict = field(default_factory=dict)

    def __str__(self):
        words = [f"{name}={value}" for name, value in self.env.items()]
        return " ".join([*words, self.program, *self.arguments])


BAD = [
    # leaksim
    Case(LEAKSIM, ["--pattern", "quadratic"], 64,
         err=["--pattern", "unknown pattern 'quadratic'", "linear", "burst", "lru"]),
    Case(LEAKSIM, ["--pattern", "linear:rate=1MB/s", "--rate", "2MB/s"], 64,
         err=["--rate", "the rate is in --pattern already"]),
    Case(LEAKSIM, ["--phase", "linear:rate=1MB/s,for=5s", "--phase", "hold", "--rate", "2MB/s"], 64,
         err=["--rate", "the rate is in --phase already"]),
    Case(LEAKSIM, ["--phase", "linear", "--phase", "hold"], 64,
         err=["--phase: phase 1: linear", "for=TIME"]),
    Case(LEAKSIM, ["--phase", "linear", "--pattern", "burst"], 64, err=["--phase", "--pattern"]),
    Case(LEAKSIM, [], 64, env={"LEAKSIM_PHASE": "linear:for=1s;saw"},
         err=["LEAKSIM_PHASE: phase 2: unknown pattern 'saw'"]),
    Case(LEAKSIM, ["--pattern", "replay:file=/nonexistent"], 64,
         err=["--pattern: replay: file: /nonexistent: cannot open"]),
    Case(LEAKSIM, ["--pattern", "replay:file=/etc/passwd"], 64,
         err=["--pattern: replay: file: /etc/passwd:", "time,bytes"]),
    Case(LEAKSIM, ["plan", "--until", "90%"], 64, err=["--until", "--memory"]),
    Case(LEAKSIM, ["plan", "--rate", "max"], 64, err=["rate max has no timetable"]),
    Case(LEAKSIM, ["completion", "csh"], 64, err=["'csh'", "bash, zsh or fish"]),
    Case(LEAKSIM, ["--pattern", "burst:colour=red"], 64, err=["'colour'", "size", "interval"]),
    Case(LEAKSIM, ["--pattern", "burst:size=0"], 64, err=["size", "above 0"]),
    Case(LEAKSIM, ["--pattern", "linear:rate"], 64, err=["'rate' has no value", "rate=VALUE"]),
    Case(LEAKSIM, ["--rate", "0"], 64, err=["--rate", "'0' would never grow", "1MB/s"]),
    Case(LEAKSIM, ["--rate=-1MB/s"], 64, err=["--rate", "'-1MB/s' would never grow"]),
    Case(LEAKSIM, ["--rate", "fast"], 64, err=["--rate", "'fast' is no rate"]),
    Case(LEAKSIM, ["--rate", "1M/s"], 64, err=["--rate", "'1M/s' is no rate", "1MB/s"]),
    Case(LEAKSIM, [], 64, env={"LEAKSIM_RATE": "0"}, err=["LEAKSIM_RATE", "'0' would never grow"]),
    Case(LEAKSIM, ["--pattern", "burst", "--rate", "1MB/s"], 64, err=["--rate", "has no rate"]),
    Case(LEAKSIM, ["--until", "200%"], 64, err=["--until", "'200%' is out of range", "100%"]),
    Case(LEAKSIM, ["--until", "0%"], 64, err=["--until", "'0%' is out of range"]),
    Case(LEAKSIM, ["--until", "soon"], 64, err=["--until", "'soon' is no amount", "90%"]),
    Case(LEAKSIM, ["--hold"], 64, err=["--hold", "--until"]),
    Case(LEAKSIM, ["--max-bytes", "0"], 64, err=["--max-bytes"]),
    Case(LEAKSIM, ["--max-bytes", "64M"], 64, err=["--max-bytes", "'64M' is no size", "512MiB"]),
    Case(LEAKSIM, ["--duration", "forever"], 64, err=["--duration", "'forever' is no duration"]),
    Case(LEAKSIM, ["--duration=-1s"], 64, err=["--duration", "negative"]),
    Case(LEAKSIM, ["--seed", "x"], 64, err=["--seed", "'x' is no whole number"]),
    Case(LEAKSIM, ["--kind", "gold"], 64, err=["--kind", "gold", "anon"]),
    Case(LEAKSIM, ["--kind", "file:wet"], 64, err=["--kind", "'wet'", "pages=dirty|clean"]),
    Case(LEAKSIM, ["--kind", "tmpfs:dir=/nonexistent"], 69, err=["/nonexistent", "dir="]),
    Case(LEAKSIM, ["--content", "noise"], 64, err=["--content", "'noise'", "compressible=0.5"]),
    Case(LEAKSIM, ["--touch", "fast"], 64, err=["--touch", "'fast'", "20%/s"]),
    Case(LEAKSIM, ["explain", "gold"], 64, err=["explain", "'gold'", "memfd"]),
    Case(LEAKSIM, ["--format", "xml"], 64, err=["--format", "xml", "json"]),
    Case(LEAKSIM, ["--explode"], 64, err=["explode", "leaksim --help"]),
    Case(LEAKSIM, ["surplus"], 64, err=["'surplus'", "leaksim --help"]),
    Case(LEAKSIM, ["--", "sleep", "1"], 64, err=["'sleep' stands behind --", "leaksim runs no command", "leaksim --help"]),
    # oomprobe
    Case(OOMPROBE, [], 64, err=["no command", "run, watch, snapshot, doctor or recover"]),
    Case(OOMPROBE, ["explode"], 64, err=["'explode'", "oomprobe --help"]),
    Case(OOMPROBE, ["--explode"], 64, err=["'--explode'", "oomprobe --help"]),
    Case(OOMPROBE, ["run"], 64, err=["no command", "-- COMMAND"]),
    Case(OOMPROBE, ["run", "--"], 64, err=["no command", "-- COMMAND"]),
    Case(OOMPROBE, ["run", "sleep", "1"], 64, err=["'sleep'", "'--'"]),
    Case(OOMPROBE, ["run", "--explode", "--", "true"], 64,
         err=["explode", "oomprobe run --help"]),
    Case(OOMPROBE, ["run", "--interval", "0", "--", "true"], 64, err=["--interval", "10ms"]),
    Case(OOMPROBE, ["run", "--", "true"], 64, env={"OOMPROBE_INTERVAL": "soon"},
         err=["OOMPROBE_INTERVAL", "'soon' is no duration"]),
    Case(OOMPROBE, ["snapshot"], 64, env={"OOMPROBE_INTERVAL": "abc"}, err=["OOMPROBE_INTERVAL", "'abc' is no duration"]),
    Case(OOMPROBE, ["doctor"], 64, env={"OOMPROBE_INTERVALL": "1s"},
         err=["OOMPROBE_INTERVALL: no option has this variable", "nearest is OOMPROBE_INTERVAL;"]),
    Case(LEAKSIM, [], 64, env={"LEAKSIM_RAET": "1MB/s"},
         err=["LEAKSIM_RAET: no option has this variable", "nearest is LEAKSIM_RATE;"]),
    Case(OOMPROBE, ["run", "--dimensions", "prod", "--", "true"], 64, err=["--dimensions", "NAME=VALUE"]),
    Case(OOMPROBE, ["run", "--prometheus", "/no/such/x.prom", "--", "true"], 73, err=["--prometheus", "/no/such"]),
    Case(OOMPROBE, ["run", "--thresholds", "75%,200%", "--", "true"], 64,
         err=["--thresholds", "'200%' is out of range"]),
    Case(OOMPROBE, ["run", "--kill-after", "later", "--", "true"], 64, err=["--kill-after"]),
    Case(OOMPROBE, ["run", "--oom-score-adj", "2000", "--", "true"], 64,
         err=["--oom-score-adj", "1000"]),
    Case(OOMPROBE, ["run", "--format", "xml", "--", "true"], 64, err=["--format", "xml", "json"]),
    Case(OOMPROBE, ["watch", "--cgroup", "/nonexistent"], 69, err=["/nonexistent"]),
    Case(OOMPROBE, ["watch", "--cgroup", "/etc"], 69, err=["/etc"]),
    Case(OOMPROBE, ["watch", "--source", "ecs"], 69, err=["--source ecs", "ECS_CONTAINER_METADATA_URI_V4"]),
    Case(OOMPROBE, ["watch", "--source", "docker"], 64, err=["--source", "'docker'", "auto, cgroup or ecs"]),
    Case(OOMPROBE, ["snapshot", "--cgroup", "/nonexistent"], 69, err=["/nonexistent"]),
    Case(OOMPROBE, ["snapshot", "--fail-above", "120%"], 64,
         err=["--fail-above", "'120%' is out of range"]),
    Case(OOMPROBE, ["snapshot", "--", "true"], 64, err=["oomprobe snapshot runs no command"]),
    Case(OOMPROBE, ["watch", "surplus"], 64, err=["'surplus'"]),
    # oomdrill
    Case(OOMDRILL, [], 64, err=["no command", "oomdrill --help"]),
    Case(OOMDRILL, ["explode"], 64, err=["unknown command 'explode'", "oomdrill --help"]),
    Case(OOMDRILL, ["--explode"], 64, err=["unknown option '--explode'"]),
    Case(OOMDRILL, ["run", "--explode"], 64, err=["explode", "oomdrill run --help"]),
    Case(OOMDRILL, ["run", "--rate", "8MB/s"], 64, err=["rate", "behind --", "oomdrill run --help"]),
    Case(OOMDRILL, ["run", "--", "leaksim", "--rate", "8MB/s"], 64, err=["leave the word", "--workload"]),
    Case(OOMDRILL, ["run", "surplus"], 64, err=["'surplus'", "oomdrill run --help"]),
    Case(OOMDRILL, ["run", "--memory", "0"], 64, err=["--memory"]),
    Case(OOMDRILL, ["run", "--memory", "64M"], 64, err=["--memory", "'64M' is no size"]),
    Case(OOMDRILL, ["run"], 64, env={"OOMDRILL_MEMORY": "much"},
         err=["OOMDRILL_MEMORY", "'much' is no size"]),
    Case(OOMDRILL, ["run", "--engine", "podman"], 64,
         err=["--engine", "'podman'", "auto, cgroup, systemd, docker"]),
    Case(OOMDRILL, ["run", "--expect", "luck"], 64, err=["--expect", "'luck'", "oom_killed"]),
    Case(OOMDRILL, ["run", "--timeout", "0"], 64, err=["--timeout"]),
    Case(OOMDRILL, ["run", "--interval", "1us"], 64, err=["--interval", "10ms"]),
    Case(OOMDRILL, ["run", "--format", "xml"], 64, err=["--format", "text, json"]),
    Case(OOMDRILL, ["run", "--workload"], 64, err=["--workload", "no command", "--"]),
]


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_one_line_and_a_code(case):
    done = run(case.program, *case.arguments, env=case.env)
    assert done.returncode == case.code, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith(case.program + ": "), done.stderr
    assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, done.stderr
    for part in case.err:
        assert part in done.stderr


GOOD = [
    Case(LEAKSIM, ["--help"], 0, out=["--rate", "LEAKSIM_RATE", "default 1MB/s", "--until"]),
    Case(LEAKSIM, ["-h"], 0, out=["--rate"]),
    Case(LEAKSIM, ["--list-patterns"], 0, out=["linear:", "burst:", "lru:", "interval="]),
    Case(LEAKSIM, ["plan", "--help"], 0, out=["--memory", "LEAKSIM_MEMORY", "--phase"]),
    Case(LEAKSIM, ["plan", "--memory", "64MiB"], 0, out=["the live bytes meet the limit of 64.0 MiB after 67.1 s"]),
    Case(LEAKSIM, ["completion", "--help"], 0, out=["bash|zsh|fish"]),
    Case(LEAKSIM, ["man", "--help"], 0, out=["manual page"]),
    Case(LEAKSIM, ["--list-kinds"], 0, out=["anon:", "heap:", "memfd:", "pages=dirty|clean"]),
    Case(LEAKSIM, ["explain"], 0, out=["ECS on cgroup v1", "memfd", "shmem"]),
    Case(LEAKSIM, ["explain", "memfd"], 0, out=["usage - cache", "nothing", "blind spot"]),
    Case(OOMPROBE, ["--help"], 0, out=["run", "watch", "snapshot", "doctor"]),
    Case(OOMPROBE, ["run", "--help"], 0, out=["--interval", "OOMPROBE_INTERVAL", "default 1s"]),
    Case(OOMPROBE, ["watch", "--help"], 0, out=["--cgroup", "OOMPROBE_CGROUP"]),
    Case(OOMPROBE, ["snapshot", "--help"], 0, out=["--fail-above", "OOMPROBE_FAIL_ABOVE"]),
    Case(OOMPROBE, ["doctor", "--help"], 0, out=["--cgroup"]),
    Case(OOMDRILL, ["--help"], 0, out=["run", "Exit codes"]),
    Case(OOMDRILL, ["run", "--help"], 0, out=["--memory", "OOMDRILL_MEMORY", "default 64MiB"]),
]


@pytest.mark.parametrize("case", GOOD, ids=str)
def test_what_is_asked_for_is_on_stdout(case):
    done = run(case.program, *case.arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = " ".join(done.stdout.split())  # help is wrapped
    for part in case.out:
        assert part in text


@pytest.mark.parametrize("program", [LEAKSIM, OOMPROBE, OOMDRILL])
def test_version(program):
    done = run(program, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(program + r" \d+\.\d+\.\d+\n", done.stdout)


def test_help_names_a_variable_for_every_option():
    commands = [[LEAKSIM], [LEAKSIM, "plan"], *([OOMPROBE, name] for name in ("run", "watch", "snapshot", "doctor")),
                [OOMDRILL, "run"]]
    for command in commands:
        text = run(*command, "--help").stdout
        options = set(re.findall(r"^ +(?:-\w, )? *--([a-z-]+)", text, re.MULTILINE))
        assert options, command
        for option in options - {"help", "version"}:
            variable = f"{command[0]}_{option}".upper().replace("-", "_")
            assert variable in text, command


@pytest.mark.parametrize(
    "command, code",
    [(["true"], 0), (["false"], 1), (["sh", "-c", "exit 42"], 42),
     (["sh", "-c", "kill -TERM $$"], 143), (["sh", "-c", "kill -KILL $$"], 137),
     (["/nonexistent/program"], 127), (["/etc/passwd"], 126)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value))
def test_oomprobe_run_exits_as_its_command(command, code):
    assert run(OOMPROBE, "run", "--format", "json", "--", *command).returncode == code


def test_a_flag_beats_the_variable():
    done = run(LEAKSIM, "--rate", "0", env={"LEAKSIM_RATE": "8MB/s"})
    assert "--rate" in done.stderr and done.returncode == 64


def test_leaksim_refuses_a_limit_smaller_than_itself(make_cgroup):
    # What the program itself needs is charged before main(), so a tight limit leaves no room.
    for limit in (2 * MiB, 1 * MiB):
        done = run(LEAKSIM, preexec_fn=make_cgroup(limit).enter)
        if done.returncode == -9:
            continue  # the kernel was faster: it does not fit at all
        assert done.returncode == 69, done.stderr
        assert done.stderr.startswith("leaksim: ") and done.stderr.count("\n") == 1
        assert "limit" in done.stderr
        return
    pytest.fail("leaksim was killed at every limit, so it was never seen to refuse one")


def unlimited():
    if IS_V1:
        return int((ROOT / "memory.limit_in_bytes").read_text()) > 1 << 60
    return not (ROOT / "memory.max").exists()


def test_leaksim_refuses_to_run_without_a_limit(make_cgroup):
    cgroup = make_cgroup()
    require(unlimited(), "the tests run under a memory limit themselves",
            "run them outside of a container")
    done = run(LEAKSIM, "--max-bytes", "1MiB", preexec_fn=cgroup.enter)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("leaksim: ") and done.stderr.count("\n") == 1
    assert "--allow-unlimited" in done.stderr

    done = run(LEAKSIM, "--allow-unlimited", "--max-bytes", "1MiB", "--rate", "max",
               "--format", "json", preexec_fn=cgroup.enter)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"reason":"max_bytes"' in done.stdout


def test_an_output_file_that_cannot_be_made(tmp_path):
    missing = tmp_path / "no" / "such" / "folder" / "events"
    done = run(OOMPROBE, "run", "--output", str(missing), "--", "true")
    assert done.returncode == 73
    assert str(missing) in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("program, arguments", [
    (OOMPROBE, ["--help"]), (OOMDRILL, ["--help"]), (LEAKSIM, ["--help"]), (LEAKSIM, ["--version"]),
    (LEAKSIM, ["plan"]), (LEAKSIM, ["plan", "-m", "64MiB", "-f", "csv"]),
    (LEAKSIM, ["plan", "-m", "64MiB", "-f", "json"]), (LEAKSIM, ["explain"]), (LEAKSIM, ["--list-kinds"]), (LEAKSIM, ["man"]),
    (LEAKSIM, ["completion", "bash"])])
def test_an_output_that_cannot_be_written(program, arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BIN / program, *arguments], stdout=full, stderr=subprocess.PIPE,
                              check=False, timeout=TIMEOUT)
    assert done.returncode == 74
    assert done.stderr.count(b"\n") == 1
