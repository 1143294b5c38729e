# SPDX-License-Identifier: MIT
"""The emulated boards themselves: flash, card, cuts, resets, memory, network, serial line."""

import hashlib
import os
import re
import select
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lab import ROOT, host, own_folder  # noqa: E402

WORK = ROOT / "build" / "test-emu"
FLASH_TOOL = ROOT / "sim" / "flash.py"
BOARDS = ("mps2", "virt-rv32", "xtensa")
SECTOR = 512

CARD = "import machine, emu\nc = machine.SDCard(slot=1, width=1)\nb = bytearray(1024)\n"
# A decorated function is machine code, compiled on the board.
NATIVE = """
import emu
@micropython.native
def double(x):
    return x + x
print("=>", double(21), emu.exec_used() > 0)
"""


class Run:
    def __init__(self, done, stats):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="replace").replace("\r\n", "\n")
        self.err = done.stderr.decode(errors="replace")
        self.results = re.findall(r"^=> (.*)$", self.out, re.M)
        words = [line.split() for line in stats.read_text().splitlines()] if stats.exists() else []
        self.stats = {w[0]: int(w[1]) for w in words if len(w) == 2}


class EmuTest(unittest.TestCase):
    def setUp(self):
        self.dir = own_folder(self, WORK)
        self.flash = self.dir / "flash.img"
        self.card = self.dir / "card.img"

    def each_board(self):
        return BOARDS

    def make_flash(self, boot):
        source = self.dir / "boot.py"
        source.write_text(boot)
        host(FLASH_TOOL, "make", self.flash, "%s:/boot.py" % source)

    def power(self, board, *options, boot=None, typed="", status=0):
        if boot is not None:
            self.make_flash(boot)
        stats = self.dir / "stats"
        stats.unlink(missing_ok=True)
        command = [ROOT / "build" / "emu" / board / "board", "--stats", stats]
        if self.flash.exists():
            command += ["--flash", self.flash]
        if self.card.exists():
            command += ["--card", self.card]
        done = subprocess.run(
            [str(c) for c in (*command, *options)],
            input=typed.encode(),
            capture_output=True,
            timeout=60,
        )
        result = Run(done, stats)
        self.assertEqual(result.status, status, result.out + result.err)
        return result

    def blank_card(self, sectors=2048):
        self.card.write_bytes(bytes(sectors * SECTOR))


class Start(EmuTest):
    def test_order(self):
        for board in self.each_board():
            main = "with open('/main.py', 'w') as f:\n    f.write(\"print('=> main')\")\n"
            r = self.power(board, boot="print('=> boot')\n" + main)
            self.assertEqual(r.results, ["boot", "main"])
            self.assertTrue(r.out.startswith("rst:0x1 (POWERON_RESET)"), r.out)
            self.assertIn("\n>>> ", r.out)

    def test_blank_flash_without_an_image(self):
        for board in self.each_board():
            r = self.power(board, typed="import os\nprint('=>', os.listdir('/'))\n")
            self.assertEqual(r.results, ["['boot.py']"], r.out)

    def test_flash_keeps(self):
        for board in self.each_board():
            self.power(board, boot="f = open('/x', 'w')\nf.write('kept')\nf.close()\n")
            host(FLASH_TOOL, "get", self.flash, "/x", self.dir / "x")
            self.assertEqual((self.dir / "x").read_text(), "kept")
            self.assertIn("kept", self.power(board, typed="open('/x').read()\n").out)

    def test_stock_features(self):
        boot = """
import binascii, collections, deflate, gc, hashlib, io, os, sys, time, vfs
print("=>", binascii.hexlify(hashlib.sha1(b"a" * 1000).digest()).decode())
print("=>", binascii.hexlify(hashlib.sha256(b"a" * 1000).digest()).decode())
print("=>", [p for fs, p in vfs.mount()], sys.path)
class T(io.IOBase):
    n = 0
    def write(self, data):
        T.n += len(data)
    def readinto(self, buf):
        return None
os.dupterm(T())
print("counted")
os.dupterm(None)
print("=>", T.n > 6)
t = time.ticks_ms()
time.sleep_ms(30)
print("=>", 30 <= time.ticks_diff(time.ticks_ms(), t) < 2000)
"""
        data = b"a" * 1000
        for board in self.each_board():
            r = self.power(board, boot=boot)
            expected = [hashlib.sha1(data).hexdigest(), hashlib.sha256(data).hexdigest()]
            expected += ["['/'] ['', '.frozen', '/lib']", "True", "True"]
            self.assertEqual(r.results, expected, r.out)

    def test_unknown_option(self):
        for options in (["--frob"], ["--pin", "x"], ["--heap", "1"], ["--card", "nowhere"]):
            r = self.power("mps2", *options, status=2)
            self.assertIn("--help", r.err)

    def test_pins(self):
        boot = "from machine import Pin\nfor n in (18, 19):\n"
        boot += "    print('=>', Pin(n, Pin.IN, Pin.PULL_UP).value())\n"
        for board in self.each_board():
            self.assertEqual(self.power(board, "--pin", "18=0", boot=boot).results, ["0", "1"])


