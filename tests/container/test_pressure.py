"""The PSI trigger: where it is, and that it wakes the probe."""

from docker import VERSION, Container

IMAGE = "oomdrill"
# Page cache that does not fit is read again and again: tasks wait for memory that was theirs.
THRASH = ("dd if=/dev/zero of=/tmp/f bs=1M count=60 2>/dev/null; i=0; while [ $i -lt 3 ]; do "
          "cat /tmp/f /usr/bin/* >/dev/null & cat /tmp/f >/dev/null; i=$((i+1)); done; wait; exit 3")


def thrash(*options):
    with Container(*options, "--user", "0", "--memory=32m", "--memory-swap=32m", IMAGE,
                   "oomprobe", "run", "--format", "json", "--", "sh", "-c", THRASH) as container:
        ended = container.ended()
    assert ended.code == 3
    return ended.one("probe.started"), ended.one("probe.stopped")


def test_a_container_has_its_own_pressure_read_only():
    started, stopped = thrash()
    assert started["pressure_trigger"] in ("system", "none")
    why = "cgroup v1 has no memory.pressure" if VERSION == "1" else "memory.pressure: Read-only file system"
    assert why in started["pressure_trigger_reason"]
    assert started["pressure_trigger"] == "system" or stopped["pressure_wakes"] == 0
    if VERSION == "2":
        # The VM is this container's alone: the machine's pressure is its own.
        assert stopped["pressure_wakes"] > 0
