# SPDX-License-Identifier: MIT
"""docs/INSTALL.md on a Pico with stock firmware, over its USB with the real mpremote: `make install`, an
application onto the card, and the first update of it."""

import os
import subprocess
import sys
import unittest

from picorig import EMULATOR, STOCK, PicoTest
from rig import ROOT
from web import Site, package

sys.path[:0] = [str(ROOT / "tests" / "install"), str(ROOT / "tools")]
import install  # noqa: E402
from serialline import Line  # noqa: E402


MAIN = "import app.code, sdboot\nprint('release', app.code.version, sdboot.confirm())\n"


def release(version):
    return {
        "app/.version": version.encode(),
        "app/code.py": ("version = %r\n" % version).encode(),
        "main.py": MAIN.encode(),
    }


class Install(PicoTest):
    def test_from_the_box_to_an_update(self):
        self.blank_card()
        line = Line()
        self.addCleanup(line.close)
        line.connect(["node", EMULATOR, "--firmware", STOCK, "--serial", "usb"] + self.options())
        out = self.tool("install", line, "--boot", "pin=22")
        self.assertIn("MicroPython 1.25.0 on Raspberry Pi Pico with RP2040, armv6m", out)
        self.assertIn("spicard.py, the card's driver, is in /lib", out)
        self.assertIn("boot.py installed", out)
        self.assertIn("boot.py is ours already", self.tool("install", line, "--boot", "pin=22"))
        self.mpremote(line, "exec", "--no-follow", "import machine; machine.reset()")
        out = self.mpremote(line, "exec", "import sdboot; print(sdboot.status())")
        self.assertIn("'mounted': '/'", out)
        self.assertIn("'filesystem': 'fat'", out)
        source = self.write_tree(release("0.0.1"), "application")
        self.mpremote(line, "fs", "cp", "-r", source / "app", source / "main.py", ":/")
        site = Site(self.dir / "www")
        site.add("0.0.2", package(release("0.0.2")))
        self.assertIn("push: staged in", self.push(line, site.folder))
        # mpremote's next Ctrl-C may come before the board has reset itself.
        self.mpremote(line, "exec", "--no-follow", "import machine; machine.reset()")
        out = self.mpremote(line, "exec", "import app.code; print('it runs', app.code.version)")
        self.assertIn("it runs 0.0.2", out)
        self.assertIn("boot.py removed", self.tool("uninstall", line))

    def options(self):
        return ["--card", self.card, "--seconds", "1000000"]

    def tool(self, action, line, *options):
        return self.run_tool("install.py", action, "--port", line.name, *options)

    def push(self, line, folder):
        return self.run_tool("push.py", "--port", line.name, folder)

    def run_tool(self, name, *options):
        command = ["/usr/bin/python3", ROOT / "tools" / name, *options]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=400)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def mpremote(self, line, *words):
        env = dict(os.environ)
        command = [*install.find_mpremote(env), "connect", line.name, "resume", *words]
        done = subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=400)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