class Resets(EmuTest):
    def test_causes(self):
        boot = "import machine\nprint('=>', machine.reset_cause())\n"
        for board in self.each_board():
            r = self.power(board, boot=boot, typed="import machine\nmachine.reset()\n\x041 + 1\n")
            self.assertEqual(r.results, ["1", "2", "5"], r.out)
            self.assertEqual((r.stats["resets_hard"], r.stats["resets_soft"]), (1, 1))
            self.assertIn("\n2\n", r.out)
            self.assertIn("MPY: soft reboot", r.out)

    def test_too_many(self):
        for board in self.each_board():
            boot = "import machine\nmachine.reset()\n"
            r = self.power(board, "--max-resets", "3", boot=boot, status=76)
            self.assertEqual(r.stats["resets_hard"], 4)

    def test_timer_at_the_prompt(self):
        boot = "import machine\nmachine.Timer(0).init(mode=0, period=100, "
        boot += "callback=lambda t: print('=> rings'))\n"
        boot += "import time\ntime.sleep_ms(300)\n"
        for board in self.each_board():
            self.assertEqual(self.power(board, boot=boot).results, ["rings"])

    def test_watchdog(self):
        boot = "import machine\nprint('=>', machine.reset_cause())\n"
        boot += "if machine.reset_cause() == 1:\n    machine.WDT(timeout=100)\n"
        boot += "    while True:\n        pass\n"
        for board in self.each_board():
            self.assertEqual(self.power(board, boot=boot).results, ["1", "3"])


class Card(EmuTest):
    def test_protocol(self):
        boot = CARD + """
print("=>", c.info(), c.ioctl(4, 0), c.ioctl(5, 0), c.ioctl(3, 0), c.ioctl(6, 0))
b[:] = bytes(range(256)) * 4
print("=>", c.writeblocks(7, b), c.writeblocks(2047, b), c.readblocks(8, memoryview(b)[:512]))
"""
        for board in self.each_board():
            self.blank_card()
            r = self.power(board, boot=boot)
            size = 2048 * SECTOR
            self.assertEqual(
                r.results, ["(%d, 512) 2048 512 0 -1" % size, "True False True"], r.out
            )
            data = self.card.read_bytes()
            self.assertEqual(data[7 * SECTOR : 9 * SECTOR], bytes(range(256)) * 4)
            self.assertEqual(data.strip(b"\0").count(b"\1"), 4)
            self.assertEqual(r.stats["card_write_sectors"], 2)

    def test_empty_slot(self):
        boot = CARD + "try:\n    c.info()\nexcept OSError as e:\n    print('=>', e.errno)\n"
        for board in self.each_board():
            self.assertEqual(self.power(board, boot=boot).results, ["110"])

    def test_large(self):
        with open(self.card, "wb") as f:
            f.truncate(1 << 30)
        boot = CARD + "b[0] = 77\nprint('=>', c.writeblocks((1 << 21) - 2, b))\n"
        for board in self.each_board():
            self.assertEqual(self.power(board, boot=boot).results, ["True"])
            with open(self.card, "r+b") as f:
                f.seek((1 << 30) - 1024)
                self.assertEqual(f.read(1), b"M")
                f.seek((1 << 30) - 1024)
                f.write(b"\0")

    def test_cut(self):
        # Two sectors a command, a reset between: the fourth sector is the second of the second.
        boot = CARD + """
b[0] = b[512] = 65 + machine.reset_cause()
c.writeblocks(10 * machine.reset_cause(), b)
print("=> written")
machine.reset()
"""
        for board in self.each_board():
            self.blank_card()
            r = self.power(board, "--cut", "4", boot=boot, status=75)
            self.assertEqual(r.results, ["written"])
            data = self.card.read_bytes()
            firsts = {i: data[i * SECTOR] for i in range(2048) if data[i * SECTOR]}
            self.assertEqual(firsts, {10: 66, 11: 66, 20: 67})
            self.assertEqual(r.stats["card_write_sectors"], 3)

    def test_faults(self):
        boot = CARD + "print('=>', c.readblocks(5, b), c.readblocks(7, b), c.writeblocks(7, b))\n"
        for board in self.each_board():
            self.blank_card()
            r = self.power(board, "--card-bad", "6", "--card-ro", boot=boot)
            self.assertEqual(r.results, ["False True False"])

    def test_fat(self):
        boot = CARD + """
import os, vfs
vfs.VfsFat.mkfs(c)
vfs.mount(vfs.VfsFat(c), "/sd")
os.mkdir("/sd/A longer name")
with open("/sd/A longer name/x", "w") as f:
    f.write("x" * 5000)
os.chdir("/sd/A longer name")
print("=>", os.listdir(), os.stat("x")[6], os.getcwd())
"""
        for board in self.each_board():
            self.blank_card()
            r = self.power(board, boot=boot)
            self.assertEqual(r.results, ["['x'] 5000 /sd/A longer name"], r.out)


