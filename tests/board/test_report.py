# SPDX-License-Identifier: MIT
"""What a board says of itself to the server (docs/FORMAT, "What a board says of itself")."""

import re
import unittest

from test_ota import OLD, OtaTest

LINE = re.compile(r"sdboot/[\d.]+ \(([^;()]+); ([^;()]+); ([^;()]+); ([^;()]+)\)$")


class Report(OtaTest):
    def said(self, *arguments):
        """The line in the request of a check."""
        self.ota(self.url, *arguments, method="check()")
        headers = self.server.requests[-1][1]
        return [value for name, value in headers.items() if name.lower() == "user-agent"][0]

    def fields(self, *arguments):
        line = self.said(*arguments)
        self.assertLessEqual(len(line), 200)
        found = LINE.match(line)
        self.assertTrue(found, line)
        return list(found.groups())

    def test_life_of_a_release(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        board, number, running, event = self.fields()
        self.assertRegex(number, "^[0-9a-f]{12}$")
        self.assertEqual((running, event), ("0.0.1", "none"))
        self.stage()
        # It is swapped in at the next boot, which asks.
        self.assertEqual(self.fields()[2:], ["0.0.2", "trial 0.0.2"])
        self.power(job="sdboot.confirm()")
        self.assertEqual(self.fields()[2:], ["0.0.2", "confirmed 0.0.2"])
        self.power(job="sdboot.rollback()")
        self.assertEqual(self.fields()[2:], ["0.0.1", "failed 0.0.2 rolled-back"])

    def test_staged(self):
        self.fat_card(OLD)
        self.add("0.0.2")
        job = "ota = sdboot.OTA(%r)\nota.install_update_if_available()\nota.check()\n" % self.url
        self.power(job=job)
        self.assertIn("; 0.0.1; staged 0.0.2)", self.server.requests[-1][1]["User-Agent"])

    def test_reason(self):
        """Why it was taken back, without what would end a field. A long reason is cut."""
        self.fat_card(OLD)
        self.add("0.0.2", {"main.py": b"1\n"})
        self.stage()
        for _ in range(2):
            self.power(boot="attempts=1")
        self.assertEqual(self.fields()[3], "failed 0.0.2 expired")
        self.put({".sdboot/reason": '0.0.2\nValueError: a; (b) \u00e9 "c"\n'.encode()})
        said = "failed 0.0.2 expired: ValueError: a%3b %28b%29 %c3%a9 %22c%22"
        self.assertEqual(self.fields()[3], said)
        self.put({".sdboot/reason": b"0.0.2\nOSError: " + b"\xc3\xa9" * 200 + b"\n"})
        self.assertRegex(self.fields()[3], "^failed 0.0.2 expired: OSError: (%c3|%a9)+$")
        self.put({".sdboot/reason": b"0.0.7\nold story\n"})
        self.assertEqual(self.fields()[3], "failed 0.0.2 expired")

    def test_long(self):
        """At most 200 bytes, and no %XX in two."""
        self.fat_card(OLD)
        self.add("0.0.1")
        for board in ("b" * 500, "\u00fc" * 100, "a;b) c"):
            with self.subTest(board):
                fields = self.fields("board=%r" % board, "device_id=bytes(60)")
                self.assertRegex(fields[0], "^([^%]|%[0-9a-f]{2})+$")

    def test_own_header_and_silence(self):
        self.fat_card(OLD)
        self.add("0.0.1")
        self.assertRegex(self.said("report=False"), r"^sdboot/[\d.]+$")
        self.assertEqual(self.said("headers={'user-agent': 'mine'}"), "mine")


if __name__ == "__main__":
    unittest.main()
