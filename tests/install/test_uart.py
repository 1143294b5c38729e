# SPDX-License-Identifier: MIT
"""`make install` through the UART of an emulated board: QEMU gives its serial line as a
pseudo-terminal, and ports/qemu of MicroPython drives it. That port has no flash: the filesystem is
in memory, and lasts as long as the board runs."""

import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from test_install import ROOT, InstallTest, package  # noqa: E402

FLASH = """
import sys, vfs
class Memory:
    def __init__(self):
        self.data = bytearray(500 * 512)
    def readblocks(self, n, buf):
        buf[:] = self.data[n * 512:n * 512 + len(buf)]
    def writeblocks(self, n, buf):
        self.data[n * 512:n * 512 + len(buf)] = buf
    def ioctl(self, op, arg):
        return 500 if op == 4 else 512 if op == 5 else 0
memory = Memory()
vfs.VfsFat.mkfs(memory)
vfs.mount(vfs.VfsFat(memory), "/")
sys.path.append("/lib")
"""


class QemuLine:
    def __init__(self):
        command = ["qemu-system-arm", "-machine", "mps2-an385", "-display", "none"]
        command += ["-monitor", "none", "-semihosting", "-serial", "pty"]
        command += ["-kernel", str(ROOT / "build" / "uart" / "firmware.elf")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.name = re.search(r"/dev/pts/\d+", self.process.stdout.readline())[0]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Uart(InstallTest):
    arch = "armv7m"

    def setUp(self):
        super().setUp()
        self.line = QemuLine()
        self.python(FLASH)

    def test_install_repair_uninstall(self):
        out = self.tool("install")
        self.assertIn("mps2-an385 with Cortex-M3, armv7m", out)
        self.assertInstalled()
        self.assertIn("nothing to copy", self.tool("install"))
        self.python("with open('/lib/sdboot/board.mpy', 'r+b') as f: f.seek(99); f.write(b'#!')")
        self.assertNotEqual(self.files(), package(self.arch))
        self.assertIn("copying 1 of ", self.tool("install"))
        self.assertInstalled()
        said = self.python("import sdboot; print(sdboot.__version__)").strip()
        source = (ROOT / "micropython" / "sdboot" / "__init__.py").read_text()
        self.assertIn('__version__ = "%s"\n' % said, source)
        self.tool("uninstall")
        self.assertEqual(self.files(), {})


if __name__ == "__main__":
    unittest.main()
