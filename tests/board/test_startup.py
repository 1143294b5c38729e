# SPDX-License-Identifier: MIT
"""boot() raises nothing and keeps the application from running only if it must: whatever is on the
card, in its arguments or wrong with the board becomes a message."""

import unittest
import zlib

from rig import HASTY, MIB, BoardTest, digest, read_sector, write_at
from trials import STATUS, status_of
from web import PythonServer, Site, package, release

OLD = {**release("0.0.1"), "settings.json": b"{}"}
RUNS = "release 0.0.1 runs"
STAY = "sdboot: staying on internal flash"


class StartupTest(BoardTest):
    def boots(self, *options, runs=True, say=(), **kwargs):
        r = self.power(*options, **kwargs)
        self.assertNotIn("Traceback", r.out)
        for text in (say,) if isinstance(say, str) else say:
            self.assertIn(text, r.out)
        if runs:
            self.assertIn(RUNS, r.out)
        return r


class Arguments(StartupTest):
    WRONG = {
        "fs='FAT'": 'fs is "fat" or "littlefs"',
        "fs=None": 'fs is "fat" or "littlefs"',
        "format='yes'": '"never" or "any": nothing will be formatted',
        "format=True": '"never" or "any": nothing will be formatted',
        "pni=3, formt='any'": ("boot() has no argument pni", "boot() has no argument formt"),
        "pin='no such pin'": "recovery pin no such pin",
        "pin=2": "recovery pin 2 is the card's data pin",
        "pin=[]": "AttributeError",
        "attempts='three'": "attempts is a number, not 'three': 3 is taken",
        "attempts=-1": "attempts is a number, not -1",
        "trial_timeout='x', confirm_after=[]": (),
        "trial_timeout=None, confirm_after=-3": (),
        "attempts=1e300, trial_timeout=1e300": (),
        "journal='what'": (),
    }

    def test_wrong_ones(self):
        """A message, and the application runs."""
        self.fat_card(OLD)
        for boot, say in self.WRONG.items():
            with self.subTest(boot):
                self.boots(boot=boot, say=say)

    def test_wrong_ones_on_trial(self):
        for boot in self.WRONG:
            with self.subTest(boot):
                self.fat_card(OLD)
                site = Site(self.dir / "www")
                site.add("0.0.2", package(release("0.0.2")))
                with PythonServer(site.folder) as url:
                    self.ota(url)
                r = self.boots(boot=boot, runs=False)
                self.assertIn("release 0.0.2 runs", r.out)
                self.assertIn("release 0.0.2 is on trial, ", r.out)

    def test_nothing_is_formatted(self):
        self.blank_card()
        before = digest(self.card)
        for boot in ("fs='exfat'", "format='yes'", "fs=1, format='any'"):
            r = self.boots(boot=boot, say=STAY, runs=False)
            self.assertIn("it was left as it is", r.out)
            self.assertUntouched(before)

    def test_wrong_card(self):
        self.fat_card(OLD)
        for boot in ("sd={'slots': 1}", "sd=5", "sd='1'", "sd={'slot': 'x'}", "sd=lambda: 5"):
            with self.subTest(boot):
                r = self.boots(boot=boot, say=STAY, runs=False, typed="6 * 7\n")
                self.assertIn("\n42\n", r.out)


class Twice(StartupTest):
    AGAIN = "print('=>', sdboot.boot())\n" * 2 + "print('=>', sdboot.status()['mounted'])\n"

    def test_after_boot(self):
        self.fat_card(OLD)
        r = self.boots(job=self.AGAIN)
        self.assertEqual(r.results, ["True", "True", "/"])
        self.assertEqual(r.out.count("sdboot: boot() has been called before"), 2)

    def test_littlefs(self):
        self.littlefs_card(OLD)
        self.assertEqual(self.boots(job=self.AGAIN).results, ["True", "True", "/"])

    def test_in_recovery_mode(self):
        self.fat_card(OLD)
        r = self.boots("--pin", "18=0", job=self.AGAIN, runs=False)
        self.assertEqual(r.results, ["False", "False", "/sd"])
        r = self.boots("--pin", "18=0", job="sdboot.format()\n" + self.AGAIN, runs=False)
        self.assertEqual(r.results, ["False", "False", "/sd"])

    def test_without_a_card(self):
        self.card = None
        r = self.boots(job="print('=>', sdboot.boot())\n" * 2, runs=False)
        self.assertEqual(r.results, ["False", "False"])
        self.assertEqual(r.out.count(STAY), 3)

    def test_card_comes_later(self):
        self.fat_card(OLD)
        r = self.boots("--card-init-fails", 5, job=self.AGAIN)
        self.assertIn("no SD card after 5 tries", r.out)
        self.assertEqual(r.results, ["True", "True", "/"])

    def test_after_a_card_that_was_left(self):
        self.blank_card()
        r = self.boots(boot="format='never'", job=self.AGAIN, runs=False)
        self.assertEqual(r.results, ["True", "True", "/"])  # formatted at the second one
        self.fat_card(OLD)

    def test_soft_reset(self):
        self.fat_card(OLD)
        r = self.boots(typed="import sdboot\nsdboot.boot()\n\x04" * 3)
        self.assertEqual(r.out.count(RUNS), 4)
        self.assertEqual(r.out.count("sdboot: 0.0.1 on SD card"), 4)


