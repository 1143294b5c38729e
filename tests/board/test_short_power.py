# SPDX-License-Identifier: MIT
"""A board whose power fails every 20 seconds still finishes an update of 2 MB."""

import re
import subprocess
import unittest

from cutting import copy_sparse
from rig import ATTEMPT, BOARD, BOOT, HASTY
from test_delta import DeltaTest, files
from web import release

LASTS = 20  # seconds from a power-on to the next failure
START = 5  # of them until the board is in its network and has the list
LINK = 32 << 10  # bytes a second: a slow LTE-M modem
# littlefs looks for free blocks by reading its directories, too much of them for a card on SPI.
CARDS = {
    "fat": ("--card-command-us", "400", "--card-read-kbs", "1700", "--card-write-kbs", "1000"),  # SPI
    "littlefs": ("--card-command-us", "400", "--card-read-kbs", "16200", "--card-write-kbs", "12700"),
}


class ShortPower(DeltaTest):
    def boot(self, url):
        """A power-on that ends after 20 seconds. Returns whether it was cut, its seconds and sectors."""
        before = self.dir / "before.img"
        copy_sparse(self.card, before)
        sectors = (LASTS - START) * LINK // 512
        while True:
            cut, seconds = self.cut_after(url, sectors)
            if seconds <= LASTS:
                return cut, seconds, sectors
            # It had to read so much: the power fails earlier.
            sectors -= int((seconds - LASTS) * LINK / 512) + 5
            self.assertGreater(sectors, 0, seconds)
            copy_sparse(before, self.card)

    def cut_after(self, url, sectors):
        job = "attempt(sdboot.OTA(%r).install_update_if_available)\n" % url
        flash = self.dir / "flash.img"
        self.make_flash(flash, HASTY + BOOT % "" + ATTEMPT + job)
        stats = self.dir / "stats"
        command = [BOARD, "--flash", flash, "--card", self.card, "--stats", stats, *self.model]
        command += ["--cut", str(sectors)]
        done = subprocess.run(command, capture_output=True, input=b"", timeout=120)
        self.assertIn(done.returncode, (0, 75), done.stdout + done.stderr)
        counts = dict(re.findall(r"(\w+) (\d+)", stats.read_text()))
        written = int(counts["card_write_sectors"])
        seconds = START + written * 512 / LINK + int(counts["modelled_card_ms"]) / 1000
        return done.returncode == 75, seconds

    def test_two_megabytes(self):
        new = files("0.0.2", 74, seed=3, size=32000)
        size = sum(map(len, new.values()))
        self.assertGreater(size, 2000000)
        self.site.add("0.0.2", new)
        for fs in ("fat", "littlefs"):
            with self.subTest(fs):
                getattr(self, fs + "_card")(release("0.0.1"))
                self.model = CARDS[fs]
                url = self.serve()
                boots, cut = [], True
                while cut and len(boots) < 20:
                    cut, seconds, sectors = self.boot(url)
                    boots.append((round(seconds, 1), sectors))
                self.assertFalse(cut, boots)
                # Each got further by what it had time for, but for 64 KiB or a file.
                least = min(sectors * 512 for _, sectors in boots) - (64 << 10) - 64000
                self.assertTrue(4 < len(boots) <= -(-size // least) + 1, boots)
                r = self.power(*self.model)
                self.assertIn("release 0.0.2 is in place", r.out)
                self.assertLess(START + r.stats["modelled_card_ms"] / 1000, LASTS)
                r = self.power(job="attempt(sdboot.verify)")
                self.assertEqual(r.results, ["[]"], r.out)


if __name__ == "__main__":
    unittest.main()
