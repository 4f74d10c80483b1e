"""leaksim's options as they may be typed, so that a mistake is told here and not by a task that ends at once. Pure.

The tables are those of `leaksim --list-patterns` and `--list-kinds`; a test compares them."""

import argparse
import re

NUMBER = r"\d+(?:\.\d+)?|\.\d+"
SIZE = rf"(?:{NUMBER}) *(?:[kmgt]i?b?|b)?"
# What a value is: the expression it must match (case does not matter), and how one writes it.
TYPES = {
    "SIZE": (SIZE, "512MiB, 1MB or a bare number of bytes"),
    "RATE": (rf"max|{SIZE}(?:/(?:s|min|h))?", "1MB/s, 64KiB/s, 100MB/min or max"),
    "TIME": (rf"(?:{NUMBER}) *(?:ns|us|ms|s|m|min|h|d)?", "500ms, 30s, 10m or 2h"),
    "PERCENT": (rf"(?:{NUMBER})%", "85%"),
    "AMOUNT": (rf"oom|(?:{NUMBER})%|{SIZE}(?:-headroom)?", "oom, 90%, 512MiB or 50MiB-headroom"),
    "N": (r"\d+(?:\.\d+)?", "a number"),
    "PATH": (r"\S+", "a path"),
}
# A rate or a size of nothing is no leak.
NOTHING = re.compile(r"(?:0+(?:\.0*)?|\.0+) *[a-z]*(?:/\w+)?", re.I)

PATTERNS = {
    "linear": {"rate": "RATE"},
    "burst": {"size": "SIZE", "interval": "TIME", "jitter": "PERCENT"},
    "staircase": {"step": "SIZE", "dwell": "TIME", "rate": "RATE"},
    "exponential": {"from": "SIZE", "doubling": "TIME"},
    "sawtooth": {"rate": "RATE", "grow": "SIZE", "floor": "SIZE", "leak": "SIZE"},
    "cache-fill": {"fill": "SIZE", "rate": "RATE", "leak": "RATE"},
    "random-walk": {"drift": "RATE", "volatility": "SIZE", "step": "TIME"},
    "replay": {"file": "PATH", "speed": "N"},
    "hold": {},
    "fragment": {"rate": "RATE", "block": "SIZE", "step": "SIZE", "round": "SIZE", "keep": "N"},
    "comb": {"rate": "RATE", "block": "SIZE", "refill": "SIZE", "fill": "SIZE", "keep": "N"},
    "shift": {"rate": "RATE", "block": "SIZE", "larger": "PERCENT", "round": "SIZE", "keep": "N"},
    "lru": {"rate": "RATE", "cache": "SIZE", "grow": "SIZE", "block": "SIZE", "next": "SIZE", "turn": "SIZE", "sample": "N"},
}
KINDS = {
    "anon": (), "heap": (), "stack": (), "memfd": (), "tmpfs": ("dir",), "file": ("pages", "dir"), "shm": (), "fork": (),
    "kernel": ("of",), "hugepage": ("of",), "untouched": (),
}


def bad(text, what, remedy):
    return argparse.ArgumentTypeError(f"'{text}' is no {what}; {remedy}")


def of_type(name, what):
    """An argparse type: the text as it is, where it is one."""
    expression, example = TYPES[name]

    def check(text):
        if not re.fullmatch(expression, text, re.I):
            raise bad(text, what, f"write it as {example}")
        if name in ("RATE", "SIZE") and NOTHING.fullmatch(text):
            raise bad(text, what, "it must be above 0")
        if text.endswith("%") and not 0 < float(text[:-1]) <= 100:
            raise bad(text, what, "a percentage is above 0% and at most 100%")
        return text

    return check


rate, size, duration, amount = of_type("RATE", "rate"), of_type("SIZE", "size"), of_type("TIME", "duration"), of_type("AMOUNT", "amount of memory")


def split(text, what, known):
    """(name, {key: value}) of NAME[:KEY=VALUE,…]."""
    name, _, rest = text.partition(":")
    if name not in known:
        raise bad(text, what, f"one of {', '.join(known)}")
    pairs = [pair.partition("=") for pair in rest.split(",")] if rest else []
    for key, sign, value in pairs:
        if not sign or not value:
            raise bad(text, what, "NAME:KEY=VALUE,KEY=VALUE")
    return name, {key: value for key, _, value in pairs}


def pattern(text):
    for phase in text.split(";"):
        name, given = split(phase, "pattern", PATTERNS)
        takes = {**PATTERNS[name], "for": "TIME"}
        for key, value in given.items():
            if key not in takes:
                raise bad(text, "pattern", f"{name} takes {', '.join(takes)}, not '{key}'")
            expression, example = TYPES[takes[key]]
            if not re.fullmatch(expression, value, re.I):
                raise bad(text, "pattern", f"{key}={value}: write it as {example}")
    return text


def kind(text):
    name, given = split(text, "kind of memory", KINDS)
    for key in given:
        if key not in KINDS[name]:
            raise bad(text, "kind of memory", f"{name} takes {', '.join(KINDS[name]) or 'no parameter'}, not '{key}'")
    return text
