# SPDX-License-Identifier: MIT
"""What can happen to a release between staging and the swap."""

import unittest

import cards
from rig import MIB
from test_ota import OLD, OtaTest

REMOVE = "for n in os.listdir('DIR'): os.remove('DIR/' + n)\nos.rmdir('DIR')\n"


class Between(OtaTest):
    """Staged, and then something happens to the card."""

    def staged(self, extra=()):
        self.fat_card(OLD)
        self.add("0.0.2", extra)
        self.stage()

    def change(self, code):
        """Runs `code` on a board with the pin low, the card at /sd."""
        r = self.power("--pin", "18=0", job="import os\n" + code)
        self.assertNotIn("Traceback", r.out)

    def test_next_removed(self):
        self.staged()
        self.change(REMOVE.replace("DIR", "/sd/next"))
        r = self.power()
        self.assertIn("the staged release is gone from the card", r.out)
        self.assertIn("release 0.0.1 runs", r.out)
        self.stage()
        self.assertIn("release 0.0.2 runs", self.power().out)

    def test_file_where_the_release_has_a_directory(self):
        self.staged({"lib/new/x.py": b"x"})
        self.change("f = open('/sd/lib', 'w'); f.write('mine'); f.close()")
        self.assertIn("release 0.0.2 runs", self.power().out)
        self.assertEqual(self.files(ours=True)[".sdboot/old/lib"], b"mine")
        self.assertEqual(self.files()["lib/new/x.py"], b"x")

    def test_directory_where_the_release_has_a_file(self):
        self.staged({"lib/x.py": b"x"})
        self.change("os.mkdir('/sd/lib'); os.mkdir('/sd/lib/x.py')")
        self.assertIn("release 0.0.2 runs", self.power().out)
        self.assertEqual(self.files()["lib/x.py"], b"x")

    def test_app_removed(self):
        self.staged()
        self.change(REMOVE.replace("DIR", "/sd/app"))
        self.assertIn("release 0.0.2 runs", self.power().out)

    def test_app_edited(self):
        self.staged()
        self.put({"app/edited.py": b"on a PC"})
        self.assertIn("release 0.0.2 runs", self.power().out)
        self.assertEqual(self.files()["prev/edited.py"], b"on a PC")

    def test_outside_file_removed(self):
        self.fat_card({**OLD, "lib/x.py": b"old"})
        self.add("0.0.2", {"lib/x.py": b"new"})
        self.stage()
        self.change("os.remove('/sd/lib/x.py')")
        self.assertIn("release 0.0.2 runs", self.power().out)
        self.assertEqual(self.files()["lib/x.py"], b"new")

    def test_outside_files_that_did_not_change(self):
        """They were not staged: what the application does to them since is no damage."""
        change = (
            "f = open('/sd/settings.json', 'w'); f.write('{1: 2}'); f.close()\n",
            "os.remove('/sd/settings.json')\n",
            "os.remove('/sd/settings.json'); os.mkdir('/sd/settings.json')\n",
            "os.rename('/sd/data', '/sd/attic')\n",
            "f = open('/sd/empty', 'w'); f.write('no more'); f.close()\n",
        )
        same = {"settings.json": b"{}", "data/a/table.csv": b"1;2\n" * 2000, "empty": b""}
        for code in change:
            with self.subTest(code):
                self.fat_card({**OLD, **same})
                self.site.lines = []
                self.add("0.0.2", same)
                self.stage()
                before = self.files()
                self.change(code)
                changed = self.files()
                self.assertNotEqual(before, changed)
                r = self.power(job="attempt(lambda: sdboot.status()['bad'])\n")
                self.assertIn("release 0.0.2 runs", r.out)
                self.assertEqual(r.results, ["None"])
                found = self.files()
                for name in same:
                    self.assertEqual(found.get(name), changed.get(name))
                r = self.power(job="attempt(sdboot.rollback)\n")
                self.assertIn("release 0.0.1 runs", self.power().out)
                found = self.files()
                for name in same:
                    self.assertEqual(found.get(name), changed.get(name))

    def test_root_folder_full(self):
        """FAT16 has room for 512 names in it, and logs have taken them since."""
        fill = """
for i in range(600):
    try:
        open('/sd/L%06d.CSV' % i, 'w').close()
    except OSError:
        break
"""
        cards.fat(self.card, 16, 2048, 64 * MIB)
        self.put(OLD)
        self.add("0.0.2", {"new.py": b"1", "lib2/a.py": b"2"})
        self.stage()
        self.change(fill)
        r = self.power()
        self.assertIn("no space left on the card: delete files", r.out)
        self.assertIn("release 0.0.1 runs", r.out)
        r = self.ota(self.url)
        self.assertIn("CardError 28 ", r.errors[0])
        self.assertIn("0.0.2 could not be put in place at boot", r.errors[0])
        self.add("0.0.3", {"new.py": b"1"})
        self.stage()
        r = self.ota(self.url)
        self.assertIn("0.0.3 could not be put in place at boot", r.errors[0])
        self.change("for i in range(300): os.remove('/sd/L%06d.CSV' % i)\n")
        self.assertIn("release 0.0.3 runs", self.power().out)

    def test_prev_made_by_somebody(self):
        """prev/ is ours: what was in it goes with the next update, a file of that name too."""
        self.fat_card({**OLD, "prev": b"a file"})
        self.add("0.0.2")
        self.stage()
        self.assertIn("release 0.0.2 runs", self.power().out)
        self.assertIn("prev/code.py", self.files())

    def test_prev_made_after_staging(self):
        self.staged()
        self.put({"prev/x/y": b"in the way"})
        r = self.power()
        self.assertIn("release 0.0.2 runs", r.out)


if __name__ == "__main__":
    unittest.main()
