# SPDX-License-Identifier: MIT
"""confirm(), rollback() by hand, and what is installed afterwards."""

import unittest

from trials import OLD, STATUS, TRIAL, TrialTest, both, new, status_of
from web import PythonServer

CONFIRM = "print('CONFIRM', sdboot.confirm())\n"
ROLLBACK = "attempt(sdboot.rollback)\n"


class RollbackTest(TrialTest):
    def installed(self, board, version="0.0.2", extra=()):
        """A board with a confirmed update."""
        board.stage(new(CONFIRM, extra, version), version=version)
        out = board.power(boot=TRIAL).out
        self.assertIn("CONFIRM True", out)
        self.assertIn("NEW RUNS %s %s" % (version, version), out)


class Written(RollbackTest):
    """Files that the application has written in app/: they go along from release to release."""

    WRITE = "with open('/app/%s', 'w') as f:\n    f.write('%s')\n"
    MANY = "import os\nos.mkdir('/app/days')\nos.mkdir('/app/days/more')\nos.mkdir('/app/none')\n"

    def setUp(self):
        super().setUp()
        days = [self.WRITE % ("days/%d" % i, i) for i in range(70)]
        self.many = self.MANY + "".join(days) + self.WRITE % ("days/more/x", "y")
        self.days = {"app/days/%d" % i: b"%d" % i for i in range(70)}
        self.days["app/days/more/x"] = b"y"

    def app(self, board):
        return {k: v for k, v in board.files().items() if k.startswith("app/")}

    @both
    def test_update_after_update(self, board):
        """The first release was put there by hand: what is no code is the application's."""
        board.power(boot=TRIAL, job=self.WRITE % ("mine.json", "{}"))
        self.installed(board, "0.0.2")
        want = {**new(), **self.days, "app/mine.json": b"{}", "app/config.py": b"a"}
        want = {k for k in want if k.startswith("app/")}
        board.power(boot=TRIAL, job=self.many + self.WRITE % ("config.py", "a"))
        for version in ("0.0.3", "0.0.4"):
            self.installed(board, version)
            found = self.app(board)
            self.assertEqual(set(found), want)
            self.assertEqual({k: found[k] for k in self.days}, self.days)
            self.assertEqual(found["app/config.py"], b"a")
            self.assertEqual(found["app/code.py"], b"version = '%s'\n" % version.encode())

    @both
    def test_what_the_release_has_counts(self, board):
        self.installed(board, extra={"app/gone.dat": b"2", "app/sub/gone.txt": b"2"})
        job = "import os\nos.mkdir('/app/data')\n"
        for name in ("table.json", "data/x", "data/z", "gone.dat", "sub/mine.txt", "Only New.py"):
            job += self.WRITE % (name, "mine")
        board.power(boot=TRIAL, job=job)
        extra = {"app/table.json": b"3", "app/data/x": b"3", "app/data/y": b"3"}
        self.installed(board, "0.0.3", extra)
        files = self.app(board)
        for name in extra:
            self.assertEqual(files.pop(name), b"3")
        self.assertEqual(files.pop("app/data/z"), b"mine")
        self.assertEqual(files.pop("app/sub/mine.txt"), b"mine")
        if board.fs == "littlefs":  # where it is another name
            self.assertEqual(files.pop("app/Only New.py"), b"mine")
        self.assertEqual(set(files), {k for k in new() if k.startswith("app/")})

    @both
    def test_way_back(self, board):
        board.power(boot=TRIAL, job=self.WRITE % ("mine.json", "{}"))
        self.installed(board)
        board.power(boot=TRIAL, job=self.many + self.WRITE % ("mine.json", "[]") + ROLLBACK)
        self.assertIn("OLD RUNS 0.0.1", board.power(boot=TRIAL).out)
        old = {k: v for k, v in board.before[0].items() if k.startswith("app/")}
        self.assertEqual(self.app(board), {**old, **self.days, "app/mine.json": b"[]"})

    @both
    def test_damaged_manifest(self, board):
        """The release is taken back all the same, and what is no code goes along."""
        self.installed(board)
        job = self.many + self.WRITE % (".manifest", "?")
        board.power(boot=TRIAL, job=job + ROLLBACK)
        self.assertIn("OLD RUNS 0.0.1", board.power(boot=TRIAL).out)
        old = {k: v for k, v in board.before[0].items() if k.startswith("app/")}
        self.assertEqual(self.app(board), {**old, **self.days})


