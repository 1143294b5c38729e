# SPDX-License-Identifier: MIT
"""Work that is larger than the journal is committed in pieces: whatever a power cut leaves between
two of them is a sound volume, and nobody else's file is touched."""

import subprocess
import unittest

import cards
import rig
from cutting import CutTest
from rig import MIB, find_fat
from web import release

BIG = 36 * MIB
OTHERS = {**release("0.0.1"), "notes.txt": b"mine\n" * 400, "data/table.bin": bytes(range(256)) * 64}


def fsck(image):
    """What fsck.fat says: are there clusters that belong to nobody, and what else is wrong beside the
    count of free ones."""
    volume = image.with_suffix(".fat")
    rig.copy_sparse(image, volume, find_fat(image) * 512)
    done = subprocess.run(["fsck.fat", "-n", volume], capture_output=True, text=True)
    volume.unlink()
    allowed = ("fsck.fat ", "Reclaimed ", "Free cluster summary", "Leaving ", "  (", "  ")
    lines = [line for line in done.stdout.splitlines() if line and " files, " not in line]
    lost = any(line.startswith("Reclaimed ") for line in lines)
    return lost, [line for line in lines if not line.startswith(allowed)]


class Pieces(CutTest):
    """A card that was nearly full when its journal was made: there is room for little in it."""

    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, rig, "fsck", rig.fsck)
        cards.fat(self.card, 32, 2, 40 * MIB)
        self.big = bytes(range(256)) * (BIG // 256)
        self.put({**OTHERS, "big.bin": self.big})
        free = 79800 * 512 - BIG - 200 * 1024  # bytes, but for what the others take
        self.put({"filler.bin": bytes(free)})
        r = self.power(job=AREA)
        self.assertEqual(r.results[0], "on", r.out)
        self.sectors = int(r.results[1])
        self.assertLess(self.sectors, 520, "the journal is as large as what it is to be too small for")
        rig.fsck = lambda image: None

    def cuts(self, job, every, judge):
        self.seen = [0, 0]
        flash = self.flash("job", job=job)
        idle = self.flash("idle")

        def checked(board, run):
            r = board.power_flash(idle)
            board.assertIn("release 0.0.1 runs", r.out)
            lost, wrong = fsck(board.card)
            board.assertEqual(wrong, [])
            self.seen[lost] += 1
            if lost:
                board.assertIn("space may be lost until `sdboot card repair`", r.out)
            found = board.files()
            for name, data in OTHERS.items():
                board.assertEqual(found[name], data, name)
            judge(board, found)

        return self.cut(flash, checked, every)

    def test_removal(self):
        job = "import os\nattempt(os.remove, '/big.bin')\n"

        def judge(board, found):
            board.assertIn(found.get("big.bin", self.big), (self.big, b""))

        self.cuts(job, 47, judge)
        self.assertTrue(all(self.seen), self.seen)

    def test_overwritten_in_place(self):
        job = (
            "f = open('/big.bin', 'r+b')\n"
            "for i in range(24):\n f.write(b'\\xee' * 65536)\n"
            "f.close()\n"
        )

        def judge(board, found):
            data = found["big.bin"]
            board.assertEqual(len(data), BIG)
            for at in range(0, BIG, 512):
                old = self.big[at : at + 512]
                new = b"\xee" * 512 if at < 24 * 65536 else old
                board.assertIn(data[at : at + 512], (old, new), at)

        self.cuts(job, 307, judge)

    def test_scattered(self):
        job = "f = open('/big.bin', 'r+b')\nfor i in range(500):\n"
        job += " f.seek(i * 7919 * 512 %% %d)\n f.write(b'\\xee' * 512)\n" % BIG
        job += "f.close()\n"

        def judge(board, found):
            data = found["big.bin"]
            board.assertEqual(len(data), BIG)
            for at in range(0, BIG, 512):
                board.assertIn(data[at : at + 512], (self.big[at : at + 512], b"\xee" * 512), at)

        self.cuts(job, 61, judge)

    def test_written_anew(self):
        job = (
            "f = open('/big.bin', 'wb')\n"
            "for i in range(24):\n f.write(b'\\xee' * 65536)\n"
            "f.close()\n"
        )

        def judge(board, found):
            data = found["big.bin"]
            board.assertTrue(
                data in (self.big, b"") or data == b"\xee" * len(data), "neither old nor new"
            )

        self.cuts(job, 101, judge)


AREA = """
from sdboot import mounted
print('=>', sdboot.status()['journal'])
print('=>', mounted.volume.info()[mounted.AREA_SECTORS])
"""

if __name__ == "__main__":
    unittest.main()
