# SPDX-License-Identifier: MIT
"""Bad releases: each ends with the old one running, byte for byte, and status() telling why."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from trials import FILESYSTEMS, STATUS, TRIAL, TrialTest, both, new, status_of
from web import PythonServer

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
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass\n"
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
        boots = re.findall("^rst:.*\n(?!sdboot: release 0.0.2 is taken back)", r.out, re.M)
        self.assertEqual(len(boots), 2)

    def test_failures(self):
        """Every case of BAD on both filesystems, several at a time: they mostly wait."""
        with ThreadPoolExecutor(8) as pool:
            jobs = {(f, n): pool.submit(self.fail_on, f, n) for n in BAD for f in FILESYSTEMS}
            for case, job in jobs.items():
                with self.subTest(case):
                    job.result()


class Damage(TrialTest):
    """Between staging and the first trial boot something happens to the card, or power goes."""

    MARK = b"a mark that is on the card once"

    def staged(self, board):
        mark = self.MARK * 40  # several sectors, and too much for littlefs to keep in a directory
        files = new(extra={"app/data.bin": b"%s %s" % (mark, mark[:17])})
        board.stage({**files, "www/added.html": b"-outside- " + self.MARK[::-1]})

    def corrupt(self, board, *options):
        r = board.live("OLD RUNS", *options)
        board.assertTakenBack(r, "corrupt")
        self.assertNotIn("NEW RUNS", r.out)
        self.assertIn("release 0.0.2 is taken back: its files on the card are damaged", r.out)
        self.assertEqual(r.out.count("rst:"), 1)

    def test_flipped_bit(self):
        for mark in (self.MARK + b" a mark", self.MARK[::-1]):
            for board in self.each(mark[:3].decode()):
                self.staged(board)
                at = board.find(mark)
                with open(board.card, "r+b") as f:
                    f.seek(at)
                    f.write(bytes([mark[0] ^ 0x10]))
                self.corrupt(board)

    @both
    def test_unreadable_sector(self, board):
        self.staged(board)
        self.corrupt(board, "--card-bad", board.find(self.MARK + b" a mark") // 512)

    def test_file_removed(self):
        for name in ("next/only new.py", "next/.version", "next/__init__.py"):
            for board in self.each(name[5:7]):
                board.stage(new())
                board.remove(name)
                r = board.live("OLD RUNS")
                self.assertEqual(status_of(r.out)["event"], "corrupt")
                board.assertTree(board.before)

    @both
    def test_outside_file_removed(self, board):
        board.stage(new())
        board.remove(".sdboot/new/lib/added/deep/more.py")
        self.corrupt(board)

    @both
    def test_previous_removed(self, board):
        """Then there is no way back: the trial ends, status() says why."""
        self.staged(board)
        board.live("NEW RUNS")
        for name in sorted(board.files()):
            if name.startswith("prev/"):
                board.remove(name)
        remove = "import os\nos.rmdir('/sd/prev/only old')\nos.rmdir('/sd/prev')\n"
        board.power("--pin", "18=0", job=remove)
        for _ in range(2):
            r = board.power(boot=TRIAL, job=STATUS)
        status = status_of(r.out)
        got = [status[k] for k in ("state", "version", "event", "event_version", "bad")]
        self.assertEqual(got, ["idle", "0.0.2", "expired", "0.0.2", None])
        self.assertIn("NEW RUNS", r.out)

    @both
    def test_card_full(self, board):
        """The release before goes on until there is room for the swap."""
        fill = """
for size in (65536, 4096, 512, 64):
    try:
        for i in range(1000):
            with open('/sd/fill%d_%d' % (size, i), 'wb') as f:
                f.write(b'x' * size)
    except OSError as e:
        print('=>', e.errno)
"""
        board.stage(new())
        r = board.power("--pin", "18=0", boot=TRIAL, job=fill)
        self.assertEqual(r.results, ["28"] * 4)
        free = """
import os
for n in os.listdir('/'):
    if n.startswith('fill65'):
        os.remove('/' + n)
"""
        for job in ("", free):
            r = board.power(boot=TRIAL, job=job)
            self.assertIn("an update can't be finished (28), next try at next boot", r.out)
            self.assertIn("OLD RUNS 0.0.1 old", r.out)
            self.assertEqual(status_of(r.out)["free"] < 65536, job == "")
        self.assertIn("NEW RUNS 0.0.2 0.0.2", board.power(boot=TRIAL).out)

    @both
    def test_power_cut_in_each_trial_boot(self, board):
        writer = """
