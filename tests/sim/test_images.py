# SPDX-License-Identifier: MIT
# The image tools: what they write, the board reads, and back.
import os
import unittest
from board import ROOT, Bench, host

FLASH = os.path.join(ROOT, "sim/flash.py")
CARD = os.path.join(ROOT, "sim/card.py")


class Images(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.addCleanup(self.bench.dir.cleanup)
        self.image = self.bench.path("image")
        self.tree = self.bench.path("tree")
        os.makedirs(self.tree + "/a/b")
        with open(self.tree + "/a/b/big", "wb") as f:
            f.write(bytes(range(256)) * 100)
        with open(self.tree + "/empty", "wb"):
            pass

    def tool(self, tool, *args, status=0):
        done = host(tool, *args)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def round_trip(self, tool):
        self.tool(tool, "make", self.image, "--size", "1M", self.tree)
        self.assertEqual(os.path.getsize(self.image), 1 << 20)
        self.tool(tool, "put", self.image, self.tree + "/empty:/x/y")
        self.tool(tool, "rm", self.image, "/empty")
        listing = self.tool(tool, "ls", self.image).split()
        self.assertEqual(listing, "/a/ /a/b/ 25600 /a/b/big /x/ 0 /x/y".split())
        self.tool(tool, "get", self.image, "/", self.bench.path("out"))
        with open(self.bench.path("out/a/b/big"), "rb") as f:
            self.assertEqual(f.read(), bytes(range(256)) * 100)

    def test_flash(self):
        self.round_trip(FLASH)
        self.bench.flash = self.image
        r = self.bench.run(stdin="print(len(open('/a/b/big', 'rb').read()))\n")
        self.assertIn("\n25600\n", r.out)
        self.assertNotIn("initial setup", r.out)

    def test_card(self):
        self.round_trip(CARD)

    def test_mistakes(self):
        self.assertIn("usage", self.tool(FLASH, status=2))
        self.assertIn("usage", self.tool(FLASH, "make", status=2))
        self.assertIn("usage", self.tool(FLASH, "nonsense", self.image, status=2))
        self.assertIn("ENOENT", self.tool(FLASH, "ls", self.image, status=2))
        self.assertIn("size", self.tool(FLASH, "make", self.image, "--size", "5", status=2))
        self.assertIn("usage", self.tool(FLASH, "--help"))


if __name__ == "__main__":
    unittest.main()
