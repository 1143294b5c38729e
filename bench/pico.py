# SPDX-License-Identifier: MIT
"""`make bench-pico`: what a boot and an update take a Raspberry Pi Pico, emulated, with the card's
driver in Python: milliseconds, 1000 instructions, milliseconds on the SPI bus, commands and sectors
read and written. Caches of the flash are not modelled: a real one is slower."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "pico"))
import test_pico_update  # noqa: E402
from test_pico_update import BOOT, CONFIRM, package, release  # noqa: E402

HEAD = "                           ms  1000 i   bus   read   secs  write   secs"
LINE = "    %-22s %6d %7d %5d %6d %6d %6d %6d"
# One sector and eight at once, ten times each, by the driver and by nothing but the bus.
SECTORS = """
import time
def timed(what, f, *args):
    start = time.ticks_us()
    for _ in range(10):
        f(*args)
    print("=>", what, time.ticks_diff(time.ticks_us(), start) // 10)
one, bus = card(), SPI(1)
for n in (1, 8):
    buf = bytearray(512 * n)
    timed("read %d" % n, one.readblocks, 0, buf)
    one.readblocks(100, buf)
    timed("write %d" % n, one.writeblocks, 100, buf)
    timed("bus %d" % n, bus.readinto, buf)
"""


class Bench(test_pico_update.Update):
    def show(self, what, r):
        s = r.stats
        values = [s["us"] // 1000, s["instructions"] // 1000, s["us_bus"] // 1000]
        for kind in ("read_commands", "read_sectors", "write_commands", "write_sectors"):
            values.append(s["card_" + kind])
        print(LINE % (what, *values))

    def runTest(self):
        files = {"app/file%d.bin" % i: bytes([i]) * 20000 for i in range(10)}
        tar = package({**release("0.0.2", CONFIRM), **files})
        print("    " + HEAD)
        self.show("boot", self.power())
        self.show("boot, stage %d KiB" % (len(tar) >> 10), self.stage(tar, "0.0.2", boot=BOOT))
        self.show("boot, swap, trial", self.power())
        print("    microseconds:", ", ".join(self.power(job=SECTORS).results))


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=0).run(Bench())
    sys.exit(not result.wasSuccessful())
