# SPDX-License-Identifier: MIT
"""An update costs what has changed, and goes on where it was cut short: packages with an index."""

import hashlib
import random
import subprocess
import unittest

from cutting import CutTest
from rig import ATTEMPT, BOARD, BOOT, HASTY, BoardTest
from web import IndexedSite, PythonServer, RangeServer, package, release


def files(version, count=40, seed=1, size=3000, changed=()):
    """A release of `count` files of random content; those in `changed` are other ones."""
    found = dict(release(version))
    found["app/.version"] = version.encode() + b"\n"
    found["lib/empty.py"] = b""
    for i in range(count):
        noise = random.Random(seed * 1000 + i + (500000 if i in changed else 0))
        name = ("app/data/%03d.bin" if i % 4 else "lib/%03d.bin") % i
        found[name] = noise.randbytes(noise.randrange(1, 2 * size))
    return found


class DeltaTest(BoardTest):
    server_class = RangeServer

    def setUp(self):
        super().setUp()
        self.site = IndexedSite(self.dir / "www")

    def serve(self, server=None):
        self.server = server or RangeServer(self.site.folder)
        return self.enterContext(self.server)

    def update(self, url, quite=False):
        return self.ota(url, "quite=%s" % quite)

    def assertRuns(self, version, expected, others=()):
        r = self.power()
        self.assertIn("release %s is in place" % version, r.out)
        r = self.power(job="attempt(sdboot.verify)")
        self.assertEqual(r.results, ["[]"], r.out)
        found = {k: v for k, v in self.files().items() if not k.startswith("prev/")}
        self.assertEqual(sorted(found), sorted({**expected, **dict(others)}))
        for name, data in expected.items():
            self.assertEqual(found[name], data, name)


