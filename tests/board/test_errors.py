"""A card that fails: whoever writes is told."""

import unittest

from rig import MIB, BoardTest

FILES = {"main.py": b"print('main runs')\n", "config.json": b'{"a": 1}\n' * 50, "old": b"old"}
WRITERS = """
import os
def put(name, data, mode="wb"):
    with open(name, mode) as f:
        f.write(data)
def flushed(f):
    f.write("x" * 10)
    f.flush()
"""
# Each changes the card.
CALLS = (
    'put("/config.json", b"new")',
    'put("/config.json", b"more", "ab")',
    'put("/config.json", b"new", "r+b")',
    'put("/new", b"")',
    'flushed(open("/config.json", "a"))',
    'os.remove("/old")',
    'os.rename("/old", "/older")',
    'os.rename("/old", "/config.json")',
    'os.mkdir("/folder")',
)


class ReadOnlyCard(BoardTest):
    """Every write fails, from boot on."""

    def refused(self, boot=""):
        for call in CALLS:
            with self.subTest(call=call):
                r = self.power("--card-ro", boot=boot, job=WRITERS + "attempt(lambda: %s)\n" % call)
                self.assertEqual(r.results, [], r.out)
                self.assertRegex(r.errors[0], "^(OSError|Error) [1-9]")
                self.assertFiles(FILES)

    def test_fat(self):
        for size in (8 * MIB, 64 * MIB):
            self.fat_card(FILES, size)
            self.refused()
            self.refused("journal=False")

    def test_littlefs(self):
        self.littlefs_card(FILES)
        self.refused()


if __name__ == "__main__":
    unittest.main()
