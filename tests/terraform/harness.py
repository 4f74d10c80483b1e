"""Real terraform on copies of our HCL, with a stub in place of the AWS provider (provider/)."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULE = ROOT / "deploy" / "terraform"
GUIDE = ROOT / "tests" / "fixtures" / "guide" / "guide.tf"
PATIENCE_S = 300

# What the module cannot do without, where it has no default.
NEEDED = {
    "image": "123456789012.dkr.ecr.xx-test-1.amazonaws.com/oomdrill:1.0.0",
    "subnet_ids": ["subnet-0123456789abcdef0"],
    "vpc_id": "vpc-0123456789abcdef0",
}


class Missing(Exception):
    """What this machine lacks, and what to do: one line."""


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ["HOME"], ".cache")
    return Path(os.environ.get("OOMDRILL_CACHE") or os.path.join(home, "oomdrill")) / "terraform"


def check_tools():
    for tool, remedy in (
        ("terraform", "install terraform 1.9 or later"),
        ("node", "apt install nodejs"),
        ("cfn-lint", "pip install cfn-lint"),
        ("python3", "apt install python3"),
    ):
        if shutil.which(tool) is None:
            raise Missing(f"no {tool}: {remedy}")
    for module in ("botocore", "moto"):
        asked = subprocess.run(
            ["python3", "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec('{module}') is None)"], check=False
        )
        if asked.returncode != 0:
            raise Missing(f"python3 has no {module}: pip install {module}")
    node_modules()


def node_modules():
    """The npm packages of provider/package.json, installed once into the cache."""
    wanted = HERE / "provider" / "package.json"
    place = cache() / hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]
    if not (place / "node_modules").exists():
        if shutil.which("npm") is None:
            raise Missing("no npm, and its packages are not in the cache: apt install npm")
        cache().mkdir(parents=True, exist_ok=True)
        with open(cache() / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "node_modules").exists():
                install(wanted, place)
    return place / "node_modules"


def install(wanted, place):
    with tempfile.TemporaryDirectory(dir=cache()) as build:
        shutil.copy(wanted, build)
        # --legacy-peer-deps: schema.js stands in for the cdktf library itself.
        done = subprocess.run(
            ["npm", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-package-lock", "--no-audit", "--no-fund"],
            cwd=build,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if "complete log" not in line and line.strip()]
            raise Missing(f"npm cannot install the packages of provider/package.json: {' '.join(said[-1:])}")
        place.mkdir(exist_ok=True)
        os.rename(Path(build) / "node_modules", place / "node_modules")


def types_in(*trees):
    """The resource and data types that HCL names: `aws_x` and `data.aws_x`."""
    found = set()
    for tree in trees:
        for path in [tree] if tree.is_file() else tree.rglob("*.tf"):
            for kind, name in re.findall(r'^(resource|data) "(aws_\w+)"', path.read_text(), re.M):
                found.add(name if kind == "resource" else f"data.{name}")
    return sorted(found)


class Stub:
    """The stub provider, serving the types that our HCL and the guide's name."""

    def __init__(self, scratch):
        self._socket = Path(scratch) / "provider.sock"
        self._server = subprocess.Popen(
            ["node", HERE / "provider" / "server.js", node_modules(), self._socket, *types_in(MODULE, GUIDE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        reattach = self._server.stdout.readline()
        if not reattach:
            raise RuntimeError(f"the stub provider did not start, exit code {self._server.wait()}")
        quiet = Path(scratch) / "terraformrc"
        quiet.touch()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("TF_", "AWS_"))},
            "TF_REATTACH_PROVIDERS": reattach.strip(),
            "TF_CLI_CONFIG_FILE": str(quiet),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }

    def stop(self):
        self._server.stdin.close()
        self._server.wait(timeout=PATIENCE_S)


class Failed(Exception):
    """Terraform refused; `diagnostics` are its errors: (summary, detail, file, line)."""

    def __init__(self, diagnostics):
        self.diagnostics = diagnostics
        super().__init__("\n".join(f"{d['summary']}: {d['detail']}" for d in diagnostics))


class Root:
    """A root module in a directory of its own, so that nothing lands in the tree."""

    def __init__(self, stub, directory):
        self._stub = stub
        self.directory = Path(directory)
        self._plans = {}

    def run(self, *arguments, check=True, feed=None):
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env=self._stub.environment,
            input=feed,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"terraform {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def init(self):
        self.run("init", "-input=false", "-no-color")
        return self

    def validate(self):
        """The diagnostics of `terraform validate`."""
        return json.loads(self.run("validate", "-json", check=False).stdout)["diagnostics"]

    def plan(self, **variables):
        """`terraform show -json` of the plan, its warnings beside; Failed with the errors otherwise.

        Planned once: for the state at hand, equal variables give the same plan."""
        return self._planned(variables)[1]

    def warnings(self, **variables):
        return self._planned(variables)[2]

    def _planned(self, variables):
        key = json.dumps(variables, sort_keys=True)
        if key not in self._plans:
            plan = f"plan-{len(self._plans)}"
            warnings = self._make_plan(plan, variables)
            self._plans[key] = (plan, json.loads(self.run("show", "-json", plan).stdout), warnings)
        return self._plans[key]

    def _make_plan(self, plan, variables):
        (self.directory / f"{plan}.tfvars.json").write_text(json.dumps(variables))
        done = self.run(
            "plan", "-json", "-input=false", "-lock=false", f"-var-file={plan}.tfvars.json", f"-out={plan}", check=False
        )
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        said = [m["diagnostic"] for m in messages if "diagnostic" in m]
        errors = [d for d in said if d["severity"] == "error"]
        if done.returncode != 0 or errors:
            assert errors, done.stdout + done.stderr
            raise Failed(errors)
        return [d for d in said if d["severity"] == "warning"]

    def evaluate(self, expression, **variables):
        """The value of an expression in the module, by `terraform console`."""
        (self.directory / "console.tfvars.json").write_text(json.dumps(variables))
        done = self.run("console", "-var-file=console.tfvars.json", feed=f"jsonencode({expression})\n")
        return json.loads(json.loads(done.stdout))

    def apply(self, **variables):
        """Applies against the stub, which makes computed attributes up; `show -json` of the state."""
        self.run("apply", "-input=false", "-no-color", self._planned(variables)[0])
        self._plans.clear()
        return json.loads(self.run("show", "-json").stdout)


def copy_of(source, directory):
    return Path(shutil.copytree(source, directory, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")))


def resources(values):
    """address -> resource of a plan's planned_values or a state's values, child modules included."""
    found = {}

    def walk(module):
        for resource in module.get("resources", []):
            if resource["mode"] == "managed":
                found[resource["address"]] = resource
        for child in module.get("child_modules", []):
            walk(child)

    walk(values["root_module"])
    return found


def of_type(values, type_name):
    """Values of all resources of one type, in the order of their addresses."""
    return [r["values"] for _, r in sorted(resources(values).items()) if r["type"] == type_name]


def only(values, type_name):
    found = of_type(values, type_name)
    assert len(found) == 1, f"{len(found)} of {type_name}"
    return found[0]
