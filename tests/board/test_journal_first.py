# SPDX-License-Identifier: MIT
"""The first boot with a card that others have formatted: the journal finds its place."""

import unittest

import cards
from cutting import STATUS, CutTest
from rig import MIB, BoardTest, digest, find_fat, read_sector, run, write_at

MAIN = b"print('main runs')\n"
FILES = {
    "main.py": MAIN,
    "app/.version": b"1.2.3\n",
    "app/a long name, with spaces.txt": bytes(range(256)) * 40,
    "photos/one.jpg": b"\xff\xd8" * 9000,
    "empty.txt": b"",
}
PLAIN = """
import machine, vfs
vfs.umount("/")
vfs.mount(vfs.VfsFat(machine.SDCard(slot=1, width=1)), "/")
"""


def make(board, bits, fats=2, start=None, size=None, files=FILES):
    size = size or {12: 4, 16: 16, 32: 44}[bits] * MIB
    cards.fat(board.card, bits, start, size, ("-f", fats))
    if files:
        board.put(files)


def shapes():
    for bits in (16, 32):
        for fats in (1, 2):
            for start in (None, 2048):
                yield {"bits": bits, "fats": fats, "start": start}


class FirstBoot(BoardTest):
    def first(self, journal="on", files=FILES):
        """The first power-on; then the second one has nothing to do."""
        r = self.power(job=STATUS)
        self.assertIn("main runs", r.out)
        self.assertEqual(r.results, [journal], r.out)
        self.assertFiles(files)
        before = digest(self.card)
        again = self.power()
        self.assertUntouched(before)
        self.assertEqual(again.stats["card_write_commands"], 0)
        return again

    def mounting(self):
        """Sectors read by a board that just mounts the card and runs its main.py."""
        flash = self.dir / "plain.flash"
        self.make_flash(flash, PLAIN)
        r = self.power_flash(flash)
        self.assertIn("main runs", r.out)
        return r.stats["card_read_sectors"]

    def test_shapes(self):
        for shape in shapes():
            with self.subTest(**shape):
                make(self, **shape)
                r = self.first()
                beyond = r.stats["card_read_sectors"] - self.mounting()
                self.assertLessEqual(beyond, 16)
                # The larger of gap and file: 1920 sectors of gap, a 32nd of the volume.
                size = len(self.files(ours=True).get(".sdboot/journal", b"")) // 512
                if shape["start"]:
                    self.assertEqual(size, 0)
                else:
                    self.assertIn(size, range(512, 2048))

    def test_our_own(self):
        self.fat_card(FILES, 64 * MIB)
        r = self.first()
        self.assertLessEqual(r.stats["card_read_sectors"] - self.mounting(), 16)

    def test_formatted_by_micropython(self):
        cards.micropython_fat(self.dir, self.card, 16 * MIB, FILES)
        self.first()

    def test_fat12_with_gap(self):
        make(self, 12, start=64)
        self.first()

    def test_fat12_without_gap(self):
        make(self, 12)
        before = digest(self.card)
        self.first("off: no room for it")
        self.assertUntouched(before)

    def test_small_gaps(self):
        # The gap is used if it is larger than a file may be, which is told by whether there is one.
        for start, in_gap in ((1, False), (32, False), (63, False), (512, False), (1024, True)):
            with self.subTest(start=start):
                make(self, 16, start=start)
                self.first()
                self.assertEqual(".sdboot/journal" not in self.files(ours=True), in_gap)

    def test_something_in_the_gap(self):
        # A boot loader's second stage lies there; the run behind it is taken, or a file.
        for first, last in ((1, 61), (1, 1200), (1, 1500), (1, 2047)):
            with self.subTest(last=last):
                make(self, 16, start=2048)
                loader = b"loader! " * 64 * (last - first + 1)
                write_at(self.card, first * 512, loader)
                self.first()
                self.assertEqual(read_sector(self.card, first, last - first + 1), loader)
                self.assertEqual(".sdboot/journal" in self.files(ours=True), last > 1300)

    def free(self):
        """Bytes free on the card, as a PC counts them."""
        lines = run("mdir", "-i", self.image(), "::/").splitlines()
        line = next(line for line in lines if "bytes free" in line)
        return int("".join(c for c in line if c.isdigit()))

    def fill(self):
        """Fills the card up to the last cluster as a PC does; returns the files."""
        files = {**FILES, "fill": b"\x55" * self.free()}
        self.put({"fill": files["fill"]})
        self.assertEqual(self.free(), 0)
        return files

    def image(self):
        return "%s@@%d" % (self.card, find_fat(self.card) * 512)

    def test_full_card(self):
        for bits in (16, 32):
            with self.subTest(bits=bits):
                make(self, bits)
                files = self.fill()
                before = digest(self.card)
                self.first("off: no room for it", files)
                self.assertUntouched(before)
                # When there is room again the journal comes by itself.
                run("mdel", "-i", self.image(), "::/fill")
                self.first()

    def test_no_64_kib_in_one_piece(self):
        make(self, 16)
        names = ["f%03d" % i for i in range(120)]
        files = {name: b"x" * 60000 for name in names}
        self.put(files)
        files = {**files, **self.fill()}
        for name in names[::2]:
            run("mdel", "-i", self.image(), "::/" + name)
            del files[name]
        r = self.power(job=STATUS)
        self.assertEqual(r.results, ["off: no room for it"])
        self.assertFiles(files)

    def test_our_names_are_taken(self):
        for name in (".sdboot", ".sdboot/journal/x"):
            with self.subTest(name=name):
                make(self, 16)
                self.put({name: b"mine"})
                r = self.power(job=STATUS)
                self.assertIn("main runs", r.out)
                self.assertIn("off: ", r.results[0])
                self.assertEqual(self.files(ours=True)[name], b"mine")

    def test_removed_on_a_pc(self):
        make(self, 16)
        self.first()
        for command in (("mdel", "::/.sdboot/journal"), ("mdeltree", "::/.sdboot")):
            with self.subTest(command=command):
                run(command[0], "-i", self.image(), command[1])
                self.put({"new": b"n" * 100000})
                self.first(files={**FILES, "new": b"n" * 100000})
                run("mdel", "-i", self.image(), "::/new")

    def test_moved_on_a_pc(self):
        # A backup brought back: the pointer in sector 0 leads to another file's clusters.
        make(self, 16)
        self.first()
        run("mdeltree", "-i", self.image(), "::/.sdboot")
        self.put({"new": b"n" * 200000})
        self.put({".sdboot/journal": bytes(65536)})
        self.first(files={**FILES, "new": b"n" * 200000})

    def test_read_only(self):
        for shape in ({"bits": 16}, {"bits": 32}, {"bits": 16, "start": 2048}):
            with self.subTest(**shape):
                make(self, **shape)
                before = digest(self.card)
                r = self.power("--card-ro", job=STATUS)
                self.assertIn("main runs", r.out)
                self.assertIn("off: ", r.results[0])
                self.assertUntouched(before)
                self.first()
                # With a journal on it, it still boots, and writing is an error.
                before = digest(self.card)
                job = "attempt(put)\nattempt(sdboot.recover)\n" + STATUS
                job = "def put():\n    with open('/x', 'w') as f: f.write('x')\n" + job
                r = self.power("--card-ro", job=job)
                self.assertIn("main runs", r.out)
                self.assertTrue(r.errors[0].startswith("OSError 5"), r.errors)
                self.assertEqual(r.results, ["True", "on"])
                self.assertUntouched(before)

    def test_status_tells_why(self):
        # Not just a number.
        make(self, 16)
        r = self.power("--card-ro", job=STATUS)
        self.assertNotRegex(r.results[0], r"\d")


