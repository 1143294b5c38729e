# SPDX-License-Identifier: MIT
"""`make install` on a Pico with stock firmware: real mpremote over its USB, then the board boots."""

import os
import subprocess
import sys
import unittest

from picorig import EMULATOR, STOCK, PicoTest
from rig import ROOT

sys.path[:0] = [str(ROOT / "tests" / "install"), str(ROOT / "tools")]
import install  # noqa: E402
from serialline import Line  # noqa: E402


class Install(PicoTest):
    def test_install(self):
        self.blank_card()
        line = Line()
        self.addCleanup(line.close)
        line.connect(["node", EMULATOR, "--firmware", STOCK, "--serial", "usb"] + self.options())
        out = self.tool("install", line, "--boot", "pin=22")
        self.assertIn("MicroPython 1.25.0 on Raspberry Pi Pico with RP2040, armv6m", out)
        self.assertIn("spicard.py, the card's driver, is in /lib", out)
        self.assertIn("boot.py installed", out)
        self.assertIn("boot.py is ours already", self.tool("install", line, "--boot", "pin=22"))
        self.mpremote(line, "--no-follow", "import machine; machine.reset()")
        out = self.mpremote(line, "import sdboot; print(sdboot.status())")
        self.assertIn("'mounted': '/'", out)
        self.assertIn("'filesystem': 'fat'", out)
        self.assertIn("boot.py removed", self.tool("uninstall", line))

    def options(self):
        return ["--card", self.card, "--seconds", "1000000"]

    def tool(self, action, line, *options):
        command = [ROOT / "tools" / "install.py", action, "--port", line.name, *options]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=400)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def mpremote(self, line, *words):
        env = dict(os.environ)
        command = [*install.find_mpremote(env), "connect", line.name, "resume", "exec", *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
