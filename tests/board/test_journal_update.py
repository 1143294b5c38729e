# SPDX-License-Identifier: MIT
"""An application that logs while a release is being staged, and power that fails at each write."""

import hashlib
import re
import unittest

import cards
from cutting import CutTest
from lab import Nginx
from rig import MIB
from web import Site, package, release

OLD = {**release("0.0.1"), "lib/util.py": b"old = 1\n" * 200, "log.txt": b"line 0000\n"}
NEW = release("0.0.2", {"lib/util.py": b"new = 2\n" * 300, "app/deep/er/data.bin": b"\x99" * 9000})

# Every step of the update logs a line; each line is promised when it is printed.
LOGGER = """
import os
handle = open("/log.txt", "ab")
number = os.stat("/log.txt")[6] // 10

def log(*_):
    global number, handle
    line = "line %%04d\\n" %% number
    try:
        handle.write(line)
        handle.flush()
    except OSError:  # the card has been mounted anew
        handle = open("/log.txt", "ab")
        handle.write(line)
        handle.flush()
    print("logged", number)
    number += 1
    if number %% 4 == 0:
        with open("/state.tmp", "w") as f:
            f.write(line * 100)
        with sdboot.transaction():
            if "state" in os.listdir("/"):
                os.remove("/state")
            os.rename("/state.tmp", "/state")
        print("state", number - 1)

log()
try:
    done = sdboot.OTA(%r, progress=log).install_update_if_available()
    print("=>", done)
except OSError as e:
    print("=!", e)
log()
"""


def lines(count):
    return b"".join(b"line %04d\n" % i for i in range(count))


