# SPDX-License-Identifier: MIT
"""Cards that sdboot takes as they are, and what it writes on blank ones."""

import struct
import unittest

import cards
from rig import EMULATED, MIB, BoardTest, digest, find_fat, read_sector, write_at

FILES = {
    "main.py": b"print('main runs')\n",
    "app/.version": b"1.2.3\n",
    "app/a rather long name.txt": b"text\r\n" * 200,
    "data/log.csv": bytes(range(256)) * 40,
}


UNKNOWN = "no known filesystem, but is not blank"
SIZES = {12: 7 * MIB, 16: 16 * MIB, 32: 44 * MIB}


class Accepted(BoardTest):
    """The card boots as it is, nothing on it changes but what sdboot says."""

    def boots(self, kind="FAT", journal="on"):
        for first in (True, False):
            r = self.power(job="attempt(lambda: sdboot.status()['journal'])")
            self.assertIn("sdboot: 1.2.3 on SD card, %s, " % kind, r.out)
            self.assertIn("\nmain runs\n", r.out)
            self.assertNotIn("formatting", r.out)
            self.assertEqual(r.results, [str(journal)])
            self.assertTrue(first or r.stats["card_write_sectors"] == 0)
            self.assertFiles(FILES)

    def made_by_mkfs(self, bits):
        for start in (None, 2048, 8192):
            for options in ((), ("-f", "1", "-a")):
                with self.subTest(start=start, options=options):
                    cards.fat(self.card, bits, start, SIZES[bits], options)
                    self.assertEqual(find_fat(self.card), start or 0)
                    self.put(FILES)
                    # FAT12 can have its journal before the first partition only.
                    self.boots(journal="on" if start or bits > 12 else "off: no room for it")

    def test_fat12(self):
        self.made_by_mkfs(12)

    def test_fat16(self):
        self.made_by_mkfs(16)

    def test_fat32(self):
        self.made_by_mkfs(32)

    def test_second_partition(self):
        cards.fat(self.card, 16, 8192, 16 * MIB)
        entry = read_sector(self.card, 0)[446:462]
        write_at(self.card, 446, bytes(16) + entry)
        self.put(FILES)
        self.boots()

    def test_micropython_fat16(self):
        cards.micropython_fat(self.dir, self.card, 12 * MIB, FILES)
        self.assertEqual(find_fat(self.card), 0)
        self.boots()

    @unittest.skipIf(EMULATED, "its cards end at 2 GiB")
    def test_micropython_fat32(self):
        cards.micropython_fat(self.dir, self.card, 4096 * MIB, FILES)
        self.assertEqual(find_fat(self.card), 63)
        self.boots()

    def test_littlefs(self):
        self.littlefs_card(FILES)
        self.boots("littlefs", None)


