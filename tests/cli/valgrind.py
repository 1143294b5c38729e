# SPDX-License-Identifier: MIT
"""The host tool under valgrind: no access that is not its own."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "build" / "cli" / "sdboot"
VALGRIND = ("valgrind", "-q", "--error-exitcode=99", "--child-silent-after-fork=yes")


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Valgrind(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        (self.dir / "src" / "app").mkdir(parents=True)
        (self.dir / "src" / "main.py").write_text("print(1)\n")
        (self.dir / "src" / "app" / "code.py").write_text("x = 1\n" * 1000)

    def run_tool(self, *arguments, status=0):
        command = [str(a) for a in (*VALGRIND, TOOL, *arguments)]
        done = subprocess.run(command, cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)

    def test_releases(self):
        self.run_tool("keygen", "-W")
        for version in ("0.0.1", "0.0.2"):
            (self.dir / "src" / "app" / "new.py").write_text(version)
            self.run_tool("release", "-v", version, "-C", "src", "-o", "www", "-k", "sdboot.key", "--keep", "1",
                          "--rollout", "5", "--expires", "+9", "app", "main.py")  # fmt: skip
        self.run_tool("rollout", "-k", "sdboot.key", "50", "0.0.2", "www")
        self.run_tool("verify", "-p", "sdboot.pub", "--json", "www")
        self.run_tool("withdraw", "-k", "sdboot.key", "0.0.2", "www")
        self.run_tool("sign", "src/main.py")
        self.run_tool("release", "-v", "new", "-o", "www", "app", status=2)

    def test_cards(self):
        for fs in ("fat", "littlefs"):
            card = fs + ".img"
            self.run_tool("image", "--size", "8M", "--fs", fs, "--from", "src", card)
            for command in ("info", "check", "manifest"):
                self.run_tool("card", command, card)
                self.run_tool("card", command, "--json", card)
            self.run_tool("card", "repair", card)
            self.run_tool("card", "sync", card)
            self.run_tool("card", "extract", card, "-o", fs)
        (self.dir / "garbage").write_bytes(bytes(range(1, 256)) * 40000)
        self.run_tool("card", "check", "garbage", status=1)

    def test_logs(self):
        lines = []
        for i in range(3000):
            agent = "sdboot/0.9 (esp32; board-%d; 0.0.%d; failed 0.0.2 expired: %%28%d%%29)" % (i % 700, i % 3, i)
            lines.append('x - - [25/Nov/2026:22:%02d:01 +0000] "GET /v HTTP/1.1" 200 9 "-" "%s"\n' % (i % 60, agent[: 60 + i % 40]))
            lines.append(lines[-1].replace(agent[: 60 + i % 40], agent))
        (self.dir / "log").write_text("".join(lines))
        self.run_tool("fleet", "--html", "page.html", "--boards", "0", "log")
        self.run_tool("fleet", "--json", "--alert", "log", status=1)
