#!/usr/bin/python3
"""Checks lines of leaksim and oomprobe (--format json or emf) against docs/events.schema.json and
against what a schema cannot say: length, order of seq, and the rules of CloudWatch's Embedded
Metric Format that its published schema leaves out.

    validate_events.py [--foreign] [--restarts] [--live] [FILE…]      (no FILE: stdin)

Exit: 0 every line is valid and there was one, 1 some are not (each with its line number), 64 usage.
"""

import argparse
import json
import math
import pathlib
import re
import sys
import time
from datetime import datetime, timezone

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs" / "events.schema.json"
MAX_LINE = 4096  # an event may have a limit of its own, x-max-bytes

_SCALED = ("Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits "
           "Count").split()
UNITS = {"Seconds", "Microseconds", "Milliseconds", "Percent", "None",
         *_SCALED, *(unit + "/Second" for unit in _SCALED)}
MAX_METRICS = 100
MAX_VALUES = 100
MAX_DIMENSIONS = 30
MAX_NUMBER = 2 ** 53 - 1
DAYS_BACK_MS = 14 * 24 * 3600 * 1000
HOURS_AHEAD_MS = 2 * 3600 * 1000


class NotAnEvent(Exception):
    pass


def parse(line):
    """The object in `line` (bytes). Stricter than json.loads: no NaN, no member twice."""

    def unique(pairs):
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise NotAnEvent(f"member '{name}' is there {names.count(name)} times")
        return dict(pairs)

    def no_constant(text):
        raise NotAnEvent(f"{text} is no JSON number")

    try:
        event = json.loads(line.decode("utf-8"), object_pairs_hook=unique,
                           parse_constant=no_constant)
    except UnicodeDecodeError as error:
        raise NotAnEvent(f"is not UTF-8: {error}") from error
    except ValueError as error:
        raise NotAnEvent(f"is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise NotAnEvent("is no JSON object")
    return event


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class Validator:
    """Knows the order of lines, so one is needed a source."""

    def __init__(self, schema=None, restarts=False, now_ms=None):
        self.schema = schema or json.loads(SCHEMA.read_text("utf-8"))
        self.restarts = restarts
        self.now_ms = now_ms
        self.last_seq = {}
        root = jsonschema.Draft202012Validator(self.schema)
        self.by_event = {}
        self.members = {}
        self.metric_units = {name: definition["x-metric-unit"]
                             for name, definition in self.schema["$defs"].items()
                             if "x-metric-unit" in definition}
        shared = set(self.schema["$defs"]["shared"]["properties"])
        for entry in self.schema["oneOf"]:
            name = entry["$ref"].rpartition("/")[2]
            self.by_event[name] = root.evolve(schema=entry)
            self.members[name] = shared | set(self.schema["$defs"][name]["properties"])

    def check_line(self, line):
        """What is wrong with a line (bytes, with its newline)."""
        problems = []
        if not line.endswith(b"\n"):
            problems.append("has no newline: it was cut")
        try:
            event = parse(line)
        except NotAnEvent as error:
            return problems + [str(error)]
        definition = self.schema["$defs"].get(str(event.get("event")), {})
        most = definition.get("x-max-bytes", MAX_LINE)
        if len(line) > most:
            problems.append(f"is {len(line)} bytes long, more than {most}")
        problems += self.check_schema(event)
        problems += self.check_seq(event)
        problems += self.check_emf(event)
        return problems

    def check_schema(self, event):
        name = event.get("event")
        if not isinstance(name, str) or name not in self.by_event:
            return [f"unknown event {name!r}"]
        unknown = sorted(set(event) - self.members[name])
        problems = [f"unknown member '{member}'" for member in unknown]
        for error in self.by_event[name].iter_errors(event):
            # It also repeats members that are known and wrong.
            if error.validator == "unevaluatedProperties":
                continue
            where = ".".join(str(step) for step in error.absolute_path)
            problems.append(f"{where}: {error.message}" if where else error.message)
        return problems

    def check_seq(self, event):
        name, seq = event.get("event"), event.get("seq")
        if not isinstance(name, str) or not isinstance(seq, int):
            return []  # the schema says so
        family = name.partition(".")[0]
        source = family if family in ("leak", "drill") else "probe"
        last = self.last_seq.get(source)
        self.last_seq[source] = seq
        if last is None or seq > last:
            return []
        if self.restarts and name in ("leak.started", "probe.started"):
            return []
        return [f"seq {seq} comes after {last}"]

    def check_emf(self, event):
        aws = event.get("_aws")
        if not isinstance(aws, dict):
            return []
        problems = list(self._timestamp(event, aws.get("Timestamp")))
        declared = set()
        directives = aws.get("CloudWatchMetrics")
        for directive in directives if isinstance(directives, list) else []:
            if isinstance(directive, dict):
                problems += self._namespace(directive.get("Namespace"))
                problems += self._dimensions(event, directive.get("Dimensions"))
                problems += self._metrics(event, directive.get("Metrics"), declared)
        for name in sorted(set(self.metric_units) & set(event) - declared):
            problems.append(f"'{name}' is a metric that _aws does not declare")
        return problems

    def _timestamp(self, event, stamp):
        if not isinstance(stamp, int) or isinstance(stamp, bool):
            yield "_aws.Timestamp is no integer"
            return
        if self.now_ms is not None and not (
                self.now_ms - DAYS_BACK_MS <= stamp <= self.now_ms + HOURS_AHEAD_MS):
            yield f"_aws.Timestamp {stamp} is not within 14 days back and 2 hours ahead"
        try:
            at = datetime.strptime(event.get("time", ""), "%Y-%m-%dT%H:%M:%S.%fZ")
        except (TypeError, ValueError):
            return  # the schema says so
        if round(at.replace(tzinfo=timezone.utc).timestamp() * 1000) != stamp:
            yield f"_aws.Timestamp {stamp} is not the event's time"

    @staticmethod
    def _namespace(name):
        if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9 ._#:/-]{1,256}", name) \
                or not name.strip():
            yield f"namespace {name!r}: 1 to 256 of letters, digits, space and ._#:/-"
        elif name.startswith("AWS/"):
            yield f"namespace {name!r} is reserved for AWS"

    @staticmethod
    def _dimensions(event, sets):
        for keys in sets if isinstance(sets, list) else []:
            if not isinstance(keys, list):
                continue
            if len(keys) > MAX_DIMENSIONS:
                yield f"a dimension set of {len(keys)}, more than {MAX_DIMENSIONS}"
            for key in keys:
                value = event.get(key) if isinstance(key, str) else None
                if not isinstance(value, str):
                    yield f"dimension {key!r} is no text member of the root"
                    continue
                for what, text, most in (("name", key, 250), ("value", value, 1024)):
                    if not text.strip() or len(text) > most or text.startswith(":") \
                            or not re.fullmatch(r"[ -~]*", text):
                        yield (f"dimension {key!r}: its {what} is blank, longer than {most}, "
                               "begins with ':' or is not printable ASCII")

    def _metrics(self, event, metrics, declared):
        if not isinstance(metrics, list):
            return
        if len(metrics) > MAX_METRICS:
            yield f"{len(metrics)} metrics in a directive, more than {MAX_METRICS}"
        here = set()
        for metric in metrics:
            if not isinstance(metric, dict) or not isinstance(metric.get("Name"), str):
                continue
            name, unit = metric["Name"], metric.get("Unit", "None")
            if name in here:
                yield f"metric '{name}' is declared twice"
            here.add(name)
            values = event.get(name)
            values = values if isinstance(values, list) else [values]
            if name not in event:
                yield f"metric '{name}' is no member of the root"
            elif len(values) > MAX_VALUES:
                yield f"metric '{name}' has {len(values)} values, more than {MAX_VALUES}"
            elif not values or not all(is_number(value) for value in values):
                yield f"metric '{name}' is no finite number"
            elif any(abs(value) > MAX_NUMBER for value in values):
                yield f"metric '{name}' is beyond 2^53"
            if unit not in UNITS:
                yield f"metric '{name}': '{unit}' is no unit of CloudWatch"
            elif unit != self.metric_units.get(name, unit):
                yield f"metric '{name}': unit {unit}, not {self.metric_units[name]}"
            if name not in self.metric_units:
                yield f"'{name}' is declared a metric; the schema knows none of that name"
            if metric.get("StorageResolution", 60) not in (1, 60):
                yield f"metric '{name}': StorageResolution is 1 or 60"
        declared |= here


def check_stream(lines, validator, foreign=False):
    """Yields (line number, reason); ends with (None, number of events)."""
    events = 0
    for number, line in enumerate(lines, 1):
        if foreign and b'{"event":' not in line:
            continue
        events += 1
        for reason in validator.check_line(line):
            yield number, reason
    yield None, events


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.exit_on_error = False
    parser.add_argument("--foreign", action="store_true",
                        help="pass over lines of others, such as the workload's output")
    parser.add_argument("--restarts", action="store_true",
                        help="a *.started may begin to count anew")
    parser.add_argument("--live", action="store_true",
                        help="the EMF time stamps must be acceptable now")
    parser.add_argument("files", nargs="*", metavar="FILE")
    try:
        options = parser.parse_args(arguments)
    except SystemExit as exit_:
        return 64 if exit_.code else 0
    bad = 0
    total = 0
    for name in options.files or ["-"]:
        validator = Validator(restarts=options.restarts,
                              now_ms=int(time.time() * 1000) if options.live else None)
        try:
            stream = sys.stdin.buffer if name == "-" else open(name, "rb")
        except OSError as error:
            print(f"validate_events: {error}", file=sys.stderr)
            return 64
        with stream:
            for number, reason in check_stream(stream, validator, options.foreign):
                if number is None:
                    total += reason
                else:
                    bad += 1
                    print(f"{name}:{number}: {reason}", file=sys.stderr)
    print(f"{total} events, {bad} problems")
    if total == 0:
        print("validate_events: there was no event at all", file=sys.stderr)
    return 1 if bad or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
