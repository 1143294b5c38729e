# SPDX-License-Identifier: MIT
"""A server that lies (liar.py): after each lie of lies.py, and after a cut at any byte of an update,
the board says what was wrong, runs what it ran, and takes the next update of an honest server.

`make liar` tells all of them, cuts at every byte, and prints what came of each.
"""

import collections
import json
import os
import random
import shutil
import unittest

import lies
from liar import Ask, Liar
from test_signed import SignedTest
from web import Site, indexed, release

from lab import PACKAGE  # after rig, which makes tools/ known

RESUMES = any(PACKAGE.glob("source.*"))  # what breaks off is taken up again in the same call
ALL = bool(os.environ.get("EXHAUSTIVE"))  # every byte
OLD = {**release("0.0.1"), "app/data.bin": b"old" * 300, "settings.json": b"{}"}
NEW = release("0.0.2", {"app/new.txt": b"so new\n", "new.py": b"x = 1\n"})

# Runs cases, one after the other, and says of each what OTA did and whether all is as it was. What is
# staged is taken back, so that the next case finds the same.
JOB = """
import binascii, hashlib, json, os
def tree(*roots):
    sha = hashlib.sha256()
    def walk(at):
        for name, kind, *_ in sorted(os.ilistdir(at)):
            path = at + "/" + name
            if path in ("/flash", "/.sdboot"):
                continue
            sha.update(path.encode())
            if kind == 0x4000:
                walk(path)
            else:
                with open(path, "rb") as f:
                    sha.update(f.read())
    for root in roots:
        walk(root)
    return binascii.hexlify(sha.digest()).decode()
def update(url, **more):
    ota = sdboot.OTA(url, key=KEY, **more)
    try:
        done = ota.install_update_if_available()
    except Exception as e:
        done = "%s %s" % (type(e).__name__, e)
    state = sdboot.status()["state"]
    staged = state == "staged" and tree("/next", "/.sdboot/new")
    return done, staged and ota.cancel() and staged, tree("") == was
was = tree("")
for name in NAMES:
    more = MORE.get(name, {})
    print("case", json.dumps([name, update(URL + "/lie/" + name, **more), update(URL + "/good/x")]))
"""

rows = []


def setUpModule():
    rows.clear()


def tearDownModule():
    if not ALL:
        return
    width = max(len(name) for name, _ in rows)
    print("\n%s | outcome\n%s-|-%s" % ("case".ljust(width), "-" * width, "-" * 40))
    for name, outcome in rows:
        print("%s | %s" % (name.ljust(width), outcome))


class LiarTest(SignedTest):
    """A board that trusts a key, a card with OLD on it, and a liar that serves NEW, signed."""

    def setUp(self):
        super().setUp()
        self.put(OLD)
        self.site = Site(self.dir / "www")
        self.publish()
        self.sign("ours", "-H")
        self.liar = Liar(self.site.folder)
        self.url = self.enterContext(self.liar)
        self.image = self.dir / "as-it-was.img"
        shutil.copy(self.card, self.image)

    def publish(self):
        package, _ = indexed(NEW)  # small: no 10 KiB of padding
        self.site.lines = ["# sdboot file=0_0_2-firmware.tar size=%d sha256=%s\n" % (len(package), sha256(package))]
        self.site.add("0.0.2", package)

    def tell(self, told, arguments={}):
        """Tells these lies {case: lie} in one power-on; gives {case: what OTA did}, after everything
        else has been checked."""
        self.liar.forget()
        self.liar.lie = lambda ask: told[ask.case](ask)
        job = "KEY = %r\nURL = %r\nNAMES = %r\nMORE = %r\n" % (self.key, self.url, list(told), arguments)
        r = self.power(job=BEFORE + job + JOB)
        found = [json.loads(line[5:]) for line in r.out.splitlines() if line.startswith("case ")]
        self.assertEqual([name for name, _, _ in found], list(told), r.out + r.err)
        outcome = {}
        for name, (done, staged, same), good in found:
            with self.subTest(name):
                outcome[name] = done
                self.assertTrue(same, "the running release has changed: %s" % done)
                self.assertEqual((good[0], good[2]), (True, True), "after: %s" % done)
                self.assertEqual(staged, good[1] if done is True else False)
        self.assertIn("release 0.0.1 runs", r.out)
        self.assertFiles(OLD)
        self.assertFalse(self.folders() & {"next", ".sdboot/new"}, "left over")
        return outcome

    def words(self, done, name):
        return "installed" if done is True else done.replace(self.url + "/lie/" + name, "URL")

    def assertNextWorks(self):
        """An honest server's update runs."""
        r = self.ota(self.url + "/good/x", "key=%r" % self.key)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertIn("release 0.0.2 runs", self.power().out)
        found = self.files()
        for name, data in NEW.items():
            self.assertEqual(found[name], data)
        shutil.copy(self.image, self.card)


