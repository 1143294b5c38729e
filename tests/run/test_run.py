# SPDX-License-Identifier: MIT
"""`make run` as somebody sits before it: a terminal, and a serial port for the real mpremote."""

import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "sim"), str(ROOT / "tests" / "board")]
from board import Terminal  # noqa: E402
from install import find_mpremote  # noqa: E402
from lab import own_folder  # noqa: E402
from web import IndexedSite, RawServer, Site, answer, package, release  # noqa: E402

RUN = ["/usr/bin/python3", str(ROOT / "tools" / "run.py")]
FILES = ["/usr/bin/python3", str(ROOT / "tools" / "cardfiles.py")]


def tool(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60)


class RunTest(unittest.TestCase):
    def setUp(self):
        self.dir = own_folder(self, ROOT / "build" / "test-run")
        self.card = self.dir / "card.img"
        self.flash = self.dir / "flash.img"
        self.images = ["--card", str(self.card), "--flash", str(self.flash)]

    def terminal(self, *options):
        return Terminal([*RUN, *options])


class Demo(RunTest):
    def test_board_of_the_demo(self):
        """What `make demo` says last is true: `make run` gives its board."""
        demo = tool("/usr/bin/python3", ROOT / "tools" / "demo.py")
        self.assertEqual(demo.returncode, 0, demo.stdout + demo.stderr)
        self.assertIn("`make run` gives you this board.", demo.stdout)
        with self.terminal() as t:
            t.expect("sdboot: 0.0.2 on SD card, FAT, 64 MiB")
            t.expect("app: this is release 0.0.2")
            t.expect(">>> ")
            t.send("\x1d")
            t.expect("board: switched off")
        self.assertIn("/app/table.bin", tool(*FILES, "ls").stdout)


