# What boot() has found, and what can be said and done about it at any time: at the bottom of the
# package, every other part may import it.

import os

import vfs

from ._errors import CardError, check
from ._native import load

card = None  # the block device (_sdboot.Card)
fs = None  # the filesystem object on it
kind = None  # "fat" or "littlefs"
volume = None  # the FAT volume with its journal (_sdboot.Volume), None on littlefs
point = None  # where it is mounted: "/" or "/sd"

# What _sdboot.record() returns, and the numbers in it (core/release/record.h).
STATE, LEFT, EVENT, EVENT_VERSION, VERSION, BAD, FLAGS = range(7)
IDLE, STAGED, SWAPPING, TRIAL, REVERTING = range(5)
INSTALLED, CONFIRMED, ROLLED_BACK, EXPIRED, CORRUPT = range(1, 6)


def filesystem():
    if fs is None:
        raise CardError(19, "no SD card in use: call sdboot.boot() first, see its messages")
    return fs


def record(where=""):
    """The state record, a tuple: see above."""
    found = load("_sdboot").record(filesystem(), volume)
    if isinstance(found, int):
        check(found, where + "the state record on the card")
    return found


def version(directory="app", name=".version"):
    """The version that the file `name` in `directory` of the card says: its first word. "0.0.0" if
    there is no such file, "?" if it is empty."""
    try:
        with filesystem().open("/%s/%s" % (directory, name), "rb") as f:
            return load("_sdboot").version(f.read(128)) or "?"
    except OSError as e:
        if e.errno != 2:
            raise
        return "0.0.0"


def mount_fat(device):
    found = vfs.VfsFat(device)
    found.ilistdir("/")  # VfsFat() itself accepts a card without a filesystem
    return found


def failed():
    """The error that keeps the journal from writing, 0 if it is well; only remount() helps."""
    return 0 if volume is None else volume.info()[4]


def remount():
    """Drops what is not committed and mounts the card again. Imports nothing: there may be no
    memory for it, and the card is not there to import from."""
    global fs
    try:
        cwd = os.getcwd()  # FatFs reads the card to tell: not after abort()
    except OSError:
        cwd = "/"
    volume.abort()
    fs = mount_fat(volume.device())
    vfs.umount(point)
    vfs.mount(fs, point)
    try:
        os.chdir(cwd)
    except OSError:  # made in the transaction that has been undone
        os.chdir("/")
