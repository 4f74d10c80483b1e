"""The validator finds what is wrong and passes what is right; schema, reference and golden files
say the same."""

import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import pytest

import validate_events
from validate_events import Validator

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads(validate_events.SCHEMA.read_text("utf-8"))
EVENTS = [entry["$ref"].rpartition("/")[2] for entry in SCHEMA["oneOf"]]
EXAMPLES = {name: SCHEMA["$defs"][name]["examples"][0] for name in EVENTS}
GOLDEN = ROOT / "tests" / "telemetry" / "golden"


def line(event):
    return json.dumps(event).encode() + b"\n"


def problems(event, **options):
    return Validator(SCHEMA, **options).check_line(event if isinstance(event, bytes) else line(event))


def emf_sample():
    for text in (GOLDEN / "emf.txt").read_bytes().splitlines():
        event = json.loads(text)
        if event["event"] == "memory.sample":
            return event
    raise AssertionError("no memory.sample in the golden file")


# The reference agrees with itself.

def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_reference_is_current():
    subprocess.run([sys.executable, ROOT / "scripts" / "docs-events", "--check"], check=True)


def test_reference_is_checked_at_all(tmp_path):
    for name in ("docs", "scripts"):
        (tmp_path / name).mkdir()
    script = tmp_path / "scripts" / "docs-events"
    script.write_bytes((ROOT / "scripts" / "docs-events").read_bytes())
    (tmp_path / "docs" / "events.md").write_bytes((ROOT / "docs" / "events.md").read_bytes())
    changed = copy.deepcopy(SCHEMA)
    changed["$defs"]["leak.started"]["description"] = "Never."
    (tmp_path / "docs" / "events.schema.json").write_text(json.dumps(changed))
    assert subprocess.run([sys.executable, script, "--check"], capture_output=True,
                          check=False).returncode == 1
    subprocess.run([sys.executable, script], check=True)
    subprocess.run([sys.executable, script, "--check"], check=True)
    assert "Never." in (tmp_path / "docs" / "events.md").read_text()


def test_prose_names_only_fields_that_exist():
    prose = re.sub(r"<!-- generated: (\w+) -->.*?<!-- end: \1 -->", "",
                   (ROOT / "docs" / "events.md").read_text("utf-8"), flags=re.DOTALL)
    known = set(SCHEMA["$defs"]) | set(SCHEMA["$defs"]["shared"]["properties"])
    named = set(re.findall(r"`([a-z][a-z0-9_]*_(?:bytes|percent|s|us|kills|killed|hits|where))`", prose))
    named |= set(re.findall(r"`((?:leak|probe|memory|workload)\.[a-z_]+)`", prose))
    outside = {"memory.events", "memory.failcnt"}
    assert len(named) > 10
    assert named - known - outside == set()


def test_every_field_is_described_and_used():
    used = set()
    for name in EVENTS:
        event = SCHEMA["$defs"][name]
        assert event["description"] and event["unevaluatedProperties"] is False
        assert set(event["else"]["required"]) <= set(event["properties"])
        used |= set(re.findall(r"#/\$defs/([\w.]+)", json.dumps(event)))
    pending = list(used)
    while pending:
        found = set(re.findall(r"#/\$defs/([\w.]+)", json.dumps(SCHEMA["$defs"][pending.pop()])))
        pending += found - used
        used |= found
    assert used | set(EVENTS) == set(SCHEMA["$defs"])
    for name in used:
        assert SCHEMA["$defs"][name]["description"]


@pytest.mark.parametrize("format_", ["json", "emf"])
def test_golden_files_are_valid_and_cover_every_event(format_):
    validator = Validator(SCHEMA)
    seen = set()
    for text in (GOLDEN / f"{format_}.txt").read_bytes().splitlines(keepends=True):
        assert validator.check_line(text) == [], text
        seen.add(json.loads(text)["event"])
    assert seen == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_example_is_valid_by_the_whole_schema(name):
    root = jsonschema.Draft202012Validator(SCHEMA)
    assert problems(EXAMPLES[name]) == []
    assert root.is_valid(EXAMPLES[name])
    assert not root.is_valid({**EXAMPLES[name], "used_byte": 1})


# A field wrong.

@pytest.mark.parametrize("name", EVENTS)
def test_misspelt_member_is_found(name):
    assert problems({**EXAMPLES[name], "used_byte": 1}) == ["unknown member 'used_byte'"]


