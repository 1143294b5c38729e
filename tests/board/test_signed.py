# SPDX-License-Identifier: MIT
"""Signed releases: what minisign signs is taken, and nothing else."""

import subprocess
import unittest

from rig import ATTEMPT, BOOT, FLASH_TOOL, HASTY, host, run
from test_ota import OLD, OtaTest
from web import release


class SignedTest(OtaTest):
    def setUp(self):
        super().setUp()
        self.key = self.make_key("ours")
        self.fat_card(OLD)

    def make_key(self, name):
        """Makes a pair of keys without a password; returns the public one's line."""
        public = self.dir / (name + ".pub")
        done = subprocess.run(
            ["minisign", "-G", "-f", "-W", "-p", public, "-s", self.dir / (name + ".key")],
            input=b"\n\n",
            capture_output=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return public.read_text().splitlines()[1]

    def sign(self, name="ours", *options, comment="release"):
        versions = self.site.folder / "versions"
        secret = self.dir / (name + ".key")
        options = options or ("-l",)
        run("minisign", "-S", *options, "-s", secret, "-m", versions, "-t", comment)

    def update(self, key=None):
        return self.ota(self.url, "key=%r" % (self.key if key is None else key))

    def assertRefused(self, result, *words):
        self.assertEqual(result.results, [], result.out)
        for word in ("PackageError", *words):
            self.assertIn(word, result.errors[0])
        self.assertIn("0.0.1 on SD card", self.power().out)
        self.assertFiles(OLD)


class Signed(SignedTest):
    def test_a_signed_release_is_taken(self):
        self.add("0.0.2")
        self.sign()
        r = self.update()
        self.assertEqual(r.results, ["True"], r.out)
        self.assertIn("release 0.0.2 is in place", self.power().out)

    def test_no_signature(self):
        self.add("0.0.2")
        self.assertRefused(self.update(), "404", "signed releases only")

    def test_another_key(self):
        self.make_key("theirs")
        self.add("0.0.2")
        self.sign("theirs")
        self.assertRefused(self.update(), "does not trust")

    def test_several_keys(self):
        other = self.make_key("other")
        self.add("0.0.2")
        self.sign("other")
        text = "untrusted comment: two keys\n%s\n# the next one\n%s\n" % (self.key, other)
        self.assertEqual(self.update(text).results, ["True"])

    def test_what_is_signed_was_changed(self):
        self.add("0.0.2")
        self.sign()
        versions = self.site.folder / "versions"
        good = versions.read_bytes()
        for bad in (good + b"\n", good[:-1], good.replace(b"0.0.2", b"0.0.3", 1), b""):
            with self.subTest(bad):
                versions.write_bytes(bad)
                self.assertRefused(self.update(), "changed")

    def test_the_trusted_comment_was_changed(self):
        self.add("0.0.2")
        self.sign(comment="release 0.0.2")
        file = self.site.folder / "versions.minisig"
        file.write_text(file.read_text().replace("release 0.0.2", "release 0.0.3"))
        self.assertRefused(self.update(), "changed")

    def test_an_old_signature_with_new_versions(self):
        self.add("0.0.2")
        self.sign()
        self.add("0.0.3")
        self.assertRefused(self.update(), "changed")

    def test_a_signature_of_a_hash(self):
        """What minisign makes if it is not told otherwise; lists around multiples of its block."""
        self.add("0.0.2")
        line = self.site.lines[0]
        for size in (len(line), 128, 256, 4096 + 128, 5000):
            with self.subTest(size):
                self.site.write("#" * (size - len(line) - 1) + "\n" * (size > len(line)) + line)
                self.sign("ours", "-H")
                r = self.ota(self.url, "key=%r" % self.key, method="check().version")
                self.assertEqual(r.results, ["0.0.2"], r.out)
        versions = self.site.folder / "versions"
        good = versions.read_bytes()
        for bad in (good + b"\n", good[:-1], good.replace(b"#", b"# ", 1), b""):
            versions.write_bytes(bad)
            self.assertRefused(self.update(), "changed")
        # The one kind passed off as the other.
        versions.write_bytes(good)
        file = self.site.folder / "versions.minisig"
        file.write_text(file.read_text().replace("\nRU", "\nRW", 1))
        self.assertRefused(self.update(), "changed")

    def test_what_is_no_signature(self):
        self.add("0.0.2")
        file = self.site.folder / "versions.minisig"
        for text in (b"", b"<html>please log in</html>\n", b"x" * 5000, bytes(100)):
            with self.subTest(text[:20]):
                file.write_bytes(text)
                self.assertRefused(self.update(), ".minisig file")

    def test_keys_that_are_none(self):
        self.add("0.0.2")
        self.sign()
        for key in ("no key", self.key[:-4], self.key + " "):
            with self.subTest(key):
                self.assertRefused(self.update(key), "list of public keys")

    def test_no_keys_at_all_is_no_permission(self):
        self.add("0.0.2")
        self.sign()
        self.assertRefused(self.update(""), "does not trust")


class KeyOnFlash(SignedTest):
    """The file sdboot.pub on the internal flash makes signatures mandatory."""

    def power_with_key(self, text, job):
        flash = self.dir / "key-flash.img"
        public = self.dir / "sdboot.pub"
        public.write_text(text)
        self.make_flash(flash, HASTY + BOOT % "" + ATTEMPT + job)
        host(FLASH_TOOL, "put", flash, "%s:/sdboot.pub" % public)
        return self.power_flash(flash)

    def test_it_counts_without_being_named(self):
        job = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n" % self.url
        self.add("0.0.2")
        r = self.power_with_key((self.dir / "ours.pub").read_text(), job)
        self.assertRefused(r, "signed releases only")
        self.sign()
        r = self.power_with_key((self.dir / "ours.pub").read_text(), job)
        self.assertEqual(r.results, ["True"], r.out)

    def test_a_file_on_the_card_of_that_name_is_nothing(self):
        other = self.make_key("other")
        self.put({**OLD, "sdboot.pub": other})
        job = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n" % self.url
        self.add("0.0.2")
        self.sign("other")
        r = self.power_with_key(self.key, job)
        self.assertIn("does not trust", r.errors[0])


if __name__ == "__main__":
    unittest.main()
