# SPDX-License-Identifier: MIT
"""Keys that a signed release brings: app/.keys, the board's list once the release is confirmed."""

import shutil
import unittest

from cutting import CutTest
from rig import ATTEMPT, BOOT, FLASH_TOOL, HASTY, host
from test_lists import OneBoard
from test_ota import OLD
from web import Site, package, release

QUIET = b"import app.code\nprint('release', app.code.version, 'runs')\n"  # confirms nothing
INSTALL = "install_update_if_available()"


class KeysTest(OneBoard):
    def setUp(self):
        super().setUp()
        self.other = self.make_key("other")

    def put_out(self, version, keys=None, name="ours", of_list="", confirms=True):
        """Publishes a release with `keys` in app/.keys, signed with `name`."""
        files = release(version)
        if not confirms:
            files["main.py"] = QUIET
        if keys is not None:
            files["app/.keys"] = keys
        self.site.lines = ["# sdboot %s\n" % of_list] if of_list else []
        self.site.add(version, package(files))
        self.sign(name)

    def flash_file(self, name):
        out = self.dir / "from-flash"
        shutil.rmtree(out, ignore_errors=True)
        host(FLASH_TOOL, "get", self.flash, "/", out)
        file = out / name
        return file.read_text() if file.exists() else None

    def install(self, *arguments, **kwargs):
        r = self.look(*arguments, method=INSTALL, **kwargs)
        self.assertEqual(r.results, ["True"], r.out)
        return r

    def assertTrusts(self, ours, other):
        """Lists signed with which key does the board take?"""
        for name, taken in (("ours", ours), ("other", other)):
            self.put_out("9.0.0", name=name)
            r = self.look()
            if taken:
                self.assertFound(r, "9.0.0")
            else:
                self.assertIn("does not trust", r.errors[0])


class Rotation(KeysTest):
    def test_they_count_once_the_release_is_confirmed(self):
        self.put_out("0.0.2", self.other + "\n")
        self.install()
        self.assertNotIn(self.other, self.flash_file("sdboot.pub"))
        r = self.run_job("")  # main.py confirms
        self.assertIn("release 0.0.2 runs", r.out)
        self.assertTrusts(False, True)
        self.assertIn(self.other, self.flash_file("sdboot.pub"))
        self.assertIsNone(self.flash_file("sdboot.next"))

    def test_taken_back_with_the_release(self):
        self.put_out("0.0.2", self.other, confirms=False)
        self.install(boot="attempts=1")
        self.run_job("", boot="attempts=1")
        r = self.run_job("", boot="attempts=1")
        self.assertIn("release 0.0.1 runs", r.out)
        self.assertTrusts(True, False)
        self.assertIn("release 0.0.1 runs", self.run_job("sdboot.confirm()\n").out)
        self.assertTrusts(True, False)

    def test_rollback_on_trial(self):
        self.put_out("0.0.2", self.other, confirms=False)
        self.install()
        self.assertIn("no newer release", self.look().out)  # which decides nothing
        self.run_job("sdboot.rollback()\n")
        self.assertIn("release 0.0.1 runs", self.run_job("").out)
        self.assertTrusts(True, False)

    def test_rollback_of_a_confirmed_release(self):
        """A key that was given up, stolen perhaps, does not come back with an old release."""
        self.put_out("0.0.2", self.other)
        self.install()
        self.run_job("")
        self.run_job("sdboot.rollback()\n")
        self.assertIn("release 0.0.1 runs", self.run_job("").out)
        self.assertTrusts(False, True)

    def test_on_trial_both_count(self):
        """The next list may be signed with the new key already: an application that confirms only
        after a look at the server must not fail on that."""
        self.put_out("0.0.2", self.other, confirms=False)
        self.install(boot="attempts=9")
        for name in ("ours", "other", "ours"):
            self.put_out("0.0.3", name=name, of_list="seq=7" if name == "other" else "")
            self.assertFound(self.look(boot="attempts=9"), "0.0.3")
        self.assertIsNone(self.flash_file("sdboot.seq"))  # the key may have to go again
        self.run_job("sdboot.confirm()\n", boot="attempts=9")
        self.assertTrusts(False, True)

    def test_without_a_trial(self):
        self.put_out("0.0.2", self.other, confirms=False)
        self.install(boot="attempts=0")
        self.run_job("", boot="attempts=0")
        self.assertTrusts(False, True)

    def test_with_an_overlap(self):
        self.put_out("0.0.2", self.key + "\n" + self.other)
        self.install()
        self.run_job("")
        self.assertTrusts(True, True)
        self.put_out("0.0.3", self.other, "other")
        self.install()
        self.run_job("")
        self.assertTrusts(False, True)

    def test_keys_of_the_boot_file(self):
        host(FLASH_TOOL, "rm", self.flash, "/sdboot.pub")
        boot = "key=%r" % self.key
        self.put_out("0.0.2", self.other, "other")
        self.assertIn("does not trust", self.look(method=INSTALL, boot=boot).errors[0])
        self.put_out("0.0.2", self.other)
        self.install(boot=boot)
        self.put_out("0.0.3", name="other")
        self.assertIn("does not trust", self.look(boot=boot, options=("--pin", "18=0")).errors[0])
        self.run_job("", boot=boot)
        self.assertFound(self.look(boot=boot), "0.0.3")
        self.put_out("0.0.3")
        self.assertIn("does not trust", self.look(boot=boot).errors[0])

    def test_an_application_with_keys_of_its_own(self):
        """OTA(key=...): then app/.keys is a file like others."""
        own = "key=%r" % self.key
        self.put_out("0.0.2", self.other)
        self.install(own)
        self.run_job("")
        self.assertTrusts(True, False)


