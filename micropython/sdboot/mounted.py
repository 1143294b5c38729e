# SPDX-License-Identifier: MIT
# What boot() has found, and what can be said and done about it at any time: at the bottom of the
# package, every other part may import it.

import gc
import os

import vfs
from micropython import const

from ._errors import CardError, check, reason
from ._native import load

_ENOENT = const(2)
_ENODEV = const(19)
_EISDIR = const(21)

try:
    import _thread as threads  # here, not later: where there is none, it is searched for on the card
except ImportError:
    threads = None

card = None  # the block device (_sdboot.Card)
fs = None  # the filesystem on it (_sdboot.Mount)
kind = None  # one of KINDS
volume = None  # the FAT volume with its journal (_sdboot.Volume), None on any other
point = None  # where it is mounted: "/" or "/sd", None: not yet
why = 0  # why the volume has no journal: 0, or a negative error

# Filesystems of a card: FAT, made safe by the journal, and those that are safe by themselves.
SAFE = {"littlefs": "VfsLfs2"}  # the name of its class in vfs
KINDS = ("fat",) + tuple(SAFE)
FS_IS = 'fs is "fat" or "littlefs"'

transaction = None  # whose transaction is open: a thread's number, or 0 where there are no threads

keys = None  # public keys that boot() was given
KEYS = ("sdboot.pub", "sdboot.pub.new", "sdboot.next")  # on the internal flash, see signed.py

REASON = "/.sdboot/reason"  # why main.py of a release on trial has ended: version, text, a line each

# What _sdboot.record() returns, and the numbers in it (core/release/record.h).
STATE, LEFT, EVENT, EVENT_VERSION, VERSION, BAD, FLAGS = range(7)
IDLE, STAGED, SWAPPING, TRIAL, REVERTING = range(5)
INSTALLED, CONFIRMED, ROLLED_BACK, EXPIRED, CORRUPT = range(1, 6)

# What Volume.info() returns (micropython/volume.c).
REPLAYED, WHY, AREA, AREA_SECTORS, FAILED, FITS, RECORDS, PARTED = range(8)


def filesystem():
    if fs is None:
        raise CardError(_ENODEV, "no SD card in use: call sdboot.boot() first, see its messages")
    return fs


def transacting():
    """Is a transaction of this thread's open?"""
    return transaction is not None and (threads is None or transaction == threads.get_ident())


def flash(name):
    """The path of a file on the internal flash, where no card and no release can change it."""
    return ("/flash/" if point == "/" else "/") + name


def on_flash(*names):
    """Is one of these there?"""
    for name in names:
        try:
            os.stat(flash(name))
            return True
        except OSError as e:
            if e.errno != _ENOENT:  # there, and can't be read
                raise
    return False


def record(where=""):
    """The state record, a tuple: see above."""
    found = load("_sdboot").record(filesystem(), volume)
    if isinstance(found, int):
        check(found, where + "the state record on the card")
    return found


def version(directory="app", name=".version"):
    """The version that the file `name` in `directory` of the card says: its first word. "0.0.0" if
    there is no such file, "?" if it is empty."""
    path = "%s/%s" % (directory, name)
    card = filesystem()
    try:
        with card.open("/" + path, "rb") as f:
            return load("_sdboot").version(f.read(128)) or "?"
    except OSError as e:
        error = e
    try:
        if error.errno == _ENOENT:
            card.stat("/" + path)
            error = OSError(_EISDIR)  # FatFs finds no file there
    except OSError as e:
        if e.errno == _ENOENT:
            return "0.0.0"
        error = e
    raise CardError(error.errno, "%s can't be read: %s" % (path, reason(error)))


LFS = {"readsize": 512, "progsize": 512, "lookahead": 2048}


def mount_fat(device):
    found = vfs.VfsFat(device)
    found.ilistdir("/")  # VfsFat() itself accepts a card without a filesystem
    return found


def safe(kind):
    """The class of a filesystem that is safe by itself."""
    return getattr(vfs, SAFE[kind])


def mount_safe(kind, device):
    return safe(kind)(device, **LFS)


def failed():
    """Why the card must be mounted anew, a negative errno; 0 if it is well."""
    return 0 if fs is None else fs.failed()


# What follows runs when a write has failed or memory is short: it imports nothing, the card is not
# there to import from.


def drop():
    """Forgets what is not committed. Needs neither memory nor the card. The next access to the card
    mounts it anew."""
    if volume is None:
        fs.use(None, card)
    else:
        volume.abort()


def settle():
    """After drop(): 1 if the last commit is in place as a whole, 0 if nothing of it is."""
    done = 0 if volume is None else volume.settle()
    if done < 0:
        raise CardError(
            -done,
            "the card fails: what was being written is in place as a whole or not at all, which one "
            "is not known yet. Reset the board, or call sdboot.recover() again",
        )
    return done


def renew():
    """Mounts the card anew. Called by the keeper too, when it is used after drop()."""
    settle()
    fs.forget(gc)  # closes lost files, as long as what they are on is there
    try:
        try:
            _renew()
        except MemoryError:
            fs.use(None, card)  # its memory will do
            gc.collect()
            _renew()
    except OSError as e:
        raise CardError(e.errno, "the card fails still; one that was pulled out needs a reset")


def _renew():
    global card
    if volume is None:
        device = load("_sdboot").Card(card, card.ioctl(5, 0))
        fs.use(mount_safe(kind, device), device)
        card = device
    else:
        device = volume.device()
        fs.use(mount_fat(device), device)
