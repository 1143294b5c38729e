# SPDX-License-Identifier: MIT
"""`make install` with the real mpremote, against real MicroPython behind a serial line: a stock
ESP32 as the simulator has it (build/sim-bare/board, no C of ours)."""

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "tools"), str(Path(__file__).parent)]
from lab import ROOT, own_folder  # noqa: E402
from serialline import Line  # noqa: E402
import install  # noqa: E402

WORK = ROOT / "build" / "test-install"
NATIVE = Path(os.environ.get("SDBOOT_NATIVE", ROOT / "build" / "native"))
STOCK = ROOT / "build" / "sim-bare" / "board"
LIST = """
import binascii, hashlib, os
def walk(folder):
    for name in os.listdir(folder):
        path = folder.rstrip("/") + "/" + name
        if os.stat(path)[0] & 0x4000:
            walk(path)
        else:
            sha = hashlib.sha256()
            with open(path, "rb") as f:
                data = f.read(1024)
                while data:
                    sha.update(data)
                    data = f.read(1024)
            print("=>", path, binascii.hexlify(sha.digest()).decode())
walk("/")
"""


def package(arch):
    """{path: SHA-256} of the package as it was built."""
    lines = (NATIVE / arch / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split(maxsplit=1)) for line in lines)
    return {"/" + k: v for k, v in sums.items() if k == "boot.py" or k.startswith("lib/")}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class InstallTest(unittest.TestCase):
    """A board with a serial line."""

    arch = "x64"

    def setUp(self):
        self.dir = own_folder(self, WORK)
        self.flash = self.dir / "flash.img"
        self.flash.touch()
        self.line = None
        self.addCleanup(self.power_off)

    def power_on(self, *options, board=STOCK):
        self.power_off()
        self.line = Line()
        self.line.connect([board, "--flash", self.flash, *options])
        self.line.wait_for(b"\r\n>>> ")

    def power_off(self):
        if self.line is not None:
            self.line.close()
        self.line = None

    def tool(self, action, *options, status=0, port=None, env=None):
        done = subprocess.run(
            [ROOT / "tools" / "install.py", action, "--port", port or self.line.name, *options],
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
        )
        self.assertEqual(done.returncode, status, done.stdout)
        self.assertNotIn("Traceback", done.stdout)
        return done.stdout

    def python(self, code):
        """Runs `code` on the board with mpremote alone."""
        env = dict(os.environ)
        command = install.find_mpremote(env)
        done = subprocess.run(
            [*command, "connect", self.line.name, "resume", "exec", code],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def files(self):
        """{path: SHA-256} of what is on the board."""
        words = [line.split() for line in self.python(LIST).splitlines() if line.startswith("=>")]
        return {path: digest for _, path, digest in words}

    def write(self, path, data):
        self.python("f = open(%r, 'wb'); f.write(%r); f.close()" % (path, data))

    def assertInstalled(self, others=()):
        expected = {**package(self.arch), **dict(others)}
        self.assertEqual(self.files(), expected)


class Install(InstallTest):
    def setUp(self):
        super().setUp()
        self.power_on()

    def test_fresh_board_gets_the_package_and_boot_py(self):
        stock = self.files()
        self.assertEqual(list(stock), ["/boot.py"])
        out = self.tool("install")
        self.assertIn("MicroPython 1.25.0 on ", out)
        self.assertInstalled({"/boot.py.old": stock["/boot.py"]})

    def test_again_copies_nothing(self):
        self.tool("install")
        before = self.line.heard
        out = self.tool("install")
        self.assertIn("nothing to copy", out)
        self.assertIn("boot.py is ours already", out)
        self.assertLess(self.line.heard - before, 20000)

    def test_damaged_file_is_found_and_repaired(self):
        self.tool("install")
        victim = sorted(package(self.arch))[-1]
        self.python("f = open(%r, 'r+b'); f.seek(100); f.write(b'#!!#'); f.close()" % victim)
        self.assertNotEqual(self.files()[victim], package(self.arch)[victim])
        self.assertIn("copying 1 of ", self.tool("install"))
        self.assertEqual({**self.files(), **package(self.arch)}, self.files())

    def test_module_of_an_older_package_does_not_stay_in_the_way(self):
        self.tool("install")
        self.write("/lib/sdboot/older.py", b"1/0\n")
        self.write("/lib/sdboot/notes.txt", b"mine")
        self.tool("install")
        self.assertNotIn("/lib/sdboot/older.py", self.files())
        self.assertIn("/lib/sdboot/notes.txt", self.files())

    def test_own_boot_py_is_kept(self):
        mine = b"import machine\nmachine.freq(240000000)\n"
        self.write("/boot.py", mine)
        out = self.tool("install")
        self.assertIn("your own boot.py is kept", out)
        self.assertIn("    sdboot.boot()", out)
        self.assertInstalled({"/boot.py": sha256(mine)})

    def test_own_boot_py_is_replaced_when_told_to(self):
        mine = b"import machine\n"
        self.write("/boot.py", mine)
        self.tool("install", "--force")
        self.assertInstalled({"/boot.py.old": sha256(mine)})
        other = b"import gc\n"
        self.write("/boot.py", other)
        self.assertIn("boot.py.old on the board already", self.tool("install", "--force", status=1))
        self.assertInstalled({"/boot.py": sha256(other), "/boot.py.old": sha256(mine)})

    def test_boot_py_with_options_is_kept(self):
        mine = b"import sdboot\nsdboot.boot(pin=4,\n    sd={'slot': 2})\n"
        self.write("/boot.py", mine)
        self.assertIn("starts sdboot already", self.tool("install"))
        self.assertInstalled({"/boot.py": sha256(mine)})
        self.tool("uninstall")
        self.assertEqual(self.files(), {})

    def test_boot_py_with_the_wiring_of_the_board(self):
        wiring = 'pin=10, sd={"slot": 2, "sck": 4, "miso": 5, "mosi": 6, "cs": 7}'
        self.tool("install", "--boot", wiring)
        text = "import sdboot\n\nsdboot.boot(%s)\n" % wiring
        self.assertEqual(self.files()["/boot.py"], sha256(text.encode()))
        self.assertIn("no list of arguments", self.tool("install", "--boot", "pin=10)", status=1))
        self.assertIn("boot.py is ours already", self.tool("install", "--boot", wiring))

    def test_uninstall_leaves_what_was_there(self):
        self.write("/settings.json", b"{}")
        before = self.files()
        self.tool("install")
        self.tool("uninstall")
        self.assertEqual(self.files(), before)
        self.assertIn("0 files", self.tool("uninstall"))

    def test_uninstall_leaves_what_is_not_ours(self):
        self.tool("install")
        mine = {"/boot.py": b"import sdboot\nimport gc\nsdboot.boot()\n", "/lib/sdboot/x.txt": b"x"}
        for path, data in mine.items():
            self.write(path, data)
        out = self.tool("uninstall")
        self.assertIn("boot.py has more in it than ours", out)
        self.assertIn("not ours and stay: x.txt", out)
        left = self.files()
        del left["/boot.py.old"]
        self.assertEqual(left, {path: sha256(data) for path, data in mine.items()})

    def test_full_flash_is_refused_and_left_alone(self):
        self.python("with open('/big', 'wb') as f:\n for _ in range(500):\n  f.write(bytes(4096))")
        before = self.files()
        self.assertIn("bytes free, the package needs", self.tool("install", status=1))
        self.assertEqual(self.files(), before)

    def test_wrong_arch_is_refused(self):
        out = self.tool("install", "--arch", "xtensawin", status=1)
        self.assertIn("needs ARCH=x64, not xtensawin", out)
        self.assertEqual(list(self.files()), ["/boot.py"])

    def test_package_that_differs_from_its_hashes_is_refused(self):
        shutil.copytree(NATIVE / self.arch, self.dir / "native" / self.arch)
        with open(self.dir / "native" / self.arch / "boot.py", "a") as f:
            f.write("#")
        env = {"SDBOOT_NATIVE": str(self.dir / "native")}
        self.assertIn("is not what was built", self.tool("install", status=1, env=env))
        self.assertEqual(list(self.files()), ["/boot.py"])

    def test_an_application_that_runs_is_interrupted(self):
        loop = b"import time\nwhile True:\n    print('working')\n    time.sleep(0.2)\n"
        self.write("/main.py", loop)
        self.power_off()
        self.line = Line()
        self.line.connect([STOCK, "--flash", self.flash])
        self.line.wait_for(b"working")
        self.tool("install")
        self.assertTrue(set(package(self.arch).items()) <= set(self.files().items()))


class Installed(InstallTest):
    """The board works with what was installed."""

    def test_boots_the_card_and_is_installed_on_from_there(self):
        card = self.dir / "card.img"
        with open(card, "wb") as f:
            f.truncate(64 << 20)
        self.power_on()
        self.tool("install")
        self.power_on("--card", card)
        self.assertIn(b"sdboot: no release on SD card, FAT, 64 MiB", self.line.seen)
        # "/" is the card now: what belongs on the flash goes to /flash.
        self.assertIn("nothing to copy", self.tool("install"))
        self.python("import os; os.remove('/flash/lib/sdboot/ota.mpy')")
        self.assertIn("copying 1 of ", self.tool("install"))
        self.assertEqual([p for p in self.files() if not p.startswith("/flash/")], [])
        self.tool("uninstall")
        self.assertEqual(list(self.files()), ["/flash/boot.py"])
        self.power_on("--card", card)
        self.assertNotIn(b"sdboot", self.line.seen)


class Refused(InstallTest):
    def test_a_board_that_does_not_answer(self):
        self.line = Line()
        out = self.tool("install", status=1)
        self.assertIn("the board at %s does not answer" % self.line.name, out)

    def test_no_port(self):
        out = self.tool("install", status=1, port="/dev/ttyUSB99")
        self.assertIn("there is no /dev/ttyUSB99: plug the board in", out)

    def test_firmware(self):
        said = {"release": "1.22.2", "machine": "an ESP32", "mpy": 10 << 10 | 2 << 8 | 6}
        for mpy, message in (
            (None, "can't load .mpy files"),
            (10 << 10 | 2 << 8 | 6, "loads .mpy 6.2, the package is 6.3: install MicroPython 1.23"),
            (10 << 10 | 7, "loads .mpy 7.0"),
            (3 << 8 | 6, "without support for native code"),
            (9 << 10 | 3 << 8 | 6, "architecture xtensa: there is no package"),
        ):
            with self.assertRaisesRegex(install.Failure, message):
                install.architecture({**said, "mpy": mpy}, None)

    def test_no_boot_py_without_the_wiring_where_there_is_no_default(self):
        for machine, expected in (
            ("ESP32C3 module with ESP32C3", None),
            ("Generic ESP32S2 module with ESP32S2", None),
            ("Generic ESP32 module with ESP32", b"ours"),
            ("Generic ESP32S3 module with ESP32S3", b"ours"),
        ):
            self.assertEqual(install.wanted_boot({"machine": machine}, b"ours", None), expected)
            given = install.wanted_boot({"machine": machine}, b"ours", "pin=10")
            self.assertEqual(given, b"import sdboot\n\nsdboot.boot(pin=10)\n")

    def test_boot_py_of_other_ports(self):
        pico = {"machine": "Raspberry Pi Pico with RP2040", "platform": "rp2"}
        default = install.wanted_boot(pico, b"ours", None)
        self.assertIn(b"\nsdboot.boot(sd=card)\n", default)
        given = install.wanted_boot(pico, b"ours", "pin=22")
        self.assertIn(b"\nsdboot.boot(sd=card, pin=22)\n", given)
        self.assertTrue(install.is_pico_boot(default) and install.is_pico_boot(given))
        own = install.wanted_boot(pico, b"ours", "sd=None")
        self.assertEqual(own, b"import sdboot\n\nsdboot.boot(sd=None)\n")
        with self.assertRaisesRegex(install.Failure, "no list of arguments"):
            install.wanted_boot(pico, b"ours", "pin=(")
        for platform in ("pyboard", "mimxrt"):
            said = {"machine": "a board", "platform": platform}
            with contextlib.redirect_stdout(io.StringIO()) as out:
                boot_py = install.wanted_boot(said, b"ours", None)
            self.assertEqual(boot_py, b"import sdboot\n\nsdboot.boot(pin=None)\n")
            self.assertIn("no recovery pin", out.getvalue())
            given = install.wanted_boot(said, b"ours", "pin='X17'")
            self.assertEqual(given, b"import sdboot\n\nsdboot.boot(pin='X17')\n")

    def test_architectures(self):
        said = {"release": "1.25.0", "machine": "a board"}
        for number, arch in ((10, "xtensawin"), (11, "rv32imc"), (7, "armv7m"), (4, "armv6m")):
            mpy = number << 10 | 3 << 8 | 6
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(install.architecture({**said, "mpy": mpy}, None), arch)


class Unplugged(InstallTest):
    def test_at_any_time_and_again(self):
        self.power_on()
        whole = self.line.heard
        self.tool("install")
        whole = self.line.heard - whole
        for part in (2, 10, 30, 50, 70, 90, 97, 99):
            with self.subTest(percent=part):
                self.power_off()
                self.flash.unlink()
                self.flash.touch()
                self.power_on()
                self.line.unplug_at = self.line.heard + whole * part // 100
                out = self.tool("install", status=1)
                self.assertRegex(out, "was lost|does not answer|stopped answering")
                self.power_on()
                self.assertNotIn(b"Error", self.line.seen)
                found = self.files()
                if "/boot.py.old" in found:  # boot.py is ours: then the package is whole
                    self.assertTrue(set(package(self.arch).items()) <= set(found.items()))
                self.tool("install")
                stock = {"/boot.py.old": self.files()["/boot.py.old"]}
                self.assertInstalled(stock)


if __name__ == "__main__":
    unittest.main()
