import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPTS = ROOT / "scripts" / "aws"
sys.path[:0] = [str(HERE), str(HERE.parent / "terraform"), str(SCRIPTS)]
from harness import MODULE, Root, Stub, copy_of, only, of_type  # noqa: E402

REGION = "eu-central-1"
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/oomdrill:1.0.0"
PATIENCE_S = 180
IS_V1 = Path("/sys/fs/cgroup/memory/memory.usage_in_bytes").exists()


class Account:
    """AWS as the scripts see it: the stand-in behind the real aws CLI."""

    def __init__(self, process, folder):
        self.url = json.loads(process.stdout.readline())["url"]
        self.folder = folder
        (folder / "credentials").write_text("[default]\naws_access_key_id = standin\naws_secret_access_key = standin\n"
                                            "[other]\naws_access_key_id = other\naws_secret_access_key = other\n")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "OOMDRILL_", "LEAKSIM_", "OOMPROBE_", "TF_", "ECS_"))},
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"), "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url, "AWS_MAX_ATTEMPTS": "2", "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC",
        }

    def control(self, do, **more):
        request = urllib.request.Request(f"{self.url}/_standin", json.dumps({"do": do, **more}).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def fault(self, operation, code, message="", times=-1):
        self.control("fault", fault={"operation": operation, "code": code, "message": message, "times": times})

    def aws(self, *words):
        done = subprocess.run(["aws", *words, "--output", "json"], env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"aws {' '.join(words)}: {done.stderr}"
        return json.loads(done.stdout or "{}")

    def script(self, name, *words, env=None, cwd=None, feed=None):
        """A command of scripts/aws to its end."""
        environment = {k: v for k, v in {**self.environment, **(env or {})}.items() if v is not None}
        return subprocess.run([SCRIPTS / name, *words], env=environment, cwd=cwd or self.folder, input=feed or "",
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def json(self, name, *words, code=0, **options):
        done = self.script(name, "--json", *words, **options)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def tasks(self):
        return self.control("look", since=1 << 40)["tasks"]

    def wait(self, condition, what):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = condition()
            if found:
                return found
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def account(tmp_path_factory):
    # The python3 that has moto, which need not be the one of pytest.
    process = subprocess.Popen(["python3", HERE / "standin.py", os.environ["OOMDRILL_BIN"]], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        made = Account(process, tmp_path_factory.mktemp("account"))
        yield made
        refused = made.control("look", since=1 << 40)["refused"]
    finally:
        process.stdin.close()
        process.wait(timeout=PATIENCE_S)
    assert not refused, f"requests that AWS's service models refuse: {refused}"


@pytest.fixture(autouse=True)
def no_faults_are_left(request):
    yield
    if "account" in request.fixturenames:
        request.getfixturevalue("account").control("clear")


@pytest.fixture(scope="session")
def network(account):
    subnets = [s["SubnetId"] for s in account.aws("ec2", "describe-subnets")["Subnets"]]
    group = account.aws("ec2", "describe-security-groups")["SecurityGroups"][0]["GroupId"]
    return {"subnets": subnets[:2], "group": group}


@pytest.fixture(scope="session")
def stub(tmp_path_factory):
    served = Stub(tmp_path_factory.mktemp("stub"))
    yield served
    served.stop()


class Stack:
    """deploy/terraform/examples/fargate, applied by the real terraform, and the same made in the stand-in."""

    def __init__(self, account, stub, folder, network):
        self.account, self.network = account, network
        self.folder = copy_of(MODULE, folder / "tree") / "examples" / "fargate"
        self.root = Root(stub, self.folder)
        self.environment = {**stub.environment, "OOMDRILL_TERRAFORM": str(self.folder)}

    def make(self, values, environment=(), desired=1, stop_timeout=None):
        """What the AWS provider would have asked AWS for."""
        aws, definition, service = self.account.aws, only(values, "aws_ecs_task_definition"), only(values, "aws_ecs_service")
        self.cluster, self.service = only(values, "aws_ecs_cluster")["name"], service["name"]
        self.group, self.family = only(values, "aws_cloudwatch_log_group")["name"], definition["family"]
        containers = json.loads(definition["container_definitions"])
        for container in containers:
            kept = [pair for pair in container["environment"] if pair["name"] not in dict(environment)]
            container["environment"] = kept + [{"name": k, "value": v} for k, v in dict(environment).items()]
            if stop_timeout:
                container["stopTimeout"] = stop_timeout
        aws("ecs", "create-cluster", "--cluster-name", self.cluster)
        aws("logs", "create-log-group", "--log-group-name", self.group)
        aws("ecs", "register-task-definition", "--cli-input-json", json.dumps({
            "family": self.family, "requiresCompatibilities": definition["requires_compatibilities"],
            "networkMode": definition["network_mode"], "cpu": definition["cpu"], "memory": definition["memory"],
            "executionRoleArn": definition["execution_role_arn"], "taskRoleArn": definition["task_role_arn"],
            "containerDefinitions": containers}))
        aws("ecs", "create-service", "--cluster", self.cluster, "--service-name", self.service, "--task-definition", self.family,
            "--desired-count", str(desired), "--launch-type", "FARGATE", "--network-configuration", json.dumps({"awsvpcConfiguration": {
                "subnets": self.network["subnets"], "securityGroups": [self.network["group"]], "assignPublicIp": "ENABLED"}}))
        for alarm in of_type(values, "aws_cloudwatch_metric_alarm"):
            aws("cloudwatch", "put-metric-alarm", "--cli-input-json", json.dumps({k: v for k, v in {
                "AlarmName": alarm["alarm_name"], "Namespace": alarm["namespace"], "MetricName": alarm["metric_name"],
                "Statistic": alarm["statistic"], "Period": alarm["period"], "EvaluationPeriods": alarm["evaluation_periods"],
                "ComparisonOperator": alarm["comparison_operator"], "Threshold": alarm["threshold"],
                "TreatMissingData": alarm.get("treat_missing_data") or None,
                "Dimensions": [{"Name": k, "Value": v} for k, v in (alarm["dimensions"] or {}).items()]}.items() if v is not None}))
        for target in of_type(values, "aws_appautoscaling_target"):
            name = f"service/{self.cluster}/{self.service}"
            aws("application-autoscaling", "register-scalable-target", "--service-namespace", "ecs", "--resource-id", name,
                "--scalable-dimension", target["scalable_dimension"], "--min-capacity", str(target["min_capacity"]),
                "--max-capacity", str(target["max_capacity"]))
        for policy in of_type(values, "aws_appautoscaling_policy"):
            (tracking,) = policy["target_tracking_scaling_policy_configuration"]
            (metric,) = tracking["predefined_metric_specification"]
            aws("application-autoscaling", "put-scaling-policy", "--service-namespace", "ecs", "--resource-id", name,
                "--policy-name", policy["name"], "--policy-type", policy["policy_type"],
                "--scalable-dimension", policy["scalable_dimension"], "--target-tracking-scaling-policy-configuration", json.dumps({
                    "TargetValue": tracking["target_value"], "ScaleInCooldown": tracking["scale_in_cooldown"],
                    "ScaleOutCooldown": tracking["scale_out_cooldown"],
                    "PredefinedMetricSpecification": {"PredefinedMetricType": metric["predefined_metric_type"]}}))
        return self

    @property
    def where(self):
        return "--cluster", self.cluster, "--service", self.service


@pytest.fixture(scope="session")
def applied(account, stub, network, tmp_path_factory):
    """applied(name) -> the stack and its state's values."""

    def apply(name):
        stack = Stack(account, stub, tmp_path_factory.mktemp(name), network)
        stack.root.init()
        return stack, stack.root.apply(image=IMAGE, name=name)["values"]

    return apply


@pytest.fixture(scope="session")
def idle(applied):
    """A service without tasks, for drills beside it; the probe looks every 100 ms, so that a drill may be short."""
    stack, values = applied("shop")
    return stack.make(values, {"OOMPROBE_INTERVAL": "100ms", "LEAKSIM_RATE": "160MB/s"}, desired=0, stop_timeout=2)


@pytest.fixture(scope="session")
def module(stub, tmp_path_factory):
    return Root(stub, copy_of(MODULE, tmp_path_factory.mktemp("module") / "root")).init()


# Commands that bring each kind of end about; the rate and the probe's interval are those of `idle`.
WORKERS = "leaksim --rate 320MB/s --format json; echo the worker ended with $?; sleep 1; exit 0"
STUBBORN = "trap '' TERM; while :; do sleep 0.1; done"
DRILLS = {
    "leak": ([], "oom-kill"),
    "burst": (["--pattern", "burst:size=96MiB,interval=800ms"], "burst"),
    "one-burst": (["--pattern", "burst:size=600MiB,interval=2s"], "burst"),
    "fragment": (["--pattern", "fragment:rate=160MB/s"], "oom-kill"),
    "worker": (["--command", WORKERS], "worker-oom-kill"),
    "kill": (["--command", "sleep 1; kill -9 $$"], "sigkill-outside"),
    "stop": (["--command", STUBBORN, "--timeout", "2s"], "healthy"),
    "plateau": (["--rate", "320MB/s", "--until", "85%", "--hold", "--timeout", "10s"], "plateau"),
    "low": (["--rate", "320MB/s", "--until", "30%", "--hold", "--timeout", "6s"], "healthy"),
    "slow-leak": (["--rate", "4MB/s", "--timeout", "6s"], "slow-leak"),
    "exit": (["--command", "sleep 1; exit 3"], "ended"),
}


@pytest.fixture(scope="session")
def drilled(account, idle):
    """drilled(name) -> what the drill command told, once for all tests."""
    done = {}

    def run(name):
        if name not in done:
            words, kind = DRILLS[name]
            done[name] = account.json("drill", *words, *idle.where, "--yes", "--poll", "2s", "--expect", kind)
        return done[name]

    return run


def recorded(folder, options, end, name="drill.jsonl"):
    """The recording of a real drill in the container's 480 MiB."""
    for _ in range(3):  # on a machine that is short of CPU the kernel may take the witness too; the verdict says so
        done = subprocess.run(
            [Path(os.environ["OOMDRILL_BIN"]) / "oomdrill", "run", "-q", "-m", "480MiB", "--interval", "50ms", "--engine", "cgroup",
             "--expect", end, "-o", name, *options], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if done.returncode == 0:
            return folder / name
    raise AssertionError(done.stdout + done.stderr)


def evaluate(plan, recording, *options, code=0):
    done = subprocess.run([Path(os.environ["OOMDRILL_BIN"]) / "oomdrill", "evaluate", "--alarms", plan, "--format", "json", *options, recording],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def plan(stub, tmp_path_factory):
    """`terraform show -json` of the Fargate example's plan, the guide's alarms beside ours."""
    folder = tmp_path_factory.mktemp("plan")
    root = Root(stub, copy_of(MODULE, folder / "tree") / "examples" / "fargate").init()
    path = folder / "plan.json"
    path.write_text(json.dumps(root.plan(image=IMAGE)))
    return path


@pytest.fixture
def evaluable(plan):
    """evaluable(folder): a plan and a recording there, for the docs."""

    def put(folder):
        (folder / "plan.json").write_bytes(plan.read_bytes())
        recorded(folder, ["--", "--rate", "40MB/s"], "oom_killed", "leak.jsonl")

    return put
