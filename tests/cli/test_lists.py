# SPDX-License-Identifier: MIT
"""What sdboot release says of a release in the list, rollout, withdraw; asked of real boards."""

import hashlib
import os
import subprocess
import unittest
import urllib.request

from test_cli import ToolTest, rig, web  # first: says where rig is

from lab import MPY_CROSS


class ListTest(ToolTest):
    def text(self):
        return (self.www / "versions").read_text()

    def said(self, file):
        """What the list says of a file, the last line about it."""
        lines = [line for line in self.text().splitlines() if " file=%s " % file in line + " "]
        return dict(word.split("=", 1) for word in lines[-1].split()[2:])

    def head(self):
        return dict(word.split("=", 1) for word in self.text().splitlines()[0].split()[2:])

    def versions(self):
        return [line.split(";")[0] for line in self.text().splitlines() if not line.startswith("#")]


class Options(ListTest):
    def test_what_is_said(self):
        self.release("0.0.2", "--board", "esp32,rp2", "--min", "0.0.1", "--channel", "beta", "--rollout", "25")
        name = "0_0_2-esp32_rp2-beta-firmware.tar"
        said = self.said(name)
        data = (self.www / name).read_bytes()
        self.assertEqual(said.pop("sha256"), hashlib.sha256(data).hexdigest())
        index = (self.www / (name + ".idx")).read_bytes()
        self.assertEqual(said.pop("index"), hashlib.sha256(index).hexdigest())
        self.assertEqual(said, {"file": name, "size": str(len(data)), "board": "esp32,rp2", "min": "0.0.1",
                                "channel": "beta", "rollout": "25"})  # fmt: skip

    def test_one_version_for_several_boards(self):
        self.release("0.0.2", "--board", "esp32")
        self.write({"app/code.py": "for another board"})
        self.release("0.0.2", "--board", "rp2")
        self.assertEqual(self.versions(), ["0.0.2", "0.0.2"])
        self.assertIn("other content", self.release("0.0.2", "--board", "esp32", status=1))
        self.assertIn("already", self.release("0.0.2", "--board", "rp2"))
        self.release("0.0.1", "--board", "stm32")  # older, but the first for these
        self.tool("verify", "www")

    def test_of_the_list(self):
        self.tool("keygen", "-W")
        self.release("0.0.2", "-k", "sdboot.key", "--product", "lamp", "--expires", "2037-01-31")
        self.assertEqual(self.head(), {"seq": "1", "product": "lamp", "expires": "2037-01-31"})
        self.write({"app/code.py": "3"})
        self.release("0.0.3", "-k", "sdboot.key", "--expires", "+90")
        self.assertRegex(self.head().pop("expires"), "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$")
        self.assertEqual((self.head()["seq"], self.head()["product"]), ("2", "lamp"))
        self.tool("rollout", "-k", "sdboot.key", "50", "0.0.3", "www")
        self.assertEqual(self.head()["seq"], "3")
        self.tool("verify", "-p", "sdboot.pub", "www")

    def test_lines_of_others_stay(self):
        self.www.mkdir()
        (self.www / "versions").write_text("# by hand\n# sdboot seq=7 new=word\n0.0.1;old.tar;%040d\n" % 0)
        self.tool("keygen", "-W")
        self.release("0.0.2", "-k", "sdboot.key")
        self.assertEqual(self.text().splitlines()[:3], ["# by hand", "# sdboot seq=8 new=word", "0.0.1;old.tar;" + "0" * 40])

    def test_arguments(self):
        for option, value in (
            ("--rollout", "101"), ("--rollout", "-1"), ("--rollout", "x"), ("--min", "new"), ("--board", "a b"),
            ("--board", ""), ("--expires", "2027-02-30"), ("--expires", "tomorrow"), ("--expires", "2027-1-1"),
            ("--keep", "0"), ("--to", "ftp"), ("--product", "a\nb"), ("--channel", "x" * 130),
        ):  # fmt: skip
            with self.subTest(option, value=value):
                self.release("0.0.2", option, value, status=2)
        self.assertFalse((self.www / "versions").exists())

    def test_a_list_that_boards_would_refuse(self):
        self.www.mkdir()
        (self.www / "versions").write_text("# sdboot expires=never\n")
        self.assertIn("boards would refuse the list", self.release("0.0.2", status=1))
        self.assertEqual(self.text(), "# sdboot expires=never\n")

    def test_github(self):
        os.environ["GITHUB_REPOSITORY"] = "ann/lamp"
        self.addCleanup(os.environ.pop, "GITHUB_REPOSITORY")
        said = self.release("0.0.2", "--to", "github")
        self.assertIn("gh release create v0.0.2 www/*", said)
        self.assertIn("https://github.com/ann/lamp/releases/latest/download", said)


