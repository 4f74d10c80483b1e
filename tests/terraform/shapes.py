"""Run by the python3 that has botocore: holds requests against AWS's own service models.

stdin: [[service, operation, input], ...]; stdout: for each, the list of what is wrong with it."""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

session = botocore.session.get_session()


def matches(pattern, value):
    try:
        return re.search(pattern, value) is not None
    except re.error:  # the models' are Java's: some are none of Python's
        return True


def beyond(shape, value, where):
    """What ParamValidator leaves out: enums, patterns, upper bounds."""
    if shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                yield from beyond(shape.members[name], member, f"{where}.{name}")
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from beyond(shape.member, member, f"{where}[{index}]")
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from beyond(shape.value, member, f"{where}.{name}")
    elif shape.type_name == "string":
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            yield f"{where}: '{value}' is none of {', '.join(allowed)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not matches(pattern, value):
            yield f"{where}: '{value}' does not match {pattern}"
    most = shape.metadata.get("max")
    if most is not None:
        size = value if shape.type_name in ("integer", "long", "float", "double") else len(value)
        if size > most:
            yield f"{where}: {size} is more than {most}"


def problems(service, operation, value):
    shape = session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return report.generate_report().splitlines()
    return list(beyond(shape, value, operation))


if __name__ == "__main__":
    json.dump([problems(*request) for request in json.load(sys.stdin)], sys.stdout)
