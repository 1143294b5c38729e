# SPDX-License-Identifier: MIT
"""A Pico's boots: from a blank card to an application, cards of any kind, and errors."""

import unittest

from picorig import BEFORE, PicoTest, built_in
from rig import MIB

MAIN = {"main.py": b"import app.code\nprint('main runs', app.code.x)\n", "app/code.py": b"x = 7\n"}


class Boot(PicoTest):
    def test_first_day(self):
        """A blank card is formatted; with an application on it, that one runs."""
        self.blank_card(64 * MIB)
        r = self.power()
        self.assertIn("sdboot: the SD card holds nothing: formatting it as fat", r.out)
        self.assertIn("sdboot: no release on SD card, FAT, 64 MiB", r.out)
        self.put(MAIN)
        before = self.files()
        r = self.power(job="import os, sys\nprint('=>', sorted(os.listdir('/')), sys.path)\n")
        self.assertIn("main runs 7", r.out)
        self.assertIn("'/flash/lib'", r.results[0])
        self.assertEqual(r.stats["card_write_sectors"], 0)
        self.assertEqual(r.stats["flash_writes"] + r.stats["flash_erases"], 0)
        self.assertEqual(self.files(), before)

    def test_recovery_pin(self):
        self.blank_card()
        self.power()
        self.put(MAIN)
        job = "print('=>', __import__('os').listdir('/sd'))\n"
        r = self.power("--pin", "18=0", job=job)
        self.assertIn("sdboot: recovery pin is low: card is at /sd", r.out)
        self.assertNotIn("main runs", r.out)
        self.assertIn("main.py", r.results[0])
        self.assertIn("main runs", self.power("--pin", "19=0", job=job.replace("/sd", "/")).out)

    def test_no_card(self):
        self.card = None
        r = self.power(boot="sd=card")
        self.assertIn("sdboot: no SD card after 5 tries", r.out)
        self.assertIn("sdboot: staying on internal flash", r.out)

    def test_nothing_given(self):
        """Without sd= boot() says what a board without machine.SDCard needs."""
        self.blank_card()
        r = self.power(boot="sd=None")
        self.assertIn("this firmware has no machine.SDCard", r.out)
        self.assertIn("sdboot: staying on internal flash", r.out)

    def test_card_wakes_late(self):
        self.blank_card()
        r = self.power("--card-init-fails", "2")
        self.assertIn("sdboot: no release on SD card, FAT, 8 MiB", r.out)

    def test_small_card(self):
        """One with byte addresses."""
        self.blank_card(16 * MIB)
        self.power("--card-sdsc")
        self.put(MAIN)
        self.assertIn("main runs 7", self.power("--card-sdsc").out)

    def test_card_that_cannot_be_read(self):
        self.blank_card()
        self.power()
        r = self.power("--card-bad", "0")
        self.assertIn("read error", r.out)
        self.assertIn("sdboot: staying on internal flash", r.out)
        self.assertEqual(r.stats["card_write_sectors"], 0)

    def test_card_that_cannot_be_written(self):
        self.blank_card()
        self.power()
        self.put(MAIN)
        self.assertIn("main runs 7", self.power("--card-ro").out)
        job = "def f():\n    with open('/x', 'w') as f: f.write('x')\nattempt(f)\n"
        self.assertIn("OSError 5", self.power("--card-ro", job=job).errors[0])

    def test_littlefs(self):
        self.blank_card()
        job = "with open('/a', 'w') as f: f.write('a' * 3000)\n"
        r = self.power(boot='fs="littlefs"', job=job)
        self.assertIn("no release on SD card, littlefs, 8 MiB", r.out)
        self.assertEqual(self.files()["a"], b"a" * 3000)

    def test_soft_reset(self):
        """The card is found again without power being cut."""
        self.blank_card()
        self.power()
        self.put(MAIN)
        r = self.power(typed="\x04")
        self.assertEqual(r.out.count("main runs 7"), 2)
        self.assertEqual(r.stats["card_inits"], 2)

    def test_usb(self):
        """What boot.py says is not seen over USB, which starts after it; status() is."""
        self.blank_card()
        self.power()
        self.put(MAIN)
        before = "".join(line for line in BEFORE.splitlines(True) if "dupterm" not in line)
        r = self.power("--serial", "usb", before=before, typed="sdboot.status()['filesystem']\r")
        self.assertIn("'fat'\n>>> ", r.out)


BootBuiltIn = built_in(Boot, "test_first_day")


if __name__ == "__main__":
    unittest.main()