class Refused(KeysTest):
    def test_lists_that_would_lock_the_board_out(self):
        for keys in ("", "# none\n", "no key", self.other[:-2], self.other + "\nx", "#" * 3000):
            with self.subTest(keys[:30]):
                self.put_out("0.0.2", keys)
                r = self.look(method=INSTALL)
                self.assertIn("0.0.2: .keys is no list of public keys", r.errors[0])
                self.assertIn("PackageError", r.errors[0])
                self.assertIn("release 0.0.1 runs", self.run_job("").out)
                self.assertFiles(OLD)
        self.assertTrusts(True, False)

    def test_unsigned_releases_bring_no_keys(self):
        host(FLASH_TOOL, "rm", self.flash, "/sdboot.pub")
        self.put_out("0.0.2", self.other)
        self.install()
        self.run_job("")
        self.assertTrusts(True, True)  # anything goes
        self.assertIsNone(self.flash_file("sdboot.pub"))

    def test_a_package_that_is_not_what_was_signed(self):
        """Its keys don't even get onto the flash."""
        self.put_out("0.0.2", self.other)
        name = self.site.folder / "0_0_2-firmware.tar"
        name.write_bytes(name.read_bytes()[:-512] + b"x" * 512)
        self.assertIn("hash", self.look(method=INSTALL).errors[0])
        self.assertIsNone(self.flash_file("sdboot.next"))

    def test_staged_then_given_up(self):
        """The same version again, without keys: what waited is gone."""
        self.put_out("0.0.2", self.other)
        job = "ota = sdboot.OTA(%r)\nattempt(lambda: ota.%s)\nattempt(ota.cancel)\n" % (self.url, INSTALL)
        r = self.run_job(job)
        self.assertEqual(r.results, ["True", "True"], r.out)
        self.assertIsNotNone(self.flash_file("sdboot.next"))
        self.put_out("0.0.2")
        self.install()
        self.run_job("")
        self.assertTrusts(True, False)

    def test_another_card(self):
        """Whatever is on a card, the keys are the board's own."""
        old_card = self.card.read_bytes()
        self.put_out("0.0.2", self.other)
        self.install()
        self.run_job("")
        for files in (OLD, {**OLD, "app/.keys": self.key, "next/.keys": self.key, "sdboot.pub": self.key}):
            self.card.write_bytes(old_card)
            self.put(files)
            self.run_job("sdboot.confirm()\n")
            self.assertTrusts(False, True)


    def test_a_flash_whose_renames_are_two_steps(self):
        """On FAT power may fail after the old list is gone and before the new one has its name."""
        text = "\n# keys of release 0.0.2\n%s\n# complete\n" % self.other
        self.to_flash("sdboot.pub.new", text)
        host(FLASH_TOOL, "rm", self.flash, "/sdboot.pub")
        self.assertTrusts(False, True)
        # Only if it was finished, and only as long as there is no whole one.
        self.with_keys(self.key)
        self.assertTrusts(True, False)
        self.to_flash("sdboot.pub.new", text[:-1])
        self.assertTrusts(True, False)