class Keep(ListTest):
    def publish(self, version, *options):
        self.write({"app/code.py": version})
        return self.release(version, *options)

    def test_newest_two(self):
        for n in range(1, 5):
            self.publish("0.0.%d" % n, "--keep", 2)
        self.assertEqual(self.versions(), ["0.0.3", "0.0.4"])
        self.assertNothingElse("0_0_3-firmware.tar", "0_0_4-firmware.tar", "versions")
        self.assertEqual(self.text().count("# sdboot file="), 2)
        self.tool("verify", "www")

    def test_steps_that_are_needed_stay(self):
        self.publish("0.0.1")
        self.publish("0.0.2")
        self.publish("0.0.3", "--min", "0.0.2")
        self.publish("0.0.4", "--min", "0.0.3")
        self.publish("0.0.5", "--min", "0.0.4", "--keep", "1")
        self.assertEqual(self.versions(), ["0.0.2", "0.0.3", "0.0.4", "0.0.5"])

    def test_boards_of_one_version_stay_together(self):
        for version in ("0.0.1", "0.0.2"):
            for board in ("esp32", "rp2"):
                self.write({"app/code.py": version + board})
                self.release(version, "--board", board, "--keep", "1")
        self.assertEqual(self.versions(), ["0.0.2", "0.0.2"])


class Rollout(ListTest):
    def test_wider_and_gone(self):
        self.release("0.0.1")
        self.write({"app/code.py": "2"})
        self.release("0.0.2", "--rollout", "5")
        self.tool("rollout", "50", "0.0.2", "www")
        self.assertEqual(self.said("0_0_2-firmware.tar")["rollout"], "50")
        self.assertEqual(self.text().count("file=0_0_2"), 1)
        self.tool("rollout", "0", "v0.0.1", "www")
        self.assertEqual(self.said("0_0_1-firmware.tar")["rollout"], "0")
        self.tool("withdraw", "0.0.2", "www")
        self.assertEqual(self.versions(), ["0.0.1"])
        self.assertNothingElse("0_0_1-firmware.tar", "versions")
        self.assertIn("not published", self.tool("withdraw", "0.0.2", "www", status=1))
        self.assertIn("not published", self.tool("rollout", "10", "0.0.2", "www", status=1))
        self.tool("withdraw", "0.0.1", "www")
        self.assertEqual(self.text(), "")

    def test_signed_lists_want_the_key(self):
        self.tool("keygen", "-W")
        self.release("0.0.1", "-k", "sdboot.key")
        before = self.text()
        for command in (("rollout", "10"), ("withdraw",)):
            self.assertIn("-k", self.tool(*command, "0.0.1", "www", status=1))
        self.assertEqual(self.text(), before)
        self.tool("withdraw", "-k", "sdboot.key", "0.0.1", "www")
        self.assertEqual(self.text(), "# sdboot seq=2\n")

    def test_arguments(self):
        self.release("0.0.1")
        for arguments in (("101", "0.0.1", "www"), ("x", "0.0.1", "www"), ("5", "new", "www"), ("5", "0.0.1"),
                          ("5", "0.0.1", "none"), ("5", "0.0.1", "src")):  # fmt: skip
            with self.subTest(arguments):
                self.tool("rollout", *arguments, status=2)

    def test_two_at_once(self):
        self.release("0.0.1")
        with subprocess.Popen(["flock", str(self.www), "sleep", "20"]) as other:
            try:
                for _ in range(100):
                    if subprocess.run(["flock", "-n", str(self.www), "true"]).returncode:
                        break
                self.assertIn("another sdboot", self.tool("rollout", "5", "0.0.1", "www", status=2))
            finally:
                other.kill()


class Compiled(ListTest):
    def names(self):
        import tarfile

        with tarfile.open(self.www / "0_0_2-firmware.tar") as tar:
            return {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}

    def test_mpy_cross(self):
        self.write({"app/raw_pins.py": "x = 1\n", "app/sub/deep.py": "y = 2\n", "app/data.json": "{}"})
        options = ("-m", MPY_CROSS, "-x", "app/raw*")
        self.release("0.0.2", *options)
        found = self.names()
        self.assertEqual(set(found), {"app/.version", "app/code.mpy", "app/data.json", "app/raw_pins.py", "app/sub/deep.mpy", "main.py"})
        self.assertEqual(found["app/code.mpy"][:1], b"M")
        self.assertIn(b"app/code.py", found["app/code.mpy"])  # what a traceback shows
        first = (self.www / "0_0_2-firmware.tar").read_bytes()
        (self.www / "versions").unlink()
        self.release("0.0.2", *options)
        self.assertEqual((self.www / "0_0_2-firmware.tar").read_bytes(), first)

    def test_what_does_not_compile(self):
        self.write({"app/bad.py": "def (\n"})
        said = self.release("0.0.2", "-m", MPY_CROSS, status=2)
        self.assertIn("app/bad.py does not compile", said)
        self.assertNothingElse()
        self.assertIn("does not compile", self.release("0.0.2", "-m", "/none", status=2))


