# SPDX-License-Identifier: MIT
"""Updates from a stand-in for GitHub Releases: two hops, long addresses that expire, two hosts."""

import unittest

from github import GitHub, tag
from rig import EMULATED
from test_delta import files
from test_signed import SignedTest
from web import IndexedSite

from lab import PACKAGE  # after rig, which makes tools/ known

CLOCK = ("--clock", "host")


@unittest.skipIf(EMULATED, "this firmware has no TLS")
class GitHubTest(SignedTest):
    def setUp(self):
        super().setUp()
        self.old = files("0.0.1", 12)
        self.new = files("0.0.2", 12, changed=(3, 11))
        self.fat_card(self.old)
        self.site = IndexedSite(self.dir / "assets")
        self.publish("0.0.2", self.new)
        self.github = GitHub(self.site.folder, self.dir / "certs")
        self.url = self.enterContext(self.github)

    def publish(self, version, content, index=True):
        self.site.add(version, content)
        if not index:
            text = (self.site.folder / "versions").read_text()
            self.site.write(text.replace(" index=", " nothing="))
        self.sign("ours", "-H")

    def ask(self, *arguments, ca=None):
        """An update with the key, and the certificates of both hosts if no others are given."""
        ca = self.github.ca if ca is None else ca
        arguments = ("quite=False", "key=%r" % self.key, "ca=%r" % ca, *arguments)
        return self.ota(self.url, *arguments, options=CLOCK)

    def asked(self, name):
        return [ask for ask in self.github.assets.asked if ask.name == name]

    def assertInstalled(self, result, version="0.0.2", content=None):
        self.assertEqual(result.results, ["True"], result.out)
        self.assertIn("release %s is in place" % version, self.power().out)
        found = self.files()
        for name, data in (content or self.new).items():
            self.assertEqual(found[name], data if isinstance(data, bytes) else data.encode(), name)

    def assertRefused(self, result, *words):
        self.assertEqual(result.results, [], result.out)
        for word in words:
            self.assertIn(word, result.out)
        self.assertFiles(self.old)


class Good(GitHubTest):
    def test_is_as_github_is(self):
        """What makes it hard: two hops, an address of 900 bytes, a line of 3 KB."""
        address = self.github.signed("versions")
        self.assertGreater(len(address), 880)
        self.assertLess(len(address), 1200)
        self.ask()
        hops = [ask.path for ask in self.github.front.asked if ask.name == "versions"]
        self.assertEqual(len(hops), 2)
        text = self.github.front.tell(self.github.front.asked[0]).split(b"\r\n")
        self.assertGreater(max(map(len, text)), 3000)

    def test_update(self):
        self.publish("0.0.2", self.new, index=False)
        self.assertInstalled(self.ask())

    def test_update_by_parts(self):
        r = self.ask()
        self.assertNotIn("whole", r.out)
        self.assertTrue(all(ask.part for ask in self.asked("0_0_2-firmware.tar")))
        self.assertInstalled(r)

    def test_whatever_is_asked_is_a_get(self):
        self.ask()
        for ask in self.github.front.asked + self.github.assets.asked:
            self.assertEqual(ask.method, "GET")

    def test_what_is_told_to_whom(self):
        """The user's headers, and what the board says of itself, stay with the host that was asked."""
        r = self.ask("headers={'Authorization': 'token secret'}")
        self.assertEqual(r.results, ["True"], r.out)
        for ask in self.github.front.asked:
            self.assertEqual(ask.headers["authorization"], "token secret")
            self.assertIn("; 0.0.1; ", ask.headers["user-agent"])
        self.assertTrue(self.github.assets.asked)
        for ask in self.github.assets.asked:
            self.assertNotIn("secret", str(ask.headers))
            self.assertNotIn("0.0.1", ask.headers.get("user-agent", ""))


