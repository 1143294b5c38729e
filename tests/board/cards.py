# SPDX-License-Identifier: MIT
"""Cards as other systems make them."""

import random
import struct
import zlib

from rig import blank, host, read_sector, run, write_at

MIB = 1 << 20
TYPES = {12: 0x01, 16: 0x0E, 32: 0x0C, "exfat": 7, "ext4": 0x83, "littlefs": 0xDA, "gpt": 0xEE}


def mbr(image, start, kind, size=None):
    """An MBR with one partition from sector `start` on, up to the end of the card if no size."""
    with open(image, "rb") as f:
        end = f.seek(0, 2) // 512
    entry = bytes([0, 0xFE, 0xFF, 0xFF, TYPES[kind], 0xFE, 0xFF, 0xFF])
    entry += struct.pack("<II", start, size or end - start)
    write_at(image, 440, b"disk\0\0" + entry + bytes(48) + b"\x55\xaa")


def table(image, lba, *entries):
    """A partition table in sector `lba`, of entries (type, start, length)."""
    parts = b"".join(
        bytes([0, 0xFE, 0xFF, 0xFF, kind, 0xFE, 0xFF, 0xFF]) + struct.pack("<II", start, size)
        if kind or start
        else bytes(16)
        for kind, start, size in entries
    )
    write_at(image, lba * 512 + 446, parts.ljust(64, b"\0") + b"\x55\xaa")


def embed(image, volume, start):
    """Copies a volume into the card, as far as it isn't zeros."""
    with open(volume, "rb") as f, open(image, "r+b") as card:
        for at in iter(lambda: f.tell(), None):
            data = f.read(65536)
            if not data:
                return
            if data.strip(b"\0"):
                card.seek(start * 512 + at)
                card.write(data)


def fat(image, bits, start=None, size=None, options=()):
    """mkfs.fat's FAT12, 16 or 32, on the whole card or in a partition at sector `start`."""
    size = size or {12: 4, 16: 12, 32: 40}[bits] * MIB
    blank(image, size)
    command = ["mkfs.fat", "-F", bits, "-i", "12345678", *options]
    if bits == 32:
        command += ["-s", "1"]
    if start:
        mbr(image, start, bits)
        command += ["--offset", start, "-h", start, image, (size - start * 512) // 1024]
    else:
        command.append(image)
    run(*command)


def exfat(image, files=(), start=None, size=16 * MIB):
    volume = str(image) + ".volume" if start else image
    blank(volume, size)
    run("mkfs.exfat", volume)
    for name in files:
        exfat_add(volume, name)
    run("fsck.exfat", "-n", volume)
    if start:
        blank(image, size + start * 512)
        embed(image, volume, start)
        mbr(image, start, "exfat")


def exfat_add(volume, name):
    """Adds an empty file to the root directory: exFAT specification 1.00, sections 6 and 7.4."""
    boot = read_sector(volume, 0)
    heap, root = struct.unpack_from("<I", boot, 88)[0], struct.unpack_from("<I", boot, 96)[0]
    at = (heap << boot[108]) + ((root - 2) << boot[108] << boot[109])
    text = name.encode("utf-16-le")
    names = [text[i : i + 30].ljust(30, b"\0") for i in range(0, len(text), 30)]
    stamp = (46 << 25 | 1 << 21 | 1 << 16).to_bytes(4, "little")  # 2026-01-01
    entries = bytes([0x85, 1 + len(names), 0, 0, 0x20, 0, 0, 0]) + 3 * stamp + bytes(12)
    entries += bytes([0xC0, 1, 0, len(name)]) + struct.pack("<H", exfat_hash(name)) + bytes(26)
    entries += b"".join(b"\xc1\0" + n for n in names)
    total = 0
    for i, byte in enumerate(entries):
        if i not in (2, 3):
            total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    entries = entries[:2] + struct.pack("<H", total) + entries[4:]
    with open(volume, "r+b") as f:
        f.seek(at)
        directory = f.read(512)
        used = next(i for i in range(0, 512, 32) if directory[i] == 0)
        f.seek(at + used)
        f.write(entries)


def exfat_hash(name):
    total = 0
    for byte in name.upper().encode("utf-16-le"):
        total = ((total << 15 | total >> 1) + byte) & 0xFFFF
    return total


def ntfs(image, size=8 * MIB):
    blank(image, size)
    run("mkntfs", "-F", "-Q", "-q", "-s", "512", image)


def ext4(image, size=8 * MIB):
    blank(image, size)
    run("mkfs.ext4", "-q", "-F", image)


def gpt(image, size=16 * MIB):
    """UEFI specification 2.10, section 5.3: a protective MBR, the header, 128 entries."""
    blank(image, size)
    last = size // 512 - 1
    mbr(image, 1, "gpt")
    linux = bytes.fromhex("af3dc60f838472478e793d69d8477de4")
    table = linux + b"unique partition" + struct.pack("<QQQ", 2048, last - 34, 0)
    table = table.ljust(16384, b"\0")
    header = struct.pack("<8sIIIIQQQQ", b"EFI PART", 0x10000, 92, 0, 0, 1, last, 34, last - 33)
    header += b"unique disk guid" + struct.pack("<QIII", 2, 128, 128, zlib.crc32(table))
    header = header[:16] + struct.pack("<I", zlib.crc32(header)) + header[20:]
    write_at(image, 512, header)
    write_at(image, 1024, table)


def garbage(image, size=8 * MIB, seed=1):
    with open(image, "wb") as f:
        f.write(random.Random(seed).randbytes(1 * MIB))
        f.truncate(size)


def micropython_fat(folder, image, size, files=()):
    """VfsFat.mkfs() on the bare card, as the original's boot.py does it, then `files`."""
    blank(image, size)
    script = folder / "mkfs.py"
    script.write_text(MKFS)
    tree = folder / "mkfs-tree"
    tree.mkdir(exist_ok=True)
    for name, data in dict(files).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    host(script, image, tree)


MKFS = """
import os, sys, vfs

class Card:
    def __init__(self, path):
        self.file = open(path, "r+b")
        self.blocks = self.file.seek(0, 2) // 512

    def readblocks(self, block, buf):
        self.file.seek(block * 512)
        self.file.readinto(buf)

    def writeblocks(self, block, buf):
        self.file.seek(block * 512)
        self.file.write(buf)

    def ioctl(self, op, arg):
        return {4: self.blocks, 5: 512}.get(op, 0)

def copy(source, target):
    for name, kind, *_ in os.ilistdir(source):
        if kind & 0x4000:
            os.mkdir(target + "/" + name)
            copy(source + "/" + name, target + "/" + name)
        else:
            with open(source + "/" + name, "rb") as f, open(target + "/" + name, "wb") as t:
                t.write(f.read())

card = Card(sys.argv[1])
vfs.VfsFat.mkfs(card)
vfs.mount(vfs.VfsFat(card), "/.card")
copy(sys.argv[2], "/.card")
vfs.umount("/.card")
card.file.close()
"""
