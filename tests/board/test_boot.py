# SPDX-License-Identifier: MIT
"""What boot() does with good cards, and what it does when there is none or it fails."""

import unittest

import cards
from rig import MIB, BoardTest, digest, find_fat, read_sector

FILES = {"main.py": b"print('main runs')\n", "app/.version": b"1.2.3\n"}
STAY = "sdboot: staying on internal flash"


class NoCard(BoardTest):
    def test_empty_slot(self):
        self.card = None
        r = self.power(job="attempt(sdboot.status)\nattempt(sdboot.format)", typed="6 * 7\n")
        self.assertIn("sdboot: no SD card after 5 tries ([Errno 19] ENODEV): is it inserted", r.out)
        self.assertIn(STAY, r.out)
        self.assertIn("\n42\n", r.out)
        self.assertIn("Error 19 no SD card in use: call sdboot.boot() first", r.errors[0])
        self.assertIn("Error 19 there is no card", r.errors[1])
        self.assertEqual((r.stats["resets_hard"], r.stats["resets_soft"]), (0, 0))

    def test_nothing_is_mounted_without_a_card(self):
        self.card = None
        r = self.power(job="import vfs, os\nprint('=>', sorted(os.listdir('/')), len(vfs.mount()))")
        self.assertEqual(r.results, ["['boot.py', 'lib'] 1"])

    def test_third_try(self):
        self.fat_card(FILES)
        for fails in (1, 2, 4):
            with self.subTest(fails=fails):
                r = self.power("--card-init-fails", fails)
                self.assertIn("sdboot: 1.2.3 on SD card", r.out)
                self.assertIn("main runs", r.out)

    def test_never(self):
        self.fat_card(FILES)
        before = digest(self.card)
        r = self.power("--card-init-fails", 1000000)
        self.assertIn("sdboot: no SD card after 5 tries", r.out)
        self.assertIn(STAY, r.out)
        self.assertUntouched(before)

    def test_spi(self):
        self.fat_card(FILES)
        r = self.power(boot="pin=21, sd={'slot': 2}")
        self.assertIn("main runs", r.out)


class BadSectors(BoardTest):
    """A sector that can't be read is never a reason to write."""

    def untouched(self, lba, *say, boot="format='any'"):
        before = digest(self.card)
        for pin in (1, 0):
            job = "import vfs\nprint('=>', sorted(p for _, p in vfs.mount()))"
            r = self.power("--card-bad", lba, "--pin", "18=%d" % pin, boot=boot, job=job)
            if pin:
                self.assertTrue(any(text in r.out for text in say), r.out)
                self.assertEqual(r.results, ["['/']" if STAY in r.out else "['/', '/flash']"])
            self.assertNotIn("formatting", r.out)
            self.assertEqual(r.stats["card_write_sectors"], 0)
            self.assertUntouched(before)
        return r

    def layout(self):
        """First sectors of the FAT, the root directory and the data area."""
        start = find_fat(self.card)
        b = read_sector(self.card, start)
        fat = start + int.from_bytes(b[14:16], "little")
        sectors = int.from_bytes(b[22:24], "little") or int.from_bytes(b[36:40], "little")
        root = fat + b[16] * sectors
        return start, fat, root, root + int.from_bytes(b[17:19], "little") // 16

    def test_sector_0(self):
        for make in (
            lambda: self.fat_card(FILES),
            lambda: self.littlefs_card(FILES),
            lambda: self.blank_card(),
            lambda: cards.ntfs(self.card),
        ):
            make()
            self.untouched(0, "sdboot: read error on the SD card (5); nothing was formatted")

    def test_first_sectors_of_a_blank_card(self):
        self.blank_card()
        for lba in (1, 2, 6, 64, 128):
            self.untouched(lba, "nothing was formatted")

    def test_all_sectors(self):
        self.fat_card(FILES)
        self.untouched("0-20000", "nothing was formatted")

    def test_boot_sector_of_the_partition(self):
        self.fat_card(FILES)
        self.untouched(find_fat(self.card), "nothing was formatted")

    def test_fat(self):
        for bits in (16, 32):
            with self.subTest(bits=bits):
                cards.fat(self.card, bits, 2048, {16: 16, 32: 44}[bits] * MIB)
                self.put({**FILES, "app/big": bytes(100000)})
                self.power()
                _, fat, _, _ = self.layout()
                # One cluster each needs no look at the FAT.
                self.untouched("%d-%d" % (fat, fat + 30), "main runs")
                self.put({"main.py": b"open('/app/big').read()"})
                self.untouched("%d-%d" % (fat, fat + 30), "OSError: [Errno 5] EIO")

    def test_directory(self):
        for bits in (16, 32):
            with self.subTest(bits=bits):
                cards.fat(self.card, bits, 2048, {16: 16, 32: 44}[bits] * MIB)
                self.put(FILES)
                self.power()
                _, _, root, _ = self.layout()
                self.untouched("%d-%d" % (root, root + 1), "sdboot: SD card error 5, input or")

    def test_littlefs_root(self):
        self.littlefs_card(FILES)
        self.untouched("0-15", "nothing was formatted")
        self.untouched("1-15", "sdboot: SD card error 5, input or")  # known at sight

    def test_littlefs_directory(self):
        self.littlefs_card(FILES)
        self.untouched("200-16383", "sdboot: SD card error 5, input or output error: check")
        self.untouched("8", "sdboot: SD card error 5")