class Waiting(KeysTest):
    """A release with keys is staged, and then a newer one: whichever gets into place, its keys count."""

    def setUp(self):
        super().setUp()
        self.root = self.site
        self.third = self.make_key("third")
        self.publish_in("a", "0.0.2", self.other)

    def publish_in(self, folder, version, keys):
        self.site = Site(self.root.folder / folder)
        self.put_out(version, keys)
        self.site = self.root

    def job(self):
        call = "attempt(lambda: sdboot.OTA('%s/%s').%s)\n"
        return "".join(call % (self.url, folder, INSTALL) for folder in "ab")

    def assertPair(self):
        r = self.run_job("")
        if "release 0.0.3 runs" in r.out:
            names = {"third": True, "other": False, "ours": False}
        else:
            self.assertIn("release 0.0.2 runs", r.out)
            names = {"third": False, "other": True, "ours": False}
        for name, taken in names.items():
            self.put_out("9.0.0", name=name)
            r = self.look()
            self.assertEqual(r.results == ["9.0.0"], taken, name + r.out)
        return names["third"]

    def test_power_cut_at_the_end_of_the_newer_one(self):
        self.publish_in("b", "0.0.3", self.third)
        flash, card = self.flash.read_bytes(), self.card.read_bytes()
        r = self.run_job(self.job())
        self.assertEqual(r.results, ["True", "True"], r.out)
        self.assertTrue(self.assertPair())
        written = r.stats["card_write_sectors"]
        newer = set()
        for cut in range(written - 30, written + 1, 3):
            with self.subTest(cut=cut):
                self.flash.write_bytes(flash)
                self.card.write_bytes(card)
                self.to_flash("boot.py", HASTY + BOOT % "" + ATTEMPT + self.job())
                CutTest.start(self, self.flash, "--cut", str(cut), statuses=(75,))
                newer.add(self.assertPair())
        self.assertIn(False, newer)

    def test_the_newer_one_is_refused(self):
        self.publish_in("b", "0.0.3", "no key")
        r = self.run_job(self.job())
        self.assertEqual(r.results, ["True"], r.out)
        self.assertIn("no list of public keys", r.errors[0])
        self.assertFalse(self.assertPair())


class Cut(KeysTest):
    """Power fails at each erase and write of the flash while keys are put by and while they are
    adopted: the board has the old list or the new one, and gets to the new one."""

    def cut_everywhere(self, act, then):
        """Cuts act(options) everywhere, then calls `then`."""
        flash, card = self.flash.read_bytes(), self.card.read_bytes()
        stats = act(()).stats
        self.assertGreater(stats["flash_writes"], 0)
        operations = stats["flash_writes"] + stats["flash_erases"]
        for cut in range(1, operations + 1):
            self.flash.write_bytes(flash)
            self.card.write_bytes(card)
            with self.subTest(cut=cut):
                act(("--flash-cut", str(cut)), repl=False, status=75)
                then()

    def test_while_they_are_put_by(self):
        self.put_out("0.0.2", self.other)

        def act(options, **kwargs):
            return self.look(method=INSTALL, options=options, **kwargs)

        def then():
            self.install()
            self.assertIn("release 0.0.2 runs", self.run_job("").out)
            self.assertTrusts(False, True)
            self.put_out("0.0.2", self.other)

        self.cut_everywhere(act, then)

    def test_while_they_are_adopted(self):
        self.put_out("0.0.2", self.other)
        self.install()

        def act(options, **kwargs):
            return self.run_job("", *options, **kwargs)

        def then():
            self.run_job("")
            self.assertTrusts(False, True)

        self.cut_everywhere(act, then)


if __name__ == "__main__":
    unittest.main()
