# SPDX-License-Identifier: MIT
"""`make install` on real MicroPython for Arm, RISC-V and windowed Xtensa under QEMU: the package of
the board's architecture is found, installed over the serial line, and runs."""

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from test_install import ROOT, InstallTest, package  # noqa: E402


class Emulated:
    def test_install_boot_uninstall(self):
        board = ROOT / "build" / "emu" / self.name / "board"
        card = self.dir / "card.img"
        with open(card, "wb") as f:
            f.truncate(16 << 20)
        self.power_on(board=board)
        out = self.tool("install")
        self.assertRegex(out, "install: MicroPython 1.25.0 on .*, %s\n" % self.arch)
        found = self.files()
        self.assertEqual({**found, **package(self.arch)}, found)
        self.assertIn("nothing to copy", self.tool("install"))
        self.power_on("--card", card, board=board)
        said = self.line.seen.decode()
        self.assertTrue(re.search("sdboot: no release on SD card, FAT, 16 MiB", said), said)
        self.tool("uninstall")
        self.assertFalse([p for p in self.files() if "sdboot" in p])


class Arm(Emulated, InstallTest):
    name = "mps2"
    arch = "armv7m"


class RiscV(Emulated, InstallTest):
    name = "virt-rv32"
    arch = "rv32imc"


class Xtensa(Emulated, InstallTest):
    name = "xtensa"
    arch = "xtensawin"


if __name__ == "__main__":
    unittest.main()
