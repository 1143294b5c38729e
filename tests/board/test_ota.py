# SPDX-License-Identifier: MIT
"""The OTA class as its users know it."""

import hashlib
import unittest

from rig import EMULATED, BoardTest
from web import PythonServer, Site, package, release

OLD = {**release("0.0.1"), "settings.json": b"{}"}


class OtaTest(BoardTest):
    def setUp(self):
        super().setUp()
        self.site = Site(self.dir / "www")
        self.server = PythonServer(self.site.folder)
        self.url = self.enterContext(self.server)

    def add(self, version, extra=()):
        self.tar = package(release(version, extra))
        self.site.add(version, self.tar)

    def stage(self, *arguments, **kwargs):
        r = self.ota(self.url, *arguments, **kwargs)
        self.assertEqual(r.results[:1], ["True"], r.out)
        return r


class Interface(OtaTest):
    def test_force_update(self):
        for version in ("0.0.1", "0.0.0"):
            with self.subTest(version):
                self.site.lines = []
                self.fat_card(OLD)
                self.add(version, {"app/again.py": b"1"})
                self.assertEqual(self.ota(self.url).results, ["False"])
                self.stage("force_update=True")
                self.assertIn("release %s is in place" % version, self.power().out)
                self.assertIn("app/again.py", self.files())

    def test_positional_arguments(self):
        """In the order in which the class that this one replaces has them."""
        self.fat_card(OLD)
        self.add("0.0.2")
        r = self.stage("'app'", "'next'", "{'A': 'b'}", "False", "True")
        self.assertIn("sdboot: running 0.0.1, found 0.0.2", r.out)
        self.assertEqual(self.server.requests[-1][1]["A"], "b")

    def test_folders_that_hold_something_else(self):
        """What is staged replaces its folder: not one that the application or sdboot needs."""
        files = {**OLD, "lib/x.py": b"x = 1\n"}
        self.fat_card(files)
        self.add("0.0.2")
        for name in ("lib", "LIB", "main.py", "flash", "app", "prev", ".sdboot", "", "a/b", ".."):
            with self.subTest(name):
                r = self.ota(self.url, "new_version_dir=%r" % name)
                self.assertIn("Error 22 install of 0.0.2: invalid argument: main_dir and new_version_dir are", r.errors[0])
                self.assertFiles(files)
                if name not in ("app", "prev"):
                    r = self.ota(self.url, "main_dir=%r, force_update=True" % name)
                    self.assertIn("Error 22 install of 0.0.2: invalid argument: main_dir and", r.errors[0])
        self.assertFiles(files)

    def test_arguments_of_the_wrong_kind(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        r = self.ota(self.url, "timeout='long'")
        self.assertNotIn("certificate", r.errors[0])

    def test_versions(self):
        self.fat_card({**OLD, "app/VERSION": b" 7.7.7 \n", "empty/x": b""})
        self.add("0.0.2")
        sha1 = hashlib.sha1(self.tar).hexdigest()
        ask = "ota = sdboot.OTA(%r)\n" % self.url
        for call in (
            "ota.get_version('app')",
            "ota.get_version('next')",
            "ota.get_version('no/such')",
            "ota.get_version('empty')",
            "ota.get_version('app', 'VERSION')",
            "ota.get_latest_version()",
            "ota.check().version",
            "ota.install_update_if_available()",
            "ota.get_version('app')",
            "ota.get_version('next')",
            "sdboot.status()['staged']",
        ):
            ask += "attempt(lambda: %s)\n" % call
        r = self.power(job=ask)
        latest = "('0.0.2', '0_0_2-firmware.tar', '%s')" % sha1
        want = ["0.0.1", "0.0.0", "0.0.0", "0.0.0", "7.7.7", latest, "0.0.2", "True"]
        self.assertEqual(r.results, want + ["0.0.1", "0.0.2", "0.0.2"], r.out)
        r = self.power(job="attempt(lambda: sdboot.status()['previous'])")
        self.assertEqual(r.results, ["0.0.1"])

    def test_nothing_published(self):
        self.fat_card(OLD)
        self.site.write("")
        r = self.ota(self.url, method="get_latest_version()")
        self.assertEqual(r.results, ["('0.0.0', '', '')"])

    def test_quite(self):
        self.fat_card(OLD)
        self.add("0.0.2", {"app/big": bytes(200000)})
        r = self.stage("quite=False")
        for text in ("running 0.0.1, found 0.0.2", "] 100%\n", "0.0.2 is staged, reset to run it"):
            self.assertIn("sdboot: " + text if "%" not in text else text, r.out)
        self.assertGreater(r.out.count("\rsdboot: ["), 20)
        r = self.ota(self.url, "quite=False")
        self.assertIn("sdboot: running 0.0.2, no newer release", r.out)

    def test_an_error_has_a_line_of_its_own(self):
        self.fat_card(OLD)
        self.add("0.0.2", {"app/big": bytes(200000), "app/a:b": b"", "app/more": bytes(200000)})
        r = self.ota(self.url, "quite=False")
        self.assertRegex(r.out, r"sdboot: \[#+\.+\] \d+%\n=! PackageError")

    def test_quiet(self):
        """The word, beside the one that the original has for it."""
        self.fat_card(OLD)
        self.add("0.0.2")
        self.assertIn("found 0.0.2", self.ota(self.url, "quiet=False", method="check().version").out)
        r = self.ota(self.url, "quite=False", "quiet=True", method="check().version")
        self.assertNotIn("found 0.0.2", r.out)

    def test_class(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        job = """
import sys
print("=>", "sdboot.ota" in sys.modules)
class Mine(sdboot.OTA):
    def check(self):
        print("=> mine")
        return super().check()
ota = Mine(%r)
print("=>", isinstance(ota, sdboot.OTA), isinstance(sdboot.OTA, type))
attempt(ota.install_update_if_available)
from sdboot import OTA
print("=>", OTA is sdboot.OTA, hasattr(sdboot, "nothing"))
"""
        r = self.power(job=job % self.url)
        want = ["False", "True True", "mine", "True", "True False"]
        self.assertEqual(r.results, want, r.out)

    def test_running_version_unreadable(self):
        """Nothing is known to be newer then, least of all 1.9.9."""
        self.add("1.9.9")
        for text in (b"", b"beta", b"1.0a", b"\xc3\xbc", b"<1.0>", b"\0\0\0", b"1" * 100):
            with self.subTest(text):
                self.fat_card({**OLD, "app/.version": text})
                r = self.ota(self.url)
                self.assertIn("/app/.version says ", r.errors[0])
                self.assertIn("write it anew, such as 1.2.3", r.errors[0])
                self.assertIn("release 0.0.1 runs", r.out)
        self.stage("force_update=True")
        self.assertIn("release 1.9.9 is in place", self.power().out)

    def test_running_version_as_people_write_it(self):
        self.add("1.9.9")
        for text in ("2.0", "v2.0.0", "2", "02.0", "2024-01-31", "2.0 (final)\n"):
            for code in ("utf-8", "utf-16"):
                with self.subTest(text, code=code):
                    self.fat_card({**OLD, "app/.version": text.encode(code)})
                    r = self.ota(self.url)
                    self.assertEqual(r.results, ["False"], r.out)
        self.fat_card({**OLD, "app/.version": "v1.9.8".encode("utf-16")})
        self.stage()
        self.assertIn("sdboot: 1.9.9 on SD card", self.power().out)

    @unittest.skipIf(EMULATED, "its socket is a frozen file, which the card's can replace")
    def test_modules_of_the_card(self):
        """Files of the application with the names of the firmware's modules are not ours."""
        names = "socket hashlib binascii collections io time os sys gc machine vfs errno struct"
        theirs = {name + ".py": b"class Theirs: pass\n" for name in names.split()}
        theirs.update({"lib/" + name: data for name, data in theirs.items()})
        main = b"import app.code\nprint('release', app.code.version, 'runs')\n"
        confirm = "attempt(sdboot.confirm)\n"
        for card in (self.fat_card, self.littlefs_card):
            with self.subTest(card=card):
                card({**OLD, **theirs, "main.py": main})
                self.site.lines = []
                self.add("0.0.2", {**theirs, "main.py": main})
                self.stage(job="attempt(sdboot.status)\n")
                r = self.power(job=confirm + "attempt(sdboot.verify)\n")
                self.assertEqual(r.results, ["True", "[]"], r.out)
                self.assertIn("release 0.0.2 runs", r.out)
                # It came with the release now, and can be replaced.
                self.add("0.0.3", {"main.py": main})
                self.stage()
                r = self.power(job=confirm + "attempt(sdboot.rollback)\n")
                self.assertIn("release 0.0.3 runs", r.out)
                self.assertIn("release 0.0.2 runs", self.power().out)

    def test_quiet_by_default(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        lines = [line for line in self.stage().out.splitlines() if line.startswith("sdboot: ")]
        self.assertEqual(lines, ["sdboot: 0.0.1 on SD card, FAT, 8 MiB"])

    def test_progress(self):
        self.fat_card(OLD)
        self.add("0.0.2", {"app/big": bytes(50000)})
        seen = "seen = []\n"
        r = self.power(
            job=seen + "attempt(sdboot.OTA(%r, progress=lambda *a: seen.append(a))" % self.url
            + ".install_update_if_available)\nprint('=>', seen)\n"
        )
        calls = eval(r.results[1])
        size = len(self.tar)
        self.assertEqual(calls[0], ("clean", 0, 0))
        self.assertEqual(calls[-1], ("staged", size, size))
        done = [d for phase, d, total in calls if phase == "download" and total == size]
        self.assertEqual(done, sorted(done))
        self.assertEqual(done[-1], size)

    def test_exception_in_progress(self):
        for error in ("ValueError('mine')", "KeyboardInterrupt"):
            with self.subTest(error):
                self.fat_card(OLD)
                self.site.lines = []
                self.add("0.0.2", {"app/big": bytes(50000)})
                r = self.power(
                    job="""
def stop(phase, done, total):
    if done > 20000:
        raise %s
try:
    sdboot.OTA(%r, progress=stop).install_update_if_available()
except BaseException as e:
    print("=>", repr(e))
"""
                    % (error, self.url)
                )
                self.assertIn(error.split("(")[0], r.results[0])
                self.assertFiles(OLD)
                self.assertNotIn("next", self.folders())
                self.stage()

    def test_other_directories(self):
        for card in (self.fat_card, self.littlefs_card):
            with self.subTest(card=card):
                old = {"src/.version": b"1.0.0", "src/code.py": b"1", "app/mine.py": b"stays"}
                new = {"src/.version": b"1.0.1", "src/code.py": b"2", "app/new.py": b"outside"}
                card({**old, "main.py": b"import src.code"})
                self.site.lines = []
                self.site.add("1.0.1", package(new))
                self.stage("'src/'", "'incoming'")
                self.assertIn("incoming/code.py", self.files())
                self.assertIn("sdboot: release 1.0.1 is in place", self.power().out)
                want = {**old, **new, "main.py": b"import src.code"}
                want.update({"prev/.version": b"1.0.0", "prev/code.py": b"1"})
                self.assertFiles(want)

    def test_bad_directories(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        for arguments in ("'prev'", "'app', 'app'", "'a/b'", "'app', ''", "'app', '.sdboot'"):
            r = self.ota(self.url, arguments)
            self.assertIn("install of 0.0.2: invalid argument", r.errors[0])
        r = self.ota(self.url, "'app', %r" % ("n" * 32))
        self.assertIn("invalid argument", r.errors[0])
        self.assertFiles(OLD)

    def test_without_a_card(self):
        self.card = None
        r = self.ota(self.url)
        self.assertIn("Error 19 no SD card in use: call sdboot.boot() first", r.errors[0])

    def test_staged_already(self):
        """It is not downloaded again, nor lost if the server is not what it was."""
        for card in (self.fat_card, self.littlefs_card):
            card(OLD)
            self.site.lines = []
            self.add("0.0.2")
            again = "ota = sdboot.OTA(%r, quiet=False)\n" % self.url
            again += "attempt(ota.install_update_if_available)\n" * 3
            del self.server.requests[:]
            r = self.power(job=again)
            self.assertEqual(r.results, ["True"] * 3)
            self.assertIn("sdboot: 0.0.2 is staged already, reset to run it", r.out)
            asked = [path for path, _ in self.server.requests]
            self.assertEqual(asked.count("/0_0_2-firmware.tar"), 1)
            self.site.lines = []
            self.add("0.0.1")  # withdrawn
            pin = ("--pin", "18=0")
            self.assertEqual(self.ota(self.url, options=pin).results, ["True"])
            self.assertIn("release 0.0.2 runs", self.power().out)

    def test_cancel(self):
        for card in (self.fat_card, self.littlefs_card):
            card(OLD)
            self.site.lines = []
            self.add("0.0.2", {"lib/new.py": b"1"})
            r = self.ota(self.url, method="cancel()")
            self.assertEqual(r.results, ["False"])
            self.stage()
            job = "attempt(lambda: sdboot.status()['state'])\n"
            r = self.ota(self.url, method="cancel()", job=job, options=("--pin", "18=0"))
            self.assertEqual(r.results, ["True", "idle"])
            self.assertFiles(OLD)
            self.assertFalse(self.folders() & {"next", ".sdboot/new"}, "left over")
            r = self.power()
            self.assertIn("release 0.0.1 runs", r.out)
            self.assertNotIn("in place", r.out)
            self.stage()
            self.assertIn("release 0.0.2 runs", self.power().out)

    def test_from_main(self):
        """The whole way as an application does it: find, stage, reset, run."""
        main = b"""import app.code, machine, sdboot
print("release", app.code.version, "runs")
sdboot.confirm()
if sdboot.OTA("%s").install_update_if_available():
    machine.reset()
"""
        for card in (self.fat_card, self.littlefs_card):
            card({**OLD, "main.py": main % self.url.encode()})
            self.site.lines = []
            self.add("0.0.2", {"main.py": main % self.url.encode()})
            r = self.power()
            at = [r.out.index("release %s" % t) for t in ("0.0.1 runs", "0.0.2 is", "0.0.2 runs")]
            self.assertEqual(at, sorted(at))
            self.assertEqual(r.stats["resets_hard"], 1)

    def test_soft_reset_swaps(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        r = self.power(
            typed="import sdboot\nsdboot.OTA(%r).install_update_if_available()\n\x04" % self.url
        )
        self.assertIn("release 0.0.2 runs", r.out)


class Trial(OtaTest):
    MAIN = {"main.py": b"import app.code\nprint('release', app.code.version, 'runs')\n"}

    def trial(self, card):
        card({**OLD, **self.MAIN})
        self.site.lines = []
        self.add("0.0.2", self.MAIN)
        self.stage()

    def test_no_update_before_confirm(self):
        for card in (self.fat_card, self.littlefs_card):
            self.trial(card)
            self.assertIn("release 0.0.2 runs", self.power().out)
            self.add("0.0.3")
            r = self.ota(self.url, "quite=False")
            self.assertEqual(r.results, ["False"])
            self.assertIn("on trial: no update before it is confirmed", r.out)
            r = self.ota(self.url, method="check()", job="attempt(sdboot.confirm)\n" * 2)
            self.assertEqual(r.results[1:], ["True", "False"])
            self.stage()
            self.assertIn("release 0.0.3 runs", self.power().out)

    def test_never_confirmed(self):
        for card in (self.fat_card, self.littlefs_card):
            self.trial(card)
            ran = [self.power().out for _ in range(5)]
            for out in ran[:3]:
                self.assertIn("release 0.0.2 runs", out)
            for out in ran[3:]:
                self.assertIn("release 0.0.1 runs", out)
            self.assertIn("0.0.2", ran[3][: ran[3].index("on SD card")])
            # Not again, unless it is forced.
            r = self.ota(self.url, "quiet=False")
            self.assertEqual(r.results, ["False"])
            self.assertIn("running 0.0.1, 0.0.2 is skipped, it has failed here", r.out)
            self.stage("force_update=True")
            self.assertIn("release 0.0.2 runs", self.power().out)

    def test_pin_low_counts_no_trial(self):
        self.trial(self.fat_card)
        self.power()
        for _ in range(5):
            r = self.power("--pin", "18=0")
            self.assertEqual(r.stats["card_write_sectors"], 0)
        self.assertIn("release 0.0.2 runs", self.power().out)


if __name__ == "__main__":
    unittest.main()
