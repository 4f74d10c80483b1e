"""`oomprobe watch --all-siblings`: the containers of a task that share a pid namespace."""

import json
import os

import pytest
from docker import Container, docker, events_in

IMAGE = os.environ.get("OOMDRILL_MATRIX_IMAGE", "oomdrill-matrix")
LIMIT = ("--memory=64m", "--memory-swap=64m", "--user", "0")
# Not before it is watched: a container's start takes seconds on the emulated machine.
LEAKS_WHEN_TOLD = "trap 'exec tail /dev/zero' USR1; while :; do sleep 0.1; done"
# What the metadata endpoint answers, for whoever asks the container that it runs in.
ENDPOINT = """
import http.server, json, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        task = self.path == "/v4/token/task"
        body = json.dumps(json.loads(os.environ["TASK"]) if task else {"Name": "sidecar"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
os.environ["ECS_CONTAINER_METADATA_URI_V4"] = f"http://127.0.0.1:{server.server_port}/v4/token"
if os.fork() == 0:
    server.serve_forever()
os.execvp("oomprobe", ["oomprobe", "watch", "--all-siblings", "--format", "json", "--interval", "100ms"])
"""


def container_id(container):
    return docker("inspect", "-f", "{{.Id}}", container.name).stdout.strip()


def told(sidecar, name, event):
    return [e for e in events_in(sidecar.logs()[0]) if e["event"] == event and e.get("container_name") == name]


@pytest.fixture()
def shared():
    """A task: the owner of the pid namespace, two others, and the sidecar that watches."""
    with Container(*LIMIT, IMAGE, "sleep", "600") as owner:
        same = (*LIMIT, "--pid", f"container:{owner.name}", IMAGE)
        with Container(*same, "sh", "-c", LEAKS_WHEN_TOLD) as leaking, \
                Container(*same, "sleep", "600") as innocent:
            names = {"owner": owner, "leaking": leaking, "innocent": innocent}
            task = {"Family": "orders", "Containers": [
                {"DockerId": container_id(c), "Name": name} for name, c in names.items()]}
            with Container("-e", "TASK=" + json.dumps(task), *same, "python3", "-c", ENDPOINT) as sidecar:
                yield {**names, "sidecar": sidecar, "same": same}


def test_the_right_one_of_three_is_named(shared):
    sidecar = shared["sidecar"]
    sidecar.wait_for("probe.started", 3)
    docker("kill", "-s", "USR1", shared["leaking"].name)
    sidecar.wait_for("container.ended")
    assert [e["kills"] for e in told(sidecar, "leaking", "memory.oom_kill")] == [1]
    ended = told(sidecar, "leaking", "container.ended")[0]
    assert ended["verdict"] == "oom_killed"
    assert ended["container_id"] == container_id(shared["leaking"])
    for name in ("owner", "innocent"):
        assert told(sidecar, name, "probe.started")[0]["limit_bytes"] == 64 << 20
        assert told(sidecar, name, "memory.oom_kill") == []
        assert told(sidecar, name, "container.ended") == []

    # One that comes later is watched too, by its id where the endpoint does not know it; an end that is
    # no OOM kill is told as such.
    with Container(*shared["same"], "sleep", "600") as late:
        sidecar.wait_for("probe.started", 4)
        docker("kill", late.name)
        seen = sidecar.wait_for("container.ended", 2)
        ended = [e for e in seen if e["event"] == "container.ended"][1]
        assert ended["container_id"] == container_id(late)
        assert ended["verdict"] == "ended"
        assert ended["oom_kills"] == 0
    docker("kill", shared["innocent"].name)
    sidecar.wait_for("container.ended", 3)
    assert told(sidecar, "innocent", "container.ended")[0]["verdict"] == "ended"
    # Nobody names the sidecar among the others.
    assert told(sidecar, "sidecar", "memory.sample") == []
    docker("kill", "-s", "TERM", sidecar.name)
    assert sidecar.ended().code == 0
