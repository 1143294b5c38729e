# SPDX-License-Identifier: MIT
"""Packages that must not be installed: each with its message, the card as it was."""

import gzip
import tarfile
import unittest

from rig import BoardTest, run
from web import PythonServer, Site, member, package, release

OLD = {**release("0.0.1"), "settings.json": b"{}", "lib/x.py": b"x", "data/a/b": b"b"}
GOOD = release("0.0.2")


class Refused(BoardTest):
    def setUp(self):
        super().setUp()
        self.recovers = 2
        self.site = Site(self.dir / "www")
        self.url = self.enterContext(PythonServer(self.site.folder))

    def refuses(self, tar, *say, sha1=None, cards=("fat", "littlefs")):
        """`tar` is refused with every text of `say`, then a good release is installed."""
        for card in cards:
            with self.subTest(card=card):
                getattr(self, card + "_card")(OLD)
                self.site.lines = []
                self.site.add("0.0.2", tar, sha1=sha1)
                r = self.ota(self.url)
                self.assertEqual(len(r.errors), 1, r.out)
                self.assertRegex(r.errors[0], "^PackageError (1[89]|2[0-9])[0-9] ")
                for text in ("0_0_2-firmware.tar", *say):
                    self.assertIn(text, r.errors[0])
                self.assertIn("release 0.0.1 runs", r.out)
                self.assertFiles(OLD)
                self.assertFalse(self.folders() & {"next", ".sdboot/new"}, "left over")
                if not self.recovers:
                    continue
                # The next call works: looked at once a test and card.
                self.recovers -= 1
                self.site.lines = []
                self.site.add("0.0.3", package(release("0.0.3")))
                self.assertEqual(self.ota(self.url).results, ["True"])
                self.assertIn("release 0.0.3 runs", self.power().out)

    def path(self, name, *say, kind=tarfile.REGTYPE):
        data = b"bad" if kind == tarfile.REGTYPE else b""
        self.refuses(package(GOOD, member(name, data, kind)), *say)

    def test_absolute(self):
        self.path("/main.py", "absolute path")
        self.path("//app/x", "absolute path")

    def test_parent(self):
        for name in ("../x", "app/../../x", "app/..", "lib/../boot.py"):
            self.path(name, name, "path with '..'")
        self.path("./../x", "path with '..'")

    def test_characters(self):
        for name in ("app\\x", "C:x", "app/a:b", "app/a*", "app/a?", 'app/"', "app/<", "app/a|b"):
            self.path(name, "that FAT can't hold")
        for name in ("app/\x01", "app/\x7f", "app/a.", "app/a ", "app/b./c"):
            self.path(name, "that FAT can't hold")

    def test_names_are_shown_harmless(self):
        self.path("app/a\nb\x1b[2J", "app/a\\nb\\x1b[2J: package: name that is not UTF-8")
        self.path("prev/Z\udce4hler", "prev/Z\\xe4hler: package: name that is not UTF-8")
        self.path("prev/Zähler", "prev/Z\\xe4hler: package: writes to a name")

    def test_types(self):
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            bad = member("app/link", kind=kind, linkname="main.py")
            self.refuses(package(GOOD, bad), "app/link", "link, device or sparse file")
        for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"S", b"V"):
            self.path("app/odd", "app/odd", "link, device or sparse file", kind=kind)

    def test_hard_link_of_gnu_tar(self):
        # What tar itself makes of two names of one file.
        tree = self.write_tree(GOOD, "release")
        (tree / "app" / "twin.py").hardlink_to(tree / "app" / "code.py")
        run("tar", "-C", tree, "-cf", self.dir / "x.tar", "app", "main.py")
        self.refuses((self.dir / "x.tar").read_bytes(), "link, device or sparse file")

    def test_checksum(self):
        tar = bytearray(package(GOOD))
        tar[1024 + 100] ^= 1  # mode of the second member
        self.refuses(bytes(tar), "damaged, header checksum is wrong")

    def test_checksum_of_the_first_header(self):
        tar = bytearray(package(GOOD))
        tar[100] ^= 1
        self.refuses(bytes(tar), "damaged, header checksum is wrong")

    def test_duplicates(self):
        self.path("app/code.py", "app/code.py", "same name twice")
        self.path("./app//code.py", "same name twice")
        self.path("main.py", "main.py", "same name twice")

    def test_case_collisions(self):
        self.path("app/Code.py", "app/Code.py", "differing in case only")
        self.path("MAIN.PY", "differing in case only")
        files = {**GOOD, "app/Lib/a.py": b"1", "app/lib/b.py": b"2"}
        self.refuses(package(files), "app/lib", "differing in case only")
        files = {**GOOD, "lib/a.py": b"1", "LIB/b.py": b"2"}
        self.refuses(package(files), "differing in case only")

    def test_reserved(self):
        for name in (".sdboot/x", ".SDBOOT/new/x", "boot.py/x", "prev/x", "next/x"):
            self.path(name, name, "a name that sdboot keeps for itself")
        for name in ("Prev/x", "NEXT/x", "App/x", "prev", ".sdboot", "./.sdboot/record.0"):
            self.path(name, "a name that sdboot keeps for itself")
        self.path("next", "a name that sdboot keeps", kind=tarfile.DIRTYPE)

    def test_short_names_of_fat(self):
        """Under which other files of the card, or our own, might be meant."""
        say = "name like LIB~1 that FAT has for other files"
        for name in ("~1.sdb/new/main.py", "SDBOOT~1/x", "settin~1.jso", "lib/LONGNA~1/x"):
            self.path(name, name, say)
        for name in ("app/longna~1/x", "APP~1/x", "NEXT~2/x", "PREV~1", "MAIN~1.PY", "x~1F2A.py"):
            self.path(name, name, say)
        self.path("app/LONGNA~1", say, kind=tarfile.DIRTYPE)

    def test_short_name_of_a_file_of_the_package(self):
        files = {"app/a long name.txt": b"1", "app/ALONGN~1.TXT": b"2"}
        self.refuses(package({**GOOD, **files}), "same name twice", cards=("fat",))

    def test_names_like_ours_are_fine(self):
        files = {"application/x": b"", "nextcloud/x": b"", "myapp/x": b"", "lib/boot.py": b""}
        files = {**GOOD, **files, "app/next/x": b"", "app/boot.py": b"", "preview/x": b""}
        files.update({"app/PHOTO~1.JPG": b"1", "backup.py~": b"", "a~x/longername~1.py": b""})
        for card in (self.fat_card, self.littlefs_card):
            card(OLD)
            self.site.lines = []
            self.site.add("0.0.2", package(files))
            self.assertEqual(self.ota(self.url).results, ["True"])
            self.assertIn("release 0.0.2 runs", self.power().out)
            found = self.files()
            for name in files:
                self.assertEqual(found[name], files[name])

    def test_version(self):
        for version in (b"0.0.3", b"0.0.2x", b"", b"0.0", b"x 0.0.2", b"x" * 600):
            bad = package({**GOOD, "app/.version": version})
            self.refuses(bad, "app/.version", "app/.version is not the announced version")

    def test_no_app(self):
        self.refuses(package({"main.py": b"", "lib/x": b""}), "package: no file below app/")
        self.refuses(package({"myapp/.version": b"0.0.2"}), "package: no file below app/")
        empty = package({"main.py": b""}, member("app", kind=tarfile.DIRTYPE))
        self.refuses(empty, "package: no file below app/")
        self.refuses(package({}), "no")

    def test_conflicts(self):
        same = "file and directory of the same name"
        self.refuses(package({**GOOD, "app/code.py/x": b""}), same)
        self.refuses(package({**GOOD, "x/y": b"", "x": b""}), same)
        self.refuses(package({"app": b"file"}), same)
        # With what is on the card.
        self.refuses(package({**GOOD, "settings.json/x": b""}), same)
        self.refuses(package({**GOOD, "lib": b"now a file"}), same)
        self.refuses(package({**GOOD, "data/a": b"now a file"}), same)
        self.refuses(package({**GOOD, "lib/x.py/deep/y": b""}), same)
        bad = package(GOOD, member("lib/x.py", kind=tarfile.DIRTYPE))
        self.refuses(bad, same)

    def test_truncated(self):
        tar = package({**GOOD, "app/big": b"x" * 5000})
        end = len(tar.rstrip(b"\0"))
        for size in (100, 512, 700, 1024, 4096, end - 100):
            self.refuses(tar[:size], "package: ")
        # At the end of a member: without its end mark it could have lost others.
        self.refuses(package(GOOD)[: 6 * 512], "cut short, upload it again")

    def test_no_tar(self):
        self.refuses(gzip.compress(package(GOOD)), "not a tar file, publish a plain .tar")
        self.refuses(b"<html>Please log in</html>" * 100, "not a tar file")
        self.refuses(b"PK\3\4" + bytes(2000), "not a tar file")
        self.refuses(b"", "not a tar file")

    def test_fields(self):
        tar = bytearray(package(GOOD))
        tar[124:136] = b"zzzzzzzzzzz\0"
        header = bytes(tar[:148]) + b" " * 8 + bytes(tar[156:512])
        tar[148:156] = b"%06o\0 " % sum(header)
        self.refuses(bytes(tar), "number, name or extended header that can't be read")

    def test_long(self):
        self.path("app/" + "x" * 256, "path too long")
        self.path("app/" + "/".join(["d" * 100] * 5), "path too long")

    def test_hash(self):
        self.refuses(package(GOOD), "hash is not the announced one", sha1="0" * 40)

    def test_hash_of_the_beginning(self):
        """A package that goes on behind the end of its tar."""
        self.refuses(package(GOOD) + b"more", "hash is not", sha1="1" * 40)

    def test_both_errors_in_one_power_on(self):
        self.fat_card(OLD)
        self.site.add("0.0.2", package(GOOD, member("prev/x", b"evil")))
        job = "attempt(sdboot.OTA(%r).install_update_if_available)\n" % self.url
        r = self.ota(self.url, job=job * 3)
        self.assertEqual(len(r.errors), 4)
        self.assertEqual(len(set(r.errors)), 1)
        self.assertFiles(OLD)


if __name__ == "__main__":
    unittest.main()