class Told(LiarTest):
    def group(self, cases):
        cases = list(cases)
        told = {"%d" % i: case.lie for i, case in enumerate(cases)}
        more = {"%d" % i: case.arguments for i, case in enumerate(cases) if case.arguments}
        for name, done in self.tell(told, more).items():
            case = cases[int(name)]
            rows.append((case.name, self.words(done, name)))
            with self.subTest(case.name):
                says = case.says if isinstance(case.says, tuple) else (case.says,)
                if done is True:
                    self.assertIn(lies.INSTALLS, says)
                else:
                    self.assertTrue(any(text and text in done for text in says), done)
                    self.assertRegex(done, "^(Network|Package)Error ")
        self.assertNextWorks()

    def test_connections(self):
        self.group(lies.connections())

    def test_statuses(self):
        self.group(lies.statuses())

    def test_lengths(self):
        self.group(lies.lengths())

    def test_codings(self):
        self.group(lies.codings())

    def test_heads(self):
        self.group(lies.heads())

    def test_moves(self):
        self.group(lies.moves())

    def test_portals(self):
        self.group(lies.portals())

    def test_releases(self):
        self.group(lies.releases())

    @unittest.skipUnless(RESUMES, "this engine begins anew")
    def test_resumed(self):
        self.group(lies.resumed())


class Cuts(LiarTest):
    """The connection ends at any byte of the answer, again and again."""

    BATCH = 100  # in one power-on, which may take a minute

    def places(self, total):
        if ALL:
            return range(total)
        ends = {0, 1, total - 2, total - 1}
        return sorted(ends | set(random.Random(total).sample(range(total), 20)))

    def cut_at(self, name, place, once):
        """The answer ends there. Who asks for the rest then gets no further, or all."""

        def lie(ask):
            if ask.name == name and not (once and ask.nth > 1):
                text = ask.text()
                body = text.index(b"\r\n\r\n") + 4
                first = ask.part[0] if ask.part else 0
                ask.last(text[: place if not first else body + max(0, place - self.head - first)])

        return lie

    def cut(self, name, says, once=False):
        self.liar.forget()
        self.head = self.whole(name).index(b"\r\n\r\n") + 4
        with self.subTest(name):
            told = {"%d" % k: self.cut_at(name, k, once) for k in self.places(len(self.whole(name)))}
            names = list(told)
            count = collections.Counter()
            for i in range(0, len(names), self.BATCH):
                for k, done in self.tell({k: told[k] for k in names[i : i + self.BATCH]}).items():
                    self.assertRegex(str(done), says(int(k)) if callable(says) else says, k)
                    count[self.words(done, k)] += 1
            for text, times in count.items():
                rows.append(("cut%s at byte 0 to %s of %s" % (" once" * once, names[-1], name), "%d x %s" % (times, text)))
            self.assertNextWorks()

    def whole(self, name):
        """The answer that is cut."""
        text = "GET /good/x/%s HTTP/1.1\r\n" % name
        return Ask(self.liar, None, text.encode()).text()

    def test_list(self):
        self.cut(lies.LIST, "^NetworkError .*/versions: server: connection closed too early")

    def test_signature(self):
        self.cut(lies.SIGNATURE, "^NetworkError .*/versions.minisig: server: connection closed too early")

    def test_package(self):
        self.cut(lies.PACKAGE, "^NetworkError .*/0_0_2-firmware.tar: server: connection closed too early")

    @unittest.skipUnless(RESUMES, "this engine begins anew")
    def test_package_once(self):
        """It is taken up again where it was, in the same call; but if the answer had only begun, and
        nothing was known of the file yet. (One that has not: the kept connection was given up.)"""
        head = self.whole(lies.PACKAGE).index(b"\r\n\r\n") + 4
        self.cut(lies.PACKAGE, lambda k: "closed too early" if 0 < k < head else "^True$", once=True)


class Flips(LiarTest):
    """A bit is changed somewhere on the way, in heads or bodies: an error, or it does not matter. What
    is staged is the release that was signed."""

    def test_any_bit(self):
        noise = random.Random(12)
        told = {}
        for name in lies.ALL:
            for i in range(200 if ALL else 25):
                told["%s-%d" % (name, i)] = self.flip(name, noise.random(), 1 << noise.randrange(8))
        count = collections.Counter()
        for case, done in self.tell(told, {}).items():
            count["installed" if done is True else done.split(": ")[-1]] += 1
            if done is not True:
                self.assertRegex(done, "^(Network|Package)Error ")
        for text, times in count.items():
            rows.append(("one bit changed on the way", "%d x %s" % (times, text)))
        self.assertGreater(len(count), 4)
        self.assertNextWorks()

    def flip(self, name, where, bit):
        def lie(ask):
            if ask.name == name:
                text = bytearray(ask.text())
                text[int(where * len(text))] ^= bit
                ask.last(text)

        return lie


def sha256(data):
    return lies.hashlib.sha256(data).hexdigest()


# Nobody waits between two attempts.
BEFORE = """
from sdboot._native import load
load("net").Client.pause = lambda self, ms: iter(())
"""


if __name__ == "__main__":
    unittest.main()
