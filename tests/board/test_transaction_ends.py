# SPDX-License-Identifier: MIT
"""Transactions that end where that is not easy: no memory, open files, a card that fails, a power cut."""

import unittest

import cards
from cutting import CutTest, Script
from rig import MIB
from test_transaction import EVERYTHING, FILES, TOOLS, TransactionTest, changes

WORK = """
import _board
def work():
    with sdboot.transaction():
        put("/config.json", "new")
"""
ABORTED = """
try:
    with sdboot.transaction():
        put("a", b"3" * 5000)
        os.remove("b")
        raise ValueError
except ValueError:
    handles.clear()
"""


class Ends(TransactionTest):
    """How a transaction ends when that is not easy."""

    def test_no_memory(self):
        # Nothing is left of it, and what is done afterwards is not part of it.
        job = """
import gc
def work():
    keep = []
    with sdboot.transaction():
        put("/config.json", "half")
        size = 8192
        while size >= 16:
            try: keep.append(bytearray(size))
            except MemoryError: size //= 2
        bytearray(4096)
try: work()
except MemoryError: print("=> MemoryError")
gc.collect()
print("=>", len(get("/config.json")))
for i in range(3): put("/log.txt", "line\\n", "ab")
print("=>", sdboot.recover())
"""
        files = {**FILES, "log.txt": b"line\n" * 3}
        self.assertEqual(self.work(job, files).results, ["MemoryError", "450", "False"])

    def test_files_left_open(self):
        # They are in it as they are: flushed.
        job = """
f = None
def work():
    global f
    with sdboot.transaction():
        f = open("/left.txt", "w")
        f.write("left " * 500)
        open("/forgotten.txt", "w").write("forgotten")
        put("/closed.txt", "closed")
        g = open("/config.json", "r+b")
        g.seek(3)
        g.write(b"G" * 20)
work()
f.write("later")
"""
        config = FILES["config.json"]
        files = {
            **FILES,
            "left.txt": b"left " * 500,
            "forgotten.txt": b"forgotten",
            "closed.txt": b"closed",
            "config.json": config[:3] + b"G" * 20 + config[23:],
        }
        self.work(job, files)

    def test_many_files_left_open(self):
        job = """
files = []
with sdboot.transaction():
    for i in range(60):
        f = open("/f%d" % i, "wb")
        f.write(b"%d" % i * 300)
        if i % 3: f.close()
        else: files.append(f)
"""
        self.work(job, {**FILES, **{"f%d" % i: b"%d" % i * 300 for i in range(60)}})

    def test_a_file_left_open_that_cannot_be_flushed(self):
        job = WORK + """\
        f = open("/left.txt", "w")
        f.write("left " * 500)
        _board.card_fail("w1+")
try: work()
except OSError as e: print("=>", e.errno)
_board.card_fail("")
print("=>", len(get("/config.json")), sdboot.recover())
"""
        r = self.work(job)
        self.assertEqual(len(r.results), 2, r.out)
        self.assertEqual(r.results[1], "450 False")

    def test_the_card_fails(self):
        # Wherever that happens: "undone" is said of what is undone only.
        job = WORK + """\
        put("/new.txt", "new" * 2000)
        os.remove("/dir/one.txt")
for how in ("%d", "%d+", "%d/"):
    for n in range(1, 30):
        _board.card_fail("w" + how % n)
        said = ""
        try: work()
        except OSError as e: said = str(e)
        _board.card_fail("")
        found = [name in os.listdir("/") for name in ("new.txt",)] + [len(get("/config.json")) == 3]
        found.append("one.txt" not in os.listdir("/dir"))
        if found != ([not said] * 3 if "known" not in said else found[:1] * 3):
            print("=!", how % n, said, found)
        if found[0]:
            with sdboot.transaction():
                put("/config.json", '{"a": 1}\\n' * 50)
                os.remove("/new.txt")
                put("/dir/one.txt", "1" * 700)
print("=>", sdboot.recover())
"""
        r = self.work(job)
        self.assertEqual((r.errors, r.results), ([], ["False"]), r.out)

    def test_the_card_fails_for_good(self):
        # Not known whether it is in place: said, with what to do. The next boot finds out.
        job = WORK + """\
        put("/new.txt", "new" * 2000)
        _board.card_fail("w%d+")
attempt(work)
"""
        for n in range(1, 9):
            with self.subTest(n=n):
                r = self.start(self.flash("fails", job=TOOLS + job % n))
                self.power()
                found = self.files()
                if r.errors and "not known yet" not in r.errors[0]:
                    self.assertEqual(found, FILES)
                new = {**FILES, "config.json": b"new", "new.txt": b"new" * 2000}
                self.assertIn(found, (FILES, new))
                self.fat_card(FILES, 64 * MIB)


class Cuts(CutTest):
    """Power fails at each write of transactions of several files."""

    def script(self):
        s = Script(FILES)
        s.append("log.txt", b"one\n")
        s.transaction(EVERYTHING, changes())
        s.append("log.txt", b"two\n")
        ones = b"1" * 2000
        s.transaction("put('a', b'1' * 2000)\nput('b', b'1' * 2000)", {"a": ones, "b": ones})
        s.transaction("put('a', b'2' * 100)\nput('b', b'2' * 100)", dict.fromkeys("ab", b"2" * 100))
        s.step(ABORTED, {})
        s.append("another.txt", b"three\n")
        s.transaction("os.remove('a')\nos.rename('b', 'a')", {"a": b"2" * 100, "b": None})
        # More than the journal holds in memory.
        big = b"9" * 12000
        s.transaction("put('table.csv', b'9' * 12000)", {"table.csv": big})
        return s

    def test_our_own_card(self):
        self.fat_card(FILES, 64 * MIB)
        self.cut_script(self.script(), 7)

    def test_other_cards(self):
        for bits, start in ((16, None), (32, None), (16, 2048), (32, 2048)):
            with self.subTest(bits=bits, start=start):
                cards.fat(self.card, bits, start, 44 * MIB)
                self.put(FILES)
                self.power()
                self.cut_script(self.script(), 7)

    def test_torn_sector(self):
        self.fat_card(FILES, 64 * MIB)
        self.cut_script(self.script(), 7, torn=True)


if __name__ == "__main__":
    unittest.main()
