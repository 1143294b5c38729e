# The SD card, up to a filesystem object: used at boot, then dropped from memory.

import time

import _sdboot
import vfs

from . import Error

TRIES = 5
PAUSE_MS = 200

# Pins that the firmware drives when machine.SDCard is told nothing else, on the original ESP32.
_ESP32_PINS = {
    1: {"sck": 14, "cmd": 15, "data": (2, 4, 12, 13)},
    2: {"sck": 18, "miso": 19, "mosi": 23, "cs": 5},
    3: {"sck": 14, "miso": 2, "mosi": 15, "cs": 13},
}
_PIN_ARGUMENTS = ("sck", "miso", "mosi", "cs", "cmd", "data", "cd", "wp")

LFS = {"readsize": 512, "progsize": 512, "lookahead": 2048}
LFS_BLOCK = 4096
WIPE_BLOCKS = 32  # sector 256 is behind the last mark that probe() looks for


def _pin_numbers(value):
    if value is None:
        return ()
    if isinstance(value, (tuple, list)):
        return [n for v in value for n in _pin_numbers(v)]
    if isinstance(value, int):
        return (value,)
    # A machine.Pin prints as Pin(18) or Pin(18, mode=...).
    return (int(str(value).split("(")[1].split(",")[0].split(")")[0]),)


def _card_pins(sd):
    import os

    machine = os.uname()[4]
    default = {}
    if machine.endswith("ESP32"):
        default = _ESP32_PINS.get(sd.get("slot", 1), {})
    for name in _PIN_ARGUMENTS:
        numbers = _pin_numbers(sd.get(name, default.get(name)))
        if name == "data":
            numbers = list(numbers)[: sd.get("width", 1)]
        for number in numbers:
            yield number, name


def pressed(pin, sd):
    # Is the recovery pin held low? A pin that the card needs is refused, not driven.
    if pin is None:
        return False
    from machine import Pin

    for number, name in _card_pins(sd):
        if number == pin:
            raise ValueError(
                "recovery pin %d is the card's %s pin: choose another, boot(pin=...)" % (pin, name)
            )
    return Pin(pin, Pin.IN, Pin.PULL_UP).value() == 0


def open(sd):
    from machine import SDCard

    for i in range(TRIES):
        if i:
            time.sleep_ms(PAUSE_MS << i)
        card = None
        try:
            card = SDCard(**sd)
            return _sdboot.Card(card)
        except OSError as e:
            error = e
            if card is not None:
                card.deinit()
    raise Error(
        error.errno,
        "no SD card after %d tries (%s): is it inserted, are there pull-ups on its lines?"
        % (TRIES, error),
    )


def recognise(card, fs, formatting):
    # Returns "fat" or "littlefs"; formats the card if that is what it needs and may get.
    found = _sdboot.probe(card)
    if isinstance(found, int):
        raise Error(-found, "read error on the SD card (%d); nothing was formatted" % -found)
    kind, name = found[0], found[1]
    if kind == "littlefs" and found[2]:
        kind, name = "foreign", "littlefs in a partition, sdboot wants it on the whole card"
    if kind in ("fat", "littlefs"):
        return kind
    # Power may have failed while the first sector got the pointer to the journal: it can look like
    # anything then, even erased.
    torn = kind in ("blank", "unknown") or name.startswith("damaged")
    if torn and _sdboot.rescue(card) > 0:
        print("sdboot: the first sector of the SD card was damaged and has been restored")
        return recognise(card, fs, formatting)
    if formatting == "never" or (formatting == "auto" and kind == "foreign"):
        raise Error(
            19,
            "the SD card holds %s; it was left as it is. To format it, ALL DATA ON IT IS LOST: "
            'sdboot.format("%s")' % (name, fs),
        )
    print("sdboot: the SD card holds %s: formatting it as %s" % (name, fs))
    format(card, fs)
    return fs


def format(card, fs):
    if fs == "littlefs":
        blocks = _sdboot.Card(card, LFS_BLOCK)
        # littlefs writes but a few sectors: marks of what was there before would outlive it.
        for i in range(WIPE_BLOCKS):
            if blocks.writeblocks(i, bytes(LFS_BLOCK)):
                raise Error(5, "formatting the SD card failed: it can't be written")
        vfs.VfsLfs2.mkfs(blocks, **LFS)
    elif fs == "fat":
        error = _sdboot.mkfs(card, time.ticks_us())
        if error == -28:
            raise Error(28, "the SD card is too small for FAT: 3 MiB is the least")
        if error < 0:
            raise Error(-error, "formatting the SD card failed (%d)" % -error)
    else:
        raise ValueError('fs is "fat" or "littlefs"')


def filesystem(card, kind, journal):
    # Returns the filesystem object, the block device it is on and the Volume (FAT only).
    try:
        if kind == "littlefs":
            blocks = _sdboot.Card(card, _sdboot.probe(card)[3])
            return mount_littlefs(blocks), blocks, None
        volume = _sdboot.Volume(card, journal)
        if journal and volume.info()[1] == -28:
            _journal_file(volume)
        return mount_fat(volume), card, volume
    except OSError as e:
        if e.errno == 5:
            raise  # the card's fault, not the filesystem's
        raise Error(
            e.errno,
            "the %s on the SD card can't be mounted (%s); repair it on a PC%s"
            % (kind, e, ", fsck.fat does it" if kind == "fat" else ""),
        )


def mount_littlefs(blocks):
    return vfs.VfsLfs2(blocks, **LFS)


def mount_again(blocks, volume):
    # After an error: what the filesystem has in memory may not be what is on the card.
    if volume is None:
        return mount_littlefs(blocks)
    volume.abort()
    return mount_fat(volume)


def mount_fat(volume):
    fs = vfs.VfsFat(volume.device())
    fs.ilistdir("/")  # VfsFat() itself accepts a card without a filesystem
    return fs


def _journal_file(volume):
    # No room before the first partition: the journal becomes a file. If that fails, the card is
    # used without a journal; status() says why.
    if volume.begin_file() == 0:
        volume.make_file(mount_fat(volume))


def describe(card, kind, volume):
    size = card.ioctl(4, 0) * card.ioctl(5, 0) >> 20
    text = "%s, %d MiB" % ("FAT" if kind == "fat" else kind, size)
    if volume is not None:
        replay = volume.info()[0]
        if replay == 1:
            text += ", finished what a power cut had left"
        elif replay == 2:
            text += ", changed elsewhere since a power cut: used as it is"
    return text


def reason(e):
    if isinstance(e, Error) or e.errno is None:
        return e
    return "SD card error %d, %s" % (e.errno, _sdboot.strerror(-e.errno))
