"""What the READMEs say is what the HCL says; and the plan that oomdrill evaluate reads is there to be had."""

import json
import re
import subprocess

import pytest
import readme
from harness import HERE, MODULE, ROOT, of_type


def test_the_tables_are_those_of_the_hcl(module):
    text = readme.README.read_text()
    assert readme.filled(text, module.plan(**readme.VARIABLES)) == text, "run: /usr/bin/python3 tests/terraform/readme.py"


@pytest.mark.parametrize("kind, file", [("variable", "variables.tf"), ("output", "outputs.tf")])
def test_every_one_is_in_the_readme_and_described(kind, file):
    text = readme.README.read_text()
    for path in [MODULE / file, *MODULE.glob(f"examples/*/{file}")]:
        blocks = re.findall(rf'^{kind} "(\w+)" \{{\n(.*?)^\}}', path.read_text(), re.M | re.S)
        assert blocks, path
        for name, body in blocks:
            assert re.search(r'^  description = ".{5,}"$', body, re.M), f"{path}: {name}"
            if path.parent == MODULE:
                assert f"| `{name}` |" in text, name


def test_files_and_commands_that_the_readmes_name_exist():
    for path in [ROOT / "deploy" / "README.md", *MODULE.rglob("README.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
            assert "://" in target or (path.parent / target).exists(), f"{path}: {target}"


def test_the_plan_for_evaluate_has_both_sets_of_alarms(tmp_path):
    out = tmp_path / "plan.json"
    done = subprocess.run([HERE / "plan", out, "name=mine"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = {a["alarm_name"] for a in of_type(json.loads(out.read_text())["planned_values"], "aws_cloudwatch_metric_alarm")}
    assert {"mine-memory-lead", "mine-oom-killed", "ecs-memory-utilization-high", "oom-kills"} <= names


def test_plan_without_a_file_says_how():
    done = subprocess.run([HERE / "plan"], capture_output=True, text=True, check=False)
    assert done.returncode == 64 and "Usage: tests/terraform/plan" in done.stderr
