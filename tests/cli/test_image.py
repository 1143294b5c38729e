# SPDX-License-Identifier: MIT
"""sdboot image: the card that a board makes, byte for byte."""

import os
import pty
import select
import subprocess
import time
import unittest

from test_cli import TOOL, rig, web  # first: says where rig is

from rig import MIB, BoardTest, blank, fsck


def tool(*arguments, status=0):
    env = {**os.environ, "SOURCE_DATE_EPOCH": "946684800", "TZ": "UTC"}  # what the board's clock says
    done = subprocess.run([str(a) for a in (TOOL, *arguments)], capture_output=True, text=True, env=env)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


class Image(BoardTest):
    def test_as_a_board_makes_it(self):
        image = self.dir / "made.img"
        for size in (4 * MIB, 8 * MIB, 63 * MIB, 600 * MIB, 5 * 1024 * MIB):
            with self.subTest(size):
                blank(self.card, size)
                self.power()
                board = dict(rig.extents(self.card))
                with open(self.card, "rb") as f:
                    start = rig.find_fat(self.card) * 512
                    f.seek(start)
                    boot = f.read(512)
                at = 67 if boot[82:87] == b"FAT32" else 39
                serial = int.from_bytes(boot[at : at + 4], "little")
                tool("image", "--size", size, "--serial", serial, "--force", image)
                self.assertEqual(rig.digest(image), rig.digest(self.card))
                self.assertLess(os.stat(image).st_blocks * 512, 12 * MIB)  # sparse
                self.assertTrue(board)

    def test_littlefs(self):
        image = self.dir / "made.img"
        blank(self.card, 8 * MIB)
        self.power(boot="fs='littlefs'")
        tool("image", "--size", "8M", "--fs", "littlefs", image)
        self.assertEqual(rig.digest(image), rig.digest(self.card))

    def test_a_board_runs_from_it(self):
        tree = self.write_tree({**web.release("0.0.1"), "deep/er/x.txt": b"y" * 100000})
        for fs in ("fat", "littlefs"):
            with self.subTest(fs):
                tool("image", "--size", "16M", "--fs", fs, "--from", tree, "--force", self.card)
                self.assertIsNone(fsck(self.card))
                self.assertFiles({**web.release("0.0.1"), "deep/er/x.txt": b"y" * 100000})
                writes = self.power().stats["card_write_sectors"]
                self.assertEqual(writes, 0)
                tool("card", "check", self.card)

    def test_arguments(self):
        tree = self.write_tree({"a": b"x" * 100000})
        blank(self.card, MIB)
        for arguments, status, word in (
            (("--size", "8M", self.card), 2, "exists"),
            (("--size", "1M", self.dir / "x"), 2, "too small"),
            (("--size", "100", self.dir / "x"), 2, "no size"),
            (("--size", "3T", self.dir / "x"), 2, "no size"),
            (("--size", "4096G", self.dir / "x"), 2, "2 TiB"),
            (("--size", "-1", self.dir / "x"), 2, "no size"),
            ((self.dir / "new",), 2, "how large"),
            (("--size", "8M", "--fs", "exfat", self.dir / "x"), 2, "littlefs"),
            (("--size", "4M", "--from", self.dir / "none", self.dir / "y"), 2, "No such"),
        ):
            with self.subTest(word):
                self.assertIn(word, tool("image", *arguments, status=status))
        for i in range(45):
            (tree / ("f%d" % i)).write_bytes(b"z" * 100000)
        self.assertIn("full", tool("image", "--size", "4M", "--from", tree, self.dir / "z", status=1))


class Sim(BoardTest):
    def test_the_simulated_board_on_a_card(self):
        tree = self.write_tree({"main.py": b"print('hello from the card')\n"})
        tool("image", "--size", "16M", "--from", tree, self.card)
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        command = [str(TOOL), "sim", str(self.card)]
        process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        out = b""
        end = time.monotonic() + 120
        while b">>> " not in out and time.monotonic() < end and process.poll() is None:
            if select.select([ours], [], [], 1)[0]:
                out += os.read(ours, 4096)
        os.write(ours, b"\x1d")
        self.assertEqual(process.wait(60), 0, out)
        self.assertIn(b"hello from the card", out)

    def test_arguments(self):
        blank(self.card, MIB)
        self.assertIn("needs a card", tool("sim", status=2))
        self.assertIn("No such file", tool("sim", self.dir / "none", status=2))
        os.environ["SDBOOT_TREE"] = str(self.dir)
        self.addCleanup(os.environ.pop, "SDBOOT_TREE")
        self.assertIn("SDBOOT_TREE", tool("sim", self.card, status=2))


if __name__ == "__main__":
    unittest.main()
