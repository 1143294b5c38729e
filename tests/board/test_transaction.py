# SPDX-License-Identifier: MIT
"""`with sdboot.transaction():` all or nothing, and files as if nothing had been after an abort."""

import unittest

import cards
from cutting import CutTest
from rig import MIB, BoardTest

FILES = {
    "main.py": b"print('main runs')\n",
    "config.json": b'{"a": 1}\n' * 50,
    "table.csv": b"1,2,3\n" * 2000,
    "dir/one.txt": b"1" * 700,
    "dir/two.txt": b"2" * 700,
}
TOOLS = """
import os
def put(name, data, mode="wb"):
    with open(name, mode) as f:
        f.write(data)
def same(name, piece, size):
    with open(name, "rb") as f:
        return all(f.read(4000) == piece * 4000 for _ in range(0, size, 4000)) and not f.read(1)
def get(name):
    with open(name, "rb") as f:
        return f.read()
"""
EVERYTHING = """
put("new.json", b"n" * 1500)
os.remove("config.json")
os.rename("new.json", "config.json")
put("table.csv", b"4,5,6\\n" * 200, "r+b")
os.mkdir("more")
for i in range(8): put("more/file %d with a long name.txt" % i, b"%d" % i * 600)
os.rename("dir/one.txt", "more/one.txt")
os.remove("dir/two.txt")
os.rmdir("dir")
"""


def changes():
    """What EVERYTHING does."""
    table = b"4,5,6\n" * 200 + FILES["table.csv"][1200:]
    made = {"more/file %d with a long name.txt" % i: b"%d" % i * 600 for i in range(8)}
    moved = {"more/one.txt": FILES["dir/one.txt"], "dir/one.txt": None, "dir/two.txt": None}
    return {"config.json": b"n" * 1500, "table.csv": table, **made, **moved}


def indented(text):
    return "\n".join("    " + line for line in text.strip("\n").splitlines()) + "\n"


class TransactionTest(CutTest):
    def setUp(self):
        super().setUp()
        self.fat_card(FILES, 64 * MIB)

    def work(self, job, files=FILES):
        """`job`, and another power-on finds `files`."""
        r = self.power(job=TOOLS + job)
        self.assertNotIn("Traceback", r.out)
        self.assertFiles(files)
        r2 = self.power(job="print('=>', sdboot.status()['journal'])")
        self.assertEqual(r2.results, ["on"])
        self.assertFiles(files)
        return r

    def after(self):
        return {k: v for k, v in {**FILES, **changes()}.items() if v is not None}


