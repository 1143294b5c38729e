# SPDX-License-Identifier: MIT
"""Releases on trial: boards that run an old release, get a new one, and are watched."""

import copy
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from cutting import CUT, copy_sparse
from rig import ATTEMPT, BOARD, BOOT, CARD_TOOL, HASTY, MTOOLS, WORK, BoardTest, Run, find_fat, fsck
from rig import host, run
from web import PythonServer, Site, package

FILESYSTEMS = ("fat", "littlefs")
STATUS = "print('STATUS', sdboot.status())\n"
TRIAL = "attempts=2, trial_timeout=1"

# The release that runs, with what a user has around it.
OLD_MAIN = """import app.code, helper, sdboot
print("OLD RUNS", app.code.version, helper.version)
print("STATUS", sdboot.status())
"""
OLD = {
    "app/.version": b"0.0.1",
    "app/code.py": b"version = '0.0.1'\n",
    "app/__init__.py": b"",
    "app/only old/data.py": bytes(range(256)) * 20,
    "main.py": OLD_MAIN.encode(),
    "lib/helper.py": b"version = 'old'\n",
    "www/index.html": b"<h1>old</h1>" * 100,
    "settings.json": b'{"wifi": "mine"}',
    "logs/a long name, \xc3\xa4\xc3\xb6.txt".encode("latin-1").decode("utf-8"): b"my log\n" * 300,
}

NEW_MAIN = """import app.code, helper, sdboot
print("NEW RUNS", app.code.version, helper.version)
"""


def new(main="", extra=(), version="0.0.2"):
    """A release whose main.py ends with `main`."""
    return {
        "app/.version": version.encode(),
        "app/code.py": b"version = '%s'\n" % version.encode(),
        "app/__init__.py": b"",
        "app/only new.py": b"x = 1\n" * 50,
        "main.py": (NEW_MAIN + main).encode(),
        "lib/helper.py": b"version = '%s'\n" % version.encode(),
        "lib/added/deep/more.py": b"y = 2\n",
        "www/index.html": b"<h1>new</h1>" * 100,
        "www/added.html": b"new",
        **dict(extra),
    }


def status_of(text):
    """The last dict that a STATUS line of `text` has."""
    lines = [line for line in text.splitlines() if line.startswith("STATUS ")]
    return eval(lines[-1][len("STATUS ") :])


def both(test):
    """Makes of test(self, board) a test of two boards, one for each filesystem, at a time."""

    def run(self):
        with ThreadPoolExecutor(2) as pool:
            jobs = [(fs, pool.submit(test, self, self.board(fs))) for fs in FILESYSTEMS]
            for fs, job in jobs:
                with self.subTest(fs):
                    job.result()

    run.__doc__ = test.__doc__
    return run


