"""AWS for the tests: moto, and what moto lacks. Run by the python3 that has moto.

- ECS services start, replace and stop tasks; each container of a task is a real process in a real memory cgroup
  (containers.py), its output goes to its log stream, its exit code and the kernel's oom_kill counter decide what ECS tells.
  The task ends with its essential container.
- The task metadata endpoint v4, service events, FilterLogEvents with JSON patterns, Logs Insights, the ECS agent's metrics.
- Each request is held against botocore's service model; what does not fit is refused, and kept for the tests to see.
- Faults on demand: throttling, expired credentials, missing permissions, small pages.

Usage: standin.py BIN     prints {"url": …} when it listens; ends, with all it started, when its stdin closes.
Not here: restarts in place, capacity, load balancers, images."""

import base64
import io
import json
import logging
import os
import random
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

import botocore.session
import insights
from containers import Container, Pod, docker_id
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "terraform"))
import shapes  # noqa: E402

os.environ.setdefault("AWS_ACCESS_KEY_ID", "standin")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "standin")
from moto.backends import get_backend  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402

ACCOUNT, REGION = "123456789012", "eu-central-1"
STARTED = "(service {0}) has started 1 tasks: (task {1})."
STOPPED = "(service {0}) has stopped 1 running tasks: (task {1})."
STEADY = "(service {0}) has reached a steady state."
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
SERVICES = ("ecs", "logs", "cloudwatch", "application-autoscaling", "ecr", "events", "ssm")
CLOUDWATCH_TARGET = {"GraniteServiceVersion20100801": "cloudwatch"}


def backend(service):
    return get_backend(service)[ACCOUNT][REGION]


def targets():
    session = botocore.session.get_session()
    made = dict(CLOUDWATCH_TARGET)
    for service in SERVICES:
        prefix = session.get_service_model(service).metadata.get("targetPrefix")
        if prefix:
            made[prefix] = service
    return made


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.status = code, status


class Run:
    """A container of a task."""

    def __init__(self, task, definition, override):
        self.task, self.definition, self.name = task, definition, definition["name"]
        self.docker = docker_id(task.id, self.name)
        self.exit_code, self.reason = None, None
        log = definition.get("logConfiguration", {}).get("options", {})
        self.log_group = log.get("awslogs-group")
        self.stream = f"{log.get('awslogs-stream-prefix')}/{self.name}/{task.id}"
        backend("logs").create_log_stream(self.log_group, self.stream)
        command = (definition.get("entryPoint") or []) + (override.get("command") or definition.get("command") or [])
        environment = {pair["name"]: pair["value"] for pair in (definition.get("environment") or []) + (override.get("environment") or [])}
        environment["PATH"] = f"{task.standin.bin}:{os.environ['PATH']}"
        environment["ECS_CONTAINER_METADATA_URI_V4"] = f"{task.standin.url}/v4/{task.id}-{self.name}"
        self.container = Container(task.pod, self.docker, command, environment, definition.get("memory"))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.container.process.stdout:
            message = line.rstrip(b"\n").decode(errors="replace")
            now = time.time()
            if message:
                backend("logs").groups[self.log_group].put_log_events(self.stream, [{"timestamp": int(now * 1000), "message": message}])
            self.task.standin.measured(self.task, message, now)

    def wait(self):
        self.exit_code = self.container.exit_code()
        self.reason = OUT_OF_MEMORY if self.container.oom_kills() else None
        self.container.remove()

    def stop(self):
        self.container.stop(self.definition.get("stopTimeout") or 30)

    def described(self):
        container = {"containerArn": f"{self.task.arn}/{self.docker}", "taskArn": self.task.arn, "name": self.name,
                     "lastStatus": self.task.status if self.exit_code is None else "STOPPED", "runtimeId": self.docker,
                     "exitCode": self.exit_code, "reason": self.reason, "image": self.definition["image"]}
        return {k: v for k, v in container.items() if v is not None}

    def metadata(self):
        return {
            "DockerId": self.docker, "Name": self.name, "DockerName": f"ecs-{self.name}", "Image": self.definition["image"],
            "Limits": {"CPU": 2, **({"Memory": int(self.definition["memory"])} if self.definition.get("memory") else {})},
            "KnownStatus": "RUNNING", "ContainerARN": f"{self.task.arn}/{self.docker}", "Labels": {
                "com.amazonaws.ecs.container-name": self.name, "com.amazonaws.ecs.task-arn": self.task.arn},
        }


