# SPDX-License-Identifier: MIT
"""Releases packed by every tar there is, installed and swapped in, compared byte for byte."""

import hashlib
import tarfile
import unittest

from rig import MIB, BoardTest, run
from web import PythonServer, Site, package, release


def data(name, size):
    return (hashlib.sha512(name.encode()).digest() * (size // 64 + 1))[:size]


def long_path(folder, length):
    parts = [folder] + ["%d-" % i + "directory" * 4 for i in range(20)]
    path = "/".join(parts)[: length - 9].rstrip("/-0123456789")
    return path + "/" + "f" * (length - len(path) - 1)


OLD = {
    **release("0.0.1"),
    "app/gone.py": b"was here",
    "app/lib/gone too.py": b"and here",
    "lib/same.py": data("same", 5000),
    "lib/same size.py": data("old", 3000),
    "lib/changed.py": b"old",
    "lib/not in the release.py": b"stays",
    "settings.json": b"{}",
    "empty before": b"",
    "empty now": b"not empty",
}
NEW = {
    **release("0.0.2"),
    "app/empty.py": b"",
    "app/one byte.bin": b"1",
    "app/block.bin": data("block", 512),
    "app/Mixed Case and blanks (1).txt": b"x" * 513,
    "app/lib/deep/deeper/module.py": data("module", 4097),
    "app/big.bin": data("big", 150000),
    "lib/same.py": OLD["lib/same.py"],
    "lib/same size.py": data("old", 2999) + b"!",
    "lib/changed.py": b"new and longer",
    "lib/new.py": b"new",
    "new dir/sub/new.bin": data("new", 70000),
    "empty before": b"now with content",
    "empty now": b"",
    "empty new": b"",
}
LONG = {long_path("app", 300): b"long", long_path("lib", 300): b"long too"}
USTAR = {long_path("app", 200): b"long", long_path("lib", 200): b"long too"}


def after(old, new):
    """What is on the card after the swap of `new` for `old`."""
    keep = {k: v for k, v in old.items() if not k.startswith(("app/", "prev/"))}
    prev = {"prev" + k[3:]: v for k, v in old.items() if k.startswith("app/")}
    return {**keep, **prev, **new}  # `old` has nothing but code in app/: no file goes along


class Installed(BoardTest):
    def setUp(self):
        super().setUp()
        self.site = Site(self.dir / "www")
        self.url = self.enterContext(PythonServer(self.site.folder))

    def stage(self, version, tar):
        self.site.add(version, tar)
        r = self.ota(self.url)
        self.assertEqual(r.results, ["True"], r.out)
        return r

    def swap(self, version):
        r = self.power()
        self.assertIn("sdboot: release %s is in place\n" % version, r.out)
        self.assertIn("sdboot: %s on SD card" % version, r.out)
        self.assertIn("release %s runs" % version, r.out)
        return r

    def update(self, old, new, tar, version="0.0.2"):
        """Installs `tar`, looks at the card before the swap and after it."""
        self.stage(version, tar)
        staged = self.files(ours=True)
        self.assertEqual({k: v for k, v in staged.items() if k in old}, dict(old))
        kept = {k for k in new if not k.startswith("app/") and old.get(k) == new[k]}
        changed = {k for k in new if not k.startswith("app/")} - kept
        self.assertEqual(
            {k[12:] for k in staged if k.startswith(".sdboot/new/")}, changed, "outside app/"
        )
        self.swap(version)
        self.assertFiles(after(old, new))
        replaced = {".sdboot/old/" + k for k in changed if k in old}
        ours = self.files(ours=True)
        self.assertLessEqual(replaced, set(ours))
        for name in replaced:
            self.assertEqual(ours[name], old[name[12:]])
        self.assertFalse(self.folders() & {"next", ".sdboot/new"}, "left over")

    def pack(self, tool, files, names=None):
        tree = self.write_tree(files, "release")
        out = self.dir / "package.tar"
        names = names or sorted(p.name for p in tree.iterdir())
        run(*tool, "-cf", out, "-C", tree, *names)
        return out.read_bytes()

    def tool(self, command, files, names=None, card=None):
        (card or self.fat_card)(OLD)
        self.site.lines = []
        self.update(OLD, files, self.pack(command, files, names))

    def test_gnu_tar(self):
        for format in ("gnu", "oldgnu", "pax"):
            with self.subTest(format):
                self.tool(["tar", "--format=" + format], {**NEW, **LONG})

    def test_gnu_tar_ustar(self):
        self.tool(["tar", "--format=ustar"], {**NEW, **USTAR})

    def test_gnu_tar_v7(self):
        self.tool(["tar", "--format=v7"], NEW)

    def test_gnu_tar_dot(self):
        self.tool(["tar"], {**NEW, **LONG}, (".",))

    def test_bsdtar(self):
        for format in ("pax", "gnutar"):
            with self.subTest(format):
                self.tool(["bsdtar", "--format=" + format], {**NEW, **LONG})

    def test_bsdtar_ustar(self):
        self.tool(["bsdtar", "--format=ustar"], {**NEW, **USTAR})

    def test_bsdtar_dot(self):
        self.tool(["bsdtar"], {**NEW, **LONG}, (".",))

    def test_busybox(self):
        self.tool(["busybox", "tar"], {**NEW, **LONG})

    def test_busybox_dot(self):
        self.tool(["busybox", "tar"], {**NEW, **LONG}, (".",))

    def test_tarfile(self):
        for format, more in (
            (tarfile.GNU_FORMAT, LONG),
            (tarfile.PAX_FORMAT, LONG),
            (tarfile.USTAR_FORMAT, USTAR),
        ):
            with self.subTest(format=format):
                self.fat_card(OLD)
                files = {**NEW, **more}
                self.update(OLD, files, package(files, format=format))

    def test_names_beyond_ascii(self):
        # MicroPython's FatFs keeps a name's bytes as characters of code page 437: what a PC shows
        # is another name, so the board itself is asked.
        names = {"app/Zähler.py": b"1", "lib/Ωmega.txt": b"2"}
        look = "\n".join("print('=>', open('/%s').read())" % name for name in names)
        for format in ("gnu", "pax"):
            with self.subTest(format):
                self.site.lines = []
                tar = self.pack(["tar", "--format=" + format], {**NEW, **names})
                self.fat_card(OLD)
                self.stage("0.0.2", tar)
                self.assertEqual(self.power(job=look).results, ["1", "2"])
                self.littlefs_card(OLD)
                self.update(OLD, {**NEW, **names}, tar)

    def test_names_of_a_pc_beyond_ascii(self):
        # They can't be opened by name, but must not be in the way. Those in app/ go along; FatFs
        # knows one that is beyond its code page by its short name, which it keeps then.
        old = {**OLD, "data/Ä/ß.txt": b"3"}
        made = {"app/Zähler.txt": b"1", "app/Ωmega/日本語.txt": b"2"}
        self.fat_card({**old, **made})
        made["app/Ωmega/___.TXT"] = made.pop("app/Ωmega/日本語.txt")
        for version in ("0.0.2", "0.0.3", "0.0.4"):
            new = release(version)
            self.stage(version, package(new))
            self.swap(version)
            old = after(old, new)
            self.assertFiles({**old, **made})

    def test_littlefs(self):
        for tool in (["tar"], ["bsdtar"], ["busybox", "tar"]):
            with self.subTest(tool):
                self.tool(tool, {**NEW, **LONG}, card=self.littlefs_card)

    def test_without_app_before(self):
        """A card of the original without app/.version, or with no app/ at all."""
        for old in ({"main.py": b"old"}, {"app/code.py": b"", "main.py": b"old"}):
            self.fat_card(old)
            self.update(old, NEW, package(NEW))

    def test_of_macos(self):
        """Its tar has AppleDouble files in front of the others, its zip a folder __MACOSX."""
        double = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(139)
        litter = ("._.", "._app", "app/._.version", "app/._code.py", "app/.DS_Store", "._boot.py")
        for card in (self.fat_card, self.littlefs_card):
            with self.subTest(card=card):
                files = {}
                for name, content in {**dict.fromkeys(litter, double), **NEW}.items():
                    files["./" + name] = content
                files["__MACOSX/app/._code.py"] = files["__MACOSX/.DS_Store"] = double
                card(OLD)
                self.site.lines = []
                self.site.add("0.0.2", package(files))
                r = self.ota(self.url, "quiet=False")
                self.assertEqual(r.results, ["True"], r.out)
                self.assertIn("0_0_2-firmware.tar: 8 files of macOS are skipped", r.out)
                self.swap("0.0.2")
                self.assertFiles(after(OLD, NEW))

    def test_boot_py_and_manifest(self):
        """The original's own compile.sh packs boot.py; app/ of a card has a manifest in it."""
        for name in ("boot.py", "Boot.PY"):
            with self.subTest(name):
                self.fat_card({**OLD, "boot.py": b"of the card"})
                self.site.lines = []
                self.site.add("0.0.2", package({**NEW, name: b"evil", "app/.manifest": b"old"}))
                r = self.ota(self.url, "quiet=False")
                self.assertEqual(r.results, ["True"], r.out)
                self.assertIn("boot.py is skipped, it belongs on the internal flash", r.out)
                self.swap("0.0.2")
                self.assertFiles(after({**OLD, "boot.py": b"of the card"}, NEW))

    def test_without_version_file(self):
        new = {k: v for k, v in NEW.items() if k != "app/.version"}
        self.fat_card(OLD)
        self.stage("0.0.2", package(new))
        self.swap("0.0.2")
        self.assertEqual(self.files()["app/.version"], b"0.0.2")

    def test_version_file_with_line_end(self):
        for text in (b"0.0.2\n", b"0.0.2\r\n", b" 0.0.2 "):
            self.fat_card(OLD)
            self.update(OLD, {**NEW, "app/.version": text}, package({**NEW, "app/.version": text}))

    def test_only_app(self):
        new = {k: v for k, v in NEW.items() if k.startswith("app/")}
        self.fat_card(OLD)
        self.update(OLD, new, package(new))

    def test_unchanged_files_outside_are_not_written(self):
        old = {**OLD, "lib/model.bin": data("model", 2 * MIB)}
        new = {**release("0.0.2"), "lib/model.bin": old["lib/model.bin"]}
        self.fat_card(old, 16 * MIB)
        r = self.stage("0.0.2", package(new))
        self.assertLess(r.stats["card_write_sectors"], 200)
        self.assertNotIn(".sdboot/new/lib/model.bin", self.files(ours=True))
        self.swap("0.0.2")
        self.assertFiles(after(old, new))

    def test_one_after_the_other(self):
        for card in (self.fat_card, self.littlefs_card):
            with self.subTest(card=card):
                self.site.lines = []
                files = dict(OLD)
                card(files)
                for i in range(2, 7):
                    version = "0.0.%d" % i
                    new = {**release(version), "lib/v%d.py" % i: b"new"}
                    new["lib/changed.py"] = b"%d" % i
                    new["app/only%d.bin" % i] = data(version, 20000)
                    self.stage(version, package(new))
                    self.swap(version)
                    files = after(files, new)
                    self.assertFiles(files)

    def test_staged_twice(self):
        """A newer release takes the place of one that was staged and never run."""
        self.fat_card(OLD)
        self.stage("0.0.2", package({**NEW, "lib/only in 2.py": b"2"}))
        new = release("0.0.3")
        self.site.add("0.0.3", package(new))
        # The staged one is not swapped in by a board that stays in its REPL.
        r = self.ota(self.url, options=("--pin", "18=0"))
        self.assertEqual(r.results, ["True"])
        self.swap("0.0.3")
        self.assertFiles(after(OLD, new))

    def test_pin_low_does_not_swap(self):
        self.fat_card(OLD)
        self.stage("0.0.2", package(NEW))
        r = self.power("--pin", "18=0", job="print('=>', sdboot.status()['state'])")
        self.assertEqual(r.results, ["staged"])
        self.assertEqual(r.stats["card_write_sectors"], 0)
        self.swap("0.0.2")
        self.assertFiles(after(OLD, NEW))

    def many(self, names, card):
        new = {**release("0.0.2"), **{n: n.encode() for n in names}}
        card(OLD)
        self.stage("0.0.2", package(new))
        self.swap("0.0.2")
        self.assertFiles(after(OLD, new))

    def test_2000_files(self):
        names = ["app/d%02d/file number %d.py" % (i % 40, i) for i in range(2000)]
        self.many(names, lambda files: self.fat_card(files, 64 * MIB))

    def test_2000_files_in_one_directory(self):
        names = ["app/module%04d.py" % i for i in range(2000)]
        self.many(names, lambda files: self.fat_card(files, 64 * MIB))

    def test_2000_files_littlefs(self):
        names = ["app/d%02d/file number %d.py" % (i % 40, i) for i in range(2000)]
        self.many(names, lambda files: self.littlefs_card(files, "64M"))

    def test_many_files_outside(self):
        names = ["assets/d%02d/picture %d" % (i % 10, i) for i in range(300)]
        self.many(names, lambda files: self.fat_card(files, 64 * MIB))


if __name__ == "__main__":
    unittest.main()
