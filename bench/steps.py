#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the steps of an update are: the card's commands in each, and their modelled time.

A release of 66 files and 2.1 MB that is all new, and one of the same size in which a tenth has changed
(with an index). At each step the board reads a sector that nothing else touches; the trace of the card is
cut there."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "board"), str(ROOT / "bench")]
from measure import CARDS, modelled_ms  # noqa: E402
from rig import ATTEMPT, BOARD, BOOT, HASTY  # noqa: E402
from test_delta import DeltaTest, files  # noqa: E402

JOB = """
from sdboot import mounted
card, buf, marker = mounted.card, bytearray(512), %d
ota = sdboot.OTA(%r)
n = 0
for ms in ota.steps():
    n += 1
    card.readblocks(marker, buf)
print("=>", ota.staged, n)
"""


class Bench(DeltaTest):
    def runTest(self):
        print("card, FAT, 64 MiB: commands and sectors of the steps of an update, modelled milliseconds\n")
        print("%-34s %6s %8s  %s" % ("", "steps", "longest", "  ".join("%14s" % name for name in CARDS)))
        for name, index, changed in (
            ("66 files, 2.1 MB, all new", False, range(74)),
            ("the same with an index", True, range(74)),
            ("a tenth has changed", True, range(0, 74, 10)),
        ):
            self.one(name, index, changed)

    def one(self, name, index, changed):
        self.site.lines = []
        self.fat_card(files("0.0.1", 74, size=32000), size=64 << 20)
        self.site.add("0.0.2", files("0.0.2", 74, size=32000, changed=changed))
        if not index:
            (self.site.folder / "0_0_2-firmware.tar.idx").unlink()
        url = self.serve()
        marker = (64 << 20) // 512 - 1
        flash, trace = self.dir / "flash.img", self.dir / "trace"
        self.make_flash(flash, HASTY + BOOT % "" + ATTEMPT + JOB % (marker, url))
        command = [BOARD, "--flash", flash, "--card", self.card, "--trace", trace]
        done = subprocess.run(command, capture_output=True, text=True, input="", timeout=300)
        self.assertIn("=> True", done.stdout, done.stdout + done.stderr)
        steps = [[0, 0, 0, 0]]
        for line in trace.read_text().splitlines():
            what, lba, sectors = line.split()[:3]
            if what == "r" and int(lba) == marker:
                steps.append([0, 0, 0, 0])
                continue
            at = 0 if what == "r" else 2
            steps[-1][at] += 1
            steps[-1][at + 1] += int(sectors)
        steps = steps[1:-1]  # the first has the boot in it, the last one what comes afterwards
        worst = max(steps, key=lambda s: modelled_ms("SPI", *s))
        each = []
        for card in CARDS:
            times = sorted(modelled_ms(card, *s) for s in steps)
            each.append("%5.1f of %6.1f" % (times[len(times) // 2], times[-1]))
        print("%-34s %6d %8s  %s" % (name, len(steps), "%d/%d" % (worst[0] + worst[2], worst[1] + worst[3]), "  ".join(each)))


if __name__ == "__main__":
    bench = Bench()
    bench.setUp()
    try:
        bench.runTest()
    finally:
        bench.doCleanups()
