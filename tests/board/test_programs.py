# SPDX-License-Identifier: MIT
"""Programs that run on plain FatFs run on the journal, on cards as everybody formats them.

A database that flushes after each put, after 10, 100 or 200; a recording of 40 MB; 330 MB deleted;
400 KB written over, in place and anew; a file copied onto itself as mpremote does it; a release of
12 MiB. Each is a test of its own on each card that it fits on. `make test` takes one in STRIDE, PROGRAMS=all in the
environment (`make programs`) all of them. Images are sparse: a card of 32 GiB takes what is written.
"""

import os
import struct
import unittest

import cards
from rig import EMULATED, MIB, MTOOLS, BoardTest, blank, find_fat, run
from web import PythonServer, Site, package, release

GIB = 1 << 30
ALL = os.environ.get("PROGRAMS") == "all"
STRIDE = 17  # has no divisor in common with the numbers of programs and cards

# ---- programs: source, {file: its content afterwards, None: it is gone}, bytes that it needs

PAGE = 4096
PUTS = 5000
NUMBERS = """
def number(n):
    return (n * 1103515245 + 12345) & 0x7FFFFFFF

"""
exec(NUMBERS)


def database(every):
    """What a btree writes: a page in place for each put, the first page with each flush."""
    source = NUMBERS + """
n, page = 1, bytearray(%d)
with open("/db", "w+b") as f:
    f.write(page)
    for i in range(%d):
        n = number(n)
        page[:4] = i.to_bytes(4, "little")
        f.seek((1 + (n >> 8) %% (1 + i // 100)) * len(page))
        f.write(page)
        if i %% %d == %d:
            f.seek(0)
            f.write(page)
            f.flush()
""" % (PAGE, PUTS, every, every - 1)
    n, pages = 1, {0: 0}
    for i in range(PUTS):
        n = number(n)  # noqa: F821
        pages[1 + (n >> 8) % (1 + i // 100)] = i
        if i % every == every - 1:
            pages[0] = i
    assert sorted(pages) == list(range(len(pages))), "a page that nobody writes has any content"
    return source, {"db": b"".join(struct.pack("<I", pages[k]).ljust(PAGE, b"\0") for k in sorted(pages))}, MIB


def pattern(size, seed=0):
    block = bytes((i * 7 + seed) & 0xFF for i in range(4096))
    return (block * (size // 4096 + 1))[:size]


BLOCK = "block = bytes((i * 7 + %d) & 0xFF for i in range(4096))\n"
WRITE = BLOCK + """
with open("/%s", "%s") as f:
    left = %d
    while left:
        left -= f.write(block if left >= 4096 else block[:left])
"""
REMOVAL = """
import os
with open("/big", "wb") as f:
    f.seek(%d)
    f.write(b"end")
os.remove("/big")
with open("/after", "wb") as f:
    f.write(b"goes on")
"""
# What mpremote cp types: pieces of 256 bytes.
COPY = """
for i in range(2):
    f = open("/font", "wb")
    w = f.write
    for at in range(0, %d, 256):
        w(bytes((at + k & 0xFFF) * 7 & 0xFF for k in range(256)))
    f.close()
"""
FONT = 100 * 1024
OVER = 400 * 1000
PROGRAMS = {
    "database_each": database(1),
    "database_10": database(10),
    "database_100": database(100),
    "database_200": database(200),
    "recording": (WRITE % (5, "rec.wav", "wb", 40 * MIB), {"rec.wav": pattern(40 * MIB, 5)}, 41 * MIB),
    "removal": (REMOVAL % (330 * MIB), {"big": None, "after": b"goes on"}, 332 * MIB),
    "overwritten": (
        WRITE % (1, "f", "wb", OVER) + WRITE % (2, "f", "r+b", OVER) + WRITE % (3, "f", "wb", OVER),
        {"f": pattern(OVER, 3)},
        2 * MIB,
    ),
    "overwritten_in_place": (
        WRITE % (1, "f", "wb", OVER) + WRITE % (2, "f", "r+b", OVER),
        {"f": pattern(OVER, 2)},
        2 * MIB,
    ),
    "copy": (COPY % FONT, {"font": pattern(FONT)}, MIB),
    "release": (None, {"app/big.bin": pattern(12 * MIB, 9)}, 27 * MIB),
}

# ---- cards


def cluster_of(size, table):
    return next(sectors for most, sectors in table if size <= most)


WINDOWS_16 = ((64 * MIB, 2), (128 * MIB, 4), (256 * MIB, 8), (512 * MIB, 16), (GIB, 32), (2 * GIB, 64))
WINDOWS_32 = ((64 * MIB, 1), (128 * MIB, 2), (256 * MIB, 4), (8 * GIB, 8), (16 * GIB, 16), (32 * GIB, 32))
MACOS_32 = ((64 * MIB, 1), (128 * MIB, 2), (256 * MIB, 4), (8 * GIB, 8), (16 * GIB, 16), (64 * GIB, 32))


def by_sdboot(test, size):
    test.blank_card(size)
    test.power()


def by_micropython(test, size):
    cards.micropython_fat(test.dir, test.card, size)


def by_mkfs(test, size):
    blank(test.card, size)
    run("mkfs.fat", test.card)


def partition(test, size, bits, start, *options):
    blank(test.card, size)
    cards.mbr(test.card, start, bits)
    where = ("--offset", start, "-h", start, test.card, (size - start * 512) // 1024)
    run("mkfs.fat", "-F", bits, *options, *where)


def by_windows(test, size):
    """format without options: FAT up to 2 GiB, two tables; the data begin at a multiple of 1 MiB."""
    bits, table = (16, WINDOWS_16) if size <= 2 * GIB else (32, WINDOWS_32)
    partition(test, size, bits, 2048 if size <= 4 * GIB else 8192, "-s", cluster_of(size, table))


def by_macos(test, size):
    """diskutil's "MS-DOS (FAT32)": 32 reserved sectors, two tables, nothing aligned."""
    partition(test, size, 32, 2, "-a", "-s", cluster_of(size, MACOS_32))


def by_factory(test, size):
    """The SD association's: FAT32, 32 KiB clusters, from 4 MiB on."""
    partition(test, size, 32 if size > 2 * GIB else 16, 8192, "-s", 64 if size > GIB else 32)


def by_the_smallest(test, size):
    """Clusters of a sector."""
    partition(test, size, 32, 63, "-s", 1)


FORMATS = {
    "sdboot": (by_sdboot, (64 * MIB, GIB, 8 * GIB, 32 * GIB)),
    "micropython": (by_micropython, (64 * MIB, GIB, 8 * GIB, 32 * GIB)),
    "mkfs": (by_mkfs, (64 * MIB, GIB, 8 * GIB, 32 * GIB)),
    "windows": (by_windows, (64 * MIB, GIB, 8 * GIB, 32 * GIB)),
    "macos": (by_macos, (64 * MIB, GIB, 8 * GIB, 32 * GIB)),
    "factory": (by_factory, (512 * MIB, 2 * GIB, 32 * GIB)),
    "smallest": (by_the_smallest, (64 * MIB, 512 * MIB)),
}


class Programs(BoardTest):
    def content(self, name):
        """A file as a PC reads it; None: there is none."""
        target = self.dir / "found"
        image = "%s@@%d" % (self.card, find_fat(self.card) * 512)
        try:
            run("mcopy", "-n", "-o", "-i", image, "::/" + name, target, env=MTOOLS)
        except RuntimeError as e:
            self.assertIn("not found", str(e))
            return None
        return target.read_bytes()

    def update(self, files):
        site = Site(self.dir / "www")
        new = {**release("0.0.2"), **files}
        self.put(release("0.0.1"))
        site.add("0.0.2", package(new))
        with PythonServer(site.folder) as url:
            self.assertEqual(self.ota(url).results, ["True"])
        self.assertIn("release 0.0.2 runs", self.power().out)

    def program(self, make, size, name):
        source, files, _ = PROGRAMS[name]
        make(self, size)
        r = self.power(job="print('=>', sdboot.status()['journal'])\n")  # makes the journal
        self.assertEqual(r.results, ["on"], r.out)
        if source is None:
            self.update(files)
        else:
            r = self.power(job="def program():\n" + indented(source) + "attempt(program)\n")
            self.assertEqual((r.results, r.errors), (["None"], []), r.out)
        for path, data in files.items():
            self.assertTrue(self.content(path) == data, path)


def indented(source):
    return "".join(" " + line + "\n" for line in source.splitlines())


def add_tests():
    cases = [
        (how, size, name)
        for how, (_, sizes) in FORMATS.items()
        for size in sizes
        for name, (_, _, needs) in PROGRAMS.items()
        if needs < size * 9 // 10 and not (EMULATED and size > GIB)
    ]
    for how, size, name in cases if ALL else cases[::STRIDE]:
        label = "%d_GiB" % (size // GIB) if size >= GIB else "%d_MiB" % (size // MIB)

        def test(self, make=FORMATS[how][0], size=size, name=name):
            self.program(make, size, name)

        setattr(Programs, "test_%s_%s_%s" % (how, label, name), test)


add_tests()

if __name__ == "__main__":
    unittest.main()