class Confirm(RollbackTest):
    @both
    def test_confirm(self, board):
        self.installed(board)
        r = board.power(boot=TRIAL, job=STATUS + CONFIRM)
        self.assertIn("CONFIRM False", r.out)
        self.assertEqual(r.stats["card_write_sectors"], 0)
        status = status_of(r.out)
        want = {"state": "idle", "event": "confirmed", "event_version": "0.0.2", "bad": None}
        want.update({"version": "0.0.2", "previous": "0.0.1", "attempts_left": None})
        self.assertEqual({k: status[k] for k in want}, want)
        self.assertIn("prev/only old/data.py", board.files())

    @both
    def test_while_on_trial(self, board):
        board.stage(new())
        status = status_of(board.power(boot="attempts=3", job=STATUS).out)
        want = {"state": "trial", "attempts_left": 2, "staged": None, "version": "0.0.2"}
        want.update({"previous": "0.0.1", "event": "installed", "event_version": "0.0.2"})
        self.assertEqual({k: status[k] for k in want}, want)

    @both
    def test_confirm_stops_the_clock(self, board):
        board.stage(new(CONFIRM + "import time\ntime.sleep_ms(1500)\nprint('STILL HERE')\n"))
        r = board.live("STILL HERE")
        self.assertNotIn("resetting", r.out)
        self.assertEqual(r.out.count("rst:"), 1)

    @both
    def test_install_during_a_trial(self, board):
        board.stage(new())
        board.power(boot=TRIAL)
        before = board.tree()
        board.publish(new(version="0.0.3"), "0.0.3")
        for method in ("install_update_if_available()", "install(sdboot.OTA(U).check())"):
            with PythonServer(board.site.folder) as url:
                call = method.replace("U", repr(url))
                r = board.ota(url, method=call, options=("--pin", "18=0"), boot=TRIAL)
            if method.startswith("install("):
                self.assertIn("Error 16 install of 0.0.3", r.errors[0])
                self.assertIn("sdboot.confirm() it first", r.errors[0])
            else:
                self.assertEqual(r.results, ["False"])
            self.assertEqual(r.stats["card_write_sectors"], 0)
        board.assertTree(before)
        self.assertEqual(board.status()["attempts_left"], 1)
        self.assertIn("NEW RUNS", board.power(boot=TRIAL).out)

    @both
    def test_update_over_update(self, board):
        self.installed(board)
        self.installed(board, "0.0.3", {"www/third.html": b"3"})
        files = board.files()
        self.assertEqual(files["prev/.version"], b"0.0.2")
        self.assertNotIn("prev/only old/data.py", files)
        two = board.tree()[0]
        board.power(boot=TRIAL, job=ROLLBACK)
        r = board.power(boot=TRIAL)
        self.assertIn("NEW RUNS 0.0.2 0.0.2", r.out)
        files = board.files()
        self.assertNotIn("www/third.html", files)
        self.assertEqual(files["app/code.py"], b"version = '0.0.2'\n")
        self.assertEqual(files["lib/added/deep/more.py"], two["lib/added/deep/more.py"])


