# SPDX-License-Identifier: MIT
"""How long a trial takes and what ends it: the options of boot() for that."""

import unittest
from concurrent.futures import ThreadPoolExecutor

from rig import EMULATED
from test_rollback import CONFIRM, ROLLBACK, RollbackTest
from trials import FILESYSTEMS, STATUS, both, new, status_of


class Options(RollbackTest):
    @both
    def test_one_attempt(self, board):
        board.stage(new())
        r = board.power(boot="attempts=1", job=STATUS)
        self.assertEqual(status_of(r.out)["attempts_left"], 0)
        self.assertIn("NEW RUNS", r.out)
        board.assertTakenBack(board.power(boot="attempts=1"), "expired")

    @both
    def test_no_trial(self, board):
        board.stage(new("raise ValueError\n"))
        for _ in range(3):
            r = board.live("ValueError", boot="attempts=0, trial_timeout=1", job=STATUS)
            status = status_of(r.out)
            self.assertEqual((status["state"], status["event"]), ("idle", "installed"))
        board.power("--pin", "18=0", boot="attempts=0", job=ROLLBACK)
        board.assertTakenBack(board.power(boot="attempts=0"), "rolled back")

    @both
    def test_no_time_limit(self, board):
        """Power-ons alone count; a board that nobody switches off stays as it is."""
        board.stage(new("import time\ntime.sleep_ms(1200)\nprint('STILL HERE')\n"))
        for _ in range(2):
            r = board.live("STILL HERE", boot="attempts=2, trial_timeout=0")
            self.assertEqual(r.out.count("rst:"), 1)
        board.assertTakenBack(board.power(boot="attempts=2, trial_timeout=0"), "expired")

    @both
    def test_attempts_out_of_range(self, board):
        board.stage(new())
        r = board.power(boot="attempts=1000", job=STATUS)
        self.assertEqual(status_of(r.out)["attempts_left"], 254)


class ConfirmAfter(RollbackTest):
    BOOT = "attempts=2, trial_timeout=3, confirm_after=1"
    WAIT = """
import time
while sdboot.status()["state"] == "trial":
    time.sleep_ms(100)
print("GOOD")
"""

    @both
    def test_running(self, board):
        board.stage(new(self.WAIT))
        r = board.live("GOOD", boot=self.BOOT, timeout=10)
        self.assertEqual(r.out.count("rst:"), 1)
        self.assertEqual(board.status()["event"], "confirmed")

    @both
    def test_at_once(self, board):
        """0 seconds: as soon as main.py runs, not before."""
        board.stage(new(self.WAIT))
        r = board.live("GOOD", boot="trial_timeout=5, confirm_after=0", timeout=10)
        self.assertEqual(r.out.count("rst:"), 1)

    @both
    def test_at_once_but_dead(self, board):
        board.stage(new("raise ValueError\n"))
        r = board.live("OLD RUNS", boot="attempts=1, trial_timeout=2, confirm_after=0", timeout=20)
        board.assertTakenBack(r, "expired")

    # None of these is a main.py that runs: the REPL's banner shows it, or there is no memory left
    # to see it with, or the second never passes.
    DIES = {
        "exception": "raise ValueError\n",
        "heap_full": "l = None\nwhile True:\n    l = [l]\n",
        "exits": "import sys, time\ntime.sleep_ms(400)\nsys.exit()\n",
    }

    def test_dies(self):
        def die(fs, name):
            board = self.board(fs, name)
            board.stage(new(self.DIES[name]))
            r = board.live("OLD RUNS", boot="attempts=1, trial_timeout=2, confirm_after=1")
            board.assertTakenBack(r, "expired")
            # The emulated boards don't tell a soft reset from others: it counts as a boot.
            late = 0 if EMULATED and name == "exits" else 1
            self.assertEqual(r.out.count("has not confirmed in time"), late)

        with ThreadPoolExecutor(6) as pool:
            jobs = {(f, n): pool.submit(die, f, n) for n in self.DIES for f in FILESYSTEMS}
            for case, job in jobs.items():
                with self.subTest(case):
                    job.result()

    @both
    def test_raw_repl(self, board):
        board.stage(new())
        r = board.live("has not", boot="attempts=2, trial_timeout=2, confirm_after=1", typed="\x01")
        self.assertIn("raw REPL", r.out)

    @both
    def test_longer_than_the_time_limit(self, board):
        """The limit gives way."""
        board.stage(new(self.WAIT))
        r = board.live("GOOD\n", boot="attempts=1, trial_timeout=1, confirm_after=2", timeout=10)
        self.assertEqual(r.out.count("rst:"), 1)

    @both
    def test_without_time_limit(self, board):
        board.stage(new(self.WAIT))
        board.live("GOOD\n", boot="trial_timeout=0, confirm_after=1", timeout=10)

    @both
    def test_confirms_itself_too(self, board):
        board.stage(new(CONFIRM + "import time\ntime.sleep_ms(1500)\nprint('GOOD')\n"))
        r = board.live("GOOD\n", boot=self.BOOT, timeout=10)
        self.assertNotIn("Traceback", r.out)


if __name__ == "__main__":
    unittest.main()
