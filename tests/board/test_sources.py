# SPDX-License-Identifier: MIT
"""Releases from folders, streams, and what somebody has copied onto the card."""

import hashlib
import unittest

from rig import BoardTest
from test_delta import files
from test_signed import SignedTest
from web import IndexedSite, release

OLD = release("0.0.1")
NEW = {**release("0.0.2"), "app/more.bin": bytes(range(256)) * 30}


class SourceTest(BoardTest):
    def setUp(self):
        super().setUp()
        self.site = IndexedSite(self.dir / "www")
        self.package = self.site.add("0.0.2", NEW)
        self.fat_card(OLD)

    def folder(self, name):
        """The site's files as they are on the card in a folder."""
        return {"%s/%s" % (name, p.name): p.read_bytes() for p in self.site.folder.iterdir()}

    def assertInstalled(self):
        self.assertIn("release 0.0.2 is in place", self.power().out)
        found = self.files()
        for name, data in NEW.items():
            self.assertEqual(found[name], data if isinstance(data, bytes) else data.encode(), name)


class Folders(SourceTest):
    def test_a_folder(self):
        self.put(self.folder("usb/releases"))
        r = self.ota("file:///usb/releases", "quite=False")
        self.assertEqual(r.results, ["True"], r.out)
        self.assertNotIn("whole", r.out)
        self.assertInstalled()

    def test_a_folder_without_index(self):
        self.site.write("0.0.2;0_0_2-firmware.tar;%s\n" % hashlib.sha1(self.package).hexdigest())
        self.put(self.folder("usb"))
        self.assertEqual(self.ota("file:///usb").results, ["True"])
        self.assertInstalled()

    def test_what_is_not_there(self):
        r = self.ota("file:///no/such")
        self.assertIn("NetworkError 5 file:///no/such/versions can't be read", r.errors[0])
        files = self.folder("usb")
        del files["usb/0_0_2-firmware.tar"]
        self.put(files)
        self.assertIn("0_0_2-firmware.tar can't be read", self.ota("file:///usb").errors[0])
        files["usb/0_0_2-firmware.tar"] = self.package[:4000]
        self.put(files)
        self.assertIn("PackageError", self.ota("file:///usb").errors[0])
        self.assertNotIn("in place", self.power().out)


class Streams(SourceTest):
    JOB = """
import io
class Slow:
    # A line that has so many bytes at a time, and more than the package in the end.
    def __init__(self, n, data):
        self.n = n
        self.file = io.BytesIO(data)
    def readinto(self, buf):
        return self.file.readinto(memoryview(buf)[: self.n])
versions = open("/in/versions", "rb").read()
package = open("/in/0_0_2-firmware.tar", "rb").read()
ota = sdboot.OTA("http://0.0.0.0:1", quite=%s%s)
"""

    def stream(self, job, quite=True, more=""):
        self.put(self.folder("in"))
        return self.power(job=self.JOB % (quite, more) + job)

    def test_pieces_of_any_size(self):
        for n in (7, 512, 5000):
            self.fat_card(OLD)
            job = "attempt(ota.install_stream, Slow(%d, package + b'next message'), versions)\n" % n
            r = self.stream(job)
            self.assertEqual(r.results, ["True"], r.out)
            self.assertInstalled()

    def test_without_a_size(self):
        """The stream ends with the package then."""
        self.site.write("0.0.2;0_0_2-firmware.tar;%s\n" % hashlib.sha1(self.package).hexdigest())
        r = self.stream("attempt(ota.install_stream, Slow(700, package), versions)\n")
        self.assertEqual(r.results, ["True"], r.out)
        self.assertInstalled()

    def test_not_newer_or_cut_short(self):
        job = "attempt(ota.install_stream, Slow(700, package[:-700]), versions)\n"
        job += "attempt(ota.install_stream, Slow(700, package), b'0.0.1;x.tar;' + b'0' * 40)\n"
        r = self.stream(job)
        self.assertIn("ended 700 bytes early", r.errors[0])
        self.assertEqual(r.results, ["False"], r.out)
        self.assertEqual({k: v for k, v in self.files().items() if k[:3] != "in/"}, self.plain(OLD))

    def plain(self, files):
        return {k: v if isinstance(v, bytes) else v.encode() for k, v in files.items()}


