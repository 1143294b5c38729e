#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make coverage`: which lines and branches of core/ its tests run. Fails if it is less than agreed.

usage: coverage.py OBJECTS [OBJECTS...]     folders with what gcc --coverage has left there"""

import gzip
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES, BRANCHES = 95.0, 90.0  # per cent, of all of core/


def read(folders):
    """{file: ({line: runs}, {(line, number): runs})}"""
    lines = defaultdict(lambda: defaultdict(int))
    branches = defaultdict(lambda: defaultdict(int))
    for folder in folders:
        notes = [str(p.resolve()) for p in Path(folder).rglob("*.gcno")]
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(
                ["gcov", "--json-format", "--branch-counts", "--branch-probabilities", *notes],
                cwd=work,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for path in Path(work).glob("*.gcov.json.gz"):
                found = json.loads(gzip.decompress(path.read_bytes()))
                for file in found["files"]:
                    name = Path(found["current_working_directory"]) / file["file"]
                    name = name.resolve()
                    if ROOT / "core" not in name.parents:
                        continue
                    name = str(name.relative_to(ROOT))
                    for line in file["lines"]:
                        number = line["line_number"]
                        lines[name][number] += line["count"]
                        for i, branch in enumerate(line["branches"]):
                            branches[name][number, i] += branch["count"]
    return {name: (lines[name], branches[name]) for name in sorted(lines)}


def share(counts):
    """(run, all, per cent)"""
    run = sum(1 for n in counts.values() if n)
    return run, len(counts), 100.0 * run / len(counts) if counts else 100.0


def main(folders):
    found = read(folders)
    total = [{}, {}]
    print("%-34s %15s %17s  lines never run" % ("", "lines", "branches"))
    for name, both in found.items():
        row = [share(counts) for counts in both]
        for kind, counts in enumerate(both):
            total[kind].update({(name, key): n for key, n in counts.items()})
        never = [str(number) for number, n in sorted(both[0].items()) if not n]
        print("%-34s %4d/%4d %5.1f  %4d/%4d %5.1f  %s" % (name, *row[0], *row[1], " ".join(never)))
    lines, branches = share(total[0]), share(total[1])
    print("%-34s %4d/%4d %5.1f  %4d/%4d %5.1f" % ("core", *lines, *branches))
    if lines[2] < LINES or branches[2] < BRANCHES:
        sys.exit("coverage: less than %g %% of the lines or %g %% of the branches" % (LINES, BRANCHES))


if __name__ == "__main__":
    main(sys.argv[1:])