class FirstBootCut(CutTest):
    """Power fails at each write of the first boot: the next one comes up and is complete."""

    def cuts(self, shape, every, torn=False):
        make(self, **shape)
        flash = self.flash("boot", job=STATUS)

        def judge(board, _):
            r = board.power_flash(flash)
            board.assertIn("main runs", r.out)
            board.assertIn(r.results, (["on"], ["on, replayed at boot"]), r.out)
            board.assertFiles(FILES)

        return self.cut(flash, judge, every, torn, recovery=flash)

    def blank_cuts(self, fill, every, torn=False):
        self.blank_card(fill=fill)
        flash = self.flash("boot", job=STATUS)

        def judge(board, run):
            r = board.power_flash(flash)
            board.assertIn(r.results, (["on"], ["on, replayed at boot"]), r.out)
            board.assertEqual(board.files(), {})

        return self.cut(flash, judge, every, torn)

    def test_blank_card(self):
        # Formatting, cut anywhere, leaves a card that is formatted again.
        self.blank_cuts(b"\0", 41)

    def test_erased_card_torn_sector(self):
        self.blank_cuts(b"\xff", 61, torn=True)

    def test_every_write(self):
        for shape in shapes():
            with self.subTest(**shape):
                self.cuts(shape, 29 if shape["start"] is None else 7)

    def test_torn_sector(self):
        for shape in shapes():
            with self.subTest(**shape):
                self.cuts(shape, 29 if shape["start"] is None else 7, torn=True)

    def test_fat12_with_gap(self):
        self.cuts({"bits": 12, "start": 64}, 3)


if __name__ == "__main__":
    unittest.main()
