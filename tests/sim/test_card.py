# SPDX-License-Identifier: MIT
# machine.SDCard is as strict as ESP32's, and the card's faults, counters and power cut are exact.
import unittest
from board import Bench

SECTORS = 64
OPEN = "from machine import SDCard, Pin\nsd = SDCard()\n"


# Sectors that differ from each other: number n is full of byte n.
def content(sectors=SECTORS):
    return b"".join(bytes([n]) * 512 for n in range(sectors))


class Card(unittest.TestCase):
    def setUp(self):
        self.bench = Bench({})
        self.addCleanup(self.bench.dir.cleanup)

    def run_main(self, text, *options, card=True):
        self.bench.set_files({"main.py": text})
        if card:
            self.bench.make_card(content())
        return self.bench.run(*options)

    # Evaluates expressions, one a line; returns their results as text, an exception as its name.
    def values(self, *expressions, options=(), card=True, start=OPEN):
        text = start + "import _board\n"
        text += "buf = bytearray(1024)\n"
        for e in expressions:
            text += "try:\n    print('=', %s)\nexcept Exception as er:\n" % e
            text += "    print('=', type(er).__name__, er)\n"
        r = self.run_main(text, *options, card=card)
        self.last = r
        return [line[2:] for line in r.out.splitlines() if line.startswith("= ")]


class Strictness(Card):
    def test_block_protocol(self):
        self.assertEqual(
            self.values(
                "sd.ioctl(1, 0)",
                "sd.ioctl(3, 0)",
                "sd.ioctl(4, 0)",
                "sd.ioctl(5, 0)",
                "sd.ioctl(6, 0)",
                "sd.ioctl(2, 0)",
                "sd.info()",
                "sd.readblocks(3, buf), buf[0], buf[511], buf[512], buf[1023]",
                "sd.readblocks(0, buf, 0)",
                "sd.writeblocks(0, buf, 0)",
                "sd.readblocks(0)",
                "sd.ioctl(1)",
            ),
            [
                "0",
                "0",
                "64",
                "512",
                "-1",
                "0",
                "(32768, 512)",
                "True 3 3 4 4",
                "TypeError function takes 3 positional arguments but 4 were given",
                "TypeError function takes 3 positional arguments but 4 were given",
                "TypeError function takes 3 positional arguments but 2 were given",
                "TypeError function takes 3 positional arguments but 2 were given",
            ],
        )

    def test_whole_sectors_only(self):
        # The driver divides by 512: half a sector is no sector.
        got = self.values("sd.readblocks(5, memoryview(buf)[:700]), buf[0], buf[512]")
        self.assertEqual(got, ["True 5 0"])
        self.assertEqual(self.last.stats["card_read_sectors"], 1)

    def test_end_of_the_card(self):
        got = self.values("sd.readblocks(63, buf)", "sd.readblocks(64, buf)", "sd.readblocks(-1, buf)")
        self.assertEqual(got, ["False"] * 3)

    def test_constructor(self):
        got = self.values(
            "SDCard(1)",
            "SDCard(slot=0)",
            "SDCard(slot=4)",
            "SDCard(slot=1, mosi=5)",
            "SDCard(slot=1, cs=5)",
            "SDCard(slot=1, cmd=5)",
            "SDCard(slot=1, data=(5,))",
            "SDCard(sector=512)",
            "SDCard(slot=2, sck=99)",
            "SDCard(slot=1, width=8)",
            start="from machine import SDCard\n",
        )
        self.assertEqual(
            got,
            [
                "TypeError extra positional arguments given",
                "ValueError invalid slot number",
                "ValueError invalid slot number",
                "ValueError invalid config: SDMMC slot with SPI pin arguments",
                "ValueError invalid config: SDMMC slot with SPI pin arguments",
                "TypeError extra keyword arguments given",
                "TypeError extra keyword arguments given",
                "TypeError extra keyword arguments given",
                "ValueError invalid pin",
                "ValueError width must be 1 or 4 (or 8 on slot 0)",
            ],
        )

    def test_one_object_a_slot_until_deinit(self):
        got = self.values("SDCard()", "sd.deinit()", "SDCard().info()")
        self.assertEqual(got[0], "OSError (-259, 'ESP_ERR_INVALID_STATE')")
        self.assertEqual(got[2], "(32768, 512)")

    def test_soft_reset_frees_the_slot(self):
        text = OPEN + "print(sd.info())\nimport machine\n"
        text += "if machine.reset_cause() == 1: machine.soft_reset()\n"
        self.assertEqual(self.run_main(text).out.count("(32768, 512)"), 2)

    def test_dead_object(self):
        got = self.values("sd.info()[1]", "sd.deinit()", "sd.readblocks(0, buf)")
        self.assertEqual(got, ["512", "None", "False"])

    def test_pins(self):
        self.assertEqual(self.values("_board.card_pins()"), ["[2, 14, 15]"])
        start = "from machine import SDCard, Pin\nsd = SDCard(slot=2, cs=22)\n"
        got = self.values("_board.card_pins()", "Pin(18, Pin.IN, Pin.PULL_UP)()", start=start)
        self.assertEqual(got, ["[18, 19, 22, 23]", "1"])
        self.assertEqual(self.last.stats["pins_shared"], ["18"])
        self.values("Pin(18, Pin.IN, Pin.PULL_UP)()")
        self.assertEqual(self.last.stats["pins_shared"], [])


