# SPDX-License-Identifier: MIT
"""Cards whose sectors need all 32 bits of a number: from 512 GiB on a byte's place takes 40, from 1 TiB
on a sector's is negative to whoever takes it for signed. Images are sparse."""

import struct
import unittest
import unittest.mock

from rig import EMULATED, HASTY, MIB, BoardTest, extents, find_fat, fsck, read_sector, write_at
from web import PythonServer, Site, package, release

GIB = 1 << 30
OLD = {**release("0.0.1"), "data/photo.jpg": b"precious" * 5000}
NEW = {**release("0.0.2"), "app/big.bin": b"big" * 50000}
TRANSACTION = """
with sdboot.transaction():
    with open("/data/photo.jpg", "r+b") as f:
        f.write(b"PRECIOUS" * 1000)
"""


@unittest.skipIf(EMULATED, "its cards end at 2 GiB")
class Large(BoardTest):
    def near_the_end(self):
        """FatFs goes on looking for free clusters behind the one that FSInfo names."""
        volume = find_fat(self.card)
        boot = read_sector(self.card, volume)
        sectors, fat = struct.unpack_from("<II", boot, 32)
        reserved, copies = struct.unpack_from("<H", boot, 14)[0], boot[16]
        clusters = (sectors - reserved - fat * copies) // boot[13]
        write_at(self.card, (volume + 1) * 512 + 492, struct.pack("<I", clusters - 2000))
        return volume + sectors

    def whole_way(self, size, boot):
        with unittest.mock.patch("rig.fsck", lambda image: None):  # it takes long for each power-on
            self.blank_card(size)
            r = self.power(boot=boot)
            self.assertIn("FAT, %d MiB" % (size // MIB), r.out)
            end = self.near_the_end()
            self.assertLess(size // 512 - end, 8)
            self.put(OLD)
            site = Site(self.dir / "www")
            site.add("0.0.2", package(NEW))
            with PythonServer(site.folder) as url:
                job = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n" % url
                job += "s = sdboot.status()\nprint('=>', s['size'], s['size'] - s['free'] < 1 << 29)\n"
                r = self.power(boot=boot, job=job + TRANSACTION)
            self.assertEqual((r.results, r.errors), (["True", "%d True" % size], []), r.out)
            r = self.power(boot=boot, job="attempt(sdboot.confirm)\nattempt(sdboot.verify)\n")
            self.assertEqual(r.results, ["True", "[]"], r.out)
            self.assertIn("release 0.0.2 runs", r.out)
            # What was written is really there: behind all that 31 bits count.
            written = [at for at, data in extents(self.card) if b"bigbig" in data]
            self.assertGreater(min(written), size - 200 * MIB)
            files = self.files()
            self.assertEqual(files["app/big.bin"], NEW["app/big.bin"])
            self.assertTrue(files["data/photo.jpg"].startswith(b"PRECIOUS" * 1000 + b"precious"))
            r = self.power(boot=boot, job="attempt(sdboot.rollback)\n")
            self.assertIn("release 0.0.1 runs", self.power(boot=boot).out)
        self.assertIsNone(fsck(self.card))

    def test_600_gib(self):
        self.whole_way(600 * GIB, "")

    def test_2_tib(self):
        self.whole_way(2048 * GIB - 512, "journal='log'")

    def test_littlefs(self):
        with unittest.mock.patch("rig.fsck", lambda image: None):
            self.blank_card(2048 * GIB - 512)
            job = "with open('/a', 'w') as f:\n    f.write('a' * 9999)\n"
            r = self.power(boot="fs='littlefs'", job=job)
            self.assertIn("littlefs, 2097151 MiB", r.out)
            r = self.power(boot="fs='littlefs'", job="print('=>', len(open('/a').read()))")
            self.assertEqual(r.results, ["9999"])

    def test_what_drivers_say(self):
        """A count of sectors that no card has, and one beyond what FAT can use."""
        driver = """
import machine
class Driver:
    def __init__(self):
        self.sd = machine.SDCard(slot=1, width=1)
        self.readblocks = self.sd.readblocks
        self.writeblocks = self.sd.writeblocks
    def ioctl(self, op, arg):
        return (%s) if op == 4 else self.sd.ioctl(op, arg)
"""
        for count in ("0", "-1", "-1 << 40", "None", "'x'", "1.5"):
            with self.subTest(count):
                self.blank_card()
                r = self.power(before=HASTY + driver % count, boot="sd=Driver")
                self.assertIn("no SD card after 5 tries", r.out)
                self.assertIn("staying on internal flash", r.out)
        for count in ("(1 << 32) + 20000", "1 << 40", "(1 << 32) - 1"):
            with self.subTest(count), unittest.mock.patch("rig.fsck", lambda image: None):
                self.blank_card(2048 * GIB - 512)
                job = "attempt(lambda: sdboot.status()['size'])\n"
                r = self.power(before=driver % count, boot="sd=Driver", job=job)
                self.assertEqual(r.results, [str(2048 * GIB - 512)], r.out)


if __name__ == "__main__":
    unittest.main()