class ByHand(RollbackTest):
    MANY = 400

    @both
    def test_after_confirm(self, board):
        self.installed(board)
        r = board.power(boot=TRIAL, job=ROLLBACK * 2 + STATUS + CONFIRM)
        self.assertEqual(r.results, ["None", "None"])  # twice is once
        self.assertIn("NEW RUNS", r.out)  # it takes effect at the next boot
        self.assertEqual(r.out.count("sdboot: a reset is due, it takes back 0.0.2\n"), 2)
        status = status_of(r.out)
        self.assertEqual((status["state"], status["version"]), ("reverting", "0.0.2"))
        r = board.power(boot=TRIAL)
        self.assertIn("sdboot: release 0.0.2 is taken back: by hand", r.out)
        board.assertTakenBack(r, "rolled back")

    @both
    def test_while_on_trial(self, board):
        board.stage(new())
        board.power(boot=TRIAL, job=ROLLBACK)
        board.assertTakenBack(board.power(boot=TRIAL), "rolled back")

    @both
    def test_nothing_to_go_back_to(self, board):
        r = board.power(boot=TRIAL, job=ROLLBACK + STATUS)
        self.assertIn("Error 2 there is no release before this one", r.errors[0])
        self.assertEqual(status_of(r.out)["state"], "idle")
        self.installed(board)
        board.power(boot=TRIAL, job=ROLLBACK)
        r = board.power(boot=TRIAL, job=ROLLBACK)  # and once more
        self.assertIn("Error 2 there is no release before this one", r.errors[0])
        self.assertIn("OLD RUNS", board.power(boot=TRIAL).out)
        board.assertTree(board.before)

    @both
    def test_while_another_is_staged(self, board):
        self.installed(board)
        board.stage(new(version="0.0.3"), version="0.0.3")
        before = {k: v for k, v in board.tree()[0].items() if not k.startswith("next/")}
        r = board.power("--pin", "18=0", boot=TRIAL, job=ROLLBACK + STATUS)
        self.assertIn("release 0.0.3 is not staged any more", r.out)
        status = status_of(r.out)
        self.assertEqual((status["state"], status["staged"], status["bad"]), ("idle", None, None))
        r = board.power(boot=TRIAL, job=ROLLBACK)  # staging has removed what was before 0.0.2
        self.assertIn("NEW RUNS 0.0.2", r.out)
        self.assertIn("Error 2 there is no release before this one", r.errors[0])
        self.assertEqual(board.tree()[0], before)

    @both
    def test_files_of_the_application(self, board):
        """What it wrote meanwhile stays; a directory of the release with its files in it too."""
        self.installed(board)
        mine = {"lib/added/mine.txt": b"mine", "logs/new.txt": b"log", "settings.json": b"{}"}
        board.put(mine)
        board.power(boot=TRIAL, job=ROLLBACK)
        self.assertIn("OLD RUNS", board.power(boot=TRIAL).out)
        board.assertFiles({**OLD, **mine})

    @both
    def test_things_in_the_way(self, board):
        """Names that the way back needs, taken by something else since: it gets through."""
        self.installed(board)
        take = (
            "import os\nos.remove('/sd/lib/helper.py')\nos.mkdir('/sd/lib/helper.py')\n"
            "open('/sd/lib/helper.py/mine', 'w').close()\nos.mkdir('/sd/next')\n"
            "open('/sd/next/x', 'w').close()\nos.remove('/sd/www/index.html')\n"
        )
        r = board.power("--pin", "18=0", boot=TRIAL, job=take + ROLLBACK)
        self.assertNotIn("Traceback", r.out)
        self.assertIn("OLD RUNS 0.0.1 old", board.power(boot=TRIAL).out)
        board.assertTree(board.before)
        self.assertEqual(board.ours(), [".sdboot/new/lib/helper.py/mine"])
        board.stage(None, "force_update=True")
        self.assertIn("NEW RUNS 0.0.2 0.0.2", board.power(boot=TRIAL).out)

    @both
    def test_first_release_of_a_card(self, board):
        """There was no app/, but a main.py: that is what a bad release must give back."""
        first = "print('FIRST'); import sdboot\nprint('STATUS', sdboot.status())\n"
        cards = {"main.py": first.encode(), "lib/x.py": b"1"}
        if board.fs == "fat":
            board.fat_card(cards)
        else:
            board.littlefs_card(cards)
        before = board.tree()
        board.stage(new("raise ValueError\n"), boot="")
        r = board.live("FIRST")
        board.assertTree(before)
        status = status_of(r.out)
        self.assertEqual((status["bad"], status["event"]), ("0.0.2", "expired"))
        with PythonServer(board.site.folder) as url:
            self.assertEqual(board.ota(url).results, ["False"])

    def first(self, board, main, files=()):
        """The first release on a card with nothing but `files`; returns what is on it then."""
        if board.fs == "fat":
            board.fat_card(files)
        else:
            board.littlefs_card(files)
        board.stage(new(main), boot="")
        self.assertIn("NEW RUNS", board.power(boot="attempts=2").out)
        return board.tree()

    def stays(self, board, tree, event):
        """The first release runs on, is not called bad, and says why it has no trial any more."""
        for _ in range(2):
            r = board.power(boot="attempts=2", job=ROLLBACK + STATUS)
            self.assertIn("Error 2 there is no release before this one", r.errors[0])
            self.assertIn("NEW RUNS 0.0.2", r.out)
            status = status_of(r.out)
            want = {"state": "idle", "event": event, "event_version": "0.0.2", "bad": None}
            want.update({"version": "0.0.2", "previous": None, "staged": None})
            self.assertEqual({k: status[k] for k in want}, want)
        board.assertTree(tree)

    @both
    def test_nothing_before_the_first_release(self, board):
        """Nobody confirms it, but a board must not end with less than it has."""
        tree = self.first(board, "")
        board.power(boot="attempts=2")
        r = board.power(boot="attempts=2")
        self.assertIn(
            "sdboot: release 0.0.2 stays, there is none before it, but it was not confirmed", r.out
        )
        self.stays(board, tree, "expired")

    @both
    def test_first_release_by_hand(self, board):
        """On trial and confirmed, with other files on the card before it."""
        mine = {"settings.json": b"{}", "lib/helper.py": b"mine"}
        tree = self.first(board, "", mine)
        r = board.power(boot="attempts=3", job=ROLLBACK + CONFIRM)
        self.assertIn("Error 2 there is no release before this one", r.errors[0])
        self.assertIn("CONFIRM True", r.out)
        self.stays(board, tree, "confirmed")

    @both
    def test_first_release_damaged(self, board):
        if board.fs == "fat":
            board.fat_card()
        else:
            board.littlefs_card()
        board.stage(new(), boot="")
        board.put({"next/only new.py": b"changed by somebody"})
        r = board.power(boot="attempts=2")
        self.assertIn("stays, there is none before it, but its files on the card are damaged", r.out)
        self.stays(board, board.tree(), "corrupt")

    @both
    def test_an_empty_app_is_no_release(self, board):
        if board.fs == "fat":
            board.fat_card()
        else:
            board.littlefs_card()
        board.power("--pin", "18=0", job="import os\nos.mkdir('/sd/app')\n")
        board.stage(new(), boot="")
        board.power(boot="attempts=2")
        tree = board.tree()
        board.power(boot="attempts=2")
        board.power(boot="attempts=2")
        self.stays(board, tree, "expired")

    @both
    def test_many_files_outside(self, board):
        """More than the journal can hold at a time."""
        many = {"share/%03d/a file with a long name %d" % (i % 50, i): b"old" for i in range(self.MANY)}
        board.put(many)
        before = board.tree()
        board.stage(new(extra={name: b"new" for name in many}))
        board.power(boot=TRIAL, job=ROLLBACK)
        self.assertIn("OLD RUNS", board.power(boot=TRIAL).out)
        board.assertTree(before)


