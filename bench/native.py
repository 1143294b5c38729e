#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-native`: what the native modules cost a board, on each instruction set.

Bytes of MicroPython's heap and of executable memory are exact. Times are the emulator's, told as
multiples of a loop of plain Python (10,000 rounds) on the same board: the least of five power-ons.
Then the smallest heap with which a whole update works: found, staged, swapped in, verified,
confirmed.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lab import ROOT, Nginx, host, mcopy  # noqa: E402

WORK = ROOT / "build" / "bench-native"
BOARDS = (
    ("xtensawin", ROOT / "build/emu/xtensa/board"),
    ("rv32imc", ROOT / "build/emu/virt-rv32/board"),
    ("armv7m", ROOT / "build/emu/mps2/board"),
    ("x64", ROOT / "build/sim-bare/board"),
)
FILES = 60  # of the release
RUNS = 5
STEP = 1024  # bytes: how exactly the smallest heap is found
HEAP = (24 << 10, 160 << 10)

# Runs in boot.py: name, microseconds, bytes of heap that stay taken, bytes of executable memory.
MEASURE = """
import gc, sys, time
try:
    from emu import exec_used
except ImportError:
    def exec_used():
        return 0
sys.path.append("/lib")
def measure(name, f):
    gc.collect()
    free, code, start = gc.mem_free(), exec_used(), time.ticks_us()
    f()
    took = time.ticks_diff(time.ticks_us(), start)
    gc.collect()
    print("=>", name, took, free - gc.mem_free(), exec_used() - code)
def loop():
    for i in range(10000):
        pass
def load():
    import sdboot
def boot():
    import sdboot
    sdboot.boot(trial_timeout=0)
def ota():
    import sdboot
    sdboot.OTA("http://127.0.0.1:1")
    from sdboot._native import load
    load("_sdlist")
    load("_sdhttp")
    load("_sdota")
measure("loop", loop)
measure("import", load)
measure("boot", boot)
measure("updater", ota)
"""
NAMES = ("import", "boot", "updater")

MAIN = """
import machine, sdboot
if sdboot.version() == "0.0.1":
    if sdboot.OTA("%s").install_update_if_available():
        machine.reset()
else:
    sdboot.confirm()
    print("=> confirmed", sdboot.status()["state"], sdboot.version())
"""
BOOT = "import sdboot\nsdboot.boot(trial_timeout=0)\n"


def release(url):
    """The running release on a card, and a newer one on the web server's folder."""
    old = WORK / "old"
    new = WORK / "new"
    for tree, version in ((old, "0.0.1"), (new, "0.0.2")):
        (tree / "app").mkdir(parents=True)
        (tree / "app" / ".version").write_text(version)
        (tree / "main.py").write_text(MAIN % url)
    for i in range(FILES):
        path = new / "app" / ("package%d" % (i % 5)) / ("module_%02d.mpy" % i)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(i + n & 255 for n in range(300 * (i % 9 + 1))))
    www = WORK / "www"
    subprocess.run(["tar", "-C", new, "-cf", www / "f.tar", "app", "main.py"], check=True)
    sha1 = hashlib.sha1((www / "f.tar").read_bytes()).hexdigest()
    (www / "versions").write_text("0.0.2;f.tar;%s\n" % sha1)
    card = WORK / "card.img"
    with open(card, "wb") as f:
        f.truncate(64 << 20)
    return card, sorted(old.iterdir())


class Board:
    def __init__(self, arch, command):
        self.arch = arch
        self.command = command
        self.flash = WORK / (arch + ".flash")
        self.package = ROOT / "build" / "native" / arch / "lib" / "sdboot"

    def power(self, boot, *options, card=None):
        source = WORK / "boot.py"
        source.write_text(boot)
        sources = ("%s:/boot.py" % source, "%s:/lib/sdboot" % self.package)
        host(ROOT / "sim" / "flash.py", "make", self.flash, *sources)
        command = [self.command, "--flash", self.flash, "--max-resets", "4", *options]
        if card is not None:
            command += ["--card", card]
        done = subprocess.run(
            [str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=300
        )
        return done.stdout.decode(errors="replace")

    def measure(self, card):
        """{name: (microseconds, the least of RUNS power-ons, bytes of heap, bytes of code)}"""
        best = {}
        for _ in range(RUNS):
            image = WORK / "measured.img"
            shutil.copy(card, image)
            out = self.power(MEASURE, card=image)
            # The first power-on of them: then the application updates and resets.
            found = re.findall(r"^=> (\w+) (\d+) (-?\d+) (\d+)", out.replace("\r", ""), re.M)
            if len(found) < 4:
                sys.exit("%s: %s" % (self.arch, out))
            for name, us, heap, code in found[:4]:
                least = min(int(us), best.get(name, (int(us),))[0])
                best[name] = least, int(heap), int(code)
        return best

    def updates(self, card, heap):
        image = WORK / "updated.img"
        shutil.copy(card, image)
        return "=> confirmed idle 0.0.2" in self.power(BOOT, "--heap", heap, card=image)

    def smallest_heap(self, card):
        low, high = HEAP
        if not self.updates(card, high):
            sys.exit("%s: the update fails even with %d bytes of heap" % (self.arch, high))
        while high - low > STEP:
            middle = (low + high) // 2
            if self.updates(card, middle):
                high = middle
            else:
                low = middle
        return high


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "www").mkdir(parents=True)
    with Nginx(WORK / "www") as url:
        card, old = release(url)
        boards = [Board(*b) for b in BOARDS]
        boards[-1].power(BOOT, card=card)  # formats it
        mcopy(card, *old)
        print("%-10s %-8s %8s %8s %8s" % ("", "", "heap", "code", "time/loop"))
        for board in boards:
            found = board.measure(card)
            for name in NAMES:
                us, heap, code = found[name]
                shown = "%8d" % code if board.arch != "x64" else "%8s" % "-"
                ratio = us / max(1, found["loop"][0])
                print("%-10s %-8s %8d %s %8.1f" % (board.arch, name, heap, shown, ratio))
        for board in boards:
            heap = board.smallest_heap(card)
            print("%-10s update of %d files works with a heap of %d bytes" % (board.arch, FILES, heap))


if __name__ == "__main__":
    main()