class Pin(BoardTest):
    def low(self, *say, boot="", writes=0):
        before = digest(self.card)
        r = self.power("--pin", "18=0", boot=boot, job="import os\nprint('=>', os.listdir('/'))")
        for text in say:
            self.assertIn(text, r.out)
        self.assertNotIn("main runs", r.out)
        self.assertIn("boot.py", r.results[0])
        if writes == 0:
            self.assertEqual(r.stats["card_write_sectors"], 0)
            self.assertUntouched(before)
        return r

    def test_idle(self):
        self.fat_card(FILES)
        r = self.low("sdboot: recovery pin is low: card is at /sd")
        self.assertIn("'sd'", r.results[0])
        self.assertIn("main runs", self.power().out)

    def test_idle_littlefs(self):
        self.littlefs_card(FILES)
        self.low("sdboot: recovery pin is low: card is at /sd")

    def test_blank(self):
        self.blank_card()
        self.low("formatting", "card is at /sd", writes=None)

    def test_blank_never(self):
        self.blank_card()
        self.low("left as it is", boot="format='never'")

    def test_foreign(self):
        cards.ntfs(self.card)
        self.low("the SD card holds NTFS; it was left as it is", STAY)

    def test_no_card(self):
        self.card = None
        self.assertIn("no SD card", self.power("--pin", "18=0").out)

    def test_other_pin(self):
        self.fat_card(FILES)
        self.assertIn("main runs", self.power("--pin", "18=0", boot="pin=21").out)
        self.assertNotIn("main runs", self.power("--pin", "21=0", boot="pin=21").out)

    def test_no_pin(self):
        self.fat_card(FILES)
        self.assertIn("main runs", self.power("--pin", "18=0", boot="pin=None").out)

    def test_pin_of_the_card_is_refused(self):
        self.fat_card(FILES)
        before = digest(self.card)
        for boot, say in (
            ("sd={'slot': 2}", "recovery pin 18 is the card's sck pin: choose another"),
            ("sd={'slot': 3}, pin=13", "recovery pin 13 is the card's cs pin"),
            ("pin=2", "recovery pin 2 is the card's data pin"),
            ("pin=12, sd={'slot': 1, 'width': 4}", "recovery pin 12 is the card's data pin"),
            ("sd={'slot': 2, 'sck': 6, 'cs': 18}", "recovery pin 18 is the card's cs pin"),
            ("sd={'slot': 1, 'cd': 18}", "recovery pin 18 is the card's cd pin"),
        ):
            with self.subTest(boot):
                r = self.power(boot=boot)
                self.assertIn("sdboot: " + say, r.out)
                self.assertIn("there is none now", r.out)
                self.assertIn("main runs", r.out)  # held low it would not matter either
                self.assertUntouched(before)

    def test_free_pins_are_not_refused(self):
        self.fat_card(FILES)
        for boot in ("pin=12", "sd={'slot': 2, 'sck': 6}", "sd={'slot': 3}"):
            self.assertIn("main runs", self.power(boot=boot).out)


