# SPDX-License-Identifier: MIT
# What is seldom asked: status(), rollback(), verify(), format(); board.py says what they do.

from micropython import const

from . import mounted
from ._errors import CardError, Error, check, strerror
from ._native import hasher, load
from .mounted import version

_ENOENT = const(2)
_EIO = const(5)
_EBUSY = const(16)
_ENODEV = const(19)
_ENOSPC = const(28)
_ECANCELED = const(125)


def status():
    if mounted.failed():  # FatFs would not even read now
        raise CardError(_EIO, "an earlier write to the card has failed: call sdboot.recover()")
    state, left, event, event_version, staged, bad = mounted.record()[: mounted.FLAGS]
    vfs = mounted.fs.statvfs("/")
    return {
        "version": _version(),
        "previous": _previous(),
        "state": _name(("idle", "staged", "swapping", "trial", "reverting"), state),
        "staged": staged if state in (mounted.STAGED, mounted.SWAPPING) else None,
        "event": _name((None, "installed", "confirmed", "rolled back", "expired", "corrupt"), event),
        "event_version": event_version or None,
        "reason": load("report").reason(event_version) if event != mounted.CONFIRMED else None,
        "attempts_left": left if state == mounted.TRIAL else None,
        "bad": bad or None,
        "filesystem": mounted.kind,
        "journal": _journal(),
        "transaction": _fits(),
        "mounted": mounted.point,
        "size": mounted.card.ioctl(4, 0) * mounted.card.ioctl(5, 0),
        "free": vfs[0] * vfs[3] if vfs[3] <= vfs[2] else 0,  # littlefs counts below 0
    }


def _version():
    try:
        return version()
    except OSError:
        return "?"


def _name(names, number):
    return names[number] if number < len(names) else "unknown (%d)" % number


def _previous():
    # The version that rollback() would return to, None if there is none. Without an app/ before it
    # the release has got an empty prev/.
    try:
        for _ in mounted.fs.ilistdir("/prev"):
            return version("prev")
        mounted.fs.stat("/.sdboot/old/main.py")  # all that ran before the first release
        return version("prev")
    except OSError as e:
        if e.errno != _ENOENT:
            raise
        return None


def _journal():
    # What status() says of the journal.
    if mounted.volume is None:
        return None
    if mounted.why:
        known = {-_ECANCELED: "not wanted", -_ENOSPC: "no room for it"}
        return "off: " + (known.get(mounted.why) or strerror(mounted.why))
    info = mounted.volume.info()
    said = "on, with a log" if info[mounted.RECORDS] >= 0 else "on"
    said += ("", ", replayed at boot", ", card was changed elsewhere")[info[mounted.REPLAYED]]
    return said + ", space may be lost" if info[mounted.PARTED] else said


def _fits():
    # Bytes of what was there before that a transaction may change.
    if mounted.volume is None or mounted.why:
        return None
    return mounted.volume.info()[mounted.FITS] * 512


def rollback():
    staged = mounted.record("rollback: ")[mounted.VERSION]
    code = load("_sdswap").rollback(mounted.filesystem(), mounted.volume, mounted.ROLLED_BACK)
    if code == -_ENOENT:
        raise Error(_ENOENT, "there is no release before this one (none in /prev): nothing to go back to")
    if code == -_EBUSY:
        raise Error(_EBUSY, "a swap was interrupted: reset first")
    if check(code, "rollback"):
        print("sdboot: release %s is not staged any more, what runs goes on" % staged)
        return
    release = mounted.record()[mounted.EVENT_VERSION] or "the release"
    print("sdboot: a reset is due, it takes back", release)


def verify(directory):
    result = load("_sdswap").verify(mounted.filesystem(), directory, hasher("sha256"))
    if result == -_ENOENT:
        raise Error(_ENOENT, "the release has no manifest (app/.manifest): sdboot has not installed it")
    return result if isinstance(result, list) else check(result, "verify")


def format(fs):
    if fs not in mounted.KINDS:
        raise ValueError(mounted.FS_IS)
    card = load("card")
    root = load("root")
    if mounted.card is None:
        raise CardError(_ENODEV, "there is no card: boot() has found none")
    if mounted.fs is not None and mounted.point == "/":
        raise Error(_EBUSY, "the card is in use as /: hold the recovery pin low and reset, then format")
    if mounted.fs is not None:
        root.umount(mounted.point)
    mounted.fs = mounted.volume = None
    device = load("_sdboot").Card(mounted.card)  # in sectors again, if it was littlefs's
    done = "not formatted"
    try:
        card.format(device, fs)
        done = "formatted"
    finally:  # what was there may still be there
        card.use(device, fs, "never", True)
        root.mount(mounted.fs, "/sd")
        print("sdboot: %s, card is at /sd" % done)
