# SPDX-License-Identifier: MIT
"""The card comes from any block device: what boot(sd=...) takes, drivers as people have them."""

import unittest

from rig import HASTY, MIB, BoardTest, digest

FILES = {"main.py": b"print('main runs')\n", "app/.version": b"1.2.3\n"}
STAY = "sdboot: staying on internal flash"

# A driver in Python, of the card in the slot. Those of the tests differ from it in one thing each.
DRIVER = """
import gc, machine
made = []
def bus():
    if not made:
        made.append(machine.SDCard(slot=1, width=1))
    return made[0]

class Driver:
    def __init__(self):
        self.card = bus()
        self.sectors = self.card.ioctl(4, 0)
        if self.sectors < 0:
            raise OSError("no SD card")  # as micropython-lib's sdcard.py says it

    def readblocks(self, block, buf):
        return self.card.readblocks(block, buf)

    def writeblocks(self, block, buf):
        return self.card.writeblocks(block, buf)

    def ioctl(self, op, arg):
        if op == 4:
            return self.sectors
        if op == 5:
            return 512
"""
# Runs under boot(): what is written must be there after the next power-on.
JOB = """
def job():
    with open("/data.txt", "w") as f:
        f.write("of a driver")
    with sdboot.transaction():
        with open("/other.txt", "w") as f:
            f.write("too")
    return sdboot.status()["journal"]
attempt(job)
"""


class DriverTest(BoardTest):
    def boots(self, body, sd="Driver()", boot="", files=FILES, driver=DRIVER):
        self.fat_card(files)
        arguments = ", ".join(x for x in ("sd=" + sd, boot) if x)
        r = self.power(boot=arguments, before=HASTY + driver + body, job=JOB)
        self.assertIn("sdboot: 1.2.3 on SD card, FAT, 8 MiB", r.out)
        self.assertEqual(r.results, ["on"], r.out)
        self.assertIn("main runs", r.out)
        again = self.power(job="attempt(lambda: (open('data.txt').read(), open('other.txt').read()))")
        self.assertEqual(again.results, ["('of a driver', 'too')"])
        return r

    def stays(self, body, sd, *say, card=True):
        if card:
            self.fat_card(FILES)
            before = digest(self.card)
        else:
            self.card = None
        r = self.power(boot="sd=" + sd, before=HASTY + DRIVER + body, typed="6 * 7\n")
        for text in (*say, STAY, "\n42\n"):
            self.assertIn(text, r.out)
        self.assertNotIn("main runs", r.out)
        if card:
            self.assertUntouched(before)
        return r


class Given(DriverTest):
    """The forms of sd=."""

    def test_object(self):
        self.boots("")

    def test_class(self):
        self.boots("", "Driver")

    def test_function(self):
        self.boots("def make():\n    return Driver()\n", "make")

    def test_object_of_the_firmware(self):
        self.boots("", "machine.SDCard(slot=1, width=1)")

    def test_class_of_the_firmware(self):
        self.boots("", "machine.SDCard")

    def test_no_device(self):
        for sd in ("3", "'SD'", "()"):
            with self.subTest(sd):
                self.stays("", sd, "sd= is a block device, a function that makes one, or a dict")

    def test_function_that_makes_none(self):
        self.stays("", "lambda: None", "sd= returned no block device: None")

    def test_function_that_fails(self):
        body = "def make():\n    return Driver().spi.init()\n"
        r = self.stays(body, "make", "AttributeError", "line ", "sd= has failed: AttributeError(")
        self.assertEqual(r.out.count("Traceback"), 1)


class Tries(DriverTest):
    """A card that answers late, or never."""

    def test_function_is_called_at_each_try(self):
        self.fat_card(FILES)
        body = """
calls = []
def make():
    calls.append(1)
    if len(calls) < 4:
        raise OSError(116)
    return Driver()
"""
        r = self.power(boot="sd=make", before=HASTY + DRIVER + body, job="print('=>', len(calls))")
        self.assertEqual(r.results, ["4"])
        self.assertIn("main runs", r.out)

    def test_what_failed_is_ended(self):
        self.fat_card(FILES)
        body = """
log = []
class Late(Driver):
    def ioctl(self, op, arg):
        if op == 4 and log.count("deinit") < 2:
            return -1
        return super().ioctl(op, arg)
    def deinit(self):
        log.append("deinit")
"""
        r = self.power(boot="sd=Late", before=HASTY + DRIVER + body, job="print('=>', log)")
        self.assertEqual(r.results, ["['deinit', 'deinit']"])
        self.assertIn("main runs", r.out)

    def test_object_is_asked_again(self):
        self.fat_card(FILES)
        body = """
asked = []
class Late(Driver):
    def ioctl(self, op, arg):
        asked.append(op)
        if asked.count(1) < 3:
            return -1
        return super().ioctl(op, arg)
    def deinit(self):
        raise SystemExit  # it is not ours to end
"""
        r = self.power(boot="sd=Late()", before=HASTY + DRIVER + body)
        self.assertIn("main runs", r.out)

    def test_firmware_object_answers_late(self):
        self.fat_card(FILES)
        for fails in (1, 3):
            r = self.power("--card-init-fails", fails, boot="sd=__import__('machine').SDCard()")
            self.assertIn("main runs", r.out)

    def test_no_card(self):
        say = "sdboot: no SD card after 5 tries (no SD card): is it inserted"
        self.stays("", "Driver", say, card=False)

    def test_no_card_in_the_firmwares_object(self):
        say = "sdboot: no SD card after 5 tries ([Errno 19] ENODEV)"
        self.stays("", "machine.SDCard()", say, card=False)