class Faults(Card):
    def test_no_card(self):
        got = self.values(
            "sd.ioctl(1, 0)",
            "sd.ioctl(4, 0)",
            "sd.readblocks(0, buf)",
            "sd.writeblocks(0, buf)",
            "sd.info()",
            card=False,
        )
        self.assertEqual(got[:4], ["-1", "-1", "False", "False"])
        self.assertEqual(got[4], "OSError [Errno 110] ETIMEDOUT: ESP_ERR_TIMEOUT")

    def test_init_fails_twice(self):
        got = self.values("sd.info()", "sd.info()", "sd.info()", options=["--card-init-fails", 2])
        self.assertEqual(got[0], "OSError [Errno 110] ETIMEDOUT: ESP_ERR_TIMEOUT")
        self.assertEqual(got[1:], [got[0], "(32768, 512)"])

    def test_bad_sectors(self):
        got = self.values(
            *["sd.readblocks(%d, buf)" % n for n in (3, 4, 5, 7, 8, 20, 21)],
            "sd.writeblocks(5, buf)",
            options=["--card-bad", "5-7", "--card-bad", "21"],
        )
        want = [True, False, False, False, True, False, False, True]
        self.assertEqual(got, [str(w) for w in want])

    def test_mounting_a_bad_card_is_an_io_error(self):
        got = self.values("__import__('vfs').VfsFat(sd)", options=["--card-bad", "0"])
        self.assertEqual(got, ["OSError [Errno 5] EIO"])

    def test_read_only(self):
        got = self.values("sd.writeblocks(0, buf)", "sd.readblocks(0, buf)", options=["--card-ro"])
        self.assertEqual(got, ["False", "True"])

    def test_pin_levels(self):
        expression = "Pin(18, Pin.IN, Pin.PULL_UP).value()"
        self.assertEqual(self.values(expression, card=False), ["1"])
        self.assertEqual(self.values(expression, options=["--pin", "18=0"], card=False), ["0"])
        got = self.values("Pin(34, Pin.OUT)", "Pin(40)", "Pin(-1)", "Pin(4, Pin.OUT, value=0)()")
        self.assertEqual(got[0], "ValueError pin can only be input")
        self.assertEqual(got[1:], ["ValueError invalid pin"] * 2 + ["0"])


WRITES = """
w = memoryview(bytearray(b"\\xee" * 2048))
sd.writeblocks(10, w[:512])
sd.writeblocks(20, w)
sd.writeblocks(11, w[:1024])
print("all written")
"""
# In the order of writing:
ORDER = [10, 20, 21, 22, 23, 11, 12]


class Cut(Card):
    def new_sectors(self):
        with open(self.bench.card, "rb") as f:
            now = f.read()
        old = content()
        self.assertEqual(len(now), len(old))
        new = []
        for n in range(SECTORS):
            sector = now[512 * n : 512 * n + 512]
            if sector != old[512 * n : 512 * n + 512]:
                self.assertEqual(sector, b"\xee" * 512)
                new.append(n)
        return new

    def test_every_cut(self):
        for cut in range(1, len(ORDER) + 2):
            r = self.run_main(OPEN + WRITES, "--cut", cut)
            self.assertEqual(self.new_sectors(), sorted(ORDER[: cut - 1]))
            self.assertEqual(r.stats["card_write_sectors"], min(cut - 1, len(ORDER)))
            self.assertEqual(r.status, 75 if cut <= len(ORDER) else 0)
            self.assertEqual("power cut" in r.err, cut <= len(ORDER))
            self.assertEqual("all written" in r.out, cut > len(ORDER))

    def test_counts_over_hard_resets(self):
        text = OPEN + "sd.writeblocks(8, b'\\xee' * 1024)\nimport machine\nmachine.reset()\n"
        r = self.run_main(text, "--cut", 6, "--max-resets", 9)
        self.assertEqual((r.status, r.stats["resets_hard"]), (75, 2))
        self.assertEqual(r.stats["card_write_sectors"], 5)


