# SPDX-License-Identifier: MIT
# What a board does with its card: everything that sdboot offers but for the updater. What need not
# stay in memory is in startup.py and manage.py.

import sys
from micropython import const

from . import mounted
from ._errors import CardError, Error, check, reason
from ._native import load
from .mounted import version

_EIO = const(5)


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
    inbox=None,
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
            card as plain FatFs writes it. "log": a small flush costs one sector, and goes to where
            it belongs later: a PC that reads the card before sync() sees it as it was a while ago
    attempts  boots that a new release gets to call confirm(), else it is taken back; 0: no trial
    trial_timeout  seconds after which an unconfirmed release is reset; 0: never
    confirm_after  for applications that can't call confirm(): seconds of main.py running after
            which it is called for them
    key     public keys of minisign, a line each: from then on only signed releases are taken.
            sdboot.pub on the internal flash counts before it
    inbox   name of a folder on the card: a release that somebody has put there, with its `versions`,
            is installed as from a server, and the folder renamed

    It raises nothing: what can't be done is said, and a card that can be mounted is mounted.
    """
    if mounted.point is not None:
        print("sdboot: boot() has been called before, the card is at", mounted.point)
        return mounted.point == "/"
    mounted.keys = key
    try:
        startup = load("startup")
        booted = startup.run(
            pin, sd, fs, format, journal, attempts, trial_timeout, confirm_after, inbox, unknown
        )
    except Exception as e:  # no memory for it
        print("sdboot: boot() has failed: %r" % (e,))
        return mounted.point == "/"
    if booted:
        del startup
        forget("card", "attributes", "device", "pins", "root", "startup", "trial")
    return booted


def forget(*names):
    # What is needed at boot only makes room for the application. Its name stays, as None: help() of
    # MicroPython 1.25 crashes on a module from which something has been deleted.
    import gc

    import sdboot

    for name in names:
        if sys.modules.pop("sdboot." + name, None):
            setattr(sdboot, name, None)
    gc.collect()


def _once(function, *arguments):
    # What is seldom called is loaded for the call only.
    try:
        return getattr(load("manage"), function)(*arguments)
    except OSError as e:
        if isinstance(e, Error):
            raise
        raise CardError(e.errno, "%s: %s" % (function, reason(e)))
    finally:
        forget("manage", "report")


def status():
    """What is on the card, as a dict."""
    return _once("status")


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
    superseded. If a release is staged, that is given up instead, and what runs goes on."""
    return _once("rollback")


def verify(directory="app"):
    """Checks every file of the running release against its manifest, app/.manifest. Returns the
    list of those that differ or are missing: [] if all is well."""
    return _once("verify", directory)


def transaction():
    """`with sdboot.transaction():` what is written, renamed and removed in it happens whole or not
    at all. An exception undoes it; files that were open then must be opened anew. Not to be nested.
    Other threads' wait their turn; what else they flush meanwhile is refused (error 16)."""
    mounted.filesystem()  # an error if there is none
    from .transact import Transaction

    return Transaction(mounted.volume)


def sync():
    """With journal="log": all that is flushed goes to where it belongs, so that a PC can read the
    card. Without a log, and in a transaction, there is nothing to do."""
    if mounted.failed():
        raise CardError(_EIO, "an earlier write to the card has failed: call sdboot.recover()")
    volume = mounted.volume
    if volume is not None and volume.info()[mounted.RECORDS] > 0:
        check(volume.checkpoint(2), "sync")


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
    return _once("format", fs)