class Drivers(DriverTest):
    """Drivers that differ from what the documentation of MicroPython asks for."""

    def ioctl(self, body):
        self.boots("class Other(Driver):\n    def ioctl(self, op, arg):\n        %s\n" % body, "Other")

    def test_unknown_ioctl_is_an_error_number(self):
        for number in (-1, -22, -5):
            with self.subTest(number=number):
                self.ioctl("return {4: self.sectors, 5: 512}.get(op, %d)" % number)

    def test_unknown_ioctl_raises(self):
        self.ioctl("return {4: self.sectors, 5: 512}[op]")
        self.ioctl("if op in (4, 5): return (self.sectors, 512)[op - 4]\n        raise OSError(22)")

    def test_no_block_size(self):
        self.ioctl("return self.sectors if op == 4 else None")
        self.ioctl("return self.sectors if op == 4 else -22")

    def test_size_by_count_only(self):
        body = """
class Other(Driver):
    def ioctl(self, op, arg):
        return None
    def count(self):
        return self.sectors
"""
        self.boots(body, "Other")

    def test_first_block_protocol(self):
        body = """
class Other:
    def __init__(self):
        d = Driver()
        self.readblocks, self.writeblocks = d.readblocks, d.writeblocks
        self.count = lambda: d.sectors
        self.sync = lambda: synced.append(1)
synced = []
"""
        self.boots(body, "Other")
        r = self.power(boot="sd=Other()", before=HASTY + DRIVER + body, job=JOB + "print('=>', len(synced) > 3)")
        self.assertEqual(r.results, ["on", "True"])

    def test_results_of_transfers(self):
        for result in ("None", "0", "True"):
            with self.subTest(result):
                body = """
class Other(Driver):
    def readblocks(self, block, buf):
        self.card.readblocks(block, buf)
        return %s
    def writeblocks(self, block, buf):
        self.card.writeblocks(block, buf)
        return %s
"""
                self.boots(body % (result, result), "Other")

    def test_offset_is_optional(self):
        body = """
class Other(Driver):
    def readblocks(self, block, buf, offset=0):
        assert offset == 0
        return self.card.readblocks(block, buf)
    def writeblocks(self, block, buf, offset=None):
        assert offset is None
        return self.card.writeblocks(block, buf)
"""
        self.boots(body, "Other")

    def test_offset_is_demanded(self):
        body = """
class Other(Driver):
    def readblocks(self, block, buf, offset):
        return self.card.readblocks(block, buf)
    def writeblocks(self, block, buf, offset):
        return self.card.writeblocks(block, buf)
"""
        self.boots(body, "Other")

    def test_must_be_turned_on(self):
        # As pyb.SDCard of STM32: no size before ioctl(1), and -1 for what it does not know.
        body = """
class Other(Driver):
    on = False
    def ioctl(self, op, arg):
        if op == 1:
            self.on = True
        return {1: 0, 2: 0, 3: 0, 4: self.sectors if self.on else 0, 5: 512}.get(op, -1)
    def readblocks(self, block, buf):
        return self.on and self.card.readblocks(block, buf)
    def writeblocks(self, block, buf):
        return self.on and self.card.writeblocks(block, buf)
"""
        self.boots(body, "Other()")
        self.boots(body, "Other")

    def test_other_block_size(self):
        body = "class Other(Driver):\n    def ioctl(self, op, arg):\n        return 4096\n"
        self.stays(body, "Other", "has blocks of 4096 bytes, sdboot needs 512")

    def test_ram_disk_of_the_documentation(self):
        body = """
class RAMBlockDev:
    def __init__(self, block_size, num_blocks):
        self.block_size = block_size
        self.data = bytearray(block_size * num_blocks)

    def readblocks(self, block_num, buf, offset=0):
        addr = block_num * self.block_size + offset
        for i in range(len(buf)):
            buf[i] = self.data[addr + i]

    def writeblocks(self, block_num, buf, offset=None):
        if offset is None:
            # do erase, then write
            for i in range(len(buf) // self.block_size):
                self.ioctl(6, block_num + i)
            offset = 0
        addr = block_num * self.block_size + offset
        for i in range(len(buf)):
            self.data[addr + i] = buf[i]

    def ioctl(self, op, arg):
        if op == 4: # block count
            return len(self.data) // self.block_size
        if op == 5: # block size
            return self.block_size
        if op == 6: # block erase
            return 0
"""
        self.card = None
        job = "attempt(lambda: sdboot.status()['size'])\n" + JOB.replace("sdboot.status", "None or sdboot.status")
        r = self.power("--heap", "32M", boot="sd=RAMBlockDev(512, 8192)", before=HASTY + body, job=job)
        self.assertEqual(r.results, [str(4 * MIB), "on"], r.out)
        say = "the SD card is too small for FAT"
        self.assertIn(say, self.power(boot="sd=RAMBlockDev(512, 50)", before=HASTY + body).out)

    def test_littlefs(self):
        self.littlefs_card(FILES)
        job = "attempt(lambda: open('/x', 'w').write('kept'))\nattempt(lambda: sdboot.status()['filesystem'])"
        r = self.power(boot="sd=Driver", before=HASTY + DRIVER, job=job)
        self.assertEqual(r.results, ["4", "littlefs"])
        self.assertIn("main runs", r.out)