class Memory(EmuTest):
    def test_heap(self):
        boot = "import gc\nprint('=>', gc.mem_alloc() + gc.mem_free())\n"
        for board in self.each_board():
            for size in (32, 64, 1024):
                r = self.power(board, "--heap", "%dK" % size, boot=boot)
                self.assertLess(int(r.results[0]), size << 10)
                self.assertGreater(int(r.results[0]), (size << 10) * 15 // 16)

    def test_code(self):
        for board in self.each_board():
            for where in ("4K", "heap"):
                r = self.power(board, "--exec", where, boot=NATIVE)
                self.assertEqual(r.results, ["42 True"], r.out)

    def test_no_room_for_code(self):
        for board in self.each_board():
            r = self.power(board, "--exec", "16", boot=NATIVE)
            self.assertIn("MemoryError: memory allocation failed", r.out)

    def test_soft_reset_frees_code(self):
        for board in self.each_board():
            r = self.power(board, "--exec", "200", boot=NATIVE, typed="\x04\x04\x04")
            self.assertEqual(r.results, ["42 True"] * 4, r.out)


class Web(EmuTest):
    GET = """
import socket
a = socket.getaddrinfo("updates.example", 80, 0, socket.SOCK_STREAM)[0][-1]
def get(path):
    s = socket.socket()
    s.settimeout(5)
    s.connect(a)
    s.write(b"GET %s HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n" % path)
    data = s.recv(9)
    buf = bytearray(100)
    while True:
        n = s.readinto(buf)
        if not n:
            break
        data += buf[:n]
    s.close()
    head, body = data.split(b"\\r\\n\\r\\n")
    print("=>", head.split(b"\\r\\n")[0], b"Content-Length: 3000" in head, len(body), set(body))
get(b"/there")
get(b"/not-there")
"""

    def test_get(self):
        web = self.dir / "web"
        web.mkdir()
        (web / "there").write_bytes(b"x" * 3000)
        for board in self.each_board():
            r = self.power(board, "--web", web, boot=self.GET)
            self.assertEqual(r.results[0], "b'HTTP/1.1 200 OK' True 3000 {120}", r.out)
            self.assertTrue(r.results[1].startswith("b'HTTP/1.1 404 "), r.out)

    def test_refused(self):
        boot = "import socket\ns = socket.socket()\ntry:\n    s.connect(('127.0.0.1', 1))\n"
        boot += "except OSError as e:\n    print('=>', e.errno)\n"
        for board in self.each_board():
            self.assertEqual(self.power(board, boot=boot).results, ["111"])


class Terminal(EmuTest):
    def test_interrupt(self):
        # What mpremote does first: interrupts the application, then talks to the REPL.
        for board in self.each_board():
            self.make_flash("print('=> runs')\nwhile True:\n    pass\n")
            link = self.dir / "tty"
            command = [ROOT / "build" / "emu" / board / "board", "--flash", self.flash]
            process = subprocess.Popen([*command, "--terminal", link])
            try:
                self.talk(link)
            finally:
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(10), 128 + signal.SIGTERM)
            self.assertFalse(os.path.lexists(link))

    def talk(self, link):
        end = time.monotonic() + 20
        while not link.exists() and time.monotonic() < end:
            time.sleep(0.01)
        fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, fd)
        for typed, awaited in ((b"", b"=> runs"), (b"\x03", b">>> "), (b"6 * 7\r", b"42\r\n")):
            os.write(fd, typed)
            seen = b""
            while awaited not in seen and select.select([fd], [], [], 5)[0]:
                seen += os.read(fd, 1000)
            self.assertIn(awaited, seen)


if __name__ == "__main__":
    unittest.main()
