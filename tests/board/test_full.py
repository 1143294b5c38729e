# SPDX-License-Identifier: MIT
"""A card that fills up, and the example application when things are missing."""

import json
import unittest

import cards
from rig import MIB, ROOT, BoardTest
from web import PythonServer, Site, package, release

from lab import Nginx, free_port  # after rig, which makes tools/ known

OLD = {**release("0.0.1"), "settings.json": b"{}"}


class Full(BoardTest):
    def setUp(self):
        super().setUp()
        self.site = Site(self.dir / "www")
        self.url = self.enterContext(PythonServer(self.site.folder))

    def fill(self, free, card):
        """A card with `free` bytes left, about."""
        card(OLD)
        r = self.power(job="print('=>', sdboot.status()['free'])")
        self.put({"user.bin": b"u" * (int(r.results[0]) - free)})
        return {**OLD, "user.bin": self.files()["user.bin"]}

    def fills_up(self, free, files, card, small=None):
        before = self.fill(free, card)
        self.site.lines = []
        self.site.add("0.0.2", package({**release("0.0.2"), **files}))
        job = "attempt(sdboot.OTA(%r).install_update_if_available)\n" % self.url
        r = self.ota(self.url, job=job)
        self.assertEqual(len(r.errors), 2, r.out)
        for error in r.errors:
            self.assertIn("Error 28 0_0_2-firmware.tar: app/", error)
            self.assertIn("no space left on the card: delete files", error)
        self.assertFiles(before)
        self.assertFalse(self.folders() & {"next", ".sdboot/new"}, "left over")
        self.assertIn("release 0.0.1 runs", self.power().out)
        self.site.lines = []
        self.site.add("0.0.3", package({**release("0.0.3"), **(small or {})}))
        self.assertEqual(self.ota(self.url).results, ["True"])
        self.assertIn("release 0.0.3 runs", self.power().out)

    def test_large_file(self):
        self.fills_up(200 << 10, {"app/big.bin": bytes(400 << 10)}, self.fat_card)

    def test_many_files(self):
        files = {"app/d%d/f%d" % (i % 9, i): b"x" * 3000 for i in range(120)}
        self.fills_up(200 << 10, files, self.fat_card)

    def test_a_large_release_that_fits_after_all(self):
        small = {"app/big.bin": bytes(150 << 10)}
        self.fills_up(400 << 10, {"app/big.bin": bytes(500 << 10)}, self.fat_card, small)

    def test_littlefs(self):
        self.fills_up(400 << 10, {"app/big.bin": bytes(800 << 10)}, self.littlefs_card)

    def test_full_to_the_last_cluster(self):
        before = self.fill(0, self.fat_card)
        self.site.add("0.0.2", package(release("0.0.2")))
        r = self.ota(self.url)
        self.assertIn("no space left on the card", r.errors[0])
        self.assertFiles(before)
        self.assertIn("release 0.0.1 runs", self.power().out)

    def test_read_only(self):
        self.fat_card(OLD)
        self.site.add("0.0.2", package(release("0.0.2")))
        r = self.ota(self.url, options=("--card-ro",))
        self.assertEqual(len(r.errors), 1, r.out)
        self.assertFiles(OLD)

    def test_card_breaks_while_staging(self):
        """The old release is read to be compared, and can't be."""
        self.fat_card({**OLD, "lib/a.bin": b"a" * 40000, "lib/b.bin": b"b" * 100000})
        before = self.files()
        new = {**release("0.0.2"), "lib/a.bin": b"a" * 40000, "lib/b.bin": b"b" * 100000}
        self.site.add("0.0.2", package(new))
        with open(self.card, "rb") as f:
            lba = f.read().index(b"b" * 512) // 512 + 20
        r = self.ota(self.url, options=("--card-bad", lba))
        self.assertIn("lib/b.bin: input or output error: check the card", r.errors[0])
        self.assertFiles(before)
        self.assertNotIn("next", self.folders())
        self.assertEqual(self.ota(self.url).results, ["True"])
        self.assertIn("release 0.0.2 runs", self.power().out)


    def test_root_directory_full_at_the_swap(self):
        """FAT16's root has 512 entries, and the application takes them after staging: that is said,
        and another release can come instead, or this one when there is room."""
        for again in (False, True):
            with self.subTest(again=again):
                cards.fat(self.card, 16, 2048, 64 * MIB)
                self.put(OLD)
                self.site.lines = []
                new = {**release("0.0.2"), "new.py": b"1", "lib2/a.py": b"2"}
                self.site.add("0.0.2", package(new))
                self.assertEqual(self.ota(self.url).results, ["True"])
                fill = "try:\n    for i in range(600):\n        open('/sd/L%d' % i, 'w').close()\n"
                self.power("--pin", "18=0", job=fill + "except OSError:\n    print('=> full')\n")
                r = self.power()
                self.assertRegex(r.out, "an update can't be finished .*(full|no space)")
                self.assertIn("release 0.0.1 runs", r.out)
                if not again:
                    self.site.add("0.0.3", package(release("0.0.3")))
                    self.assertEqual(self.ota(self.url).results, ["True"])
                remove = "import os\nfor i in range(9):\n    os.remove('/sd/L%d' % i)\n"
                self.power("--pin", "18=0", job=remove)
                runs = "release 0.0.%d runs" % (2 if again else 3)
                self.assertIn(runs, self.power().out)