class OriginalClient:
    """What micropython-sdcard-boot's uota.py does, step by step: the last line of `versions`, three
    fields, a newer version, the SHA-1 of the file, headers of a tar read as MicroPython's utarfile
    reads them (name of 100 bytes, no prefix, no pax)."""

    def __init__(self, url, current):
        self.url, self.current = url, current

    def get(self, name):
        with urllib.request.urlopen(self.url + "/" + name, timeout=20) as r:
            return r.read()

    def update(self):
        lines = self.get("versions").decode().split("\n")
        last = [line for line in lines if line][-1]
        version, file, sha1 = last.split(";")
        if [int(n) for n in version.split(".")] <= [int(n) for n in self.current.split(".")]:
            return None
        data = self.get(file)
        assert hashlib.sha1(data).hexdigest() == sha1
        return version, dict(self.members(data))

    def members(self, data):
        at = 0
        while at < len(data) and data[at]:
            header = data[at : at + 512]
            name = header[:100].rstrip(b"\0").decode()
            size = int(header[124:135], 8)
            assert header[156:157] in (b"0", b"\0", b"5"), header[156:157]
            at += 512
            yield name, None if header[156:157] == b"5" else data[at : at + size]
            at += (size + 511) & ~511


    @staticmethod
    def unpack(files, folder):
        """As it does: it makes the folders that are in the package, no others."""
        for name, data in files.items():
            path = folder / name.replace("app/", "next/")
            if data is None:
                path.mkdir()
            else:
                path.write_bytes(data)


class ForTheOriginal(ListTest):
    def test_folders(self):
        """It makes those only that have entries, and so do boards before their first release by sdboot."""
        self.write({"lib/helper.py": b"h = 1\n", "app/sub/er/deep.py": "x = 1\n", "app/sub/wide.py": "y = 1\n"})
        self.release("0.0.2", "--folders", paths=("app", "lib"))
        with web.PythonServer(self.www) as url:
            _, files = OriginalClient(url, "0.0.1").update()
        card = self.dir / "card"
        card.mkdir()
        OriginalClient.unpack(files, card)
        folders = [name for name, data in files.items() if data is None]
        self.assertEqual(folders, ["app/", "app/sub/", "app/sub/er/", "lib/"])
        self.assertEqual((card / "next" / "sub" / "er" / "deep.py").read_text(), "x = 1\n")
        self.assertIn("good", self.tool("verify", "www"))

    def test_its_client_still_updates(self):
        self.tool("keygen", "-W")
        self.write({"lib/helper.py": b"h = 1\n" * 200})
        self.release("0.0.2", "-k", "sdboot.key", "--product", "lamp", "--expires", "+90", "--min", "0.0.1",
                     paths=("app", "lib", "main.py"))  # fmt: skip
        with web.PythonServer(self.www) as url:
            version, files = OriginalClient(url, "0.0.1").update()
            self.assertEqual(version, "0.0.2")
            source = self.dir / "src"
            want = {str(p.relative_to(source)): p.read_bytes() for p in source.rglob("*") if p.is_file()}
            self.assertEqual({k: v for k, v in files.items() if v is not None}, {**want, "app/.version": b"0.0.2\n"})
            self.assertIsNone(OriginalClient(url, "0.0.2").update())
            self.write({"app/code.py": "3"})
            self.release("0.0.10", "-k", "sdboot.key", "--keep", "1")
            self.assertEqual(OriginalClient(url, "0.0.9").update()[0], "0.0.10")
            self.tool("rollout", "-k", "sdboot.key", "50", "0.0.10", "www")
            self.assertEqual(OriginalClient(url, "0.0.2").update()[0], "0.0.10")


class WithBoards(rig.BoardTest):
    def test_who_takes_it(self):
        """Boards judge as the list says, lines of older clients included."""
        tool = ListTest()
        tool.setUp()
        self.addCleanup(tool.doCleanups)
        tool.tool("keygen", "-W")
        key = (tool.dir / "sdboot.pub").read_text()
        tool.write({"main.py": "print('hello from', 2)\n"})
        tool.release("0.0.2", "-k", "sdboot.key", "--rollout", "0", "--channel", "beta", "-m", MPY_CROSS)
        self.fat_card(web.release("0.0.1"))
        with web.PythonServer(tool.www) as url:
            self.assertEqual(self.ota(url, "key=%r" % key).results, ["False"])
            self.assertEqual(self.ota(url, "key=%r" % key, "channel='beta'").results, ["False"])
            tool.tool("rollout", "-k", "sdboot.key", "100", "0.0.2", "www")
            self.assertEqual(self.ota(url, "key=%r" % key).results, ["False"])
            self.assertEqual(self.ota(url, "key=%r" % key, "channel='beta'").results, ["True"])
            out = self.power().out
            self.assertIn("release 0.0.2 is in place", out)
            self.assertIn("hello from 2", out)


if __name__ == "__main__":
    unittest.main()
