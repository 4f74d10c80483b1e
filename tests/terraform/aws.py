"""Second opinions of tools that know AWS, which run under the python3 that has them."""

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def by_models(requests):
    """[(service, operation, input)] -> for each the list of problems, by botocore's service models."""
    done = subprocess.run(
        ["python3", HERE / "shapes.py"], input=json.dumps(requests), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


MATCH = """
import json, sys
from moto.events.models import EventPattern
pattern, events = json.load(sys.stdin)
rule = EventPattern.load(pattern)
json.dump([rule.matches_event(event) for event in events], sys.stdout)
"""


def events_matched(pattern, events):
    """Which events an EventBridge pattern matches, by moto."""
    done = subprocess.run(
        ["python3", "-c", MATCH], input=json.dumps([pattern, events]), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lint(templates):
    """[CloudFormation templates as paths] -> [(file name, rule, message)] of cfn-lint's errors and warnings."""
    done = subprocess.run(
        ["cfn-lint", "--format", "json", "--regions", "us-east-1", "--", *templates], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().startswith("["), done.stdout + done.stderr
    return [(Path(m["Filename"]).name, m["Rule"]["Id"], m["Message"]) for m in json.loads(done.stdout)]
