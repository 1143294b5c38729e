# SPDX-License-Identifier: MIT
"""Cards whose first sectors are damaged or changed, and control areas of an earlier sdboot."""

import random
import unittest

import cards
import oldarea
from cutting import CutTest
from rig import MIB, BoardTest, digest, read_sector, run, write_at

FILES = {
    "main.py": b"print('main runs')\n",
    "app/.version": b"1.2.3\n",
    "photos/one.jpg": b"\xff\xd8" * 9000,
}
RESTORED = "sdboot: the first sectors of the SD card were damaged and have been restored from copies"
REPLACED = "sdboot: the journal of an older version on the SD card has been replaced"
STATUS = "s = sdboot.status()\nprint('=>', s['journal'], s['bad'])\n"
# (type, FATs, first sector of the volume)
SHAPES = (
    *((16, 1, None), (16, 2, None), (32, 2, None)),
    *((16, 2, 63), (32, 1, 63), (16, 2, 8192), (32, 2, 8192)),
)


class AreaTest(BoardTest):
    def start_card(self, bits, fats, start, size=None):
        cards.fat(self.card, bits, start, size or {16: 16, 32: 44}[bits] * MIB, ("-f", fats))
        self.put(FILES)


class Damage(AreaTest):
    def works(self, said=True):
        """The damaged card boots with its files and journal; the next boot has nothing to do."""
        r = self.power(job=STATUS)
        self.assertIn("main runs", r.out)
        self.assertEqual(RESTORED in r.out, said, r.out)
        self.assertEqual(r.results, ["on None"], r.out)
        self.assertFiles(FILES)
        before = digest(self.card)
        r = self.power()
        self.assertNotIn(RESTORED, r.out)
        self.assertUntouched(before)

    def flip(self, sector, bit):
        data = bytearray(read_sector(self.card, sector))
        data[bit // 8] ^= 1 << bit % 8
        write_at(self.card, sector * 512, bytes(data))

    def test_erased(self):
        for bits, fats, start in SHAPES:
            with self.subTest(bits=bits, fats=fats, start=start):
                self.start_card(bits, fats, start)
                self.power()
                lost = (bits, fats, start) == (16, 1, None)
                for fill in (b"\0", b"\xff"):
                    write_at(self.card, 0, fill * 512)
                    self.works()
                    if not lost:
                        write_at(self.card, 0, fill * 4096)
                        self.works()
                    write_at(self.card, (start or 0) * 512, fill * 512)
                    self.works()

    def test_garbage(self):
        for i, shape in enumerate(SHAPES):
            with self.subTest(shape=shape):
                self.start_card(*shape)
                self.power()
                write_at(self.card, 0, random.Random(i).randbytes(512))
                self.works()

    def test_flipped_bits(self):
        # All of them in tests/unit; here some that lead elsewhere, or nowhere.
        for bits, fats, start in SHAPES:
            with self.subTest(bits=bits, fats=fats, start=start):
                self.start_card(bits, fats, start)
                self.power()
                kind = (82 if bits == 32 else 54) * 8  # of its type string
                for bit in (11 * 8 + 1, 13 * 8, 14 * 8 + 2, 16 * 8, 16 * 8 + 2, kind, 510 * 8 + 3):
                    self.flip(start or 0, bit)
                    self.works()
                self.flip(0, 388 * 8)  # the pointer
                self.works()
                if start:
                    self.flip(0, 454 * 8 + 4)
                    self.works()

    def test_too_much_is_lost(self):
        # The only FAT begins in the first 4 KiB.
        self.start_card(16, 1, None)
        self.power()
        write_at(self.card, 0, bytes(4096))
        before = digest(self.card)
        r = self.power("--max-resets", "1")
        self.assertIn("it was left as it is", r.out)
        self.assertIn("first sectors of the SD card are lost", r.out)
        self.assertUntouched(before)
        self.assertIn("formatting it", self.power(boot="format='any'").out)

    def test_changed_on_a_pc(self):
        for bits, fats, start in SHAPES:
            with self.subTest(bits=bits, fats=fats, start=start):
                self.start_card(bits, fats, start)
                self.power()
                volume = "%s@@%d" % (self.card, (start or 0) * 512)
                run("mlabel", "-i", volume, "::NEWLABEL")
                boot = read_sector(self.card, start or 0)
                self.works(said=False)
                self.assertEqual(read_sector(self.card, start or 0), boot)
                if (bits, start) != (16, None):
                    # What is put back from now on is what the PC has made of it.
                    write_at(self.card, (start or 0) * 512, bytes(512))
                    self.works()
                    self.assertEqual(read_sector(self.card, start or 0), boot)

    def test_formatted_on_a_pc(self):
        # The area in the gap outlives that; what it knows of the old volume is forgotten.
        self.start_card(32, 2, 8192, 80 * MIB)
        self.power()
        size = (80 * MIB - 8192 * 512) // 1024
        run("mkfs.fat", "-F", 16, "--offset", 8192, "-h", 8192, self.card, size)
        self.put(FILES)
        boot = read_sector(self.card, 8192)
        self.works(said=False)
        self.assertEqual(read_sector(self.card, 8192), boot)
        write_at(self.card, 8192 * 512, b"\xff" * 512)
        self.works()
        self.assertEqual(read_sector(self.card, 8192), boot)

    def test_partitions_deleted_on_a_pc(self):
        self.start_card(16, 2, 8192)
        self.power()
        write_at(self.card, 446, bytes(64))
        before = digest(self.card)
        r = self.power()
        self.assertNotIn(RESTORED, r.out)
        self.assertNotIn("formatting it", r.out)
        self.assertUntouched(before)

    def test_blank_card_costs_no_search(self):
        self.blank_card(64 * MIB)
        self.assertLess(self.power(boot="format='never'").stats["card_read_sectors"], 6000)


class Old(CutTest, AreaTest):
    def old_area(self, start, commit=True):
        """Gives the card an area as an earlier sdboot did, with a record, and a commit of two
        sectors of photos/one.jpg that was cut off."""
        entry = (0, 0, 0)
        if start == 8192:
            lba, sectors = 128, 512
        elif start:
            lba, sectors = 1, start - 1
        else:
            self.put({".sdboot/journal": bytes(65536)})
            entry, sectors = oldarea.find_journal(self.card), 128
            lba = oldarea.cluster_lba(self.card, entry[2])
        with open(self.card, "rb") as f:
            photo = f.read().index(FILES["photos/one.jpg"][:512]) // 512
        new = bytes(range(256)) * 2
        homes = [(photo, new), (photo + 2, new)] if commit else []
        oldarea.make(self.card, lba, sectors, entry, commit=homes)
        data = bytearray(FILES["photos/one.jpg"])
        if commit:
            data[:512] = data[1024:1536] = new
        return {**FILES, "photos/one.jpg": bytes(data)}

    def test_taken_over(self):
        for bits, fats, start in SHAPES:
            with self.subTest(bits=bits, fats=fats, start=start):
                self.start_card(bits, fats, start)
                files = self.old_area(start)
                r = self.power(job=STATUS)
                self.assertIn(REPLACED, r.out)
                self.assertIn("main runs", r.out)
                self.assertEqual(r.results, ["on 9.9.9"])
                self.assertFiles(files)
                before = digest(self.card)
                self.assertEqual(self.power(job=STATUS).results, ["on 9.9.9"])
                self.assertUntouched(before)

    def test_cut_at_every_write(self):
        for bits, fats, start in SHAPES:
            with self.subTest(bits=bits, fats=fats, start=start):
                self.start_card(bits, fats, start)
                files = self.old_area(start)
                flash = self.flash("boot", job=STATUS)

                def judge(board, _, files=files):
                    r = board.power_flash(flash)
                    board.assertIn("main runs", r.out)
                    board.assertRegex(r.results[0], "^on(, replayed at boot)? 9.9.9$", r.out)
                    board.assertFiles(files)

                self.assertGreater(self.cut(flash, judge, 2, torn=bits == 32, recovery=flash), 4)

    def test_full_card(self):
        # Converted where it is.
        for start in (None, 63):
            self.start_card(16, 2, start)
            files = self.old_area(start, commit=False)
            lines = run("mdir", "-i", "%s@@%d" % (self.card, (start or 0) * 512), "::/")
            line = next(line for line in lines.splitlines() if "bytes free" in line)
            files["fill"] = b"\x55" * int("".join(c for c in line if c.isdigit()))
            self.put({"fill": files["fill"]})
            self.assertEqual(self.power(job=STATUS).results, ["on 9.9.9"])
            self.assertFiles(files)
            before = digest(self.card)
            self.assertEqual(self.power(job=STATUS).results, ["on 9.9.9"])
            self.assertUntouched(before)

    def test_read_only(self):
        for start in (None, 8192):
            self.start_card(16, 2, start)
            self.old_area(start, commit=False)
            before = digest(self.card)
            r = self.power("--card-ro", job=STATUS)
            self.assertIn("main runs", r.out)
            self.assertRegex(r.results[0], "^off: .* 9.9.9$")
            self.assertUntouched(before)

    def test_journal_not_wanted(self):
        # The record is where it was, and nothing is made.
        for start in (None, 63, 8192):
            self.start_card(16, 2, start)
            files = self.old_area(start)
            r = self.power(boot="journal=False", job=STATUS)
            self.assertEqual(r.results, ["off: not wanted 9.9.9"])
            self.assertFiles(files)
            self.assertNotIn(REPLACED, r.out)
            self.assertEqual(self.power(job=STATUS).results, ["on 9.9.9"])


if __name__ == "__main__":
    unittest.main()
