# SPDX-License-Identifier: MIT
"""What an exception of sdboot's tells a program (class, errno) and a person (its text)."""

import ast
import importlib.util
import unittest

from rig import ROOT, BoardTest
from test_numbers import enum
from web import PythonServer, Site, package, release

ASK = """
def ask(f, *args):
    try:
        print("=>", f(*args))
    except OSError as e:
        kind = [c.__name__ for c in (sdboot.CardError, sdboot.PackageError, sdboot.NetworkError)
                if isinstance(e, c)]
        number, text = e.args
        print("=!", number == e.errno, number, kind, isinstance(e, sdboot.Error), str(e) == text)
"""


class ByCode(unittest.TestCase):
    """check() is plain enough to run on a PC."""

    @classmethod
    def setUpClass(cls):
        path = ROOT / "micropython" / "sdboot" / "_errors.py"
        spec = importlib.util.spec_from_file_location("errors_of_sdboot", path)
        cls.errors = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.errors)
        cls.errors.strerror = lambda code: "text of %d" % code

    def raised(self, code, *args):
        with self.assertRaises(OSError) as caught:
            self.errors.check(code, *args)
        e = caught.exception
        self.assertEqual((e.args[0], e.errno), (-code, -code))
        self.assertEqual(str(e), e.args[1])
        return e

    def test_class_of_every_code(self):
        codes = enum("error.h", "sdb_error")
        self.assertGreater(len(codes), 40)
        self.assertEqual(codes.pop("OK"), 0)
        for name, code in codes.items():
            with self.subTest(name):
                begin = name.split("_")[0]
                want = {
                    "EPKG": "PackageError",
                    "EVER": "PackageError",
                    "ESIG": "PackageError",
                    "EURL": "NetworkError",
                    "EHTTP": "NetworkError",
                    "ENOMEM": "Error",
                    "EBUSY": "Error",
                    "EINVAL": "Error",
                }.get(begin, "CardError")
                self.assertEqual(type(self.raised(code)).__name__, want)

    def test_results_are_handed_on(self):
        for result in (0, 1, 4096):
            self.assertEqual(self.errors.check(result, "x"), result)

    def test_where(self):
        self.assertEqual(str(self.raised(-28, "a.py")), "a.py: text of -28")
        self.assertEqual(str(self.raised(-28)), "text of -28")


class OnTheBoard(BoardTest):
    def test_card(self):
        self.card = None
        r = self.power(job=ASK + "ask(sdboot.status)\nask(sdboot.format)\n")
        self.assertEqual(r.errors, ["True 19 ['CardError'] True True"] * 2)

    def test_full_card(self):
        self.fat_card({"app/.version": b"0.0.1"})
        site = Site(self.dir / "www")
        site.add("0.0.2", package({**release("0.0.2"), "app/big": bytes(9 << 20)}))
        with PythonServer(site.folder) as url:
            job = ASK + "o = sdboot.OTA(%r)\nask(o.install_update_if_available)\n" % url
            r = self.power(job=job)
        self.assertEqual(r.errors, ["True 28 ['CardError'] True True"], r.out)

    def test_package_and_network(self):
        self.fat_card({"app/.version": b"0.0.1"})
        site = Site(self.dir / "www")
        site.add("0.0.2", b"no tar at all" * 100)
        with PythonServer(site.folder) as url:
            job = ASK
            for u in (url, url + "/missing", "http://no.such.host.invalid", "http://127.0.0.1:1"):
                job += "ask(sdboot.OTA(%r).install_update_if_available)\n" % u
            r = self.power(job=job)
        kinds = [line.split(" ", 2)[2] for line in r.errors]
        network = "['NetworkError'] True True"
        self.assertEqual(kinds, ["['PackageError'] True True", network, network, network], r.out)
        numbers = [int(line.split()[1]) for line in r.errors]
        self.assertEqual(numbers, [199, 5, 113, 111])

    def test_uncaught(self):
        """The traceback names class, number and text."""
        self.fat_card()
        r = self.power(typed="import sdboot\nsdboot.rollback()\nsdboot.verify()\n")
        self.assertIn("\nError: [Errno 2] ENOENT: there is no release before this one", r.out)



# Calls of sdboot's, and of os, which go through it: (name, raised by which class, args, text).
EACH = """
import _board, os
def transaction():
    with sdboot.transaction():
        with open("/t", "w") as f:
            f.write("x" * 3000)
ota = sdboot.OTA("http://127.0.0.1:1")
calls = [sdboot.status, sdboot.confirm, sdboot.rollback, sdboot.verify, sdboot.version, sdboot.sync,
         transaction, ota.check, ota.cancel, ota.get_latest_version]
system = [(os.listdir, "/data"), (os.mkdir, "/new"), (os.stat, "/data/a"), (os.rmdir, "/data"),
          (os.remove, "/data/b"), (os.rename, "/data/a", "/data/c"), (os.chdir, "/data"),
          (os.statvfs, "/"), (open, "/data/a"), (os.chdir, "/no such folder")]
for fault in ("", "r1+", "r2+", "r4+", "w1+", "w3/"):
    for call in calls + system:
        f, *args = call if isinstance(call, tuple) else (call,)
        _board.card_fail(fault)
        try:
            f(*args)
        except Exception as e:
            kind = "error" if isinstance(e, sdboot.Error) else type(e).__name__
            print("=>", (call in calls, kind, [str(a) for a in e.args], str(f)))
        _board.card_fail("")
        sdboot.recover()
"""


class NoBareNumbers(BoardTest):
    def asked(self, boot, *options):
        r = self.power(*options, boot=boot, job=EACH)
        self.assertGreater(len(r.results), 20)
        for result in r.results:
            ours, kind, args, name = ast.literal_eval(result)
            if "transaction" in name:  # its files are plain ones
                self.assertGreater(len(args[1]), 20, result)
            elif ours:
                self.assertEqual((kind, len(args)), ("error", 2), result)
                self.assertGreater(len(args[1]), 20, result)
            else:
                self.assertEqual(kind, "OSError", result)
                # What is not there, or there already, goes without saying.
                self.assertTrue(args[0] in ("2", "17") or len(args[1]) > 20, result)

    def test_fat(self):
        self.fat_card({"data/a": b"a" * 3000, "data/b": b""})
        self.asked("")

    def test_fat_without_journal(self):
        self.blank_card()
        self.power(boot="journal=False")
        self.put({"data/a": b"a" * 3000, "data/b": b""})
        self.asked("journal=False")

    def test_littlefs(self):
        self.littlefs_card({"data/a": b"a" * 3000, "data/b": b""})
        self.asked("fs='littlefs'")

    def test_after_a_format_that_failed(self):
        self.fat_card({"data/a": b""})
        job = "import _board\n_board.card_fail('w3+')\nattempt(sdboot.format)\n_board.card_fail('')\n"
        job += "for f in (sdboot.transaction, sdboot.status, sdboot.confirm, sdboot.verify):\n"
        job += "    attempt(f)\nattempt(sdboot.format)\nattempt(sdboot.transaction().__enter__)\n"
        r = self.power("--pin", "18=0", job=job)
        self.assertIn("a format that was cut short; it was left as it is", r.errors[0])
        self.assertEqual(
            r.errors[1:], ["CardError 19 no SD card in use: call sdboot.boot() first, see its messages"] * 4
        )
        self.assertEqual(len(r.results), 2)


if __name__ == "__main__":
    unittest.main()