class Counters(Card):
    def test_counters_trace_and_time(self):
        trace = self.bench.path("trace")
        text = OPEN + WRITES + "sd.readblocks(1, w)\nsd.ioctl(3, 0)\n"
        # Not aligned for DMA: the driver moves it sector by sector.
        text += "sd.readblocks(7, memoryview(bytearray(1025))[1:])\n"
        options = ["--card-command-us", 1000, "--card-read-kbs", 512, "--card-write-kbs", 256]
        r = self.run_main(text, "--trace", trace, *options)
        want = {"card_inits": 1, "card_sync": 1}
        want.update(card_read_commands=3, card_read_sectors=6)
        want.update(card_write_commands=3, card_write_sectors=7)
        want["modelled_card_ms"] = 6 + 6 * 1 + 7 * 2
        for name, value in want.items():
            self.assertEqual((name, r.stats[name]), (name, value))
        with open(trace) as f:
            lines = f.read().splitlines()
        self.assertEqual(lines, ["w 10 1", "w 20 4", "w 11 2", "r 1 4", "r 7 1", "r 8 1"])

    def test_fat_works_on_it(self):
        text = OPEN + "import vfs, os\nvfs.VfsFat.mkfs(sd)\nvfs.mount(sd, '/sd')\n"
        text += "f = open('/sd/a', 'w')\nf.write('x' * 1000)\nf.close()\nvfs.umount('/sd')\n"
        text += "vfs.mount(sd, '/sd')\nprint(os.stat('/sd/a')[6], len(open('/sd/a').read()))\n"
        self.bench.set_files({"main.py": text})
        self.bench.make_card(bytes(1 << 20))
        self.assertIn("1000 1000", self.bench.run().out)

    def test_littlefs_needs_more_than_two_arguments(self):
        got = self.values("__import__('vfs').VfsLfs2.mkfs(sd)")
        self.assertRegex(got[0], "TypeError|OSError")


class Failures(Card):
    COUNT = "[sd.%s(0, buf) for _ in range(5)]"

    def test_once_and_from_then_on(self):
        for what, command in (("r", "readblocks"), ("w", "writeblocks")):
            values = self.values(self.COUNT % command, options=["--card-fail", what + "3"])
            self.assertEqual(values, ["[True, True, False, True, True]"])
            values = self.values(self.COUNT % command, options=["--card-fail", what + "3+"])
            self.assertEqual(values, ["[True, True, False, False, False]"])

    def test_half(self):
        start = OPEN + "new = bytearray(b'N' * 2048)\n"
        values = self.values(
            "sd.writeblocks(10, new)", "sd.writeblocks(20, new)", options=["--card-fail", "w1/"], start=start
        )
        self.assertEqual(values, ["False", "True"])
        with open(self.bench.card, "rb") as f:
            card = f.read()
        self.assertEqual(card[10 * 512 : 14 * 512], b"N" * 1024 + content()[12 * 512 : 14 * 512])
        self.assertEqual(card[20 * 512 : 24 * 512], b"N" * 2048)

    def test_counted_from_now_on(self):
        values = self.values(
            "sd.writeblocks(0, buf)",
            "_board.card_fail('w2')",
            "_board.card_commands()",
            "sd.writeblocks(0, buf), sd.writeblocks(0, buf), sd.writeblocks(0, buf)",
            "_board.card_commands()",
            "_board.card_fail('w1+'), sd.writeblocks(0, buf), _board.card_fail('')",
            "sd.writeblocks(0, buf)",
        )
        self.assertEqual(values[2], "(0, 1)")
        self.assertEqual(values[3:5], ["True False True", "(0, 4)"])
        self.assertEqual(values[5:], ["None False None", "True"])

    def test_nonsense(self):
        for what in ("x1", "r", "w0", "r1/", "w1++", "w1x", "1"):
            r = self.run_main("", "--card-fail", what)
            self.assertEqual(r.status, 2, what)
            self.assertIn("is not rN, wN, rN+, wN+ or wN/", r.err)


class Fork(Card):
    """A copy of the board has its own card, through resets; the first one goes on as it was."""

    def test_copy(self):
        r = self.run_main(
            OPEN
            + """
import _board, machine
buf = bytearray(512)
if machine.reset_cause() == machine.PWRON_RESET:
    for i in (1, 2):
        status = _board.fork()
        if status is None:
            sd.writeblocks(5, bytes([65 + i]) * 512)
            machine.reset()
        sd.readblocks(5, buf)
        print("first", status, buf[0], machine.reset_cause())
else:
    sd.readblocks(5, buf)
    print("copy", buf[0], machine.reset_cause() == machine.HARD_RESET)
    import time
    time.sleep_ms(2)
    machine.Timer(0, period=1, mode=machine.Timer.ONE_SHOT, callback=lambda t: print("timer"))
    time.sleep_ms(50)
"""
        )
        lines = [line for line in r.out.replace(">>> ", "").splitlines() if line.split(" ")[0] in ("first", "copy", "timer")]
        self.assertEqual(
            lines,
            ["copy 66 True", "timer", "first 0 5 1", "copy 67 True", "timer", "first 0 5 1"],
            r.out + r.err,
        )
        self.assertEqual(r.stats["resets_hard"], 0)
        with open(self.bench.card, "rb") as f:
            self.assertEqual(f.read(), content())


if __name__ == "__main__":
    unittest.main()
