# SPDX-License-Identifier: MIT
"""Every command and every piece of Python in the documentation is run, or says why not; links lead
somewhere; what is called a target of make is one."""

import os
import re
import shutil
import socket
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests" / "board")]
from blocks import KINDS, blocks, looks_like_commands  # noqa: E402
from rig import BoardTest, find_fat  # noqa: E402
from web import PythonServer, Site, package, release  # noqa: E402

PAGES = sorted(
    p
    for folder in ("", "docs", "core", "sim", "emu", "examples", "examples/*")
    for p in ROOT.glob(folder + "/*.md" if folder else "*.md")
)
SERVER = "http://192.168.1.10/releases"  # what the pages call the server of releases
BOOT = "import sdboot\nsdboot.boot()\n"
DIGITS = re.compile(r"\d+")


def targets():
    """Everything that `make NAME` may say."""
    text = (ROOT / "Makefile").read_text()
    names = set()
    for line in text.split("\n"):
        if re.match(r"[a-z][a-z0-9 _-]*:(?!=)", line):
            names.update(line.split(":")[0].split())
    return names


def make_names(line):
    """Targets of a line `make ...`."""
    words = line.split("#")[0].split()
    names = []
    skip = False
    for word in words[1:]:
        if skip or word in ("-C",):
            skip = not skip
        elif re.fullmatch(r"[a-z][a-z0-9-]*", word):
            names.append(word)
        elif word in ("&&", "|", ";"):
            break
    return [] if "-C" in words else names


class Pages(unittest.TestCase):
    def test_links(self):
        """A link within the repository leads to a file, and to a heading if it names one."""
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, heading = target.partition("#")
                path = (page.parent / name).resolve() if name else page
                with self.subTest(page=page.name, link=target):
                    self.assertTrue(path.exists(), "no such file")
                    if heading:
                        text = path.read_text()
                        titles = re.findall(r"^#+ (.*)", text, re.M)
                        slugs = [re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles]
                        self.assertIn(heading, slugs)

    def test_targets(self):
        known = targets()
        for page in PAGES:
            for code in re.findall(r"`(make [^`]*)`", page.read_text()):
                for name in make_names(code):
                    with self.subTest(page=page.name, code=code):
                        self.assertIn(name, known)

    def test_picture(self):
        """docs/demo.svg is what the demo prints."""
        done = subprocess.run(
            ["/usr/bin/python3", ROOT / "tools" / "picture.py", "--check"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_every_command_has_a_mark(self):
        for page in PAGES:
            for block in blocks(page.read_text()):
                with self.subTest("%s:%d" % (page.name, block.line)):
                    if block.kind:
                        self.assertIn(block.kind, KINDS)
                        if block.kind == "skip":
                            self.assertTrue(block.words, "say why")
                    else:
                        self.assertFalse(
                            looks_like_commands(block.text),
                            "these look like commands, see tests/docs/blocks.py:\n" + block.text,
                        )


class Commands(BoardTest):
    """One test a page, added below."""

    def run_page(self, page):
        self.make_scratch()
        self.said = ""
        self.boot_py = BOOT
        self.blank_card(64 << 20)
        site = Site(self.dir / "server")
        site.add("9.0.0", package(release("9.0.0")))
        with PythonServer(site.folder) as self.url:
            for block in blocks(page.read_text()):
                run = getattr(self, "run_" + block.kind, None)
                if run is not None:
                    with self.subTest("%s:%d" % (page.name, block.line)):
                        run(block)

    def make_scratch(self):
        self.scratch = self.dir / "scratch"
        (self.scratch / "bin").mkdir(parents=True)
        for name in ("build", "tools", "examples", "sim", "micropython", "stubs"):
            (self.scratch / name).symlink_to(ROOT / name)
        # What the pages take for granted: the application that is to be released.
        for folder in (self.scratch, self.scratch / "src"):
            shutil.copytree(ROOT / "examples" / "app", folder, dirs_exist_ok=True)
        make = self.scratch / "bin" / "make"
        make.write_text('#!/bin/sh\nexec /usr/bin/make --no-print-directory -C %s "$@"\n' % ROOT)
        make.chmod(0o755)

    def run_sh(self, block):
        env = {**os.environ, "PATH": "%s/bin:%s" % (self.scratch, os.environ["PATH"])}
        text = block.text.replace(SERVER, self.url)
        # What one block exports is there in the next.
        text = "[ ! -f .env ] || . ./.env\n%s\nexport -p >.env\n" % text
        done = subprocess.run(
            ["/bin/bash", "-e", "-u", "-c", text],
            cwd=self.scratch,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        self.assertEqual(done.returncode, 0, "%s\n%s" % (block.text, done.stdout))
        self.said += done.stdout

    def run_make(self, block):
        known = targets()
        for line in block.text.split("\n"):
            if line.startswith("make "):
                for name in make_names(line):
                    self.assertIn(name, known)

    def run_file(self, block):
        path = self.scratch / block.words
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    def run_boot(self, block):
        self.boot_py = block.text

    def run_board(self, block, *options, status=0):
        flash = self.dir / "flash.img"
        self.make_flash(flash, self.boot_py)
        if find_fat(self.card) is None:
            self.power_flash(flash)  # formats the card
        text = "%s\n%s\nprint('=> end')\n" % (block.words, block.text)
        if SERVER in text and not status:
            self.run_without_server(flash, text)
        self.put({"main.py": text.replace(SERVER, self.url)})
        done = self.power_flash(flash, *options, repl=not status, status=status)
        self.assertNotIn("Traceback", done.out)
        if not status:  # at its end, or it was an update
            self.assertRegex(done.out, "=> end|release 9.0.0 runs")
        self.said += done.out

    def run_without_server(self, flash, text):
        """What is offered for copying goes on to its end whatever the network is like."""
        for url in (
            "http://127.0.0.1:1/releases",  # nobody is there
            "http://no.such.host.invalid/releases",  # no network, no name
            self.url + "/no/such/folder",  # 404
            "http://127.0.0.1:%d/releases" % self.silent(),  # nothing comes
        ):
            if "timeout" not in text:  # 10 seconds are long here
                text = re.sub(r'(?<="%s")(?=[,)])' % SERVER, ", timeout=1", text)
            self.put({"main.py": text.replace(SERVER, url)})
            done = self.power_flash(flash)
            self.assertNotIn("Traceback", done.out)
            self.assertIn("=> end", done.out, url)

    def silent(self):
        """The port of a server that takes connections and says nothing."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        return server.getsockname()[1]

    def run_forever(self, block):
        self.run_board(block, "--max-resets", "4", status=76)

    def run_output(self, block):
        said = [DIGITS.sub("0", line.strip()) for line in self.said.replace("\r", "\n").split("\n")]
        at = 0
        for line in block.text.split("\n"):
            wanted = DIGITS.sub("0", line.strip())
            if wanted in ("", "..."):
                continue
            self.assertIn(wanted, said[at:], "this was not printed here:\n" + self.said)
            at = said.index(wanted, at) + 1


def add(page):
    name = "test_" + re.sub(r"\W", "_", str(page.relative_to(ROOT))[:-3])
    setattr(Commands, name, lambda self: self.run_page(page))


for page in PAGES:
    if any(block.kind for block in blocks(page.read_text())):
        add(page)


if __name__ == "__main__":
    unittest.main()
