"""The container definitions, held against ECS's own service model (botocore)."""

import copy
import json

import pytest
from aws import by_models
from harness import NEEDED, only
from test_variables import COMBINATIONS


def containers(values):
    return json.loads(only(values, "aws_ecs_task_definition")["container_definitions"])


def request(values, definitions=None):
    task = only(values, "aws_ecs_task_definition")
    given = {
        "family": task["family"],
        "taskRoleArn": task["task_role_arn"],
        "executionRoleArn": task["execution_role_arn"],
        "networkMode": task["network_mode"],
        "requiresCompatibilities": task["requires_compatibilities"],
        "cpu": task["cpu"],
        "memory": task["memory"],
        "pidMode": task["pid_mode"],
        "runtimePlatform": {
            "cpuArchitecture": task["runtime_platform"][0]["cpu_architecture"],
            "operatingSystemFamily": task["runtime_platform"][0]["operating_system_family"],
        },
        "containerDefinitions": definitions or containers(values),
    }
    return ("ecs", "RegisterTaskDefinition", {k: v for k, v in given.items() if v is not None})


def test_ecs_takes_them(applied):
    assert by_models([request(applied(name)[1]) for name in ("fargate", "ec2", "full")]) == [[], [], []]


WRONG = {
    "misspelt": (lambda c: c.update(restartPolizy={}), "restartPolizy"),
    "misspelt in the restart policy": (lambda c: c["restartPolicy"].update(attempts=3), "attempts"),
    "text for a number": (lambda c: c.update(memory="512"), "memory"),
    "no such driver": (lambda c: c["logConfiguration"].update(logDriver="awslog"), "awslog"),
    "no such condition": (lambda c: c["dependsOn"][0].update(condition="UP"), "UP"),
    "missing in a health check": (lambda c: c.update(healthCheck={"interval": 5}), "command"),
}


def test_ecs_would_not_take_these(applied):
    _, values = applied("full")
    spoiled = []
    for spoil, _ in WRONG.values():
        definitions = copy.deepcopy(containers(values))
        spoil(definitions[0])
        spoiled.append(request(values, definitions))
    for (what, (_, named)), problems in zip(WRONG.items(), by_models(spoiled)):
        assert problems and named in " ".join(problems), (what, problems)


@pytest.mark.parametrize("name", ["fargate", "ec2", "full"])
def test_every_container_is_confined_and_logs_in_a_stated_mode(applied, name):
    for container in containers(applied(name)[1]):
        assert container["readonlyRootFilesystem"] is True
        assert container["user"] == "65532:65532"
        assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
        assert container["stopTimeout"] == 30
        log = container["logConfiguration"]
        assert log["logDriver"] == "awslogs"
        assert log["options"]["mode"] == "non-blocking" and log["options"]["max-buffer-size"] == "4m"
        assert log["options"]["awslogs-region"] == "xx-test-1"


def test_the_probe_is_the_entry_point(applied):
    _, values = applied("fargate")
    (container,) = containers(values)
    assert container["entryPoint"] + container["command"] == ["oomprobe", "run", "--", "leaksim"]
    assert only(values, "aws_ecs_task_definition")["pid_mode"] in (None, "")
    assert "ulimits" not in container, "Fargate takes no memlock"
    assert "healthCheck" not in container, "the drill shall end in the kill"
    assert "restartPolicy" not in container


@pytest.mark.parametrize("name", ["ec2", "full"])
def test_the_sidecar_outlives_the_container_that_it_watches(applied, name):
    _, values = applied(name)
    task = only(values, "aws_ecs_task_definition")
    assert task["pid_mode"] == "task"
    app, probe = containers(values)
    assert (app["name"], probe["name"]) == ("app", "oomprobe")
    assert app["essential"] and not probe["essential"]
    assert app["dependsOn"] == [{"containerName": "oomprobe", "condition": "START"}]
    assert "entryPoint" not in app
    assert app["user"] == probe["user"], "what lets the probe read the other's cgroup"
    assert app["memory"] + probe["memory"] < int(task["memory"])
    assert 60 <= app["restartPolicy"]["restartAttemptPeriod"] <= 1800
    assert not any(e["name"].startswith("OOMPROBE_") for e in app["environment"])
    assert {"name": "OOMPROBE_METRIC_NAMESPACE", "value": "oomdrill"} in probe["environment"]


def test_the_hard_limit_is_below_the_tasks(applied):
    for name in ("fargate", "ec2", "full"):
        _, values = applied(name)
        assert sum(c["memory"] for c in containers(values)) < int(only(values, "aws_ecs_task_definition")["memory"])


def test_the_health_check_asks_the_probe(module):
    planned = module.plan(**NEEDED)["planned_values"]
    (container,) = containers(planned)
    check = container["healthCheck"]
    assert check["command"] == ["CMD", "oomprobe", "snapshot", "--fail-above", "95%"]
    # An image without the probe cannot be asked.
    planned = module.plan(**COMBINATIONS["sidecar with an image of its own"])["planned_values"]
    assert "healthCheck" not in containers(planned)[0]
