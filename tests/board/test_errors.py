# SPDX-License-Identifier: MIT
"""A card that fails: whoever writes is told."""

import unittest

import rig
from rig import MIB, BoardTest
from web import PythonServer, Site, package, release

FILES = {"main.py": b"print('main runs')\n", "config.json": b'{"a": 1}\n' * 50, "old": b"old"}
WRITERS = """
import os
def put(name, data, mode="wb"):
    with open(name, mode) as f:
        f.write(data)
def flushed(f):
    f.write("x" * 10)
    f.flush()
"""
# Each changes the card.
CALLS = (
    'put("/config.json", b"new")',
    'put("/config.json", b"more", "ab")',
    'put("/config.json", b"new", "r+b")',
    'put("/new", b"")',
    'flushed(open("/config.json", "a"))',
    'os.remove("/old")',
    'os.rename("/old", "/older")',
    'os.rename("/old", "/config.json")',
    'os.mkdir("/folder")',
)


class ReadOnlyCard(BoardTest):
    """Every write fails, from boot on."""

    def refused(self, boot=""):
        for call in CALLS:
            with self.subTest(call=call):
                r = self.power("--card-ro", boot=boot, job=WRITERS + "attempt(lambda: %s)\n" % call)
                self.assertEqual(r.results, [], r.out)
                self.assertRegex(r.errors[0], "^(OSError|Error) [1-9]")
                self.assertFiles(FILES)

    def test_fat(self):
        for size in (8 * MIB, 64 * MIB):
            self.fat_card(FILES, size)
            self.refused()
            self.refused("journal=False")

    def test_littlefs(self):
        self.littlefs_card(FILES)
        self.refused()


