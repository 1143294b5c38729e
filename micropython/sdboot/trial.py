# Updates at boot: the staged release is put in place, runs on trial, is taken back if it fails.

import hashlib
import io
import os
import sys
import time

import machine

from . import mounted
from ._errors import Error
from ._native import load
from .mounted import EVENT, EVENT_VERSION, IDLE, LEFT, STAGED, STATE, SWAPPING, TRIAL, VERSION

_sdboot = load("_sdboot")

_SWAPPED, _REVERTED, _KEPT = range(1, 4)  # enum sdb_boot_result (core/release/boot.h)
_WHY = {
    mounted.ROLLED_BACK: "by hand",
    mounted.EXPIRED: "it was not confirmed",
    mounted.CORRUPT: "its files on the card are damaged",
}

_timer = None

# What machine.reset_cause() says of a soft reset. Some firmware does not tell (RP2), some calls what
# machine.reset() does so (i.MX RT, SAMD): there every boot counts, and the clock starts at each.
_SOFT = None
if sys.platform in ("esp32", "pyboard", "renesas-ra"):
    _SOFT = getattr(machine, "SOFT_RESET", None)


def _counts(timeout):
    # Is this boot one of a trial's? A developer's soft reset is not, nor is waking from deep sleep.
    # Without a time limit soft resets are: sys.exit() in main.py would go on for ever.
    cause = machine.reset_cause()
    if cause == getattr(machine, "DEEPSLEEP_RESET", -1):
        return False
    return not (timeout and cause == _SOFT)


def _reset_first(record):
    # A trial's time is measured from the last hard reset, which may be days ago.
    if machine.reset_cause() == _SOFT and record[STATE] in (STAGED, SWAPPING):
        print("sdboot: resetting, for the trial of release %s" % record[VERSION])
        machine.reset()


def finish_update(attempts, timeout):
    # Returns whether a release is on trial. A failure must not keep the application from running.
    fs, volume = mounted.fs, mounted.volume
    attempts = max(0, min(attempts, 255))
    record = _sdboot.record(fs, volume)
    if isinstance(record, int):
        done, state = record, IDLE
    elif record[STATE] == IDLE and not record[mounted.FLAGS]:
        return False
    else:
        if attempts and timeout:
            _reset_first(record)
        try:
            swap = load("_sdswap")
        except Error as e:
            print("sdboot: an update can't be finished:", e)
            return record[STATE] == TRIAL
        done, state = swap.run(fs, volume, hashlib.sha256, attempts, _counts(timeout))
        record = _sdboot.record(fs, volume) if done > 0 else None
    if done == _REVERTED:
        event, version = record[EVENT], record[EVENT_VERSION]
        print("sdboot: release %s is taken back: %s" % (version, _WHY.get(event, event)))
    elif done == _KEPT:
        event, version = record[EVENT], record[EVENT_VERSION]
        print("sdboot: release %s stays, there is none before it, but %s" % (version, _WHY.get(event, event)))
    elif done == _SWAPPED:
        print("sdboot: release %s is in place" % record[EVENT_VERSION])
    elif done == -2:
        print("sdboot: the staged release is gone from the card, going on with the one before")
    elif done < 0:
        print("sdboot: an update can't be finished (%d), next try at next boot" % -done)
    if done < 0:
        load("card").mount_again()
    return state == TRIAL


def watch(timeout, confirm_after):
    # Starts the clock of a trial. It runs from the last hard reset: soft resets don't win time.
    record = _sdboot.record(mounted.fs, mounted.volume)
    if isinstance(record, int):
        return
    print("sdboot: release %s is on trial, %d more boots to confirm it" % (record[VERSION], record[LEFT]))
    since = 0 if _SOFT is None else time.ticks_ms()
    left = timeout * 1000 - since if timeout else None
    if confirm_after is not None:
        period = confirm_after * 1000
        if timeout:
            left = max(timeout, 2 * confirm_after) * 1000 - since
            period = min(period, left)
        _start(period, _Confirmer(period == confirm_after * 1000, left))
    elif timeout:
        _start(left, _expired)


def _start(period, callback):
    global _timer
    if period <= 0:
        # sys.exit() in a loop: main.py may well end again before a timer has called.
        return callback(None)
    # The last ones are the least used, and not every chip has four; -1 is one in software.
    for number in (3, 1, 0, -1):
        try:
            timer = machine.Timer(number)
            timer.init(mode=machine.Timer.ONE_SHOT, period=period, callback=callback)
            _timer = timer
            return
        except (ValueError, TypeError, AttributeError, OSError):
            pass
    print("sdboot: no timer is free: a trial ends by its number of boots only")


def stop():
    global _timer
    if _timer is not None:
        _timer.deinit()
        _timer = None


def _expired(timer):
    try:
        print("sdboot: the release has not confirmed in time, resetting")
    finally:  # there may be no memory left
        machine.reset()


# ---- Confirming for an application that can't do it itself --------------------------------------


class _Terminal(io.IOBase):
    # Sees what the board prints: the REPL's banner means that main.py has ended.
    ended = False

    def write(self, data):
        start = bytes(data[:13])
        if start == b"MicroPython v" or start[:8] == b"raw REPL":
            self.ended = True
        return len(data)

    def readinto(self, buf):
        return None


class _Confirmer:
    def __init__(self, whole, left):
        # whole: has confirm_after passed when the timer calls? Soft resets leave less than that.
        self.whole = whole
        self.since = time.ticks_ms()
        self.left = left
        self.terminal = _Terminal()
        os.dupterm(self.terminal)

    def __call__(self, timer):
        # The firmware drops a terminal that raises: then there was no memory left, which is no
        # sign of health. What happened behind a terminal of the application's is not known.
        terminal = os.dupterm(None)
        good = terminal is self.terminal and not terminal.ended and self.whole
        if terminal is not None and terminal is not self.terminal:
            os.dupterm(terminal)
        stop()
        if good:
            try:
                from . import board

                board.confirm()
                return
            except OSError as e:
                print("sdboot: the release can't be confirmed:", e)
        if self.left is not None:
            _start(self.left - time.ticks_diff(time.ticks_ms(), self.since), _expired)
