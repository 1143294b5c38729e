# SPDX-License-Identifier: MIT
"""Updates on a Pico: staged from a file (it has no network), swapped in, on trial, taken back; and
power that fails meanwhile."""

import unittest

from picorig import ALL, BEFORE, CUT, PicoTest, built_in  # before the board's own tools
from cutting import copy_sparse
from rig import MIB
from web import package

MAIN = "import app.code, sdboot\nprint('MAIN', app.code.version)\n"
CONFIRM = "print('CONFIRM', sdboot.confirm())\n"
STATUS = "print('=>', sdboot.status())\n"
BOOT = "attempts=2, trial_timeout=0"


def release(version, main=""):
    return {
        "app/.version": version.encode(),
        "app/code.py": b"version = '%s'\n" % version.encode(),
        "app/data %s.py" % version: version.encode() * 1500,  # a *.bin could be the application's own
        "main.py": (MAIN + main).encode(),
        "lib/helper.py": b"# of %s\n" % version.encode() * 40,
    }


OLD = release("0.0.1")
MINE = {"settings.json": b'{"mine": 1}'}


class UpdateTest(PicoTest):
    def setUp(self):
        super().setUp()
        self.formatted_card({**OLD, **MINE})

    def stage_new(self, *options, main="", **kwargs):
        return self.stage(package(release("0.0.2", main)), "0.0.2", *options, boot=BOOT, **kwargs)

    def power(self, *options, boot=BOOT, **kwargs):
        return super().power(*options, boot=boot, **kwargs)

    def status(self):
        return eval(self.power(job=STATUS).results[-1])

    def assertRuns(self, r, version):
        self.assertIn("MAIN " + version, r.out)

    def assertOld(self, r):
        self.assertRuns(r, "0.0.1")
        found = self.files()
        for name, data in {**OLD, **MINE}.items():
            self.assertEqual(found[name], data, name)

    def assertNew(self, r, main=""):
        self.assertRuns(r, "0.0.2")
        found = self.files()
        for name, data in {**release("0.0.2", main), **MINE}.items():
            self.assertEqual(found[name], data, name)
        for name in ("code.py", "data 0.0.1.py"):
            self.assertEqual(found["prev/" + name], OLD["app/" + name], name)


class Update(UpdateTest):
    def test_update(self):
        r = self.stage_new(main=CONFIRM)
        self.assertEqual(r.results, ["True"])
        self.assertRuns(r, "0.0.1")
        r = self.power()
        self.assertIn("sdboot: release 0.0.2 is in place", r.out)
        self.assertIn("CONFIRM True", r.out)
        self.assertNew(r, CONFIRM)
        status = eval(self.power(job=STATUS + "attempt(sdboot.rollback)\n").results[0])
        self.assertEqual((status["state"], status["version"]), ("idle", "0.0.2"))
        r = self.power()
        self.assertIn("sdboot: release 0.0.2 is taken back: by hand", r.out)
        self.assertOld(r)

    def test_not_confirmed(self):
        self.stage_new()
        for _ in range(2):
            self.assertNew(self.power())
        r = self.power()
        self.assertIn("sdboot: release 0.0.2 is taken back: it was not confirmed", r.out)
        self.assertOld(r)
        self.assertEqual(self.stage_new().results, ["False"])  # not again

    def test_timer(self):
        """A release that hangs is reset until it is taken back, in one power-on."""
        self.stage_new(main="import time\nwhile app.code.version != '0.0.1': time.sleep(1)\n")
        r = super().power(boot="attempts=2, trial_timeout=3")
        self.assertEqual(r.out.count("has not confirmed in time, resetting"), 2)
        self.assertEqual(r.stats["resets_hard"], 2)
        self.assertOld(r)

    def test_damaged_package(self):
        r = self.stage(package(release("0.0.2")), "0.0.2", boot=BOOT, sha1="1" * 40)
        self.assertIn("new.tar: ", r.errors[0])
        self.assertOld(self.power())

    def test_cut_while_staging(self):
        self.assertEqual(self.cuts(self.stage_new), {"0.0.1"})

    def test_cut_while_swapping(self):
        self.stage_new()
        self.assertEqual(self.cuts(self.power), {"0.0.2"})  # the next boot finishes it

    def cuts(self, work):
        """`work` with the power cut at some of its writes, or at all: the board comes back.
        Returns which releases did."""
        kept = self.dir / "kept.img"
        copy_sparse(self.card, kept)
        writes = work().stats["card_write_sectors"]
        seen = set()
        for n in range(1, writes + 1) if ALL else (1, writes // 3, writes * 3 // 4, writes):
            with self.subTest(cut=n, of=writes):
                copy_sparse(kept, self.card)
                work("--cut", str(n), repl=False, status=CUT)
                r = self.power()
                version = "0.0.2" if "MAIN 0.0.2" in r.out else "0.0.1"
                (self.assertNew if version == "0.0.2" else self.assertOld)(r)
                seen.add(version)
        return seen

    def test_transaction(self):
        job = """
with sdboot.transaction():
    with open('/settings.json', 'w') as f: f.write('new')
    with open('/lib/helper.py', 'w') as f: f.write('#')
    raise_here
"""
        text = "def f():\n" + job.replace("\n", "\n    ") + "\nattempt(f)\n"
        r = self.power(job=text.replace("raise_here", "1 / 0"))
        self.assertIn("ZeroDivisionError", r.errors[0])
        self.assertOld(r)
        r = self.power(job=text.replace("raise_here", "pass"))
        self.assertEqual(self.files()["settings.json"], b"new")
        self.assertEqual(self.files()["lib/helper.py"], b"#")


GREEDY = """
import gc
class Greedy(SPICard):
    def readblocks(self, lba, buf):
        gc.collect()
        super().readblocks(lba, buf)
    def writeblocks(self, lba, buf):
        gc.collect()
        super().writeblocks(lba, buf)
def card():
    return Greedy(SPI(1, sck=Pin(10), mosi=Pin(11), miso=Pin(12)), Pin(13))
"""


class Collector(UpdateTest):
    def test_collector_runs_at_each_sector(self):
        """A driver in Python can have the collector run in the middle of C's work: what C still
        needs must be alive then."""
        r = self.stage_new(main=CONFIRM, before=BEFORE + GREEDY)
        self.assertEqual(r.results, ["True"])
        self.assertNew(self.power(before=BEFORE + GREEDY), CONFIRM)
        self.blank_card(64 * MIB)
        r = self.power(before=BEFORE + GREEDY, job=STATUS)
        self.assertEqual(eval(r.results[0])["journal"], "on")


UpdateBuiltIn = built_in(Update, "test_update")
CollectorBuiltIn = built_in(Collector)


if __name__ == "__main__":
    unittest.main()
