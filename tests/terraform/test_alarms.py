"""The alarms: what each states, and that it is so."""

import json
import math
import re

import pytest
from aws import events_matched
from harness import GUIDE, NEEDED, ROOT, of_type, only

SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())["$defs"]
# What AWS publishes of its own accord, as far as our alarms rely on it.
AWS_METRICS = {
    ("AWS/ECS", "MemoryUtilization"),
    ("ECS/ContainerInsights", "RestartCount"),
    ("AWS/Logs", "EMFParsingErrors"),
    ("AWS/Logs", "EMFValidationErrors"),
}


@pytest.fixture(scope="module")
def full(applied):
    return applied("full")[1]


@pytest.fixture(scope="module")
def alarms(full):
    """Ours by their names without the prefix."""
    return {
        a["alarm_name"].removeprefix("full-"): a
        for a in of_type(full, "aws_cloudwatch_metric_alarm")
        if a["alarm_name"].startswith("full-")
    }


def test_the_set_is_complete(alarms):
    assert set(alarms) == {
        "memory-lead",
        "memory-shared",
        "memory-forecast",
        "oom-killed",
        "worker-oom-killed",
        "restarts",
        "probe-silent",
        "emf-parsing",
        "emf-validation",
    }


def test_each_states_how_it_treats_missing_data(alarms):
    assert {name for name, a in alarms.items() if a["treat_missing_data"] != "notBreaching"} == {"probe-silent"}
    assert alarms["probe-silent"]["treat_missing_data"] == "breaching"


def test_each_can_be_evaluated_by_cloudwatch(alarms):
    for name, alarm in alarms.items():
        assert alarm["period"] in (10, 20, 30) or alarm["period"] % 60 == 0, name
        assert alarm["period"] * alarm["evaluation_periods"] <= 86400, name
        assert 1 <= alarm["datapoints_to_alarm"] <= alarm["evaluation_periods"], name


def test_each_watches_a_metric_that_somebody_publishes(full, alarms):
    ours = {f["metric_transformation"][0]["name"] for f in of_type(full, "aws_cloudwatch_log_metric_filter")}
    ours |= {"MemoryUtilization", "oom_killed", "memory_reservation"} & set(SCHEMA["memory.sample"]["properties"])
    for name, alarm in alarms.items():
        watched = (alarm["namespace"], alarm["metric_name"])
        assert watched in AWS_METRICS or (watched[0] == "oomdrill" and watched[1] in ours), name
    # The guide's third does not.
    (guides,) = [a for a in of_type(full, "aws_cloudwatch_metric_alarm") if a["alarm_name"] == "oom-kills"]
    assert (guides["namespace"], guides["metric_name"]) not in AWS_METRICS


def test_ours_see_tasks_of_the_service_and_of_a_drill(full, alarms):
    # A task of run-task has a family and a container, but no service.
    for name, alarm in alarms.items():
        if alarm["namespace"] == "oomdrill":
            assert alarm["dimensions"] == {"TaskDefinitionFamily": "full", "ContainerName": "app"}, name
    for metric_filter in of_type(full, "aws_cloudwatch_log_metric_filter"):
        (made,) = metric_filter["metric_transformation"]
        assert made["namespace"] == "oomdrill"
        assert made["dimensions"] == {"TaskDefinitionFamily": "$.family", "ContainerName": "$.container_name"}
        assert not made["default_value"], "CloudWatch takes no default beside dimensions"


# --- the lead that a description states ---


def fires_at_latest(percent_at, alarm, delivery):
    """Worst over all phases: seconds after the leak's start at which an alarm on Maximum fires.

    percent_at(t) never falls; points are the maxima of aligned periods, delivered late; evaluation
    is once a period. Nothing here is the module's formula: it is CloudWatch played through."""
    period, needed = alarm["period"], alarm["datapoints_to_alarm"]
    worst = 0
    for phase in range(period):  # where in a period the leak starts
        ends = [period - phase + n * period for n in range(10_000 // period)]
        breaching = [end for end in ends if percent_at(end) > alarm["threshold"]]
        seen = breaching[needed - 1] + delivery
        for evaluated in (0, period - 1):  # the clock of the evaluation has a phase of its own
            next_look = math.ceil((seen - evaluated) / period) * period + evaluated
            worst = max(worst, next_look)
    return worst


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"high_resolution": False, "guide_alarms": True, "memory_threshold_percent": 70},
        {"cpu": 1024, "memory": 4096},
        {"lead": {"seconds": 20, "bytes_per_second": 2_000_000, "delivery_seconds": 10}},
    ],
    ids=["as the guide leaks", "standard resolution, own threshold", "4 GiB", "twice as fast"],
)
def test_the_early_alarms_keep_the_lead_that_they_state(module, variables):
    planned = module.plan(**{**NEEDED, **variables})["planned_values"]
    lead = {"seconds": 60, "bytes_per_second": 1_000_000, "delivery_seconds": 30, **variables.get("lead", {})}
    (container,) = json.loads(only(planned, "aws_ecs_task_definition")["container_definitions"])
    limit = container["memory"] * 1048576
    killed_at = limit / lead["bytes_per_second"]
    found = {a["alarm_name"]: a for a in of_type(planned, "aws_cloudwatch_metric_alarm")}
    for name, scale in (("oomdrill-memory-lead", 100 / limit), ("oomdrill-memory-shared", 1)):
        alarm = found[name]
        assert f"{lead['bytes_per_second']} B/s into {container['memory']} MiB" in alarm["alarm_description"]
        fired = fires_at_latest(lambda t: t * lead["bytes_per_second"] * scale, alarm, lead["delivery_seconds"])
        stated = re.search(r"at least (\d+) s before", alarm["alarm_description"])
        if stated:
            assert killed_at - fired >= int(stated[1]) - 1, (name, killed_at, fired)
        else:
            after = int(re.search(r"up to (\d+) s after", alarm["alarm_description"])[1])
            assert fired - killed_at <= after + 1, (name, killed_at, fired)