class Keys(RunTest):
    def test_completion_and_paste_mode(self):
        with self.terminal(*self.images) as t:
            t.expect("formatting it as fat")
            t.expect(">>> ")
            t.send("sdboot.conf\t()\r")
            t.expect("sdboot.confirm()\r\nFalse\r\n>>> ")
            t.send("sdboot.confrim()\r")
            t.expect("AttributeError: module 'sdboot' has no attribute 'confrim'\r\n>>> ")
            t.send("\x05")
            t.expect("=== ")
            t.send("for i in range(2):\r    print('pasted', i)\r\r\x04")
            t.expect("\r\npasted 0\r\npasted 1\r\n")

    def test_ctrl_c_in_the_middle_of_an_update(self):
        site = Site(self.dir / "www")
        tar = package(release("0.0.2", {"app/big.bin": bytes(1 << 20)}))
        site.add("0.0.2", tar)
        versions = answer((site.folder / "versions").read_bytes())

        def half(connection, request):
            connection.sendall(answer(tar[: len(tar) // 2], length=len(tar)))
            time.sleep(3)  # the user loses patience before that

        with RawServer(versions, half, versions, answer(tar)) as url:
            with self.terminal(*self.images) as t:
                t.expect(">>> ")
                t.send("ota = sdboot.OTA('%s', quite=False)\r" % url)
                t.expect(">>> ")
                t.send("ota.install_update_if_available()\r")
                t.expect("40%")
                t.send("\x03")
                t.expect("KeyboardInterrupt")
                t.expect(">>> ")
                t.send("sdboot.status()['state']\r")
                t.expect("'idle'")
                # The same again, to its end.
                t.send("ota.install_update_if_available()\r")
                t.expect("0.0.2 is staged")
                t.expect("True")
                t.send("import machine; machine.reset()\r")
                t.expect("release 0.0.2 is in place")
                t.expect("release 0.0.2 runs")


class Cards(RunTest):
    def test_no_card(self):
        with self.terminal("--card", "none", "--flash", str(self.flash)) as t:
            t.expect("sdboot: no SD card after 5 tries", 15)
            t.expect("staying on internal flash")
            t.expect(">>> ")

    def test_pulled_out_and_put_back(self):
        with self.terminal(*self.images) as t:
            t.expect(">>> ")
            t.send("open('/a', 'w').close()\r")
            t.expect(">>> ")
            t.send("\x1c")
            t.expect("board: the card is out of its slot")
            t.send("open('/b', 'w').write('b')\r")
            t.expect("OSError: ")
            t.expect(">>> ")
            t.send("\x1c")
            t.expect("board: the card is in its slot")
            t.send("sdboot.recover()\r")
            t.expect("CardError: [Errno 5] EIO: the card fails still; one that was pulled out needs a reset")
            t.send("\x04")
            t.expect("on SD card, FAT")
            t.expect(">>> ")
            t.send("import os; 'a' in os.listdir(), 'b' in os.listdir()\r")
            t.expect("(True, False)")

    def test_card_that_fails(self):
        with self.terminal(*self.images) as t:
            t.expect(">>> ")
        with self.terminal(*self.images, "--fail", "w2+") as t:
            t.expect(">>> ")
            t.send("open('/a', 'w').write('a' * 9000)\r")
            t.expect("OSError: ")

    def test_files(self):
        """What `make put` has put on it is there, in the folder that was asked for."""
        self.assertEqual(tool(*FILES, "ls", *self.images[:2]).returncode, 1)  # no card yet
        with self.terminal(*self.images) as t:
            t.expect(">>> ")
            t.send("\x1d")
            t.expect("switched off")
        (self.dir / "tree" / "deep").mkdir(parents=True)
        (self.dir / "tree" / "deep" / "x.txt").write_text("deep")
        (self.dir / "main.py").write_text("print('main:', open('/lib/new/tree/deep/x.txt').read())\n")
        card = self.images[:2]
        for names in (["main.py"], ["tree", "--to", "/lib/new"]):
            done = tool(*FILES, "put", *card, self.dir / names[0], *names[1:])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("/lib/new/tree/deep/x.txt", tool(*FILES, "ls", *card).stdout)
        with self.terminal(*self.images) as t:
            t.expect("main: deep")


class Serial(RunTest):
    def mpremote(self, *words):
        env = dict(os.environ)
        command = [*find_mpremote(env), "connect", str(self.port), *words]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def start(self):
        """The board on a serial port, booted from its card."""
        command = [*RUN, *self.images, "--pty"]
        pipe = subprocess.PIPE
        board = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, errors="replace")
        self.addCleanup(board.communicate)
        self.addCleanup(board.kill)
        self.port = ROOT / board.stdout.readline().split()[6]
        self.wait_for(board, "on SD card")
        time.sleep(0.3)
        return board

    def wait_for(self, board, text):
        for line in iter(board.stdout.readline, ""):
            if text in line:
                return
        self.fail(text)

    def test_push(self):
        """`make push`: the board takes a release over its serial line, once."""
        site = IndexedSite(self.dir / "www")
        new = {**release("0.0.2"), "app/data.bin": bytes(range(256)) * 40}
        site.add("0.0.2", new)
        board = self.start()
        push = ["/usr/bin/python3", ROOT / "tools" / "push.py", "--port", self.port, site.folder]
        done = tool(*push)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("100%", done.stdout)
        self.assertIn("the board is reset to run it", done.stdout)
        self.wait_for(board, "release 0.0.2 is in place")
        self.wait_for(board, "release 0.0.2 runs")
        time.sleep(0.3)
        done = tool(*push)
        self.assertIn("push: nothing to install", done.stdout + done.stderr)
        (site.folder / "versions").write_text("0.0.3;none.tar;" + "0" * 40)
        done = tool(*push)
        self.assertEqual(done.returncode, 1)
        self.assertIn("push: the board refuses: NetworkError: file:///remote/none.tar can't be read", done.stderr)

    def test_mpremote(self):
        """Files go to the card, through a reset; every byte value gets through."""
        command = [*RUN, *self.images, "--pty"]
        pipe = subprocess.PIPE
        board = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, errors="replace")
        try:
            self.port = ROOT / board.stdout.readline().split()[6]
            for line in iter(board.stdout.readline, ""):
                if "on SD card" in line:
                    break
            time.sleep(0.3)
            data = self.dir / "data.bin"
            data.write_bytes(bytes(range(256)) * 8)
            self.mpremote("resume", "fs", "cp", str(data), ":/data.bin")
            self.mpremote("resume", "exec", "import machine; print(sdboot.version())")
            self.mpremote("soft-reset", "fs", "cp", ":/data.bin", str(self.dir / "back.bin"))
            self.assertEqual((self.dir / "back.bin").read_bytes(), data.read_bytes())
            self.assertIn("data.bin", self.mpremote("resume", "fs", "ls", ":/"))
            # The card pulled out with Enter.
            board.stdin.write("\n")
            board.stdin.flush()
            for line in iter(board.stdout.readline, ""):
                if "out of its slot" in line:
                    break
        finally:
            board.terminate()
            board.communicate()
        self.assertIn("/data.bin", tool(*FILES, "ls", *self.images[:2]).stdout)


if __name__ == "__main__":
    unittest.main()
