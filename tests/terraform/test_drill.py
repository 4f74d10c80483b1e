"""The SSM runbook and the FIS template that start a drill."""

import json
import re

import pytest
from aws import by_models
from harness import NEEDED, only

TASK = "arn:aws:ecs:xx-test-1:123456789012:task/full/0123456789abcdef0123456789abcdef"


def runbook(values):
    return json.loads(only(values, "aws_ssm_document")["content"])


def filled(value, runbook):
    """`value` with the runbook's references replaced; one that nothing defines is an error."""
    known = {name: parameter["default"] for name, parameter in runbook["parameters"].items()}
    known |= {f"{step['name']}.{o['Name']}": TASK for step in runbook["mainSteps"] for o in step.get("outputs", [])}
    return json.loads(re.sub(r"\{\{ ([\w.]+) \}\}", lambda m: known[m[1]], json.dumps(value)))


def calls(values):
    document = runbook(values)
    own = {"Service", "Api", "PropertySelector", "DesiredValues"}  # Automation's, not ECS's
    for step in document["mainSteps"]:
        inputs = filled(step["inputs"], document)
        yield inputs["Service"], inputs["Api"], {k: v for k, v in inputs.items() if k not in own}


def test_each_call_is_one_that_ecs_takes(applied):
    made = [call for name in ("fargate", "ec2", "full") for call in calls(applied(name)[1])]
    assert [api for _, api, _ in made] == ["RunTask", "DescribeTasks", "DescribeTasks", "StopTask"] * 3
    assert by_models(made) == [[]] * 12


def test_the_steps_lead_somewhere(applied):
    document = runbook(applied("full")[1])
    names = [step["name"] for step in document["mainSteps"]]
    assert len(set(names)) == len(names)
    assert document["schemaVersion"] == "0.3"
    for step in document["mainSteps"]:
        assert step["action"] in ("aws:executeAwsApi", "aws:waitForAwsResourceProperty")
        for way in ("onFailure", "onCancel"):
            assert step.get(way, "step:stop").removeprefix("step:") in names
    produced = {f"{step['name']}.{o['Name']}" for step in document["mainSteps"] for o in step.get("outputs", [])}
    assert set(document["outputs"]) == produced


def test_the_drill_leaks_in_the_services_own_task(applied):
    _, values = applied("full")
    start = runbook(values)["mainSteps"][0]["inputs"]
    (override,) = start["overrides"]["containerOverrides"]
    assert start["taskDefinition"] == "full" and override["name"] == "app"
    assert override["command"] == ["leaksim"]
    assert {e["name"] for e in override["environment"]} == {"LEAKSIM_PATTERN", "LEAKSIM_RATE", "LEAKSIM_UNTIL"}
    assert runbook(values)["assumeRole"].endswith(":role/full-drill")


def test_it_runs_where_the_service_runs(applied, module):
    start = runbook(applied("full")[1])["mainSteps"][0]["inputs"]
    assert start["launchType"] == "FARGATE" and "capacityProviderStrategy" not in start
    assert start["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == NEEDED["subnet_ids"]
    start = runbook(applied("ec2")[1])["mainSteps"][0]["inputs"]
    assert start["capacityProviderStrategy"] == [{"capacityProvider": "oomdrill-ec2-instances", "weight": 1}]
    assert "launchType" not in start and "networkConfiguration" not in start


@pytest.mark.parametrize(
    "parameter, taken, refused",
    [
        ("Pattern", ["linear", "cache-fill", "burst:size=64MiB,interval=10s"], ["", "linear; rm", "Linear"]),
        ("Rate", ["1MB/s", "0.5MiB/s", "512B/s", "max"], ["fast", "1MB", "1MB/s --until 5%"]),
        ("Until", ["oom", "90%", "512MiB", "50MiB-headroom"], ["", "90 %", "oom;"]),
    ],
)
def test_parameters_take_what_leaksim_takes(applied, parameter, taken, refused):
    described = runbook(applied("full")[1])["parameters"][parameter]
    for value in [*taken, described["default"]]:
        assert re.search(described["allowedPattern"], value), value
    for value in refused:
        assert not re.search(described["allowedPattern"], value), value


def test_fis_starts_the_runbook_with_parameters_that_it_has(applied):
    _, values = applied("full")
    document = only(values, "aws_ssm_document")
    template = only(values, "aws_fis_experiment_template")
    (action,) = template["action"]
    assert action["action_id"] == "aws:ssm:start-automation-execution"
    parameters = {p["key"]: p["value"] for p in action["parameter"]}
    assert parameters["documentArn"] == document["arn"]
    assert re.fullmatch(r"PT\d+[HM]", parameters["maxDuration"])
    described = runbook(values)["parameters"]
    for name, value in json.loads(parameters["documentParameters"]).items():
        assert re.search(described[name]["allowedPattern"], value)
    (stop,) = template["stop_condition"]
    assert stop["source"] == "aws:cloudwatch:alarm" and stop["value"].endswith(":alarm:stop")
    (stop,) = only(applied("fargate")[1], "aws_fis_experiment_template")["stop_condition"]
    assert stop["source"] == "none" and not stop["value"]