class Update(CutTest):
    def setUp(self):
        super().setUp()
        self.site = Site(self.dir / "www")
        self.site.add("0.0.2", package(NEW))

    def start_card(self, bits=None, start=None):
        if bits is None:
            self.fat_card(OLD, 64 * MIB)
        else:
            cards.fat(self.card, bits, start, 44 * MIB)
            self.put(OLD)
        self.power()

    def releases(self, files):
        """Which releases the files of this card are: it must be one."""
        of_new = [name for name in NEW if files.get(name) == NEW[name]]
        of_old = [n for n in OLD if n != "log.txt" and files.get(n) == OLD[n]]
        if len(of_new) == len(NEW):
            return "0.0.2"
        self.assertEqual(len(of_old), len(OLD) - 1, sorted(files))
        self.assertNotIn("app/deep/er/data.bin", files)
        return "0.0.1"

    def check_log(self, files, run):
        logged = [int(n) for n in re.findall(r"^logged (\d+)$", run.out, re.M)]
        count = logged[-1] + 1 if logged else 1
        self.assertIn(files["log.txt"], (lines(count), lines(count + 1)), "%d logged" % count)
        states = [int(n) for n in re.findall(r"^state (\d+)$", run.out, re.M)]
        promised = states[-1] if states else None
        if "state" in files:
            number = int(files["state"][5:9])
            self.assertEqual(files["state"], b"line %04d\n" % number * 100)
            self.assertGreaterEqual(number, promised or 0)
        else:
            self.assertIsNone(promised)
        return count

    def cuts(self, every, torn=False):
        with Nginx(self.site.folder) as url:
            work = self.flash("work", job=LOGGER % url)
            idle = self.flash("idle")

            def judge(board, cut):
                r = board.power_flash(idle)
                files = board.files()
                board.check_log(files, cut)
                version = board.releases(files)
                board.assertIn("release %s runs" % version, r.out)
                if cut.status == 0:
                    board.assertEqual(version, "0.0.2", cut.out)
                # The next update succeeds, and goes on with the log.
                if version == "0.0.1":
                    before = files["log.txt"]
                    r = board.power_flash(work)
                    board.assertEqual(r.results, ["True"], r.out)
                    r = board.power_flash(idle)
                    board.assertIn("release 0.0.2 runs", r.out)
                    files = board.files()
                    board.assertEqual(board.releases(files), "0.0.2")
                    board.assertTrue(files["log.txt"].startswith(before))
                    board.assertEqual(files["log.txt"], lines(len(files["log.txt"]) // 10))

            return self.cut(work, judge, every, torn, recovery=idle)

    def test_our_own_card(self):
        self.start_card()
        self.cuts(19)

    def test_other_cards(self):
        for bits, start in ((16, None), (32, 2048)):
            with self.subTest(bits=bits, start=start):
                self.start_card(bits, start)
                self.cuts(19)

    def test_torn_sector(self):
        self.start_card()
        self.cuts(29, torn=True)

    def test_swap(self):
        # Power fails while the release is put in place; the log is not touched by it.
        self.start_card()
        idle = self.flash("idle")
        with Nginx(self.site.folder) as url:
            flash = self.flash("work", job=LOGGER % url)
            staged = self.power_flash(flash)
        self.assertEqual(staged.results, ["True"])

        def judge(board, _):
            r = board.power_flash(idle)
            board.assertIn("release 0.0.2 runs", r.out)
            files = board.files()
            board.assertEqual(board.releases(files), "0.0.2")
            board.check_log(files, staged)

        self.cut(idle, judge, 3, recovery=idle)

    def failing(self, say):
        with Nginx(self.site.folder) as url:
            r = self.power(job=LOGGER % url + "print('=>', sdboot.status()['journal'])\n")
        self.assertEqual(len(r.errors), 1, r.out)
        self.assertRegex(r.errors[0], say)
        self.assertEqual(r.results, ["on"])
        files = self.files()
        self.assertEqual(self.check_log(files, r), r.out.count("\nlogged ") + 1)
        self.assertEqual(self.releases(files), "0.0.1")
        self.assertFalse([name for name in files if name.startswith("next/")])
        return r

    def test_failing_updates(self):
        # Whatever ends the update, the log stays.
        good = package(NEW)
        broken = package({**NEW, "../evil": b""}), hashlib.sha1(good).hexdigest()
        for say, data, sha1 in (
            ("hash", good, "0" * 40),
            ("'..'", *broken),
            ("hash", good[:-4000], hashlib.sha1(good).hexdigest()),
        ):
            with self.subTest(say=say):
                self.start_card()
                self.site.lines.clear()
                self.site.add("0.0.2", data, sha1=sha1)
                self.failing(say)
                self.site.lines.clear()
                self.site.add("0.0.2", good)
                with Nginx(self.site.folder) as url:
                    self.assertEqual(self.power(job=LOGGER % url).results, ["True"])
                self.assertIn("release 0.0.2 runs", self.power().out)

    def test_more_than_the_journal_holds_while_staging(self):
        # The application overwrites a large file in place again and again: nothing is lost.
        self.fat_card({**OLD, "big.bin": b"b" * 300000}, 64 * MIB)
        self.power()
        job = """
def progress(phase, done, total):
    log()
    if done > 8000:
        with open("/big.bin", "r+b") as f:
            for i in range(75):
                f.write(b"X" * 4000)
"""
        source = LOGGER.replace("log()\ntry", job + "log()\ntry", 1)
        source = source.replace("progress=log", "progress=progress")
        with Nginx(self.site.folder) as url:
            r = self.power_flash(self.flash("work", job=source % url))
        self.assertEqual(r.results, ["True"], r.out)
        files = self.files()
        self.assertEqual(files["big.bin"], b"X" * 300000)
        self.check_log(files, r)
        self.assertIn("release 0.0.2 runs", self.power().out)


class Littlefs(CutTest):
    def test_update(self):
        site = Site(self.dir / "www")
        site.add("0.0.2", package(NEW))
        self.littlefs_card(OLD)
        job = LOGGER.replace("if number %% 4 == 0", "if False")
        with Nginx(site.folder) as url:
            work = self.flash("work", job=job % url)
            idle = self.flash("idle")

            def judge(board, cut):
                r = board.power_flash(idle)
                files = board.files()
                Update.check_log(board, files, cut)
                version = Update.releases(board, files)
                board.assertIn("release %s runs" % version, r.out)

            self.cut(work, judge, 11, recovery=idle)


if __name__ == "__main__":
    unittest.main()