class Bad(RollbackTest):
    def take_back(self, board, *arguments, version="0.0.2"):
        board.stage(None, *arguments)
        self.assertIn("NEW RUNS " + version, board.power(boot="attempts=1").out)
        board.assertTakenBack(board.power(boot="attempts=1"), "expired", version)

    def offered(self, board, *arguments):
        with PythonServer(board.site.folder) as url:
            r = board.ota(url, *arguments, method="check()")
        return r.results[0].split("'")[1] if "'" in r.results[0] else None

    @both
    def test_not_again(self, board):
        board.publish(new())
        self.take_back(board)
        self.assertIsNone(self.offered(board))
        with PythonServer(board.site.folder) as url:
            self.assertEqual(board.ota(url).results, ["False"])
        self.take_back(board, "force_update=True")  # a second chance if one insists

    @both
    def test_superseded(self, board):
        board.publish(new())
        self.take_back(board)
        board.publish(new(CONFIRM, version="0.0.3"), "0.0.3")
        self.assertEqual(self.offered(board), "0.0.3")
        board.stage()
        self.assertIn("CONFIRM True", board.power(boot=TRIAL).out)

    @both
    def test_two_bad_ones_do_not_take_turns(self, board):
        board.publish(new())
        board.publish(new(version="0.0.3"), "0.0.3")
        self.take_back(board, version="0.0.3")
        self.assertIsNone(self.offered(board))

    @both
    def test_forced_and_confirmed(self, board):
        board.publish(new("import os\nif 'works' in os.listdir('/'):\n    " + CONFIRM))
        self.take_back(board)
        board.put({"works": b""})
        board.stage(None, "force_update=True")
        self.assertIn("CONFIRM True", board.power(boot=TRIAL).out)
        status = board.status()
        self.assertEqual((status["bad"], status["event"]), (None, "confirmed"))

    @both
    def test_version_file_with_blanks(self, board):
        board.publish(new(extra={"app/.version": b"\n 0.0.2 \r\n"}))
        self.take_back(board)
        self.assertIsNone(self.offered(board))


if __name__ == "__main__":
    unittest.main()