class TrialTest(BoardTest):
    bases = {}

    @classmethod
    def setUpClass(cls):
        """Cards with the old release, made once."""
        folder = WORK / ("%s.%s-cards" % (cls.__module__, cls.__name__))
        shutil.rmtree(folder, ignore_errors=True)
        cls.addClassCleanup(shutil.rmtree, folder, True)
        maker = cls()
        maker.dir = folder
        folder.mkdir(parents=True)
        for fs in FILESYSTEMS:
            maker.card = folder / fs
            maker.fat_card(OLD) if fs == "fat" else maker.littlefs_card(OLD)
        cls.bases = {fs: folder / fs for fs in FILESYSTEMS}

    def each(self, name=""):
        """A board for each filesystem, with the old release on its card."""
        for fs in FILESYSTEMS:
            with self.subTest(fs):
                yield self.board(fs, name)

    def board(self, fs, name=""):
        board = copy.copy(self)
        board.fs = fs
        board.dir = self.dir / (fs + name)
        board.dir.mkdir()
        board.card = board.dir / "card.img"
        copy_sparse(self.bases[fs], board.card)
        board.before = board.tree()
        board.site = Site(board.dir / "www")
        return board

    # ---- what is on the card --------------------------------------------------------------------

    def tree(self):
        """Everything on the card but .sdboot/: files with their bytes, directories."""
        files = {k: v for k, v in self.files(ours=True).items() if not k.startswith(".sdboot/")}
        return files, {f for f in self.folders() if f.split("/")[0] != ".sdboot"}

    def assertTree(self, expected):
        files, folders = self.tree()
        self.assertEqual(sorted(files), sorted(expected[0]))
        for name in files:
            self.assertEqual(files[name], expected[0][name], name)
        self.assertEqual(folders, expected[1])

    def remove(self, *paths):
        """Removes files as a PC does."""
        lba = find_fat(self.card)
        if lba is None:
            host(CARD_TOOL, "rm", self.card, *("/" + p for p in paths))
        else:
            image = "%s@@%d" % (self.card, lba * 512)
            run("mdel", "-i", image, *("::/" + p for p in paths), env=MTOOLS)

    def find(self, marker):
        """Offset in the card's image of bytes that are there once."""
        data = self.card.read_bytes()
        self.assertEqual(data.count(marker), 1, marker)
        return data.index(marker)

    # ---- what happens to it ---------------------------------------------------------------------

    def publish(self, files, version="0.0.2", members=()):
        self.site.add(version, package(files, *members))

    def stage(self, files=None, *arguments, version="0.0.2", members=(), boot=TRIAL):
        """Publishes a release and has the board stage it."""
        if files is not None:
            self.publish(files, version, members)
        with PythonServer(self.site.folder) as url:
            r = self.ota(url, *arguments, options=(), boot=boot)
        self.assertEqual(r.results[:1], ["True"], r.out)
        return r

    def ota(self, url, *arguments, method=None, job="", options=(), boot=""):
        method = method or "install_update_if_available()"
        call = ", ".join((repr(url), *arguments))
        text = "attempt(lambda: sdboot.OTA(%s).%s)\n" % (call, method)
        return self.power(*options, boot=boot, job=text + job)

    def status(self, *options, boot=TRIAL):
        """status(), asked with the recovery pin low: that counts for nothing."""
        return status_of(self.power("--pin", "18=0", *options, boot=boot, job=STATUS).out)

    def live(self, until, *options, boot=TRIAL, job="", typed="", timeout=40):
        """A power-on with somebody at the terminal who waits for the text `until` (or for the
        board's end if None), then hangs up. Returns the Run; `at(text)` gives the second after
        power-on at which a text came."""
        flash = self.dir / "live.img"
        self.make_flash(flash, HASTY + BOOT % boot + ATTEMPT + job)
        return self.live_flash(flash, until, *options, typed=typed, timeout=timeout)

    def live_flash(self, flash, until, *options, typed="", timeout=40):
        command = [BOARD, "--flash", flash, "--max-resets", "2000", "--card", self.card, *options]
        start = time.monotonic()
        process = subprocess.Popen(
            [str(c) for c in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        guard = threading.Timer(timeout, process.kill)
        guard.start()
        out = bytearray()
        times = []
        waiting = True
        if typed:
            process.stdin.write(typed.encode())
            process.stdin.flush()
        while True:
            piece = process.stdout.read1(4096)
            if not piece:
                break
            out += piece
            times.append((len(out), time.monotonic() - start))
            if waiting and until is not None and until.encode() in out.replace(b"\r\n", b"\n"):
                process.stdin.close()
                waiting = False
        guard.cancel()
        process.stdout.close()
        process.wait()
        if waiting:
            process.stdin.close()
        done = subprocess.CompletedProcess(command, process.returncode, bytes(out), b"")
        r = Run(done, {})

        def at(text):
            end = bytes(out).index(text.encode()) + len(text)
            return next(t for size, t in times if size >= end)

        r.at = at
        self.assertNotEqual(r.status, -9, "not within %d s: %s\n%s" % (timeout, until, r.out))
        self.assertIn(r.status, (0, CUT), "%d\n%s" % (r.status, r.out[-3000:]))
        if r.status != CUT:
            self.assertIsNone(fsck(self.card))
        return r

    def assertTakenBack(self, r, event, version="0.0.2"):
        """The old release runs, byte for byte, and status() tells why."""
        self.assertIn("OLD RUNS 0.0.1 old", r.out[-2000:])
        status = status_of(r.out)
        want = {"version": "0.0.1", "previous": None, "state": "idle", "event": event}
        want.update({"event_version": version, "bad": version, "attempts_left": None})
        self.assertEqual({k: status[k] for k in want}, want, r.out)
        self.assertTree(self.before)
        self.assertEqual(self.ours(), [])

    def ours(self):
        """What an update leaves in .sdboot/ besides the record and the journal."""
        names = {n for n in self.files(ours=True) if n.startswith(".sdboot/")}
        return sorted(n for n in names if not n.startswith((".sdboot/record", ".sdboot/journal", ".sdboot/reason")))
