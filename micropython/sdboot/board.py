# What a board does with its card: everything that sdboot offers but for the updater.

import sys

from . import mounted
from ._errors import CardError, Error, check, reason, strerror
from ._native import builtin, load
from .mounted import version


def boot(
    pin=18,
    sd=None,
    fs="fat",
    format="auto",
    journal=True,
    attempts=3,
    trial_timeout=300,
    confirm_after=None,
    key=None,
    **unknown
):
    """Make the SD card the root filesystem. Call it from boot.py; it returns True if "/" is the
    card now, False if the board stays on its internal flash (the reason has been printed).

    pin     the recovery pin, a number, a name or a machine.Pin: held low, the card is mounted at
            /sd and the REPL comes; None for none
    sd      dict with arguments of machine.SDCard; a block device; or a function that makes one,
            called at each try. If it is not given: machine.SDCard(slot=1, width=1)
    fs      what a card without a filesystem gets: "fat" or "littlefs"
    format  "auto": a card proved blank or an empty exFAT is formatted, anything else that can't be
            mounted is left as it is; "never"; "any": whatever can't be mounted is formatted
    journal FAT only: every close() and flush() is all or nothing when power fails; False for a
            card as plain FatFs writes it
    attempts  boots that a new release gets to call confirm(), else it is taken back; 0: no trial
    trial_timeout  seconds after which an unconfirmed release is reset; 0: never
    confirm_after  for applications that can't call confirm(): seconds of main.py running after
            which it is called for them
    key     public keys of minisign, a line each: from then on only signed releases are taken.
            sdboot.pub on the internal flash counts before it

    It raises nothing: what can't be done is said, and a card that can be mounted is mounted.
    """
    if mounted.point is not None:
        print("sdboot: boot() has been called before, the card is at", mounted.point)
        return mounted.point == "/"
    mounted.keys = key
    try:
        startup = load("startup")
        booted = startup.run(
            pin, sd, fs, format, journal, attempts, trial_timeout, confirm_after, unknown
        )
    except Exception as e:  # no memory for it
        print("sdboot: boot() has failed: %r" % (e,))
        return mounted.point == "/"
    if booted:
        del startup
        _forget("card", "attributes", "device", "pins", "root", "startup", "trial")
    return booted


def _forget(*names):
    # What is needed at boot only makes room for the application. Its name stays, as None: help() of
    # MicroPython 1.25 crashes on a module from which something has been deleted.
    import gc

    import sdboot

    for name in names:
        if sys.modules.pop("sdboot." + name, None):
            setattr(sdboot, name, None)
    gc.collect()


def status():
    """What is on the card, as a dict."""
    if mounted.failed():  # FatFs would not even read now
        raise CardError(5, "an earlier write to the card has failed: call sdboot.recover()")
    state, left, event, event_version, staged, bad, _ = mounted.record()
    vfs = mounted.fs.statvfs("/")
    return {
        "version": version(),
        "previous": _previous(),
        "state": _name(("idle", "staged", "swapping", "trial", "reverting"), state),
        "staged": staged if state in (mounted.STAGED, mounted.SWAPPING) else None,
        "event": _name((None, "installed", "confirmed", "rolled back", "expired", "corrupt"), event),
        "event_version": event_version or None,
        "reason": _reason(event_version) if event != mounted.CONFIRMED else None,
        "attempts_left": left if state == mounted.TRIAL else None,
        "bad": bad or None,
        "filesystem": mounted.kind,
        "journal": _journal(),
        "transaction": _fits(),
        "mounted": mounted.point,
        "size": mounted.card.ioctl(4, 0) * mounted.card.ioctl(5, 0),
        "free": vfs[0] * vfs[3] if vfs[3] <= vfs[2] else 0,  # littlefs counts below 0
    }


def _name(names, number):
    return names[number] if number < len(names) else "unknown (%d)" % number


def _reason(release):
    # Why main.py of the release has ended on trial, None if that is not known.
    try:
        with mounted.fs.open(mounted.REASON, "rb") as f:
            of, text = f.read(500).split(b"\n")[:2]
        return str(text, "utf-8") if of == release.encode() else None
    except (OSError, ValueError):  # ValueError: UnicodeError, or not our file
        return None