def test_the_first_alarm_leads_by_what_was_asked_for(applied):
    outputs = applied("fargate")[1]["outputs"]["oomdrill"]["value"]
    assert outputs["lead_seconds"]["memory-lead"] >= 60
    assert outputs["lead_seconds"]["memory-forecast"] == 75
    assert 50 <= outputs["threshold_percent"]["memory-lead"] <= 90


def test_the_guides_alarm_would_fire_after_the_kill(full):
    # The same play: an Average of 60 s lies half a period behind, its points come two minutes late.
    (high,) = [a for a in of_type(full, "aws_cloudwatch_metric_alarm") if a["alarm_name"] == "ecs-memory-utilization-high"]
    alarm = {**high, "datapoints_to_alarm": high["evaluation_periods"]}
    fired = fires_at_latest(lambda t: (t - 30) * 1_000_000 * 100 / (512 << 20), alarm, 120)
    assert fired > (512 << 20) / 1_000_000


# --- as the guide wrote them ---


def guides_own():
    """alarm name -> arguments, as they stand in the guide."""
    text = GUIDE.read_text()
    for body in re.findall(r'^resource "aws_cloudwatch_metric_alarm" "\w+" \{\n(.*?)^\}', text, re.M | re.S):
        arguments = dict(re.findall(r'^  (\w+)\s*= "(.*)"$', body, re.M))
        arguments["acts"] = "alarm_actions" in body
        yield arguments


def test_the_guides_alarms_are_as_it_wrote_them(full):
    found = {a["alarm_name"]: a for a in of_type(full, "aws_cloudwatch_metric_alarm")}
    written = list(guides_own())
    assert len(written) == 3
    for arguments in written:
        ours = found[arguments["alarm_name"]]
        assert bool(ours["alarm_actions"]) == arguments.pop("acts")
        for name, value in arguments.items():
            assert str(ours[name]) == value, (arguments["alarm_name"], name)
        assert ours["treat_missing_data"] is None and ours["datapoints_to_alarm"] is None
        assert ours["dimensions"] == {"ClusterName": "full", "ServiceName": "full"}


# --- composite alarms ---


def test_the_composites_sum_up_alarms_that_exist(full, alarms):
    composites = {c["alarm_name"]: c for c in of_type(full, "aws_cloudwatch_composite_alarm")}
    members = {
        name: set(re.findall(r'ALARM\("full-([a-z-]+)"\)', c["alarm_rule"])) for name, c in composites.items()
    }
    assert members == {
        "full-memory-exhaustion": {"memory-lead", "memory-shared", "memory-forecast"},
        "full-killed": {"oom-killed", "worker-oom-killed", "restarts"},
    }
    for name, composite in composites.items():
        assert re.fullmatch(r'ALARM\("[\w-]+"\)( OR ALARM\("[\w-]+"\))*', composite["alarm_rule"]), name
        assert composite["alarm_actions"], name
        # Who is called at night copies it.
        command = re.search(r"(scripts/aws/\w+) --cluster (\S+) --service (\S+)\. Runbook: (\S+)", composite["alarm_description"])
        (service,) = of_type(full, "aws_ecs_service")
        assert command.group(2, 3) == (service["cluster"].rsplit("/", 1)[-1], service["name"]), name
        assert all((ROOT / path).is_file() for path in command.group(1, 4)), name
    assert set.union(*members.values()) <= set(alarms)


def test_early_warnings_are_held_back_after_a_kill(full):
    (early,) = [c for c in of_type(full, "aws_cloudwatch_composite_alarm") if c["actions_suppressor"]]
    assert early["alarm_name"] == "full-memory-exhaustion"
    assert early["actions_suppressor"] == [{"alarm": "full-killed", "extension_period": 600, "wait_period": 0}]


