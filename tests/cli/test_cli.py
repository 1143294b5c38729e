# SPDX-License-Identifier: MIT
"""The host tool: releases are packed, signed, published and checked as boards do it."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "board"))
import rig  # noqa: E402
import web  # noqa: E402

TOOL = os.environ.get("SDBOOT_TOOL", ROOT / "build" / "cli" / "sdboot")


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.www = self.dir / "www"
        self.write({"app/code.py": "version = '0.0.2'\n", "main.py": "import app.code\n"})

    def write(self, files):
        rig.write_tree(self.dir / "src", files)

    def tool(self, *arguments, status=0, password=None):
        env = {**os.environ, "SDBOOT_PASSWORD": password} if password is not None else None
        done = subprocess.run(
            [str(a) for a in (TOOL, *arguments)],
            cwd=self.dir,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # no terminal to ask for a password
        )
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def release(self, version, *more, status=0, paths=("app", "main.py")):
        return self.tool("release", "-v", version, "-C", "src", "-o", "www", *more, *paths, status=status)

    def assertNothingElse(self, *names):
        names += tuple(name + ".idx" for name in names if name.endswith(".tar"))
        self.assertEqual(sorted(p.name for p in self.www.iterdir()), sorted(names))


class Release(ToolTest):
    def test_same_files_same_bytes(self):
        self.release("0.0.2")
        first = (self.www / "0_0_2-firmware.tar").read_bytes()
        shutil.move(self.dir / "src", self.dir / "old")
        for path in sorted((self.dir / "old").rglob("*"), reverse=True):  # another order, other times
            if path.is_file():
                target = self.dir / "src" / path.relative_to(self.dir / "old")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
                os.utime(target, (time.time() - 1e6,) * 2)
                target.chmod(0o600)
        shutil.rmtree(self.www)
        self.release("0.0.2", paths=("main.py", "./app/"))
        self.assertEqual((self.www / "0_0_2-firmware.tar").read_bytes(), first)

    def test_what_is_published(self):
        self.write({"app/.DS_Store": "", "app/__pycache__/x.pyc": "", "app/._code.py": ""})
        self.write({"app/.manifest": "made by a board"})
        (self.dir / "src" / "app" / "empty").mkdir()
        self.write({"app/%s/a rather long name.py" % "/".join(["deep"] * 30): "x"})
        self.release("0.0.2")
        package = self.www / "0_0_2-firmware.tar"
        with tarfile.open(package) as tar:
            names = [m.name for m in tar.getmembers()]
        self.assertEqual(names, sorted(names))
        self.assertEqual(len(names), 5)
        self.assertIn("app/.version", names)
        self.assertIn("app/empty", names)
        data = package.read_bytes()
        index = (self.www / "0_0_2-firmware.tar.idx").read_bytes()
        hashes = [hashlib.sha256(d).hexdigest() for d in (data, index)]
        said = (len(data), *hashes, hashlib.sha1(data).hexdigest())
        text = "# sdboot file=0_0_2-firmware.tar size=%d sha256=%s index=%s\n0.0.2;0_0_2-firmware.tar;%s\n" % said
        self.assertEqual((self.www / "versions").read_text(), text)
        self.assertNothingElse("0_0_2-firmware.tar", "versions")

    def test_the_list_grows_at_its_end(self):
        """Clients of 2022 read the last line and want three fields."""
        self.www.mkdir()
        (self.www / "versions").write_text("# ours\n0.0.1;old.tar;%s" % ("0" * 40))
        self.release("0.0.2")
        self.write({"app/code.py": "3"})
        self.release("0.0.10")
        lines = (self.www / "versions").read_text().splitlines()
        self.assertEqual(lines[:2], ["# ours", "0.0.1;old.tar;" + "0" * 40])
        releases = [line.split(";")[0] for line in lines if not line.startswith("#")]
        self.assertEqual(releases, ["0.0.1", "0.0.2", "0.0.10"])
        self.assertEqual(len(lines[-1].split(";")), 3)

    def test_twice(self):
        self.release("0.0.2")
        before = (self.www / "versions").read_bytes()
        self.assertIn("published already", self.release("0.0.2"))
        self.write({"app/code.py": "other\n"})
        self.assertIn("with other content", self.release("0.0.2", status=1))
        self.assertIn("with other content", self.release("v0.0.2", status=1))
        self.assertEqual((self.www / "versions").read_bytes(), before)
        self.assertNothingElse("0_0_2-firmware.tar", "versions")

    def test_older_than_what_is_there(self):
        self.release("0.0.10")
        self.write({"app/code.py": "other\n"})
        self.assertIn("older than 0.0.10", self.release("0.0.9", status=1))
        self.release("0.0.9", "--force")
        self.assertNothingElse("0_0_10-firmware.tar", "0_0_9-firmware.tar", "versions")

    def test_what_boards_refuse_is_not_published(self):
        for files, word in (
            ({"lib/a:b.py": "x"}, "a:b.py"),
            ({"lib/Code.py": "x", "lib/code.py": "y"}, "case only"),
            ({"lib/what.": "x"}, "what."),
            ({"prev/x": "x"}, "prev/x"),
        ):
            with self.subTest(word):
                shutil.rmtree(self.dir / "src")
                self.write({"app/code.py": "1", **files})
                paths = sorted(p.name for p in (self.dir / "src").iterdir())
                self.assertIn(word, self.release("0.0.2", status=1, paths=paths))
                self.assertNothingElse()

    def test_a_package_without_application(self):
        self.write({"lib/x.py": "1"})
        (self.dir / "src" / "app" / ".version").write_text("0.0.1\n")
        self.assertIn("not the announced version", self.release("0.0.2", status=1))

    def test_what_cannot_be_packed(self):
        os.symlink("main.py", self.dir / "src" / "link.py")
        for path, word in (("link.py", "neither a file"), ("none", "none"), ("../x", "-C"), ("/etc", "-C")):
            with self.subTest(path):
                self.assertIn(word, self.release("0.0.2", status=2, paths=("app", path)))
                self.assertNothingElse()

    def test_arguments(self):
        for version in ("", "one", "1.0.0+build", "1" * 60, "0.0.2;x"):
            with self.subTest(version):
                self.release(version, status=2)
        self.tool(status=2)
        self.tool("nonsense", status=2)
        self.tool("release", "--nonsense", status=2)
        self.assertIn("sdboot release", self.tool("release", "--help"))
        self.assertRegex(self.tool("--version"), r"^sdboot \d")


class Keys(ToolTest):
    def minisign(self, *arguments, typed="", status=0):
        done = subprocess.run(
            [str(a) for a in ("minisign", *arguments)],
            cwd=self.dir,
            input=typed.encode(),
            capture_output=True,
        )
        self.assertEqual(done.returncode, status, done.stderr)

    def test_minisign_believes_us(self):
        for name, options, password in (("open", ("-W",), None), ("closed", (), "secret")):
            with self.subTest(name):
                public, secret = name + ".pub", name + ".key"
                self.tool("keygen", "-p", public, "-s", secret, *options, password=password)
                self.assertEqual((self.dir / secret).stat().st_mode & 0o777, 0o600)
                self.tool("sign", "-s", secret, "-t", "hello", "src/main.py", password=password)
                self.minisign("-V", "-p", public, "-m", "src/main.py")
                # And signs with our key.
                self.minisign("-S", "-l", "-s", secret, "-m", "src/main.py", typed=(password or "") + "\n")
                self.minisign("-V", "-p", public, "-m", "src/main.py")

    def test_we_believe_minisign(self):
        self.minisign("-G", "-p", "m.pub", "-s", "m.key", typed="pw\npw\n")
        self.release("0.0.2")
        self.minisign("-S", "-l", "-s", "m.key", "-m", "www/versions", typed="pw\n")
        self.tool("verify", "-p", "m.pub", "www")
        self.tool("sign", "-s", "m.key", "www/versions", password="pw")
        self.tool("verify", "-p", "m.pub", "www")
        self.minisign("-V", "-p", "m.pub", "-m", "www/versions")
        self.minisign("-S", "-H", "-s", "m.key", "-m", "www/versions", typed="pw\n")
        self.tool("verify", "-p", "m.pub", "www")
        (self.www / "versions").write_text((self.www / "versions").read_text() + "# more\n")
        self.assertIn("changed", self.tool("verify", "-p", "m.pub", "www", status=1))

    def test_errors(self):
        self.tool("keygen", "-W")
        self.assertIn("not replaced", self.tool("keygen", "-W", status=2))
        self.assertIn("password", self.tool("keygen", "-p", "x", "-s", "y", status=2))
        self.assertIn("sdboot keygen", self.tool("sign", "-s", "none", "src/main.py", status=2))
        self.assertIn("not a secret key", self.tool("sign", "-s", "sdboot.pub", "src/main.py", status=2))
        self.tool("keygen", "-p", "p", "-s", "s", password="right")
        self.assertIn("wrong password", self.tool("sign", "-s", "s", "src/main.py", status=2, password="w"))


class Verify(ToolTest):
    def test_faults_are_named(self):
        self.tool("keygen", "-W")
        self.release("0.0.2", "-k", "sdboot.key")
        self.assertIn("good", self.tool("verify", "-p", "sdboot.pub", "www"))
        self.write({"app/code.py": "3"})
        self.release("0.0.3")
        said = self.tool("verify", "-p", "sdboot.pub", "www", status=1)
        self.assertIn("versions.minisig: signature: wrong", said)
        self.assertIn("0.0.3: good", said)
        package = self.www / "0_0_3-firmware.tar"
        package.write_bytes(package.read_bytes()[:-2000])
        self.assertIn("hash is not", self.tool("verify", "www", status=1))
        package.unlink()
        self.assertIn("not there", self.tool("verify", "www", status=1))
        with open(self.www / "versions", "a") as f:
            f.write("nonsense\n")
        self.assertIn("line 6", self.tool("verify", "www", status=1))
        self.tool("verify", "src", status=2)

    def test_sha256_alone(self):
        """Boards want no SHA-1 where the list has the SHA-256 (docs/FORMAT.md)."""
        self.release("0.0.2")
        versions = self.www / "versions"
        text = versions.read_text()
        versions.write_text(text.replace(text.split(";")[-1].strip(), ""))
        self.assertIn("0.0.2: good", self.tool("verify", "www"))
        package = self.www / "0_0_2-firmware.tar"
        package.write_bytes(package.read_bytes().replace(b"import app.code", b"import app.c0de"))
        self.assertIn("hash is not", self.tool("verify", "www", status=1))


    def test_what_is_said_of_files(self):
        self.release("0.0.2", "--board", "esp32")
        text = (self.www / "versions").read_text()
        package = next(self.www.glob("*.tar"))
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        self.assertIn(digest, text)
        for bad, word in (
            (text.replace(digest, "0" * 64), "hash is not"),
            (text.replace("size=", "size=1"), "size is not"),
            ("# sdboot seq=1 expires=2020-01-01\n" + text, "expired"),
            ("# sdboot seq=one\n" + text, "can't be read"),
            (text.replace("board=", "rollout=200 board="), "can't be read"),
            (text.replace("board=", "x=%s board=" % ("x" * 400)), "can't be read"),
        ):
            with self.subTest(word):
                (self.www / "versions").write_text(bad)
                self.assertIn(word, self.tool("verify", "www", status=1))


class WithABoard(rig.BoardTest):
    def test_a_board_takes_it(self):
        tool = ToolTest()
        tool.setUp()
        self.addCleanup(tool.doCleanups)
        tool.tool("keygen", "-W")
        tool.release("0.0.2", "-k", "sdboot.key")
        key = (tool.dir / "sdboot.pub").read_text()
        self.fat_card(web.release("0.0.1"))
        with web.PythonServer(tool.www) as url:
            r = self.ota(url, "key=%r" % key)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertIn("release 0.0.2 is in place", self.power().out)


if __name__ == "__main__":
    unittest.main()