@unittest.skipUnless(any(PACKAGE.glob("source.*")), "this engine begins anew")
class Broken(GitHubTest):
    """The download breaks off, and the signed address may be too old by then: the board begins at the
    first address again, which leads to a new one, and goes on where it was."""

    def cut(self, times, then=lambda: None):
        """The package's connection ends in the middle of the body, so many times."""
        left = [times]

        def hook(ask, text):
            if ask.name.endswith(".tar") and left[0]:
                left[0] -= 1
                then()
                body = text.index(b"\r\n\r\n") + 4
                ask.last(text[: body + (len(text) - body + 1) // 2])

        self.github.hook = hook

    def test_expired_meanwhile(self):
        self.publish("0.0.2", self.new, index=False)
        self.cut(2, self.github.expire)
        self.assertInstalled(self.ask())
        first, second, third = self.asked("0_0_2-firmware.tar")
        self.assertEqual(len({first.path, second.path, third.path}), 3)
        self.assertIsNone(first.part)
        self.assertGreater(second.part[0], 1000)
        self.assertGreater(third.part[0], second.part[0])
        for again in (second, third):
            self.assertEqual(again.headers["if-range"], '"0x%s"' % tag(first.data))
        hops = [ask for ask in self.github.front.asked if ask.name == "0_0_2-firmware.tar"]
        self.assertEqual(len(hops), 6)

    def test_expired_meanwhile_by_parts(self):
        self.cut(2, self.github.expire)
        r = self.ask()
        self.assertNotIn("whole", r.out)
        self.assertInstalled(r)

    def test_expired_between_parts(self):
        """An address that was good for a part is too old for the next one."""
        expired = []

        def hook(ask, text):
            if ask.name.endswith(".tar") and not expired:
                expired.append(ask)
                self.github.expire()

        self.github.hook = hook
        r = self.ask()
        self.assertNotIn("whole", r.out)
        self.assertInstalled(r)

    def test_another_release_meanwhile(self):
        """What the first address leads to then is another package: nothing of it is mixed in."""
        self.publish("0.0.2", self.new, index=False)
        package = self.site.folder / "0_0_2-firmware.tar"
        self.cut(1, lambda: package.write_bytes(bytes(package.stat().st_size)))
        self.assertRefused(self.ask(), "closed too early, try again")
        self.assertEqual(len(self.asked("0_0_2-firmware.tar")), 2)


class Bad(GitHubTest):
    def test_one_authority_is_not_enough(self):
        for ca in self.github.ca:
            self.assertRefused(self.ask(ca=ca), "not trusted")
        self.assertRefused(self.ask(ca=""), "https:// needs ca=")
        self.assertInstalled(self.ask())

    def test_addresses_that_have_expired(self):
        """They are asked for anew at each file; one that is too old at once is an error."""
        self.github.life = -1
        self.assertRefused(self.ask(), "server answers 403")
        self.github.life = 300
        self.assertInstalled(self.ask())

    def test_sent_on_without_tls(self):
        self.github.signed = lambda name: "http://127.0.0.1:1/" + name
        self.assertRefused(self.ask(), "anybody can read and change")

    def test_latest_is_another_one_meanwhile(self):
        """A release is published between list and package, which the new one does not have."""
        self.publish("0.0.2", self.new, index=False)
        signed = self.github.signed
        package = self.site.folder / "0_0_2-firmware.tar"

        def publish(name):
            if name == "versions":
                package.rename(package.with_suffix(".gone"))
            return signed(name)

        self.github.signed = publish
        self.assertRefused(self.ask(), "server answers 404")
        self.github.signed = signed
        newer = files("0.0.3", 12, changed=(3,))
        self.site.lines = []
        self.publish("0.0.3", newer)
        self.assertInstalled(self.ask(), "0.0.3", newer)

    def test_a_package_that_was_changed_there(self):
        self.publish("0.0.2", self.new, index=False)
        package = self.site.folder / "0_0_2-firmware.tar"
        package.write_bytes(package.read_bytes().replace(b"version = '0.0.2'", b"version = '6.6.6'"))
        self.assertRefused(self.ask(), "hash is not the announced one")


if __name__ == "__main__":
    unittest.main()
