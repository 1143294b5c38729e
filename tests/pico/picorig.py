# SPDX-License-Identifier: MIT
"""A Raspberry Pi Pico on the bench: real rp2 firmware in an emulated RP2040, a card on its SPI.

The tests' boards, cards and jobs are those of tests/board/rig.py.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "board"))
from cutting import copy_sparse  # noqa: E402
from rig import ATTEMPT, MIB, ROOT, BoardTest, Run, fsck, host, made_once, own_folder  # noqa: E402

HERE = Path(__file__).resolve().parent
EMULATOR = ROOT / "build" / "pico" / "board.mjs"
WORK = ROOT / "build" / "test-pico"
PACKAGE = ROOT / "build" / "native" / "armv6m" / "lib" / "sdboot"
DRIVER = ROOT / "examples" / "pico" / "spicard.py"
FLASH_TOOL = ROOT / "sim" / "pico.py"
CUT = 75  # exit status after --cut
ALL = os.environ.get("PICO") == "all"  # not only a slice
# A stock firmware has the package on its flash, the other one has sdboot in it.
STOCK = ROOT / "build" / "rp2" / "stock" / "firmware.uf2"
BUILT_IN = ROOT / "build" / "rp2" / "out" / "firmware.uf2"

# What a board says before its USB has started (after boot.py) comes on its UART.
BEFORE = """
import os, machine
os.dupterm(machine.UART(0, 921600, tx=machine.Pin(0), rx=machine.Pin(1)))
import sdboot
from machine import Pin, SPI
from spicard import SPICard
def card():
    return SPICard(SPI(1, sck=Pin(10), mosi=Pin(11), miso=Pin(12)), Pin(13))
"""


def built_in(case, *kept):
    """`case` on the firmware that has sdboot in it; unless PICO=all, of its tests those named only: it
    is the same code."""
    members = {"firmware": BUILT_IN, "__module__": case.__module__}
    for name in dir(case):
        if name.startswith("test_") and name not in kept and not ALL:
            members[name] = None
    return type(case.__name__ + "BuiltIn", (case,), members)


class PicoTest(BoardTest):
    firmware = STOCK

    def setUp(self):
        self.dir = own_folder(self, WORK)
        self.card = self.dir / "card.img"

    def power(self, *options, boot="", job="", typed="", before=BEFORE, files=(), **kwargs):
        """One power-on with boot(sd=card, `boot`) and then `job`; `files` {path: bytes} are put on
        the internal flash."""
        flash = self.dir / "flash.img"
        arguments = "sd=card" + (", " + boot if boot and "sd=" not in boot else "")
        arguments = boot if "sd=" in boot else arguments
        self.make_flash(flash, before + "sdboot.boot(%s)\n" % arguments + ATTEMPT + job, files)
        return self.power_flash(flash, *options, typed=typed, **kwargs)

    def make_flash(self, flash, boot_py, files=()):
        WORK.mkdir(parents=True, exist_ok=True)
        base = WORK / (self.firmware.parent.name + ".img")
        source = self.write_tree({"boot.py": boot_py.encode(), **dict(files)}, "flash")
        extra = ["%s:/lib/sdboot" % PACKAGE] if self.firmware == STOCK else []
        files = ("%s:/lib/spicard.py" % DRIVER, *extra)
        made_once(base, self.newest(), lambda new: host(FLASH_TOOL, "make", new, *files))
        shutil.copy(base, flash)
        host(FLASH_TOOL, "put", flash, source)

    def newest(self):
        files = (self.firmware, DRIVER, *HERE.glob("*.py"), *PACKAGE.iterdir())
        return max(f.stat().st_mtime for f in files)

    def power_flash(self, flash, *options, typed="", repl=True, status=0):
        """With `status` CUT the FAT on the card need not be whole: the next boot sees to that."""
        stats = self.dir / "stats"
        command = ["node", EMULATOR, "--firmware", self.firmware, "--flash", flash]
        command += ["--stats", stats, "--max-resets", "8", "--seconds", "60"]
        if self.card is not None:
            command += ["--card", self.card]
        done = subprocess.run(
            [str(c) for c in (*command, *options)],
            input=typed.encode(),
            capture_output=True,
            timeout=600,
        )
        result = Run(done, {k: int(v) for k, v in map(str.split, stats.read_text().splitlines())})
        self.assertEqual(result.status, status, result.out + result.err)
        if repl:
            self.assertIn("\n>>> ", result.out)
        if self.card is not None and status != CUT:
            self.assertIsNone(fsck(self.card))
        return result

    def stage(self, tar, version, *options, sha1=None, job="", **kwargs):
        """A power-on that installs the package `tar` from the internal flash."""
        line = "%s;new.tar;%s\n" % (version, sha1 or hashlib.sha1(tar).hexdigest())
        files = {"web/versions": line.encode(), "web/new.tar": tar}
        call = "attempt(lambda: sdboot.OTA('file:///flash/web').install_update_if_available())\n"
        return self.power(*options, job=call + job, files=files, **kwargs)

    def formatted_card(self, files):
        """A card of 64 MiB that this firmware has formatted, once for all tests, with `files`."""
        def make(new):
            self.fat_card((), 64 * MIB)
            copy_sparse(self.card, new)

        kept = WORK / ("card-%s.img" % self.firmware.parent.name)
        made_once(kept, self.newest(), make)
        copy_sparse(kept, self.card)
        self.put(files)
