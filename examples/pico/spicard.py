# SPDX-License-Identifier: MIT
# An SD card on SPI as a block device, for boards whose firmware has no driver: copy it to /lib.
#
#     from machine import Pin, SPI
#     from spicard import SPICard
#     card = SPICard(SPI(1, sck=Pin(10), mosi=Pin(11), miso=Pin(12)), Pin(13))
#
# Cards of any size, one or many blocks at a time; OSError on a card that does not answer. SD
# Physical Layer Simplified Specification 6.00, chapter 7. MIT license.
import time

_TRIES = 100  # bytes until a card answers a command
_TIMEOUT_MS = 500  # of a block read or written
_READY_MS = 1500  # of the initialisation


class SPICard:
    def __init__(self, spi, cs, baudrate=20_000_000):
        self.spi = spi
        self.cs = cs
        self.one = bytearray(1)
        self.six = bytearray(6)
        self.idle = bytearray(b"\xff" * 512)
        self.high = memoryview(self.idle)
        cs.init(cs.OUT, value=1)
        spi.init(baudrate=250_000, polarity=0, phase=0)
        self._start()
        spi.init(baudrate=baudrate)

    def _start(self):
        self.spi.write(self.high[:16])  # 74 clocks at least
        for _ in range(5):
            if self._command(0, 0, 0x95) == 1:
                break
        else:
            raise OSError(19, "no SD card answers on SPI")
        version2 = self._command(8, 0x1AA, 0x87, 4) == 1
        start = time.ticks_ms()
        while True:
            self._command(55, 0)
            if self._command(41, 0x40000000 if version2 else 0) == 0:
                break
            if time.ticks_diff(time.ticks_ms(), start) > _READY_MS:
                raise OSError(110, "the SD card does not become ready")
            time.sleep_ms(5)
        # Cards above 2 GB are addressed by sector, the others by byte.
        self._command(58, 0, more=4)
        self.shift = 0 if self.answer[0] & 0x40 else 9
        csd = bytearray(16)
        if self._command(9, 0, hold=True):
            raise OSError(5, "the SD card does not say its size")
        self._read_block(memoryview(csd))
        self._end()
        if csd[0] >> 6:
            self.sectors = ((csd[7] & 63) << 16 | csd[8] << 8 | csd[9]) + 1 << 10
        else:
            size = (csd[6] & 3) << 10 | csd[7] << 2 | csd[8] >> 6
            scale = ((csd[9] & 3) << 1 | csd[10] >> 7) + 2 + (csd[5] & 15) - 9
            self.sectors = size + 1 << scale
        if self.shift and self._command(16, 512):
            raise OSError(5, "the SD card has no sectors of 512 bytes")

    def _command(self, number, argument, crc=1, more=0, hold=False):
        # Returns the answer's first byte, -1 if there is none; `more` bytes go to self.answer.
        spi, one, six = self.spi, self.one, self.six
        self.cs(0)
        spi.readinto(one, 0xFF)
        six[0] = 0x40 | number
        six[1] = argument >> 24
        six[2] = argument >> 16 & 0xFF
        six[3] = argument >> 8 & 0xFF
        six[4] = argument & 0xFF
        six[5] = crc
        spi.write(six)
        if number == 12:
            spi.readinto(one, 0xFF)  # a byte that is none of the answer
        for _ in range(_TRIES):
            spi.readinto(one, 0xFF)
            if not one[0] & 0x80:
                break
        else:
            self._end()
            return -1
        result = one[0]
        if more:
            self.answer = spi.read(more, 0xFF)
        if not hold:
            self._end()
        return result

    def _end(self):
        self.cs(1)
        self.spi.write(self.high[:1])

    def _fail(self, text, lba, code=5):
        self._end()
        raise OSError(code, "%s at sector %d of the SD card" % (text, lba))

    def _wait(self, wanted, ignore):
        # Until the card says something but `ignore`; is it what is `wanted`?
        readinto, one = self.spi.readinto, self.one
        start = time.ticks_ms()
        while True:
            readinto(one, 0xFF)
            if one[0] != ignore:
                return one[0] == wanted
            if time.ticks_diff(time.ticks_ms(), start) > _TIMEOUT_MS:
                return False

    def _read_block(self, view):
        if not self._wait(0xFE, 0xFF):
            return False
        self.spi.write_readinto(self.high[: len(view)], view)
        self.spi.write(self.high[:2])  # its CRC
        return True

    def readblocks(self, lba, buf):
        view = memoryview(buf)
        count = len(view) // 512
        if self._command(18 if count > 1 else 17, lba << self.shift, hold=True):
            self._fail("read refused", lba)
        for i in range(count):
            if not self._read_block(view[i * 512 : (i + 1) * 512]):
                if count > 1:
                    self._command(12, 0)
                self._fail("read error", lba + i)
        if count > 1:
            self._command(12, 0, hold=True)
            self._wait(0xFF, 0)
        self._end()

    def writeblocks(self, lba, buf):
        spi, one = self.spi, self.one
        view = memoryview(buf)
        count = len(view) // 512
        token = b"\xff\xfc" if count > 1 else b"\xff\xfe"
        if self._command(25 if count > 1 else 24, lba << self.shift, hold=True):
            self._fail("write refused", lba)
        for i in range(count):
            spi.write(token)
            spi.write(view[i * 512 : (i + 1) * 512])
            spi.write(self.high[:2])
            spi.readinto(one, 0xFF)
            accepted = one[0] & 0x1F == 5
            if not (self._busy() and accepted):
                if count > 1:
                    self._command(12, 0)
                self._fail("write error", lba + i)
        if count > 1:
            spi.write(b"\xfd\xff")
            if not self._busy():
                self._fail("no end of a write", lba, 110)
        self._end()

    def _busy(self):
        # Waits until the card has written: then it no longer holds the line low.
        one, start = self.one, time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < _TIMEOUT_MS:
            self.spi.readinto(one, 0xFF)
            if one[0]:
                return True
        return False

    def ioctl(self, op, arg):
        if op == 4:
            return self.sectors
        if op == 5:
            return 512
        return 0
