"""From an OOM kill to the complete line that tells it, beside Docker's event of the same kill: see latency.cpp."""

import io
import subprocess
import tarfile

CASES = {"child": "the command itself (SIGCHLD)", "grandchild": "a child of it, full within one interval",
         "leak": "a child of it that leaks 48 MB/s", "watch": "a process that `oomprobe watch` did not start"}
NAME = "oomdrill-latency"


def load(environment, oomprobe, latency):
    """An image of two static programs and nothing else."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(oomprobe, "oomprobe")
        tar.add(latency, "latency")
    docker(environment, "import", "-", NAME, input=out.getvalue())


def docker(environment, *arguments, **options):
    return subprocess.run(["docker", *arguments], env=environment, check=True, stdout=subprocess.PIPE, **options).stdout


def measure(environment, which, case, kills):
    """who → ([milliseconds from the kill], how many were never told); `certainty`: within which the kill's time is known."""
    # The engine's socket where the engine is: the VM's is not this machine's.
    socket = environment["DOCKER_HOST"].removeprefix("unix://")
    socket = socket if socket.startswith("/") else "/run/docker.sock"
    told = docker(environment, "run", "--rm", "--name", NAME, "--network", "host" if which == "v2" else "none",
                  "--memory", "64m", "--memory-swap", "64m", "--device", "/dev/kmsg", "--cap-add", "SYSLOG",
                  "-v", f"{socket}:/docker.sock", NAME, "/latency", "measure", "/oomprobe", NAME, str(kills), case)
    rows = [line.split("\t") for line in told.decode().splitlines()]
    return {who: ([float(value) for value in values.split()], int(missed)) for who, missed, values in rows}
