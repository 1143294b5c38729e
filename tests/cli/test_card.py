# SPDX-License-Identifier: MIT
"""sdboot card: a card in a PC is told what happened to it."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "board"))
import cards  # noqa: E402
from cutting import CUT, CutTest, copy_sparse  # noqa: E402
from rig import ATTEMPT, BOARD, BOOT, HASTY, MIB, MTOOLS, BoardTest, blank, digest, find_fat, fsck, read_sector, run, write_at  # noqa: E402
from trials import TRIAL, TrialTest, both, new  # noqa: E402

TOOL = os.environ.get("SDBOOT_TOOL", ROOT / "build" / "cli" / "sdboot")
FILES = {"main.py": b"print('main runs')\n", "app/.version": b"1.2.3\n", "data.txt": b"old\n" * 1000}


def tool(*arguments, status=0):
    done = subprocess.run([str(a) for a in (TOOL, *arguments)], capture_output=True, text=True)
    out = done.stdout + done.stderr
    if done.returncode != status:
        raise AssertionError("%s: exit code %d\n%s" % (arguments, done.returncode, out))
    return out


def card(command, image, *arguments, status=0):
    """What the command says in JSON; it must have left the card alone unless it repairs."""
    before = digest(image)
    tool("card", command, image, *arguments, status=status)
    if command not in ("repair", "sync"):
        assert digest(image) == before, "%s has changed the card" % command
        return json.loads(tool("card", command, "--json", image, *arguments, status=status))


class Kinds(BoardTest):
    def test_cards_that_are_none_of_ours(self):
        for make, status, word in (
            (lambda c: blank(c, MIB), 0, "formats it"),
            (cards.exfat, 0, "empty exFAT"),
            (cards.ntfs, 1, "NTFS"),
            (cards.garbage, 1, "no known filesystem"),
            (cards.gpt, 1, "GPT"),
            (lambda c: cards.fat(c, 12), 0, "FAT12"),
            (lambda c: cards.fat(c, 16), 0, "FAT16"),
            (lambda c: cards.fat(c, 32, 2048), 0, "from sector 2048"),
        ):
            with self.subTest(word):
                make(self.card)
                for command in ("info", "check"):
                    self.assertIn(word, tool("card", command, self.card, status=status))
                    card(command, self.card, status=status)

    def test_bad_inputs_are_one_line(self):
        blank(self.card, 0)
        (self.dir / "short").write_bytes(b"x" * 511)
        for path, word in (
            (self.card, "no card"),
            (self.dir / "short", "no card"),
            (self.dir, "a folder"),
            ("/dev/null", "neither"),
            (self.dir / "none", "No such file"),
        ):
            for command in ("info", "check", "manifest", "extract", "repair", "sync"):
                with self.subTest(word, command=command):
                    said = tool("card", command, path, status=2)
                    self.assertIn(word, said)
                    self.assertEqual(said.count("\n"), 1, said)
        for arguments in ((), ("info",), ("nonsense", self.card), ("info", self.card, "x"), ("info", "--x")):
            with self.subTest(arguments):
                tool("card", *arguments, status=2)
        self.assertIn("sdboot card extract", tool("card", "--help"))

    def test_a_card_of_100_gb(self):
        """Sparse: nothing is read that need not be."""
        blank(self.card, 100 * 1000**3)
        run("mkfs.fat", "-F", 32, "-s", 64, self.card)
        found = card("check", self.card)
        self.assertEqual(found["fat"]["type"], 32)
        self.assertEqual(found["fault_count"], 0)

    def test_an_image_that_is_cut_short(self):
        cards.fat(self.card, 16)
        os.truncate(self.card, 6 * MIB)
        self.assertIn("longer than the card", tool("card", "check", self.card, status=1))


def loop(image):
    """A loop device of the image; None where there are none."""
    done = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


class Devices(BoardTest):
    def setUp(self):
        super().setUp()
        cards.ext4(self.card, 8 * MIB)
        self.device = loop(self.card) if os.geteuid() == 0 and shutil.which("losetup") else None
        if self.device is None:
            self.skipTest("no loop devices here")
        self.addCleanup(lambda: subprocess.run(["losetup", "-d", self.device], check=True))

    def test_a_device(self):
        self.assertIn("device of 8 MiB", tool("card", "info", self.device, status=1))

    def test_an_image_that_is_in_use_as_a_device(self):
        for command in ("info", "repair"):
            said = tool("card", command, self.card, status=2)
            self.assertIn("in use as " + self.device, said)
            self.assertEqual(said.count("\n"), 1)

    def test_a_device_that_is_mounted(self):
        point = self.dir / "mounted"
        point.mkdir()
        if subprocess.run(["mount", self.device, point], capture_output=True).returncode:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(lambda: subprocess.run(["umount", point], check=True))
        for command in ("info", "check", "repair", "extract", "sync"):
            self.assertIn("it is mounted", tool("card", command, self.device, status=2))


class Story(TrialTest):
    """Everything that may become of a release, told by its card."""

    def info(self, board, status=0):
        card("check", board.card, status=status)
        return tool("card", "info", board.card, status=status), card("info", board.card, status=status)

    @both
    def test_confirmed(self, board):
        said, found = self.info(board)
        self.assertEqual((found["running"], found["previous"], found["record"]["event"]), ("0.0.1", None, "none"))
        board.stage(new("sdboot.confirm()\n"))
        said, found = self.info(board)
        self.assertEqual((found["record"]["state"], found["next"]), ("staged", "0.0.2"))
        self.assertIn("puts release 0.0.2 in place", said)
        board.power(boot=TRIAL)
        said, found = self.info(board)
        self.assertEqual((found["running"], found["previous"]), ("0.0.2", "0.0.1"))
        self.assertIn("0.0.2 ran and was confirmed", said)
        self.assertIn("good       app/code.py", tool("card", "manifest", board.card))
        listed = card("manifest", board.card)["manifest"]
        self.assertEqual(listed["bad"], 0)
        self.assertEqual({f["path"] for f in listed["files"]}, set(new()))

    @both
    def test_taken_back(self, board):
        board.stage(new("import no_such_thing\n"))
        board.power(boot=TRIAL)
        said, found = self.info(board)
        self.assertEqual(found["record"]["state"], "trial")
        self.assertRegex(said, "on trial, [0-9] of [0-9] boots are left")
        for _ in range(4):
            board.power(boot=TRIAL)
        board.put({".sdboot/reason": b"0.0.2\nImportError: no module named 'no_such_thing'\n"})
        said, found = self.info(board, status=1)
        self.assertEqual((found["running"], found["record"]["bad"]), ("0.0.1", "0.0.2"))
        self.assertIn("0.0.2 was taken back: it did not call sdboot.confirm()", said)
        self.assertIn("ImportError", found["record"]["reason"])
        self.assertIn("ImportError", said)

    @both
    def test_damaged_file(self, board):
        board.stage(new("sdboot.confirm()\n", {"app/big.bin": b"marker of the big file" + bytes(9000)}))
        board.power(boot=TRIAL)
        card("check", board.card)
        at = board.find(b"marker of the big file")
        write_at(board.card, at, b"MARKER")
        for command in ("check", "manifest"):
            self.assertIn("/app/big.bin", tool("card", command, board.card, status=1))
            self.assertEqual(card(command, board.card, status=1)["manifest"]["bad"], 1)

    @both
    def test_power_cut_while_a_release_is_put_in_place(self, board):
        """Whatever the cut has left: one whole release, no fault, and it is said what comes next."""
        board.stage(new("sdboot.confirm()\n"))
        staged = board.dir / "staged.img"
        copy_sparse(board.card, staged)
        met = set()
        for cut in (2, 9, 23, 33, 40):
            copy_sparse(staged, board.card)
            self.cut(board, cut)
            said, found = self.info(board)
            self.assertIn((found["running"], found["previous"]), (("0.0.1", None), ("0.0.2", "0.0.1")), said)
            self.assertRegex(said, "next boot  (puts|goes on putting|runs) ")
            met.add(found["record"]["state"])
        self.assertIn("swapping", met)

    def cut(self, board, n):
        """As power() does it, but fsck.fat may be asked only when the journal is in place."""
        flash = board.dir / "flash.img"
        board.make_flash(flash, HASTY + BOOT % TRIAL + ATTEMPT)
        command = [BOARD, "--flash", flash, "--max-resets", "8", "--card", board.card, "--cut", n]
        done = subprocess.run([str(c) for c in command], input=b"", capture_output=True, timeout=60)
        self.assertEqual(done.returncode, CUT)

    @both
    def test_a_version_that_is_none(self, board):
        board.put({"app/.version": b"tomorrow"})
        self.assertIn("no version", self.info(board, status=1)[0])

    @both
    def test_extract(self, board):
        out = board.dir / "rescued"
        tool("card", "extract", board.card, "-o", out)
        found = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        found = {k: v for k, v in found.items() if not k.startswith((".sdboot", "logs/"))}
        files = {k: v for k, v in board.before[0].items() if not k.startswith("logs/")}
        self.assertEqual(found, files)
        self.assertIn("is not replaced", tool("card", "extract", board.card, "-o", out, status=2))
        part = board.dir / "part"
        tool("card", "extract", board.card, "-o", part, "/app/", "main.py")
        self.assertEqual({p.name for p in part.iterdir()}, {"app", "main.py"})
        tool("card", "extract", board.card, "-o", part, "/none", status=2)


class Journal(CutTest):
    CHANGE = """
