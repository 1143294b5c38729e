# SPDX-License-Identifier: MIT
"""A board on the bench: its flash, its card, one power-on after the other.

Every test of this folder is a subclass of BoardTest. After each power-on that has written to it the
FAT of the card, if there is one, must please fsck.fat.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lab import BOARD, PACKAGE, ROOT, flash_image, host, own_folder  # noqa: E402

BUILD = Path(os.environ.get("SDBOOT_WORK", ROOT / "build"))
WORK = BUILD / "test-board" / BOARD.parent.name  # boards may be tested side by side
OPTIONS = os.environ.get("SDBOOT_OPTIONS", "").split()  # of every power-on
# Under QEMU: other processors, and no card above 2 GiB.
EMULATED = BOARD.parents[1].name.startswith("emu")
CARD_TOOL = ROOT / "sim" / "card.py"
FLASH_TOOL = ROOT / "sim" / "flash.py"
MTOOLS = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
MIB = 1 << 20
OURS = re.compile(r"\.sdboot/|[^/]+/\.manifest$")

BOOT = "import sdboot\nsdboot.boot(%s)\n"
# A board that need not wait for its card's supply to settle.
HASTY = "import sdboot.card\nsdboot.card.PAUSE_MS = 0\n"
# Jobs of the tests run in boot.py, after boot(): "=> result" or "=! class errno message".
ATTEMPT = """
def attempt(f, *args, **kwargs):
    try:
        print("=>", f(*args, **kwargs))
    except Exception as e:
        print("=!", type(e).__name__, getattr(e, "errno", None), e)
"""


class Run:
    """What a power-on gave: `out`, exit `status`, `stats` (a dict of counters), and of the jobs
    `results` and `errors` in their order."""

    def __init__(self, done, stats):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="replace").replace("\r\n", "\n")
        self.err = done.stderr.decode(errors="replace")
        self.stats = stats
        self.results = re.findall(r"^=> (.*)$", self.out, re.M)
        self.errors = re.findall(r"^=! (.*)$", self.out, re.M)


def run(*command, **kwargs):
    """Runs a tool that must succeed; returns its output."""
    done = subprocess.run(
        [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs
    )
    if done.returncode:
        raise RuntimeError("%s: %s" % (command, done.stdout.decode(errors="replace")))
    return done.stdout.decode(errors="replace")


def blank(image, size, fill=b"\0"):
    with open(image, "wb") as f:
        if fill == b"\0":
            f.truncate(size)
        else:
            f.write(fill * size)


def digest(image):
    """Stands for every byte of a file. Holes are not read."""
    sha = hashlib.sha1(b"%d" % os.path.getsize(image))
    for start, data in extents(image):
        for i in range(0, len(data), 4096):
            page = data[i : i + 4096]
            if page.strip(b"\0"):
                sha.update(b"%d" % (start + i) + page)
    return sha.hexdigest()


def spans(f):
    """(offset, end) of the parts of an open sparse file that are no holes."""
    at, end = 0, os.fstat(f.fileno()).st_size
    while at < end:
        try:
            start = os.lseek(f.fileno(), at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(f.fileno(), start, os.SEEK_HOLE)
        yield start, at


def extents(image):
    """(offset, bytes) of the parts of a sparse file that are no holes."""
    with open(image, "rb") as f:
        for start, end in spans(f):
            f.seek(start)
            yield start, f.read(end - start)


def copy_sparse(source, target, offset=0):
    """Copies a sparse file from `offset` on; the bytes don't pass through here, which takes long."""
    with open(source, "rb") as f, open(target, "wb") as out:
        out.truncate(os.path.getsize(source) - offset)
        for start, end in spans(f):
            start = max(start, offset)
            while start < end:
                start += os.copy_file_range(
                    f.fileno(), out.fileno(), end - start, start, start - offset
                )


def read_sector(image, lba, count=1):
    with open(image, "rb") as f:
        f.seek(lba * 512)
        return f.read(count * 512)


def write_at(image, offset, data):
    with open(image, "r+b") as f:
        f.seek(offset)
        f.write(data)


def find_fat(image):
    """First sector of the FAT volume that FatFs would mount, or None."""

    def is_fat(b):
        return b[510:] == b"\x55\xaa" and (b[54:57] == b"FAT" or b[82:87] == b"FAT32")

    first = read_sector(image, 0)
    if len(first) < 512 or first[510:] != b"\x55\xaa":
        return None
    if is_fat(first):
        return 0
    for i in range(446, 510, 16):
        lba = int.from_bytes(first[i + 8 : i + 12], "little")
        if first[i + 4] and is_fat(read_sector(image, lba).ljust(512)):
            return lba
    return None


def fsck(image):
    """What fsck.fat says of the FAT on the card beyond its usual two lines; None if it is clean."""
    lba = find_fat(image)
    if lba is None:
        return None
    volume = str(image) + ".fat"
    copy_sparse(image, volume, lba * 512)
    done = subprocess.run(["fsck.fat", "-n", volume], capture_output=True, text=True)
    os.remove(volume)
    lines = done.stdout.splitlines()
    usual = len(lines) == 2 and lines[0].startswith("fsck.fat ") and " files, " in lines[1]
    return None if done.returncode == 0 and usual else done.stdout + done.stderr


