# SPDX-License-Identifier: MIT
"""On trial the end of main.py is noticed: nobody has to wait for the time limit."""

import unittest
from concurrent.futures import ThreadPoolExecutor

from trials import FILESYSTEMS, STATUS, TrialTest, both, new, status_of

FAST = "sdboot: main.py has ended: reset in 5 s, a key stops that"
SLOW = "sdboot: main.py has ended: reset in 15 s, a key stops that"
# What main.py does, what the terminal says then, and the reason that status() gives.
ENDS = {
    "exception": ("raise ValueError('all wrong')\n", "ValueError: all wrong"),
    "import_error": ("import missing\n", "ImportError: no module named 'missing'"),
    "deep": ("def f(n):\n    f(n - 1) if n else 1 // 0\nf(30)\n", "ZeroDivisionError: divide by zero"),
    "long": ("print('x' * 5000)\nraise OSError(5)\n", "OSError: [Errno 5] EIO"),
    "text": ("raise ValueError('\\u00e4' * 300)\n", None),
    "memory": ("bytearray(1 << 30)\n", None),
    "ends": ("print('nothing more to do')\n", "main.py has ended"),
    "nothing": ("", "main.py has ended"),
}


class Ends(TrialTest):
    def end_on(self, fs, name):
        main, reason = ENDS[name]
        board = self.board(fs, name)
        board.stage(new(main))
        r = board.live("OLD RUNS", boot="attempts=1", timeout=60)
        self.assertIn(SLOW if name in ("ends", "nothing") else FAST, r.out)
        self.assertIn("sdboot: main.py has ended, resetting", r.out)
        self.assertNotIn("has not confirmed in time", r.out)
        status = status_of(r.out)
        want = {"version": "0.0.1", "event": "expired", "bad": "0.0.2"}
        self.assertEqual({k: status[k] for k in want}, want, r.out)
        if reason is None:
            self.assertTrue(status["reason"], r.out)
        else:
            self.assertEqual(status["reason"], reason, r.out)
        board.assertTree(board.before)

    def test_ends(self):
        with ThreadPoolExecutor(8) as pool:
            jobs = {(f, n): pool.submit(self.end_on, f, n) for n in ENDS for f in FILESYSTEMS}
            for case, job in jobs.items():
                with self.subTest(case):
                    job.result()

    @both
    def test_whole_trial(self, board):
        """With the defaults: three boots, a quarter of a minute."""
        board.stage(new("raise ValueError\n"))
        r = board.live("OLD RUNS", boot="", timeout=60)
        board.assertTakenBack(r, "expired")
        self.assertEqual(r.out.count("NEW RUNS"), 3)
        self.assertLess(r.at("OLD RUNS"), 30)

    @both
    def test_somebody_types(self, board):
        """A key keeps the board at the REPL until the time limit."""
        for typed in ("1 + 1\n", "\x01", "\n"):
            board.stage(new("raise ValueError\n"), "force_update=True")
            r = board.live("has not confirmed", boot="attempts=3, trial_timeout=8", typed=typed)
            self.assertNotIn("main.py has ended, resetting", r.out)
            self.assertEqual(r.out.count("rst:0xc"), 1, r.out)
            board.power("--pin", "18=0", job="sdboot.rollback()\n")
            board.power()

    @both
    def test_interrupted(self, board):
        """Ctrl-C is somebody, too."""
        board.stage(new("raise KeyboardInterrupt\n"))
        r = board.live("has not", boot="attempts=3, trial_timeout=8")
        self.assertNotIn("main.py has ended", r.out)

    @both
    def test_confirmed(self, board):
        """Then main.py may end."""
        board.stage(new("import sdboot\nsdboot.confirm()\n"))
        r = board.power(boot="")
        self.assertIn("NEW RUNS", r.out)
        self.assertNotIn("main.py has ended", r.out)
        status = board.status()
        self.assertEqual((status["event"], status["reason"]), ("confirmed", None))

    @both
    def test_reason_of_an_earlier_try(self, board):
        board.stage(new("raise ValueError\n"))
        board.live("OLD RUNS", boot="attempts=1")
        board.stage(None, "force_update=True")
        board.power(boot="attempts=1")
        self.assertIsNone(board.status()["reason"])

    @both
    def test_reason_of_another_release(self, board):
        board.put({".sdboot/reason": b"0.0.7\nold story\n"})
        board.stage(new())
        board.power()
        self.assertIsNone(board.status()["reason"])
        for junk in (b"", b"\n", b"\xff\xfe\n\xff\n", b"0.0.2", b"x" * 5000):
            board.put({".sdboot/reason": junk})
            self.assertIsNone(board.status()["reason"])


class CanNotBeCounted(TrialTest):
    @both
    def test_card_read_only(self, board):
        """Resetting would go on for ever."""
        board.stage(new("import time\ntime.sleep_ms(1500)\nprint('STILL HERE')\n"))
        board.power(boot="attempts=3")
        r = board.live("STILL HERE", "--card-ro", boot="attempts=3, trial_timeout=1", job=STATUS)
        self.assertEqual(r.out.count("rst:"), 1)
        self.assertIn("a boot of the release on trial can't be counted", r.out)
        self.assertIn("no time limit", r.out)
        self.assertNotIn("Traceback", r.out)
        self.assertEqual(board.status()["attempts_left"], 2)


if __name__ == "__main__":
    unittest.main()