class Example(BoardTest):
    """examples/app runs, whatever is missing."""

    def setUp(self):
        super().setUp()
        app = ROOT / "examples" / "app"
        self.example = {
            str(p.relative_to(app)): p.read_bytes()
            for p in app.rglob("*")
            if p.is_file() and "__pycache__" not in str(p) and p.name != "boot.py"
        }
        self.example["app/.version"] = b"0.0.1\n"

    def run_it(self, url, *options, wait=None, logged=2, **more):
        settings = json.loads(self.example["settings.json"])
        settings.update(updates=url, interval_s=0, readings=2)
        settings.update(more)
        files = {**self.example, "settings.json": json.dumps(settings).encode()}
        if wait is not None:
            name = "app/wifi.py"
            self.assertIn(b"timeout_s=15", files[name])
            files[name] = files[name].replace(b"timeout_s=15", b"timeout_s=%d" % wait)
        self.fat_card(files)
        flash = self.dir / "flash.img"
        self.make_flash(flash, (ROOT / "examples" / "app" / "boot.py").read_text())
        r = self.power_flash(flash, *options)
        self.assertNotIn("Traceback", r.out)
        self.assertEqual(r.out.count("app: logged"), logged, r.out)
        if logged:
            self.assertEqual(self.files()["log.csv"].count(b"\n"), logged)
        return r

    def test_update(self):
        site = Site(self.dir / "www")
        new = {**self.example, "app/.version": b"0.0.2"}
        del new["settings.json"]  # belongs to the board
        site.add("0.0.2", package(new))
        with Nginx(site.folder) as url:
            r = self.run_it(url)
        self.assertIn("app: this is release 0.0.1", r.out)
        self.assertIn("app: this is release 0.0.2", r.out)

    def test_watchdog(self):
        """Fed in all that takes its time: an update of 2 MB, slow Wi-Fi, sleep."""
        site = Site(self.dir / "www")
        new = {**self.example, "app/.version": b"0.0.2", "app/big": bytes(2 << 20)}
        del new["settings.json"]
        site.add("0.0.2", package(new))
        with Nginx(site.folder) as url:
            r = self.run_it(url, "--wifi-delay", "3500", watchdog_s=3, interval_s=4)
        self.assertIn("app: this is release 0.0.2", r.out)
        self.assertIn("app: release confirmed", r.out)
        self.assertNotIn("WDT", r.out)

    def test_looks_while_it_runs(self):
        site = Site(self.dir / "www")
        site.add("0.0.1", package(self.example))
        with Nginx(site.folder) as url:
            r = self.run_it(url, look_s=0)
            self.assertEqual(r.out.count("no newer release"), 2, r.out)
            again = self.run_it(url)
        self.assertEqual(again.out.count("no newer release"), 1, again.out)

    def test_confirms_when_the_server_was_reached(self):
        """A release that has cut itself off from its server is taken back."""
        site = Site(self.dir / "www")
        deaf = self.example["app/wifi.py"].replace(b"wlan.active(True)", b"raise OSError(5)")
        self.assertNotEqual(deaf, self.example["app/wifi.py"])
        new = {**self.example, "app/.version": b"0.0.2", "app/wifi.py": deaf}
        del new["settings.json"]
        site.add("0.0.2", package(new))
        flash = self.dir / "flash.img"
        with Nginx(site.folder) as url:
            r = self.run_it(url)
            self.assertIn("app: this is release 0.0.2", r.out)
            self.assertNotIn("confirmed", r.out)
            for _ in range(3):
                r = self.power_flash(flash)
        self.assertIn("app: this is release 0.0.1", r.out)

    def test_log_fails(self):
        r = self.run_it("http://127.0.0.1:1", log="/none/log.csv", logged=0)
        self.assertEqual(r.out.count("app: not logged:"), 2, r.out)

    def test_server_down(self):
        r = self.run_it("http://127.0.0.1:%d" % free_port())
        self.assertIn("app: no update: ", r.out)
        self.assertIn("connection failed", r.out)

    def test_server_without_releases(self):
        site = Site(self.dir / "www")
        with PythonServer(site.folder) as url:
            self.assertIn("server answers 404", self.run_it(url).out)

    def test_no_wifi(self):
        r = self.run_it("http://127.0.0.1:1", "--wifi-delay", "never", wait=1)
        self.assertIn("app: no Wi-Fi, going on without", r.out)

    def test_slow_wifi(self):
        r = self.run_it("http://127.0.0.1:%d" % free_port(), "--wifi-delay", "500")
        self.assertIn("app: no update: ", r.out)


if __name__ == "__main__":
    unittest.main()
