# SPDX-License-Identifier: MIT
"""Cards and applications of the original: the one import that changes is all that changes."""

import unittest

from trials import TrialTest, both
from web import PythonServer

# A release as its users write them: no manifest, no confirm(), the update at start-up, then a
# class that is polled for ever.
START = """import machine
import time
import sdboot as uota
from . import settings


class App:
    def __init__(self):
        self.polls = 0

    def connect(self):
        ota = uota.OTA(settings.URL, quite=False)
        print("APP", ota.get_version("app"))
        if ota.install_update_if_available():
            print("APP resets")
            machine.reset()
        del ota

    def poll(self):
        self.polls += 1
        if self.polls == 24:
            print("APP POLLED", settings.VERSION)
        time.sleep(0.05)


def main():
    app = App()
    app.connect()
    while app.polls < settings.POLLS:
        app.poll()
"""
MAIN = b"import app.start\napp.start.main()\n"


def application(version, url, polls=24, start=START):
    return {
        "app/__init__.py": b"",
        "app/.version": version.encode(),
        "app/settings.py": b"URL = '%s'\nVERSION = '%s'\nPOLLS = %d\n"
        % (url.encode(), version.encode(), polls),
        "app/start.py": start.encode(),
        "main.py": MAIN,
    }


class Original(TrialTest):
    BOOT = "attempts=2, trial_timeout=4, confirm_after=1"

    def card_of_original(self, board, url):
        """As its boot.py leaves one: FAT, app/, app/.version; no .sdboot/."""
        files = {**application("0.0.1", url), "keep.txt": b"kept"}
        if board.fs == "fat":
            board.blank_card()
            board.power(boot="journal=False")
            board.put(files)
        else:
            board.littlefs_card(files)
        self.assertNotIn(".sdboot", board.tree()[1])
        board.before = board.tree()

    @both
    def test_update(self, board):
        with PythonServer(board.site.folder) as url:
            self.card_of_original(board, url)
            board.publish(application("0.0.2", url))
            r = board.live("APP POLLED 0.0.2", boot=self.BOOT)
            at = [r.out.index(t) for t in ("APP 0.0.1", "APP resets", "APP 0.0.2", "APP POLLED")]
            self.assertEqual(at, sorted(at))
            status = board.status(boot=self.BOOT)
            self.assertEqual((status["state"], status["event"]), ("idle", "confirmed"))
            # Nothing newer now: it just runs.
            r = board.live("APP POLLED 0.0.2", boot=self.BOOT)
            self.assertEqual(r.out.count("rst:"), 1)

    @both
    def test_bad_update(self, board):
        with PythonServer(board.site.folder) as url:
            self.card_of_original(board, url)
            bad = application("0.0.2", url, start="import gone\n")
            board.publish({**bad, "www/x": b"added"})
            boot = "attempts=1, trial_timeout=2, confirm_after=1"
            r = board.live("APP POLLED 0.0.1", boot=boot)
            self.assertIn("ImportError", r.out)
            board.assertTree(board.before)
            status = board.status(boot=boot)
            self.assertEqual((status["bad"], status["event"]), ("0.0.2", "expired"))
            # It asked the server again and left 0.0.2 alone.
            self.assertIn("sdboot: running 0.0.1, 0.0.2 is skipped, it has failed", r.out)

    @both
    def test_rollback_by_hand(self, board):
        with PythonServer(board.site.folder) as url:
            self.card_of_original(board, url)
            board.publish(application("0.0.2", url))
            board.live("APP POLLED 0.0.2", boot=self.BOOT)
            board.power("--pin", "18=0", job="attempt(sdboot.rollback)\n")
            r = board.live("APP POLLED 0.0.1", boot=self.BOOT)
            self.assertIn("taken back: by hand", r.out)
            board.assertTree(board.before)

    @both
    def test_boots_untouched(self, board):
        """A card of the original that is only run keeps its files as they are."""
        with PythonServer(board.site.folder) as url:
            board.site.write("")
            self.card_of_original(board, url)
            r = board.live("APP POLLED 0.0.1", boot=self.BOOT)
            board.assertTree(board.before)
            self.assertEqual(r.out.count("rst:"), 1)
            self.assertNotIn("Traceback", r.out)


if __name__ == "__main__":
    unittest.main()
