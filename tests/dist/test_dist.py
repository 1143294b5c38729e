# SPDX-License-Identifier: MIT
"""`make dist`: what it makes is complete, is the same when it is made again elsewhere, and installs with
the real mpremote from a web server. For x64, whose code runs on the simulated board."""

import os
import shutil
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "install"), str(ROOT / "tests" / "board")]
from install import find_mpremote  # noqa: E402
from lab import own_folder  # noqa: E402
from serialline import Line  # noqa: E402
from web import PythonServer  # noqa: E402

DIST = ROOT / "build" / "dist"
STOCK = ROOT / "build" / "sim-bare" / "board"
TOOL = ROOT / "build" / "cli" / "sdboot"


def call(*words, cwd=ROOT, env=None):
    done = subprocess.run(
        [str(w) for w in words],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError("%s\n%s" % (words, done.stdout))
    return done.stdout


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class Dist(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = ROOT / "build" / "test-dist"
        shutil.rmtree(cls.work, ignore_errors=True)
        cls.work.mkdir(parents=True)
        call(TOOL, "keygen", "-W", cwd=cls.work)
        cls.make()
        cls.first = contents(DIST)
        cls.source = next(DIST.glob("sdboot-*[0-9].tar.gz"))
        cls.name = cls.source.name[: -len(".tar.gz")]

    @classmethod
    def make(cls, *variables):
        call("make", "dist", "ARCH=x64", "KEY=%s" % (cls.work / "sdboot.key"), *variables)

    def test_sums_and_signature(self):
        call("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=DIST)
        listed = {line.split()[1] for line in (DIST / "SHA256SUMS").read_text().splitlines()}
        self.assertEqual(listed, set(self.first) - {"SHA256SUMS", "SHA256SUMS.minisig"})
        said = call("minisign", "-V", "-p", self.work / "sdboot.pub", "-m", "SHA256SUMS", cwd=DIST)
        self.assertIn(self.name, said)
        self.assertEqual(len([n for n in listed if n.endswith(".deb")]), 1)

    def test_source_is_complete(self):
        with tarfile.open(self.source) as tar:
            names = {m.name.split("/", 1)[1] for m in tar if not m.isdir()}
            self.assertEqual({(m.uname, m.uid) for m in tar}, {("", 0)})
        self.assertEqual(names, set(call("git", "ls-files").splitlines()))

    def test_again(self):
        self.make()
        again = contents(DIST)
        self.assertEqual(sorted(again), sorted(self.first))
        self.assertEqual({n for n in again if again[n] != self.first.get(n)}, set())

    def test_native_code_built_elsewhere(self):
        """From the source package, in another folder: the same bytes."""
        with tarfile.open(self.source) as tar:
            tar.extractall(self.work)
        there = self.work / self.name
        (there / "build").mkdir()
        for name in ("micropython", "tinyssh", "mpy-cross"):
            (there / "build" / name).symlink_to(ROOT / "build" / name)
        call("make", "-C", there / "micropython" / "native", "ARCH=x64")
        made = contents(there / "build" / "native" / "x64")
        mine = {n[4:]: data for n, data in self.first.items() if n.startswith("x64/")}
        self.assertEqual(sorted(made), sorted(mine))
        self.assertEqual({n for n in made if made[n] != mine[n]}, set())

    def test_mip(self):
        """The real mpremote installs it from a web server, without this repository."""
        folder = own_folder(self, self.work)
        flash = folder / "flash.img"
        flash.touch()
        line = Line()
        self.addCleanup(line.close)
        line.connect([STOCK, "--flash", flash])
        line.wait_for(b"\r\n>>> ")
        env = dict(os.environ)
        mpremote = [*find_mpremote(env), "connect", line.name, "resume"]
        with PythonServer(DIST) as url:
            self.make("URL=" + url)
            self.addCleanup(self.make)
            url += "/x64/package.json"
            call(*mpremote, "mip", "install", "--no-mpy", url, env=env, cwd=folder)
        said = call(*mpremote, "exec", "import sdboot; print(sdboot.__version__, sdboot.boot)", env=env)
        self.assertIn(self.name.split("-")[1] + " <function boot", said)


class Component(unittest.TestCase):
    def test_builds(self):
        """As ESP-IDF uses it; ESP-IDF itself is not in Debian."""
        out = own_folder(self, ROOT / "build" / "test-component")
        call("cmake", "-S", ROOT / "tests" / "dist" / "component", "-B", out)
        call("cmake", "--build", out, "-j2")
        self.assertIn("no space left", call(out / "user"))


if __name__ == "__main__":
    unittest.main()
