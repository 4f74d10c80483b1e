"""The aws CLI, started once for many calls: its start is most of what a call costs. Run by the python3 that has awscli.

stdin: a JSON array of arguments a line; stdout: for each a line {"code", "out", "err"}."""

import io
import json
import sys

import awscli.clidriver


def call(arguments):
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        code = awscli.clidriver.create_clidriver().main(arguments)
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stdout, sys.stderr = kept
    return {"code": code, "out": out.buffer.getvalue().decode(), "err": err.buffer.getvalue().decode()}


for line in sys.stdin:
    print(json.dumps(call(json.loads(line))), flush=True)
