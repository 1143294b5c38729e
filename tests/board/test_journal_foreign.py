# SPDX-License-Identifier: MIT
"""A card that a PC has changed between a power cut and the next boot; boards without journal."""

import shutil
import unittest

import cards
from cutting import STATUS, CutTest
from rig import MIB, MTOOLS, BoardTest, digest, find_fat, fsck, read_sector, run

FILES = {
    "main.py": b"print('main runs')\n",
    "app/.version": b"1.2.3\n",
    "data.txt": b"old\n" * 1000,
    "dir/a.txt": b"a" * 100,
}
NEW = {**FILES, "data.txt": b"new\n" * 1000, "b.txt": b"b" * 3000, "c.txt": b"c" * 3000}
CHANGE = """
with sdboot.transaction():
    for name, data in (("b.txt", b"b" * 3000), ("c.txt", b"c" * 3000)):
        with open(name, "wb") as f: f.write(data)
    with open("data.txt", "r+b") as f: f.write(b"new\\n" * 1000)
"""
FOREIGN = "changed elsewhere since a power cut: used as it is"
WRITE = "with open('/later', 'wb') as f: f.write('later' * 1000)\n"


class Foreign(CutTest):
    def start_card(self, bits=16, start=None):
        cards.fat(self.card, bits, start, 44 * MIB)
        self.put(FILES)
        self.power()

    def committed(self):
        """Twins of the board whose power was cut after the commit point, before its end."""
        flash = self.flash("change", job=CHANGE)
        status = self.flash("status", job=STATUS)
        whole, _, written = self.writes(flash)
        shutil.rmtree(whole.dir)
        for n in range(1, len(written) + 1):
            board = self.twin("at-%d" % n)
            board.start(flash, "--cut", n, statuses=(75,))
            probe = board.twin("probe")
            run = probe.power_flash(status)
            if run.results == ["on, replayed at boot"]:
                self.assertIn("finished what a power cut had left", run.out)
                probe.assertFiles(NEW)
                yield board
            else:
                self.assertEqual(run.results, ["on"])
            shutil.rmtree(board.dir)

    def image(self):
        return "%s@@%d" % (self.card, find_fat(self.card) * 512)

    def test_replay_finishes(self):
        for bits, start in ((16, None), (32, 2048)):
            with self.subTest(bits=bits):
                self.start_card(bits, start)
                # Header written, and a cut at each sector copied home and at the clearing.
                self.assertGreaterEqual(len(list(self.committed())), 5)

    def test_changed_on_a_pc(self):
        for bits, start in ((16, None), (32, None), (16, 2048), (32, 2048)):
            with self.subTest(bits=bits, start=start):
                self.start_card(bits, start)
                clean = 0
                for board in self.committed():
                    clean += self.changed(board)
                self.assertGreater(clean, 0)

    def changed(self, board):
        """The PC puts a file on the card. True if the FAT was in order when it did."""
        clean = fsck(board.card) is None
        board.put({"from-pc.txt": b"p" * 5000})
        files = board.files()
        before = digest(board.card)
        r = board.start(self.flash("status", job=STATUS), statuses=(0,))
        board.assertIn(FOREIGN, r.out)
        board.assertIn("main runs", r.out)
        board.assertEqual(r.results, ["on, card was changed elsewhere"])
        board.assertEqual(r.stats["card_write_sectors"], 0)
        board.assertUntouched(before)
        board.assertEqual(files["from-pc.txt"], b"p" * 5000)
        board.assertFiles(files)
        if clean:
            self.goes_on(board, files)
        return clean

    def goes_on(self, board, files):
        """Writing works, after it the old commit is forgotten for good."""
        r = board.power_flash(self.flash("write", job=WRITE + STATUS))
        board.assertEqual(r.results, ["on, card was changed elsewhere"])
        board.assertFiles({**files, "later": b"later" * 1000})
        r = board.power_flash(self.flash("status", job=STATUS))
        board.assertEqual(r.results, ["on"])
        board.assertNotIn(FOREIGN, r.out)
        board.assertFiles({**files, "later": b"later" * 1000})

    def test_written_without_journal_then_with(self):
        # A stale commit must not outlive newer writes, even those past the journal.
        self.start_card()
        board = next(b for b in self.committed() if fsck(b.card) is None)
        board.put({"from-pc.txt": b"p" * 5000})
        board.power_flash(self.flash("off", "journal=False", WRITE))
        # Back to what it was before the PC, sector by sector, as far as files go.
        run("mdel", "-i", board.image(), "::/from-pc.txt", "::/later", env=MTOOLS)
        r = board.power_flash(self.flash("status", job=STATUS))
        board.assertEqual(r.results, ["on"])
        board.assertFiles(FILES)

    def test_pc_deletes_the_journal(self):
        self.start_card()
        for board in self.committed():
            if fsck(board.card) is None:
                run("mdeltree", "-i", board.image(), "::/.sdboot")
                board.put({"from-pc.txt": b"p" * 100000})
                files = board.files()
                r = board.power_flash(self.flash("status", job=STATUS))
                board.assertIn("main runs", r.out)
                board.assertFiles(files)
                board.power_flash(self.flash("write", job=WRITE))
                r = board.power_flash(self.flash("status", job=STATUS))
                board.assertEqual(r.results, ["on"])
                board.assertFiles({**files, "later": b"later" * 1000})

    def test_formatted_on_a_pc(self):
        # mkfs.fat leaves most of the card alone: what the journal held is still there.
        self.start_card(16, 2048)
        board = next(iter(self.committed()))
        old = read_sector(board.card, 0)
        volume = (44 * MIB - 2048 * 512) // 1024
        run("mkfs.fat", "-F", 16, "--offset", 2048, "-h", 2048, board.card, volume)
        self.assertEqual(read_sector(board.card, 0), old)
        board.put({"main.py": FILES["main.py"]})
        r = board.power_flash(self.flash("status", job=STATUS))
        board.assertIn("main runs", r.out)
        board.assertFiles({"main.py": FILES["main.py"]})
        board.power_flash(self.flash("write", job=WRITE))
        board.assertFiles({"main.py": FILES["main.py"], "later": b"later" * 1000})

    def test_cut_again_after_a_pc(self):
        # Power fails while the foreign commit is forgotten.
        self.start_card()
        board = next(b for b in self.committed() if fsck(b.card) is None)
        board.put({"from-pc.txt": b"p" * 5000})
        flash = self.flash("write", job=WRITE)
        status = self.flash("status", job=STATUS)
        files = {**FILES, "from-pc.txt": b"p" * 5000}

        def judge(other, _):
            r = other.power_flash(status)
            other.assertIn("main runs", r.out)
            found = other.files()
            later = found.pop("later", b"later" * 1000)
            other.assertEqual(later, b"later" * 1000)
            other.assertEqual(found, files)

        board.cut(flash, judge, 1, recovery=status)

    def test_read_only_with_a_commit(self):
        # It can't be put in place: nothing may be mounted half.
        self.start_card()
        for board in self.committed():
            before = digest(board.card)
            r = board.start(self.flash("status", job=STATUS), "--card-ro", statuses=(0,))
            board.assertUntouched(before)
            board.assertNotIn("formatting", r.out)
            board.assertIn("sdboot: staying on internal flash", r.out)
            r = board.power_flash(self.flash("status", job=STATUS))
            board.assertFiles(NEW)


