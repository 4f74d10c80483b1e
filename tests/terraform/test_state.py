"""What stands after an apply (against the stub, which makes computed attributes up)."""

import json
import re

import pytest
from conftest import APPLIED
from harness import MODULE, of_type, only, resources

SETS = list(APPLIED)


def statements(values):
    for resource in resources(values).values():
        for attribute in ("policy", "assume_role_policy"):
            if resource["values"].get(attribute):
                for statement in json.loads(resource["values"][attribute])["Statement"]:
                    yield resource["address"], statement


def listed(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", SETS)
def test_a_second_plan_changes_nothing(applied, name):
    root, _ = applied(name)
    plan = root.plan(**APPLIED[name][1])
    changed = [c["address"] for c in plan["resource_changes"] if c["change"]["actions"] not in (["no-op"], ["read"])]
    assert changed == []


@pytest.mark.parametrize("name", SETS)
def test_names_begin_alike_and_what_takes_tags_has_them(applied, name):
    _, values = applied(name)
    prefix = "full" if name == "full" else "oomdrill-ec2" if name == "ec2" else "oomdrill"
    guides = {"ecs-memory-utilization-high", "memory-utilization", "oom-kills"}
    in_their_role = {"pull-and-log", "run-and-stop", "start-drill"}
    for address, resource in resources(values).items():
        own = resource["values"].get("name") or resource["values"].get("alarm_name")
        if own and own not in guides | in_their_role and resource["type"] not in ("aws_cloudwatch_query_definition",):
            assert own.removeprefix("/ecs/").startswith(prefix), address
        # Those of the ec2 example outside of the module have the provider's default_tags.
        if "tags" in resource["values"] and address.startswith(("module.", "aws_")[name == "full"]):
            tags = resource["values"]["tags"]
            assert tags["ManagedBy"] == "terraform" and tags["Name"] == prefix, address
            if name == "full":
                assert tags["Team"] == "memory", address


def test_no_region_account_or_partition_is_written_down():
    for path in MODULE.rglob("*.tf"):
        text = path.read_text()
        assert not re.search(r"\b(us|eu|ap|sa|ca|me|af|cn)-(gov-)?(north|south|east|west|central)[a-z]*-[0-9]\b", text), path
        assert not re.search(r"\b[0-9]{12}\b", text), path
        assert "arn:aws" not in text, path


@pytest.mark.parametrize("name", SETS)
def test_outputs_tell_what_stands(applied, name):
    _, values = applied(name)
    outputs = {n: o["value"] for n, o in values["outputs"].items()}
    told = outputs if name == "full" else outputs["oomdrill"]
    assert told["service_name"] == only(values, "aws_ecs_service")["name"]
    assert told["cluster_name"] == only(values, "aws_ecs_cluster")["name"]
    assert told["log_group_name"] == only(values, "aws_cloudwatch_log_group")["name"]
    assert told["task_definition_arn"].endswith(f":task-definition/{told['task_definition_family']}:1")
    assert told["container_memory"] == {"fargate": 480, "ec2": 384, "full": 416}[name]
    alarms = of_type(values, "aws_cloudwatch_metric_alarm") + of_type(values, "aws_cloudwatch_composite_alarm")
    assert told["alarm_names"] == sorted(a["alarm_name"] for a in alarms)
    assert told["query_names"] == sorted(q["name"] for q in of_type(values, "aws_cloudwatch_query_definition"))
    assert told["drill_document_name"] == only(values, "aws_ssm_document")["name"]
    assert (told["network"] is None) == (name == "ec2")


# --- permissions ---


def test_no_permission_is_wider_than_it_must_be(applied):
    for name in SETS:
        for address, statement in statements(applied(name)[1]):
            assert statement["Effect"] == "Allow", address
            for action in listed(statement["Action"]):
                assert "*" not in action, f"{address}: {action}"
            for resource in listed(statement.get("Resource", [])):
                assert resource != "*" or statement["Sid"] == "RegistryToken", f"{address}: {statement}"
            if "iam:PassRole" in listed(statement["Action"]):
                assert statement["Condition"]["StringEquals"]["iam:PassedToService"], address


def test_only_this_account_may_have_a_role_assumed(applied):
    trusts = [s for address, s in statements(applied("full")[1]) if s["Action"] == "sts:AssumeRole"]
    assert {s["Principal"]["Service"].split(".")[0] for s in trusts} == {"ecs-tasks", "ssm", "fis"}
    for statement in trusts:
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_execution_role_pulls_its_images_and_writes_its_log_only(applied):
    _, values = applied("full")
    found = {s["Sid"]: s for a, s in statements(values) if a.startswith("aws_iam_role_policy.execution")}
    assert found["Log"]["Resource"] == ["arn:aws:logs:xx-test-1:123456789012:log-group:/ecs/full:log-stream:full/*"]
    assert found["Pull"]["Resource"] == [
        "arn:aws:ecr:xx-test-1:123456789012:repository/oomdrill",
        "arn:aws:ecr:xx-test-1:123456789012:repository/probe",
    ]


def test_the_containers_themselves_may_do_nothing(applied):
    _, values = applied("full")
    task = only(values, "aws_ecs_task_definition")["task_role_arn"].split("/")[-1]
    assert task not in [p["role"] for p in of_type(values, "aws_iam_role_policy")]


def test_the_drill_may_start_this_family_in_this_cluster_only(applied):
    _, values = applied("full")
    found = {s["Sid"]: s for a, s in statements(values) if a.startswith("aws_iam_role_policy.drill")}
    assert found["Start"]["Resource"] == "arn:aws:ecs:xx-test-1:123456789012:task-definition/full:*"
    assert found["Start"]["Condition"]["ArnEquals"]["ecs:cluster"].endswith(":cluster/full")
    assert found["WatchAndStop"]["Resource"].endswith(":task/full/*")


def test_the_topic_lets_alarms_and_the_rule_publish(applied):
    _, values = applied("full")
    topic = only(values, "aws_sns_topic")["arn"]
    found = {s["Sid"]: s for a, s in statements(values) if a.startswith("aws_sns_topic_policy")}
    assert found["Alarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    rule = only(values, "aws_cloudwatch_event_rule")["arn"]
    assert found["StoppedTasks"]["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}
    assert {s["Resource"] for s in found.values()} == {topic}
    assert only(values, "aws_cloudwatch_event_target")["arn"] == topic
    assert {s["endpoint"] for s in of_type(values, "aws_sns_topic_subscription")} == {"a@example.org", "b@example.org"}


# --- service and scaling ---


def test_scaling_has_the_guides_values(applied):
    _, values = applied("fargate")
    target = only(values, "aws_appautoscaling_target")
    assert (target["min_capacity"], target["max_capacity"]) == (1, 4)
    assert target["resource_id"] == "service/oomdrill/oomdrill"
    (tracking,) = only(values, "aws_appautoscaling_policy")["target_tracking_scaling_policy_configuration"]
    assert tracking["target_value"] == 75
    assert tracking["predefined_metric_specification"][0]["predefined_metric_type"] == "ECSServiceAverageMemoryUtilization"


def test_logs_and_cluster(applied):
    _, values = applied("full")
    group = only(values, "aws_cloudwatch_log_group")
    assert group["retention_in_days"] == 30 and group["kms_key_id"].startswith("arn:aws:kms:")
    assert only(values, "aws_ecs_cluster")["setting"] == [{"name": "containerInsights", "value": "enhanced"}]


def test_the_group_made_for_tasks_lets_https_out_and_nothing_in(applied):
    _, values = applied("fargate")
    group = only(values, "aws_security_group")
    assert not group["ingress"] and not group["egress"]
    rule = only(values, "aws_vpc_security_group_egress_rule")
    assert (rule["from_port"], rule["to_port"], rule["ip_protocol"]) == (443, 443, "tcp")
    assert of_type(values, "aws_vpc_security_group_ingress_rule") == []
