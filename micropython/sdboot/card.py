# SPDX-License-Identifier: MIT
# The SD card, up to a filesystem object: used at boot, then dropped from memory.

import time

from micropython import const

from . import mounted
from ._errors import CardError, Error, check
from ._native import load
from .mounted import mount_fat, mount_safe

_ENOENT = const(2)
_EIO = const(5)
_ENODEV = const(19)
_EINVAL = const(22)
_ENOSPC = const(28)
_EBADE = const(52)
_EILSEQ = const(84)
_EUCLEAN = const(117)
_ELOG = const(229)

RESTORED = "the first sectors of the SD card were damaged and have been restored from copies"
PARTED = (
    ", power failed in the middle of something large: space may be lost "
    "until `sdboot card repair` or a PC's disk check has run"
)
TRIES = 5
PAUSE_MS = 200

LFS_BLOCK = 4096
WIPE_BLOCKS = 32  # sector 256 is behind the last mark that probe() looks for


def open(sd):
    source = load("device").Source(sd)
    for i in range(TRIES):
        if i:
            time.sleep_ms(PAUSE_MS << i)
        try:
            return source.card()
        except Error:  # not the card's fault
            raise
        except OSError as e:
            error = e
    raise CardError(
        error.errno if isinstance(error.errno, int) else 19,  # sdcard.py: OSError("no SD card")
        "no SD card after %d tries (%s): is it inserted, are there pull-ups on its lines?"
        % (TRIES, error),
    )


def use(card, fs, formatting, journal):
    # Mounts nothing yet: what is found is in mounted.*.
    mounted.kind, found, device, mounted.volume = mount(card, fs, formatting, journal)
    mounted.card = device if mounted.volume is None else card
    mounted.fs = load("_sdboot").Mount(found, device, mounted.renew)


def mount(card, fs, formatting, journal):
    # Returns one of mounted.KINDS, the filesystem object, the device it is mounted on and the Volume
    # (FAT only). A card that sdboot has used before is known at sight; any other is looked at, and
    # formatted if that is what it needs and may get.
    volume = _known_fat(card, journal)
    block = 0 if volume else _known_littlefs(card)
    kind = "fat" if volume else "littlefs"
    if not volume and not block:
        kind, block = recognise(card, fs, formatting)
    try:
        if kind != "fat":
            blocks = load("_sdboot").Card(card, block)
            return kind, mount_safe(kind, blocks), blocks, None
        if volume:
            mounted.why = volume.info()[mounted.WHY]
        else:
            volume = _new_volume(card, journal)
        device = volume.device()
        return kind, mount_fat(device), device, volume
    except OSError as e:
        if e.errno not in (_ENODEV, _EINVAL, _EBADE, _EILSEQ, _EUCLEAN):
            raise  # the card's fault or the board's (memory), not the filesystem's
        text = "the %s on the SD card can't be mounted (%s)" % (kind, e)
        if formatting == "any" and e.errno == _EILSEQ:  # littlefs: corrupt, which no device says
            print("sdboot: %s: formatting it as %s" % (text, fs))
            format(card, fs)
            return mount(card, fs, "never", journal)
        if kind == "fat":
            text += "; repair it on a PC, fsck.fat does it"
        raise CardError(
            e.errno,
            '%s. To format it, ALL DATA ON IT IS LOST: sdboot.format("%s")' % (text, fs),
        )


def _known_fat(card, journal):
    try:
        volume = load("_sdboot").Volume(card, journal)
        has = volume.has()
        # 4: its control area wants care first, from _new_volume(). 0: it has none, and gets none
        # without the journal.
        return volume if has in (1, 3) or not (has or journal) else None
    except OSError as e:  # no FAT, or it can't be read: recognise() says which
        if e.errno == _ELOG:
            raise
        return None


def _known_littlefs(card):
    # The superblock's magic and version, then its block size (littlefs SPEC.md).
    buf = bytearray(512)
    if card.readblocks(0, buf) or buf[8:16] != b"littlefs" or buf[22] != 2:
        return 0
    block = int.from_bytes(buf[24:28], "little")
    # recognise() says what is wrong with any other.
    return block if block and block % 512 == 0 and block <= card.ioctl(4, 0) << 8 else 0


