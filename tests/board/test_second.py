# SPDX-License-Identifier: MIT
"""A release is staged and waits; a newer one appears."""

import hashlib
import os
import subprocess
import unittest

from rig import BOARD
from test_delta import files
from test_ota import OLD, OtaTest
from web import IndexedSite, RangeServer, package, release

CUTS = 1000 if os.environ.get("EXHAUSTIVE") else 12


class Second(OtaTest):
    def test_newer_than_what_is_staged(self):
        """It takes the place of what waits, but not before it is whole; and a third one too."""
        pin = ("--pin", "18=0")
        status = "attempt(lambda: sdboot.status()['staged'])\n"
        for card in (self.fat_card, self.littlefs_card):
            with self.subTest(card.__name__):
                card(OLD)
                self.site.lines = []
                self.add("0.0.2", {"lib/two.py": b"2", "app/two.py": b"2"})
                self.stage()
                good = package({**release("0.0.3"), "lib/three.py": b"3" * 9000})
                for bad in (good[:9000], good[:-1024] + b"x" * 1024, package({"prev/x": b"x"}), b""):
                    self.site.add("0.0.3", bad, sha1=hashlib.sha1(good).hexdigest())
                    r = self.ota(self.url, job=status, options=pin)
                    self.assertEqual((len(r.errors), r.results), (1, ["0.0.2"]), r.out)
                self.site.lines.pop()
                folders = self.folders() if self.files() else None
                self.assertFalse(folders & {".sdboot/app", ".sdboot/alt"}, "left over")
                for version in ("0.0.3", "0.0.4"):
                    self.site.add(version, package({**release(version), "lib/n.py": b"n"}))
                    r = self.ota(self.url, job=status, options=pin)
                    self.assertEqual(r.results, ["True", version], r.out)
                r = self.power(job="attempt(sdboot.confirm)\n")
                self.assertIn("release 0.0.4 runs", r.out)
                want = {"prev" + k[3:]: v for k, v in OLD.items() if k.startswith("app/")}
                keep = {k: v for k, v in OLD.items() if not k.startswith("app/")}
                self.assertFiles({**want, **keep, **release("0.0.4"), "lib/n.py": b"n"})
                self.assertFalse(self.folders() & {".sdboot/app", ".sdboot/alt", "next"}, "left over")

    def test_power_cut_while_a_newer_one_is_staged(self):
        """One of the two is put in place then, whole, or nothing yet."""
        files = {"lib/two.py": b"2", "app/two.py": b"2", **{"app/x%d" % i: b"x" for i in range(20)}}
        for card in (self.fat_card, self.littlefs_card):
            card(OLD)
            self.site.lines = []
            self.add("0.0.2", files)
            self.stage()
            self.add("0.0.3", {"lib/three.py": b"3" * 5000})
            image = self.card.read_bytes()
            r = self.ota(self.url, options=("--pin", "18=0"))
            writes = r.stats["card_write_sectors"]
            flash = (self.dir / "flash.img").read_bytes()
            seen = set()
            for cut in range(1, writes, max(1, writes // CUTS)):
                with self.subTest(card.__name__, cut=cut):
                    self.card.write_bytes(image)
                    (self.dir / "cut.img").write_bytes(flash)
                    command = BOARD, "--flash", self.dir / "cut.img", "--card", self.card
                    command += "--pin", "18=0", "--cut", cut
                    subprocess.run(
                        [str(c) for c in command],
                        stdin=subprocess.DEVNULL,
                        capture_output=True,
                        timeout=60,
                    )
                    out = self.power(job="attempt(sdboot.verify)\nattempt(sdboot.confirm)\n").out
                    found = {"0.0.2": "lib/two.py", "0.0.3": "lib/three.py"}
                    runs = [v for v in found if "release %s runs" % v in out]
                    self.assertEqual(len(runs), 1, out)
                    self.assertIn("=> []", out)
                    there = self.files()
                    self.assertEqual([v for v in found if found[v] in there], runs)
                    self.assertFalse(self.folders() & {"next"}, "left over")
                    seen.update(runs)
            self.assertEqual(len(seen), 2)

    def test_of_packages_with_an_index(self):
        """What waits is neither resumed nor pruned."""
        site = IndexedSite(self.dir / "indexed")
        url = self.enterContext(RangeServer(site.folder))
        for card in (self.fat_card, self.littlefs_card):
            card(files("0.0.1", 12))
            site.lines = []
            two = files("0.0.2", 12, changed=(1, 2, 3, 4))
            three = files("0.0.3", 12, changed=(1, 5, 8))
            site.add("0.0.2", two)
            pin = ("--pin", "18=0")
            self.assertEqual(self.ota(url, options=pin).results, ["True"])
            whole = site.add("0.0.3", three)
            (site.folder / "0_0_3-firmware.tar").write_bytes(bytes(len(whole)))
            r = self.ota(url, job="attempt(lambda: sdboot.status()['staged'])\n", options=pin)
            self.assertEqual((len(r.errors), r.results), (1, ["0.0.2"]), r.out)
            image = self.card.read_bytes()
            for good in (True, False):
                with self.subTest(card.__name__, good=good):
                    self.card.write_bytes(image)
                    (site.folder / "0_0_3-firmware.tar").write_bytes(whole)
                    if good:
                        r = self.ota(url, "quiet=False", options=pin)
                        self.assertEqual(r.results, ["True"])
                        self.assertNotIn("whole", r.out)
                    r = self.power(job="attempt(sdboot.verify)\n")
                    self.assertIn("release 0.0.%d is in place" % (3 if good else 2), r.out)
                    self.assertEqual(r.results, ["[]"])
                    found = self.files()
                    for name, data in (three if good else two).items():
                        self.assertEqual(found[name], data, name)


if __name__ == "__main__":
    unittest.main()
