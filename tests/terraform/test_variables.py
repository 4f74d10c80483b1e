"""Combinations that must plan, and values that must be refused with a reason."""

import json

import pytest
from harness import NEEDED, Failed, of_type, only, resources

EC2 = {"launch_type": "EC2", "network_mode": "bridge", "image": NEEDED["image"]}

COMBINATIONS = {
    "defaults": NEEDED,
    "nothing optional": {
        **NEEDED,
        "alarms": False,
        "dashboard": False,
        "drill": False,
        "autoscaling": None,
        "health_check": None,
        "container_insights": "disabled",
    },
    "existing cluster and topic": {
        **NEEDED,
        "cluster_name": "shared",
        "sns_topic_arn": "arn:aws:sns:xx-test-1:123456789012:ops",
        "security_group_ids": ["sg-1"],
        "vpc_id": None,
    },
    "sidecar, restarted in place": {**NEEDED, "probe_mode": "sidecar", "restart_policy": {"attempt_period": 60}},
    "sidecar with an image of its own": {**NEEDED, "image": "nginx:1", "probe_mode": "sidecar", "probe_image": "probe:1"},
    "blocking log": {**NEEDED, "log_mode": "blocking"},
    "spot": {**NEEDED, "capacity_provider": "FARGATE_SPOT"},
    "largest on Fargate": {**NEEDED, "cpu": 16384, "memory": 122880, "cpu_architecture": "ARM64"},
    "EC2, any size": {**EC2, "cpu": 300, "memory": 700},
    "EC2, host network": {**EC2, "network_mode": "host"},
    "EC2, awsvpc": {**NEEDED, "launch_type": "EC2"},
    "FIS with a stop alarm": {**NEEDED, "fis": True, "fis_stop_alarm_arn": "arn:aws:cloudwatch:xx-test-1:123456789012:alarm:s"},
    "standard resolution": {**NEEDED, "high_resolution": False, "guide_alarms": True, "memory_threshold_percent": 70},
}


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_combination_plans(module, combination):
    variables = COMBINATIONS[combination]
    planned = module.plan(**variables)["planned_values"]
    task = only(planned, "aws_ecs_task_definition")
    assert task["requires_compatibilities"] == [variables.get("launch_type", "FARGATE")]
    service = only(planned, "aws_ecs_service")
    assert (service["launch_type"] is None) == ("capacity_provider" in variables)
    assert bool(service["network_configuration"]) == (variables.get("network_mode", "awsvpc") == "awsvpc")
    assert bool(of_type(planned, "aws_ecs_cluster")) == ("cluster_name" not in variables)


def test_nothing_optional_leaves_the_bare_service(module):
    planned = module.plan(**COMBINATIONS["nothing optional"])["planned_values"]
    left = {r["type"] for r in resources(planned).values()}
    assert left == {
        "aws_cloudwatch_event_rule",
        "aws_cloudwatch_event_target",
        "aws_cloudwatch_log_group",
        "aws_ecs_cluster",
        "aws_ecs_service",
        "aws_ecs_task_definition",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_security_group",
        "aws_sns_topic",
        "aws_sns_topic_policy",
        "aws_vpc_security_group_egress_rule",
    }


# Refused one by one; they do not touch each other, so that one plan shows all.
REFUSED = {
    "name": ("Oom_Drill", "a-z, 0-9"),
    "image": ("two words", "without blanks"),
    "command": ([], "at least one word"),
    "container_name": ("oomprobe", "the sidecar's"),
    "probe_mode": ("inside", "entry_point or sidecar"),
    "leaksim": ({"LEAKSIM_RATE": "1MB/s"}, "long options"),
    "oomprobe": ({"metric-namespace": "x"}, "the namespace is metric_namespace"),
    "container_insights": ("on", "enhanced, enabled or disabled"),
    "probe_memory": (4, "6 MiB or more"),
    "cpu_architecture": ("RISCV", "X86_64 or ARM64"),
    "user": ("root", "not root"),
    "stop_timeout": (121, "120 s at most"),
    "restart_policy": ({"attempt_period": 30}, "60 to 1800"),
    "health_check": ({"interval": 1}, "interval 5-300"),
    "desired_count": (-1, "at least 0"),
    "autoscaling": ({"min": 5, "max": 4}, "min <= max"),
    "log_retention_days": (31, "CloudWatch takes"),
    "log_mode": ("lossy", "non-blocking or blocking"),
    "log_buffer_size": ("4MB", "512k or 4m"),
    "metric_namespace": ("AWS/ECS", "not beginning with AWS/"),
    "notification_emails": (["nobody"], "no e-mail address"),
    "lead": ({"seconds": 0}, "more than 0"),
    "memory_threshold_percent": (100, "less than 100"),
    "forecast_seconds": (0, "more than 0"),
    "restart_alarm": ({"period": 90}, "multiple of 60"),
    "hold_seconds": (-1, "at least 0"),
    "subnet_ids": ([], "at least one subnet"),
}