class Firmware(StartupTest):
    """One that has been built with less."""

    # A module stands for the firmware's, without some of its names.
    LESS = """
import sys
class Less:
    def __init__(self, module, names):
        self.module = module
        self.names = names
    def __getattr__(self, name):
        if name in self.names:
            raise AttributeError("no " + name)
        return getattr(self.module, name)
def less(module, *names):
    sys.modules[module] = Less(__import__(module), names)
def none(module):
    import sdboot._native as native
    builtin = native.builtin
    def gone(name):
        if name == module:
            raise ImportError("no module named %r" % name)
        return builtin(name)
    native.builtin = gone
"""
    COUNTS = "this firmware has no machine.reset_cause(): every boot of a trial counts"
    UNTIMED = "no timer is free: a trial ends by its number of boots only"
    UNCHECKED = "this firmware has no hashlib.sha256, which releases need: build it in: it goes on"
    ALL = '"reset_cause", "Timer", "WDT", "SOFT_RESET", "DEEPSLEEP_RESET", "unique_id"'
    LACKS = {
        'less("machine", "reset_cause")': COUNTS,
        'less("machine", "Timer")': UNTIMED,
        'less("machine", "Pin")': "no Pin; this firmware, or an argument of boot(), has less",
        'less("machine", %s)' % ALL: (COUNTS, UNTIMED),
        'less("uhashlib", "sha256", "sha1")': UNCHECKED,
        'none("hashlib")': UNCHECKED,
        'less("io", "IOBase")': (),
        'less("os", "dupterm", "uname")': (),
        'none("socket")': (),
    }

    def lacking(self, what, *options, **kwargs):
        return self.boots(*options, before=HASTY + self.LESS + what + "\n", **kwargs)

    def test_swap_and_way_back(self):
        self.fat_card(OLD)
        site = Site(self.dir / "www")
        site.add("0.0.2", package(release("0.0.2")))
        with PythonServer(site.folder) as url:
            self.ota(url)
        staged = self.card.read_bytes()
        for what, say in self.LACKS.items():
            with self.subTest(what):
                self.card.write_bytes(staged)
                job = "attempt(sdboot.confirm)\nattempt(sdboot.rollback)\n"
                r = self.lacking(what, say=say, runs=False, job=job)
                self.assertIn("release 0.0.2 runs", r.out)
                self.assertEqual((r.results, r.errors), (["True", "None"], []))
                self.lacking(what, say="release 0.0.2 is taken back: by hand")
        # Damage is noticed by whoever can.
        self.card.write_bytes(staged.replace(b"version = '0.0.2'", b"version = '0.0.X'"))
        self.lacking("", say="release 0.0.2 is taken back: its files on the card are damaged")

    def test_update(self):
        self.fat_card(OLD)
        site = Site(self.dir / "www")
        site.add("0.0.2", package(release("0.0.2")))
        for what, error in {
            'less("uhashlib", "sha1")': "Error 38 this firmware has no hashlib.sha1, which",
            'none("hashlib")': "Error 38 this firmware has no hashlib.sha256, which",
            'none("socket")': "Error 38 sdboot.net can't be loaded: no module named 'socket' in this",
            'none("select")': "Error 38 sdboot.net can't be loaded: no module named 'select' in this",
        }.items():
            with self.subTest(what), PythonServer(site.folder) as url:
                job = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n" % url
                r = self.lacking(what, job=job * 2)  # the second time says the same
                self.assertEqual([e[: len(error)] for e in r.errors], [error] * 2)