@pytest.mark.parametrize("name", EVENTS)
def test_missing_member_is_found_unless_truncated(name):
    for member in ["seq", *SCHEMA["$defs"][name]["else"]["required"]]:
        event = {k: v for k, v in EXAMPLES[name].items() if k != member}
        assert problems(event) == [f"'{member}' is a required property"]
        assert problems({**event, "truncated": True}) == []


@pytest.mark.parametrize("change, reason", [
    ({"used_bytes": -1}, "used_bytes: -1 is less than the minimum of 0"),
    ({"used_bytes": 1.5}, "used_bytes: 1.5 is not of type 'integer'"),
    ({"used_bytes": None}, "used_bytes: None is not of type 'integer'"),
    ({"used_bytes": "1"}, "used_bytes: '1' is not of type 'integer'"),
    ({"time": "2026-11-24 11:04:34"}, "time: "),
    ({"seq": 0}, "seq: 0 is less than the minimum of 1"),
    ({"truncated": False}, "truncated: True was expected"),
    ({"limit_source": "cgroup"}, "limit_source: 'cgroup' is not one of"),
])
def test_wrong_value_is_found(change, reason):
    found = problems({**EXAMPLES["memory.sample"], **change})
    assert len(found) == 1 and found[0].startswith(reason), found


def test_misspelt_member_of_an_object_is_found():
    event = copy.deepcopy(EXAMPLES["memory.oom_kill"])
    event["victim"]["pids"] = 1
    assert len(problems(event)) == 1 and "'pids' was unexpected" in problems(event)[0]


def test_event_of_another_name_is_found():
    assert problems({**EXAMPLES["memory.sample"], "event": "memory.smaple"}) == [
        "unknown event 'memory.smaple'"]
    assert problems({"time": "x"}) == ["unknown event None"]


# A line wrong.

def test_lines_that_are_no_event():
    assert problems(b"hello\n")[0].startswith("is not JSON")
    assert problems(b"[1]\n") == ["is no JSON object"]
    assert problems(b"\xff\n")[0].startswith("is not UTF-8")
    assert problems(b'{"a":NaN}\n') == ["NaN is no JSON number"]
    assert problems(b'{"a":1,"a":2}\n') == ["member 'a' is there 2 times"]
    assert problems(line(EXAMPLES["memory.sample"])[:-1]) == ["has no newline: it was cut"]


def test_length_is_counted_in_bytes_with_the_newline():
    event = {**EXAMPLES["probe.warning"], "message": ""}
    room = 4096 - len(line(event))
    assert problems({**event, "message": "x" * room}) == []
    assert problems({**event, "message": "x" * (room + 1)}) == ["is 4097 bytes long, more than 4096"]


def test_seq_rises_within_each_program():
    def run(*pairs, **options):
        validator = Validator(SCHEMA, **options)
        return [found for name, seq in pairs
                for found in validator.check_line(line({**EXAMPLES[name], "seq": seq}))]

    sample, leak, start = "memory.sample", "leak.progress", "probe.started"
    assert run((sample, 1), (leak, 1), (sample, 2), ("probe.warning", 5), (leak, 2)) == []
    assert run((sample, 3), (sample, 3)) == ["seq 3 comes after 3"]
    assert run((sample, 3), ("workload.exited", 2)) == ["seq 2 comes after 3"]
    assert run((sample, 3), (start, 1)) == ["seq 1 comes after 3"]
    assert run((sample, 3), (start, 1), (sample, 2), restarts=True) == []
    assert run((sample, 3), (sample, 1), restarts=True) == ["seq 1 comes after 3"]


# CloudWatch's rules.

def test_emf_is_valid():
    assert problems(emf_sample()) == []


def mutate(**changes):
    """The EMF sample with members of its directive or metadata replaced."""
    event = copy.deepcopy(emf_sample())
    directive = event["_aws"]["CloudWatchMetrics"][0]
    for key, value in changes.items():
        (event["_aws"] if key == "Timestamp" else directive)[key] = value
    return event


ONE = {"Name": "oom_killed", "Unit": "Count"}


