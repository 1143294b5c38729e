# What a board does with its card: everything that sdboot offers but for the updater.

from ._errors import Error, check, reason, strerror
from ._native import load

# What boot() found; the functions below work on it.
_card = None  # the block device (_sdboot.Card)
_fs = None  # the filesystem object on it
_kind = None  # "fat" or "littlefs"
_volume = None  # the FAT volume with its journal (_sdboot.Volume), None on littlefs
_point = None  # where it is mounted: "/" or "/sd"


def boot(
    pin=18,
    sd=None,
    fs="fat",
    format="auto",
    journal=True,
    attempts=3,
    trial_timeout=300,
    confirm_after=None,
):
    """Make the SD card the root filesystem. Call it from boot.py; it returns True if "/" is the
    card now, False if the board stays on its internal flash (the reason has been printed).

    pin     number of the recovery pin: held low, the card is mounted at /sd and the REPL comes;
            None for none
    sd      arguments of machine.SDCard; slot=1, width=1 if not given
    fs      what a card without a filesystem gets: "fat" or "littlefs"
    format  "auto": blank and unrecognised cards are formatted, foreign filesystems with data are
            not; "never"; "any": whatever is neither FAT nor littlefs is formatted
    journal FAT only: every close() and flush() is all or nothing when power fails; False for a
            card as plain FatFs writes it
    attempts  boots that a new release gets to call confirm(), else it is taken back; 0: no trial
    trial_timeout  seconds after which an unconfirmed release is reset; 0: never
    confirm_after  for applications that can't call confirm(): seconds of main.py running after
            which it is called for them
    """
    global _card, _fs, _kind, _point, _volume
    from . import pins, root

    if fs not in ("fat", "littlefs") or format not in ("auto", "never", "any"):
        raise ValueError('fs is "fat" or "littlefs", format is "auto", "never" or "any"')
    sd = {"slot": 1, "width": 1} if sd is None else sd
    pressed = pins.pressed(pin, sd)
    try:
        from . import card, trial

        _card = card.open(sd)
        _kind, _fs, _card, _volume = card.mount(_card, fs, format, journal)
        _point = "/sd" if pressed else "/"
        if pressed:
            root.mount(_fs, _point)
            print("sdboot: recovery pin is low: card is at /sd, the application does not run")
        else:
            _fs, on_trial = trial.finish_update(_fs, _card, _volume, attempts, trial_timeout)
            found = version()  # a card that can't be read is noticed here at the latest
            root.move(_fs)
            found = "no release" if found == "0.0.0" else found
            print("sdboot: %s on SD card, %s" % (found, card.describe(_card, _kind, _volume)))
            if on_trial:
                trial.watch(_fs, _volume, trial_timeout, confirm_after)
            done = ("card", "pins", "root") + (() if on_trial else ("trial",))
            del card, pins, root, trial
            _forget(done)
    except OSError as e:
        _fs = None
        print("sdboot:", reason(e))
        print("sdboot: staying on internal flash")
        return False
    return not pressed


def _forget(names):
    # What is needed at boot only makes room for the application.
    import gc
    import sys

    import sdboot

    for name in names:
        del sys.modules["sdboot." + name]
        delattr(sdboot, name)
    gc.collect()


def version(directory="app", name=".version"):
    """The version that the file `name` in `directory` of the card says, "0.0.0" if there is none."""
    try:
        with _filesystem().open("/%s/%s" % (directory, name), "r") as f:
            return f.read(64).strip()
    except OSError as e:
        if e.errno != 2:
            raise
        return "0.0.0"


def status():
    """What is on the card, as a dict."""
    fs = _filesystem()
    if _volume is not None and _volume.info()[4]:  # FatFs would not even read now
        raise Error(5, "an earlier write to the card has failed: call sdboot.recover()")
    record = load("_sdboot").record(fs, _volume)
    if isinstance(record, int):
        raise Error(-record, "the state record on the card can't be read")
    state, left, event, event_version, staged, bad = record[:6]
    vfs = fs.statvfs("/")
    return {
        "version": version(),
        "previous": version("prev"),
        "state": ("idle", "staged", "swapping", "trial", "reverting")[state],
        "staged": staged if state else None,
        "event": (None, "installed", "confirmed", "rolled back", "expired", "corrupt")[event],
        "event_version": event_version or None,
        "attempts_left": left if state == 3 else None,
        "bad": bad or None,
        "filesystem": _kind,
        "journal": _journal(),
        "mounted": _point,
        "size": _card.ioctl(4, 0) * _card.ioctl(5, 0),
        "free": vfs[0] * vfs[3] if vfs[3] <= vfs[2] else 0,  # littlefs counts below 0
    }


