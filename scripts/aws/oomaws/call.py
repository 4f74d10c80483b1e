"""One call of the aws CLI, and what its failures mean."""

import json
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

# Out of sysexits.h; docs/exit-codes.md has them all.
USAGE, NO_INPUT, UNAVAILABLE, INTERNAL, AGAIN, NO_PERMISSION = 64, 66, 69, 70, 75, 77


class Trouble(Exception):
    """Ends a command with one line and an exit code."""

    def __init__(self, code, line, unasked=False):
        """`unasked`: AWS was not reached, or does not know who asks."""
        super().__init__(line)
        self.code, self.unasked = code, unasked


# What the CLI says (regular expression over its stderr), the exit code, what we say after "SERVICE OPERATION: ".
# Named groups of the expression may be used in the text.
FAILURES = [
    (r"ExpiredToken|[Tt]oken (?:is|has) expired|Error loading SSO Token|RequestExpired", NO_PERMISSION,
     "the credentials have expired; renew them (`aws sso login`{profile}, or a new AWS_SESSION_TOKEN)"),
    (r"Unable to locate credentials|NoCredentials|Partial credentials", NO_PERMISSION,
     "no credentials; `aws configure`{profile}, --profile NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    (r"UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch|InvalidSignature|AuthFailure", NO_PERMISSION,
     "AWS does not accept these credentials; see whose they are: `aws sts get-caller-identity`{profile}"),
    (r"not authorized to perform: (?P<action>[\w:*-]+)(?: on resource: (?P<on>\S+))?", NO_PERMISSION,
     "no permission for {action}{on}; docs/runbook.md lists what a responder needs"),
    (r"AccessDenied|UnauthorizedOperation", NO_PERMISSION,
     "no permission; docs/runbook.md lists what a responder needs"),
    (r"Throttl|TooManyRequests|RequestLimitExceeded|Rate exceeded", AGAIN,
     "AWS throttles the calls of this account; wait a minute and try again, or set AWS_MAX_ATTEMPTS=10"),
    (r"You must specify a region|NoRegion", USAGE, "no region; --region NAME or AWS_REGION"),
    (r"config profile \((?P<name>.*?)\) could not be found", USAGE, "no profile '{name}'; `aws configure list-profiles`"),
    (r"ClusterNotFound", NO_INPUT, "no such cluster in this account and region; `aws ecs list-clusters`{profile}"),
    (r"ServiceNotFound|ServiceNotActive", NO_INPUT, "no such service; `aws ecs list-services --cluster …`{profile}"),
    (r"Could not connect|Connect timeout|ConnectionClosed|EndpointConnection|Connection was closed", UNAVAILABLE,
     "the endpoint cannot be reached; look at the network, --region and --endpoint-url"),
    (r"ResourceNotFound|NotFoundException|does not exist", NO_INPUT, "not found: {said}"),
]


def failure(service, operation, stderr, profile=None):
    said = " ".join(line.strip() for line in stderr.strip().splitlines() if line.strip())
    said = re.sub(r"^An error occurred \(\w+\) when calling the \w+ operation(?: \(.*?\))?: ", "", said)
    where = f"{service} {operation}"
    for pattern, code, text in FAILURES:
        match = re.search(pattern, stderr)
        if match:
            words = {k: v or "" for k, v in match.groupdict().items()}
            if words.get("on"):
                words["on"] = f" on {words['on']}"
            words.update(said=said[:300], profile=f" --profile {profile}" if profile else "")
            return Trouble(code, f"{where}: {text.format(**words)}", code in (NO_PERMISSION, UNAVAILABLE, AGAIN) or "no region" in text)
    return Trouble(INTERNAL, f"{where}: {said[:400] or 'the aws CLI failed and did not say why'}")


class Aws:
    """The CLI with the options that every call shares."""

    def __init__(self, profile=None, region=None, endpoint_url=None, dry_run=False, say=print, warn=print, shows_reads=False):
        """`shows_reads`: with dry_run, what has to be asked for what is printed is printed too."""
        self.profile = profile
        self.dry_run, self._shows_reads = dry_run, shows_reads
        self.unasked = None  # the Trouble for which a dry run does without AWS
        self._say, self._warn = say, warn
        # Older CLIs do not know these variables.
        endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        region = region or os.environ.get("AWS_REGION")
        self._shared = [
            word for option, value in (("--profile", profile), ("--region", region), ("--endpoint-url", endpoint_url))
            if value for word in (option, value)
        ]

    def words(self, service, operation, /, **arguments):
        """The whole command. None is left out, True is a flag, a list is several words, a dict is JSON."""
        words = ["aws", service, *operation.split()]
        for name, value in arguments.items():
            option = "--" + name.strip("_").replace("_", "-")
            if value is None or value is False:
                continue
            words.append(option)
            if value is True:
                continue
            is_json = isinstance(value, dict) or isinstance(value, list) and any(isinstance(v, dict) for v in value)
            if is_json:
                words.append(json.dumps(value, separators=(",", ":")))
            elif isinstance(value, list):
                words += [str(v) for v in value]
            else:
                words.append(str(value))
        return words + self._shared

    def line(self, service, operation, /, **arguments):
        """The call as one would type it."""
        return shlex.join(self.words(service, operation, **arguments))

    def read(self, service, operation, /, unknown=None, assumed=None, **arguments):
        """The answer of a call that changes nothing. With --dry-run and an `unknown` it is only printed,
        and `unknown` stands for the answer; with --dry-run and `assumed` it is made where AWS can be asked,
        because what is to be printed depends on it, and else printed, with `assumed` for the answer."""
        if self.dry_run and assumed is not None:
            if self.unasked is None:
                try:
                    answer = self._run(service, operation, arguments)
                    if self._shows_reads:
                        self._say(self.line(service, operation, **arguments))
                    return answer
                except Trouble as trouble:
                    if not trouble.unasked:
                        raise
                    self.unasked = trouble
                    self._warn(f"{trouble}; the calls below are for what deploy/terraform puts up by default")
            unknown = assumed
        if self.dry_run and unknown is not None:
            self._say(self.line(service, operation, **arguments))
            return unknown
        return self._run(service, operation, arguments)

    def change(self, service, operation, /, unknown=None, **arguments):
        """The answer of a call that changes something; with --dry-run it is only printed."""
        if self.dry_run:
            self._say(self.line(service, operation, **arguments))
            return unknown or {}
        return self._run(service, operation, arguments)

    def together(self, *calls):
        """Results of functions without arguments, run at the same time; a Trouble is a result."""
        if self.dry_run:  # their lines in order
            return [_outcome(call) for call in calls]
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(_outcome, calls))

    def _run(self, service, operation, arguments):
        words = self.words(service, operation, **arguments) + ["--output", "json"]
        environment = {**os.environ, "AWS_PAGER": "", "PYTHONUNBUFFERED": ""}
        try:
            done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise Trouble(UNAVAILABLE, "the aws CLI is not on PATH; apt install awscli, or pip install awscli", unasked=True) from None
        if done.returncode != 0:
            raise failure(service, operation, done.stderr, self.profile)
        try:
            return json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError:
            return done.stdout.strip()  # ecr get-login-password, and other plain answers


def _outcome(call):
    try:
        return call()
    except Trouble as trouble:
        return trouble
