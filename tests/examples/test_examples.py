# SPDX-License-Identifier: MIT
"""The examples, each on the simulated board, as its README says."""

import json
import shutil
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "board"))
from cards import MIB  # noqa: E402
from rig import BoardTest  # noqa: E402
from web import PythonServer, Site, package  # noqa: E402

EXAMPLES = ROOT / "examples"
BOOT_PY = EXAMPLES / "app" / "boot.py"


class ExampleTest(BoardTest):
    def read(self, example):
        """Files of the example that belong on a card."""
        folder = EXAMPLES / example
        paths = [p for p in folder.rglob("*") if p.is_file() and p.suffix in (".py", ".json")]
        paths = [p for p in paths if p != folder / "boot.py" and "__pycache__" not in p.parts]
        return {str(p.relative_to(folder)): p.read_bytes() for p in paths}

    def example(self, name, settings=None, size=8 * MIB):
        """A card with the example on it, and its boot.py on the flash."""
        self.fat_card(size=size)
        files = self.read(name)
        if settings is not None:
            files["settings.json"] = json.dumps(settings).encode()
        self.put(files)
        boot = EXAMPLES / name / "boot.py"
        self.boot_py = boot if boot.exists() else BOOT_PY

    def start(self, *options, typed="", status=0):
        flash = self.dir / "own.img"  # flash.img is that of the card's maker
        if not flash.exists():
            self.make_flash(flash, self.boot_py.read_text())
        return self.power_flash(flash, *options, typed=typed, repl=status == 0, status=status)


class Blink(ExampleTest):
    def test_log_does_not_grow_for_ever(self):
        self.example("blink", {"blinks": 100, "every_ms": 0, "log": [200, 3]})
        for _ in range(2):  # goes on in the files that are there
            self.assertRegex(self.start().out, "blink: blinked 100 times, log has [34] files")
        logs = {k: v for k, v in self.files().items() if k.startswith("log/")}
        self.assertIn(len(logs), (3, 4))
        self.assertLess(max(len(v) for v in logs.values()), 260)
        self.assertIn(b"lamp is o", logs[max(logs, key=lambda k: int(k[4:-4]))])

    def test_card_fails_for_a_while(self):
        self.example("blink", {"blinks": 20, "every_ms": 0})
        r = self.start("--card-fail", "w9")
        self.assertIn("blink: blinked 20 times", r.out)
        lines = self.files()["log/0.txt"].splitlines()
        self.assertEqual(len(lines), 19, r.out)  # the one that was told to have failed is missing


class Sensor(ExampleTest):
    SETTINGS = {"every_ms": 0, "batch": 5, "values": 23}

    def lines(self):
        days = [v for k, v in sorted(self.files().items()) if k.startswith("data/")]
        return b"".join(days).splitlines()

    def test_logs_in_batches(self):
        self.example("sensor", self.SETTINGS)
        r = self.start()
        self.assertEqual(r.out.count("sensor: wrote 5"), 4)
        self.assertIn("sensor: wrote 3", r.out)
        self.assertEqual(len(self.lines()), 23)
        self.start("--clock", "host")  # another day
        self.assertEqual(len(self.lines()), 46)
        self.assertEqual(len([k for k in self.files() if k.startswith("data/")]), 2)
        self.assertIn("'journal': 'on, with a log'", self.start(typed="sdboot.status()\n").out)

    def test_nothing_is_written_twice_or_half(self):
        for fault in ("w2", "w3", "w6", "w7", "w3/", "w4/", "w7/"):
            with self.subTest(fault):
                self.example("sensor", self.SETTINGS)
                r = self.start("--card-fail", fault)
                self.assertIn("not written", r.out)
                self.assertEqual(len(self.lines()), 23, r.out)
        with self.subTest("at the end, w9"):  # a sync() that fails is made up for at the next boot
            self.example("sensor", self.SETTINGS)
            r = self.start("--card-fail", "w9")
            self.assertIn("not in place before the next boot", r.out)
            self.start()
            self.assertEqual(len(self.lines()), 2 * 23, r.out)

    def test_oldest_day_goes(self):
        self.example("sensor", {**self.SETTINGS, "keep_free": 2 * MIB})
        self.put({"data/1999-01-01.csv": bytes(3 * MIB), "data/1999-01-02.csv": bytes(3 * MIB)})
        self.start()
        days = sorted(k for k in self.files() if k.startswith("data/"))
        self.assertEqual(days, ["data/1999-01-02.csv", "data/2000-01-01.csv"])


