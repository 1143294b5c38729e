# SPDX-License-Identifier: MIT
"""The attacks of docs/SECURITY.md, each on a running board that has a key on its flash and asks an
attacker's server. After each it runs what it ran, and takes the next good release."""

import gzip
import hashlib
import re
import time
import unittest

from liar import Liar
from rig import ROOT, write_at
from test_keys import KeysTest
from test_lists import CLOCK
from test_ota import OLD
from web import IndexedSite, RangeServer, RawServer, answer, package, release

INSTALL = "install_update_if_available()"


class Attacks(KeysTest):
    def offer(self, version="0.0.2", of_list="", data=None, words=""):
        """A signed release whose package is `data`, a good one if that is None."""
        data = package(release(version)) if data is None else data
        self.site.lines = ["# sdboot %s\n" % of_list] if of_list else []
        if words:
            name = version.replace(".", "_") + "-firmware.tar"
            self.site.lines.append("# sdboot file=%s %s\n" % (name, words))
        self.site.add(version, data)
        self.sign()

    def served(self, name):
        return (self.site.folder / name).read_bytes()

    def assertNot(self, result, *words, running="0.0.1"):
        """Nothing was installed, the reason is said, and the board runs what it ran."""
        self.assertNotIn("True", result.results, result.out)
        for word in words:
            self.assertIn(word, "\n".join(result.errors) + result.out)
        self.assertIn("release %s runs" % running, self.run_job("").out)

    def assertRecovers(self, version="0.1.0", of_list=""):
        self.offer(version, of_list)
        self.install()
        self.assertIn("release %s runs" % version, self.run_job("").out)

    def test_arbitrary_software(self):
        """A server of the attacker's: without a signature, with a signature of his own, with his key in
        it, with a signature of ours of something else."""
        self.offer()
        (self.site.folder / "versions.minisig").unlink()
        self.assertNot(self.look(method=INSTALL), "signed releases only")
        self.sign("other")
        self.assertNot(self.look(method=INSTALL), "does not trust")
        (self.site.folder / "sdboot.pub").write_text(self.other)
        signature = self.site.folder / "versions.minisig"
        signature.write_text(signature.read_text() + self.other + "\n")
        self.assertNot(self.look(method=INSTALL), "no .minisig file")
        other_file = self.dir / "letter"
        other_file.write_bytes(b"a letter of ours")
        self.site.write(b"# nothing\n")
        self.sign()
        letter = self.served("versions.minisig")
        self.offer()
        signature.write_bytes(letter)
        self.assertNot(self.look(method=INSTALL), "changed")
        self.assertRecovers()

    def test_another_package(self):
        """The list is ours, the package is not."""
        self.offer()
        file = self.site.folder / "0_0_2-firmware.tar"
        for bad in (
            package({**release("0.0.2"), "main.py": b"import evil\n"}),
            file.read_bytes()[:-1] + b"x",
            file.read_bytes()[:-512],
            b"",
        ):
            file.write_bytes(bad)
            self.assertNot(self.look(method=INSTALL), "PackageError")
            self.assertFiles(OLD)
        self.assertRecovers()

    def test_rollback_to_an_old_release(self):
        """One that we have signed, once."""
        self.assertRecovers("0.1.0")
        self.offer("0.0.9")
        r = self.look(method=INSTALL)
        self.assertEqual(r.results, ["False"], r.out)
        self.assertNot(r, running="0.1.0")

    def test_rollback_to_an_old_list(self):
        self.offer("0.0.2", "seq=7")
        old = [(n, self.served(n)) for n in ("versions", "versions.minisig")]
        self.offer("0.0.3", "seq=8")
        self.look()
        for name, data in old:
            (self.site.folder / name).write_bytes(data)
        self.assertNot(self.look(method=INSTALL), "an old list again")
        self.assertRecovers(of_list="seq=9")

    def test_freeze(self):
        """The same list for ever, so that a release that mends something is never seen."""
        self.offer("0.0.1", "seq=7 expires=2025-06-30")
        self.assertNot(self.look(method=INSTALL, options=CLOCK), "expired")
        # Without a clock the board can't know, and says so.
        r = self.look(method=INSTALL)
        self.assertIn("the clock is not set", r.out)
        self.assertEqual(r.results, ["False"])
        self.assertRecovers(of_list="seq=8")

    def test_fast_forward(self):
        """Whoever had the key for a day has used up all numbers: the next key begins anew."""
        self.offer("0.0.1", "seq=4294967295")
        self.look()
        self.put_out("0.0.2", self.other, of_list="seq=4294967295")
        self.install()
        self.assertIn("release 0.0.2 runs", self.run_job("").out)
        self.put_out("0.0.3", name="other", of_list="seq=1")
        self.install()
        self.assertIn("release 0.0.3 runs", self.run_job("").out)

    def test_mix_and_match(self):
        """Pieces of releases that were good each."""
        pieces = {}
        for version in ("0.0.2", "0.0.3"):
            self.offer(version)
            names = ("versions", "versions.minisig", version.replace(".", "_") + "-firmware.tar")
            pieces[version] = [self.served(name) for name in names]
        old, new = pieces["0.0.2"], pieces["0.0.3"]
        for listed, signature, data in (
            (new[0], old[1], new[2]),
            (old[0], new[1], old[2]),
            (new[0], new[1], old[2]),
            (old[0] + new[0], new[1], new[2]),
        ):
            (self.site.folder / "versions").write_bytes(listed)
            (self.site.folder / "versions.minisig").write_bytes(signature)
            for name in ("0_0_2-firmware.tar", "0_0_3-firmware.tar"):
                (self.site.folder / name).write_bytes(data)
            self.assertNot(self.look(method=INSTALL), "PackageError")
        self.assertRecovers()

    def test_partial_bundle(self):
        """Some of the files are those of another release that was good: index, parts, whole package."""
        files = {v: {**release(v), "app/data.bin": (v * 900).encode()} for v in ("0.0.2", "0.0.3")}
        site = IndexedSite(self.site.folder)
        self.site = site
        pieces = {}
        for version, content in files.items():
            site.lines = []
            site.add(version, content)
            self.sign()
            name = version.replace(".", "_") + "-firmware.tar"
            pieces[version] = [self.served(name), self.served(name + ".idx")]
        for n, index in ((0, 0), (0, 1), (1, 0)):
            data = pieces["0.0.2" if n == 0 else "0.0.3"][0]
            (site.folder / "0_0_3-firmware.tar").write_bytes(data)
            data = pieces["0.0.2" if index == 0 else "0.0.3"][1]
            (site.folder / "0_0_3-firmware.tar.idx").write_bytes(data)
            with self.subTest(package=n, index=index), RangeServer(site.folder) as self.url:
                r = self.look(method=INSTALL)
                if n == 0:
                    self.assertNot(r, "PackageError")
                else:  # without its index the whole package is good
                    self.assertIn("the whole package is fetched", r.out)
                    self.assertEqual(r.results, ["True"])
                    self.assertIn("release 0.0.3 runs", self.run_job("").out)

    def test_changed_between_list_and_package(self):
        """The list was good when it was looked at; then the server is another's."""
        evil = package({**release("0.0.2"), "main.py": b"import evil\n"})
        self.offer()
        answers = [answer(self.served(n)) for n in ("versions.minisig", "versions")]
        with RawServer(*answers, answer(evil)) as url:
            job = "ota = sdboot.OTA(%r)\nfound = ota.check()\nattempt(lambda: ota.install(found))\n" % url
            self.assertNot(self.run_job(job), "hash is not")
        self.assertRecovers()

    def test_payload_of_another_kind(self):
        """Signed, but no package: it must not be taken for one."""
        tar = package(release("0.0.2"))
        for data in (gzip.compress(tar), b"PK\3\4" + tar, b"\x7fELF" + bytes(2000), b"import evil\n" * 99):
            self.offer(data=data)
            self.assertNot(self.look(method=INSTALL), "PackageError", "package: ")
            self.assertFiles(OLD)
        self.assertRecovers()

    def test_endless_data(self):
        """Signature, list, package, and a head: the board hangs up."""
        data = package(release("0.0.2"))
        self.offer("0.0.2", words="size=%d" % len(data))
        good = {n: self.served(n) for n in ("versions", "versions.minisig", "0_0_2-firmware.tar")}
        for bad, word in (
            ("versions.minisig", ".minisig file"),
            ("versions", "file too long"),
            ("0_0_2-firmware.tar", "size is not"),
            ("head", "header too long"),
        ):
            sent = [0]

            def serve(conn, request):
                name = request.split()[1].decode().lstrip("/")
                if name != bad and bad != "head":
                    conn.sendall(answer(good[name]))
                    return
                start = b"HTTP/1.1 200 OK\r\nX: " if bad == "head" else answer(good[name], length=-1)
                conn.sendall(start)
                while sent[0] < 64 << 20:
                    sent[0] += conn.send(b"# ......" * 512 if bad != "head" else b"x" * 4096)

            with self.subTest(bad), RawServer(serve) as url:
                job = "attempt(lambda: sdboot.OTA(%r).%s)\n" % (url, INSTALL)
                r = self.run_job(job)
                self.assertLess(sent[0], 16 << 20)
                self.assertNot(r, word)
        self.assertRecovers()

    def test_slow_retrieval(self):
        """A byte now and then, in a head or a body: neither timeout= nor a length ends that."""
        self.offer()
        heads = [(name, True) for name in ("versions.minisig", "versions", "0_0_2-firmware.tar")]
        server = Liar(self.site.folder)
        with server as url:
            for name, head in heads + [("0_0_2-firmware.tar", False)]:
                for limit, says in (("slowest=300", "fewer than slowest=300 bytes a second"), ("slowest=0, longest=2", "longer than longest=2 s")):
                    with self.subTest(limit, name=name, head=head):

                        def drip(ask):
                            if ask.name == name:
                                ask.trickle(ask.text(), 0.02, head=head)

                        server.lie = drip
                        job = "from sdboot._native import load\nload('net').WINDOW = 1000\n"
                        job += "attempt(lambda: sdboot.OTA('%s/lie/x', timeout=3, %s).%s)\n" % (url, limit, INSTALL)
                        began = time.monotonic()
                        r = self.run_job(job)
                        self.assertLess(time.monotonic() - began, 20)
                        self.assertNot(r, says)
                        self.assertFiles(OLD)
        self.assertRecovers()

    def test_no_answer(self):
        """Dropped, cut short, refused: the board goes on with what it has."""
        for reply in (None, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx", answer(b"", "503 No")):
            with RawServer(reply) as url:
                job = "attempt(lambda: sdboot.OTA(%r, timeout=1).%s)\n" % (url, INSTALL)
                self.assertNot(self.run_job(job), "Error")
        self.assertRecovers()

    def test_redirected(self):
        """To the attacker's host: what counts is who has signed."""
        with RawServer(answer(b"0.0.2;a.tar;%s\n" % (b"0" * 40))) as elsewhere:
            moved = answer(b"", "302 Found", headers=["Location: " + elsewhere + "/versions"])
            with RawServer(moved) as url:
                job = "attempt(lambda: sdboot.OTA(%r).%s)\n" % (url, INSTALL)
                self.assertNot(self.run_job(job), ".minisig file")

    def test_traversal(self):
        """Signed, so the package is ours: even then it writes where packages may, and nowhere else."""
        for name in ("../boot.py", "/flash/boot.py", "app/../../x", ".sdboot/new/x", "prev/x", "a\\b", "c:x"):
            files = {**release("0.0.2"), name: b"x"}
            self.offer("0.0.2", data=package(files))
            self.assertNot(self.look(method=INSTALL), "PackageError")
            self.assertFiles(OLD)
        before = self.flash_file("boot.py")
        self.offer("0.0.2", data=package({**release("0.0.2"), "boot.py": b"import evil"}))
        self.install()
        self.assertEqual(self.files().get("boot.py"), None)
        self.assertNotIn("evil", self.flash_file("boot.py") + before)

    def test_extra_data(self):
        """Something behind the package's end, or beside what is listed."""
        self.offer()
        file = self.site.folder / "0_0_2-firmware.tar"
        file.write_bytes(file.read_bytes() + b"\0" * 512 + b"more")
        self.assertNot(self.look(method=INSTALL), "hash is not")
        self.assertRecovers()

    def test_wrong_board(self):
        self.offer(words="board=another")
        self.assertNot(self.look(method=INSTALL), "it is for others")
        self.offer(of_list="product=toaster")
        self.assertNot(self.look("product='lamp'", method=INSTALL), "not of this board's product")
        self.assertRecovers()

    def test_wrong_precursor(self):
        self.offer("0.0.9", words="min=0.0.5")
        self.assertNot(self.look(method=INSTALL), "must be installed first")
        self.assertRecovers("0.0.5")
        self.offer("0.0.9", words="min=0.0.5")
        self.install()

    def test_unapproved(self):
        """Listed, but for nobody yet, or for testers."""
        for words in ("rollout=0", "channel=beta"):
            self.offer(words=words)
            self.assertNot(self.look(method=INSTALL), "0.0.2 is not for this board")
        self.assertRecovers()

    def test_changed_between_check_and_use(self):
        """The card is written by somebody else after the release was staged and checked."""
        self.offer(data=package({**release("0.0.2"), "app/big.bin": b"sure it is what was sent " * 200}))
        self.install()
        image = self.card.read_bytes()
        at = image.index(b"sure it is what was sent")
        write_at(self.card, at, b"SURE IT IS NOT what was ")
        r = self.run_job("attempt(lambda: sdboot.status()['event'])\n")
        self.assertEqual(r.results, ["corrupt"], r.out)
        self.assertIn("release 0.0.1 runs", r.out)

    def test_stolen_key(self):
        """It was stolen after the boards had got the next one, and an old card is put in."""
        old_card = self.card.read_bytes()
        self.put_out("0.0.2", self.other)
        self.install()
        self.run_job("")
        self.put_out("0.0.3")  # the thief's
        self.assertNot(self.look(method=INSTALL), "does not trust", running="0.0.2")
        self.card.write_bytes(old_card)
        self.put({**OLD, "app/.keys": self.key, "sdboot.pub": self.key})
        self.assertNot(self.look(method=INSTALL), "does not trust")

    def test_on_the_card(self):
        """Put into the inbox of a card, by somebody who has no key. (Who can write main.py on it needs
        no release.)"""
        data = package(release("0.0.2"))
        sha1 = hashlib.sha1(data).hexdigest()
        put = {"inbox/versions": "0.0.2;a.tar;%s\n" % sha1, "inbox/a.tar": data}
        self.put({**OLD, **put})
        r = self.run_job("", boot="inbox='inbox'")
        self.assertIn("the release in /inbox is refused", r.out)
        self.assertIn("signed releases only", r.out)
        self.assertNot(r)
        self.offer()
        signed = {n: self.served(n) for n in ("versions", "versions.minisig", "0_0_2-firmware.tar")}
        self.put({"inbox/" + name: data for name, data in signed.items()})
        self.run_job("", boot="inbox='inbox'")
        self.assertIn("release 0.0.2 runs", self.run_job("").out)

    def test_a_release_that_has_failed(self):
        """Served again and again, to wear the card out or to keep the board from working."""
        self.put_out("0.0.2", confirms=False)
        self.install(boot="attempts=1")
        self.run_job("", boot="attempts=1")
        self.assertIn("release 0.0.1 runs", self.run_job("", boot="attempts=1").out)
        r = self.look(method=INSTALL)
        self.assertEqual(r.results, ["False"])
        self.assertIn("0.0.2 is skipped, it has failed here", r.out)
        self.assertRecovers()

    def test_signature_of_another_kind(self):
        """A signature of the file passed off as one of its hash, and the other way round."""
        self.offer()
        file = self.site.folder / "versions.minisig"
        file.write_text(file.read_text().replace("\nRW", "\nRU", 1))
        self.assertNot(self.look(method=INSTALL), "changed")
        self.sign("ours", "-H")
        file.write_text(file.read_text().replace("\nRU", "\nRW", 1))
        self.assertNot(self.look(method=INSTALL), "changed")
        self.assertRecovers()


class Documented(unittest.TestCase):
    def test_every_test_that_is_named_is_there(self):
        text = (ROOT / "docs" / "SECURITY.md").read_text()
        named = set(re.findall(r"`(?:tests/\w+/)?(test_\w+)\.(\w+)\.(test_\w+)`", text))
        self.assertGreater(len(named), 15)
        for module, kind, test in sorted(named):
            with self.subTest("%s.%s.%s" % (module, kind, test)):
                found = __import__(module)
                self.assertTrue(callable(getattr(getattr(found, kind), test)))
        for test in dir(Attacks):
            if test.startswith("test_"):
                self.assertIn("test_attacks.Attacks." + test, text)


if __name__ == "__main__":
    unittest.main()
