# SPDX-License-Identifier: MIT
# Updates at boot: the staged release is put in place, runs on trial, is taken back if it fails.

import sys

import machine
from micropython import const

from . import mounted
from ._errors import Error, strerror
from ._native import hasher, load
from .mounted import EVENT, EVENT_VERSION, IDLE, STAGED, STATE, SWAPPING, TRIAL, VERSION

_ENOENT = const(2)

_sdboot = load("_sdboot")

_SWAPPED, _REVERTED, _KEPT = range(1, 4)  # enum sdb_boot_result (core/release/boot.h)
_WHY = {
    mounted.ROLLED_BACK: "by hand",
    mounted.EXPIRED: "it was not confirmed",
    mounted.CORRUPT: "its files on the card are damaged",
}

# What machine.reset_cause() says of a soft reset. Some firmware does not tell (RP2), some calls what
# machine.reset() does so (i.MX RT, SAMD): there every boot counts, and the clock starts at each.
SOFT = None
if sys.platform in ("esp32", "pyboard", "renesas-ra") and hasattr(machine, "reset_cause"):
    SOFT = getattr(machine, "SOFT_RESET", None)


def _counts(timeout):
    # Is this boot one of a trial's? A developer's soft reset is not, nor is waking from deep sleep.
    # Without a time limit soft resets are: sys.exit() in main.py would go on for ever.
    if not hasattr(machine, "reset_cause"):
        print("sdboot: this firmware has no machine.reset_cause(): every boot of a trial counts")
        return True
    cause = machine.reset_cause()
    if cause == getattr(machine, "DEEPSLEEP_RESET", -1):
        return False
    return not (timeout and cause == SOFT)


def _reset_first(record):
    # A trial's time is measured from the last hard reset, which may be days ago.
    if SOFT is not None and machine.reset_cause() == SOFT and record[STATE] in (STAGED, SWAPPING):
        print("sdboot: resetting, for the trial of release %s" % record[VERSION])
        machine.reset()


def finish_update(attempts, timeout):
    """Returns whether a release is on trial and this boot of it is counted."""
    fs, volume = mounted.fs, mounted.volume
    record = _sdboot.record(fs, volume)
    if isinstance(record, int):
        _failed(record, IDLE)
        return False
    if record[STATE] == IDLE and not record[mounted.FLAGS]:
        return False
    if attempts and timeout:
        _reset_first(record)
    from .attributes import mending

    swap = load("_sdswap")
    try:
        sha256 = hasher("sha256")
    except Error as e:
        print("sdboot: %s: it goes on, but whether its files are whole is not known" % e)
        sha256 = None
    arguments = fs, mending(volume), sha256, min(attempts, 255), _counts(timeout)
    done, state = swap.run(*arguments)
    for i in range(2):
        # After a read that has failed littlefs goes no further. Does it fail again, a file of the
        # release can't be read: the release is taken back.
        if done != -5 or state != TRIAL or volume is not None:
            break
        load("card").mount_again()
        if i == 0 or swap.rollback(fs, volume, mounted.CORRUPT) == 0:
            done, state = swap.run(*arguments)
    if done < 0:
        _failed(done, state)
        load("card").mount_again()
    elif done > 0:
        _tell(done, _sdboot.record(fs, volume))
    return done >= 0 and state == TRIAL


def _failed(error, state):
    if error == -_ENOENT:
        print("sdboot: the staged release is gone from the card, going on with the one before")
        return
    why = "(%d), next try at next boot: %s" % (-error, strerror(error))
    if state == TRIAL:
        # A reset after some time would come again and again, for ever.
        print("sdboot: a boot of the release on trial can't be counted %s; no time limit" % why)
    else:
        print("sdboot: an update can't be finished", why)


def _tell(done, record):
    if isinstance(record, int):
        return
    event, version = record[EVENT], record[EVENT_VERSION]
    why = _WHY.get(event, event)
    if done == _SWAPPED:
        print("sdboot: release %s is in place" % version)
        try:
            mounted.fs.remove(mounted.REASON)  # of an earlier try, perhaps
        except OSError:
            pass
    elif done == _REVERTED:
        print("sdboot: release %s is taken back: %s" % (version, why))
    elif done == _KEPT:
        print("sdboot: release %s stays, there is none before it, but %s" % (version, why))