@pytest.mark.parametrize("event, reason", [
    (mutate(Timestamp=1.5), "_aws.Timestamp is no integer"),
    (mutate(Timestamp=1795518281122), "_aws.Timestamp 1795518281122 is not the event's time"),
    (mutate(Namespace="AWS/ECS"), "namespace 'AWS/ECS' is reserved for AWS"),
    (mutate(Namespace="a,b"), "namespace 'a,b': 1 to 256"),
    (mutate(Namespace=" "), "namespace ' ': 1 to 256"),
    (mutate(Dimensions=[["Missing"]]), "dimension 'Missing' is no text member of the root"),
    (mutate(Dimensions=[["used_bytes"]]), "dimension 'used_bytes' is no text member of the root"),
    (mutate(Dimensions=[["ClusterName"] * 31]), "a dimension set of 31, more than 30"),
    (mutate(Metrics=[ONE, ONE]), "metric 'oom_killed' is declared twice"),
    (mutate(Metrics=[{"Name": "oom_killed", "Unit": "MiB"}]),
     "metric 'oom_killed': 'MiB' is no unit of CloudWatch"),
    (mutate(Metrics=[{"Name": "oom_killed", "Unit": "Percent"}]),
     "metric 'oom_killed': unit Percent, not Count"),
    (mutate(Metrics=[{"Name": "Missing", "Unit": "Count"}]),
     "metric 'Missing' is no member of the root"),
    (mutate(Metrics=[{"Name": "time", "Unit": "None"}]), "metric 'time' is no finite number"),
    (mutate(Metrics=[{"Name": "used_bytes", "Unit": "Bytes"}]),
     "'used_bytes' is declared a metric; the schema knows none of that name"),
    (mutate(Metrics=[{**ONE, "StorageResolution": 5}]),
     "metric 'oom_killed': StorageResolution is 1 or 60"),
    (mutate(Metrics=[ONE] * 101), "101 metrics in a directive, more than 100"),
    (mutate(Metrics=[ONE]), "'MemoryUtilization' is a metric that _aws does not declare"),
    (mutate(Metrics=[]), "'oom_killed' is a metric that _aws does not declare"),
    (mutate(Extra=1), "_aws.CloudWatchMetrics.0: Additional properties"),
    ({**emf_sample(), "ClusterName": " "}, "dimension 'ClusterName': its value is blank"),
    ({**emf_sample(), "ClusterName": ":x"}, "dimension 'ClusterName': its value is blank"),
    ({**emf_sample(), "ClusterName": "\u00e9"}, "dimension 'ClusterName': its value is blank"),
    ({**emf_sample(), "ClusterName": "x" * 1025}, "dimension 'ClusterName': its value is blank"),
    ({**emf_sample(), "oom_killed": 2 ** 53}, "metric 'oom_killed' is beyond 2^53"),
    ({**emf_sample(), "oom_killed": [1] * 101}, "metric 'oom_killed' has 101 values"),
    ({**emf_sample(), "oom_killed": True}, "metric 'oom_killed' is no finite number"),
    ({**emf_sample(), "oom_killed": None}, "metric 'oom_killed' is no finite number"),
    ({**emf_sample(), "_aws": []}, "_aws: [] is not of type 'object'"),
])
def test_emf_rule(event, reason):
    assert any(found.startswith(reason) for found in problems(event)), problems(event)


@pytest.mark.parametrize("offset, good", [(0, True), (-14 * 24 * 3600 + 1, True), (7200, True),
                                          (-14 * 24 * 3600 - 1, False), (7201, False)])
def test_emf_time_window(offset, good):
    event = emf_sample()
    found = problems(event, now_ms=event["_aws"]["Timestamp"] - offset * 1000)
    assert (found == []) is good, found


# The command line.

def run(arguments, text):
    return subprocess.run([sys.executable, validate_events.__file__, *arguments], input=text,
                          capture_output=True, check=False)


def test_command_line(tmp_path):
    good = line(EXAMPLES["leak.started"])
    bad = line({**EXAMPLES["leak.started"], "oops": 1})
    assert run([], good).returncode == 0
    result = run([], good.replace(b'"seq": 1', b'"seq": 0') + b"\n" + bad)
    assert result.returncode == 1
    assert re.search(rb"^-:1: seq: 0 is less", result.stderr, re.MULTILINE)
    assert re.search(rb"^-:2: is not JSON", result.stderr, re.MULTILINE)
    assert re.search(rb"^-:3: unknown member 'oops'", result.stderr, re.MULTILINE)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(good)
    two.write_bytes(good)  # each file counts for itself
    assert run([one, two], b"").returncode == 0
    assert run([tmp_path / "none"], b"").returncode == 64
    assert run(["--no-such"], b"").returncode == 64


def test_nothing_at_all_is_not_valid():
    assert run([], b"").returncode == 1
    assert run(["--foreign"], b"hello\n").returncode == 1


def test_lines_of_others_are_passed_over_only_where_asked():
    good = line(EXAMPLES["leak.started"]).replace(b'"event": ', b'"event":')
    assert run([], b"hello\n" + good).returncode == 1
    assert run(["--foreign"], b"hello\n" + good).returncode == 0
    assert run(["--foreign"], b"hel" + good + good).returncode == 1  # one of ours, mixed up