i = 0
while True:
    i += 1
    with open('app/only new.py', 'w') as f:
        f.write(str(i))
"""
        board.stage(new(writer), boot="attempts=3")
        for writes in (400, 37, 90):
            r = board.live(None, "--cut", writes, boot="attempts=3")
            self.assertEqual(r.status, 75)
            self.assertIn("NEW RUNS 0.0.2 0.0.2", r.out)
        r = board.live("OLD RUNS", boot="attempts=3")
        board.assertTakenBack(r, "expired")


class NoFailure(TrialTest):
    @both
    def test_pin_low(self, board):
        board.stage(new())
        board.power(boot=TRIAL)
        for _ in range(4):
            r = board.power("--pin", "18=0", boot=TRIAL, job=STATUS)
            self.assertEqual(r.stats["card_write_sectors"], 0)
            status = status_of(r.out)
            self.assertEqual((status["state"], status["attempts_left"]), ("trial", 1))
        self.assertIn("NEW RUNS", board.power(boot=TRIAL).out)

    @both
    def test_pin_low_before_the_swap(self, board):
        board.stage(new())
        status = board.status()
        self.assertEqual((status["state"], status["staged"]), ("staged", "0.0.2"))
        self.assertIn("release 0.0.2 is in place", board.power(boot=TRIAL).out)

    @both
    def test_soft_reset_at_the_repl(self, board):
        """Not counted; the time goes on."""
        board.stage(new())
        boot = "attempts=3, trial_timeout=3"
        soft = "import time\ntime.sleep_ms(max(0, 1500 - time.ticks_ms()))\n\x04"
        r = board.live("has not confirmed", boot=boot, typed=soft)
        self.assertEqual(r.out.count("soft reboot"), 1)
        self.assertEqual(r.out.count("2 more boots"), 2)
        self.assertLess(r.at("has not confirmed"), 4.4)
        self.assertEqual(board.status(boot=boot)["attempts_left"], 1)

    @both
    def test_soft_resets_count_without_a_time_limit(self, board):
        """Otherwise sys.exit() would go on for ever."""
        board.stage(new("import sys\nsys.exit()\n"))
        r = board.live("OLD RUNS", boot="attempts=3, trial_timeout=0")
        board.assertTakenBack(r, "expired")
        self.assertEqual(r.out.count("NEW RUNS"), 3)

    @both
    def test_staged_long_after_power_on(self, board):
        """A soft reset into the swap: the trial's time begins with a hard one."""
        code = (
            "import time, sdboot, machine\ntime.sleep_ms(max(0, 1100 - time.ticks_ms()))\n"
            "sdboot.OTA('%s').install_update_if_available()\nmachine.soft_reset()\n"
        )
        board.publish(new("import sdboot, time\ntime.sleep_ms(300)\nsdboot.confirm()\nprint('GOOD')\n"))
        with PythonServer(board.site.folder) as url:
            r = board.live("GOOD\n", boot="attempts=1, trial_timeout=1", typed=code % url)
        self.assertIn("sdboot: resetting, for the trial of release 0.0.2", r.out)
        self.assertEqual(board.status()["event"], "confirmed")

    @both
    def test_deepsleep(self, board):
        """Waking counts for nothing: an application that sleeps confirms after its first duty."""
        main = (
            "import machine, sdboot\n"
            "try:\n    n = int(open('duty').read())\nexcept OSError:\n    n = 0\n"
            "with open('duty', 'w') as f:\n    f.write(str(n + 1))\n"
            "print('DUTY', n, sdboot.status()['attempts_left'])\n"
            "if n == 5:\n    print('CONFIRM', sdboot.confirm())\n"
            "if n < 8:\n    machine.deepsleep(20)\n"
        )
        board.stage(new(main))
        r = board.live("DUTY 8")
        self.assertIn("DUTY 5 1\nCONFIRM True\n", r.out)
        self.assertEqual(r.out.count("rst:0x5"), 8)
        status = board.status()
        self.assertEqual((status["state"], status["event"]), ("idle", "confirmed"))

    @both
    def test_crash_between_sleeps(self, board):
        """What a release does wrong between two sleeps is a failure as ever."""
        main = (
            "import machine\nif machine.reset_cause() != machine.DEEPSLEEP_RESET:\n"
            "    machine.deepsleep(20)\nraise ValueError\n"
        )
        board.stage(new(main))
        board.assertTakenBack(board.live("OLD RUNS"), "expired")


if __name__ == "__main__":
    unittest.main()