class Fails(DriverTest):
    """A driver that fails when the card is in use: the application gets an OSError."""

    def fails(self, how, errno):
        self.fat_card(FILES)
        body = """
class Other(Driver):
    broken = False
    def readblocks(self, block, buf):
        if self.broken:
            %s
        return self.card.readblocks(block, buf)
driver = Other()
"""
        job = """
def read():
    driver.broken = True
    try:
        return open("/main.py").read()
    finally:
        driver.broken = False
attempt(read)
attempt(lambda: len(open("/main.py").read()))
"""
        r = self.power(boot="sd=driver", before=HASTY + DRIVER + body % how, job=job)
        self.assertIn("OSError " + str(errno), r.errors[0])
        self.assertEqual(r.results, [str(len(FILES["main.py"]))])

    def test_raises(self):
        self.fails("raise OSError(110)", 5)
        self.fails('raise OSError("timeout waiting for response")', 5)

    def test_returns(self):
        self.fails("return False", 5)
        self.fails("return -5", 5)
        self.fails("return 1", 5)


class Pins(DriverTest):
    """Recovery pins that are no numbers, and what is known of a driver's pins."""

    def test_forms_of_the_pin(self):
        self.fat_card(FILES)
        for pin in ("21", "__import__('machine').Pin(21)"):
            with self.subTest(pin):
                r = self.power("--pin", "21=0", boot="pin=" + pin)
                self.assertIn("sdboot: recovery pin is low: card is at /sd", r.out)
                self.assertIn("main runs", self.power(boot="pin=" + pin).out)

    def test_pin_of_the_card(self):
        self.fat_card(FILES)
        for boot in (
            "pin=machine.Pin(2)",
            "pin=2, sd={'slot': 1, 'data': (machine.Pin(2), 4)}",
            "pin=machine.Pin(18), sd={'slot': 2}",
        ):
            with self.subTest(boot):
                r = self.power(boot=boot, before=HASTY + "import machine\n")
                self.assertRegex(r.out, "recovery pin .* is the card's (data|sck) pin: choose another")
                self.assertNotIn("Traceback", r.out)

    def test_pins_of_a_driver(self):
        self.fat_card(FILES)
        body = """
class SPI:
    def __str__(self):
        return "SPI(0, baudrate=1000000, polarity=0, phase=0, bits=8, sck=18, mosi=19, miso=16)"
class Other(Driver):
    spi = SPI()
    cs = machine.Pin(17)
"""
        for pin, name in ((18, "sck"), (19, "mosi"), (16, "miso"), (17, "cs")):
            for sd in ("Other()", "Other", "lambda: Other()"):
                with self.subTest(pin=pin, sd=sd):
                    r = self.power(boot="pin=%d, sd=%s" % (pin, sd), before=HASTY + DRIVER + body)
                    say = "recovery pin %d is the card's %s pin: choose another" % (pin, name)
                    self.assertIn(say, r.out)
        r = self.power(boot="pin=21, sd=Other", before=HASTY + DRIVER + body)
        self.assertIn("main runs", r.out)

    def test_no_such_pin(self):
        self.fat_card(FILES)
        r = self.power(boot="pin=99")
        self.assertIn("recovery pin 99: ", r.out)
        self.assertIn("boot(pin=...) names another", r.out)


if __name__ == "__main__":
    unittest.main()
