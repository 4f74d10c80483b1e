"""What every bench's `run` has in common: options, build, figures, checks. See README.md."""

import argparse
import concurrent.futures
import json
import operator
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
RELATIONS = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}
NOTHING_TO_MEASURE = 77
ENGINES = {"v1": "tests/container/engine", "v2": "tests/vm/engine"}


def number(value):
    """Four digits, or the whole number."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def spread(values):
    """Median and, where they differ, the least and the greatest."""
    median = number(statistics.median(values))
    if len(values) < 2 or number(min(values)) == number(max(values)):
        return median
    return f"{median} ({number(min(values))}–{number(max(values))})"


def pivot(figures):
    """Figures as (caption, header, rows) each table: a row a name, a column a name, in the order of coming."""
    tables = {}
    for figure in figures:
        tables.setdefault(figure["table"], []).append(figure)
    for caption, members in tables.items():
        columns = list(dict.fromkeys(member["column"] for member in members))
        cells = {(member["row"], member["column"]): member for member in members}
        units = {member["unit"] for member in members}
        of_all = units.pop() if len(units) == 1 else None
        counts = {len(member["values"]) for member in members}
        header = [""] + columns
        rows = []
        for row in dict.fromkeys(member["row"] for member in members):
            line = [row]
            for column in columns:
                cell = cells.get((row, column))
                unit = "" if cell is None or of_all is not None or not cell["unit"] else " " + cell["unit"]
                line.append("" if cell is None else spread(cell["values"]) + unit)
            rows.append(line)
        told = [caption] if not of_all else [caption, of_all]
        if max(counts) > 1:
            told.append("median (least–greatest) of " + "–".join(str(n) for n in sorted({min(counts), max(counts)})))
        yield ", ".join(told), header, rows


def print_table(caption, header, rows):
    widths = [max(len(line[i]) for line in [header] + rows) for i in range(len(header))]
    print(f"\n{caption}")
    for line in [header] + rows if any(header) else rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def measured(command):
    """(processor seconds, wall seconds, peak MiB) of a command; the peak is no less than this script's own."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {child.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, file, doc, targets=(), add_options=None):
        self.folder = pathlib.Path(file).resolve().parent
        parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--quick", action="store_true", help="only what does not depend on time")
        parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there")
        parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench", metavar="FOLDER",
                            help="of the preset bench (build/bench)")
        if add_options:
            add_options(parser)
        self.given = parser.parse_args()
        self.quick = self.given.quick
        self.build = self.given.build.resolve()
        self.started = time.monotonic()
        self.result = {"bench": self.folder.name, "title": doc.strip().splitlines()[0].rstrip("."),
                       "command": " ".join([str(pathlib.Path(file).resolve().relative_to(ROOT)), *(
                           ["--quick"] if self.quick else [])]),
                       "figures": [], "checks": [], "notes": [], "skipped": []}
        if targets:
            self._make(list(targets))

    def _make(self, targets):
        # Also a folder that is there: the preset's flags may be others by now.
        subprocess.run(["cmake", "--preset", "bench", "-B", self.build], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        made = subprocess.run(["cmake", "--build", self.build, "--target", *targets], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if made.returncode != 0:
            sys.exit(f"{self.result['bench']}: {' '.join(targets)} cannot be built:\n{made.stdout[-2000:]}")

    def program(self, name):
        """Of bin/ or bench/ of the build."""
        for folder in ("bin", "bench"):
            if (self.build / folder / name).exists():
                return str(self.build / folder / name)
        sys.exit(f"{self.result['bench']}: no {name} in {self.build}/bin and /bench")

    def progress(self, text):
        print(f"{self.result['bench']}: {text}", file=sys.stderr, flush=True)

    def engine(self, which="v1"):
        """The environment in which `docker` speaks to the tests' engine, started if need be, or None: the last line on
        stderr says why. Its work, which is a process of its own, is the bench's."""
        self.result["engine"] = True
        answer = subprocess.run([ROOT / ENGINES[which], "up"], stdout=subprocess.PIPE, text=True)
        if answer.returncode != 0:
            return None
        return {**os.environ, **dict(word.split("=", 1) for word in shlex.split(answer.stdout))}

    def side_by_side(self, what, jobs, of_each, at_once=os.cpu_count()):
        """(job, what of_each(*job) made) for each, as they end; nothing that depends on time, unless jobs mostly wait."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            waiting = {pool.submit(of_each, *job): job for job in jobs}
            for done, future in enumerate(concurrent.futures.as_completed(waiting), 1):
                yield waiting[future], future.result()
                if done % 20 == 0 or done == len(waiting):
                    self.progress(f"{what}: {done} of {len(waiting)}")

    def figure(self, table, row, column, unit, values, better=None, timed=True):
        """`better`: "more", "less" or None where neither is."""
        self.result["figures"].append({"table": table, "row": row, "column": column, "unit": unit,
                                       "values": [round(float(value), 9) for value in values], "better": better,
                                       "timed": timed})

    def check(self, what, value, relation, bound):
        self.result["checks"].append({"what": what, "value": value, "relation": relation, "bound": bound,
                                      "holds": bool(RELATIONS[relation](value, bound))})

    def chart(self, title, description, curves, levels):
        """Bytes over seconds. `curves`: label → [(second, bytes)]; `levels`: label → bytes."""
        self.result.setdefault("charts", []).append({
            "title": title, "description": description,
            "curves": [{"label": label, "points": points} for label, points in curves.items()],
            "levels": [{"label": label, "bytes": value} for label, value in levels.items()]})

    def note(self, text):
        self.result["notes"].append(text)

    def skip(self, text):
        self.result["skipped"].append(text)

    def nothing(self, why):
        """Ends the bench: nothing can be measured here."""
        print(f"{self.result['bench']}: {why}", file=sys.stderr)
        sys.exit(NOTHING_TO_MEASURE)

    def end(self):
        """Prints, writes the JSON, and exits: 0, or 1 where a check does not hold."""
        self.result["took_s"] = round(time.monotonic() - self.started, 1)
        if self.given.json:
            self.given.json.write_text(json.dumps(self.result, indent=1, ensure_ascii=False) + "\n")
        print(self.result["title"])
        for table in pivot(self.result["figures"]):
            print_table(*table)
        for check in self.result["checks"]:
            print(f"{'holds' if check['holds'] else 'FAILS':6} {check['what']}: {number(check['value'])}"
                  f" {check['relation']} {number(check['bound'])}")
        for text in self.result["notes"]:
            print(text)
        for text in self.result["skipped"]:
            print(f"skipped: {text}")
        sys.exit(0 if all(check["holds"] for check in self.result["checks"]) else 1)