class Off(BoardTest):
    """boot(journal=False)"""

    def test_fresh_card(self):
        for start in (None, 2048):
            with self.subTest(start=start):
                cards.fat(self.card, 16, start)
                self.put(FILES)
                before = digest(self.card)
                r = self.power(boot="journal=False", job=STATUS)
                self.assertIn("main runs", r.out)
                self.assertEqual(r.results, ["off: not wanted"])
                self.assertUntouched(before)
                r = self.power(boot="journal=False", job=WRITE)
                self.assertFiles({**FILES, "later": b"later" * 1000})
                self.assertNotIn(".sdboot/journal", self.files(ours=True))
                self.assertEqual(read_sector(self.card, 0)[384:400].count(0), 16)

    def test_opened_once(self):
        """A boot reads no more than one with a journal that is there."""
        for start in (None, 2048):
            with self.subTest(start=start):
                cards.fat(self.card, 16, start)
                self.put(FILES)
                off = self.power(boot="journal=False").stats["card_read_commands"]
                self.power()
                on = self.power().stats["card_read_commands"]
                self.assertLessEqual(off, on)

    def test_card_with_a_journal(self):
        cards.fat(self.card, 16, 2048)
        self.put(FILES)
        self.power()
        r = self.power(boot="journal=False", job=WRITE + STATUS)
        self.assertEqual(r.results, ["off: not wanted"])
        self.assertFiles({**FILES, "later": b"later" * 1000})
        self.assertEqual(self.power(job=STATUS).results, ["on"])

    def test_formatted_by_us(self):
        self.blank_card(64 * MIB)
        r = self.power(boot="journal=False", job=WRITE + STATUS)
        self.assertEqual(r.results, ["off: not wanted"])
        self.assertFiles({"later": b"later" * 1000})

    def test_fewer_writes(self):
        # Or it would be no option.
        self.fat_card(FILES, 64 * MIB)
        on = self.power(job=WRITE.replace("later'", "a'", 1)).stats["card_write_sectors"]
        off = self.power(boot="journal=False", job=WRITE).stats["card_write_sectors"]
        self.assertLess(off, on)


class OffCut(CutTest):
    def test_commit_is_finished_first(self):
        cards.fat(self.card, 32, 2048, 44 * MIB)
        self.put(FILES)
        self.power()
        off = self.flash("off", "journal=False", STATUS)

        def judge(board, _):
            r = board.power_flash(off)
            board.assertEqual(r.results, ["off: not wanted"])
            board.assertIn(board.files(), (FILES, NEW))

        self.cut(self.flash("change", job=CHANGE), judge, 1, recovery=off)


if __name__ == "__main__":
    unittest.main()
