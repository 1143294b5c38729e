# Updates at boot: the staged release is put in place, runs on trial, is taken back if it fails.

import hashlib

import _sdboot
import machine

import sdboot
from . import card

STAGED, SWAPPING, TRIAL, REVERTING = 1, 2, 3, 4
_SWAPPED, _REVERTED = 1, 2
_WHY = {3: "by hand", 4: "it was not confirmed", 5: "its files on the card are damaged"}

_timer = None


def _counts(timeout):
    # Is this boot one of a trial's? A developer's soft reset is not, nor is waking from deep sleep.
    # Without a time limit soft resets are: sys.exit() in main.py would go on for ever.
    cause = machine.reset_cause()
    if cause == getattr(machine, "DEEPSLEEP_RESET", -1):
        return False
    return not (timeout and cause == getattr(machine, "SOFT_RESET", -1))


def finish_update(fs, volume, attempts, timeout):
    # Returns the filesystem, mounted anew if something failed, and whether a release is on trial.
    # A failure must not keep the application from running.
    done, state = _sdboot.boot(fs, volume, hashlib.sha256, attempts, _counts(timeout))
    record = _sdboot.record(fs, volume) if done > 0 else None
    if done == _REVERTED:
        event, version = record[2], record[3]
        print("sdboot: release %s is taken back: %s" % (version, _WHY.get(event, event)))
    elif done == _SWAPPED:
        print("sdboot: release %s is in place" % record[3])
    elif done == -2:
        print("sdboot: the staged release is gone from the card, going on with the one before")
    elif done < 0:
        print("sdboot: an update can't be finished (%d), next try at next boot" % -done)
    if done < 0 and volume is not None:
        volume.abort()
        fs = card.mount_fat(volume)
    return fs, state == TRIAL


def watch(fs, volume, timeout, confirm_after):
    # Starts the clock of a trial. It runs from the last hard reset: soft resets don't win time.
    record = _sdboot.record(fs, volume)
    if isinstance(record, int):
        return
    print("sdboot: release %s is on trial, %d more boots to confirm it" % (record[4], record[1]))
    import time

    if confirm_after is not None:
        _watch_repl()
        period, callback = confirm_after * 1000, _confirm_or_wait(timeout)
    elif timeout:
        period, callback = timeout * 1000 - time.ticks_ms(), _expired
    else:
        return
    _start(max(period, 1), callback)


def _start(period, callback):
    global _timer
    for number in (3, 1, 0):  # the last ones are the least used, and not every chip has four
        try:
            _timer = machine.Timer(number)
            break
        except ValueError:
            pass
    _timer.init(mode=machine.Timer.ONE_SHOT, period=period, callback=callback)


def stop():
    global _timer
    if _timer is not None:
        _timer.deinit()
        _timer = None


def _expired(timer):
    print("sdboot: the release has not confirmed in time, resetting")
    machine.reset()


# ---- Confirming for an application that can't do it itself --------------------------------------


class _Watch:
    # Sees what the board prints: the REPL's banner means that main.py has ended.
    ended = False


def _watch_repl():
    import io
    import os

    class Terminal(io.IOBase):
        def write(self, data):
            start = bytes(data[:13])
            if start == b"MicroPython v" or start[:8] == b"raw REPL":
                _Watch.ended = True
            return len(data)

        def readinto(self, buf):
            return None

    os.dupterm(Terminal())


def _confirm_or_wait(timeout):
    def callback(timer):
        import os
        import time

        if not _Watch.ended:
            os.dupterm(None)
            stop()
            sdboot.confirm()
        elif timeout:
            stop()
            _start(max(timeout * 1000 - time.ticks_ms(), 1), _expired)

    return callback
