"""Samples of allocators, one process each: bench_workload under a setting, free or in a limit that kills it."""

import itertools
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import threading

from cgroup import Cgroup

MiB = 1 << 20
PIECE = 64 << 10  # of a large block, as counted: bench/allocators/counted_memory.h

# name: (--allocator, environment)
SETTINGS = {
    "glibc": ("system", {}),
    "glibc arena_max=1": ("system", {"MALLOC_ARENA_MAX": "1"}),
    "jemalloc": ("jemalloc", {}),
    "jemalloc decay 0": ("jemalloc", {"MALLOC_CONF": "dirty_decay_ms:0,muzzy_decay_ms:0"}),
    "jemalloc small": ("jemalloc", {"MALLOC_CONF": "narenas:1,tcache_max:1024,dirty_decay_ms:1000,muzzy_decay_ms:0"}),
    "mimalloc": ("mimalloc", {}),
    "tcmalloc": ("tcmalloc", {}),
}
PLAIN = ["glibc", "jemalloc", "mimalloc", "tcmalloc"]

_numbers = itertools.count()
_folder = None
_lock = threading.Lock()


def patterns(limit):
    """Workloads that grow until they are killed, scaled to a limit: name → text."""
    return {
        "1 MiB blocks": "linear",
        "64 B blocks": f"comb:block=64,fill={2 * limit}",
        "burst": f"burst:size={limit // 8}",
        "sawtooth": f"sawtooth:rate=100MB/s,grow={limit * 3 // 8},floor={limit // 8},leak={limit // 64}",
        "fragment": f"fragment:round={limit // 4}",
        "comb": f"comb:fill={limit // 4}",
        "shift": f"shift:round={limit // 4}",
        "lru": f"lru:cache={limit // 2},turn={limit // 4},grow={limit // 32}",
        "rails": "rails",
    }


def environment(setting):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("MALLOC_", "MIMALLOC_", "TCMALLOC_", "LEAKSIM_", "GLIBC_TUNABLES", "LD_PRELOAD"))}
    return {**clean, **SETTINGS[setting][1]}


def command(program, setting, workload, *options):
    return [program, "--allocator", SETTINGS[setting][0], *map(str, options), workload]


def missing(program):
    """Of the allocators those that are not there, with what to do: setting → text."""
    found = {}
    for setting in SETTINGS:
        got = subprocess.run(command(program, setting, "linear", "--total", MiB), env=environment(setting),
                             capture_output=True, text=True)
        if got.returncode != 0:
            found[setting] = got.stderr.strip()
            continue
        told = json.loads(got.stdout)
        if told["unproven"]:
            found[setting] = f"not confirmed by the allocator: {told['unproven']}"
    return found


def free(program, setting, workload, *options):
    """What a run without a limit prints. At the same addresses each time: how large pieces lie to each other is part of a
    footprint (tcmalloc's sawtooth: 1.4 % from run to run)."""
    got = subprocess.run(["setarch", "-R", *command(program, setting, workload, *options)], env=environment(setting), capture_output=True,
                         text=True)
    if got.returncode != 0:
        raise RuntimeError(f"{setting}, {workload}: exit code {got.returncode}: {got.stderr.strip()}")
    return json.loads(got.stdout)


def state_file():
    """A page of zeros that this process has touched, so that no sample is charged for it."""
    global _folder
    with _lock:
        if _folder is None:
            _folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        path = pathlib.Path(_folder.name) / str(next(_numbers))
    path.write_bytes(bytes(4096))
    return path


def kill(program, setting, workload, limit, seed=1, timeout=60):
    """Runs until the kernel kills it for its limit. live_bytes are at most a block, or PIECE of a large one, less than
    what was written. Raises where it was not an OOM kill by this limit."""
    path = state_file()
    with Cgroup(limit, path.name) as cgroup:
        child = cgroup.start(command(program, setting, workload, "--seed", seed, "--state", path),
                             env=environment(setting))
        try:
            _, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            err = f"still alive after {timeout} s"
        kills = cgroup.oom_kills()
        live, allocated, operations, _, rss_start, served = struct.unpack("<6Q", path.read_bytes()[:48])
        path.unlink()
    if child.returncode != -9 or kills != 1 or not served:
        raise RuntimeError(f"{setting}, {workload}: no OOM kill: exit code {child.returncode}, {kills} kills: {err}")
    return {"live": live, "allocated": allocated, "operations": operations, "start": rss_start}
