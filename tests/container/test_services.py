"""Services that nobody here wrote, below the probe: they must not notice it, and it must notice their OOM kills."""

import time
from dataclasses import dataclass

import pytest
from docker import PATIENCE_S, VERSION, Container, docker

IMAGE = "oomdrill-services"
PROBE = ["oomprobe", "run", "--format", "json", "--"]


def request(head, body="true"):
    """An HTTP request in bash: the image has no client."""
    return f"exec 3<>/dev/tcp/127.0.0.1/8080 && printf '{head}\\r\\n\\r\\n' >&3 && {body} >&3 && cat <&3"


@dataclass
class Service:
    user: str
    command: list
    ask: str  # prints ANSWER when it serves
    answer: str
    configure: str  # for the reload
    answer_then: str
    stops: dict  # signal: what it exits with then
    broken: list  # a command line that it refuses
    grow: str  # makes one of its processes grow without end
    victim: str


SQL = "psql -U postgres -h /tmp -Atc"
POSTGRES = "/usr/lib/postgresql/15/bin/postgres"
SERVICES = {
    "nginx": Service(
        "www-data", ["nginx"], request("GET / HTTP/1.0"), "first",
        "sed -i s/first/second/ /etc/nginx/nginx.conf", "second",
        {"QUIT": 0, "TERM": 0, "INT": 0}, ["nginx", "-c", "/none"],
        # 5 MiB in 50 ms: whoever fills all within one of the probe's intervals has no name.
        request(f"POST /body HTTP/1.0\\r\\nContent-Length: {400 << 20}",
                "for i in {1..80}; do head -c 5M /dev/zero || exit; sleep 0.05; done"), "nginx"),
    "redis": Service(
        "redis", ["redis-server", "/tmp/redis.conf"], "redis-cli ping", "PONG", "", "",
        {"TERM": 0, "INT": 0}, ["redis-server", "/none"],
        """redis-cli eval "for i = 1, 200 do redis.call('set', i, string.rep('x', 1000000)) end" 0""", "redis-server"),
    "postgres": Service(
        "postgres", [POSTGRES, "-D", "/data/pg", "-k", "/tmp", "-c", "listen_addresses=", "-c", "shared_buffers=8MB", "-c", "jit=off"],
        f"{SQL} 'show work_mem'", "4MB", f"{SQL} \"alter system set work_mem = '7MB'\"", "7MB",
        {"TERM": 0, "INT": 0, "QUIT": 0}, [POSTGRES, "-D", "/none"],
        # As slowly: 32 KB in a millisecond, after more than an interval.
        f"{SQL} \"select pg_sleep(1.5); select length(string_agg(repeat(md5(i::text), 1000) || pg_sleep(0.001), '')) from generate_series(1, 30000) i\"",
        "postgres"),
}
FRONTS = {"oomprobe": PROBE}
if VERSION == "1":
    # The control: the services by themselves, which differ with no kernel.
    FRONTS["bare"] = []


class Running(Container):
    def __init__(self, name, front, *options):
        self.service = SERVICES[name]
        command = [*front, *self.service.command]
        if name == "redis":
            # A configuration file, so that it has something to save.
            command = ["sh", "-c", "printf 'dir /tmp\\nsave 3600 1\\n' >/tmp/redis.conf && exec \"$@\"", "sh", *command]
        super().__init__("--user", self.service.user, *options, IMAGE, *command)

    def shell(self, script, user="0"):
        return docker("exec", "--user", user, self.name, "bash", "-c", script, check=False).stdout

    def answers(self, text):
        deadline = time.monotonic() + PATIENCE_S
        while text not in (said := self.shell(self.service.ask)):
            assert self.state()["Running"], "\n".join(self.logs())
            assert time.monotonic() < deadline, f"{said!r} is not {text!r}:\n" + "\n".join(self.logs())
            time.sleep(0.1)

    def signal(self, signal):
        docker("kill", "-s", signal, self.name)


STOPS = [(name, signal) for name, service in SERVICES.items() for signal in service.stops]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name, signal", STOPS)
def test_it_stops_as_it_does_by_itself(name, signal, front):
    service = SERVICES[name]
    with Running(name, FRONTS[front]) as running:
        running.answers(service.answer)
        running.signal(signal)
        ended = running.ended()
    assert ended.code == service.stops[signal]
    if front == "oomprobe":
        exited = ended.one("workload.exited")
        assert (exited["verdict"], exited["confidence"]) == ("stopped", "certain")
        assert list(exited["evidence"]["signals"]) == ["SIG" + signal]
        assert ended.all("memory.oom_kill") == []


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if service.configure])
def test_it_reloads(name, front):
    service = SERVICES[name]
    with Running(name, FRONTS[front]) as running:
        running.answers(service.answer)
        before = running.state()["Pid"]
        running.shell(service.configure)
        running.signal("HUP")
        running.answers(service.answer_then)
        assert running.state()["Pid"] == before
        running.signal("TERM")
        assert running.ended().code == 0


def test_redis_keeps_what_it_had():
    with Running("redis", PROBE) as running:
        running.answers("PONG")
        running.shell("redis-cli set kept 1")
        running.signal("TERM")
        assert running.ended().code == 0
        docker("start", running.name)
        running.answers("PONG")
        assert running.shell("redis-cli get kept") == "1\n"


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", SERVICES)
def test_its_refusal_to_start(name, front):
    service = SERVICES[name]
    with Container("--user", service.user, IMAGE, *FRONTS[front], *service.broken) as container:
        ended = container.ended()
    assert ended.code == {"nginx": 1, "redis": 1, "postgres": 2}[name]
    if front == "oomprobe":
        assert ended.one("workload.exited")["verdict"] == "failed"


@pytest.mark.parametrize("name", ["nginx", "postgres"])
def test_a_worker_s_oom_kill_is_told_by_name_and_the_service_lives(name):
    service = SERVICES[name]
    with Running(name, PROBE, "--memory=128m", "--memory-swap=128m") as running:
        running.answers(service.answer)
        running.shell(service.grow, "65534" if name == "postgres" else service.user)
        running.wait_for("memory.oom_kill")
        running.answers(service.answer)
        assert not running.state()["OOMKilled"] or VERSION == "1"
        running.signal("TERM")
        ended = running.ended()
    assert ended.code == 0
    kill = ended.one("memory.oom_kill")
    assert kill["survived"] is True
    assert kill["scope"] == "own_limit"
    assert kill["victim"]["name"] == service.victim
    assert kill["victim"]["pid"] != ended.one("workload.started")["pid"], "a worker"
    # Most of what there was: no helper of the service that went with it.
    assert kill["victim"]["rss_bytes"] > 32 << 20
    assert ended.one("workload.exited")["verdict"] == "stopped"


def test_the_only_process_of_a_service():
    with Running("redis", PROBE, "--memory=64m", "--memory-swap=64m") as running:
        running.answers("PONG")
        running.shell(SERVICES["redis"].grow)
        ended = running.ended()
    assert ended.code == 137
    assert ended.one("memory.oom_kill")["victim"]["name"] == "redis-server"
    exited = ended.one("workload.exited")
    assert (exited["verdict"], exited["confidence"]) == ("oom_killed", "certain")
