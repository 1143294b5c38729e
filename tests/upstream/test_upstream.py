# SPDX-License-Identifier: MIT
"""MicroPython's own tests of its filesystems and files, over sdboot's block devices.

Each gives what it gives on the plain device, or it is named below with the reason.
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lab import BOARD, ROOT  # noqa: E402

TESTS = Path(os.environ.get("MPY_DIR") or ROOT / "build" / "micropython") / "tests"
RUNNER = Path(__file__).parent / "journaled.py"
PATTERNS = ("extmod/vfs_fat_*.py", "extmod/vfs_lfs*.py", "extmod/btree*.py", "io/*.py")
DIFFERENT = {}


def run(how, test):
    done = subprocess.run(
        [BOARD, "--host", "-X", "heapsize=16M", RUNNER, how, test, TESTS / "io" / "data"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
    )
    return done.stdout.decode(errors="replace"), done.returncode


class Upstream(unittest.TestCase):
    pass


def add(test):
    name = str(test.relative_to(TESTS))

    def check(self):
        plain = run("plain", test)
        if plain[0].startswith("SKIP") and plain[1] == 0:
            self.skipTest("this MicroPython can't run it")
        self.assertEqual(run("sdboot", test), plain)

    reason = DIFFERENT.get(name)
    method = unittest.skip(reason)(check) if reason else check
    setattr(Upstream, "test_" + name[:-3].replace("/", "_"), method)


for pattern in PATTERNS:
    for path in sorted(TESTS.glob(pattern)):
        add(path)


class Found(unittest.TestCase):
    def test_there_are_tests(self):
        names = [n for n in dir(Upstream) if n.startswith("test_")]
        self.assertGreater(len(names), 30, "MicroPython's tests are not in %s" % TESTS)

    def test_exceptions_are_tests(self):
        for name in DIFFERENT:
            self.assertTrue((TESTS / name).exists(), name)


if __name__ == "__main__":
    unittest.main()