class Database(ExampleTest):
    def test_counts_starts(self):
        self.example("database")
        for start in (1, 2, 3):
            self.assertIn("database: this is start %d\n" % start, self.start().out)
        data = self.files()["counts.db"]
        self.assertLess(data.count(b"\n"), 100)  # not the 312 lines that were written

    def test_power_cuts(self):
        """Wherever the power goes: counts go up, and the file has whole lines only."""
        self.example("database")
        self.start()
        base = self.dir / "base.img"
        shutil.copy(self.card, base)
        for cut in (1, 2, 5, 20, 21, 22, 23, 24, 60, 110, 151, 202):
            with self.subTest(cut):
                shutil.copy(base, self.card)
                self.start("--cut", str(cut), status=75)
                out = self.start().out
                self.assertRegex(out, "database: this is start [23]\n")
                self.assertIn("database: 4 keys", out)
                self.assertNotIn("Traceback", out)


class Migrate(ExampleTest):
    def test_card_and_package_of_the_original(self):
        """The new import comes as an update; another one after it, confirmed without being asked."""
        site = Site(self.dir / "www")
        with PythonServer(site.folder) as url:
            self.example("migrate")
            files = self.read("migrate")
            files["app/settings.py"] = b"URL = '%s'\nREADINGS = 3\nEVERY_MS = 300\n" % url.encode()
            self.put({**files, "app/.version": b"1.0.0", "keep.txt": b"kept"})
            site.add("1.0.1", package({**files, "app/.version": b"1.0.1"}))
            self.boot_py = self.dir / "quick.py"
            text = (EXAMPLES / "migrate" / "boot.py").read_text()
            self.assertIn("confirm_after=60", text)
            self.boot_py.write_text(text.replace("confirm_after=60", "confirm_after=0"))
            r = self.start()
            done = self.start(typed="import sdboot\nsdboot.status()['event']\n")
        for text in ("app: 1.0.0 runs", "release 1.0.1 is in place", "app: 1.0.1 runs"):
            self.assertIn(text, r.out)
        self.assertIn("'confirmed'", done.out)
        self.assertEqual(self.files()["keep.txt"], b"kept")


class Inbox(ExampleTest):
    def update(self, version, files):
        """A folder update/ as the host tool makes one, on the card."""
        site = Site(self.dir / ("www-" + version))
        site.add(version, package({**files, "app/.version": version.encode()}))
        self.put({"update/" + p.name: p.read_bytes() for p in site.folder.iterdir()})

    def test_release_on_the_card(self):
        self.example("inbox")
        files = self.read("inbox")
        self.put({"app/.version": b"0.0.1"})
        self.assertIn("inbox: this is release 0.0.1", self.start().out)
        self.update("0.0.2", files)
        r = self.start()
        for text in ("release 0.0.2 is in place", "this is release 0.0.2", "release confirmed"):
            self.assertIn(text, r.out)
        self.assertIn("inbox: there is update.installed", r.out)
        # The same again, and a damaged one: what runs stays.
        self.update("0.0.2", files)
        self.assertIn("inbox: there is update.not-newer", self.start().out)
        self.update("0.0.3", files)
        self.put({"update/0_0_3-firmware.tar": b"damaged"})
        r = self.start()
        self.assertIn("inbox: there is update.refused", r.out)
        self.assertIn("inbox: this is release 0.0.2", r.out)


class Background(ExampleTest):
    def test_works_and_updates(self):
        site = Site(self.dir / "www")
        with PythonServer(site.folder) as url:
            settings = {"url": url, "first": 0, "every": 1, "every_ms": 5, "beats": 400}
            self.example("background", settings)
            files = self.read("background")
            files.pop("settings.json", None)
            self.put({"app/.version": b"0.0.1"})
            big = {"app/data.bin": bytes(range(256)) * 400}
            site.add("0.0.2", package({**files, **big, "app/.version": b"0.0.2"}))
            r = self.start()
        for text in (
            "background: release 0.0.1",
            "background: reset into the new release",
            "release 0.0.2 is in place",
            "background: release 0.0.2",
            "background: release confirmed",
            "background: 400 beats",
        ):
            self.assertIn(text, r.out)
        beats = [int(n) for n in self.files()["beats.txt"].split()]
        again = beats.index(1, 1)  # of the new release
        self.assertGreater(again, 3)
        self.assertEqual(beats, [*range(1, again + 1), *range(1, 401)])

    def test_no_server(self):
        self.example("background", {"url": "http://127.0.0.1:9", "first": 0, "every_ms": 1, "beats": 50})
        self.assertIn("background: 50 beats", self.start().out)


class App(ExampleTest):
    """The one that `make demo` shows; here what it does without a server."""

    def test_goes_on_without_a_server(self):
        settings = {"ssid": "", "key": "", "updates": "http://127.0.0.1:1", "log": "/log.csv"}
        settings.update(interval_s=0, readings=2, retry_s=0)
        self.example("app", settings)
        r = self.start()
        self.assertEqual(r.out.count("app: logged"), 2)
        self.assertIn("app: no update:", r.out)


if __name__ == "__main__":
    unittest.main()