class Formatted(BoardTest):
    """Cards with nothing worth keeping."""

    def formats(self, was, boot="", kind="FAT"):
        r = self.power(boot=boot, job="f = open('/new', 'w'); f.write('kept'); f.close()")
        self.assertIn("sdboot: the SD card holds %s: formatting it as " % was, r.out)
        self.assertIn("sdboot: no release on SD card, %s, " % kind, r.out)
        self.assertFiles({"new": b"kept"})
        before = digest(self.card)
        again = self.power(boot=boot)
        self.assertNotIn("formatting", again.out)
        self.assertEqual(again.stats["card_write_sectors"], 0)
        self.assertUntouched(before)

    def test_zeros(self):
        for mib in (3, 8, 64, 300, 1024):
            with self.subTest(mib=mib):
                self.blank_card(mib * MIB)
                self.formats("nothing")

    def test_ff(self):
        self.blank_card(8 * MIB, b"\xff")
        self.formats("nothing")

    def test_littlefs(self):
        self.blank_card()
        self.formats("nothing", "fs='littlefs'", "littlefs")

    def test_empty_exfat(self):
        cards.exfat(self.card)
        self.formats("empty exFAT")

    def test_empty_exfat_in_a_partition(self):
        cards.exfat(self.card, start=8192)
        self.formats("empty exFAT")

    def test_any(self):
        for make, name in (
            (lambda: cards.exfat(self.card, ["holiday.jpg"]), "exFAT with files"),
            (lambda: cards.ntfs(self.card), "NTFS"),
            (lambda: cards.ext4(self.card), "ext2/3/4"),
            (lambda: cards.gpt(self.card), "GPT partitions"),
            (lambda: cards.garbage(self.card), UNKNOWN),
        ):
            with self.subTest(name):
                make()
                self.formats(name, "format='any'")
                make()
                self.formats(name, "fs='littlefs', format='any'", "littlefs")

    def test_any_keeps_what_can_be_used(self):
        cards.fat(self.card, 16, 2048)
        self.put(FILES)
        self.power(boot="format='any'")
        self.assertFiles(FILES)

    def test_partition_is_aligned(self):
        for mib, start, kind in ((8, 1024, 0x0E), (64, 8192, 0x0E), (1024, 8192, 0x0C)):
            with self.subTest(mib=mib):
                self.blank_card(mib * MIB)
                self.power()
                entry = read_sector(self.card, 0)[446:462]
                self.assertEqual(entry[4], kind)
                self.assertEqual(struct.unpack("<II", entry[8:]), (start, mib * 2048 - start))

    def test_too_small(self):
        self.blank_card(2 * MIB)
        r = self.power()
        self.assertIn("the SD card is too small for FAT: 3 MiB is the least", r.out)
        self.assertIn("staying on internal flash", r.out)


SAYS = 'fs is "fat" or "littlefs"'


