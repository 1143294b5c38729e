# SPDX-License-Identifier: MIT
"""boot(journal="log"): small flushes are records of a log, which go home later."""

import unittest

import cards
from cutting import CutTest, Script
from rig import MIB, ROOT, run
from test_journal_log import FILES, application, line

LOG = "journal='log'"
TOOL = ROOT / "build" / "cli" / "sdboot"
APPEND = """
f = open("/log", "ab")
for i in range(%d):
    f.write(b"%%099d\\n" %% i)
    f.flush()
"""


def lines(count):
    return b"".join(b"%099d\n" % i for i in range(count))


def logger():
    """Lines to two logs, patches in a table, and a file written anew."""
    s = Script(FILES)
    for i in range(14):
        s.append("log.txt", line(i))
        s.append("a second log with a long name.txt", line(i) * (1 + i % 3))
        s.patch("data.bin", 3000 * i % 16000, b"patch %d" % i)
    s.put("settings.json", b'{"interval": 2}' * 20)
    for i in range(14, 20):
        s.append("log.txt", line(i))
    s.step("os.remove('old/a.txt')", {"old/a.txt": None})
    s.append("log.txt", line(20))
    return s


class SmallFlushes(CutTest):
    def fat(self, bits, start=None, fats=1, files=FILES):
        cards.fat(self.card, bits, start, {16: 16, 32: 44}[bits] * MIB, ("-f", fats))
        self.put(files)
        self.power(boot=LOG)  # makes the journal

    def cuts(self, script, every, **options):
        self.cut_script(script, every, LOG, **options)

    def test_fat16(self):
        self.fat(16)
        self.cuts(logger(), 11)

    def test_fat32(self):
        self.fat(32, fats=2)
        self.cuts(logger(), 11, torn=True)

    def test_other_work(self):
        self.fat_card(FILES, 64 * MIB)
        self.cuts(application(), 17)

    def test_another_boot_py_afterwards(self):
        # The log is read whatever boot() is asked for.
        self.fat(16, start=2048)
        for then in ("", "journal=False"):
            with self.subTest(then=then):
                self.cuts(logger(), 19, then=then)

    def test_cost(self):
        # One sector a flush, and what brings it home; docs/FIGURES.md says how much.
        cards.fat(self.card, 16, 8192, 200 * MIB, ("-s", 8))
        self.power()
        idle = self.power(boot=LOG)
        r = self.power(boot=LOG, job=APPEND % 1000)
        sectors = r.stats["card_write_sectors"] - idle.stats["card_write_sectors"]
        self.assertLess(sectors, 1350)
        self.power()
        self.assertEqual(self.files()["log"], lines(1000))

    def test_a_pc_sees_the_last_checkpoint(self):
        self.fat_card(FILES)
        self.power(boot=LOG, job=APPEND % 3)
        self.assertLess(len(self.files().get("log", b"")), 300)  # and sound, rig.py has asked fsck
        r = self.power(boot=LOG, job="print('=>', sdboot.status()['journal'])")
        self.assertEqual(r.results, ["on, with a log, replayed at boot"])
        self.assertEqual(self.files()["log"], lines(3))

    def test_sync(self):
        self.fat_card(FILES)
        r = self.power(boot=LOG, job=APPEND % 3 + "attempt(sdboot.sync)\nattempt(sdboot.sync)\n")
        self.assertEqual(r.results, ["None", "None"])
        self.assertEqual(self.files()["log"], lines(3))

    def test_sync_in_a_transaction(self):
        self.fat_card(FILES)
        job = APPEND % 3 + "f.close()\nwith sdboot.transaction():\n"
        job += "    open('/a', 'w').write('a')\n    attempt(sdboot.sync)\nattempt(sdboot.sync)\n"
        r = self.power(boot=LOG, job=job)
        self.assertEqual(r.results, ["None", "None"])  # nothing is left to do
        self.assertEqual(self.files()["a"], b"a")
        self.assertEqual(self.files()["log"], lines(3))

    def test_without_a_log_there_is_nothing_to_sync(self):
        for make in (self.fat_card, self.littlefs_card):
            make(FILES)
            self.assertEqual(self.power(job="attempt(sdboot.sync)\n").results, ["None"])

    def test_umount(self):
        self.fat_card(FILES)
        self.power(boot=LOG, job=APPEND % 3 + "import os\nos.umount('/')\n", repl=False)
        self.assertEqual(self.files()["log"], lines(3))

    def test_idle(self):
        self.fat_card(FILES)
        job = "import sdboot.idle, time\nsdboot.idle._PERIOD = 50\nsdboot.idle.start()\n"
        self.power(boot=LOG, job=job + APPEND % 3 + "time.sleep_ms(400)\n")
        self.assertEqual(self.files()["log"], lines(3))

    def test_recover(self):
        # What was dropped from memory is in the log, and comes back.
        self.fat_card(FILES)
        job = APPEND % 3 + """
import sdboot.mounted
f.write(b"lost")
sdboot.mounted.drop()
print("=>", len(open("/log").read()))
with open("/log", "ab") as f:
    f.write(b"more")
attempt(sdboot.sync)
"""
        r = self.power(boot=LOG, job=job)
        self.assertEqual(r.results, ["300", "None"])
        self.assertEqual(self.files()["log"], lines(3) + b"more")

    def test_a_pc_that_writes_wins(self):
        self.fat_card({**FILES, "log": b""})
        self.power(boot=LOG, job=APPEND % 3)
        self.put({"log": b"from a PC"})
        r = self.power(boot=LOG, job="print('=>', sdboot.status()['journal'])")
        self.assertEqual(r.results, ["on, with a log, card was changed elsewhere"])
        self.assertEqual(self.files()["log"], b"from a PC")
        self.power(boot=LOG, job=APPEND % 2)  # and the log of before is over
        r = self.power(job="print('=>', sdboot.status()['journal'])")
        self.assertEqual(self.files()["log"], b"from a PC" + lines(2))

    def test_host_tool(self):
        # A card that was pulled out is brought up to date on a PC.
        self.fat_card(FILES)
        self.power(boot=LOG, job=APPEND % 3)
        self.assertRegex(run(TOOL, "card", "info", self.card), r"journal +a log of [34] small commits")
        self.assertLess(len(self.files().get("log", b"")), 300)
        run(TOOL, "card", "sync", self.card)
        self.assertEqual(self.files()["log"], lines(3))
        self.assertIn("journal    empty", run(TOOL, "card", "info", self.card))
        r = self.power(boot=LOG, job=APPEND % 1 + "print('=>', sdboot.status()['journal'])\n")
        self.assertEqual(r.results, ["on, with a log"])
        run(TOOL, "card", "repair", "--discard", self.card)
        self.assertEqual(self.files()["log"], lines(3))
        self.power(boot=LOG)
        self.assertEqual(self.files()["log"], lines(3))

    def test_what_the_argument_may_be(self):
        self.fat_card(FILES)
        r = self.power(boot="journal='logs'", job="print('=>', sdboot.status()['journal'])")
        self.assertIn("journal is True, False or", r.out)
        self.assertEqual(r.results, ["on"])


if __name__ == "__main__":
    unittest.main()