class Faulty(BoardTest):
    """One command of the card fails; `--card-fail` of the board, or from the program."""

    MANY = {"data/file %02d with a long name.txt" % i: b"%d" % i for i in range(60)}

    def cards(self, files=FILES):
        self.fat_card(files)
        yield ""
        yield "journal=False"
        self.littlefs_card(files)
        yield ""

    def test_a_listing_is_whole_or_an_error(self):
        # FatFs and littlefs end it at a read error, as if there were no more.
        job = """
import _board
for n in range(1, 40):
    _board.card_fail("r%d" % n)
    try:
        names = os.listdir("/data")
        if len(names) != 60: print("=>", n, len(names))
    except OSError as e:
        print("=! raises")
    _board.card_fail("")
    sdboot.recover()
print("=> whole", len(os.listdir("/data")))
"""
        for boot in self.cards({**FILES, **self.MANY}):
            with self.subTest(boot=boot):
                r = self.power(boot=boot, job=WRITERS + job)
                self.assertEqual(r.results, ["whole 60"], r.out)
                self.assertGreater(len(r.errors), 3)

    def test_a_listing_going_on(self):
        # What fails in the middle of it, and the card mounted anew while it is read.
        job = """
import _board
names = os.ilistdir("/data")
next(names)
_board.card_fail("r1+")
attempt(list, names)
_board.card_fail("")
sdboot.recover()
names = os.ilistdir("/data")
next(names)
_board.card_fail("w1+")
attempt(put, "/new", b"n" * 3000)
_board.card_fail("")
attempt(sdboot.recover)
attempt(lambda: len(list(names)))
"""
        self.fat_card({**FILES, **self.MANY})
        r = self.power(job=WRITERS + job)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertEqual(len(r.errors), 3, r.out)

    def test_what_can_be_said_until_recover(self):
        job = """
import _board
_board.card_fail("w1+")
attempt(put, "/config.json", b"new")
for f in (os.listdir, os.stat, os.remove, os.mkdir, os.chdir, os.statvfs, open):
    attempt(f, "/old")
attempt(sdboot.status)
attempt(sdboot.recover)
_board.card_fail("")
attempt(sdboot.recover)
attempt(sdboot.recover)
attempt(put, "/config.json", b"new")
"""
        self.fat_card(FILES)
        r = self.power(job=WRITERS + job)
        self.assertEqual(len(r.errors), 9, r.out)
        for error in r.errors[1:]:
            self.assertIn("call sdboot.recover()", error)
        self.assertEqual(r.results, ["True", "False", "False", "None"], r.out)
        self.assertFiles({**FILES, "config.json": b"new"})

    def test_recover_while_the_card_fails(self):
        # It says so as often as it is called, and works as soon as the card does.
        job = """
import _board
_board.card_fail("w1+")
attempt(put, "/config.json", b"new" * 500)
_board.card_fail("r1+")
for i in range(3): attempt(sdboot.recover)
attempt(open, "/old")
_board.card_fail("")
attempt(sdboot.recover)
attempt(put, "/config.json", b"new")
"""
        for boot in self.cards():
            with self.subTest(boot=boot):
                r = self.power(boot=boot, job=WRITERS + job)
                self.assertEqual(len(r.errors), 5, r.out)
                self.assertEqual(r.results, ["True", "None"], r.out)
                self.assertFiles({**FILES, "config.json": b"new"})

    def test_the_fate_of_a_commit(self):
        # The header may be there or not: recover() finds out, as the next boot would.
        job = """
import _board
for n in range(1, 9):
    for how in "+", "/":
        put("/config.json", b"old")
        _board.card_fail("w%d%s" % (n, how))
        try:
            put("/config.json", b"new", "r+b")
            done = True
        except OSError:
            done = False
        _board.card_fail("")
        again = sdboot.recover()
        found = open("/config.json").read()
        if found not in (("new",) if done else ("old", "new")) or done is again:
            print("=!", n, how, done, again, found)
        put("/log", b"%d" % n, "ab")
"""
        self.fat_card(FILES)
        r = self.power(job=WRITERS + job)
        self.assertEqual(r.errors, [], r.out)
        self.assertNotIn("Traceback", r.out)

    def test_the_working_directory_stays(self):
        job = """
import _board
os.chdir("/data")
_board.card_fail("w1+")
attempt(put, "new", b"new")
_board.card_fail("")
attempt(sdboot.recover)
attempt(os.getcwd)
attempt(lambda: len(os.listdir()))
"""
        for boot in self.cards({**FILES, **self.MANY}):
            with self.subTest(boot=boot):
                r = self.power(boot=boot, job=WRITERS + job)
                self.assertEqual(r.results, ["True", "/data", "60"], r.out)

    def test_lost_files(self):
        """Nobody is there to be told of what was lost of files that nobody has any more."""
        job = """
import _board
def work(n):
    files = [open("/f%d.txt" % i, "w") for i in range(n)]
    for f in files:
        f.write("x" * 700)
    files[0].flush()
    open("/old.txt", "a").write("more")
    for i in range(99): open("/n%d.txt" % i, "w").write("x" * 5000)

for n in (1, 5, 12):
    _board.card_fail("w1+")
    attempt(work, n)
    _board.card_fail("")
    attempt(sdboot.recover)
    attempt(sdboot.recover)
"""
        self.fat_card({"old.txt": b"old"})
        for boot in ("", "journal=False"):
            with self.subTest(boot):
                r = self.power(boot=boot, job=job)
                self.assertNotIn("OSError: \n", r.out)
                raised = [e.split()[:2] for e in r.errors]
                self.assertEqual(raised[:3], [["OSError", "5"]] * 3, r.out)
                self.assertEqual(r.results[:6], ["True", "False"] * 3)

    def test_files_lost_later(self):
        """A file that is kept beyond recover() and lost then: silence as well. Used, it says what it
        is; so does everything that the card has refused."""
        job = """
import _board, gc, os
kept = open("/kept.txt", "w"); kept.write("x" * 700)
_board.card_fail("w1+")
def write():
    with open("/new.txt", "w") as f:
        f.write("x" * 9000)
attempt(write)
attempt(os.mkdir, "/folder")
attempt(os.remove, "/old.txt")
_board.card_fail("")
attempt(sdboot.recover)
late = open("/late.txt", "w"); late.write("x" * 700)
attempt(kept.write, "y" * 700)
attempt(kept.close)
_board.card_fail("w1")
attempt(os.mkdir, "/folder")
_board.card_fail("")
attempt(sdboot.recover)
late = None
gc.collect()
print("=>", "collected")
_board.card_fail("r1")
attempt(os.stat, "/data/one")
_board.card_fail("")
attempt(os.rmdir, "/data")
"""
        self.fat_card({"old.txt": b"old", "data/one": b"1"})
        self.addCleanup(setattr, rig, "fsck", rig.fsck)
        for boot in ("", "journal=False"):
            with self.subTest(boot):
                if boot:
                    rig.fsck = lambda image: None  # plain FatFs leaves lost clusters
                r = self.power(boot=boot, job=job)
                self.assertEqual(r.results, ["True", "True", "collected"], r.out)
                self.assertNotIn("OSError: \n", r.out)
                self.assertNotIn("MemoryError", r.out)
                self.assertEqual(len(r.errors), 8, r.out)
                for error in r.errors:
                    self.assertRegex(error, "recover\\(\\)|open the file again|check the card|denied: ")
                self.assertIn("mounted anew", r.errors[3])
                self.assertIn("mounted anew", r.errors[4])

    def test_recover_with_little_memory(self):
        job = """
import _board, gc
def fill():
    keep = []
    size = 4096
    while size >= 16:
        try: keep.append(bytearray(size))
        except MemoryError: size //= 2
    return keep
_board.card_fail("w1+")
attempt(put, "/config.json", b"new")
_board.card_fail("")
keep = fill()
try:
    sdboot.recover()
except MemoryError:
    pass
keep = None
gc.collect()
attempt(lambda: open("/config.json").read(4))
attempt(put, "/config.json", b"new")
"""
        for boot in self.cards():
            with self.subTest(boot=boot):
                r = self.power("--heap", "200K", boot=boot, job=WRITERS + job)
                self.assertEqual(len(r.errors), 1, r.out)
                self.assertEqual(len(r.results), 2, r.out)
                self.assertFiles({**FILES, "config.json": b"new"})


