"""What leaksim says of itself: its reference, manual page and completion."""

import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import BIN, CLEAN, require, run

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_reference_of_patterns_is_what_leaksim_says():
    done = subprocess.run([ROOT / "scripts/docs-patterns", "--check"], env={**CLEAN, "OOMDRILL_BIN": str(BIN)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_plan_that_was_printed_can_be_replayed(tmp_path):
    curve = tmp_path / "curve.csv"
    options = ["--format", "csv", "--duration", "100s"]
    curve.write_text(run("leaksim", "plan", "--pattern", "random-walk", *options).stdout)
    again = run("leaksim", "plan", "--pattern", f"replay:file={curve}", *options)
    assert again.returncode == 0, again.stderr
    assert again.stdout == curve.read_text()
    assert len(again.stdout.splitlines()) == 102


def test_the_manual_page_is_clean_roff():
    page = run("leaksim", "man").stdout
    require(shutil.which("groff"), "needs groff", "apt-get install groff-base")
    # -P: without the overstriking of bold text.
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-c", "-P-b", "-P-u"], input=page,
                          capture_output=True, text=True, env=CLEAN, check=True)
    assert done.stderr == ""
    for part in ("leaksim plan", "--report-every TIME", "LEAKSIM_REPORT_EVERY", "sawtooth"):
        assert part in done.stdout.replace("\u2010\n", "")


def complete(line):
    """What bash offers at the end of `line`."""
    script = """
source <("$1" completion bash)
COMP_LINE=$2 COMP_POINT=${#2}
compopt() { :; }
_leaksim
printf '%s\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(["bash", "-uc", script, "bash", BIN / "leaksim", line], capture_output=True, text=True,
                          env=CLEAN, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("line, offered", [
    ("leaksim ", ["plan", "completion", "man"]),
    ("leaksim --pha", ["--phase"]),
    ("leaksim plan --report", ["--report-every"]),
    ("leaksim --kind h", ["heap", "hugepage"]),
    ("leaksim --format t", ["text"]),
    ("leaksim completion ", ["bash", "zsh", "fish"]),
    ("leaksim -p saw", ["sawtooth"]),
    ("leaksim -r 1MB/s --phase random", ["random-walk"]),
    # bash itself has split at ':' and '=': only what is behind the last of them is replaced
    ("leaksim --pattern burst:i", ["interval="]),
    ("leaksim --pattern burst:size=1MiB,j", ["1MiB,jitter="]),
])
def test_bash_completes(line, offered):
    assert [word for word in complete(line) if word in offered] == offered
    if not line.endswith(" "):
        assert complete(line) == offered


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_parse_their_completion(shell, tmp_path):
    script = tmp_path / "completion"
    script.write_text(run("leaksim", "completion", shell).stdout)
    if not shutil.which(shell):
        # Of the two, CI has neither: at least every option and no stray quote is in it.
        text = script.read_text()
        assert text.count("'") % 2 == 0
        assert "report-every" in text and "sawtooth" in text
        return
    subprocess.run([shell, "-n", script], check=True)
