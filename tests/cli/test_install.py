# SPDX-License-Identifier: MIT
"""What `make install-host` puts on a PC: the tool, its manual pages, its completion."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "build" / "cli" / "sdboot"


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.prefix)
        subprocess.run([ROOT / "cli" / "dist" / "install.sh", TOOL, cls.prefix], check=True)
        cls.tool = cls.prefix / "bin" / "sdboot"

    def help(self, *command):
        return subprocess.run([self.tool, *command, "--help"], capture_output=True, text=True, check=True).stdout

    def commands(self):
        return [line.split()[0] for line in self.help().splitlines() if line.startswith("  ") and "  " in line.strip()]

    def test_a_page_for_each_command(self):
        pages = {p.name for p in (self.prefix / "share" / "man" / "man1").iterdir()}
        self.assertGreater(len(pages), 10)
        self.assertEqual(pages, {"sdboot.1", *("sdboot-%s.1" % c for c in self.commands())})

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_pages_are_well_formed(self):
        for page in sorted((self.prefix / "share" / "man" / "man1").iterdir()):
            done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-P-c", page], capture_output=True, text=True)
            self.assertEqual(done.stderr, "", page.name)
            text = re.sub(".\b", "", done.stdout)  # bold is written twice
            for part in ("NAME", "SYNOPSIS", "EXAMPLES", "EXIT STATUS"):
                self.assertIn(part, text, page.name)

    def test_every_command_says_how(self):
        for command in self.commands():
            text = self.help(command)
            self.assertTrue(text.startswith("usage: sdboot " + command), text)
            self.assertIn("\n  sdboot " + command, text, "an example")
            self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def complete(self, *words):
        script = 'source "%s"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sdboot; printf "%%s\\n" "${COMPREPLY[@]}"' % (
            self.prefix / "share" / "bash-completion" / "completions" / "sdboot"
        )
        done = subprocess.run(["bash", "-c", script, "bash", self.tool, *words], capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_completion(self):
        self.assertEqual(self.complete("ro"), ["rollout"])
        self.assertEqual(set(self.complete("")), {*self.commands(), "--help", "--version"})
        self.assertEqual(set(self.complete("card", "")), {"info", "check", "manifest", "extract", "repair", "sync"})
        self.assertIn("--mpy-cross", self.complete("release", "--m"))
        self.assertIn("-k", self.complete("rollout", "-"))
        self.assertEqual(self.complete("image", "--fs", "l"), ["littlefs"])


if __name__ == "__main__":
    unittest.main()
