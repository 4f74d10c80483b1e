"""Options, confirmation, output and exit codes that the commands have in common."""

import argparse
import json
import os
import re
import sys

from .call import USAGE, Aws, Trouble

DONE, NOT_AS_WANTED, INTERRUPTED = 0, 1, 130

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def duration(text):
    """Seconds of 30s, 10m, 1h, 7d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|d|w)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration; 30s, 10m, 1h, 7d")
    return float(match[1]) * UNITS[match[2]]


def some_time(text):
    """A duration that is more than nothing."""
    seconds = duration(text)
    if seconds == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is too short; 1s or more")
    return seconds


def positive(text):
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 on")
    return int(text)


def like(expression, what):
    """An argparse type: text that matches."""
    def check(text):
        if not re.fullmatch(expression, text):
            raise argparse.ArgumentTypeError(f"'{text}' is no {what}")
        return text
    return check


# As ECS, ECR and CloudWatch name things.
NAME = like(r"[A-Za-z0-9_-]{1,255}|arn:[\w:/-]+", "name: letters, digits, - and _, or an ARN")
TASK = like(r"[0-9a-f]{1,32}", "task's id, nor the beginning of one: hexadecimal digits, as `diagnose` shows them")
REGION = like(r"[a-z]{2}(?:-[a-z]+)+-\d", "region, such as eu-central-1")
URL = like(r"https?://[^\s/]+\S*", "URL: http:// or https://")
VARIABLE = like(r"[A-Za-z_][\w-]*=.*", "variable of terraform: NAME=VALUE")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(USAGE, f"{self.prog}: {message}; {self.prog} --help\n")


def parser(name, description, epilog):
    made = Parser(prog=name, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
    return made


def add_common(to, changes=True, place=True):
    if place:
        group = to.add_argument_group("which service (by default what deploy/terraform put up, by `terraform output`)")
        group.add_argument("--cluster", type=NAME, default=os.environ.get("OOMDRILL_CLUSTER"), help="[OOMDRILL_CLUSTER]")
        group.add_argument("--service", type=NAME, default=os.environ.get("OOMDRILL_SERVICE"), help="[OOMDRILL_SERVICE]")
        group.add_argument("--container", type=NAME, default=os.environ.get("OOMDRILL_CONTAINER"),
                           help="by default the first essential one [OOMDRILL_CONTAINER]")
    add_terraform(to)
    group = to.add_argument_group("AWS")
    group.add_argument("--profile", help="passed to aws")
    group.add_argument("--region", type=REGION, help="passed to aws")
    group.add_argument("--endpoint-url", type=URL, metavar="URL", help="passed to aws [AWS_ENDPOINT_URL]")
    group.add_argument("--dry-run", action="store_true", help="print the calls instead; only what describes the service is asked" if not changes else
                       "print the calls that would change something, and make none of them; works without credentials")
    if changes:
        group.add_argument("--yes", action="store_true", help="do not ask")
    to.add_argument("--json", action="store_true", help="the result as JSON on stdout, all else on stderr")


def add_terraform(to):
    to.add_argument("--terraform", metavar="DIR", default=os.environ.get("OOMDRILL_TERRAFORM"),
                    help="folder that terraform was applied in [OOMDRILL_TERRAFORM, default deploy/terraform/examples/fargate]")


class Session:
    """What a command's work gets: its options, AWS, and where its words go."""

    def __init__(self, name, options):
        self.name = name
        self.options = options
        # Of a command that only looks, each call is what its dry run is for.
        self.aws = Aws(options.profile, options.region, options.endpoint_url, options.dry_run, self.printed, self.warn,
                       shows_reads=not hasattr(options, "yes"))
        self.calls = []

    def printed(self, line):
        """A call of --dry-run: what stdout is for, in text."""
        self.calls.append(line)
        if not self.options.json:
            print(line, flush=True)

    def say(self, line=""):
        print(line, file=sys.stderr if self.options.json else sys.stdout, flush=True)

    def warn(self, line):
        print(f"{self.name}: {line}", file=sys.stderr, flush=True)

    def result(self, value):
        if self.options.json:
            print(json.dumps({**value, **({"calls": self.calls} if self.options.dry_run else {})}, indent=2))

    def confirm(self, question):
        if self.options.yes or self.options.dry_run:
            return
        if not sys.stdin.isatty():
            raise Trouble(USAGE, f"{question} Nobody can be asked here; --yes to go ahead, --dry-run to see the calls")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Trouble(NOT_AS_WANTED, "not done")


def table(rows):
    """Lines of columns, as wide as they need to be."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def bytes_text(count):
    if count is None:
        return "?"
    return f"{count / (1 << 20):.1f} MiB"


def rate_text(per_s):
    """As leaksim's --rate takes it."""
    for unit, size in (("GB/s", 1e9), ("MB/s", 1e6), ("kB/s", 1e3)):
        if abs(per_s) >= size:
            return f"{per_s / size:.3g} {unit}"
    return f"{per_s:.3g} B/s"


def time_text(seconds):
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def main(name, options, work):
    """work(Session) -> exit code; failures become one line on stderr."""
    try:
        return work(Session(name, options))
    except Trouble as trouble:
        print(f"{name}: {trouble}", file=sys.stderr)
        return trouble.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
