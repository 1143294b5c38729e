# SPDX-License-Identifier: MIT
"""Would tests/board/test_collect.py notice a binding that loses objects that it still needs? The board of
`make test-keep` has such a one, keep.h."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "build" / "sim" / "board"
MUTANT = ROOT / "build" / "sim-mutant" / "board"
COLLECTS = ("test_collect", "-k", "test_collect.test_cards.Formatted.test_zeros")
PLAIN = ("test_cards.Formatted.test_zeros",)


class Keep(unittest.TestCase):
    def failures(self, board, *tests):
        done = subprocess.run(
            [sys.executable, "-m", "unittest", *tests],
            cwd=ROOT / "tests" / "board",
            env={**os.environ, "SDBOOT_BOARD": str(board)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.assertRegex(done.stdout, r"Ran 1 test ")
        return len(re.findall(r"^(?:FAIL|ERROR): test_zeros", done.stdout, re.M))

    def test_noticed(self):
        self.assertEqual(self.failures(BOARD, *COLLECTS), 0)
        self.assertEqual(self.failures(MUTANT, *PLAIN), 0, "it is broken otherwise, too")
        self.assertEqual(self.failures(MUTANT, *COLLECTS), 5, "not each size of a card")


if __name__ == "__main__":
    unittest.main()
