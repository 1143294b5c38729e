# SPDX-License-Identifier: MIT
# Runs one of MicroPython's own tests on the simulated board's MicroPython (--host), unchanged:
#
#   board --host journaled.py plain|sdboot TEST.py DATA
#
# With "sdboot" what the test mounts is mounted through sdboot's block devices: FAT through the
# journal, littlefs through Card. A test that opens files by name finds itself in "/card", a FAT on
# a card in memory, where the files of the folder DATA are.

import os
import sys
import vfs

import _sdboot
import _sdarea
import _sdcard

SECTOR = 512
FRONT = 1024  # sectors before the partition: room for the control area


class RamCard:
    # Allocates nothing when it is used: the collector may be closing a file.

    def __init__(self, sectors):
        self.data = bytearray(sectors * SECTOR)

    def readblocks(self, n, buf):
        start = n * SECTOR
        for i in range(len(buf)):
            buf[i] = self.data[start + i]

    def writeblocks(self, n, buf):
        start = n * SECTOR
        for i in range(len(buf)):
            self.data[start + i] = buf[i]

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // SECTOR
        if op == 5:
            return SECTOR


class Partitioned:
    # The test's device as the only partition of a card.

    def __init__(self, device, sectors):
        self.device = device
        self.sectors = sectors
        self.front = RamCard(FRONT)
        entry = bytes((0, 0, 0, 0, 6, 0, 0, 0)) + FRONT.to_bytes(4, "little")
        self.front.data[446:462] = entry + sectors.to_bytes(4, "little")
        self.front.data[510:512] = b"\x55\xaa"

    def readblocks(self, n, buf):
        if n < FRONT:
            self.front.readblocks(n, buf)
        else:
            return self.device.readblocks(n - FRONT, buf)

    def writeblocks(self, n, buf):
        if n < FRONT:
            self.front.writeblocks(n, buf)
        else:
            return self.device.writeblocks(n - FRONT, buf)

    def ioctl(self, op, arg):
        if op == 4:
            return FRONT + self.sectors
        if op == 5:
            return SECTOR


class Sectors:
    # A device of larger blocks with the extended protocol, in sectors of 512 bytes.

    def __init__(self, device, block):
        self.device = device
        self.block = block

    def _place(self, n):
        at = n * SECTOR
        return at // self.block, at % self.block

    def readblocks(self, n, buf):
        view = memoryview(buf)
        for i in range(0, len(buf), SECTOR):
            block, off = self._place(n + i // SECTOR)
            res = self.device.readblocks(block, view[i : i + SECTOR], off)
            if res:
                return res

    def writeblocks(self, n, buf):
        view = memoryview(buf)
        for i in range(0, len(buf), SECTOR):
            block, off = self._place(n + i // SECTOR)
            res = self.device.writeblocks(block, view[i : i + SECTOR], off)
            if res:
                return res

    def ioctl(self, op, arg):
        if op == 4:
            return self.device.ioctl(4, 0) * (self.block // SECTOR)
        if op == 5:
            return SECTOR
        return self.device.ioctl(op, arg)


def volume_of(card):
    volume = _sdboot.Volume(card, True)
    if not volume.has() & 2:
        _sdarea.Area(card, True).prepare()
        volume = _sdboot.Volume(card, True)
    if not volume.has() & 2:
        raise RuntimeError("no journal: %s" % (volume.info(),))
    return volume


cards = []  # (the test's device, the card made of it)


def card_of(device):
    for known, card in cards:
        if known is device:
            return card
    sectors = device.ioctl(4, 0) if hasattr(device, "ioctl") else device.count()
    card = _sdboot.Card(Partitioned(device, sectors))
    cards.append((device, card))
    return card


class VfsFat:
    def __new__(cls, device):
        try:
            volume = volume_of(card_of(device))
        except OSError:  # holds no FAT
            return vfs.VfsFat(device)
        return vfs.VfsFat(volume.device())

    mkfs = vfs.VfsFat.mkfs


class VfsLfs2:
    def __new__(cls, device, *args, **kwargs):
        return vfs.VfsLfs2(blocks_of(device), *args, **kwargs)

    @staticmethod
    def mkfs(device, *args, **kwargs):
        vfs.VfsLfs2.mkfs(blocks_of(device), *args, **kwargs)


def blocks_of(device):
    block = device.ioctl(5, 0)
    if block is None or block % SECTOR:
        return device
    return _sdboot.Card(Sectors(device, block), block)


def holds_fat(device):
    if device.ioctl(5, 0) != SECTOR:
        return False
    sector = bytearray(SECTOR)
    device.readblocks(0, sector)
    return sector[510:] == b"\x55\xaa"


class Plain:
    # The module `vfs` as the test sees it. The board has littlefs 2 only, some tests want both.
    VfsFat = vfs.VfsFat
    VfsLfs1 = vfs.VfsLfs2
    VfsLfs2 = vfs.VfsLfs2
    mount = vfs.mount
    umount = vfs.umount


class Sdboot:
    VfsFat = VfsFat
    VfsLfs1 = VfsLfs2
    VfsLfs2 = VfsLfs2
    umount = vfs.umount

    @staticmethod
    def mount(what, *args, **kwargs):
        if hasattr(what, "readblocks") and holds_fat(what):
            what = VfsFat(what)
        vfs.mount(what, *args, **kwargs)


def card_with(journalled, folder):
    device = RamCard(8192)
    card = _sdboot.Card(device)
    if _sdcard.mkfs(card, 1):
        raise RuntimeError("mkfs")
    vfs.mount(vfs.VfsFat(volume_of(card).device() if journalled else card), "/card")
    os.mkdir("/card/data")
    for name in os.listdir(folder):
        with open(folder + "/" + name, "rb") as f, open("/card/data/" + name, "wb") as g:
            g.write(f.read())
    os.chdir("/card")


def main(how, test, folder):
    with open(test) as f:
        source = f.read()
    if "vfs" not in source:
        card_with(how == "sdboot", folder)
    else:
        sys.modules["vfs"] = Sdboot if how == "sdboot" else Plain
        sys.modules["os"] = OsWith(sys.modules["vfs"])
    exec(compile(source, test, "exec"), {"__name__": "__main__"})


class OsWith:
    # Older tests reach vfs through os.

    def __init__(self, more):
        self.more = more

    def __getattr__(self, name):
        return getattr(self.more, name, None) or getattr(os, name)


how, test, folder = sys.argv[1:]
del sys.argv[1:]
main(how, test, folder)