class Task:
    """One task; it ends with its essential container."""

    def __init__(self, standin, cluster, definition, group, started_by, overrides, service=None, generation=None, launch_type="FARGATE"):
        self.standin, self.id = standin, uuid.uuid4().hex
        self.cluster, self.definition, self.group, self.started_by = cluster, definition, group, started_by
        self.overrides, self.service, self.generation, self.launch_type = overrides or {}, service, generation, launch_type
        self.created, self.stopped = time.time(), None
        self.desired, self.stop_code, self.stopped_reason = "RUNNING", None, None
        self.pod = Pod(self.id, definition.get("memory"), definition.get("pidMode") == "task")
        overrides = {c["name"]: c for c in self.overrides.get("containerOverrides", [])}
        self.runs = []
        # What others depend on first.
        for container in sorted(definition["containerDefinitions"], key=lambda c: bool(c.get("dependsOn"))):
            self.runs.append(Run(self, container, overrides.get(container["name"], {})))
        self.app = next(run for run in self.runs if run.definition.get("essential", True))
        self.container = self.app.container
        threading.Thread(target=self._wait, daemon=True).start()

    @property
    def arn(self):
        return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{self.cluster}/{self.id}"

    def _wait(self):
        self.app.wait()
        for run in self.runs:
            if run is not self.app:
                run.stop()
                run.wait()
        self.pod.remove()
        if self.desired == "RUNNING":
            self.stop_code, self.stopped_reason = "EssentialContainerExited", "Essential container in task exited"
        self.desired, self.stopped = "STOPPED", time.time()

    def stop(self, code, reason):
        if self.desired == "STOPPED":
            return
        self.desired, self.stop_code, self.stopped_reason = "STOPPED", code, reason
        threading.Thread(target=self.app.stop, daemon=True).start()

    @property
    def status(self):
        return "STOPPED" if self.stopped else "RUNNING" if self.desired == "RUNNING" else "STOPPING"

    def described(self):
        answer = {
            "taskArn": self.arn, "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{self.cluster}",
            "taskDefinitionArn": self.definition["taskDefinitionArn"], "lastStatus": self.status, "desiredStatus": self.desired,
            "containers": [run.described() for run in self.runs], "createdAt": self.created, "startedAt": self.created,
            "stoppedAt": self.stopped, "stopCode": self.stop_code, "stoppedReason": self.stopped_reason, "group": self.group,
            "startedBy": self.started_by, "overrides": self.overrides, "launchType": self.launch_type,
            "cpu": self.definition.get("cpu"), "memory": self.definition.get("memory"),
        }
        return {k: v for k, v in answer.items() if v is not None}

    def metadata(self, container, what):
        if what == "":
            return next(run for run in self.runs if run.name == container).metadata()
        if what == "/task":
            return {
                "Cluster": self.cluster, "TaskARN": self.arn, "Family": self.definition["family"],
                "Revision": str(self.definition["revision"]), "ServiceName": self.service, "DesiredStatus": "RUNNING",
                "KnownStatus": "RUNNING", "Limits": {"CPU": 0.25, "Memory": int(self.definition["memory"])},
                "AvailabilityZone": f"{REGION}a", "LaunchType": self.launch_type, "Containers": [run.metadata() for run in self.runs],
            }
        return {}