def _record(where=""):
    # What the state record says: see _sdboot.record.
    record = load("_sdboot").record(_filesystem(), _volume)
    if isinstance(record, int):
        check(record, where + "the state record on the card")
    return record


def _journal():
    # What status() says of the journal.
    if _volume is None:
        return None
    replay, without = _volume.info()[:2]
    if without:
        known = {-2: "not wanted", -28: "no room for it"}
        return "off: " + (known.get(without) or strerror(without))
    return ("on", "on, replayed at boot", "on, card was changed elsewhere")[replay]


def confirm():
    """The running release is good: its trial ends. True if it was on trial."""
    fs = _filesystem()
    if _record("confirm: ")[0] != 3:  # on trial
        return False
    check(load("_sdswap").confirm(fs, _volume), "confirm")
    from . import trial

    trial.stop()
    return True


def rollback():
    """Has the next boot take the running release back; works as long as prev/ is on the card. The
    release is not installed again unless forced or superseded."""
    code = load("_sdswap").rollback(_filesystem(), _volume)
    if code == -2:
        raise Error(2, "there is no release before this one (no /prev): nothing to go back to")
    if code == -16:
        raise Error(16, "another release is staged: reset first")
    check(code, "rollback")


def verify(directory="app"):
    """Checks every file of the running release against its manifest, app/.manifest. Returns the
    list of those that differ or are missing: [] if all is well."""
    import hashlib

    result = load("_sdswap").verify(_filesystem(), directory, hashlib.sha256)
    if result == -2:
        raise Error(2, "the release has no manifest (app/.manifest): sdboot has not installed it")
    return result if isinstance(result, list) else check(result, "verify")


def transaction():
    """`with sdboot.transaction():` what is written, renamed and removed in it happens whole or not
    at all. An exception undoes it; files that were open then must be opened anew. Not to be nested,
    nor to be left open while other code writes to the card."""
    from . import transact

    return transact.Transaction(_volume)


def recover():
    """After a write to the card has failed (journal full, card error): drops what was not yet
    flushed and mounts the card again. Files must be opened anew. True if that was necessary."""
    if _volume is None or not _volume.info()[4]:
        return False
    _remount()
    return True


def _remount():
    global _fs
    from . import card, root

    cwd = root.where()  # FatFs reads the card to tell: not after abort()
    _volume.abort()
    _fs = card.mount_fat(_volume)
    root.remount(_fs, _point, cwd)


def format(fs="fat"):
    """Format the card, whatever is on it; ALL DATA ON IT IS LOST. Not while it is "/": start the
    board with the recovery pin low first."""
    global _fs, _kind, _card, _point, _volume
    from . import card, root

    if _card is None:
        raise Error(19, "there is no card: boot() has found none")
    if _fs is not None and _point == "/":
        raise Error(16, "the card is in use as /: hold the recovery pin low and reset, then format")
    if _fs is not None:
        root.umount(_point)
    _fs = None
    device = load("_sdboot").Card(_card)  # in sectors again, if it was littlefs's
    card.format(device, fs)
    _kind, _fs, _card, _volume = card.mount(device, fs, "never", True)
    _point = "/sd"
    root.mount(_fs, _point)
    print("sdboot: formatted, card is at /sd")


def OTA(*args, **kwargs):
    """The updater; see sdboot/ota.py. Loaded when it is needed only."""
    from .ota import OTA

    return OTA(*args, **kwargs)


def _filesystem():
    if _fs is None:
        raise Error(19, "no SD card in use: call sdboot.boot() first, see its messages")
    return _fs
