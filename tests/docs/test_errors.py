# SPDX-License-Identifier: MIT
"""docs/ERRORS.md has every message of the source, and no other."""

import re
import unittest

import messages

PAGE = (messages.ROOT / "docs" / "ERRORS.md").read_text()
# Parts of sentences, and what is not about anything that went wrong.
NO_MESSAGES = {"found …", "install of …", "not formatted", "sdboot/… ("}
# Made of parts, which the source does not have in one piece.
COMPOSED = {
    "read error on the SD card (…); nothing was formatted",
    "formatting the SD card failed (…)",
    "…: redirected to what is no address",
    "the server's certificate is not trusted: …",
    "the release has not confirmed in time, resetting",
    "main.py has ended, resetting",
}


class Errors(unittest.TestCase):
    def rows(self, start, end):
        part = PAGE[PAGE.index("## " + start) : PAGE.index("## " + end) if end else len(PAGE)]
        return re.findall(r"^\| (.*?) \| (.*) ?\|$", part, re.M)

    def test_messages(self):
        rows = [m[1:-1] for m, _ in self.rows("Booting", "Numbers") if m[0] == "`"]
        self.assertEqual(len(rows), len(set(rows)), "twice on the page")
        source = (set(messages.of_python()) | messages.of_binding()) - NO_MESSAGES
        self.assertGreater(len(source), 120)
        self.assertEqual(sorted(source - set(rows)), [], "not on the page")
        self.assertEqual(sorted(set(rows) - source - COMPOSED), [], "not in the source")
        text = "".join(p.read_text() for p in (messages.ROOT / "micropython/sdboot").glob("*.py"))
        for message in COMPOSED:
            longest = max(message.split("…"), key=len).strip(" ():;")
            self.assertIn(longest, re.sub(r'"\s*"', "", text))

    def test_numbers(self):
        rows = {int(n): text.strip()[1:-1] for n, text in self.rows("Numbers", None) if n.isdigit()}
        self.assertEqual(rows, messages.of_core())
        self.assertGreater(len(rows), 50)


if __name__ == "__main__":
    unittest.main()