def _previous():
    # The version that rollback() would return to, None if there is none. Without an app/ before it
    # the release has got an empty prev/.
    try:
        for _ in mounted.fs.ilistdir("/prev"):
            return version("prev")
        mounted.fs.stat("/.sdboot/old/main.py")  # all that ran before the first release
        return version("prev")
    except OSError as e:
        if e.errno != 2:
            raise
        return None


def _journal():
    # What status() says of the journal.
    if mounted.volume is None:
        return None
    if mounted.why:
        known = {-125: "not wanted", -28: "no room for it"}
        return "off: " + (known.get(mounted.why) or strerror(mounted.why))
    replay = mounted.volume.info()[mounted.REPLAYED]
    return ("on", "on, replayed at boot", "on, card was changed elsewhere")[replay]


def _fits():
    # Bytes of what was there before that a transaction may change.
    if mounted.volume is None or mounted.why:
        return None
    return mounted.volume.info()[mounted.FITS] * 512


def confirm():
    """The running release is good: its trial ends. True if it was on trial."""
    if mounted.record("confirm: ")[mounted.STATE] != mounted.TRIAL:
        return False
    check(load("_sdswap").confirm(mounted.fs, mounted.volume), "confirm")
    watch = sys.modules.get("sdboot.watch")
    if watch is not None:
        watch.stop()
    try:
        if mounted.on_flash("sdboot.next"):
            load("signed").adopt()
    except Exception as e:  # the trial is over; keys are looked at again before they are needed
        print("sdboot: the release's keys:", reason(e))
    return True


def rollback():
    """Has the next boot take the running release back: a reset is due. Works as long as the release
    before is on the card, in prev/. The one taken back is not installed again unless forced or
    superseded."""
    code = load("_sdswap").rollback(mounted.filesystem(), mounted.volume, mounted.ROLLED_BACK)
    if code == -2:
        raise Error(2, "there is no release before this one (none in /prev): nothing to go back to")
    if code == -16:
        raise Error(16, "another release is staged: reset first")
    check(code, "rollback")
    release = mounted.record()[mounted.EVENT_VERSION] or "the release"
    print("sdboot: a reset is due, it takes back", release)


def verify(directory="app"):
    """Checks every file of the running release against its manifest, app/.manifest. Returns the
    list of those that differ or are missing: [] if all is well."""
    sha256 = builtin("hashlib").sha256
    result = load("_sdswap").verify(mounted.filesystem(), directory, sha256)
    if result == -2:
        raise Error(2, "the release has no manifest (app/.manifest): sdboot has not installed it")
    return result if isinstance(result, list) else check(result, "verify")


def transaction():
    """`with sdboot.transaction():` what is written, renamed and removed in it happens whole or not
    at all. An exception undoes it; files that were open then must be opened anew. Not to be nested.
    Other threads' wait their turn; what else they flush meanwhile is refused (error 16)."""
    from .transact import Transaction

    return Transaction(mounted.volume)


def recover():
    """After a write to the card has failed (journal full, card error): drops what was not yet
    flushed and mounts the card again. Files must be opened anew. True if that was necessary and the
    card is in use again, False if nothing had failed; an error says that it fails still."""
    if not mounted.failed():
        return False
    mounted.drop()
    mounted.renew()
    return True


def format(fs="fat"):
    """Format the card, whatever is on it; ALL DATA ON IT IS LOST. Not while it is "/": start the
    board with the recovery pin low first."""
    if fs not in ("fat", "littlefs"):
        raise ValueError('fs is "fat" or "littlefs"')
    card = load("card")
    root = load("root")
    if mounted.card is None:
        raise CardError(19, "there is no card: boot() has found none")
    if mounted.fs is not None and mounted.point == "/":
        raise Error(16, "the card is in use as /: hold the recovery pin low and reset, then format")
    if mounted.fs is not None:
        root.umount(mounted.point)
    mounted.fs = None
    device = load("_sdboot").Card(mounted.card)  # in sectors again, if it was littlefs's
    done = "not formatted"
    try:
        card.format(device, fs)
        done = "formatted"
    finally:  # what was there may still be there
        card.use(device, fs, "never", True)
        root.mount(mounted.fs, "/sd")
        print("sdboot: %s, card is at /sd" % done)
