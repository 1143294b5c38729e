# SPDX-License-Identifier: MIT
"""Cards that FatFs does not mount although somebody's data is on them: never formatted by
themselves, named, and formatted if that is asked for."""

import random
import shutil
import subprocess
import unittest
import unittest.mock

import cards
from cutting import CutTest
from rig import EMULATED, MIB, MTOOLS, BoardTest, blank, digest, find_fat, read_sector, run, write_at

DATA = b"a photo of the only day" * 400
FILES = {"main.py": b"print('main runs')\n", "photo.jpg": DATA}
GIB = 1024 * MIB
SIZES = (64 * MIB, 2 * GIB) if EMULATED else (64 * MIB, 2 * GIB, 32 * GIB)


class Unmounted(BoardTest):
    def volume(self, start, size, bits=32, cluster=None, options=()):
        """FAT at sector `start` of a card of `size`, with FILES in it, and no partition table."""
        blank(self.card, size)
        if cluster is None:
            cluster = 1 if size < 512 * MIB else 8 if size < 16 * GIB else 64
        command = ["mkfs.fat", "-F", bits, "-s", cluster, "--offset", start, "-h", start, *options]
        run(*command, self.card, (size // 512 - start) // 2)
        tree = self.write_tree(FILES)
        at = "%s@@%d" % (self.card, start * 512)
        run("mcopy", "-s", "-o", "-i", at, *sorted(tree.iterdir()), "::/", env=MTOOLS)

    def has_photo(self, start):
        done = subprocess.run(
            ["mtype", "-i", "%s@@%d" % (self.card, start * 512), "::/photo.jpg"],
            capture_output=True,
            env=MTOOLS,
        )
        return done.stdout == DATA

    def left(self, name, advice="", boot=""):
        before = digest(self.card)
        r = self.power(boot=boot, repl=False)
        self.assertIn("sdboot: the SD card holds %s; it was left as it is. %s" % (name, advice), r.out)
        self.assertIn('To format it, ALL DATA ON IT IS LOST: sdboot.format("fat")', r.out)
        self.assertIn("sdboot: staying on internal flash", r.out)
        self.assertNotIn("fsck", r.out)
        self.assertEqual(r.stats["card_write_sectors"], 0)
        self.assertUntouched(before)

    def test_no_partition_table(self):
        for size in SIZES:
            for start in (63, 2048, 8192, 32768):
                for sector in (bytes(512), b"\xff" * 512, b"\x00\x01" * 256):
                    with self.subTest(size=size, start=start, sector=sector[:2]):
                        self.volume(start, size)
                        write_at(self.card, 0, sector)
                        self.left(
                            "FAT at sector %d, but no partition table that leads to it" % start,
                            "TestDisk on a PC can restore the partition table.",
                        )
                        self.assertTrue(self.has_photo(start))

    def test_one_bit_of_the_partition_table(self):
        self.volume(8192, 64 * MIB)
        cards.mbr(self.card, 8192, 32)
        good = read_sector(self.card, 0)
        for byte in (446, 450, 455, 510, 511):
            with self.subTest(byte=byte):
                write_at(self.card, 0, good)
                write_at(self.card, byte, bytes([good[byte] ^ 0x20]))
                r = self.power(repl=False)
                self.assertNotIn("formatting", r.out)
                self.assertTrue(self.has_photo(8192), r.out)

    def test_no_type_string(self):
        for size in SIZES:
            for start in (0, 2048, 8192):
                with self.subTest(size=size, start=start):
                    self.volume(start, size)
                    for sector in (0, 6):
                        write_at(self.card, (start + sector) * 512 + 82, b"\0" * 8)
                    if start:
                        cards.mbr(self.card, start, 32)
                    # As a partition it is none to FatFs, which goes on to the next.
                    self.left("FAT32 without its type string", "The firmware's FatFs does not mount it")

    def test_no_type_string_of_fat16(self):
        self.volume(0, 64 * MIB, 16, 4)
        write_at(self.card, 54, b"        ")
        self.left("FAT without its type string")

    def test_logical(self):
        for extended in (5, 15, 0x85):
            for size in SIZES:
                with self.subTest(extended=extended, size=size):
                    self.volume(8192, size)
                    cards.table(self.card, 0, (extended, 2048, size // 512 - 2048))
                    cards.table(self.card, 2048, (12, 8192 - 2048, size // 512 - 8192))
                    self.left("FAT in a logical partition", "The firmware's FatFs mounts primary")
                    self.assertTrue(self.has_photo(8192))

    def test_second_logical_behind_other_things(self):
        self.volume(40000, 64 * MIB)
        cards.table(self.card, 0, (0x83, 2048, 8192), (5, 16384, 100000))
        cards.table(self.card, 16384, (0x83, 2048, 2048), (5, 40000 - 2048 - 16384, 80000))
        cards.table(self.card, 40000 - 2048, (12, 2048, 80000))
        self.left("FAT in a logical partition")

    def test_empty_partitions(self):
        for entries, types in (
            (((5, 2048, 60000),), "0x05, 0x00, 0x00, 0x00"),
            (((0, 2048, 60000),), "0x00, 0x00, 0x00, 0x00"),
            (((0x83, 2048, 1000), (0x0C, 4096, 50000)), "0x83, 0x0c, 0x00, 0x00"),
        ):
            with self.subTest(types):
                blank(self.card, 64 * MIB)
                cards.table(self.card, 0, *entries)
                self.left("partitions (types %s) with nothing known in them" % types)

    def test_type_0(self):
        self.volume(8192, 64 * MIB)
        cards.table(self.card, 0, (0, 8192, 100000))
        self.left("FAT in a partition of type 0", "fdisk on a PC can give it type c.")

    def test_partitions_2_to_4(self):
        for place in (1, 2, 3):
            for others in (0x83, 0xEE):
                with self.subTest(place=place, others=others):
                    self.volume(8192, 64 * MIB)
                    entries = [(others, 1 if others == 0xEE else 2048, 2047)]
                    entries += [(0, 0, 0)] * (place - 1) + [(12, 8192, 122880)]
                    cards.table(self.card, 0, *entries)
                    r = self.power(repl=False)
                    self.assertIn("main runs", r.out)
                    self.assertNotIn("formatting", r.out)
                    self.assertTrue(self.has_photo(8192))

    def test_what_no_repair_helps(self):
        for size, options, name in (
            (32 * MIB, ("-F", "32"), "FAT32 with too few clusters"),
            (64 * MIB, ("-F", "32", "-s", "8"), "FAT32 with too few clusters"),
            (512 * MIB, ("-F", "32", "-S", "4096", "-s", "1"), "FAT with sectors of more than 512 bytes"),
            (512 * MIB, ("-F", "32", "-S", "1024", "-s", "1"), "FAT with sectors of more than 512 bytes"),
            (64 * MIB, ("-F", "16", "-S", "2048"), "FAT with sectors of more than 512 bytes"),
        ):
            for start in (0, 2048):
                with self.subTest(options=options, start=start):
                    blank(self.card, size)
                    blocks = (size // 512 - start) // 2
                    unit = int(options[3]) // 512 if "-S" in options else 1  # of the offset
                    offset = start // unit
                    run("mkfs.fat", *options, "--offset", offset, "-h", offset, self.card, blocks)
                    if start:
                        cards.mbr(self.card, start, 32)
                    self.left(name, "The firmware's FatFs does not mount it: copy the files")

    def test_more_copies(self):
        # mkfs.fat makes such, Linux mounts them; fsck.fat refuses them, as FatFs does.
        for bits, copies in ((32, 3), (16, 4), (12, 3)):
            cards.fat(self.card, bits, 2048, options=("-f", copies))
            with unittest.mock.patch("rig.fsck", lambda image: None):
                self.left("FAT with more than two copies of its table", "The firmware's FatFs does")

    def test_other_filesystems(self):
        for name, mib, command in (
            ("minix", 16, "mkfs.minix {}"),
            ("bfs", 4, "mkfs.bfs {}"),
            ("Linux swap", 4, "mkswap {}"),
            ("UDF", 64, "mkudffs --media-type=hd --blocksize=512 {}"),
            ("JFS", 64, "mkfs.jfs -q {}"),
            ("ReiserFS", 64, "mkreiserfs -q -f -s 513 {}"),
            ("NILFS2", 256, "mkfs.nilfs2 -q -f {}"),
            ("HFS", 16, "hformat -l Mac {}"),
            ("btrfs", 128, "mkfs.btrfs -q -f {}"),
            ("F2FS", 64, "mkfs.f2fs -q {}"),
            ("Apple partition map", 32, "parted -s {} mklabel mac mkpart primary 4MiB 30MiB"),
        ):
            for start in (0, 2048):
                volume = self.card.with_name("volume")
                words = command.format(volume).split()
                if not shutil.which(words[0]):
                    print("%s is not there: skipped" % words[0])
                    continue
                with self.subTest(name, start=start):
                    blank(volume, mib * MIB)
                    done = subprocess.run(words, capture_output=True)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    blank(self.card, mib * MIB + start * 512)
                    cards.embed(self.card, volume, start)
                    if start:
                        cards.table(self.card, 0, (0x0C, start, mib * 2048))
                    self.left(name)

    def test_data_somewhere(self):
        for size in SIZES:
            for at in (1 << 20, size // 2, size - 512):
                with self.subTest(size=size, at=at):
                    blank(self.card, size)
                    write_at(self.card, at - 512, b"something" * 100)
                    self.left("no known filesystem, but is not blank")

    def test_any_formats_it(self):
        self.volume(8192, 64 * MIB)
        r = self.power(boot="format='any'", repl=False)
        self.assertIn("formatting it as fat", r.out)
        self.assertFalse(self.has_photo(find_fat(self.card)))

    def test_damaged_littlefs(self):
        self.littlefs_card(FILES)
        for block in (0, 4096):
            write_at(self.card, block + 40, b"damage" * 8)
        before = digest(self.card)
        r = self.power(repl=False)
        self.assertIn("the littlefs on the SD card can't be mounted", r.out)
        self.assertIn('ALL DATA ON IT IS LOST: sdboot.format("fat")', r.out)
        self.assertNotIn("repair it on a PC", r.out)
        self.assertUntouched(before)
        r = self.power(boot="format='any'", repl=False)
        self.assertIn("sdboot: no release on SD card, FAT", r.out)

    def test_littlefs_with_odd_blocks(self):
        for size in (0, 1, 513, 1 << 31, 0xFFFFFE00):
            with self.subTest(size=size):
                self.littlefs_card(FILES)
                for block in (0, 4096):
                    write_at(self.card, block + 24, size.to_bytes(4, "little"))
                self.left("littlefs with odd blocks")

    def test_cut_while_formatting(self):
        for boot, kind, cuts in (
            ("", "FAT", (1, 2, 3, 100, 1100)),
            ("fs='littlefs'", "littlefs", (1, 2, 3, 100, 250, 257)),
        ):
            for cut in cuts:
                with self.subTest(kind, cut=cut):
                    blank(self.card, 64 * MIB)
                    self.power("--cut", cut, boot=boot, repl=False, status=75)
                    r = self.power(boot=boot, repl=False)
                    self.assertIn("sdboot: no release on SD card, " + kind, r.out)


class Torn(CutTest):
    """The power fails in the middle of a sector that the formatting of a blank card writes."""

    def test_first_boot(self):
        for boot, kind in (("", "FAT"), ("fs='littlefs'", "littlefs")):
            with self.subTest(kind):
                blank(self.card, 8 * MIB)
                flash = self.flash("first", boot)

                def judge(board, run):
                    r = board.power_flash(flash, repl=False)
                    board.assertIn("sdboot: no release on SD card, " + kind, r.out)
                    self.assertNotIn("it was left as it is", r.out)

                _, _, written = self.writes(flash)
                whole = len(written)
                for first, last in ((1, 8), (whole - 12, whole)):
                    for n in range(first, last + 1):
                        board = self.twin("torn-%d" % n)
                        board.start(flash, "--cut", n)
                        for noise in (random.Random(n).randbytes(512), b"\xff" * 512):
                            write_at(board.card, written[n - 1] * 512, noise)
                            again = board.twin("again")
                            with self.subTest(cut=n, sector=written[n - 1]):
                                judge(again, None)
                            shutil.rmtree(again.dir)
                        shutil.rmtree(board.dir)


if __name__ == "__main__":
    unittest.main()
