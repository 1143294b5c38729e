# SPDX-License-Identifier: MIT
"""Files and folders that Windows has made read-only, hidden or system: no update stops at them."""

import subprocess
import unittest

import cards
from rig import MIB, MTOOLS, find_fat, run
from trials import OLD, TRIAL, TrialTest, new

CONFIRM = "sdboot.confirm()\n"
EXTRA = {
    "app/a file with a long name that takes three entries.bin": b"long" * 300,
    "app/web/css/style.css": b"body {}" * 99,
    "app/Upper Case/MIXED name.PY": b"pass\n",
    "app/empty": b"",
}
# What each release replaces outside app/, beside main.py.
OUTSIDE = {"lib/helper.py": b"version = '%d'\n", "www/deep/down/page.html": b"<p>%d</p>" * 200}


class AttributeTest(TrialTest):
    def attributes(self, *paths, flags=("+r", "+h", "+s")):
        """Sets them as a PC does: of everything in these folders, and of the folders."""
        image = "%s@@%d" % (self.card, find_fat(self.card) * 512)
        for path in filter(self.has, paths):
            run("mattrib", *flags, "-i", image, "::/" + path, env=MTOOLS)
            run("mattrib", "-/", *flags, "-i", image, "::/" + path, env=MTOOLS)

    def has(self, path):
        return any(k == path or k.startswith(path + "/") for k in self.files(ours=True))

    def read_only(self):
        """Paths on the card that are read-only, as a PC sees them."""
        image = "%s@@%d" % (self.card, find_fat(self.card) * 512)
        done = subprocess.run(
            ["mattrib", "-/", "-i", image, "::/"], capture_output=True, text=True, env=MTOOLS
        )
        return {line[13:] for line in done.stdout.splitlines() if "R" in line[:12]}

    def release(self, number):
        files = {name: data % ((number,) * data.count(b"%d")) for name, data in OUTSIDE.items()}
        files["app/web/n%d.txt" % number] = b"n"
        return new(CONFIRM, {**EXTRA, **files}, "0.0.%d" % number)

    def go(self, number, boot=TRIAL):
        version = "0.0.%d" % number
        self.stage(self.release(number), version=version, boot=boot)
        out = self.power(boot=boot).out
        self.assertIn("NEW RUNS %s" % version, out)


class Updates(AttributeTest):
    def check(self, board, boot=TRIAL):
        """Three updates, all made read-only before each step of the last two."""
        board.go(2, boot)
        for number in (3, 4):
            board.attributes("app", "prev", "lib", "www", "main.py")
            board.assertNotEqual(board.read_only(), set())
            board.go(number, boot)
        files = board.files(ours=True)
        board.assertIn("app/web/n4.txt", files)
        board.assertIn("prev/web/n3.txt", files)
        board.assertNotIn("prev/web/n2.txt", files)
        board.assertEqual(files["www/deep/down/page.html"], b"<p>4</p>" * 200)
        return board

    def test_journal(self):
        self.check(self.board("fat"))

    def test_without_journal(self):
        self.check(self.board("fat"), "journal=False, " + TRIAL)

    def test_other_formats(self):
        for bits in (12, 16, 32):
            for start in (None, 2048):
                with self.subTest(bits, start=start):
                    board = self.board("fat", "%d-%s" % (bits, start))
                    cards.fat(board.card, bits, start)
                    board.put(dict(OLD))
                    self.check(board)

    def test_one_sector_a_cluster(self):
        board = self.board("fat")
        cards.fat(board.card, 16, 2048, size=8 * MIB, options=("-s", "1"))
        board.put(dict(OLD))
        self.check(board)


class Back(AttributeTest):
    def test_rollback(self):
        board = self.board("fat")
        before = board.tree()
        board.go(2)
        board.attributes("app", "prev", "lib", "www", "main.py", ".sdboot")
        board.power(boot=TRIAL, job="attempt(sdboot.rollback)\n")
        out = board.power(boot=TRIAL).out
        self.assertIn("OLD RUNS 0.0.1 old", out)
        files, folders = board.tree()
        for name, data in before[0].items():
            self.assertEqual(files[name], data, name)
        self.assertNotIn("www/deep/down/page.html", files)
        # And on from there, with what the way back has left.
        board.attributes("app", "lib", "www", "main.py", ".sdboot")
        board.go(3)
        board.attributes("app", "prev", ".sdboot")
        board.go(4)

    def test_damaged_on_trial(self):
        """Taken back at the first boot, while everything is read-only."""
        board = self.board("fat")
        board.stage(self.release(2))
        board.attributes("app", "next", "lib", "main.py", ".sdboot")
        run(
            "mcopy", "-o", "-i", "%s@@%d" % (board.card, find_fat(board.card) * 512),
            board.write_tree({"n2.txt": b"changed"}, "damage") / "n2.txt",
            "::/next/web/n2.txt", env=MTOOLS,
        )  # fmt: skip
        board.power(boot=TRIAL)
        out = board.power(boot=TRIAL).out
        self.assertIn("OLD RUNS 0.0.1 old", out)
        board.go(3)

    def test_staged_and_cancelled(self):
        board = self.board("fat")
        board.stage(self.release(2))
        board.attributes("next", ".sdboot")
        r = board.ota("http://127.0.0.1:1", method="cancel()", options=("--pin", "18=0"))
        self.assertEqual(r.results, ["True"], r.out)
        self.assertIn("OLD RUNS 0.0.1", board.power(boot=TRIAL).out)
        board.go(3)


class Others(AttributeTest):
    def test_only_what_is_removed(self):
        """What no update removes stays read-only, with a neighbour that is removed."""
        board = self.board("fat")
        board.put({"logs/more.txt": b"more", "lib/other.py": b"# other"})
        board.go(2)
        board.attributes("settings.json", "lib/other.py", "logs", "prev", flags=("+r",))
        keep = {p for p in board.read_only() if "/prev" not in p}
        self.assertGreaterEqual(len(keep), 4)
        board.go(3)
        board.go(4)
        self.assertEqual({p for p in board.read_only() if "/prev" not in p}, keep)
        self.assertEqual(board.status()["version"], "0.0.4")

    def test_application_is_told(self):
        """What the application itself removes or writes is still denied: it has been made so."""
        board = self.board("fat")
        board.attributes("settings.json", flags=("+r",))
        job = "import os\nattempt(lambda: os.remove('/settings.json'))\n"
        job += "attempt(lambda: open('/settings.json', 'w'))\n"
        r = board.power(job=job)
        self.assertEqual(r.out.count("=! OSError 13 "), 2, r.out)
        self.assertIn("settings.json", board.files())


if __name__ == "__main__":
    unittest.main()
