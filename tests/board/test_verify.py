# SPDX-License-Identifier: MIT
"""verify(), and the manifest as sha256sum on a PC sees it."""

import subprocess
import unittest

from trials import TRIAL, TrialTest, both, new
from web import member

NAMES = {
    "app/a name with spaces.txt": b"1",
    "app/empty": b"",
    "www/with space/page one.html": b"3" * 5000,
    "app/big.bin": bytes(range(256)) * 300,
}
# MicroPython's FatFs takes the bytes of a name for code page 437: a PC sees another name.
UTF8 = {"app/ünïcödé/ß.txt": b"2"}
VERIFY = "attempt(sdboot.verify)\n"


class Verify(TrialTest):
    def verify(self, board, change=""):
        """What verify() says after `change`, done on the board with the card at /sd."""
        r = board.power("--pin", "18=0", boot=TRIAL, job="import os\n%s\n%s" % (change, VERIFY))
        self.assertNotIn("Traceback", r.out)
        return eval(r.results[0])

    def names(self, board):
        return {**NAMES, **UTF8} if board.fs == "littlefs" else NAMES

    def installed(self, board):
        board.stage(new("sdboot.confirm()\n", self.names(board)))
        self.assertIn("NEW RUNS", board.power(boot=TRIAL).out)

    @both
    def test_all_well(self, board):
        self.installed(board)
        r = board.power(boot=TRIAL, job=VERIFY)
        self.assertEqual(r.results, ["[]"])
        self.assertEqual(r.stats["card_write_sectors"], 0)

    def test_names_in_utf8_on_fat(self):
        board = self.board("fat")
        board.stage(new("sdboot.confirm()\n", UTF8))
        self.assertIn("NEW RUNS", board.power(boot=TRIAL).out)
        self.assertEqual(self.verify(board), [])
        (name,) = UTF8
        self.assertEqual(self.verify(board, "os.remove('/sd/%s')" % name), ["/" + name])

    @both
    def test_differences(self, board):
        self.installed(board)
        self.assertEqual(
            self.verify(
                board,
                "with open('/sd/app/big.bin', 'r+b') as f:\n    f.seek(70000); f.write(b'x')\n"
                "os.remove('/sd/main.py')\n"
                "open('/sd/www/with space/page one.html', 'w').close()\n"
                "with open('/sd/app/empty', 'w') as f:\n    f.write('more')\n"
                "os.remove('/sd/app/only new.py'); os.mkdir('/sd/app/only new.py')\n"
                "os.remove('/sd/lib/added/deep/more.py'); os.rmdir('/sd/lib/added/deep')\n"
                "open('/sd/lib/added/deep', 'w').close()\n"
                "open('/sd/app/not of the release', 'w').close()\n",
            ),
            [
                "/app/only new.py",
                "/main.py",
                "/lib/added/deep/more.py",
                "/app/empty",
                "/www/with space/page one.html",
                "/app/big.bin",
            ],
        )

    @both
    def test_without_manifest(self, board):
        r = board.power(boot=TRIAL, job=VERIFY)
        self.assertIn("Error 2 ", r.errors[0])
        self.assertIn("no manifest (app/.manifest)", r.errors[0])

    @both
    def test_manifest_that_is_none(self, board):
        self.installed(board)
        for line in (b"garbage\n", b"0" * 64 + b"  \n", b"0" * 64 + b"  no end", b"\xff" * 5000):
            board.put({"app/.manifest": line})
            r = board.power("--pin", "18=0", boot=TRIAL, job=VERIFY)
            self.assertIn("Error 22 verify: ", r.errors[0])

    def test_unreadable(self):
        board = self.board("fat")
        self.installed(board)
        lba = board.find(b"3" * 5000) // 512
        r = board.power("--card-bad", lba, "--pin", "18=0", boot=TRIAL, job=VERIFY)
        self.assertIn("Error 5 verify: ", r.errors[0])

    @both
    def test_sha256sum(self, board):
        """The tool of coreutils says the same of a copy of the card on a PC."""
        self.installed(board)
        manifest = board.tree()[0]["app/.manifest"]  # and leaves the copy in out/
        check = ["sha256sum", "--check", "--strict", "app/.manifest"]
        done = subprocess.run(check, cwd=board.dir / "out", capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        files = new("", self.names(board))
        self.assertEqual(done.stdout.count(": OK\n"), len(files))
        self.assertEqual({line[66:].decode() for line in manifest.splitlines()}, set(files))
        (board.dir / "out" / "app" / "big.bin").write_bytes(b"other")
        done = subprocess.run(check, cwd=board.dir / "out", capture_output=True, text=True)
        self.assertIn("app/big.bin: FAILED", done.stdout)

    @both
    def test_previous_release_too(self, board):
        """After a rollback the manifest of the release before counts."""
        self.installed(board)
        first = board.tree()
        board.stage(new(version="0.0.3"), version="0.0.3")
        self.assertIn("NEW RUNS 0.0.3", board.power(boot="attempts=1").out)
        self.assertEqual(self.verify(board), [])
        board.power(boot="attempts=1")
        self.assertEqual(self.verify(board), [])
        files, folders = board.tree()
        files0 = {k: v for k, v in first[0].items() if not k.startswith("prev/")}
        self.assertEqual(files, files0)

    @both
    def test_empty_directories(self, board):
        """A release may have some; a manifest has files only."""
        board.stage(new(), members=[member("app/dir", kind=b"5"), member("var/dir", kind=b"5")])
        self.assertIn("NEW RUNS", board.power(boot="attempts=1").out)
        board.files()
        self.assertLess({"app/dir", "var/dir"}, board.folders())
        self.assertEqual(self.verify(board), [])
        board.assertTakenBack(board.power(boot="attempts=1"), "expired")


if __name__ == "__main__":
    unittest.main()