class Refused(BoardTest):
    """Somebody's data: not a byte of it changes."""

    def refuses(self, name, boot="", call='sdboot.format("fat")'):
        before = digest(self.card)
        r = self.power(boot=boot, job="import os\nprint('=>', os.listdir('/'))")
        self.assertIn("sdboot: the SD card holds %s; it was left as it is." % name, r.out)
        self.assertIn("ALL DATA ON IT IS LOST: " + call, r.out)
        self.assertIn("sdboot: staying on internal flash", r.out)
        self.assertIn("boot.py", r.results[0])
        self.assertEqual(r.stats["card_write_sectors"], 0)
        self.assertUntouched(before)
        low = self.power("--pin", "18=0", boot=boot)
        self.assertIn("; it was left as it is.", low.out)
        self.assertUntouched(before)

    def test_exfat_with_files(self):
        cards.exfat(self.card, ["holiday.jpg"])
        self.refuses("exFAT with files")

    def test_exfat_with_many_files_in_a_partition(self):
        cards.exfat(self.card, ["%d-%s.jpg" % (i, "x" * 40) for i in range(2)], start=2048)
        self.refuses("exFAT with files")

    def test_ntfs(self):
        cards.ntfs(self.card)
        self.refuses("NTFS")

    def test_ext4(self):
        cards.ext4(self.card)
        self.refuses("ext2/3/4", "fs='littlefs'", 'sdboot.format("littlefs")')

    def test_ext4_in_a_partition(self):
        cards.ext4(self.card)
        volume = self.card.rename(self.dir / "volume")
        self.blank_card(9 * MIB)
        cards.embed(self.card, volume, 2048)
        cards.mbr(self.card, 2048, "ext4")
        self.refuses("ext2/3/4")

    def test_littlefs_in_a_partition(self):
        self.littlefs_card(FILES)
        volume = self.card.rename(self.dir / "volume")
        self.blank_card(9 * MIB)
        cards.embed(self.card, volume, 2048)
        cards.mbr(self.card, 2048, "littlefs", 8 * 2048)
        self.refuses("littlefs in a partition, sdboot wants it on the whole card")

    def test_gpt(self):
        cards.gpt(self.card)
        self.refuses("GPT partitions")

    def test_fat32_without_its_boot_sector(self):
        for start in (None, 2048):
            for wipe in (b"\0", b"\xff", b"x"):
                with self.subTest(start=start, wipe=wipe):
                    cards.fat(self.card, 32, start)
                    self.put(FILES)
                    write_at(self.card, (start or 0) * 512, wipe * 512)
                    if wipe == b"x":  # nobody knows what somebody wrote there
                        self.refuses("damaged FAT")
                        continue
                    # FAT32 has a backup of it.
                    r = self.power()
                    self.assertIn("have been restored from copies", r.out)
                    self.assertIn("main runs", r.out)
                    self.assertFiles(FILES)

    def test_fat16_without_its_boot_sector(self):
        cards.fat(self.card, 16, None, None, ("-a", "-R", "1"))
        self.put(FILES)
        write_at(self.card, 0, bytes(512))
        self.refuses("damaged FAT")

    def test_no_partition_table(self):
        # The MBR is erased, or never was: a volume begins somewhere on a card that is blank else.
        for bits, start in ((32, 5000), (16, 1), (16, 2040), (32, 16065 * 2), (32, 32768), (12, 30976)):
            with self.subTest(bits=bits, start=start):
                cards.fat(self.card, bits, start, 60 * MIB if bits == 32 else 20 * MIB)
                write_at(self.card, 0, bytes(512))
                self.refuses("FAT at sector %d, but no partition table that leads to it" % start)

    def test_no_partition_table_anywhere(self):
        # Of an empty FAT32, wherever it begins, something is seen, if not always what it is.
        for start in range(5001, 5008):
            with self.subTest(start):
                cards.fat(self.card, 32, start, 60 * MIB)
                write_at(self.card, 0, bytes(512))
                before = digest(self.card)
                r = self.power()
                self.assertIn("; it was left as it is.", r.out)
                self.assertUntouched(before)

    def test_last_bytes_of_something(self):
        # One sector that is not blank is enough, behind the first MiB one of 4 or 32.
        for lba in (2047, 2064, 9984, 16384 - 1):
            with self.subTest(lba):
                self.blank_card()
                write_at(self.card, lba * 512 + 511, b"\1")
                self.refuses(UNKNOWN)

    def test_garbage(self):
        cards.garbage(self.card)
        self.refuses(UNKNOWN)
        write_at(self.card, 510, b"\x55\xaa")
        self.refuses(UNKNOWN)

    def test_never(self):
        for make, name in (
            (lambda: self.blank_card(), "nothing"),
            (lambda: self.blank_card(fill=b"\xff"), "nothing"),
            (lambda: cards.garbage(self.card), UNKNOWN),
            (lambda: cards.exfat(self.card), "empty exFAT"),
            (lambda: cards.ntfs(self.card), "NTFS"),
        ):
            with self.subTest(name):
                make()
                self.refuses(name, "format='never'")

    def test_never_boots_a_good_card(self):
        self.fat_card(FILES)
        self.assertIn("main runs", self.power(boot="format='never'").out)

    def test_format_call_of_the_message(self):
        cards.exfat(self.card, ["holiday.jpg"])
        for fs, kind in (("fat", "FAT"), ("littlefs", "littlefs")):
            with self.subTest(fs):
                cards.exfat(self.card, ["holiday.jpg"])
                typed = 'import sdboot, os\nsdboot.format("%s")\nos.listdir("/sd")\n' % fs
                r = self.power(typed=typed)
                self.assertIn("sdboot: formatted, card is at /sd", r.out)
                self.assertIn("\n[]\n", r.out)
                self.assertIn("sdboot: no release on SD card, " + kind, self.power().out)

    def test_format_call_leaves_no_marks(self):
        for bits in (12, 16, 32):
            with self.subTest(bits=bits):
                cards.fat(self.card, bits)
                self.put(FILES)
                self.power("--pin", "18=0", typed='import sdboot\nsdboot.format("littlefs")\n')
                self.assertIn("sdboot: no release on SD card, littlefs", self.power().out)
                self.power("--pin", "18=0", typed='import sdboot\nsdboot.format("fat")\n')
                self.assertIn("sdboot: no release on SD card, FAT", self.power().out)

    def test_format_of_the_root_is_refused(self):
        self.fat_card(FILES)
        r = self.power(typed='import sdboot\nsdboot.format("fat")\n')
        self.assertIn("the card is in use as /: hold the recovery pin low and reset", r.out)
        self.assertFiles(FILES)

    def test_bad_arguments(self):
        self.fat_card(FILES)
        before = digest(self.card)
        for boot in ("fs='ntfs'", "format='yes'"):
            r = self.power(boot=boot)
            self.assertIn('sdboot: boot(): fs is "fat" or', r.out)
            self.assertIn("nothing will be formatted", r.out)
            self.assertIn("main runs", r.out)
            self.assertUntouched(before)


    def test_format_checks_its_arguments_first(self):
        """Nothing is umounted, nothing written."""
        self.fat_card(FILES)
        before = digest(self.card)
        job = "import os\nfor fs in ('exfat', None, 3, 'FAT'):\n    attempt(sdboot.format, fs)\n"
        job += "print('=>', sorted(os.listdir('/sd')), sdboot.status()['mounted'])\n"
        r = self.power("--pin", "18=0", job=job)
        self.assertEqual(r.errors, ['ValueError %s %s' % ((SAYS,) * 2)] * 4)
        self.assertIn("main.py", r.results[0])
        self.assertIn("/sd", r.results[0])
        self.assertUntouched(before)

    def test_format_that_fails(self):
        """A card that can't be written: what is on it can still be used."""
        self.fat_card(FILES)
        before = digest(self.card)
        job = "import os\nfor fs in ('fat', 'littlefs'):\n    attempt(sdboot.format, fs)\n"
        job += "    print('=>', 'main.py' in os.listdir('/sd'), sdboot.status()['version'])\n"
        r = self.power("--card-ro", "--pin", "18=0", job=job)
        self.assertEqual(len(r.errors), 2)
        self.assertIn("formatting the SD card failed", r.errors[0] + r.errors[1])
        self.assertEqual(r.results, ["True 1.2.3"] * 2, r.out)
        self.assertUntouched(before)

    def test_format_that_fails_midway(self):
        """Then the card holds nothing, but can be formatted again."""
        for fs in ("fat", "littlefs"):
            for good in (1, 3, 20):
                with self.subTest(fs=fs, good=good):
                    self.fat_card(FILES)
                    job = (
                        "write = sdboot.mounted.card.writeblocks\n"
                        "class Failing:\n"
                        "    left = %d\n"
                        "    def __init__(self, card):\n"
                        "        self.card = card\n"
                        "        self.readblocks = card.readblocks\n"
                        "        self.ioctl = card.ioctl\n"
                        "    def writeblocks(self, block, buf):\n"
                        "        Failing.left -= 1\n"
                        "        if Failing.left < 0:\n"
                        "            raise OSError(5)\n"
                        "        return self.card.writeblocks(block, buf)\n"
                        "sdboot.mounted.card = Failing(sdboot.mounted.card)\n"
                        "attempt(sdboot.format, %r)\n"
                        "Failing.left = 1 << 30\n"
                        "attempt(sdboot.format, 'fat')\n"
                        "attempt(lambda: open('/sd/x', 'w').write('x'))\n" % (good, fs)
                    )
                    r = self.power("--pin", "18=0", job=job)
                    self.assertEqual(r.results, ["None", "1"], r.out)
                    self.assertEqual(len(r.errors), 1, r.out)


if __name__ == "__main__":
    unittest.main()
