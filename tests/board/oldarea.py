# SPDX-License-Identifier: MIT
"""Control areas as sdboot made them before version 2 of the format, docs/FORMAT.md."""

import struct
import zlib

from rig import find_fat, read_sector, write_at

SECTOR = 512


def sealed(data):
    data = data.ljust(508, b"\0")
    return data + struct.pack("<I", zlib.crc32(data))


def record(bad, seq):
    """A state record that says that the release `bad` has been taken back."""
    data = b"SDBR" + bytes([1, 0, 0, 3, 0, 0, 0, 0]) + struct.pack("<I", seq)
    return sealed(data.ljust(80, b"\0") + bad.encode())


def find_journal(image):
    """(lba, offset, first cluster) of the directory entry of /.sdboot/journal."""
    with open(image, "rb") as f:
        data = f.read()
    at = data.index(b"JOURNAL    \x20")
    low, high = struct.unpack_from("<H", data, at + 26), struct.unpack_from("<H", data, at + 20)
    return at // SECTOR, at % SECTOR, low[0] | high[0] << 16


def cluster_lba(image, cluster):
    start = find_fat(image)
    boot = read_sector(image, start)
    reserved, fats, entries = struct.unpack_from("<HBH", boot, 14)
    length = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
    return start + reserved + fats * length + entries // 16 + (cluster - 2) * boot[13]


def make(image, lba, sectors, entry=(0, 0, 0), bad="9.9.9", commit=()):
    """Makes an area of version 1 at `lba`. `entry`: of the file that it is in. `commit`: pairs of a
    sector and its new content, committed but not yet in place."""
    at, offset, first = entry
    size = sectors * SECTOR if at else 0
    ident = b"sdbC" + struct.pack("<IIIIIII", 1, lba, sectors, at, offset, first, size)
    write_at(image, lba * SECTOR, sealed(ident))
    write_at(image, (lba + 1) * SECTOR, record("0.0.1", 1))
    write_at(image, (lba + sectors - 1) * SECTOR, record(bad, 2))
    slots = max(s for s in range(1, sectors) if s + (s - 1) // 40 <= sectors - 4)
    header = b"sdbJ" + struct.pack("<IIIIII", 1, lba, sectors, len(commit), 0, 0)
    for i, (home, new) in enumerate(commit):
        write_at(image, (lba + sectors - 1 - slots + i) * SECTOR, new)
        header += struct.pack("<III", home, zlib.crc32(new), zlib.crc32(read_sector(image, home)))
    if commit:
        write_at(image, (lba + 2) * SECTOR, sealed(header))
    pointer = b"sdbP" + struct.pack("<II", lba, sectors)
    pointer += struct.pack("<I", zlib.crc32(pointer))
    write_at(image, 384, pointer)
    start = find_fat(image)
    if start == 0 and read_sector(image, 6)[510:] == b"\x55\xaa":
        write_at(image, 6 * SECTOR + 384, pointer)