class Root(BoardTest):
    """After boot(): the card is "/", the package comes from the flash."""

    def test_mounts_and_paths(self):
        self.fat_card(FILES)
        r = self.power(
            job="""
import os, sys, vfs
print("=>", sorted(os.listdir("/")))
print("=>", sys.path)
print("=>", sdboot.__path__)
print("=>", os.getcwd(), sorted(p for _, p in vfs.mount()))
print("=>", sorted(os.listdir("/flash")))
"""
        )
        self.assertIn("'flash'", r.results[0])
        self.assertIn("'main.py'", r.results[0])
        self.assertNotIn("boot.py", r.results[0])
        self.assertIn("'/lib'", r.results[1])
        self.assertIn("'/flash/lib'", r.results[1])
        self.assertEqual(r.results[2], "/flash/lib/sdboot")
        self.assertEqual(r.results[3], "/ ['/', '/flash']")
        self.assertEqual(r.results[4], "['boot.py', 'lib']")

    def test_the_card_can_not_replace_the_package(self):
        evil = b"print('EVIL', __name__)\nclass OTA:\n    pass\n"
        names = ["_sdota", "_sdboot", "sdboot", "lib/sdboot", "lib/_sdota", "lib/_sdboot"]
        files = {name + ".py": evil for name in names}
        for folder in ("sdboot", "lib/sdboot"):
            for name in ("__init__", "ota", "net", "card", "root", "_errors", "transact"):
                files["%s/%s.py" % (folder, name)] = evil
        main = b"""
import sdboot, sdboot.net, sdboot.card, sys
from sdboot import ota
print("=>", sdboot.OTA("http://127.0.0.1:1").get_version("app"), ota.__file__, sdboot.net.__file__)
print("=>", len([m for m in sys.modules if "sd" in m]))
"""
        self.fat_card({**FILES, **files, "main.py": main})
        r = self.power(before="", typed="import sdboot.transact\nprint(sdboot.transact.__file__)\n")
        self.assertRegex(  # of either form
            r.results[0], r"^1\.2\.3 /flash/lib/sdboot/ota\.m?py /flash/lib/sdboot/net\.m?py$", r.out
        )
        self.assertRegex(r.out, r"\n/flash/lib/sdboot/transact\.m?py\n")
        self.assertNotIn("EVIL", r.out)

    def test_modules_of_the_card(self):
        self.fat_card({**FILES, "lib/m.py": b"x = 1", "top.py": b"x = 2", "app/__init__.py": b""})
        r = self.power(job="import m, top, app\nprint('=>', m.x, top.x, app.__path__)")
        self.assertEqual(r.results, ["1 2 app"])

    def test_soft_reset(self):
        for make in (lambda: self.fat_card(FILES), lambda: self.littlefs_card(FILES)):
            make()
            self.power()
            r = self.power(typed="f = open('/log', 'a')\nf.write('x')\nf.close()\n\x04" * 4)
            self.assertEqual(r.out.count("\nmain runs\n"), 5)
            self.assertEqual(r.out.count("sdboot: 1.2.3 on SD card"), 5)
            self.assertEqual(r.stats["resets_soft"], 4)
            self.assertEqual(self.files()["log"], b"xxxx")

    def test_soft_reset_with_the_pin_low(self):
        self.fat_card(FILES)
        r = self.power("--pin", "18=0", typed="\x04" * 3)
        self.assertEqual(r.out.count("card is at /sd"), 4)
        self.assertNotIn("main runs", r.out)

    def test_soft_reset_without_a_card(self):
        self.card = None
        self.assertEqual(self.power(typed="\x04\x04").out.count("no SD card after"), 3)

    def test_hard_reset(self):
        self.fat_card(FILES)
        r = self.power(typed="import machine\nmachine.reset()\n" * 3)
        self.assertEqual(r.out.count("\nmain runs\n"), 4)
        self.assertEqual(r.stats["resets_hard"], 3)

    def test_exception_after_boot(self):
        self.fat_card(FILES)
        r = self.power(job="1 // 0\n", typed="import os\nos.listdir('/')\n")
        self.assertIn("ZeroDivisionError", r.out)
        self.assertNotIn("main runs", r.out)
        self.assertIn("'main.py'", r.out)
        self.assertEqual(r.stats["resets_soft"], 0)

    def test_exception_in_main(self):
        self.fat_card({**FILES, "main.py": b"import sdboot\nraise OSError(5)"})
        r = self.power(typed="6 * 7\n")
        self.assertIn("OSError: [Errno 5] EIO", r.out)
        self.assertIn("\n42\n", r.out)

    def test_boot_returns(self):
        self.fat_card(FILES)
        flash = self.dir / "flash.img"
        self.make_flash(flash, "import sdboot\nprint('=>', sdboot.boot(), sdboot.boot)\n")
        self.assertTrue(self.power_flash(flash).results[0].startswith("True "))
        self.assertTrue(self.power_flash(flash, "--pin", "18=0").results[0].startswith("False "))

    def test_status(self):
        self.fat_card(FILES)
        r = self.power(job="s = sdboot.status()\nprint('=>', sorted(s.items()))")
        for text in ("('version', '1.2.3')", "('previous', None)", "('state', 'idle')"):
            self.assertIn(text, r.results[0])
        self.assertIn("('size', 8388608)", r.results[0])