class Content(StartupTest):
    """Files and sectors of ours that say nonsense."""

    VERSIONS = {
        "utf16": "0.0.1\r\n".encode("utf-16"),
        "utf16be": b"\xfe\xff" + "0.0.1\r\n".encode("utf-16-be"),
        "bom": b"\xef\xbb\xbf0.0.1\n",
        "latin1": "1.0.0-überarbeitet".encode("latin-1"),
        "empty": b"",
        "zeros": bytes(600),
        "zero in it": b"1.0\0.0\n",
        "utf32": "\ufeff1.2.3".encode("utf-32-le"),
        "escape": b"\x1b[2J1.2.3",
        "percent": b"%s%n",
        "blanks": b" \n\t\r\n",
        "long": b"1" * MIB,
        "lines": b"\n" * MIB,
        "ff": b"\xff" * 5000,
        "cut": b"\xe2\x82",
        "words": b"this is no version at all",
    }

    def test_version_file(self):
        for make in (self.fat_card, self.littlefs_card):
            for name, data in self.VERSIONS.items():
                with self.subTest(name):
                    make({**OLD, "app/.version": data})
                    r = self.boots(job=STATUS + "attempt(sdboot.version)\n")
                    self.assertIn("'state': 'idle'", r.out)
                    self.assertEqual(r.errors, [])

    def test_version_is_a_folder(self):
        for make in (self.fat_card, self.littlefs_card):
            make({k: v for k, v in OLD.items() if k != "app/.version"})
            self.put({"app/.version/x": b""})
            ask = "attempt(lambda: sdboot.OTA('http://127.0.0.1:1').check())\n"
            job = "attempt(lambda: sdboot.status()['version'])\n" + ask
            r = self.boots(say="app/.version can't be read: ", job=job)
            self.assertEqual(r.results, ["?"])  # never 0.0.0: that is older than everything
            said = "app/.version can't be read: SD card error 21, is a directory: a file is wanted"
            self.assertEqual(r.errors, ["CardError 21 " + said + " there, remove it"])

    def test_version_can_not_be_read(self):
        self.fat_card({**OLD, "app/.version": b"0.0.1 " + b"a mark to find" * 200})
        at = self.card.read_bytes().index(b"a mark to find")
        job = "attempt(lambda: sdboot.status()['version'])\n"
        job += "attempt(lambda: sdboot.OTA('http://127.0.0.1:1').check())\n"
        bad = "--card-bad", at // 512
        r = self.boots(*bad, say="app/.version can't be read: SD card error 5", job=job)
        self.assertEqual(r.results, ["?"])
        self.assertIn("CardError 5 app/.version can't be read: SD card error 5", r.errors[0])


class Record(StartupTest):
    """State records with a right CRC that we have not written."""

    SLOTS = 2

    def setUp(self):
        super().setUp()
        self.fat_card(OLD)
        pointer = read_sector(self.card, 0)[384:400]
        self.assertEqual(pointer[:4], b"sdbP")
        area = int.from_bytes(pointer[4:8], "little")
        sectors = int.from_bytes(pointer[8:12], "little")
        self.slots = (area + 1, area + sectors - 1)
        self.clean = self.card.read_bytes()

    def record(self, state=0, event=0, flags=0, left=0, trials=0, seq=9, dirs=(b"app", b"next"), **strings):
        b = bytearray(512)
        b[:10] = b"SDBR" + bytes((1, state, left, trials, event, flags))
        b[12:16] = seq.to_bytes(4, "little")
        at = {"version": 32, "bad": 80, "event_version": 128}
        for name, text in strings.items():
            b[at[name] : at[name] + len(text)] = text
        b[176 : 176 + len(dirs[0])] = dirs[0]
        b[208 : 208 + len(dirs[1])] = dirs[1]
        b[508:] = zlib.crc32(bytes(b[:508])).to_bytes(4, "little")
        return bytes(b)

    def put_record(self, data, slot=0):
        self.card.write_bytes(self.clean)
        write_at(self.card, self.slots[slot] * 512, data)

    def test_out_of_range(self):
        for case in (
            {"state": 7},
            {"state": 255, "event": 255, "flags": 255, "left": 255, "trials": 255, "seq": 2**32 - 1},
            {"event": 99},
            {"event": 6, "event_version": b"0.0.1"},
            {"flags": 254},
        ):
            with self.subTest(case):
                self.put_record(self.record(**case))
                r = self.boots(job=STATUS + "attempt(sdboot.confirm)\n")
                status = status_of(r.out)
                if case.get("state"):
                    self.assertEqual(status["state"], "unknown (%d)" % case["state"])
                if case.get("event"):
                    self.assertEqual(status["event"], "unknown (%d)" % case["event"])
                self.assertEqual((r.results, r.errors), (["False"], []))

    def test_strings(self):
        for text in (b"\xff\xfe\x80", b"1.0.0\n\x1b[2J", b"\xe2\x82", b"x" * 48, "é".encode()):
            for state in (0, 1, 2, 3, 4, 9):
                with self.subTest(text=text, state=state):
                    self.put_record(
                        self.record(state=state, event=4, version=text, bad=text, event_version=text)
                    )
                    r = self.boots(job=STATUS)
                    self.assertNotIn("\x1b[2J", r.out)

    def test_folders(self):
        """Whatever the record says, what is in app/ goes on running."""
        for dirs in ((b"", b""), (b"/", b"."), (b"..", b"x/y"), (b"\xff" * 32, b"\xff" * 32), (b"app", b"app")):
            for state in range(5):
                with self.subTest(dirs=dirs, state=state):
                    self.put_record(self.record(state=state, left=1, trials=3, dirs=dirs))
                    for _ in range(2):
                        r = self.boots(job=STATUS)
                    files = self.files()
                    self.assertEqual(files["app/.version"], b"0.0.1", r.out)

    def test_an_update_is_possible(self):
        """With nonsense in IDLE: the next release repairs it."""
        site = Site(self.dir / "www")
        site.add("0.0.2", package(release("0.0.2")))
        for case in ({"state": 7}, {"event": 99, "bad": b"\xff\xff"}, {"dirs": (b"", b"")}):
            with self.subTest(case):
                self.put_record(self.record(**case))
                with PythonServer(site.folder) as url:
                    self.assertEqual(self.ota(url).results, ["True"])
                self.assertIn("release 0.0.2 runs", self.power().out)


