# SPDX-License-Identifier: MIT
"""examples/ci/release.sh: a tag, a signed release, some boards, then all of them, or none."""

import os
import subprocess
import unittest
import urllib.request
from pathlib import Path

from test_cli import ROOT, TOOL, ToolTest, rig, web  # noqa: F401, first: says where lab is

from lab import Nginx

SCRIPT = ROOT / "examples" / "ci" / "release.sh"


def share(name, version):
    """A board's place for the rollout: docs/FORMAT.md."""
    h = 2166136261
    for byte in bytes.fromhex(name) + b";" + version.encode():
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return (h ^ h >> 16) % 100


class Board:
    """Asks for the list, takes the last release in it that is for it, says what became of it."""

    def __init__(self, number, works):
        self.id = "240ac4%06x" % number
        self.works = works
        self.running, self.event, self.bad = "0.0.1", "confirmed 0.0.1", None

    def get(self, url):
        agent = "sdboot/0.9 (esp32; %s; %s; %s)" % (self.id, self.running, self.event)
        return urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": agent}), timeout=20).read()

    def poll(self, url):
        rollout = {}
        for line in self.get(url + "/versions").decode().splitlines():
            if line.startswith("#"):
                words = dict(w.split("=", 1) for w in line.split()[2:])
                rollout[words.get("file")] = int(words.get("rollout", 100))
                continue
            version, file, _ = line.split(";")
        if version in (self.running, self.bad) or share(self.id, version) >= rollout.get(file, 100):
            return
        self.get(url + "/" + file)
        if self.works(version):
            self.running, self.event = version, "confirmed " + version
        else:
            self.bad, self.event = version, "failed %s expired: ValueError" % version


class Pipeline(ToolTest):
    def setUp(self):
        super().setUp()
        self.tool("keygen", "-W")
        self.release("0.0.1", "-k", "sdboot.key")
        self.nginx = Nginx(self.www)
        self.url = self.nginx.__enter__()
        self.addCleanup(self.nginx.__exit__)

    def job(self, *arguments, status=0):
        env = {**os.environ, "SDBOOT": str(TOOL), "LOG": str(Path(self.nginx.dir.name) / "access.log"),
               "UPLOAD": "touch uploaded"}  # fmt: skip
        done = subprocess.run([SCRIPT, *arguments], cwd=self.dir, env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def fleet(self, works, count=120):
        return [Board(i, works) for i in range(count)]

    def poll(self, boards):
        for board in boards:
            board.poll(self.url)
        for board in boards:
            board.get(self.url + "/versions")
        return sum(b.running == "0.0.2" for b in boards)

    def test_all_goes_well(self):
        boards = self.fleet(lambda version: True)
        self.write({"app/code.py": "version = '0.0.2'\n", "main.py": "print(2)\n"})
        self.job("publish", "0.0.2")
        self.assertIn("too few", self.job("widen"))
        have = [self.poll(boards)]
        for want in ("25 %", "100 %"):
            self.assertIn(want, self.job("widen"))
            self.tool("verify", "-p", "sdboot.pub", "www")
            have.append(self.poll(boards))
        self.assertTrue(3 <= have[0] < 15 < have[1] < 50 < have[2] == 120, have)
        self.assertIn("nothing to do", self.job("widen"))
        self.assertTrue((self.dir / "uploaded").exists())

    def test_it_goes_wrong(self):
        boards = self.fleet(lambda version: version != "0.0.2")
        self.write({"app/code.py": "version = '0.0.2'\n"})
        self.job("publish", "0.0.2")
        self.assertEqual(self.poll(boards), 0)
        self.assertIn("withdrawn", self.job("widen", status=1))
        self.assertNotIn("0.0.2", (self.www / "versions").read_text())
        self.tool("verify", "-p", "sdboot.pub", "www")
        self.assertIn("nothing to do", self.job("widen"))
        failed = [b for b in boards if b.bad]
        self.assertLess(len(failed), 15)

    def test_some_trouble(self):
        """Nothing is done by halves."""
        self.write({"lib/a:b.py": "x"})
        os.environ["PATHS"] = "app main.py lib"
        self.addCleanup(os.environ.pop, "PATHS")
        self.job("publish", "0.0.2", status=1)
        self.job("publish", status=2)
        self.job(status=2)
        (self.dir / "sdboot.key").unlink()
        self.job("publish", "0.0.3", status=2)
        self.assertNotIn("0.0.3", (self.www / "versions").read_text())


if __name__ == "__main__":
    unittest.main()
