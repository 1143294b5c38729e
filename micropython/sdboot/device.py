# SPDX-License-Identifier: MIT
# The block device that boot() works on, from what it was given as sd=. Used at boot, then dropped.

import sys
from micropython import const

from ._errors import Error
from ._native import load

_EPERM = const(1)
_ENODEV = const(19)
_EINVAL = const(22)
_ENOSYS = const(38)
_EOPNOTSUPP = const(95)

INIT, SYNC, COUNT, SIZE = 1, 3, 4, 5  # vfs.AbstractBlockDev.ioctl
MOST = 0xFFFFFFFF  # sectors: what comes behind 2 TiB is not used
UNKNOWN = -_EINVAL  # what _ask() returns for an ioctl that the driver does not have

_made = None  # the driver of the card in use, if it is ours to end


class Source:
    """Where the card comes from. `sd` is None, a dict with arguments of machine.SDCard, a block
    device, or a function that makes one."""

    def __init__(self, sd):
        self.ours = True  # what is made is ours to end
        self.plain = False  # it needs no check
        if sd is None or isinstance(sd, dict):
            self.plain = sys.platform == "esp32"
            self.make = _sdcard(sd)
        elif hasattr(sd, "readblocks") and not isinstance(sd, type):
            self.ours = False
            self.make = lambda: sd
        elif callable(sd):
            self.make = lambda: _call(sd)
        else:
            raise Error(
                _EINVAL, "sd= is a block device, a function that makes one, or a dict; not %r" % (sd,)
            )

    def card(self):
        """Makes the _sdboot.Card: one try."""
        global _made
        if _made is not None:  # by a boot() that could not use it
            _end(_made)
            _made = None
        made = self.make()
        try:
            load("pins").refuse(made)
            card = load("_sdboot").Card(made if self.plain else checked(made))
            _made = made if self.ours else None
            return card
        except Exception:
            if self.ours:  # a bus can be opened once, and the next try makes a new one
                _end(made)
            raise


def _sdcard(arguments):
    import machine

    make = getattr(machine, "SDCard", None)
    if make is None:
        if arguments is None:
            try:
                from pyb import SDCard  # STM32

                return SDCard
            except ImportError:
                pass
        raise Error(
            _ENODEV,
            "this firmware has no machine.SDCard: give boot() a driver of the card, sd= a "
            "function that makes it (docs/INSTALL.md)",
        )
    if arguments is not None:
        return lambda: make(**arguments)

    def default():
        try:
            return make(slot=1, width=1)
        except TypeError:  # i.MX RT has one slot and calls it id
            return make()

    return default


def _call(function):
    try:
        made = function()
    except OSError:
        raise
    except Exception as e:
        sys.print_exception(e)
        raise Error(_EINVAL, "the function that boot() got as sd= has failed: %r" % e)
    if not hasattr(made, "readblocks"):
        raise Error(_EINVAL, "the function that boot() got as sd= returned no block device: %r" % (made,))
    return made


def _end(made):
    try:
        made.deinit()
    except Exception:  # most drivers have none
        pass


def checked(made):
    """The device `made`, or an Adapter for a driver that knows less than we ask for."""
    ioctl = getattr(made, "ioctl", None)
    sectors = _ask(ioctl, COUNT)
    if not _is_count(sectors) and ioctl is not None:
        _ask(ioctl, INIT)  # pyb.SDCard turns the card on
        sectors = _ask(ioctl, COUNT)
    known = _is_count(sectors)
    if not known and hasattr(made, "count"):
        sectors = made.count()
    if not _is_count(sectors):
        raise OSError(_ENODEV)
    size = _ask(ioctl, SIZE)
    if _is_count(size) and size != 512:
        raise Error(_EINVAL, "the block device has blocks of %d bytes, sdboot needs 512" % size)
    sync = None
    if _ask(ioctl, SYNC) in (None, 0, True):
        sync = lambda: ioctl(SYNC, 0)
    elif hasattr(made, "sync"):
        sync, known = made.sync, False
    two = _takes_two(made.readblocks)
    if sectors > MOST:
        sectors, known = MOST, False
    if known and sync and two and (size is None or _is_count(size)):
        return made
    return Adapter(made, sectors, sync, two)


def _is_count(value):
    return isinstance(value, int) and value > 0


def _ask(ioctl, op):
    if ioctl is None:
        return UNKNOWN
    try:
        return ioctl(op, 0)
    except OSError as e:
        if e.errno in (_EPERM, _EINVAL, _ENOSYS, _EOPNOTSUPP):  # EPERM, EINVAL, ENOSYS, EOPNOTSUPP
            return UNKNOWN
        raise
    except MemoryError:
        raise
    except Exception:
        return UNKNOWN


def _takes_two(readblocks):
    # Does it take (block, buf), or (block, buf, offset) only?
    try:
        readblocks(0, bytearray(512))
    except TypeError:
        readblocks(0, bytearray(512), 0)
        return False
    return True


class Adapter:
    # In front of a driver of MicroPython's first block protocol (count and sync instead of ioctl),
    # of one whose ioctl does not know what it is asked, or that insists on an offset.

    def __init__(self, made, sectors, sync, two):
        self.made = made
        self.sectors = sectors
        self.sync = sync
        self.readblocks = made.readblocks if two else self._read
        self.writeblocks = made.writeblocks if two else self._write

    def _read(self, block, buf):
        return self.made.readblocks(block, buf, 0)

    def _write(self, block, buf):
        return self.made.writeblocks(block, buf, 0)

    def ioctl(self, op, arg):
        if op == SYNC:
            return self.sync() if self.sync else 0
        return {COUNT: self.sectors, SIZE: 512}.get(op, 0)