class Littlefs(StartupTest):
    """Superblocks with block sizes of all kinds."""

    SIZES = (0, 1, 3, 127, 128, 511, 512, 513, 1000, 4095, 8192, 65536, 1 << 20, 8 << 20, 16 << 20)
    SIZES += ((1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 32) - 512)

    def test_block_size(self):
        self.littlefs_card(OLD)
        clean = self.card.read_bytes()
        for size in self.SIZES:
            for both in (False, True):
                with self.subTest(size=size, both=both):
                    self.card.write_bytes(clean)
                    write_at(self.card, 24, size.to_bytes(4, "little"))
                    if both:
                        write_at(self.card, 4096 + 24, size.to_bytes(4, "little"))
                    r = self.power(typed="6 * 7\n", job="attempt(sdboot.status)\n")
                    self.assertNotIn("Traceback", r.out)
                    self.assertIn("\n42\n", r.out)
                    self.assertTrue(RUNS in r.out or STAY in r.out, r.out)
                    self.assertNotIn("formatting", r.out)

    def test_fields(self):
        """Block count, name and file limits, version."""
        self.littlefs_card(OLD)
        clean = self.card.read_bytes()
        for at in (20, 28, 32, 36, 40):
            for value in (0, 1, 7, 0xFFFF, (1 << 32) - 1):
                with self.subTest(at=at, value=value):
                    self.card.write_bytes(clean)
                    write_at(self.card, at, value.to_bytes(4, "little"))
                    write_at(self.card, 4096 + at, value.to_bytes(4, "little"))
                    r = self.power(typed="6 * 7\n", boot="format='never'")
                    self.assertNotIn("Traceback", r.out)
                    self.assertIn("\n42\n", r.out)


class Interrupt(StartupTest):
    def test_keyboard_interrupt(self):
        """Ctrl-C gets through, and another boot() goes on from there."""
        self.fat_card(OLD)
        before = "import sdboot.card\ndef stop(*args):\n    raise KeyboardInterrupt\n"
        for name in ("card.open", "card.use", "trial.finish_update", "root.move"):
            with self.subTest(name):
                module = name.split(".")[0]
                patch = before + "import sdboot.%s\nsaved = sdboot.%s\nsdboot.%s = stop\n" % (
                    module,
                    name,
                    name,
                )
                again = "import sdboot\nsdboot.%s = saved\nprint('=>', sdboot.boot())\n" % name
                r = self.power(before=patch, typed=again + "import os\nprint('=>', os.listdir('/'))\n")
                self.assertIn("KeyboardInterrupt", r.out)
                self.assertEqual(r.results[0], "True", r.out)
                self.assertIn("main.py", r.results[1])

    def test_memory(self):
        """No memory for some step: a message, and what runs is whole."""
        self.fat_card(OLD)
        before = "import sdboot.card\ndef fail(*args):\n    raise MemoryError('no memory')\n"
        for name, stays in (
            ("card.open", True),
            ("card.use", True),
            ("pins.pressed", False),
            ("trial.finish_update", False),
            ("root.move", True),
            ("card.describe", False),
        ):
            with self.subTest(name):
                patch = before + "import sdboot.%s\nsdboot.%s = fail\n" % (name.split(".")[0], name)
                r = self.boots(before=patch, say="sdboot: MemoryError: no memory", runs=not stays)
                self.assertEqual(STAY in r.out, stays, r.out)


if __name__ == "__main__":
    unittest.main()
