# SPDX-License-Identifier: MIT
"""Firmware that has less than an ESP32's, or has it elsewhere."""

import unittest

from rig import ATTEMPT, BOOT, FLASH_TOOL, HASTY, host
from test_device import DRIVER, FILES, STAY, DriverTest
from trials import TRIAL, TrialTest, both, new


class OtherFirmware(DriverTest):
    """Its machine module is a file of ours here."""

    def firmware(self, machine, boot="", before="", job="", modules=()):
        flash = self.dir / "flash.img"
        self.make_flash(flash, HASTY + before + BOOT % boot + ATTEMPT + job)
        for name, text in (("machine", machine), *modules):
            path = self.dir / (name + ".py")
            path.write_text(text)
            host(FLASH_TOOL, "put", flash, "%s:/%s.py" % (path, name))
        return self.power_flash(flash, typed="6 * 7\n")

    @staticmethod
    def machine(*without, more=""):
        names = "import umachine\nfor n in dir(umachine):\n    if n not in %r:\n" % (
            (*without, "__name__"),
        )
        return names + "        globals()[n] = getattr(umachine, n)\n" + more

    def test_no_sdcard_class(self):
        self.fat_card(FILES)
        r = self.firmware(self.machine("SDCard"))
        self.assertNotIn("Traceback", r.out)
        self.assertIn("sdboot: this firmware has no machine.SDCard: give boot() a driver", r.out)
        self.assertIn(STAY, r.out)
        self.assertIn("\n42\n", r.out)

    def test_no_sdcard_class_but_arguments_for_it(self):
        self.fat_card(FILES)
        r = self.firmware(self.machine("SDCard"), boot="sd={'slot': 2}, pin=21")
        self.assertNotIn("Traceback", r.out)
        self.assertIn("sdboot: this firmware has no machine.SDCard", r.out)

    def test_no_sdcard_class_but_a_driver(self):
        self.fat_card(FILES)
        more = "_SDCard = umachine.SDCard\n"
        driver = DRIVER.replace("machine.SDCard", "machine._SDCard")
        r = self.firmware(self.machine("SDCard", more=more), boot="sd=Driver", before=driver)
        self.assertIn("main runs", r.out)

    def test_stm32(self):
        self.fat_card(FILES)
        pyb = "import umachine\nSDCard = umachine.SDCard\n"
        r = self.firmware(self.machine("SDCard"), modules=[("pyb", pyb)])
        self.assertIn("main runs", r.out)

    def test_class_with_other_arguments(self):
        self.fat_card(FILES)
        more = "def SDCard(id=1):\n    return umachine.SDCard(slot=id)\n"
        r = self.firmware(self.machine("SDCard", more=more))
        self.assertIn("main runs", r.out)

    def test_flash_in_a_folder(self):
        """STM32 and i.MX RT: the flash is /flash from the beginning, "/" is nothing."""
        self.fat_card({**FILES, "lib/mine.py": b"print('mine of the card')\n", "main.py": b"import mine\n"})
        layout = """
import os, sys, vfs
root = [fs for fs, point in vfs.mount() if point == "/"][0]
vfs.umount("/")
vfs.mount(root, "/flash")
os.chdir("/flash")
sys.path[:] = ["", ".frozen", %s]
"""
        job = """
attempt(lambda: sorted(point for fs, point in vfs.mount()))
attempt(lambda: (os.getcwd(), sdboot.__path__, "boot.py" in os.listdir("/flash")))
attempt(lambda: (sdboot.OTA("http://x").url, sdboot.verify))
attempt(lambda: len(sdboot.status()))
"""
        for path, package in (('"/flash", "/flash/lib"', "/flash/lib"), ('"lib"', "/flash/lib")):
            flash = self.dir / "flash.img"
            boot_py = layout % path + HASTY + BOOT % "" + ATTEMPT + job
            self.make_flash(flash, boot_py)
            r = self.power_flash(flash)
            self.assertIn("mine of the card", r.out)
            self.assertEqual(r.results[0], "['/', '/flash']")
            self.assertEqual(r.results[1], "('/', '%s/sdboot', True)" % package)
            self.assertEqual((r.errors, len(r.results)), ([], 4))


class OtherTrials(TrialTest):
    """Trials on boards with other timers, and without a reset cause for soft resets."""

    TIMER = """
class Timer:
    ONE_SHOT = 0
    PERIODIC = 1
    def __init__(self, number):
        if number != -1:
            raise ValueError("Timer doesn't exist")
        self.timer = umachine.Timer(2)
    def init(self, *, mode, period, callback):
        self.timer.init(mode=mode, period=period, callback=callback)
    def deinit(self):
        self.timer.deinit()
"""

    def make_flash(self, flash, boot_py):
        super().make_flash(flash, boot_py)
        path = self.dir / "machine.py"
        path.write_text(OtherFirmware.machine("Timer", "SOFT_RESET", more=self.TIMER))
        host(FLASH_TOOL, "put", flash, "%s:/machine.py" % path)

    @both
    def test_one_timer_in_software(self, board):
        board.stage(new())
        r = board.live("OLD RUNS")
        board.assertTakenBack(r, "expired")
        self.assertEqual(r.out.count("has not confirmed in time"), 2, r.out)

    @both
    def test_soft_resets_count(self, board):
        """There is no telling them from others."""
        board.stage(new())
        r = board.live("OLD RUNS", boot="attempts=3, trial_timeout=100", typed="\x04" * 3)
        board.assertTakenBack(r, "expired")
        self.assertEqual(r.out.count("NEW RUNS"), 3, r.out)
        self.assertEqual(r.out.count("rst:"), 1)

    @both
    def test_no_timer(self, board):
        board.TIMER = "class Timer:\n    def __init__(self):\n        pass\n"
        board.stage(new())
        for _ in range(2):
            r = board.power(boot=TRIAL)
            self.assertIn("NEW RUNS", r.out)
            self.assertIn("no timer is free: a trial ends by its number of boots only", r.out)
        self.assertIn("OLD RUNS", board.power(boot=TRIAL).out)


if __name__ == "__main__":
    unittest.main()
