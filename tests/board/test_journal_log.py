# SPDX-License-Identifier: MIT
"""An application writes its files through the journal while power fails at each write."""

import re
import unittest

import cards
from cutting import CutTest, Script
from rig import MIB, run

FILES = {
    "main.py": b"print('main runs')\n",
    "settings.json": b'{"interval": 1}' * 300,
    "data.bin": bytes(range(256)) * 64,
    "old/a.txt": b"a" * 3000,
}


def line(i):
    return b"%04d the pump has been switched on, water level %06d\n" % (i, i * 7919 % 100003)


def application():
    """A logger, settings written anew, a database patched in place, files moved and removed."""
    s = Script(FILES)
    for i in range(6):
        s.append("log.txt", line(i))
    s.put("settings.json", b'{"interval": 2}' * 200)
    s.patch("data.bin", 500, b"\xee" * 5000)
    for i in range(6, 12):
        s.append("log.txt", line(i) * 9)
        s.append("a second log with a long name.txt", line(i))
    s.put("settings.json", b'{"interval": 3}' * 500)
    s.step("os.mkdir('deep')\nos.mkdir('deep/er')", {})
    # The directory outgrows its cluster.
    for i in range(12):
        s.put("deep/er/measurement number %d of the day.txt" % i, line(i))
    s.step("os.rename('old/a.txt', 'deep/b.txt')", {"old/a.txt": None, "deep/b.txt": b"a" * 3000})
    s.step("os.rename('deep/er', 'moved')", move(s.states[-1], "deep/er/", "moved/"))
    s.step("os.remove('deep/b.txt')", {"deep/b.txt": None})
    s.append("log.txt", line(99))
    return s


def move(files, old, new):
    changes = {name: None for name in files if name.startswith(old)}
    return {**changes, **{new + n[len(old) :]: files[n] for n in changes}}


class Logging(CutTest):
    def fat(self, bits, start=None, fats=1, files=FILES):
        cards.fat(self.card, bits, start, {16: 16, 32: 44}[bits] * MIB, ("-f", fats))
        self.put(files)
        self.power()  # makes the journal

    def test_fat16(self):
        self.fat(16)
        self.cut_script(application(), 17)

    def test_fat32(self):
        self.fat(32, fats=2)
        self.cut_script(application(), 17)

    def test_gap(self):
        self.fat(16, start=2048)
        self.cut_script(application(), 17)

    def test_our_own_card(self):
        self.fat_card(FILES, 64 * MIB)
        self.cut_script(application(), 17)

    def test_torn_sector(self):
        for bits, start in ((16, 2048), (32, None)):
            with self.subTest(bits=bits):
                self.fat(bits, start)
                self.cut_script(application(), 17, torn=True)

    def test_fat12(self):
        # Nothing passes through here: each write is captured.
        cards.fat(self.card, 12, 64)
        self.put(FILES)
        self.power()
        self.cut_script(application(), 17)

    def test_judge_can_fail(self):
        # Without the journal FatFs leaves files that are neither old nor new.
        self.fat(16)
        with self.assertRaisesRegex(AssertionError, "cases fail"):
            self.cut_script(application(), 5, boot="journal=False")

    def test_littlefs(self):
        self.littlefs_card(FILES)
        script = application_littlefs()
        job = "print('=>', sdboot.status()['journal'])"
        self.assertEqual(self.power(job=job).results, ["None"])
        self.cut_script(script, 7)

    def test_full_card(self):
        # The card fills up while it is written: what was flushed stays.
        self.fat(16)
        self.put({"fill": b"f" * (self.free() - 20000)})
        job = """
n = 0
log = open("/log", "ab")
try:
    while True:
        log.write(b"%04d" % n * 250)
        log.flush()
        n += 1
        print("did", n)
except OSError as e:
    print("=!", e.errno)
log.close()
print("closed")
import os
os.remove("/fill")
print("removed")
"""
        flash = self.flash("work", job=job)
        idle = self.flash("idle", job="with open('/more', 'w') as f: f.write('m' * 9000)\n")

        def judge(board, cut):
            done = len(re.findall(r"^did \d+$", cut.out, re.M))
            if cut.status == 0:
                board.assertEqual(cut.errors, ["28"])
                board.assertGreater(done, 10)
            board.power_flash(idle)
            found = board.files()
            kept = b"".join(b"%04d" % i * 250 for i in range(done + 1))
            log = found.get("log", b"")
            board.assertTrue(log.startswith(kept[: done * 1000]), "%d done" % done)
            board.assertTrue(kept.startswith(log[: len(kept)]))
            board.assertEqual({**FILES, **found}, {**found, **FILES})
            if "removed" in cut.out:
                board.assertNotIn("fill", found)

        self.cut(flash, judge, 13)

    def free(self):
        lines = run("mdir", "-i", self.card, "::/").splitlines()
        text = next(line for line in lines if "bytes free" in line)
        return int("".join(c for c in text if c.isdigit()))

    def test_counts(self):
        # Flushing costs what docs/ says: sectors written and read for each line.
        self.fat(32)
        idle = self.power()
        job = "f = open('/log', 'ab')\nfor i in range(100):\n"
        job += "    f.write('x' * 100)\n    f.flush()\n"
        r = self.power(job=job)
        self.assertLess(r.stats["card_write_sectors"] - idle.stats["card_write_sectors"], 100 * 9)

    def test_write_allocates_nothing(self):
        # Or a collection in the middle of FatFs's work would close a forgotten file.
        self.fat(32)
        job = """
import micropython
f = open("/log", "ab")
line = b"x" * 700
def work():
    micropython.heap_lock()
    try:
        for i in range(30):
            f.write(line)
            f.flush()
    finally:
        micropython.heap_unlock()
attempt(work)
"""
        r = self.power(job=job)
        self.assertEqual(r.results, ["None"], r.out)


def application_littlefs():
    """The same on littlefs, which creates an empty file in a step of its own."""
    s = Script(FILES)
    for name in ("log.txt", "a second log with a long name.txt", "settings.tmp"):
        s.put(name, b"")
    for i in range(8):
        s.append("log.txt", line(i))
    s.patch("data.bin", 500, b"\xee" * 5000)
    for i in range(8, 12):
        s.append("log.txt", line(i) * 9)
        s.append("a second log with a long name.txt", line(i))
    s.put("settings.json", b'{"interval": 2}' * 200)
    s.put("settings.tmp", b'{"interval": 3}' * 500)
    s.step(
        "os.rename('settings.tmp', 'settings.json')",
        {"settings.tmp": None, "settings.json": b'{"interval": 3}' * 500},
    )
    s.step("os.mkdir('deep')", {})
    s.step("os.rename('old/a.txt', 'deep/b.txt')", {"old/a.txt": None, "deep/b.txt": b"a" * 3000})
    s.step("os.remove('deep/b.txt')", {"deep/b.txt": None})
    return s


if __name__ == "__main__":
    unittest.main()
