# SPDX-License-Identifier: MIT
"""Native modules that a firmware can't take: what the user reads, and that the board goes on.

Run by `make test-native` on each emulated board, with SDBOOT_BOARD and SDBOOT_PACKAGE set.
"""

import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "board"))
from rig import ATTEMPT, BOOT, EMULATED, PACKAGE, ROOT, BoardTest, host  # noqa: E402
from web import PythonServer, Site, package  # noqa: E402

ARCH = PACKAGE.parents[1].name
FILES = {"main.py": b"print('main runs')\n", "app/.version": b"0.0.1"}
NEW = {"main.py": b"print('new main runs')\n", "app/.version": b"0.0.2"}
STAY = "sdboot: staying on internal flash"
QUICK = BOOT % "trial_timeout=0"


class Native(BoardTest):
    def flash_with(self, modules, boot=QUICK):
        """A flash with the package, `modules` {name: bytes} replaced in it."""
        folder = self.dir / "sdboot"
        shutil.copytree(PACKAGE, folder)
        for name, data in modules.items():
            (folder / name).write_bytes(data)
        flash = self.dir / "flash.img"
        source = self.dir / "boot.py"
        source.write_text(boot + ATTEMPT)
        sources = ["%s:/boot.py" % source, "%s:/lib/sdboot" % folder]
        host(ROOT / "sim" / "flash.py", "make", flash, *sources)
        return flash

    def module(self, name, arch=ARCH):
        return (ROOT / "build" / "native" / arch / "lib" / "sdboot" / name).read_bytes()


class Wrong(Native):
    def test_architecture(self):
        self.fat_card(FILES)
        other = self.module("_sdboot.mpy", "armv7m" if ARCH != "armv7m" else "xtensawin")
        r = self.power_flash(self.flash_with({"_sdboot.mpy": other}))
        self.assertIn("sdboot: _sdboot is not made for this firmware", r.out)
        self.assertIn("install the package for " + ARCH, r.out)
        self.assertIn(STAY, r.out)
        self.assertNotIn("main runs", r.out)

    def test_sub_version(self):
        # Native code of another .mpy sub-version than 6.3 on a firmware that says it is none of 6.3.
        data = bytearray(self.module("_sdboot.mpy"))
        data[2] = data[2] & ~3 | 2
        fake = (
            "import sdboot._native, sys\n"
            "class Older:\n"
            "    modules, version = sys.modules, '3.4.0; MicroPython v1.22.2 on 2024-02-22'\n"
            "    class implementation:\n"
            "        _mpy = sys.implementation._mpy & ~0x300 | 0x200\n"
            "sdboot._native.sys = Older\n"
        )
        self.fat_card(FILES)
        r = self.power_flash(self.flash_with({"_sdboot.mpy": bytes(data)}, fake + QUICK))
        self.assertIn("MicroPython 1.23 to 1.28 is needed, this is MicroPython v1.22.2", r.out)
        self.assertIn(STAY, r.out)

    def test_version(self):
        # Bytecode of another .mpy version: not even the glue can be read.
        data = bytearray(self.module("board.mpy"))
        data[1] = 5
        self.fat_card(FILES)
        r = self.power_flash(self.flash_with({"board.mpy": bytes(data)}))
        self.assertIn("ImportError: sdboot is made for MicroPython 1.23 to 1.28, not for", r.out)
        self.assertNotIn("main runs", r.out)


@unittest.skipUnless(EMULATED, "the simulated board's memory for code has no end")
class Memory(Native):
    def text(self, *names):
        """Bytes of executable memory that modules take, rounded up."""
        obj = ROOT / "build" / "native" / "obj" / ARCH
        said = [(obj / (name + ".sizes")).read_text() for name in names]
        return sum(int(s.split("text size:")[1].split()[0]) + 16 for s in said)

    def test_no_room_at_boot(self):
        self.fat_card(FILES)
        r = self.power_flash(self.flash_with({}), "--exec", "4K")
        self.assertIn("sdboot: no memory for the native module _sdboot: import sdboot before", r.out)
        self.assertIn(STAY, r.out)

    def test_no_room_to_update(self):
        self.fat_card(FILES)
        site = Site(self.dir / "www")
        site.add("0.0.2", package(NEW))
        with PythonServer(site.folder) as url:
            call = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n" % url
            flash = self.flash_with({}, QUICK + ATTEMPT + call + call)
            fits = ["_sdboot"]
            for name in ("_sdlist", "_sdhttp", "_sdota"):
                r = self.power_flash(flash, "--exec", self.text(*fits))
                self.assertEqual(len(r.errors), 2)
                for error in r.errors:  # an application tries again
                    self.assertIn("Error 12 no memory for the native module " + name, error)
                self.assertIn("main runs", r.out)
                fits.append(name)
            r = self.power_flash(flash, "--exec", self.text(*fits))
        self.assertEqual(r.results[0], "True")

    def test_no_room_to_swap(self):
        self.fat_card(FILES)
        site = Site(self.dir / "www")
        site.add("0.0.2", package(NEW))
        with PythonServer(site.folder) as url:
            call = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n" % url
            self.power_flash(self.flash_with({}, QUICK + ATTEMPT + call))
        shutil.rmtree(self.dir / "sdboot")
        flash = self.flash_with({})
        r = self.power_flash(flash, "--exec", self.text("_sdboot"))
        self.assertIn("sdboot: no memory for the native module _sdswap", r.out)
        self.assertIn("\nmain runs", r.out)
        r = self.power_flash(flash)  # more memory, and it goes on
        self.assertIn("sdboot: release 0.0.2 is in place", r.out)
        self.assertIn("\nnew main runs", r.out)


if __name__ == "__main__":
    unittest.main()