class Help(BoardTest):
    """What boot() leaves behind can be looked at: a deleted name would be the end of help()."""

    LOOK = """
import io, sys
from sdboot import *
def look():
    count = 0
    for name in sorted(sys.modules):
        if "sd" in name:
            module = sys.modules[name]
            help(module)
            for n in dir(module):
                help(getattr(module, n))
                count += 1
    help(sys.modules)
    help("modules")
    help()
    for name in list(sys.modules):
        sys.modules[name]
    return count > 40, sorted(n for n in dir(sdboot) if n[:2] != "__")[:3]
attempt(look)
"""

    def looks(self, r):
        self.assertEqual(len(r.results), 1, r.out[-2000:])
        self.assertEqual(r.results[0], "(True, ['CardError', 'Error', 'NetworkError'])")

    def test_after_boot(self):
        self.fat_card(FILES)
        self.looks(self.power(job=self.LOOK))
        job = "from sdboot import ota\nimport sdboot.net\nimport sdboot.root, sdboot.card\n"
        self.looks(self.power(job=job + self.LOOK))

    def test_without_a_card(self):
        self.card = None
        self.looks(self.power(job=self.LOOK))

    def test_on_trial_or_in_recovery(self):
        self.fat_card(FILES)
        self.looks(self.power("--pin", "18=0", job=self.LOOK))


class Idle(BoardTest):
    """A boot with nothing to do."""

    def reads(self, make, count):
        files = {"app/f%04d.py" % i: b"x" for i in range(count)}
        make(FILES)
        # boot() looks for app/.version, the firmware for main.py: they come first, for looking
        # them up behind a thousand others is FAT's own cost.
        self.put(files)
        self.power()
        before = digest(self.card)
        r = self.power()
        self.assertEqual(r.stats["card_write_commands"], 0)
        self.assertUntouched(before)
        return r.stats["card_read_sectors"]

    def test_fat(self):
        for bits in (16, 32):

            def make(files):
                cards.fat(self.card, bits, 8192, {16: 24, 32: 64}[bits] * MIB)
                self.put(files)

            with self.subTest(bits=bits):
                few = self.reads(make, 10)
                self.assertEqual(self.reads(make, 1000), few)
                self.assertLess(few, 24)

    def test_formatted_by_us(self):
        few = self.reads(lambda files: self.fat_card(files, 64 * MIB), 10)
        self.assertEqual(self.reads(lambda files: self.fat_card(files, 64 * MIB), 1000), few)
        self.assertLess(few, 24)

    def test_littlefs(self):
        few = self.reads(lambda files: self.littlefs_card(files, "64M"), 10)
        many = self.reads(lambda files: self.littlefs_card(files, "64M"), 1000)
        # littlefs reads every block of every directory when it mounts.
        self.assertLess(many, few + 1000 // 4)

    def test_read_only(self):
        self.fat_card(FILES)
        before = digest(self.card)
        r = self.power("--card-ro")
        self.assertIn("main runs", r.out)
        self.assertUntouched(before)

    def test_read_only_from_elsewhere(self):
        # No journal can be made on it, but it boots.
        cards.fat(self.card, 16, 2048, 16 * MIB)
        self.put(FILES)
        before = digest(self.card)
        r = self.power("--card-ro", job="attempt(lambda: sdboot.status()['journal'])")
        self.assertIn("main runs", r.out)
        self.assertIn("off: ", r.results[0])
        self.assertUntouched(before)

    def test_read_only_blank(self):
        self.blank_card()
        before = digest(self.card)
        for fs in ("fat", "littlefs"):
            r = self.power("--card-ro", boot="fs='%s'" % fs)
            self.assertIn("formatting the SD card failed", r.out)
            self.assertIn(STAY, r.out)
            self.assertUntouched(before)


if __name__ == "__main__":
    unittest.main()
