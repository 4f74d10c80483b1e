"""The tables in deploy/terraform/README.md, out of the HCL itself. `python3 readme.py` writes them."""

import json
import re
import tempfile
from pathlib import Path

from harness import MODULE, NEEDED, Root, Stub, copy_of, resources

README = MODULE / "README.md"


def types():
    """variable -> the word of its type."""
    text = (MODULE / "variables.tf").read_text()
    return dict(re.findall(r'^variable "(\w+)" \{.*?^  type\s*= (\w+(?:\(\w+\))?)', text, re.M | re.S))


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def tables(plan):
    """marker -> table."""
    described = plan["configuration"]["root_module"]
    of = types()
    inputs = ["| input | type | default | |", "|---|---|---|---|"]
    for name, variable in sorted(described["variables"].items(), key=lambda item: ("default" in item[1], item[0])):
        default = f"`{json.dumps(variable['default'])}`" if "default" in variable else "**required**"
        inputs.append(f"| `{name}` | `{of[name]}` | {cell(default)} | {cell(variable['description'])} |")
    outputs = ["| output | |", "|---|---|"]
    for name, output in sorted(described["outputs"].items()):
        outputs.append(f"| `{name}` | {cell(output['description'])} |")
    alarms = ["| alarm | metric | fires when | missing data | description |", "|---|---|---|---|---|"]
    for address, resource in sorted(resources(plan["planned_values"]).items()):
        if address.startswith("aws_cloudwatch_metric_alarm.this"):
            values = resource["values"]
            sign = {"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<"}
            alarms.append(
                f"| `{values['alarm_name'].removeprefix('oomdrill-')}` | `{values['namespace']}` {values['metric_name']} "
                f"| {values['statistic']} {sign[values['comparison_operator']]} {values['threshold']}, "
                f"{values['datapoints_to_alarm']} of {values['evaluation_periods']} × {values['period']} s "
                f"| {values['treat_missing_data']} | {cell(values['alarm_description'])} |"
            )
    return {"inputs": "\n".join(inputs), "outputs": "\n".join(outputs), "alarms": "\n".join(alarms)}


def filled(text, plan):
    for marker, table in tables(plan).items():
        begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->"
        before, rest = text.split(begin)
        text = before + begin + table + "\n" + end + rest.split(end)[1]
    return text


# All alarms of the defaults, and the one that a restart policy brings.
VARIABLES = {**NEEDED, "restart_policy": {}}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        stub = Stub(scratch)
        try:
            root = Root(stub, copy_of(MODULE, Path(scratch) / "root")).init()
            README.write_text(filled(README.read_text(), root.plan(**VARIABLES)))
        finally:
            stub.stop()
