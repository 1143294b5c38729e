#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the test modules of folders, one more at a time than there are processors, for some wait, and
prints what unittest would: the failures, how many tests ran. Modules that take long begin first.

usage: suites.py FOLDER...
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


# These take longer than their size tells.
SLOW = ("test_watch", "test_pieces", "test_collect", "test_delta", "test_github", "test_liar")


def weight(module):
    """Roughly how long it takes: the size of its source."""
    return module.stem not in SLOW, -module.stat().st_size


def run(module):
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "unittest", module.stem],
        cwd=module.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return module, done.returncode, done.stdout, time.monotonic() - start


def main(folders):
    modules = sorted((m for f in folders for m in Path(f).glob("test_*.py")), key=weight)
    start = time.monotonic()
    total = skipped = 0
    failed = []
    with ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        for module, code, out, took in pool.map(run, modules):
            found = re.search(r"^Ran (\d+) tests?", out, re.M)
            count = int(found[1]) if found else 0
            total += count
            skips = re.search(r"skipped=(\d+)", out)
            skipped += int(skips[1]) if skips else 0
            # Without a test a module has failed to load, or is none.
            if code or not count:
                failed.append(module.stem)
                print("---- %s\n%s" % (module, out), flush=True)
            else:
                print("%-28s %4d tests %6.1f s" % (module.stem, count, took), flush=True)
    print("Ran %d tests in %.1f s, %d skipped" % (total, time.monotonic() - start, skipped))
    if failed or not total:
        sys.exit("FAILED: " + ", ".join(failed))
    print("OK")


if __name__ == "__main__":
    main(sys.argv[1:])
