"""The checker itself: what it must find, it finds. Then its silence on our HCL means something."""

import shutil
import subprocess
from collections import Counter

import pytest
from harness import MODULE, Failed, Root, copy_of


def summaries(diagnostics):
    return Counter(d["summary"] for d in diagnostics if d["severity"] == "error")


def test_the_guides_own_hcl_cannot_be_applied(guide):
    found = guide.validate()
    assert summaries(found) == {"Missing required argument": 2, "Reference to undeclared resource": 6}
    missing = {d["detail"].split('"')[1] for d in found if d["summary"] == "Missing required argument"}
    assert missing == {"family", "container_definitions"}


@pytest.fixture(scope="module")
def spoiled(stub, tmp_path_factory):
    """spoiled(file, old, new): the errors of the fargate example with one spot of the tree changed."""
    tree = copy_of(MODULE, tmp_path_factory.mktemp("spoiled") / "tree")
    root = Root(stub, tree / "examples" / "fargate").init()

    def errors(file, old, new):
        path = tree / file
        text = path.read_text()
        assert text.count(old) >= 1, f"{file} has no '{old}'"
        path.write_text(text.replace(old, new, 1))
        try:
            return summaries(root.validate())
        finally:
            path.write_text(text)

    return errors


BREAKER = "  deployment_circuit_breaker {"
MISTAKES = {
    "misspelt argument": ("main.tf", "retention_in_days", "retention_in_day", "Unsupported argument"),
    "misspelt in a nested block": ("alarms.tf", "extension_period", "extend_period", "Unsupported argument"),
    "misspelt block": ("main.tf", BREAKER, "  deployment_breaker {", "Unsupported block type"),
    "misspelt type": ("main.tf", '"aws_security_group" "this"', '"aws_security_groop" "this"', "Invalid resource type"),
    "misspelt input": ("examples/fargate/main.tf", "guide_alarms ", "guide_alarm ", "Unsupported argument"),
    "missing argument": ("alarms.tf", "  comparison_operator = each.value.comparison\n", "", "Missing required argument"),
    "missing in a nested block": ("alarms.tf", "    wait_period      = 0\n", "", "Missing required argument"),
    "missing input": ("examples/fargate/main.tf", "  image = var.image\n", "", "Missing required argument"),
    "word for a number": ("alarms_guide.tf", '= "85"', '= "high"', "Incorrect attribute value type"),
    "list for a number": ("main.tf", "= var.log_retention_days", "= [30]", "Incorrect attribute value type"),
    "two of a single block": ("main.tf", BREAKER, f"{BREAKER}\n enable = true\n rollback = true\n }}\n{BREAKER}", "Too many deployment_circuit_breaker blocks"),
    "undeclared reference": ("task.tf", "aws_iam_role.task.arn", "aws_iam_role.tusk.arn", "Reference to undeclared resource"),
    "no such attribute": ("iam.tf", "aws_iam_role.execution.id", "aws_iam_role.execution.ident", "Unsupported attribute"),
    "read-only attribute": ("notify.tf", "  kms_master_key_id = var.sns_kms_key_id", '  owner = "me"', "Value for unconfigurable attribute"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(spoiled, mistake):
    file, old, new, summary = MISTAKES[mistake]
    assert spoiled(file, old, new)[summary] >= 1


def test_our_hcl_has_none(spoiled):
    assert spoiled("main.tf", "", "") == {}


def test_a_count_that_only_an_apply_could_know_is_found(stub, tmp_path):
    # The stub keeps computed attributes unknown while planning, as AWS's provider does.
    shutil.copy(MODULE / "versions.tf", tmp_path)
    (tmp_path / "main.tf").write_text(
        'resource "aws_sns_topic" "a" {}\n'
        'resource "aws_sns_topic" "b" {\n  count = length(aws_sns_topic.a.arn)\n}\n'
    )
    with pytest.raises(Failed) as failure:
        Root(stub, tmp_path).init().plan()
    assert "Invalid count argument" in str(failure.value)


def fmt(directory):
    return subprocess.run(
        ["terraform", "fmt", "-check", "-recursive"], cwd=directory, capture_output=True, text=True, check=False
    )


def test_formatted(tmp_path):
    done = fmt(MODULE)
    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / "crooked.tf").write_text("locals {\n a=1\n}\n")
    assert fmt(tmp_path).stdout == "crooked.tf\n"
