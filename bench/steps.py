#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the steps of an update are: the card's commands in each, their modelled time, instructions.

A release of 66 files and 2.1 MB that is all new, and one of the same size in which a tenth has changed
(with an index). At each step the board reads a sector that nothing else touches; the trace of the card is
cut there. Instructions are counted by callgrind in an update of its own, which calls hashlib.md5() at each
step: there the counts are cut."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "board"), str(ROOT / "bench")]
from measure import CARDS, instructions, is_hash, modelled_ms  # noqa: E402
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

COUNTED = """
import hashlib
ota = sdboot.OTA(%r)
for ms in ota.steps():
    hashlib.md5()
hashlib.md5()
print("=>", ota.staged)
"""


class Bench(DeltaTest):
    def runTest(self):
        print("card, FAT, 64 MiB: commands and sectors of the steps of an update, modelled milliseconds;")
        print("thousands of instructions (x86-64), and those without hashing\n")
        heads = [*CARDS, "instructions", "no hashing"]
        print("%-34s %6s %8s  %s" % ("", "steps", "longest", "  ".join("%14s" % name for name in heads)))
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
        before = self.dir / "before.img"
        shutil.copy(self.card, before)
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
        self.make_flash(flash, HASTY + BOOT % "" + ATTEMPT + COUNTED % url)
        for counts in zip(*self.instructions(flash, before)):
            counts = sorted(counts)
            each.append("%6d of %5d" % (counts[len(counts) // 2] // 1000, counts[-1] // 1000))
        print("%-34s %6d %8s  %s" % (name, len(steps), "%d/%d" % (worst[0] + worst[2], worst[1] + worst[3]), "  ".join("%14s" % e for e in each)))

    def instructions(self, flash, card):
        """(instructions, those without hashing) of each step."""
        out = self.dir / "callgrind"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        command = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--dump-before=mbedtls_md5_init"]
        command += ["--callgrind-out-file=%s/%%p" % out, BOARD, "--flash", flash, "--card", card]
        done = subprocess.run(command, capture_output=True, text=True, input="", timeout=3000)
        self.assertIn("=> True", done.stdout, done.stdout + done.stderr)
        boards = {}  # by process: each reset begins another
        for path in out.glob("*.*"):
            boards.setdefault(path.stem, {})[int(path.suffix[1:])] = path
        parts = max(boards.values(), key=len)
        found = []
        for _, path in sorted(parts.items())[:-1]:
            by = instructions(path)
            if "mp_parse" in by:  # boot.py, up to the first step
                found = []
                continue
            found.append((sum(by.values()), sum(n for name, n in by.items() if not is_hash(name))))
        return found


if __name__ == "__main__":
    bench = Bench()
    bench.setUp()
    try:
        bench.runTest()
    finally:
        bench.doCleanups()