class WhileUpdating(BoardTest):
    """An application that writes, fails and recovers from the progress callback of an update."""

    NEW = {**release("0.0.2"), **{"app/file%d" % i: b"%d" % i * 9000 for i in range(9)}}
    JOB = """
import _board
log = None
def logged(text):
    with open("/log.txt", "a") as f:
        f.write(text)
count = [0]
def progress(phase, done, total):
    if phase != "download": return
    count[0] += 1
    if count[0] == NUMBER:
        THEN
ota = sdboot.OTA(URL, progress=progress)
attempt(ota.install_update_if_available)
logged("after")
print("=>", sdboot.recover())
"""
    FAIL = """
        _board.card_fail("w1+")
        attempt(logged, "lost")
        _board.card_fail("")
        print("=>", sdboot.recover())
        logged("during")
"""
    UNDO = """
        logged("during")
        try:
            with sdboot.transaction():
                logged("undone")
                raise ValueError
        except ValueError: pass
"""

    def update(self, number, then, boot=""):
        self.setUp()
        if "littlefs" in boot:
            self.littlefs_card({**FILES, **release("0.0.1")})
        else:
            self.fat_card({**FILES, **release("0.0.1")})
        site = Site(self.dir / "www")
        site.add("0.0.2", package(self.NEW))
        with PythonServer(site.folder) as url:
            job = self.JOB.replace("NUMBER", str(number)).replace("THEN", then.strip())
            r = self.power(boot=boot, job=WRITERS + job.replace("URL", repr(url)))
            self.assertNotIn("Traceback", r.out)
            self.assertEqual(r.results[-1], "False", r.out)
            found = self.files()
            self.assertEqual(found["log.txt"], b"duringafter", r.out)
            # What has been staged is all of it, or it is staged anew.
            self.ota(url, job="", options=())
            r = self.power(job="print('=>', sdboot.verify(), sdboot.version())")
            self.assertEqual(r.results, ["[] 0.0.2"], r.out)
            self.assertEqual(self.files()["log.txt"], b"duringafter")

    def test_recover(self):
        for number in (1, 2, 3, 5, 17, 42):
            for boot in ("", "journal=False", "fs='littlefs'"):
                with self.subTest(number=number, boot=boot):
                    self.update(number, self.FAIL, boot)

    def test_a_transaction_undone(self):
        for number in (1, 2, 3, 5, 17, 42):
            with self.subTest(number=number):
                self.update(number, self.UNDO)

    def test_nothing_to_recover(self):
        with self.subTest():
            self.update(3, "logged('during')\n        print('=>', sdboot.recover())")


if __name__ == "__main__":
    unittest.main()
