"""Fargate's sizes: CPU units to MiB (AWS, "Fargate task definition considerations")."""

SIZES = {
    256: [512, 1024, 2048],
    512: list(range(1024, 4096 + 1, 1024)),
    1024: list(range(2048, 8192 + 1, 1024)),
    2048: list(range(4096, 16384 + 1, 1024)),
    4096: list(range(8192, 30720 + 1, 1024)),
    8192: list(range(16384, 61440 + 1, 4096)),
    16384: list(range(32768, 122880 + 1, 8192)),
}


def next_size(cpu, memory):
    """(cpu, memory) of the next size with at least twice the memory, the CPU kept where that is sold."""
    return size_for(cpu, 2 * memory)


def size_for(cpu, memory):
    """The smallest size sold with at least this memory and this CPU; None where there is none."""
    for units in sorted(SIZES):
        if units >= cpu:
            enough = [mib for mib in SIZES[units] if mib >= memory]
            if enough:
                return units, enough[0]
    return None


def is_sold(cpu, memory):
    return memory in SIZES.get(cpu, [])
