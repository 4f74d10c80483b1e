"""Which cluster, service, task definition and log streams are meant."""

import json
import subprocess
from datetime import datetime
from pathlib import Path

from .call import NO_INPUT, USAGE, Trouble

ROOT = Path(__file__).resolve().parents[3]
FARGATE_EXAMPLE = ROOT / "deploy" / "terraform" / "examples" / "fargate"


def terraform_folder(options):
    return Path(options.terraform or FARGATE_EXAMPLE)


def terraform_output(folder):
    """What the module told; {} where nothing was applied."""
    try:
        done = subprocess.run(["terraform", f"-chdir={folder}", "output", "-json"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        return json.loads(done.stdout)["oomdrill"]["value"] if done.returncode == 0 else {}
    except (FileNotFoundError, ValueError, KeyError):
        return {}


# What deploy/terraform puts up by default: what a dry run speaks of where AWS cannot be asked. A test compares.
DEFAULT = "oomdrill"


def assumed_service(name):
    return {
        "serviceName": name, "taskDefinition": DEFAULT, "events": [], "deployments": [], "desiredCount": 1, "runningCount": 1,
        "launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["SUBNET"], "securityGroups": ["SECURITY_GROUP"], "assignPublicIp": "ENABLED"}}}


def assumed_definition(container):
    return {
        "family": DEFAULT, "revision": 2, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": f"arn:aws:iam::ACCOUNT:role/{DEFAULT}-execution", "taskRoleArn": f"arn:aws:iam::ACCOUNT:role/{DEFAULT}-task",
        "containerDefinitions": [{
            "name": container or "app", "image": f"ACCOUNT.dkr.ecr.REGION.amazonaws.com/{DEFAULT}:TAG", "essential": True, "memory": 480,
            "entryPoint": ["oomprobe", "run", "--"], "command": ["leaksim"],
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": f"/ecs/{DEFAULT}", "awslogs-region": "REGION", "awslogs-stream-prefix": DEFAULT}}}]}


def named(options):
    """(cluster, service) out of the options, or of terraform's outputs."""
    if options.cluster and options.service:
        return options.cluster, options.service
    told = terraform_output(terraform_folder(options))
    if options.dry_run:
        told = {"cluster_name": DEFAULT, "service_name": DEFAULT, **told}
    cluster, service = options.cluster or told.get("cluster_name"), options.service or told.get("service_name")
    if not cluster or not service:
        raise Trouble(USAGE, "which service? --cluster NAME --service NAME; `aws ecs list-clusters` shows them")
    return cluster, service


class Place:
    """A service as it stands: `service` and `definition` as ECS describes them."""

    def __init__(self, aws, options):
        self.cluster, name = named(options)
        answer = aws.read("ecs", "describe-services", assumed={"services": [assumed_service(name)]}, cluster=self.cluster, services=[name])
        found = [s for s in answer["services"] if s.get("status") != "INACTIVE"]
        if not found:
            raise Trouble(NO_INPUT, f"no service '{name}' in cluster '{self.cluster}'; "
                          f"`{aws.line('ecs', 'list-services', cluster=self.cluster)}` shows those that are there")
        self.service = found[0]
        self.name = self.service["serviceName"]
        self.definition = aws.read("ecs", "describe-task-definition", assumed={"taskDefinition": assumed_definition(options.container)},
                                   task_definition=self.service["taskDefinition"])["taskDefinition"]
        containers = self.definition["containerDefinitions"]
        wanted = [c for c in containers if c["name"] == options.container] if options.container else (
            [c for c in containers if c.get("essential", True)] or containers)
        if not wanted:
            raise Trouble(NO_INPUT, f"no container '{options.container}' in {self.revision}; "
                          f"there are {', '.join(c['name'] for c in containers)}")
        self.container = wanted[0]

    @property
    def family(self):
        return self.definition["family"]

    @property
    def revision(self):
        return f"{self.family}:{self.definition['revision']}"

    @property
    def deployed(self):
        """When the service's revision was deployed: epoch seconds, 0 where ECS does not say."""
        return next((epoch(d.get("createdAt")) for d in self.service.get("deployments", []) if d.get("status") == "PRIMARY"), 0.0)

    @property
    def limit_mib(self):
        """Where the container is killed: its hard limit, else the task's; None if neither is set."""
        return int(self.container.get("memory") or self.definition.get("memory") or 0) or None

    def log_streams(self):
        """(group, {container: stream prefix}) of the containers with awslogs; our events may come from a sidecar."""
        group, prefixes = None, {}
        for container in self.definition["containerDefinitions"]:
            log = container.get("logConfiguration", {})
            options = log.get("options", {})
            if log.get("logDriver") == "awslogs" and options.get("awslogs-stream-prefix"):
                group = group or options["awslogs-group"]
                if options["awslogs-group"] == group:
                    prefixes[container["name"]] = f"{options['awslogs-stream-prefix']}/{container['name']}"
        return group, prefixes


def task_id(task):
    return task["taskArn"].rsplit("/", 1)[-1]


def tasks(aws, place, status, at_most=1000):
    """Described tasks of the family, drills among them, the latest first."""
    answer = aws.read("ecs", "list-tasks", {"taskArns": [f"{status}_TASK_ARN"]}, cluster=place.cluster, family=place.family,
                      desired_status=status, max_items=at_most if not aws.dry_run else None)
    arns = answer.get("taskArns", [])
    found = []
    for start in range(0, len(arns), 100):
        described = aws.read("ecs", "describe-tasks", {"tasks": []}, cluster=place.cluster, tasks=arns[start:start + 100])
        found += described["tasks"]
    return sorted(found, key=lambda task: epoch(task.get("stoppedAt") or task.get("startedAt") or task.get("createdAt")),
                  reverse=True)


def epoch(time):
    """Seconds of a time as the CLI prints it: a number (version 1) or ISO 8601 (version 2); 0 where there is none."""
    if time is None:
        return 0.0
    if isinstance(time, (int, float)):
        return float(time)
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def clock(time):
    return datetime.fromtimestamp(epoch(time)).strftime("%H:%M:%S") if time else "?"