with sdboot.transaction():
    for name, data in (("b.txt", b"b" * 3000), ("data.txt", b"new\\n" * 1000)):
        with open(name, "wb") as f: f.write(data)
"""

    def committed(self):
        """Boards whose power was cut after the commit point, before its end, with what the next
        boot makes of them."""
        self.fat_card(FILES)
        flash = self.flash("change", job=self.CHANGE)
        status = self.flash("status")
        whole, _, written = self.writes(flash)
        shutil.rmtree(whole.dir)
        for n in range(1, len(written) + 1):
            board = self.twin("at-%d" % n)
            board.start(flash, "--cut", n, statuses=(CUT,))
            probe = board.twin("probe")
            if "finished what a power cut had left" in probe.power_flash(status).out:
                yield board, probe
            shutil.rmtree(board.dir)

    def test_replay_discard_and_foreign(self):
        met = 0
        for board, probe in self.committed():
            met += 1
            said = tool("card", "info", board.card)
            self.assertIn("an interrupted commit waits", said)
            self.assertEqual(card("check", board.card)["journal"]["state"], "pending")
            synced, dropped, foreign = (board.dir / n for n in ("synced", "dropped", "foreign"))
            for copied in (synced, dropped, foreign):
                copy_sparse(board.card, copied)
            before = digest(synced)
            self.assertIn("would do", tool("card", "sync", "-n", synced))
            self.assertEqual(digest(synced), before)
            card("sync", synced)
            self.assertEqual(digest(synced), digest(probe.card))
            self.assertIn("nothing to do", tool("card", "sync", synced))
            # Thrown away: what is left is as the cut has left it, with an empty journal.
            done = subprocess.run([str(TOOL), "card", "repair", "--discard", dropped], capture_output=True)
            self.assertEqual(done.returncode, 0 if fsck(dropped) is None else 1, done.stdout)
            done = subprocess.run([str(TOOL), "card", "info", "--json", dropped], capture_output=True)
            self.assertEqual(json.loads(done.stdout)["journal"]["state"], "empty")
            # A PC has written in between.
            lba = find_fat(foreign)
            (board.dir / "x").write_bytes(b"p" * 5000)
            run("mcopy", "-i", "%s@@%d" % (foreign, lba * 512), board.dir / "x", "::/pc.txt", env=MTOOLS)
            self.assertIn("somebody else", tool("card", "info", foreign, status=1))
        self.assertGreater(met, 2)


class Consistency(BoardTest):
    """Damage of each kind, on FAT16 and FAT32; fsck.fat is asked, too."""

    def fat(self, bits):
        cards.fat(self.card, bits, options=() if bits == 12 else ("-f", 2))
        self.put({"a/first.txt": b"1" * 9000, "a/second.txt": b"2" * 9000, "A rather long name.txt": b"3" * 500})
        boot = read_sector(self.card, 0)
        reserved, fats, entries = struct.unpack_from("<HBH", boot, 14)
        length = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
        self.fat_at, self.length, self.fats, self.width = reserved * 512, length * 512, fats, bits // 8
        self.data = (reserved + fats * length + entries // 16) * 512
        self.cluster = boot[13] * 512
        image = self.card.read_bytes()
        self.entry = {name: image.index(name) for name in (b"FIRST   TXT", b"SECOND  TXT", b"A          \x10")}

    def get(self, cluster):
        raw = read_sector(self.card, 0, 1 << 14)[self.fat_at + cluster * self.width :][: self.width]
        return int.from_bytes(raw, "little")

    def set(self, cluster, value, fats=2):
        for i in range(fats):
            at = self.fat_at + i * self.length + cluster * self.width
            write_at(self.card, at, value.to_bytes(self.width, "little"))

    def first(self, name):
        return struct.unpack_from("<H", self.card.read_bytes(), self.entry[name] + 26)[0]

    def lead(self, name, cluster):
        write_at(self.card, self.entry[name] + 26, struct.pack("<H", cluster & 0xFFFF))
        write_at(self.card, self.entry[name] + 20, struct.pack("<H", cluster >> 16))

    def damages(self):
        one, two = self.first(b"FIRST   TXT"), self.first(b"SECOND  TXT")
        end = (1 << 28 if self.width == 4 else 1 << 16) - 1
        yield "shares cluster", lambda: self.set(one, two)
        yield "a circle", lambda: self.set(self.get(one), one)
        yield "with a free cluster", lambda: self.set(one, 0)
        yield "with a bad cluster", lambda: self.set(one, end - 8)
        yield "with a reserved cluster", lambda: self.set(one, 1)
        yield "clusters for", lambda: self.set(one, end)
        yield "does not have", lambda: self.lead(b"FIRST   TXT", 0xFFF0 if self.width == 2 else 0xFFFFFF0)
        yield "no clusters for them", lambda: self.lead(b"FIRST   TXT", 0)
        yield "nobody has written", lambda: write_at(self.card, self.entry[b"FIRST   TXT"] + 11, b"\xe0")
        yield "leads elsewhere", lambda: write_at(self.card, self.card.read_bytes().index(b"..         \x10") + 26, b"\x77")

    def test_damage(self):
        for bits in (16, 32):
            self.fat(bits)
            sound = self.card.read_bytes()
            card("check", self.card)
            for word, change in self.damages():
                with self.subTest(word, bits=bits):
                    self.card.write_bytes(sound)
                    change()
                    said = tool("card", "check", self.card, status=1)
                    self.assertIn(word, said)
                    self.assertIn("FAT is damaged", said)
                    before = digest(self.card)
                    tool("card", "repair", self.card, status=1)
                    self.assertEqual(digest(self.card), before, "what can't be put right stays")

    def test_what_can_be_put_right(self):
        for bits in (16, 32):
            with self.subTest(bits=bits):
                self.fat(bits)
                end = (1 << 28 if self.width == 4 else 1 << 16) - 1
                sound = self.card.read_bytes()
                for c in range(4000, 4010):
                    self.set(c, end)
                self.set(4020, end, fats=1)
                said = tool("card", "check", self.card)
                self.assertIn("11 clusters are taken and belong to no file", said)
                self.assertIn("second FAT differs", said)
                before = digest(self.card)
                tool("card", "repair", "--dry-run", self.card)
                self.assertEqual(digest(self.card), before)
                self.assertIn("11 lost clusters freed", tool("card", "repair", self.card))
                self.assertIsNone(fsck(self.card))
                self.assertEqual(self.card.read_bytes(), sound)

    def test_first_sectors(self):
        """Erased, or a bit flipped: said, and repaired as the board does it."""
        self.fat_card(FILES)
        sound = self.card.read_bytes()
        lba = find_fat(self.card)
        for at, data in ((0, bytes(4096)), (446 + 8, b"\x77"), (lba * 512 + 13, b"\x03"), (510, b"\0\0")):
            with self.subTest(at=at):
                write_at(self.card, at, data)
                said = tool("card", "info", self.card, status=1)
                self.assertRegex(said, "restores (them|it) from (their copies|its copy)")
                tool("card", "repair", self.card)
                self.assertEqual(self.card.read_bytes(), sound)

    def test_a_partition_table_gone_for_good(self):
        cards.fat(self.card, 16, 2048)
        write_at(self.card, 446, bytes(64))
        self.assertIn("FAT at sector 2048", tool("card", "info", self.card, status=1))


TIRED = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
ssize_t pread64(int fd, void *buf, size_t len, off64_t at) {
    off64_t bad = atoll(getenv("BAD_SECTOR")) * 512;
    if (at < bad + 512 && at + (off64_t)len > bad) {
        errno = EIO;
        return -1;
    }
    ssize_t (*real)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    return real(fd, buf, len, at);
}
"""


