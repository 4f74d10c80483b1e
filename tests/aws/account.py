"""The stand-in for AWS behind the real aws CLI, and what deploy/terraform puts up in it."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCRIPTS = ROOT / "scripts" / "aws"
sys.path[:0] = [str(HERE), str(HERE.parent / "terraform"), str(SCRIPTS)]
from harness import MODULE, Root, copy_of, of_type, only  # noqa: E402

REGION = "eu-central-1"
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/oomdrill:1.0.0"
PATIENCE_S = 180


class Account:
    """AWS as the scripts see it: the stand-in behind the real aws CLI."""

    def __init__(self, folder):
        self._cli, self._lock = None, threading.Lock()
        # The python3 that has moto, which need not be the one of pytest.
        self._process = subprocess.Popen(["python3", HERE / "standin.py", os.environ["OOMDRILL_BIN"]], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.url = json.loads(self._process.stdout.readline())["url"]
        self.folder = folder
        (folder / "credentials").write_text("[default]\naws_access_key_id = standin\naws_secret_access_key = standin\n"
                                            "[other]\naws_access_key_id = other\naws_secret_access_key = other\n")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "OOMDRILL_", "LEAKSIM_", "OOMPROBE_", "TF_", "ECS_"))},
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"), "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url, "AWS_MAX_ATTEMPTS": "2", "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC",
        }

    def end(self):
        if self._cli:
            self._cli.stdin.close()
            self._cli.wait(timeout=PATIENCE_S)
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE_S)

    def network(self):
        subnets = [s["SubnetId"] for s in self.aws("ec2", "describe-subnets")["Subnets"]]
        group = self.aws("ec2", "describe-security-groups")["SecurityGroups"][0]["GroupId"]
        return {"subnets": subnets[:2], "group": group}

    def control(self, do, **more):
        request = urllib.request.Request(f"{self.url}/_standin", json.dumps({"do": do, **more}).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def fault(self, operation, code, message="", times=-1):
        self.control("fault", fault={"operation": operation, "code": code, "message": message, "times": times})

    def cli(self, *words):
        """What a call of the aws CLI tells: {"code", "out", "err"}."""
        with self._lock:
            if self._cli is None:
                self._cli = subprocess.Popen(["python3", HERE / "cli.py"], env=self.environment, stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, text=True, start_new_session=True)
            self._cli.stdin.write(json.dumps(words) + "\n")
            self._cli.stdin.flush()
            return json.loads(self._cli.stdout.readline())

    def aws(self, *words):
        done = self.cli(*words, "--output", "json")
        assert done["code"] == 0, f"aws {' '.join(words)}: {done['err']}"
        return json.loads(done["out"] or "{}")

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


class Stack:
    """deploy/terraform/examples/fargate, applied by the real terraform, and the same made in the stand-in."""

    def __init__(self, account, stub, folder, network, example="fargate"):
        self.account, self.network = account, network
        self.folder = copy_of(MODULE, folder / "tree") / "examples" / example
        self.root = Root(stub, self.folder)
        self.environment = {**stub.environment, "OOMDRILL_TERRAFORM": str(self.folder)}

    def make(self, values, environment=(), desired=1, stop_timeout=None, name=None):
        """What the AWS provider would have asked AWS for; `name`: of the service and its family, as another module would be."""
        aws, service = self.account.aws, only(values, "aws_ecs_service")
        self.definition, self.stop_timeout = only(values, "aws_ecs_task_definition"), stop_timeout
        self.cluster, self.service = only(values, "aws_ecs_cluster")["name"], name or service["name"]
        self.group, self.family = only(values, "aws_cloudwatch_log_group")["name"], name or self.definition["family"]
        if name is None:
            aws("ecs", "create-cluster", "--cluster-name", self.cluster)
        else:
            self.definition = {**self.definition, "container_definitions": self.definition["container_definitions"].replace(
                f'"{self.group}"', f'"/ecs/{name}"')}
            self.group = f"/ecs/{name}"
        aws("logs", "create-log-group", "--log-group-name", self.group)
        self.register(environment)
        launch = self.definition["requires_compatibilities"][0]
        network = ["--network-configuration", json.dumps({"awsvpcConfiguration": {
            "subnets": self.network["subnets"], "securityGroups": [self.network["group"]], "assignPublicIp": "ENABLED"}})]
        aws("ecs", "create-service", "--cluster", self.cluster, "--service-name", self.service, "--task-definition", self.family,
            "--desired-count", str(desired), "--launch-type", launch, *(network if self.definition["network_mode"] == "awsvpc" else []))
        if name is None:
            self.watch(values)
        return self

    def register(self, environment=(), command=None):
        """A revision of the module's task definition; `environment` and `command` are the essential container's."""
        definition, containers = self.definition, json.loads(self.definition["container_definitions"])
        for container in containers:
            if container.get("essential", True):
                kept = [pair for pair in container["environment"] if pair["name"] not in dict(environment)]
                container["environment"] = kept + [{"name": k, "value": v} for k, v in dict(environment).items()]
                container["command"] = command or container["command"]
            if self.stop_timeout:
                container["stopTimeout"] = self.stop_timeout
        request = {
            "family": self.family, "requiresCompatibilities": definition["requires_compatibilities"],
            "networkMode": definition["network_mode"], "cpu": definition["cpu"], "memory": definition["memory"],
            "executionRoleArn": definition["execution_role_arn"], "taskRoleArn": definition["task_role_arn"],
            "pidMode": definition.get("pid_mode"), "containerDefinitions": containers}
        made = self.account.aws("ecs", "register-task-definition", "--cli-input-json",
                                json.dumps({k: v for k, v in request.items() if v}))["taskDefinition"]
        return f"{made['family']}:{made['revision']}"

    def release(self, environment=(), command=None):
        """As a pipeline deploys: a new revision, of which no script of ours knows."""
        revision = self.register(environment, command)
        self.account.aws("ecs", "update-service", "--cluster", self.cluster, "--service", self.service, "--task-definition", revision)
        return revision

    def tasks(self, revision=None):
        """Of the service, the latest first."""
        return sorted((t for t in self.account.tasks() if t.get("group") == f"service:{self.service}"
                       and (revision is None or t["taskDefinitionArn"].endswith(f"/{revision}"))),
                      key=lambda t: t["createdAt"], reverse=True)

    def events(self):
        """Of oomprobe and leaksim, in the log of the service's tasks."""
        from oomaws import recording

        ids = {t["taskArn"].rsplit("/", 1)[-1] for t in self.tasks()}
        told = self.account.control("events", group=self.group)
        return [event for event in (recording.parsed(message) for stream, message in told if stream.rsplit("/", 1)[-1] in ids) if event]

    def watch(self, values):
        """Alarms and scaling."""
        aws = self.account.aws
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

    @property
    def where(self):
        return "--cluster", self.cluster, "--service", self.service