class Changed(DeltaTest):
    def test_what_has_changed(self):
        for fs in ("fat", "littlefs"):
            with self.subTest(fs):
                self.site.lines = []
                old = files("0.0.1")
                new = files("0.0.2", changed=(7, 20, 21))
                getattr(self, fs + "_card")(old)
                package = self.site.add("0.0.2", new)
                url = self.serve()
                r = self.update(url)
                self.assertEqual(r.results, ["True"], r.out)
                self.assertNotIn("whole", r.out)
                whole = [path for path, headers in self.server.requests if "Range" not in headers]
                self.assertEqual(whole, ["/versions", "/0_0_2-firmware.tar.idx"])
                fetched = sum(last + 1 - first for _, first, last in self.server.ranges)
                changed = {k: v for k, v in new.items() if old.get(k) != v and k != "app/.version"}
                self.assertEqual(len(changed), 4)
                self.assertLess(fetched, sum(map(len, changed.values())) + 1024)
                self.assertLess(fetched, len(package) // 4)
                self.assertEqual(len(self.server.ranges), 4)
                self.assertEqual(self.server.connections, 1)  # for list, index and all parts
                self.assertRuns("0.0.2", new)


    def test_moved_and_unknown_names(self):
        """What has only moved is not fetched again, into app/ and out of it; folders come too."""
        self.site.add("0.0.1", files("0.0.1"))
        url = self.serve()
        self.fat_card(release("0.0.0"))
        self.update(url)
        self.power()  # there is a manifest now
        old = files("0.0.1")
        new = {("app/moved/" + k if k.startswith("lib/") else k): v for k, v in old.items()}
        new["app/.version"] = b"0.0.2\n"
        new["app/code.py"] = b"version = '0.0.2'\n"
        new["www/copy.bin"] = old["app/data/001.bin"]
        new["www/fresh.bin"] = b"fresh" * 999
        self.site.add("0.0.2", {**new, "www/empty": None})
        before = len(self.server.ranges)
        r = self.update(url)
        self.assertNotIn("whole", r.out)
        fetched = sum(last + 1 - first for _, first, last in self.server.ranges[before:])
        self.assertLess(fetched, 4995 + 1024 + 20, r.out)
        kept = {k: v for k, v in old.items() if k.startswith("lib/")}
        self.assertRuns("0.0.2", new, kept)
        self.assertIn("www/empty", self.folders())

    def test_nothing_but_the_version(self):
        old = files("0.0.1", 200, size=500)
        new = {**old, "app/.version": b"0.0.2\n"}
        self.fat_card(old)
        self.site.add("0.0.2", new)
        url = self.serve()
        r = self.update(url)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertEqual(self.server.ranges, [])
        self.assertLess(self.server.wire, 6 << 10)
        self.assertRuns("0.0.2", new)

    def test_one_file_of_many(self):
        old = files("0.0.1", 200, size=500)
        new = {**files("0.0.2", 200, size=500, changed=(77,)), "app/code.py": old["app/code.py"]}
        self.fat_card(old)
        self.site.add("0.0.2", new)
        url = self.serve()
        r = self.update(url)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertEqual(len(self.server.ranges), 1)
        self.assertLess(self.server.wire, len(new["app/data/077.bin"]) + (6 << 10))
        self.assertRuns("0.0.2", new)

    def test_a_file_that_is_not_what_the_manifest_says(self):
        """The application, or a tired card, has changed what looks the same from outside."""
        self.site.add("0.0.1", files("0.0.1"))
        url = self.serve()
        self.fat_card(release("0.0.0"))
        self.update(url)
        self.power()
        old = files("0.0.1")
        self.put({"app/data/005.bin": bytes(len(old["app/data/005.bin"])), "lib/004.bin": b""})
        new = {**old, "app/.version": b"0.0.2\n", "app/b": old["app/data/005.bin"]}
        self.site.add("0.0.2", new)
        before = len(self.server.ranges)
        self.update(url)
        fetched = sum(last + 1 - first for _, first, last in self.server.ranges[before:])
        sizes = 2 * len(new["app/b"]) + len(new["lib/004.bin"])
        self.assertLess(fetched, sizes + 1024)
        self.assertRuns("0.0.2", new)

    def test_what_the_manifest_rules_out_is_not_read(self):
        """All files have changed and kept their sizes: the manifest tells, not their content."""
        self.site.add("0.0.1", files("0.0.1"))
        url = self.serve()
        self.fat_card(release("0.0.0"))
        self.update(url)
        self.power()
        new = {k: v for k, v in files("0.0.2", changed=range(40)).items() if k[:3] == "app"}
        self.site.add("0.0.2", new)
        r = self.update(url)
        self.assertNotIn("whole", r.out)
        self.assertLess(r.stats["card_read_sectors"], sum(map(len, new.values())) // 512 * 3 // 4)
        r = self.power(job="attempt(sdboot.verify)")
        self.assertEqual(r.results, ["[]"], r.out)

    def test_a_packers_own_headers(self):
        """What the index can't describe is fetched as it is."""
        raw = package({"app/by hand.py": b"x = 1\n", "app/" + "long/" * 40 + "e.py": b"y = 2\n"})
        raw = raw[: len(raw.rstrip(b"\0")) + 511 & -512]
        new = {**files("0.0.2")}
        self.fat_card(files("0.0.1"))
        self.site.add("0.0.2", new, raw)
        r = self.update(self.serve())
        self.assertNotIn("whole", r.out)
        new["app/by hand.py"] = b"x = 1\n"
        new["app/" + "long/" * 40 + "e.py"] = b"y = 2\n"
        self.assertRuns("0.0.2", new)


class Servers(DeltaTest):
    """Whatever the server does: the release, or an error."""

    def setUp(self):
        super().setUp()
        self.old = files("0.0.1")
        self.new = files("0.0.2", changed=(1, 2, 11, 30))
        self.fat_card(self.old)

    def test_without_ranges(self):
        """One that answers with all of the file: it is read once."""
        self.site.add("0.0.2", self.new)
        url = self.serve(PythonServer(self.site.folder))
        r = self.update(url)
        self.assertEqual(r.results, ["True"], r.out)
        tars = [p for p, _ in self.server.requests if p.endswith(".tar")]
        self.assertEqual(len(tars), 1, self.server.requests)
        self.assertRuns("0.0.2", self.new)

    def test_that_lies(self):
        """Other bytes, or other ones than were asked for: all of the file is fetched then."""
        for lie in (
            lambda data: bytes(len(data)),
            lambda data: data[1:] + data[:1],
            lambda data: data[:-1],
            lambda data: data + b"more",
            lambda data: b"",
        ):
            self.site.lines = []
            self.site.add("0.0.2", self.new)
            self.fat_card(self.old)
            url = self.serve(RangeServer(self.site.folder, lie))
            r = self.update(url, quite=True)
            self.assertEqual(r.results, ["True"], r.out)
            self.assertRuns("0.0.2", self.new)

    def test_that_does_not_wait(self):
        """A connection that ends after each answer, whatever was said, is made anew."""
        self.site.add("0.0.2", self.new)
        url = self.serve(RangeServer(self.site.folder, patience=1))
        r = self.update(url)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertNotIn("whole", r.out)
        self.assertEqual(self.server.connections, len(self.server.ranges))
        self.assertRuns("0.0.2", self.new)

    def test_index_that_is_none(self):
        self.site.add("0.0.2", self.new)
        index = self.site.folder / "0_0_2-firmware.tar.idx"
        good = index.read_bytes()
        noise = random.Random(3)
        for data in (None, b"", good[:-1], good + b"x", b"x" * 300000, good[:50] + b"!" + good[51:]):
            self.fat_card(self.old)
            index.unlink(missing_ok=True)
            if data is not None:
                index.write_bytes(data)
            r = self.update(self.serve())
            self.assertIn("the whole package is fetched", r.out)
            self.assertEqual(r.results, ["True"], r.out)
            self.assertEqual(self.server.ranges, [])
            self.assertRuns("0.0.2", self.new)
        # One whose hash the list has, and that is wrong nevertheless.
        for _ in range(12):
            data = bytearray(good)
            data[noise.randrange(5, len(data))] ^= 1 << noise.randrange(8)
            self.fat_card(self.old)
            index.write_bytes(data)
            hashes = [hashlib.sha256(b).hexdigest() for b in (good, bytes(data))]
            self.site.write("".join(self.site.lines).replace(*hashes))
            r = self.update(self.serve())
            self.assertEqual(r.results, ["True"], r.out)
            self.assertRuns("0.0.2", self.new)


class Resumed(DeltaTest):
    def fetched(self, since=0):
        return sum(last + 1 - first for _, first, last in self.server.ranges[since:])

    def test_connection_lost(self):
        """What has come stays; the rest is fetched by the next call, or after the next reset."""
        for fs in ("fat", "littlefs"):
            with self.subTest(fs):
                self.site.lines = []
                new = files("0.0.2", 60, seed=2)
                getattr(self, fs + "_card")(files("0.0.1", 3))
                package = self.site.add("0.0.2", new)
                url = self.serve(RangeServer(self.site.folder, drop=len(package) * 3 // 4))
                r = self.update(url, quite=True)
                self.assertIn("NetworkError", r.errors[0])
                self.assertFalse(any(k.startswith("prev/") for k in self.files()))
                self.server.drop = None
                before = len(self.server.ranges)
                r = self.update(url)
                self.assertEqual(r.results, ["True"], r.out)
                self.assertLess(self.fetched(before), len(package) * 0.35)
                self.assertRuns("0.0.2", new, {k: v for k, v in files("0.0.1", 3).items() if k[:3] == "lib"})

    def test_power_lost(self):
        """At most 64 KiB, or one file, are fetched again."""
        for fs in ("fat", "littlefs"):
            new = files("0.0.2", 80, seed=2)
            new["app/large.bin"] = random.Random(9).randbytes(100000)
            getattr(self, fs + "_card")(release("0.0.1"))
            self.site.lines = []
            package = self.site.add("0.0.2", new)
            url = self.serve()
            saved = self.card.read_bytes()
            self.update(url)
            most = self.fetched()
            total = self.ota_writes
            for share in (0.2, 0.5, 0.9):
                with self.subTest(fs, share=share):
                    self.card.write_bytes(saved)
                    before = len(self.server.ranges)
                    self.cut(url, int(total * share))
                    before = len(self.server.ranges)
                    r = self.update(url)
                    self.assertEqual(r.results, ["True"], r.out)
                    lost = self.fetched(before) - most * (1 - share)
                    self.assertLess(lost, 100000 + 10000 + most * 0.05, r.out)
                    self.assertRuns("0.0.2", new)

    def test_power_lost_with_a_packers_own_headers(self):
        """The index can't describe these members: what the first attempt has left of them is no duplicate,
        and what it can describe is not fetched again."""
        own = {"app/raw%d.bin" % i: random.Random(i).randbytes(9000) for i in range(20)}
        raw = package(own)
        raw = raw[: len(raw.rstrip(b"\0")) + 511 & -512]
        new = files("0.0.2", 60, seed=2)
        for fs in ("fat", "littlefs"):
            for share in (0.3, 0.9):
                with self.subTest(fs, share=share):
                    getattr(self, fs + "_card")(release("0.0.1"))
                    self.site.lines = []
                    self.site.add("0.0.2", new, raw)
                    url = self.serve()
                    saved = self.card.read_bytes()
                    self.update(url)
                    most, total = self.fetched(), self.ota_writes
                    self.card.write_bytes(saved)
                    self.cut(url, int(total * share))
                    before = len(self.server.ranges)
                    r = self.update(url)
                    self.assertEqual(r.results, ["True"], r.out)
                    self.assertNotIn("whole", r.out)
                    if share > 0.5:
                        self.assertLess(self.fetched(before), len(raw) + 64 * 1024 + most * 0.15)
                    self.assertRuns("0.0.2", {**new, **own})

    def test_power_that_never_lasts(self):
        """It goes again and again, long before an update is done: each boot gets further."""
        new = files("0.0.2", 60, seed=2, size=4000)
        self.site.add("0.0.2", new)
        for fs in ("fat", "littlefs"):
            with self.subTest(fs):
                getattr(self, fs + "_card")(release("0.0.1"))
                url = self.serve()
                boots = 0
                while self.lasts(url, 260) and boots < 30:
                    boots += 1
                self.assertGreater(boots, 1)
                self.assertLess(boots, 30)
                self.assertRuns("0.0.2", new)

    def lasts(self, url, sectors):
        """A boot that ends when so many are written. False if the update was staged before."""
        job = "attempt(sdboot.OTA(%r).install_update_if_available)\n" % url
        flash = self.dir / "flash.img"
        self.make_flash(flash, HASTY + BOOT % "" + ATTEMPT + job)
        stats = ["--stats", self.dir / "stats", "--cut", str(sectors)]
        done = subprocess.run([BOARD, "--flash", flash, "--card", self.card, *stats], capture_output=True, input=b"")
        self.assertIn(done.returncode, (0, 75))
        return done.returncode == 75

    def update(self, url, quite=False):
        r = super().update(url, quite)
        self.ota_writes = r.stats["card_write_sectors"]
        return r

    def cut(self, url, sector):
        job = "sdboot.OTA(%r).install_update_if_available()\n" % url
        self.power("--cut", sector, job=job, status=75, repl=False)


class PowerCuts(CutTest):
    """The power goes at any sector that an update writes; the next attempt goes on from there."""

    def setUp(self):
        super().setUp()
        self.site = IndexedSite(self.dir / "www")
        self.server = RangeServer(self.site.folder)
        self.url = self.enterContext(self.server)

    def test_any_sector(self):
        old, new = files("0.0.1", 12, size=6000), files("0.0.2", 24, size=6000, changed=(1, 4, 5))
        newer = files("0.0.3", 20, size=6000, changed=(1, 7, 18))
        package = self.site.add("0.0.2", new)
        job = "attempt(lambda: sdboot.OTA(%r).install_update_if_available())\n"
        update = self.flash("update", job=job % self.url)
        other = IndexedSite(self.dir / "other")
        other.add("0.0.3", newer)
        server = RangeServer(other.folder)
        later = self.flash("later", job=job % self.enterContext(server))
        check = self.flash("check", job="attempt(sdboot.verify)\n")
        for fs, every in (("fat", 61), ("littlefs", 41)):
            with self.subTest(fs):
                self.case(fs, every, old, new, newer, update, later, check, len(package))

    def case(self, fs, every, old, new, newer, update, later, check, size):
        getattr(self, fs + "_card")(old)
        turn = [0]

        def judge(board, run):
            # Every other time a newer release has come meanwhile.
            turn[0] += 1
            flash, version, want = ((update, "0.0.2", new), (later, "0.0.3", newer))[turn[0] % 2]
            found = board.files()
            for name, data in old.items():
                board.assertEqual(found[name], data, name)
            r = board.power_flash(flash)
            if "in place" in r.out:  # it was staged, and is on trial now
                version, want = "0.0.2", new
            else:
                board.assertEqual(r.results, ["True"], r.out)
            r = board.power_flash(check)
            board.assertIn("release %s runs" % version, r.out)
            r = board.power_flash(check)
            board.assertEqual(r.results, ["[]"], r.out)
            found = {k: v for k, v in board.files().items() if k[:5] != "prev/"}
            kept = {k: v for k, v in old.items() if k[:4] == "lib/"}
            board.assertEqual(found, {**kept, **want})

        self.cut(update, judge, every=every)


if __name__ == "__main__":
    unittest.main()
