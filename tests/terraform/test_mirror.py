"""A second opinion: cfn-lint on a CloudFormation mirror of what stands after an apply."""

import copy
import json

import pytest
from aws import lint
from mirror import template

SETS = ("fargate", "ec2", "full")


def memory_pair(task):
    task.update(Cpu="256", Memory="3072")


def log_driver(task):
    task["ContainerDefinitions"][0]["LogConfiguration"]["LogDriver"] = "awslog"


def statistic(alarm):
    alarm["Statistic"] = "Median"


def misspelt(group):
    group["RetentionInDay"] = 30


def retention(group):
    group["RetentionInDays"] = 31


def policy(role):
    role["AssumeRolePolicyDocument"]["Statement"][0]["Efect"] = "Allow"


# How a resource is spoiled -> its type, and a word of cfn-lint's finding.
SPOILS = {
    memory_pair: ("AWS::ECS::TaskDefinition", "3072"),
    log_driver: ("AWS::ECS::TaskDefinition", "awslog"),
    statistic: ("AWS::CloudWatch::Alarm", "Median"),
    misspelt: ("AWS::Logs::LogGroup", "RetentionInDay"),
    retention: ("AWS::Logs::LogGroup", "31"),
    policy: ("AWS::IAM::Role", "Efect"),
}


def spoiled(mirror, spoil):
    """A template of one spoiled resource."""
    kind = SPOILS[spoil][0]
    one = copy.deepcopy(next(r for r in mirror["Resources"].values() if r["Type"] == kind))
    spoil(one["Properties"])
    return {**mirror, "Resources": {"Spoiled": one}}


@pytest.fixture(scope="module")
def opinions(applied, tmp_path_factory):
    """file name -> cfn-lint's findings, for our mirrors and for spoiled ones: one run of cfn-lint."""
    directory = tmp_path_factory.mktemp("mirror")
    mirrors = {name: template(applied(name)[1]) for name in SETS}
    mirrors |= {spoil.__name__: spoiled(mirrors["full"], spoil) for spoil in SPOILS}
    paths = []
    for name, mirror in mirrors.items():
        paths.append(directory / f"{name}.json")
        paths[-1].write_text(json.dumps(mirror, indent=1))
    found = {name: [] for name in mirrors}
    for file, rule, message in lint(paths):
        found[file.removesuffix(".json")].append(f"{rule} {message}")
    return found


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_wrong_with_ours(opinions, name):
    assert opinions[name] == []


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_mistake_is_seen(opinions, spoil):
    assert any(SPOILS[spoil][1] in finding for finding in opinions[spoil.__name__]), opinions[spoil.__name__]


def test_the_mirror_has_all_that_the_module_makes(applied):
    kinds = {r["Type"] for r in template(applied("full")[1])["Resources"].values()}
    assert {"AWS::ECS::TaskDefinition", "AWS::FIS::ExperimentTemplate", "AWS::SSM::Document"} <= kinds
    assert len(kinds) == 19
