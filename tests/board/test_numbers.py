# SPDX-License-Identifier: MIT
"""Numbers that Python and C share: named in both, the same in both."""

import errno
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def enum(header, name):
    """The members of a C enum, each of which must have its value written down."""
    text = (ROOT / "core" / header).read_text()
    body = re.sub("//.*", "", re.search(r"enum %s \{(.*?)\};" % name, text, re.S)[1])
    members = [m.strip() for m in body.split(",") if m.strip()]
    found = {n: int(v) for n, v in re.findall(r"^\s*SDB_(\w+) = (-?\d+)", body, re.M)}
    assert len(found) == len(members), "%s: a member without value" % header
    return found


def ranges(path):
    """NAMES = range(...) in a file of the package."""
    found = {}
    for names, numbers in re.findall(r"^([A-Z_, ]+) = range\(([\d, ]+)\)", path.read_text(), re.M):
        found.update(zip(names.split(", "), range(*map(int, numbers.split(",")))))
    return found


PACKAGE = sorted((ROOT / "micropython" / "sdboot").glob("*.py"))
# A number of an error where a name belongs.
BARE = r"\berrno (?:[=!]=|(?:not )?in) \(?\d|\b(?:code|error|result) [=!]= -\d|Error\(\s*-?\d|check\(\s*-?\d"


class Errors(unittest.TestCase):
    def test_values(self):
        """Each file has names for those that it uses: they cost the board nothing."""
        ours = enum("error.h", "sdb_error")
        seen = 0
        for path in PACKAGE:
            for name, value in re.findall(r"^_(E\w+) = const\((\d+)\)", path.read_text(), re.M):
                expected = -ours[name] if name in ours else getattr(errno, name)
                self.assertEqual(int(value), expected, "%s in %s" % (name, path.name))
                seen += 1
        self.assertGreater(seen, 30)

    def test_no_bare_numbers(self):
        for path in PACKAGE:
            code = "\n".join(line.split("#")[0] for line in path.read_text().splitlines())
            self.assertEqual(re.findall(BARE, code), [], path.name)


class Numbers(unittest.TestCase):
    def setUp(self):
        self.python = ranges(ROOT / "micropython" / "sdboot" / "mounted.py")

    def same(self, members, prefix=""):
        self.assertTrue(members)
        for name, value in members.items():
            self.assertEqual(self.python.get(name[len(prefix) :]), value, name)

    def test_states(self):
        self.same(enum("release/record.h", "sdb_state"))

    def test_events(self):
        events = enum("release/record.h", "sdb_event")
        del events["EVENT_NONE"]
        self.same(events, "EVENT_")

    def test_fields_of_the_record(self):
        source = (ROOT / "micropython" / "mod_sdboot.c").read_text()
        items = re.search(r"items\[\] = \{(.*?)\};", source, re.S)[1]
        fields = [f.replace("trials", "").upper() for f in re.findall(r"r->(\w+)", items)]
        self.assertEqual([self.python[f] for f in fields], list(range(len(fields))), fields)

    def test_results_of_a_boot(self):
        self.python = ranges(ROOT / "micropython" / "sdboot" / "trial.py")
        results = enum("release/boot.h", "sdb_boot_result")
        del results["BOOT_NOTHING"]
        self.same({n.replace("BOOT", ""): v for n, v in results.items()})


if __name__ == "__main__":
    unittest.main()