class Service:
    """What the layer keeps of a service beside moto."""

    def __init__(self):
        self.events, self.generation, self.is_steady, self.key, self.since = [], 0, False, None, None

    def tell(self, text, *words):
        self.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": time.time(), "message": text.format(*words)})


class StandIn:
    def __init__(self, folder):
        self.bin, self.url = folder, None
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.targets = targets()
        self.tasks, self.services, self.lock = [], {}, threading.RLock()
        self.faults, self.refused, self.calls, self.page = [], [], [], None
        self.queries, self.ended, self.paused = {}, False, False
        self._minutes = {}

    # --- the services' life ---

    def reconcile_for_ever(self):
        while not self.ended:
            try:
                with self.lock:
                    if not self.paused:
                        self.reconcile()
            except Exception as error:  # a fault of the stand-in: the tests shall see it
                self.refused.append(f"stand-in: {error!r}")
            time.sleep(0.2)

    def reconcile(self):
        for service in list(backend("ecs").services.values()):
            kept = self.services.setdefault((service.cluster_name, service.name), Service())
            definition = self.definition(service.task_definition)
            key = (definition["taskDefinitionArn"], kept.generation)
            if kept.key != key:
                kept.key, kept.is_steady, kept.since = key, False, time.time()
            running = [t for t in self.tasks if t.service == service.name and t.cluster == service.cluster_name and t.status == "RUNNING"]
            new = [t for t in running if t.generation == key]
            old = [t for t in running if t.generation != key]
            desired = service.desired_count if service.status == "ACTIVE" else 0
            lately = [t for t in self.tasks if t.service == service.name and t.cluster == service.cluster_name
                      and time.time() - t.created < 0.5]
            if len(new) < desired:
                kept.is_steady = False
                # As ECS does: the more often it died, the later it is started again.
                died = [t.stopped for t in self.tasks if t.service == service.name and t.cluster == service.cluster_name
                        and t.generation == key and t.stopped and t.stop_code == "EssentialContainerExited"]
                if not lately and (not died or time.time() - max(died) > min(3 * len(died), 15)):
                    self.start(service, kept, definition, key)
            elif old:
                kept.is_steady = False
                for task in old:
                    task.stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {self.deployment(kept)})")
                    kept.tell(STOPPED, service.name, task.id)
            elif len(new) > desired:
                for task in new[desired:]:
                    task.stop("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {self.deployment(kept)})")
                    kept.tell(STOPPED, service.name, task.id)
            elif not kept.is_steady and not lately:
                kept.is_steady = True
                kept.tell(STEADY, service.name)

    def start(self, service, kept, definition, key):
        task = Task(self, service.cluster_name, definition, f"service:{service.name}", self.deployment(kept), None, service.name, key,
                    service.launch_type or "FARGATE")
        self.tasks.append(task)
        kept.tell(STARTED, service.name, task.id)

    @staticmethod
    def deployment(kept):
        return f"ecs-svc/{abs(hash(kept.key)) % 10**16:016d}"

    def definition(self, name):
        found = self.ask_moto("ecs", "DescribeTaskDefinition", {"taskDefinition": name})
        return found["taskDefinition"]

    def ask_moto(self, service, operation, body):
        """moto's own answer, from inside."""
        prefix = next(p for p, s in self.targets.items() if s == service)
        environ = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.version": (1, 0), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
            "wsgi.multiprocess": False, "wsgi.run_once": False, "HTTP_HOST": "127.0.0.1", "CONTENT_TYPE": "application/x-amz-json-1.1",
            "HTTP_X_AMZ_TARGET": f"{prefix}.{operation}",
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=standin/20260101/{REGION}/{service}/aws4_request, SignedHeaders=, Signature=",
        }
        raw = json.dumps(body).encode()
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(raw), str(len(raw))
        return json.loads(Response.from_app(self.moto, environ).get_data())

    # --- what the ECS agent publishes ---

    def measured(self, task, message, now):
        if task.service is None:
            return
        try:
            event = json.loads(message)
        except ValueError:
            return
        if event.get("event") != "memory.sample" or "MemoryUtilization" not in event or event.get("container_name") == "oomprobe":
            return
        dimensions = [{"Name": "ClusterName", "Value": task.cluster}, {"Name": "ServiceName", "Value": task.service}]
        at = datetime.fromtimestamp(now, timezone.utc).replace(tzinfo=None)  # as moto keeps it
        for namespace, metric, value, unit in (
                ("AWS/ECS", "MemoryUtilization", event["MemoryUtilization"], "Percent"),
                ("ECS/ContainerInsights", "MemoryUtilized", event["ecs_used_bytes"] >> 20, "Megabytes"),
                ("ECS/ContainerInsights", "MemoryReserved", int(task.definition.get("memory") or 0), "Megabytes")):
            backend("cloudwatch").put_metric_data(namespace, [{
                "MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": value, "Unit": unit}])

    # --- requests ---

    def __call__(self, environ, start_response):
        request = Request(environ)
        if request.path.startswith("/v4/"):
            return self.metadata(request)(environ, start_response)
        if request.path == "/_standin":
            return self.control(request)(environ, start_response)
        prefix, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
        service = self.targets.get(prefix)
        if service is None:  # sts and ec2, whose protocols are others
            return self.moto(environ, start_response)
        raw = request.get_data()
        body = json.loads(raw or b"{}")
        try:
            response = self.answer(service, operation, body)
        except Refused as refusal:
            response = reply({"__type": refusal.code, "message": str(refusal)}, refusal.status)
        if response is None:
            environ["wsgi.input"] = io.BytesIO(raw)
            response = self.changed(operation, body, Response.from_app(self.moto, environ))
        return response(environ, start_response)

    def answer(self, service, operation, body):
        """Our answer, or None for moto's."""
        self.calls.append([service, operation, body])
        problems = shapes.problems(service, operation, body)
        if problems:
            self.refused.append(f"{service} {operation}: {'; '.join(problems)}")
            raise Refused("SerializationException", "; ".join(problems))
        for fault in self.faults:
            if fault["operation"] in (operation, "*") and fault["times"] != 0:
                fault["times"] -= 1
                raise Refused(fault["code"], fault["message"].format(action=f"{service}:{operation}"))
        own = getattr(self, f"do_{operation}", None)
        return reply(own(body)) if own else None

    def changed(self, operation, body, response):
        """What moto says of services, with what it does not know."""
        if response.status_code != 200 or operation not in ("DescribeServices", "UpdateService", "CreateService"):
            return response
        answer = json.loads(response.get_data())
        with self.lock:
            if operation == "UpdateService" and body.get("forceNewDeployment"):
                kept = self.services[(body.get("cluster", "default").rsplit("/", 1)[-1], answer["service"]["serviceName"])]
                kept.generation += 1
            if operation != "DescribeServices":
                self.reconcile()
            for service in answer.get("services", [answer["service"]] if "service" in answer else []):
                self.complete(service)
        return reply(answer)

    def complete(self, service):
        cluster = service["clusterArn"].rsplit("/", 1)[-1]
        kept = self.services.get((cluster, service["serviceName"]))
        if kept is None:
            return
        service["taskDefinition"] = self.definition(service["taskDefinition"])["taskDefinitionArn"]
        running = [t for t in self.tasks if t.service == service["serviceName"] and t.cluster == cluster and t.status == "RUNNING"]
        service["runningCount"] = len(running)
        service["pendingCount"] = max(0, service["desiredCount"] - len(running))
        service["events"] = kept.events[:100]
        network = service.get("networkConfiguration")
        deployment = {"id": self.deployment(kept), "status": "PRIMARY", "taskDefinition": service["taskDefinition"],
                      "desiredCount": service["desiredCount"], "runningCount": len([t for t in running if t.generation == kept.key]),
                      "rolloutState": "COMPLETED" if kept.is_steady else "IN_PROGRESS", "createdAt": kept.since, "updatedAt": kept.since}
        if network:
            deployment["networkConfiguration"] = network
        service["deployments"] = [deployment]
        old = [t for t in running if t.generation != kept.key]
        if old:
            service["deployments"].append({**deployment, "status": "ACTIVE", "id": "ecs-svc/before", "rolloutState": "COMPLETED",
                                           "taskDefinition": old[0].definition["taskDefinitionArn"]})

    # --- ECS tasks ---

    def cluster(self, body):
        name = body.get("cluster", "default").rsplit("/", 1)[-1]
        if name not in backend("ecs").clusters:
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        return name

    def do_RunTask(self, body):
        cluster = self.cluster(body)
        definition = self.definition(body["taskDefinition"])
        if "FARGATE" in definition.get("requiresCompatibilities", []) and "networkConfiguration" not in body:
            raise Refused("InvalidParameterException",
                          "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        with self.lock:
            made = [Task(self, cluster, definition, f"family:{definition['family']}", body.get("startedBy"), body.get("overrides"),
                         launch_type=body.get("launchType", "FARGATE")) for _ in range(body.get("count", 1))]
            self.tasks += made
        return {"tasks": [task.described() for task in made], "failures": []}

    def do_StopTask(self, body):
        task = self.task(body["task"])
        task.stop("UserInitiated", body.get("reason") or "Task stopped by user")
        return {"task": task.described()}

    def task(self, name):
        for task in self.tasks:
            if task.id == name.rsplit("/", 1)[-1]:
                return task
        raise Refused("InvalidParameterException", "The referenced task was not found.")

    def do_DescribeTasks(self, body):
        self.cluster(body)
        known = {task.id: task for task in self.tasks}
        ids = [name.rsplit("/", 1)[-1] for name in body["tasks"]]
        return {"tasks": [known[i].described() for i in ids if i in known],
                "failures": [{"arn": i, "reason": "MISSING"} for i in ids if i not in known]}

    def do_ListTasks(self, body):
        cluster = self.cluster(body)
        wanted = body.get("desiredStatus", "RUNNING")
        found = [
            t for t in self.tasks
            if t.cluster == cluster and t.desired == wanted
            and ("family" not in body or t.definition["family"] == body["family"])
            and ("serviceName" not in body or t.service == body["serviceName"])
            and ("startedBy" not in body or t.started_by == body["startedBy"])
        ]
        # ECS promises no order.
        found.sort(key=lambda t: random.Random(t.id).random())
        page, token = self.paged([t.arn for t in found], body.get("maxResults", 100), body.get("nextToken"))
        return {"taskArns": page, **({"nextToken": token} if token else {})}

    def paged(self, rows, most, token):
        start = int(base64.b64decode(token)) if token else 0
        end = start + min(most, self.page or most)
        return rows[start:end], base64.b64encode(str(end).encode()).decode() if end < len(rows) else None

    # --- logs ---

    def events_of(self, group_name, streams=None):
        group = backend("logs").groups.get(group_name)
        if group is None:
            raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
        found = []
        for name, stream in group.streams.items():
            if streams is None or name in streams:
                found += [(event, name) for event in list(stream.events)]
        return sorted(found, key=lambda pair: pair[0].timestamp)

    def do_FilterLogEvents(self, body):
        try:
            matches = insights.pattern(body["filterPattern"]) if body.get("filterPattern") else lambda event: True
        except insights.Bad as bad:
            raise Refused("InvalidParameterException", str(bad)) from None
        found = []
        for event, stream in self.events_of(body["logGroupName"], body.get("logStreamNames")):
            if not body.get("startTime", 0) <= event.timestamp <= body.get("endTime", 1 << 62):
                continue
            try:
                content = json.loads(event.message)
            except ValueError:
                continue
            if isinstance(content, dict) and matches(content):
                found.append({"logStreamName": stream, "timestamp": event.timestamp, "message": event.message,
                              "ingestionTime": event.ingestion_time, "eventId": str(event.event_id)})
        page, token = self.paged(found, body.get("limit", 10000), body.get("nextToken"))
        return {"events": page, "searchedLogStreams": [], **({"nextToken": token} if token else {})}

    def do_StartQuery(self, body):
        events = []
        for event, _ in self.events_of(body["logGroupName"]):
            if body["startTime"] * 1000 <= event.timestamp <= body["endTime"] * 1000:
                try:
                    content = json.loads(event.message)
                except ValueError:
                    content = {}
                events.append((event.timestamp, content if isinstance(content, dict) else {}))
        try:
            rows = insights.run(body["queryString"], events)
        except insights.Bad as bad:
            raise Refused("MalformedQueryException", str(bad)) from None
        name = str(uuid.uuid4())
        self.queries[name] = [rows, 1]
        return {"queryId": name}

    def do_GetQueryResults(self, body):
        if body["queryId"] not in self.queries:
            raise Refused("ResourceNotFoundException", "The specified query does not exist.")
        query = self.queries[body["queryId"]]
        if query[1]:  # the first look is too early, as it is there
            query[1] -= 1
            return {"status": "Running", "results": []}
        return {"status": "Complete", "results": query[0]}

    # --- beside AWS ---

    def metadata(self, request):
        name, _, what = request.path[len("/v4/"):].partition("/")
        name, _, container = name.partition("-")
        for _ in range(100):  # the container may ask before its task is in the list
            for task in list(self.tasks):
                if task.id == name:
                    return reply(task.metadata(container, f"/{what}" if what else ""))
            time.sleep(0.02)
        return Response("no such task", 404)

    def control(self, request):
        """{"do": …}: of the tests, not of AWS."""
        body = json.loads(request.get_data() or b"{}")
        if body["do"] == "fault":
            self.faults.append({"times": -1, "message": "", **body["fault"]})
        elif body["do"] == "clear":
            self.faults, self.page, self.paused = [], None, False
        elif body["do"] == "events":
            return reply([[stream, event.message] for event, stream in self.events_of(body["group"])])
        elif body["do"] == "page":
            self.page = body["size"]
        elif body["do"] == "kill":
            container = self.task(body["task"]).container
            for pid in container.pids():
                if pid not in (container.main(), container.process.pid):
                    os.kill(pid, body["signal"])
        elif body["do"] == "stop-all":
            with self.lock:
                for service in backend("ecs").services.values():
                    service.desired_count = 0
                for task in self.tasks:
                    if task.status == "RUNNING":
                        task.desired, task.stop_code = "STOPPED", "UserInitiated"
                        task.container.kill()
        return reply({"refused": self.refused, "calls": self.calls[body.get("since", 0):], "tasks": [t.described() for t in self.tasks]})

    def end(self):
        self.ended = True
        with self.lock:
            for task in self.tasks:
                if not task.stopped:
                    task.desired = "STOPPED"
                    task.container.kill()
        for task in self.tasks:
            deadline = time.monotonic() + 10
            while not task.stopped and time.monotonic() < deadline:
                time.sleep(0.02)
        Pod.remove_all()


def reply(value, status=200):
    return Response(json.dumps(value), status, content_type="application/x-amz-json-1.1")


def main():
    standin = StandIn(sys.argv[1])
    server = make_server("127.0.0.1", 0, standin, threaded=True)
    standin.url = f"http://127.0.0.1:{server.server_port}"
    # Requests of each test in the log would hide a failure.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=standin.reconcile_for_ever, daemon=True).start()
    print(json.dumps({"url": standin.url}), flush=True)
    sys.stdin.read()
    standin.end()


main()