class Transaction(TransactionTest):
    def test_commit(self):
        self.work("with sdboot.transaction():\n" + indented(EVERYTHING), self.after())

    def test_several(self):
        job = "for i in range(5):\n with sdboot.transaction():\n"
        job += "  put('a', '%d' % i)\n  put('b', '%d' % i)\n"
        self.work(job, {**FILES, "a": b"4", "b": b"4"})

    def test_empty(self):
        r = self.work("with sdboot.transaction():\n    pass\n")
        self.assertEqual(r.stats["card_write_sectors"], 0)

    def test_nothing_is_written_before_the_end(self):
        # But free clusters, which nobody can see; so a reset in the middle undoes it.
        job = "with sdboot.transaction():\n" + indented(EVERYTHING) + "    machine.reset()\n"
        job = "import machine\nif machine.reset_cause() == machine.PWRON_RESET:\n" + indented(job)
        r = self.work(job)
        self.assertEqual(r.stats["resets_hard"], 1)

    def test_soft_reset_undoes(self):
        job = TOOLS + "t = sdboot.transaction()\nt.__enter__()\n" + EVERYTHING
        done = self.power(job="import machine\n", typed="exec(%r)\n\x04" % job)
        self.assertEqual(done.stats["resets_soft"], 1)
        self.assertFiles(FILES)

    def test_exception(self):
        for error in ("ValueError(1)", "OSError(2)", "KeyboardInterrupt()", "SystemExit()"):
            with self.subTest(error=error):
                job = """
def work():
    with sdboot.transaction():
%s
        raise %s
try:
    work()
except BaseException as e:
    print("=>", repr(e))
print("=>", sorted(os.listdir("/")), os.getcwd())
put("/later.txt", "works")
print("=>", get("/later.txt"), sdboot.status()["journal"], sdboot.recover())
os.remove("/later.txt")
"""
                r = self.work(job % (indented(indented(EVERYTHING)), error))
                name = error.split("(")[0]
                self.assertTrue(r.results[0].startswith(name), r.results)
                self.assertIn("'config.json', 'dir', 'flash', 'main.py', 'table.csv'", r.results[1])
                self.assertEqual(r.results[2], "b'works' on False")

    def test_earlier_flushes_stay(self):
        job = """
log = open("/log.txt", "ab")
log.write("before\\n")
log.flush()
try:
    with sdboot.transaction():
        put("/config.json", "gone")
        raise ValueError
except ValueError:
    pass
"""
        self.work(job, {**FILES, "log.txt": b"before\n"})

    def test_unflushed_data_of_before(self):
        # What is not flushed is nobody's promise; the file is closed or lost, never half.
        job = "log = open('/log.txt', 'ab')\nlog.write('x' * 3000)\nwith sdboot.transaction():\n"
        files = {**FILES, "log.txt": b"x" * 3000, "a": b"a"}
        self.work(job + "    put('/a', 'a')\nlog.close()\n", files)

    def test_open_files_after_an_abort(self):
        job = """
reader = open("/table.csv", "rb")
writer = open("/config.json", "r+b")
log = open("/log.txt", "ab")
reader.read(10)
writer.write("w")
try:
    with sdboot.transaction():
        log.write("never")
        raise ValueError
except ValueError as e:
    print("=>", repr(e))
attempt(reader.seek, 6000)
attempt(reader.read, 10)
attempt(writer.flush)
attempt(log.flush)
attempt(log.write, "x" * 2000)
for f in (reader, writer, log):
    try:
        f.close()
    except OSError:
        pass
del reader, writer, log, f
import gc
gc.collect()
attempt(lambda: len(get("/table.csv")))
"""
        r = self.work(job, {**FILES, "log.txt": b""})  # opening has made it
        self.assertEqual(r.results[0], "ValueError()")
        self.assertEqual(r.results[-1], "12000")
        self.assertEqual(len([e for e in r.errors if "open the file again" in e]), 5, r.out)  # each

    def test_forgotten_files_after_an_abort(self):
        # The collector closes them: they must not write into what is there now.
        job = """
def work():
    for i in range(5):
        f = open("/f%d" % i, "wb")
        f.write("x" * 5000)
    raise ValueError
try:
    with sdboot.transaction():
        work()
except ValueError:
    pass
import gc
put("/mine", b"m" * 3000)
for i in range(5):
    gc.collect()
    put("/mine%d" % i, b"%d" % i * 3000)
"""
        mine = {"mine%d" % i: b"%d" % i * 3000 for i in range(5)}
        self.work(job, {**FILES, "mine": b"m" * 3000, **mine})

    def test_nested(self):
        job = """
def inner():
    with sdboot.transaction():
        put("/inner", "i")
def work():
    with sdboot.transaction():
        put("/outer", "o")
        inner()
attempt(work)
attempt(lambda: put("/later", "l"))
"""
        r = self.work(job, {**FILES, "later": b"l"})
        self.assertIn("Error 16", r.errors[0])
        self.assertIn("can't be nested", r.errors[0])
        self.assertIn("transaction", r.errors[0])

    def test_nested_and_caught(self):
        # The outer one goes on.
        job = """
with sdboot.transaction():
    put("/outer", "o")
    try:
        with sdboot.transaction():
            put("/inner", "i")
    except OSError as e:
        print("=>", e.errno)
    put("/outer2", "o")
"""
        r = self.work(job, {**FILES, "outer": b"o", "outer2": b"o"})
        self.assertEqual(r.results, ["16"])

    def test_status_within(self):
        job = "with sdboot.transaction():\n    put('/a', 'a')\n    attempt(sdboot.status)\n"
        r = self.work(job, {**FILES, "a": b"a"})
        self.assertIn("'journal': 'on'", r.results[0])

    def test_in_a_directory(self):
        # The working directory outlives the remount.
        job = """
os.chdir("/dir")
try:
    with sdboot.transaction():
        put("one.txt", "x")
        raise ValueError
except ValueError:
    pass
print("=>", os.getcwd(), get("one.txt") == b"1" * 700)
try:
    with sdboot.transaction():
        os.mkdir("/new")
        os.chdir("/new")
        raise ValueError
except ValueError:
    pass
print("=>", os.getcwd(), os.listdir("/"))
"""
        r = self.work(job)
        self.assertEqual(r.results[0], "/dir True")
        self.assertIn("'config.json'", r.results[1])

    def test_without_a_journal(self):
        r = self.power(boot="journal=False", job="attempt(sdboot.transaction)")
        self.assertIn("Error 22 transactions need FAT with its journal", r.errors[0])
        self.littlefs_card(FILES)
        r = self.power(job="attempt(sdboot.transaction)")
        self.assertIn("Error 22 transactions need FAT with its journal", r.errors[0])
        self.card = None
        self.assertEqual(len(self.power(job="attempt(sdboot.transaction)").errors), 1)

    def test_pin_low(self):
        job = """
try:
    with sdboot.transaction():
        put("/sd/config.json", "x")
        raise ValueError
except ValueError:
    pass
with sdboot.transaction():
    put("/sd/a", "a")
"""
        self.power("--pin", "18=0", job=TOOLS + job)
        self.assertFiles({**FILES, "a": b"a"})


