"""New revisions of a task definition, updates of a service, and waiting for it to be steady."""

import copy
import re
import time

from .call import USAGE, Trouble
from .place import epoch, task_id, tasks

# What describe-task-definition tells and register-task-definition does not take.
READ_ONLY = {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt",
             "registeredBy", "deregisteredAt", "deleteRequestedAt"}
BEFORE = "oomdrill:before"  # tag: the revision that this one was made of


def registered(aws, place, changed):
    """Registers a copy of the service's revision with changes; `family:revision` of the new one."""
    request = {name: value for name, value in place.definition.items() if name not in READ_ONLY and value not in (None, [], "")}
    request.update(changed)
    request["tags"] = [{"key": BEFORE, "value": place.revision}]
    answer = aws.change("ecs", "register-task-definition", cli_input_json=request)
    made = answer.get("taskDefinition", {"family": place.family, "revision": place.definition["revision"] + 1})
    return f"{made['family']}:{made['revision']}"


def before(aws, place):
    """(`family:revision` that the service's revision came after, did scripts/aws make it?): the one it was made of, if so, else the
    latest active one below it; None where it is the first."""
    tags = aws.read("ecs", "describe-task-definition", assumed={}, task_definition=place.revision, include=["TAGS"]).get("tags", [])
    made_of = next((tag["value"] for tag in tags if tag["key"] == BEFORE), None)
    if made_of and re.fullmatch(r"[\w-]+:\d+", made_of):
        return made_of, True
    answer = aws.read("ecs", "list-task-definitions", assumed={"taskDefinitionArns": [f"{place.family}:1"]}, family_prefix=place.family, status="ACTIVE",
                      sort="DESC", max_items=1000)
    found = [arn.rsplit("/", 1)[-1] for arn in answer["taskDefinitionArns"]]
    earlier = [name for name in found if name.rsplit(":", 1)[0] == place.family and int(name.rsplit(":", 1)[1]) < place.definition["revision"]]
    return max(earlier, key=lambda name: int(name.rsplit(":", 1)[1]), default=None), False


def with_memory(definition, memory, cpu):
    """What changes for a task of `memory` MiB: its container's hard limit takes what is added."""
    containers = copy.deepcopy(definition["containerDefinitions"])
    if definition.get("memory"):
        added = memory - int(definition["memory"])
        limited = [c for c in containers if c.get("memory")]
        if limited:
            largest = max((c for c in limited if c.get("essential", True)), key=lambda c: c["memory"], default=limited[0])
            if largest["memory"] + added < 4:
                raise Trouble(USAGE, f"--memory {memory}: nothing would be left for container '{largest['name']}'")
            largest["memory"] += added
        return {"memory": str(memory), "cpu": str(cpu), "containerDefinitions": containers}
    for container in containers:  # EC2 without a task limit
        if container.get("essential", True) and container.get("memory"):
            container["memory"] = memory
            return {"containerDefinitions": containers}
    raise Trouble(USAGE, "neither the task nor its container has a hard memory limit: the host's memory is the limit")


def with_leak(definition, container_name, command, variables):
    """What changes for a service whose container leaks: what was set of leaksim before is not meant."""
    containers = copy.deepcopy(definition["containerDefinitions"])
    for container in containers:
        if container["name"] == container_name:
            kept = [pair for pair in container.get("environment", []) if not pair["name"].startswith("LEAKSIM_")]
            container["environment"] = kept + [{"name": k, "value": v} for k, v in variables.items()]
            container["command"] = command
    return {"containerDefinitions": containers}


def update(session, place, **changed):
    return session.aws.change("ecs", "update-service", cluster=place.cluster, service=place.name, **changed)


def steady(session, place, timeout, poll=5.0):
    """Waits until one deployment is left and all its tasks run; (steady?, why not)."""
    if session.options.dry_run:
        session.printed(session.aws.line("ecs", "wait services-stable", cluster=place.cluster, services=[place.name]))
        return True, None
    deadline = time.monotonic() + timeout
    known = {event["id"] for event in place.service.get("events", [])}
    while True:
        service = session.aws.read("ecs", "describe-services", cluster=place.cluster, services=[place.name])["services"][0]
        for event in reversed(service.get("events", [])):
            if event["id"] not in known:
                known.add(event["id"])
                session.say(f"event        {event['message']}")
        deployments = service.get("deployments", [])
        done = len(deployments) == 1 and deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED"
        if done and service["runningCount"] == service["desiredCount"]:
            return True, None
        if any(d.get("rolloutState") == "FAILED" for d in deployments):
            return False, "ECS gave the deployment up"
        if time.monotonic() >= deadline:
            return False, f"{service['runningCount']} of {service['desiredCount']} tasks run after {timeout:g} s"
        time.sleep(poll)


def died_since(aws, place, revision, since):
    """Tasks of a revision, started after `since` (epoch seconds), whose essential container ended."""
    return [
        task for task in tasks(aws, place, "STOPPED")
        if task["taskDefinitionArn"].endswith(f"/{revision}") and task.get("stopCode") == "EssentialContainerExited"
        and epoch(task.get("createdAt")) >= since
    ]


def lost_workers_since(aws, place, revision, since):
    """Running tasks of a revision, started after `since` (epoch seconds), in which oomprobe told of a kill that the container outlived."""
    group, _ = place.log_streams()
    if not group:
        return []
    answer = aws.read("logs", "filter-log-events", log_group_name=group, filter_pattern='{ $.event = "memory.oom_kill" }', start_time=int(since * 1000))
    told = {line["logStreamName"].rsplit("/", 1)[-1] for line in answer["events"]}
    return [
        task for task in tasks(aws, place, "RUNNING")
        if task["taskDefinitionArn"].endswith(f"/{revision}") and epoch(task.get("createdAt")) >= since and task_id(task) in told
    ]
