# SPDX-License-Identifier: MIT
# Runs the simulated board for tests: a flash image from the files given, one power-on, its output.
import os
import pty
import select
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOARD = os.environ.get("BOARD", os.path.join(ROOT, "build/sim/board"))
FLASH_TOOL = os.path.join(ROOT, "sim/flash.py")


def host(script, *args):
    return subprocess.run(
        [BOARD, "--host", script, *args], capture_output=True, text=True, timeout=30
    )


class Result:
    def __init__(self, status, out, err, stats):
        self.status = status
        self.out = out.replace("\r\n", "\n")
        self.err = err
        self.stats = stats


class Bench:
    # A directory with a flash image and, if asked for, a card.
    def __init__(self, files=None):
        self.dir = tempfile.TemporaryDirectory(prefix="board-")
        self.flash = self.path("flash.img")
        self.card = None
        if files is None:
            open(self.flash, "w").close()
        else:
            self.set_files(files)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def set_files(self, files):
        args = []
        for name, text in files.items():
            source = self.path(name.replace("/", "_"))
            with open(source, "w") as f:
                f.write(text)
            args.append(source + ":/" + name)
        done = host(FLASH_TOOL, "make", self.flash, *args)
        assert done.returncode == 0, done.stdout + done.stderr

    def make_card(self, content):
        self.card = self.path("card.img")
        with open(self.card, "wb") as f:
            f.write(content)

    def command(self, *options):
        stats = self.path("stats")
        command = [BOARD, "--flash", self.flash, "--stats", stats]
        if self.card:
            command += ["--card", self.card]
        return command + [str(option) for option in options]

    def read_stats(self):
        try:
            with open(self.path("stats")) as f:
                lines = [line.split(None, 1) for line in f.read().splitlines()]
        except FileNotFoundError:
            return {}
        return {w[0]: int(w[1]) if w[0] != "pins_shared" else w[1:] for w in lines if w}

    def run(self, *options, stdin="", timeout=10):
        done = subprocess.run(
            self.command(*options),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Result(done.returncode, done.stdout, done.stderr, self.read_stats())

    def terminal(self, *options):
        return Terminal(self.command(*options))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.dir.cleanup()


class Terminal:
    # A board on a terminal, as somebody sits before it.
    def __init__(self, command):
        self.fd, side = pty.openpty()
        self.process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side)
        os.close(side)
        self.seen = ""

    def send(self, text):
        os.write(self.fd, text.encode())

    # Reads until `text` has come; returns what came up to its end.
    def expect(self, text, timeout=5):
        end = time.monotonic() + timeout
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError("no %r in %r" % (text, self.seen))
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            if not data:
                raise AssertionError("board gone, no %r in %r" % (text, self.seen))
            self.seen += data.decode(errors="replace")
        head, self.seen = self.seen.split(text, 1)
        return head + text

    def wait(self):
        return self.process.wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
