"""The dashboard's JSON and the Logs Insights queries, by their documented grammar as far as it is public."""

import json
import re

import jsonschema
import pytest
from harness import MODULE, ROOT, of_type, only

EVENTS = json.loads((ROOT / "docs" / "events.schema.json").read_text())["$defs"]

# "Dashboard Body Structure and Syntax" of the CloudWatch API reference: the part that ours uses.
WIDGET = {
    "type": "object",
    "required": ["type", "x", "y", "width", "height", "properties"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["metric", "text", "log", "alarm"]},
        "x": {"type": "integer", "minimum": 0, "maximum": 23},
        "y": {"type": "integer", "minimum": 0},
        "width": {"type": "integer", "minimum": 1, "maximum": 24},
        "height": {"type": "integer", "minimum": 1, "maximum": 1000},
        "properties": {"type": "object"},
    },
}
AXIS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "min": {"type": "number"},
        "max": {"type": "number"},
        "label": {"type": "string"},
        "showUnits": {"type": "boolean"},
    },
}
PROPERTIES = {
    "metric": {
        "required": ["metrics", "region"],
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string"},
            "region": {"type": "string"},
            "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
            "period": {"type": "integer", "multipleOf": 60},
            "metrics": {"type": "array", "minItems": 1, "maxItems": 500},
            "yAxis": {"type": "object", "additionalProperties": False, "properties": {"left": AXIS, "right": AXIS}},
            "annotations": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "horizontal": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["value"],
                            "additionalProperties": False,
                            "properties": {"label": {"type": "string"}, "value": {"type": "number"}},
                        },
                    }
                },
            },
        },
    },
    "text": {"required": ["markdown"], "additionalProperties": False, "properties": {"markdown": {"type": "string"}}},
    "log": {
        "required": ["query", "region"],
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string"},
            "region": {"type": "string"},
            "view": {"enum": ["table", "timeSeries", "bar", "pie"]},
            "query": {"type": "string", "pattern": r"^SOURCE '[^']+'( \| SOURCE '[^']+')* \| "},
        },
    },
    "alarm": {
        "required": ["alarms"],
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string"},
            "alarms": {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string", "pattern": "^arn:"}},
        },
    },
}
RENDERING = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "stat": {"enum": ["Average", "Maximum", "Minimum", "Sum", "SampleCount"]},
        "label": {"type": "string"},
        "period": {"enum": [1, 5, 10, 30, 60, 300, 3600]},
    },
}


def widgets(values):
    return json.loads(only(values, "aws_cloudwatch_dashboard")["dashboard_body"])["widgets"]


@pytest.mark.parametrize("name", ["fargate", "ec2", "full"])
def test_the_dashboard_has_the_documented_form(applied, name):
    taken = set()
    for widget in widgets(applied(name)[1]):
        jsonschema.validate(widget, WIDGET)
        jsonschema.validate(widget["properties"], PROPERTIES[widget["type"]])
        assert widget["x"] + widget["width"] <= 24
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken, f"{widget['properties'].get('title')} overlaps another"
        taken |= cells
        for metric in widget["properties"].get("metrics", []):
            *names, rendering = metric
            assert len(names) % 2 == 0 and all(isinstance(n, str) and n for n in names)
            jsonschema.validate(rendering, RENDERING)


def test_it_shows_every_metric_that_an_alarm_watches_and_every_alarm(applied):
    _, values = applied("full")
    shown = {tuple(m[:2]) for w in widgets(values) for m in w["properties"].get("metrics", [])}
    alarms = [a for a in of_type(values, "aws_cloudwatch_metric_alarm") if a["alarm_name"].startswith("full-")]
    watched = {(a["namespace"], a["metric_name"]) for a in alarms if a["namespace"] != "AWS/Logs"}
    assert watched <= shown
    (listed,) = [w["properties"]["alarms"] for w in widgets(values) if w["type"] == "alarm"]
    composites = of_type(values, "aws_cloudwatch_composite_alarm")
    assert sorted(listed) == sorted(a["arn"] for a in alarms + composites)


# --- queries ---

COMMANDS = {"fields", "filter", "stats", "sort", "limit", "display", "dedup", "parse"}
FUNCTIONS = {"max", "min", "avg", "sum", "count", "latest", "earliest", "bin"}
WORDS = {"by", "in", "asc", "desc", "and", "or", "not"}
BUILT_IN = {"@timestamp", "@message", "@logStream"}
# With the growth detector (issue 4), which the forecast alarm waits for as well.
PROMISED = {"memory.growth"}


def members():
    """All fields that an event may have, nested ones with their dots."""
    found = {"event"}
    for name, definition in EVENTS.items():
        found |= {name, *definition.get("properties", {})}
        for inner, described in definition.get("properties", {}).items():
            nested = EVENTS.get(described.get("$ref", "").rpartition("/")[2], {})
            found |= {f"{inner}.{leaf}" for leaf in nested.get("properties", {})}
    return found


def queries(values):
    return {q["name"].rpartition("/")[2]: q["query_string"] for q in of_type(values, "aws_cloudwatch_query_definition")}


def test_every_query_file_is_saved(applied):
    _, values = applied("full")
    assert set(queries(values)) == {p.stem for p in (MODULE / "queries").glob("*.query")}
    for definition in of_type(values, "aws_cloudwatch_query_definition"):
        assert definition["log_group_names"] == ["/ecs/full"]
        assert len(definition["query_string"]) <= 10000


def mistakes(query):
    fields = members() | BUILT_IN | set(re.findall(r"\bas (\w+)", query))
    for event in re.findall(r'"(\w+\.\w+)"', query):
        if event not in EVENTS and event not in PROMISED:
            yield f"event {event}"
    for command in query.split("|"):
        word, _, rest = command.strip().partition(" ")
        if word not in COMMANDS:
            yield f"command {word}"
        if rest.count("(") != rest.count(")"):
            yield f"brackets in {rest}"
        rest = re.sub(r'"[^"]*"|\bas \w+|\b\d+[smhd]?\b', " ", rest)
        for function in re.findall(r"(\w+)\(", rest):
            if function not in FUNCTIONS:
                yield f"function {function}"
        words = set(re.findall(r"@?[A-Za-z][\w.]*", rest)) - FUNCTIONS - WORDS
        yield from (f"field {word}" for word in sorted(words - fields))


def test_queries_speak_the_language_and_name_fields_that_exist(applied):
    for name, query in queries(applied("full")[1]).items():
        assert list(mistakes(query)) == [], name


@pytest.mark.parametrize(
    "query, mistake",
    [
        ("fields usd_percent", "field usd_percent"),
        ("fields victim.nam", "field victim.nam"),
        ('filter event = "memory.oomkill"', "event memory.oomkill"),
        ("stats maximum(used_percent) by task_id", "function maximum"),
        ("select used_percent", "command select"),
        ("stats max(used_percent by task_id", "brackets in max(used_percent by task_id"),
    ],
)
def test_a_mistake_in_a_query_is_found(query, mistake):
    assert mistake in list(mistakes(query))
