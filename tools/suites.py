#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs test modules, one more at a time than there are processors, for some wait, and prints what
unittest would: the failures, how many tests ran. Modules that take long begin first.

usage: suites.py FOLDER|FOLDER/MODULE|FOLDER/MODULE.CLASS...
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import ROOT, bytecode

# These take longer than their size tells.
SLOW = ("test_watch", "test_pieces", "test_collect", "test_delta", "test_github", "test_liar")


def suites(argument):
    """Path and name of what it stands for: what unittest is to run, and where."""
    path = Path(argument)
    if path.is_dir():
        return [(module, module.stem) for module in path.glob("test_*.py")]
    return [(path.parent / (path.name.split(".")[0] + ".py"), path.name)]


def weight(suite):
    """Roughly how long it takes: the size of its source."""
    module, _ = suite
    return module.stem not in SLOW, -module.stat().st_size


def run(suite):
    module, name = suite
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "unittest", name],
        cwd=module.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return suite, done.returncode, done.stdout, time.monotonic() - start


def plenty(folder):
    """Is it in memory, and is there plenty of it? Thousands of images come and go."""
    try:
        return shutil.disk_usage(folder).free > 4 << 30
    except OSError:
        return False


def main(arguments):
    if "SDBOOT_PACKAGE" not in os.environ:
        os.environ["SDBOOT_PACKAGE"] = str(bytecode(ROOT / "build" / "bytecode" / "sdboot"))
    if not plenty("/dev/shm"):
        return run_all(arguments)
    with tempfile.TemporaryDirectory(prefix="sdboot-", dir="/dev/shm") as folder:
        os.environ["SDBOOT_WORK"] = folder
        run_all(arguments)


def run_all(arguments):
    found = sorted((suite for a in arguments for suite in suites(a)), key=weight)
    start = time.monotonic()
    total = skipped = 0
    failed = []
    with ThreadPoolExecutor(os.cpu_count() + 1) as pool:
        for (module, name), code, out, took in pool.map(run, found):
            ran = re.search(r"^Ran (\d+) tests?", out, re.M)
            count = int(ran[1]) if ran else 0
            total += count
            skips = re.search(r"skipped=(\d+)", out)
            skipped += int(skips[1]) if skips else 0
            # Without a test a module has failed to load, or is none.
            if code or not count:
                failed.append(name)
                print("---- %s, %s\n%s" % (module, name, out), flush=True)
            else:
                print("%-28s %4d tests %6.1f s" % (name, count, took), flush=True)
    print("Ran %d tests in %.1f s, %d skipped" % (total, time.monotonic() - start, skipped))
    if failed or not total:
        sys.exit("FAILED: " + ", ".join(failed))
    print("OK")


if __name__ == "__main__":
    main(sys.argv[1:])