def test_without_notify_each_only_the_composites_and_the_watchers_speak(applied, full):
    _, values = applied("fargate")
    speaks = {a["alarm_name"] for a in of_type(values, "aws_cloudwatch_metric_alarm") if a["alarm_actions"]}
    guides = {"memory-utilization", "oom-kills"}  # as it wrote them: its first notifies nobody
    assert speaks - guides == {"oomdrill-probe-silent", "oomdrill-emf-parsing", "oomdrill-emf-validation"}
    assert "restarts" not in " ".join(c["alarm_rule"] for c in of_type(values, "aws_cloudwatch_composite_alarm"))
    everyone = [a for a in of_type(full, "aws_cloudwatch_metric_alarm") if a["alarm_name"].startswith("full-")]
    assert all(a["alarm_actions"] for a in everyone)


# --- metric filters: played on events ---

TERM = re.compile(r'\$\.(\w+) (=|>=) ("[^"]*"|\d+)|\$\.(\w+) IS TRUE|&&|\|\||[()]')


def matches(pattern, event):
    """The few constructs of CloudWatch's JSON patterns that ours use; anything else is an error."""
    inner = re.fullmatch(r"\{ (.*) \}", pattern)[1]
    assert TERM.sub("", inner).strip() == "", f"beyond what is known here: {pattern}"
    spoken = []
    for term in TERM.finditer(inner):
        field, operator, value, flag = term.groups()
        if flag:
            spoken.append(str(event.get(flag) is True))
        elif field:
            wanted, given = json.loads(value), event.get(field)
            same_kind = isinstance(given, str) == isinstance(wanted, str) and given is not None
            spoken.append(str(same_kind and (given == wanted if operator == "=" else given >= wanted)))
        else:
            spoken.append({"&&": "and", "||": "or"}.get(term[0], term[0]))
    return eval(" ".join(spoken))  # of True, False, and, or and brackets only


def test_the_filters_pick_the_events_that_they_mean(full):
    patterns = {f["metric_transformation"][0]["name"]: f["pattern"] for f in of_type(full, "aws_cloudwatch_log_metric_filter")}
    kill = {"event": "memory.oom_kill", "kills": 1, "survived": True}
    sample = {"event": "memory.sample", "shmem_bytes": 0}
    growth = {"event": "memory.growth", "eta_oom_s": 12.5, "confidence": "likely"}
    threshold = {"event": "memory.threshold", "threshold_percent": 75, "eta_oom_s": 80}
    others = [{**growth, "confidence": "unknown"}, {**kill, "survived": False}, {"event": "memory.sample"}, {"event": "leak.progress", "eta_oom_s": 9}, {"event": "memory.threshold"}]
    wanted = {"WorkerOomKills": [kill], "SharedMemoryBytes": [sample], "TimeToOom": [growth]}
    assert set(patterns) == set(wanted)
    for name, pattern in patterns.items():
        picked = [e for e in [kill, sample, growth, threshold, *others] if matches(pattern, e)]
        assert picked == wanted[name], name


def test_the_fields_of_filters_exist(full):
    for metric_filter in of_type(full, "aws_cloudwatch_log_metric_filter"):
        events = re.findall(r'\$\.event = "([\w.]+)"', metric_filter["pattern"])
        described = [SCHEMA[e]["properties"] for e in events]
        assert described
        for field in re.findall(r"\$\.(\w+) (?:>=|IS)", metric_filter["pattern"]):
            assert all(field in properties for properties in described), field


# --- stopped tasks ---


def test_the_rule_matches_tasks_that_were_killed(full):
    rule = only(full, "aws_cloudwatch_event_rule")
    cluster = "arn:aws:ecs:xx-test-1:123456789012:cluster/full"

    def event(family="full", status="STOPPED", cluster=cluster, **container):
        # EventBridge matches an array where any element matches: one container an event here.
        return {
            "source": "aws.ecs",
            "detail-type": "ECS Task State Change",
            "detail": {
                "clusterArn": cluster,
                "taskDefinitionArn": f"arn:aws:ecs:xx-test-1:123456789012:task-definition/{family}:7",
                "lastStatus": status,
                "stoppedReason": "Essential container in task exited",
                "containers": container,
            },
        }

    reason = "OutOfMemoryError: Container killed due to memory usage"
    expected = [
        (event(exitCode=137, reason=reason), True),
        (event(exitCode=0, reason=reason), True),  # amazon-ecs-agent#2467
        (event(exitCode=137), True),
        (event(exitCode=1), False),
        (event(exitCode=0), False),
        (event(exitCode=137, status="RUNNING"), False),
        (event(exitCode=137, family="full-other"), False),
        (event(exitCode=137, cluster=f"{cluster}-other"), False),
    ]
    assert events_matched(rule["event_pattern"], [e for e, _ in expected]) == [match for _, match in expected]


def test_the_notice_of_a_stopped_task_is_json(full):
    (transformer,) = only(full, "aws_cloudwatch_event_target")["input_transformer"]
    template = transformer["input_template"]
    named = set(re.findall(r"<(\w+)>", template))
    assert named == set(transformer["input_paths"])
    assert json.loads(re.sub(r"<\w+>", "0", template))["what"] == "task killed"