class BoardTest(unittest.TestCase):
    """`self.card` is the card's image (None: the slot is empty), `self.dir` a folder of its own."""

    def setUp(self):
        self.dir = own_folder(self, WORK)
        self.card = self.dir / "card.img"

    # ---- power ----------------------------------------------------------------------------------

    def power(self, *options, boot="", job="", typed="", before=HASTY, repl=True, status=0):
        """One power-on with boot(`boot`) and then `job` in boot.py, `typed` at the REPL."""
        flash = self.dir / "flash.img"
        self.make_flash(flash, before + BOOT % boot + ATTEMPT + job)
        return self.power_flash(flash, *options, typed=typed, repl=repl, status=status)

    def make_flash(self, flash, boot_py):
        base = WORK / ("flash-%08x.img" % zlib.crc32(bytes(PACKAGE)))
        source = self.dir / "boot.py"
        source.write_text(boot_py)
        made_once(base, newest(PACKAGE), lambda new: flash_image(new, source))
        shutil.copy(base, flash)
        host(FLASH_TOOL, "put", flash, "%s:/boot.py" % source)

    def power_flash(self, flash, *options, typed="", repl=True, status=0):
        stats = self.dir / "stats"
        command = [BOARD, "--flash", flash, "--stats", stats, "--max-resets", "8", *OPTIONS]
        if self.card is not None:
            command += ["--card", self.card]
            before = os.stat(self.card).st_mtime_ns
        done = subprocess.run(
            [str(c) for c in (*command, *options)],
            input=typed.encode(),
            capture_output=True,
            timeout=60,
        )
        words = [line.split() for line in stats.read_text().splitlines()]
        result = Run(done, {w[0]: int(w[1]) for w in words if len(w) == 2 and w[1].isdigit()})
        self.assertEqual(result.status, status, result.out + result.err)
        if repl:
            self.assertIn("\n>>> ", result.out)
        if self.card is not None and os.stat(self.card).st_mtime_ns != before:
            self.assertIsNone(fsck(self.card))
        return result

    def ota(self, url, *arguments, method="install_update_if_available()", job="", options=()):
        """A power-on that calls OTA(url, *arguments).method, each argument as source text."""
        call = ", ".join((repr(url), *arguments))
        text = "attempt(lambda: sdboot.OTA(%s).%s)\n" % (call, method)
        return self.power(*options, job=text + job)

    # ---- cards ----------------------------------------------------------------------------------

    def blank_card(self, size=8 * MIB, fill=b"\0"):
        blank(self.card, size, fill)

    def fat_card(self, files=(), size=8 * MIB):
        """A card formatted by sdboot, with `files` (path: bytes) on it."""
        self.blank_card(size)
        self.power()
        if files:
            self.put(dict(files))

    def littlefs_card(self, files=(), size="8M"):
        tree = self.write_tree(dict(files))
        host(CARD_TOOL, "make", self.card, "--size", size, tree)

    def write_tree(self, files, name="tree"):
        tree = self.dir / name
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        write_tree(tree, files)
        return tree

    def put(self, files):
        """Puts `files` on the card as a PC does."""
        tree = self.write_tree(files)
        lba = find_fat(self.card)
        if lba is None:
            host(CARD_TOOL, "put", self.card, tree)
            return
        image = "%s@@%d" % (self.card, lba * 512)
        run("mcopy", "-s", "-o", "-i", image, *sorted(tree.iterdir()), "::/", env=MTOOLS)

    def files(self, ours=False):
        """Every file on the card, read by a PC: {path: bytes}; sdboot's own only if `ours`."""
        out = self.dir / "out"
        shutil.rmtree(out, ignore_errors=True)
        lba = find_fat(self.card)
        if lba is None:
            host(CARD_TOOL, "get", self.card, "/", out)
        else:
            out.mkdir()
            image = "%s@@%d" % (self.card, lba * 512)
            run("mcopy", "-s", "-n", "-m", "-i", image, "::/", str(out) + "/", env=MTOOLS)
        found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        if not ours:
            found = {k: v for k, v in found.items() if not OURS.match(k)}
        return found

    def folders(self):
        """Directories that files() has found."""
        out = self.dir / "out"
        return {str(p.relative_to(out)) for p in out.rglob("*") if p.is_dir()}

    def assertFiles(self, expected):
        found = self.files()
        self.assertEqual(sorted(found), sorted(expected))
        for name in expected:
            self.assertEqual(found[name], expected[name], name)

    def assertUntouched(self, before):
        self.assertEqual(digest(self.card), before, "the card has changed")


def made_once(path, newest, make):
    """make(a new path) makes the file `path`, unless there is one younger than `newest`. Tests beside this
    one and threads of it may be about to, too: none of them sees half a file."""
    if not path.exists() or path.stat().st_mtime < newest:
        new = path.with_name("%s.%d.%d" % (path.name, os.getpid(), threading.get_ident()))
        make(new)
        new.rename(path)


def newest(folder):
    return max(p.stat().st_mtime for p in folder.rglob("*"))


def write_tree(tree, files):
    for name, data in files.items():
        path = Path(tree) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