@pytest.fixture(scope="module")
def refusals(module):
    with pytest.raises(Failed) as failure:
        module.plan(**{name: value for name, (value, _) in REFUSED.items()}, vpc_id="vpc-1")
    return [d["detail"] for d in failure.value.diagnostics]


@pytest.mark.parametrize("name", REFUSED)
def test_value_is_refused(refusals, name):
    reason = REFUSED[name][1]
    assert any(detail.startswith(f"{name}: ") and reason in detail for detail in refusals), refusals


# Refused because of another variable.
CLASHES = {
    "memory that Fargate does not sell": ({"cpu": 256, "memory": 3072}, "sells 512, 1024, 2048 MiB"),
    "CPU that Fargate does not sell": ({"cpu": 300}, "sells 256, 512"),
    "Fargate without awsvpc": ({"network_mode": "bridge"}, "Fargate has awsvpc only"),
    "container larger than its task": ({"container_memory": 513}, "fit into the task's 512 MiB"),
    "no room beside the sidecar": ({"probe_mode": "sidecar", "container_memory": 449}, "fit into the task's 512 MiB"),
    "soft limit above the hard one": ({"container_memory_reservation": 480}, "less than the hard limit, which is 480 MiB"),
    "margin that leaves nothing": ({"memory_margin": 507}, "leave 6 MiB"),
    "no security group and no VPC": ({"vpc_id": None}, "vpc_id so that one can be made"),
    "FIS without the drill": ({"fis": True, "drill": False}, "needs drill = true"),
}


@pytest.mark.parametrize("clash", CLASHES)
def test_clash_is_refused(module, clash):
    variables, reason = CLASHES[clash]
    with pytest.raises(Failed, match=reason):
        module.plan(**{**NEEDED, **variables})


def test_fargate_sizes_are_those_that_are_sold(module):
    sold = {
        256: [512, 1024, 2048],
        512: [1024 * n for n in range(1, 5)],
        1024: [1024 * n for n in range(2, 9)],
        2048: [1024 * n for n in range(4, 17)],
        4096: [1024 * n for n in range(8, 31)],
        8192: [4096 * n for n in range(4, 16)],
        16384: [8192 * n for n in range(4, 16)],
    }
    ours = module.evaluate("local.fargate_memory", **NEEDED)
    assert {int(cpu): sizes for cpu, sizes in ours.items()} == sold


def test_a_lead_that_cannot_be_kept_is_warned_of(module):
    warned = module.warnings(**NEEDED, lead={"bytes_per_second": 10_000_000})
    assert any("cannot lead the kill by 60 s" in w["detail"] for w in warned), warned
    assert module.warnings(**NEEDED) == []


def test_options_become_the_programs_variables(module):
    planned = module.plan(
        **NEEDED,
        leaksim={"rate": "2MB/s", "max-bytes": "100MiB"},
        oomprobe={"kill-after": "5s"},
        environment={"EXTRA": "1"},
        metric_namespace="mine",
    )["planned_values"]
    (container,) = json.loads(only(planned, "aws_ecs_task_definition")["container_definitions"])
    assert {e["name"]: e["value"] for e in container["environment"]} == {
        "LEAKSIM_RATE": "2MB/s",
        "LEAKSIM_MAX_BYTES": "100MiB",
        "OOMPROBE_KILL_AFTER": "5s",
        "OOMPROBE_METRIC_NAMESPACE": "mine",
        "EXTRA": "1",
    }