class TooBig(BoardTest):
    """More than the journal holds: an error, and everything is as it was."""

    BIG = {**FILES, "big.bin": b"b" * 5000000}

    def full(self, job, small, files=BIG):
        r = self.power(job=TOOLS + job)
        self.assertEqual(len(r.errors), 1, r.out)
        self.assertRegex(r.errors[0], r"^\w*Error 28 .*(transaction|recover)")
        self.assertEqual(r.results, small, r.out)
        self.assertFiles(files)
        r = self.power(job="print('=>', sdboot.status()['journal'])")
        self.assertEqual(r.results, ["on"])
        self.assertFiles(files)

    def shapes(self):
        yield lambda: self.fat_card(self.BIG, 64 * MIB)
        yield lambda: cards.fat(self.card, 16, size=16 * MIB) or self.put(self.BIG)
        yield lambda: cards.fat(self.card, 32, 2048, 44 * MIB) or self.put(self.BIG)

    def test_overwrite_in_place(self):
        # Outside of a transaction as much as one likes.
        job = """
def work():
    with open("/big.bin", "r+b") as f:
        for i in range(1250):
            f.write(b"X" * 4000)
attempt(work)
print("=>", sdboot.status()["journal"])
attempt(sdboot.recover)
put("/later", "works")
"""
        for make in self.shapes():
            make()
            r = self.power(job=TOOLS + job)
            self.assertEqual(r.errors, [], r.out)
            self.assertEqual(r.results, ["None", "on", "False"], r.out)
            self.assertFiles({**FILES, "big.bin": b"X" * 5000000, "later": b"works"})

    def test_transaction(self):
        job = """
def work():
    with sdboot.transaction():
        put("/config.json", "gone")
        with open("/big.bin", "r+b") as f:
            for i in range(1250):
                f.write(b"X" * 4000)
attempt(work)
print("=>", sdboot.status()["journal"], sdboot.recover())
print("=>", same("/big.bin", b"b", 5000000))
put("/later", "works")
"""
        for make in self.shapes():
            make()
            self.full(job, ["on False", "True"], {**self.BIG, "later": b"works"})

    def test_swallowed(self):
        # An application that ignores the error gets it again at the end.
        job = """
def work():
    with sdboot.transaction():
        put("/config.json", "gone")
        try:
            with open("/big.bin", "r+b") as f:
                for i in range(1250):
                    f.write(b"X" * 4000)
        except OSError:
            print("=> caught")
attempt(work)
print("=>", sdboot.status()["journal"])
"""
        for make in self.shapes():
            make()
            self.full(job, ["caught", "on"])

    def test_new_files_do_not_count(self):
        for make in self.shapes():
            make()
            job = "with sdboot.transaction():\n"
            job += "    for i in range(50): put('/n%d' % i, b'n' * 20000)\n"
            self.power(job=TOOLS + job)
            self.assertFiles({**self.BIG, **{"n%d" % i: b"n" * 20000 for i in range(50)}})

    def test_power_cut_instead_of_recover(self):
        job = """
t = sdboot.transaction()
def work():
    t.__enter__()
    with open("/big.bin", "r+b") as f:
        for i in range(1250):
            f.write(b"X" * 4000)
attempt(work)
attempt(put, "/later", "x")
attempt(os.remove, "/config.json")
"""
        for make in self.shapes():
            make()
            r = self.power(job=TOOLS + job)
            self.assertEqual(len(r.errors), 3)
            self.assertFiles(self.BIG)


if __name__ == "__main__":
    unittest.main()
