# SPDX-License-Identifier: MIT
"""Every call of the API with little memory left, in one piece or in many: it works, or raises MemoryError
or an OSError that says ENOMEM; nothing is lost, and once there is memory again the same call works.

`make memory` runs all of it, `make test` some.
"""

import unittest
from concurrent.futures import ThreadPoolExecutor

from cutting import EXHAUSTIVE
from rig import EMULATED, HASTY, BoardTest
from web import PythonServer, Site, package

APP = {
    "app/.version": b"0.0.1",
    "app/code.py": b"x = 1\n" * 300,
    "main.py": b"",
    "keep.txt": b"kept" * 1000,
    "log.txt": b"",
}
NEW = {"app/.version": b"0.0.2", "app/code.py": b"x = 2\n" * 400, "app/more.py": b"y = 3\n", "main.py": b"# 2\n"}
SIZES = (65536, 32768, 24576, 16384, 12288, 8192, 6144, 4096, 3072, 2048)

# squeeze(n, pieces) leaves n bytes free. What it holds is a list of lists that relax() takes apart:
# of a chain that is only let go, the collector keeps all behind a word on the stack that looks like a
# pointer into it.
SQUEEZE = """
import gc
held = None
def fill():
    global held
    for size in (8192, 1024, 128, 16):
        try:
            while True:
                held = [bytearray(size), held]
        except MemoryError:
            pass

def squeeze(n, pieces):
    global held
    gc.collect()
    if pieces:
        free = []
        for i in range(n // 160):
            free.append(bytearray(160))
            held = [bytearray(16), held]
    else:
        free = bytearray(n)
    fill()
    free = None
    gc.collect()

def relax():
    global held
    while held:
        rest = held[1]
        held.clear()
        held = rest
    gc.collect()

def tried(call):
    # What came of it, in as little memory as can be.
    try:
        return call()
    except MemoryError:
        return "no memory"
    except OSError as e:
        return "no memory" if e.errno == 12 else e
"""
JOB = """
%s
class Oops(Exception):
    pass
def append():
    with open("/log.txt", "a") as f:
        f.write("line")
    return "appended"
def write():
    with open("/new.txt", "w") as f:
        f.write("new" * 1000)
    return open("/new.txt").read(4)
def transaction():
    with sdboot.transaction():
        with open("/a.txt", "w") as f:
            f.write("a")
        with open("/b.txt", "w") as f:
            f.write("b")
    return "both"
def undone():
    try:
        with sdboot.transaction():
            with open("/a.txt", "w") as f:
                f.write("wrong")
            raise Oops
    except Oops:
        return "undone"
def status():
    return sdboot.status()["version"]
def ota():
    return sdboot.OTA(URL).install_update_if_available()
def check():
    return sdboot.OTA(URL).check().version
call = %s
squeeze(%d, %r)
first = tried(call)
relax()
print("=>", first)
second = tried(call)
print("=>", second)
print("=>", len(open("/keep.txt").read()), append())
"""
CALLS = {
    "status": "0.0.1",
    "sdboot.version": "0.0.1",
    "sdboot.confirm": "False",
    "sdboot.recover": "False",
    "sdboot.verify": None,
    "sdboot.rollback": None,
    "append": "appended",
    "write": "newn",
    "transaction": "both",
    "undone": "undone",
    "check": "0.0.2",
    "ota": "True",
}


@unittest.skipIf(EMULATED, "too slow there")
class Heap(BoardTest):
    def setUp(self):
        super().setUp()
        site = Site(self.dir / "www")
        site.add("0.0.2", package(NEW))
        self.url = self.enterContext(PythonServer(site.folder))

    def one(self, call, want, size, pieces):
        name = "%s-%d-%s" % (call, size, pieces)
        board = Heap("run")
        board.dir = self.dir / name
        board.dir.mkdir()
        board.card = board.dir / "card.img"
        board.fat_card(APP)
        before = HASTY + SQUEEZE + "URL = %r\n" % self.url
        r = board.power("--heap", "256K", before=before, job=JOB % ("", call, size, pieces))
        said = "%s\n%s%s" % (name, r.out, r.err)
        self.assertEqual(len(r.results), 3, said)
        first, second, rest = r.results
        if want is None:  # there is nothing to verify, to go back to: an error, and the same one
            self.assertIn(first, ("no memory", second), said)
            self.assertNotEqual(second, "no memory", said)
        else:
            self.assertIn(first, ("no memory", want), said)
            self.assertEqual(second, want, said)
        self.assertEqual(rest, "4000 appended", said)
        # Nothing that was there is lost, and what was said to be done is.
        files = board.files()
        self.assertEqual(files["keep.txt"], APP["keep.txt"], said)
        self.assertTrue(files["log.txt"].endswith(b"line"), said)
        if call in ("transaction", "undone"):
            self.assertEqual("b.txt" in files, call == "transaction", said)
            self.assertEqual("a.txt" in files, call == "transaction", said)
        again = board.power(job="attempt(lambda: (sdboot.status()['version'], sdboot.verify() if %r else 0))" % (call == "ota"))
        self.assertEqual(again.results, ["('0.0.2', [])" if call == "ota" else "('0.0.1', 0)"], said + again.out)
        return first == "no memory"

    def matrix(self, sizes, pieces):
        cases = [(c, want, n, pieces) for c, want in CALLS.items() for n in sizes]
        with ThreadPoolExecutor(2) as pool:
            jobs = [(case, pool.submit(self.one, *case)) for case in cases]
            short = 0
            for case, job in jobs:
                with self.subTest(case=case):
                    short += job.result()
        self.assertGreater(short, 0, "memory was never short")

    def test_in_one_piece(self):
        self.matrix(SIZES if EXHAUSTIVE else (16384, 4096, 2048), False)

    def test_in_pieces(self):
        self.matrix(SIZES if EXHAUSTIVE else (8192,), True)


if __name__ == "__main__":
    unittest.main()
