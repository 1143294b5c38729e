"""Bad releases: each ends with the old one running, byte for byte, and status() telling why."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from trials import FILESYSTEMS, TrialTest, new

# What main.py (or another file) of a bad release does; it has no chance to confirm.
BAD = {
    "exception": new("raise ValueError('bad')\n"),
    "import_error": new(extra={"app/__init__.py": b"import missing\n"}),
    "syntax_error": new("def :\n"),
    "endless_loop": new("while True:\n    pass\n"),
    "sleeping_loop": new("import time\nwhile True:\n    time.sleep(1)\n"),
    "asyncio_loop": new("import asyncio\nasyncio.run(asyncio.sleep(1000))\n"),
    "reset_loop": new("import machine\nmachine.reset()\n"),
    "recursion": new("def f():\n    f()\nf()\n"),
    "memory_error": new("bytearray(1 << 30)\n"),
    "heap_full": new("l = None\nwhile True:\n    l = [l]\n"),
    "sys_exit": new("import sys\nsys.exit()\n"),
    "soft_reset": new("import machine\nmachine.soft_reset()\n"),
    "swallows_exceptions": new(
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n"
    ),
    "watchdog": new("import machine\nmachine.WDT(timeout=200)\nwhile True:\n    pass\n"),
    "no_main": new(extra={"main.py": b""}),
    "blocked_socket": new(
        "import socket\ns = socket.socket()\ns.bind(socket.getaddrinfo('127.0.0.1', 0)[0][-1])\n"
        "s.listen(1)\ns.accept()\n"
    ),
}


class Failures(TrialTest):
    def fail_on(self, fs, name):
        board = self.board(fs, name)
        board.stage(BAD[name])
        r = board.live("OLD RUNS")
        board.assertTakenBack(r, "expired")
        self.assertEqual(r.out.count("release 0.0.2 is in place"), 1, r.out)
        # Resets by themselves are counted; all else waits for the timer.
        by_timer = name not in ("reset_loop", "watchdog")
        self.assertEqual(r.out.count("has not confirmed in time"), 2 if by_timer else 0, r.out)
        self.assertEqual(len(re.findall("^rst:.*\n(?!sdboot: release 0.0.2 is taken back)", r.out, re.M)), 2)

    def test_failures(self):
        """Every case of BAD on both filesystems, several at a time: they mostly wait."""
        with ThreadPoolExecutor(8) as pool:
            jobs = {(f, n): pool.submit(self.fail_on, f, n) for n in BAD for f in FILESYSTEMS}
            for case, job in jobs.items():
                with self.subTest(case):
                    job.result()


if __name__ == "__main__":
    unittest.main()
