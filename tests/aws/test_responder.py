"""A first responder who has the runbook only: each named drill as an incident of a service. `diagnose` names the cause and the next
command; that command, as it is printed, leads to a steady service. tests/aws/practice is the same for people."""

import re
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest
from incidents import INCIDENTS, environment, has_begun, page

SIDE_BY_SIDE = 3  # on two cores


def played(account, market, name):
    """What was told at each step, by name of the step."""
    incident, stack = INCIDENTS[name], market(name)
    account.wait(lambda: [e for e in stack.events() if e["event"] == "leak.holding"], f"{name}: the service's start")
    revision = stack.release(environment(incident), incident.command)
    begun = account.wait(lambda: has_begun(stack, revision, incident), f"{name}: the incident")
    told = {"page": page(stack.values, stack, incident, begun), "revision": revision}
    told["first"] = account.json("diagnose", *stack.where, code=1)
    words = shlex.split(told["first"]["next"])
    told["dry"] = account.script(words[0].rsplit("/", 1)[1], *words[1:], "--dry-run")
    told["cure"] = account.script(words[0].rsplit("/", 1)[1], *words[1:], "--yes", "--settle", "5s", "--poll", "1s")
    told["after"] = account.json("diagnose", *stack.where, code=None)
    (told["service"],) = account.aws("ecs", "describe-services", "--cluster", stack.cluster, "--services", stack.service)["services"]
    account.aws("ecs", "update-service", "--cluster", stack.cluster, "--service", stack.service, "--desired-count", "0")
    return told


@pytest.fixture(scope="session")
def story(account, market):
    """story(name) -> what `played` told; all are played at the first call, some at once."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        done = {name: pool.submit(played, account, market, name) for name in INCIDENTS}
    return lambda name: done[name].result()


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_page_says_where_to_look(story, name):
    told = story(name)["page"]
    assert "cluster" in told.lower() and "docs/runbook.md" in told
    assert ("market" if INCIDENTS[name].page != "task-killed" else f'"group": "service:{name}"') in told


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_first_look_names_cause_and_cure(story, name):
    told, incident = story(name)["first"], INCIDENTS[name]
    assert told["diagnosis"]["kind"] == incident.kind, told["diagnosis"]
    assert re.search(incident.because, " ".join(told["diagnosis"]["why"])), told["diagnosis"]["why"]
    assert told["next"].startswith(incident.cure), told["next"]


@pytest.mark.parametrize("name", INCIDENTS)
def test_the_cure_as_printed_leads_to_a_steady_service(story, name):
    told, incident = story(name), INCIDENTS[name]
    assert told["dry"].returncode == 0 and "aws ecs update-service" in told["dry"].stdout, told["dry"].stdout + told["dry"].stderr
    assert told["cure"].returncode == 0, told["cure"].stdout + told["cure"].stderr
    assert re.search(r"^steady ", told["cure"].stdout, re.M) and re.search(r"^undo +scripts/aws/resolve rollback --to ", told["cure"].stdout, re.M)
    assert told["after"]["diagnosis"]["kind"] in incident.after, told["after"]["diagnosis"]
    service = told["service"]
    assert service["runningCount"] == service["desiredCount"] == 1 and len(service["deployments"]) == 1
    assert not service["taskDefinition"].endswith(f"/{told['revision']}")