def recognise(card, fs, formatting, again=False):
    # Returns one of mounted.KINDS, and the block size of those but FAT.
    found = load("_sdprobe").probe(card)
    if isinstance(found, int):
        check(found, "read error on the SD card (%d); nothing was formatted" % -found, CardError)
    kind, name = found[0], found[1]
    if kind in mounted.SAFE and found[2]:
        kind, name = "foreign", "%s in a partition, sdboot wants it on the whole card" % kind
    if kind in mounted.KINDS:
        return kind, found[3]
    # Power may have failed while the first sector got the pointer to the journal: it can look like
    # anything then, even erased. A flipped bit makes a FAT that FatFs does not mount.
    torn = kind in ("unknown", "lost", "partitions") or name.startswith(("damaged", "FAT"))
    if torn and not again and rescued(card, formatting):
        return recognise(card, fs, formatting, True)
    if kind == "lost":
        name += " at sector %d, but no partition table that leads to it" % found[2]
    elif kind == "partitions":
        types = [found[5] >> shift & 0xFF for shift in (0, 8, 16, 24)]
        name += " (types %s) with nothing known in them" % ", ".join("0x%02x" % t for t in types)
    # "auto" formats what is proved empty, and goes on where it was cut short.
    empty = kind in ("blank", "exfat-empty", "unfinished")
    if formatting == "never" or (formatting == "auto" and not empty):
        raise CardError(
            _ENODEV,
            "the SD card holds %s; it was left as it is. %sTo format it, ALL DATA ON IT IS LOST: "
            'sdboot.format("%s")' % (name, found[4], fs),
        )
    print("sdboot: the SD card holds %s: formatting it as %s" % (name, fs))
    format(card, fs)
    return fs, LFS_BLOCK


def format(card, fs):
    if fs in mounted.SAFE:
        blocks = load("_sdboot").Card(card, LFS_BLOCK)
        # littlefs writes but a few sectors: marks of what was there before would outlive it. Sector
        # 0 says that the card is being formatted until littlefs replaces it. If that is cut short
        # a card that was blank must look so elsewhere: what is erased gets its value.
        wiped = bytearray(LFS_BLOCK)
        failed = card.readblocks(card.ioctl(4, 0) - LFS_BLOCK // 512, wiped)
        wiped = (b"\xff" if wiped[0] == 0xFF else b"\0") * LFS_BLOCK
        sdcard = load("_sdcard")
        failed = failed or sdcard.begin(card) or card.writeblocks(1, memoryview(wiped)[512:])
        for i in range(1, WIPE_BLOCKS):
            failed = failed or blocks.writeblocks(i, wiped)
        if failed:
            raise CardError(_EIO, "formatting the SD card failed: it can't be written, try another")
        mounted.safe(fs).mkfs(blocks, **mounted.LFS)
        sdcard.end(card)
    elif fs == "fat":
        error = load("_sdcard").mkfs(card, time.ticks_us())
        if error == -_ENOSPC:
            raise CardError(_ENOSPC, "the SD card is too small for FAT: 3 MiB is the least")
        check(error, "formatting the SD card failed (%d)" % -error, CardError)
    else:
        raise ValueError(mounted.FS_IS)


def _new_volume(card, journal):
    # A FAT volume without control area, or one that is of an older version or was found damaged. If
    # there is none in the end the card is used without a journal; mounted.why says why.
    why = _make_area(card, journal)
    volume = load("_sdboot").Volume(card, journal)
    found = volume.info()[mounted.WHY]
    mounted.why = why if found == -_ENOENT and why else found
    return volume


def _make_area(card, journal):
    area = load("_sdarea").Area(card, journal)
    try:
        code = area.prepare()
    except OSError as e:
        if e.errno != _ENOENT or not rescued(card):
            raise
        code = area.prepare()
    if code == -_ENOSPC:  # no room before the first partition, or not enough: it becomes a file
        device = area.begin()
        code = device if isinstance(device, int) else area.make(mount_fat(device))
        if code:
            code = area.last()
    if area.done() & 1:
        print("sdboot:", RESTORED)
    if area.done() & 2:
        print("sdboot: the journal of an older version on the SD card has been replaced")
    return code


def rescued(card, formatting="auto"):
    # A card of ours whose first sectors are damaged: True if they have been put back.
    code = load("_sdprobe").rescue(card)
    if code == 2 and formatting != "any":
        raise CardError(
            _EIO,
            "the first sectors of the SD card are lost, with parts of which there is no copy; "
            "it was left as it is: rescue its files on a PC (testdisk, photorec)",
        )
    if code == 1:
        print("sdboot:", RESTORED)
    return code == 1


def mount_again():
    # After an error: what the filesystem has in memory may not be what is on the card.
    mounted.drop()
    mounted.renew()


def describe():
    size = mounted.card.ioctl(4, 0) * mounted.card.ioctl(5, 0) >> 20
    text = "%s, %d MiB" % ("FAT" if mounted.kind == "fat" else mounted.kind, size)
    if mounted.volume is not None:
        info = mounted.volume.info()
        if info[mounted.REPLAYED] == 1:
            text += ", finished what a power cut had left"
        elif info[mounted.REPLAYED] == 2:
            text += ", changed elsewhere since a power cut: used as it is"
        if info[mounted.PARTED]:
            text += PARTED
    return text
