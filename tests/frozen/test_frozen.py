# SPDX-License-Identifier: MIT
"""Firmware with sdboot built in (micropython/manifest.py, USER_C_MODULES): the flash is empty, and
the board does all it does with the package on the flash."""

import hashlib
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lab import ROOT, Nginx, host, mcopy, own_folder  # noqa: E402

BOARD = ROOT / "build" / "sim-frozen" / "board"
WORK = ROOT / "build" / "test-frozen"
MAIN = """
import machine, sdboot
print("=> main", sdboot.version(), sdboot.__path__)
if sdboot.OTA("%s").install_update_if_available():
    machine.reset()
sdboot.confirm()
"""


class Frozen(unittest.TestCase):
    def setUp(self):
        self.dir = own_folder(self, WORK)
        self.flash = self.dir / "flash.img"
        self.flash.touch()
        self.card = self.dir / "card.img"
        with open(self.card, "wb") as f:
            f.truncate(64 << 20)

    def power(self):
        command = [BOARD, "--flash", self.flash, "--card", self.card, "--max-resets", "4"]
        done = subprocess.run(
            [str(c) for c in command], input=b"", capture_output=True, timeout=60
        )
        out = done.stdout.decode().replace("\r\n", "\n")
        self.assertEqual(done.returncode, 0, out)
        self.assertNotIn("Traceback", out)
        return out

    def release(self, version, url):
        tree = self.dir / version
        (tree / "app").mkdir(parents=True)
        (tree / "app" / ".version").write_text(version)
        (tree / "main.py").write_text(MAIN % url)
        return tree

    def test_an_empty_flash_boots_the_card(self):
        out = self.power()
        self.assertIn("sdboot: the SD card holds nothing: formatting it as fat", out)
        self.assertIn("sdboot: no release on SD card, FAT, 64 MiB", out)

    def test_an_update(self):
        self.power()
        web = self.dir / "web"
        web.mkdir()
        with Nginx(web) as url:
            old = self.release("0.0.1", url)
            mcopy(self.card, old / "app", old / "main.py")
            new = self.release("0.0.2", url)
            with tarfile.open(web / "new.tar", "w") as tar:
                tar.add(new / "app", "app")
                tar.add(new / "main.py", "main.py")
            digest = hashlib.sha1((web / "new.tar").read_bytes()).hexdigest()
            (web / "versions").write_text("0.0.2;new.tar;%s\n" % digest)
            out = self.power()
            self.assertIn("=> main 0.0.1 .frozen/sdboot", out)
            self.assertIn("=> main 0.0.2 .frozen/sdboot", out)
            self.assertIn("=> main 0.0.2", self.power())

    def test_what_is_frozen_comes_first(self):
        """An old package and an own boot.py on the flash are not run."""
        package = self.dir / "sdboot"
        package.mkdir()
        (package / "__init__.py").write_text("print('=> package of the flash')\n")
        own = self.dir / "boot.py"
        own.write_text("print('=> boot.py of the flash')\n")
        sources = ["%s:/boot.py" % own, "%s:/lib/sdboot" % package]
        host(ROOT / "sim" / "flash.py", "make", self.flash, *sources)
        out = self.power()
        self.assertNotIn("=>", out)
        self.assertIn("sdboot: no release on SD card", out)


if __name__ == "__main__":
    unittest.main()