class Inbox(SourceTest):
    def test_installed_once(self):
        self.put(self.folder("update"))
        r = self.power(boot="inbox='update'")
        self.assertIn("/update is /update.installed now", r.out)
        self.assertIn("release 0.0.2 is in place", r.out)
        self.assertIn("release 0.0.2 runs", r.out)
        r = self.power(boot="inbox='update'")
        self.assertNotIn("found", r.out)
        self.assertIn("update.installed/versions", self.files())

    def test_not_newer_and_refused(self):
        self.power(boot="inbox='update'")
        files = self.folder("update")
        at = self.package.index(NEW["app/more.bin"]) + 5000
        bad = self.package[:at] + b"?" + self.package[at + 1 :]
        self.put({**files, "update/0_0_2-firmware.tar": bad})
        for name in ("update.refused", "update.refused2"):
            r = self.power(boot="inbox='update'")
            self.assertIn("the release in /update is refused", r.out)
            self.assertIn("/update is /%s now" % name, r.out)
            self.assertIn("release 0.0.1 runs", r.out)
            self.put({**files, "update/versions": b"<html>"})
        self.power(boot="inbox='update'")
        self.put({"update/versions": b"0.0.1;x.tar;" + b"0" * 40})
        r = self.power(boot="inbox='update'")
        self.assertIn("/update is /update.not-newer now", r.out)
        r = self.power("--pin", "18=0", boot="inbox='update'")
        self.assertIn("recovery", r.out)

    def test_power_cut(self):
        """At any time: the release that was there, or the one from the folder, and once."""
        new = files("0.0.2", 30, size=2000)
        self.site.lines = []
        self.site.add("0.0.2", new)
        self.put(self.folder("update"))
        saved = self.card.read_bytes()
        whole = self.power(boot="inbox='update'").stats["card_write_sectors"]
        for cut in range(1, whole, max(1, whole // 7)):
            self.card.write_bytes(saved)
            self.power("--cut", cut, boot="inbox='update'", status=75, repl=False)
            r = self.power(boot="inbox='update'")
            r = self.power(boot="inbox='update'", job="attempt(sdboot.verify)")
            self.assertIn("release 0.0.2 runs", r.out, cut)
            self.assertEqual(r.results, ["[]"])
            found = self.files()
            for name, data in new.items():
                self.assertEqual(found[name], data, (cut, name))


class Signatures(SignedTest):
    """None of these is a way round the signature."""

    def folder(self, name):
        return {"%s/%s" % (name, p.name): p.read_bytes() for p in self.site.folder.iterdir()}

    def test_inbox(self):
        self.make_key("theirs")
        self.add("0.0.2")
        boot = "inbox='update', key=%r" % self.key
        for sign in (lambda: None, lambda: self.sign("theirs")):
            sign()
            self.put(self.folder("update"))
            self.assertIn("is refused", self.power(boot=boot).out)
        self.sign()
        self.put(self.folder("update"))
        self.put({"update/versions": self.folder("update")["update/versions"] + b"\n"})
        self.assertIn("is refused", self.power(boot=boot).out)
        self.assertEqual(self.files()["app/code.py"], b"version = '0.0.1'\n")
        self.put(self.folder("update"))
        self.assertIn("release 0.0.2 runs", self.power(boot=boot).out)

    def test_folder_and_stream(self):
        self.add("0.0.2")
        self.put(self.folder("in"))
        stream = """
def read(name):
    return open("/in/" + name, "rb").read()
ota = sdboot.OTA("file:///in", key=%r)
attempt(ota.install_update_if_available)
attempt(lambda: ota.install_stream(open("/in/0_0_2-firmware.tar", "rb"), read("versions")))
attempt(lambda: ota.install_stream(open("/in/0_0_2-firmware.tar", "rb"), read("versions"), b"x"))
""" % self.key
        r = self.power(job=stream)
        self.assertEqual((r.results, len(r.errors)), ([], 3), r.out)
        for e in r.errors:
            self.assertIn("PackageError", e)
        self.sign()
        self.put(self.folder("in"))
        for call in (
            "ota.install_update_if_available()",
            "ota.install_stream(open('/in/0_0_2-firmware.tar', 'rb'), read('versions'), read('versions.minisig'))",
        ):
            r = self.power(job=stream.split("attempt")[0] + "attempt(lambda: %s)\nota.cancel()\n" % call)
            self.assertEqual(r.results, ["True"], r.out)


if __name__ == "__main__":
    unittest.main()