class Tired(BoardTest):
    """A card with a sector that can't be read any more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        (cls.folder / "tired.c").write_text(TIRED)
        run("gcc", "-shared", "-fPIC", "-o", cls.folder / "tired.so", cls.folder / "tired.c", "-ldl")

    def ask(self, sector, *arguments):
        env = {**os.environ, "LD_PRELOAD": str(self.folder / "tired.so"), "BAD_SECTOR": str(sector)}
        tool = ROOT / "build" / "cli" / "sdboot"  # not with AddressSanitizer, which wants to be first
        done = subprocess.run([str(a) for a in (tool, "card", *arguments)], env=env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_it_is_said_where(self):
        self.fat_card({**FILES, "app/big.bin": b"marker of a file" + bytes(20000)})
        data = self.card.read_bytes()
        lba = find_fat(self.card)
        file = data.index(b"marker of a file") // 512
        entry = data.index(b"BIG     BIN") // 512
        fat = lba + struct.unpack_from("<H", data, lba * 512 + 14)[0]
        for sector, statuses in ((0, [2]), (lba, [2]), (fat, [1, 2]), (entry, [1]), (file, [1])):
            with self.subTest(sector):
                code, said = self.ask(sector, "check", self.card)
                self.assertIn(code, statuses, said)
                self.assertIn("sector %d" % sector, said)
                self.assertIn("Input/output error", said)
        self.assertIn("/app/big.bin can't be read", said)

    def test_the_rest_is_rescued(self):
        self.fat_card({**FILES, "app/big.bin": b"marker of a file" + b"x" * 20000})
        whole = b"marker of a file" + b"x" * 20000
        file = self.card.read_bytes().index(b"marker of a file") // 512
        for sector in (0, 4, 39):
            out = self.dir / ("rescued-%d" % sector)
            code, said = self.ask(file + sector, "extract", self.card, "-o", out)
            self.assertEqual(code, 1, said)
            self.assertIn("bytes can't be read, zeros are in their place", said)
            self.assertEqual((out / "main.py").read_bytes(), FILES["main.py"])
            want = bytearray(whole)
            end = min(len(whole), sector * 512 + 512)
            want[sector * 512 : end] = bytes(end - sector * 512)
            self.assertEqual((out / "app" / "big.bin").read_bytes(), bytes(want))


if __name__ == "__main__":
    unittest.main()
