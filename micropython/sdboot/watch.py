# SPDX-License-Identifier: MIT
# The clock of a trial: resets a release that has not confirmed in time or whose main.py has ended,
# and confirms for an application that can't do it itself.

import gc
import io
import os
import time

import machine

from . import mounted
from .mounted import LEFT, VERSION
from .trial import SOFT

_TICK = 200  # milliseconds, as everything here
_FAILED = 5000  # from main.py's exception to the reset, unless somebody types
_ENDED = 15000  # has it ended otherwise, something of it may work in the background
_LONGEST = 500000000  # ticks_diff() counts to 2 ** 29

_timer = None
_terminal = None
_release = None
_since = 0  # time.ticks_ms() when the clock started
_limit = None  # from then on until the reset, None: never
_confirm = None  # from then on until confirm() is called, None: it is not


def start(timeout, confirm_after):
    """The release on trial has `timeout` seconds (0: for ever) from the last hard reset on: soft
    resets win no time. It is confirmed after `confirm_after` seconds of main.py (None: not)."""
    global _release, _since, _limit, _confirm
    record = mounted.record()
    _release = record[VERSION]
    print("sdboot: release %s is on trial, %d more boots to confirm it" % (_release, record[LEFT]))
    _since = time.ticks_ms()
    if confirm_after is not None:
        timeout = timeout and max(timeout, 2 * confirm_after)
    if timeout:
        _limit = min(timeout * 1000, _LONGEST) - (0 if SOFT is None else _since)
        _tick(None)  # sys.exit() in a loop: main.py may well end again before a timer calls
    if confirm_after is not None:  # not before: with 0 the call above would be the one that counts
        _confirm = min(confirm_after * 1000, _LONGEST)
    if timeout or confirm_after is not None:
        _attach(confirm_after is not None)
        _start()


def _start():
    global _timer
    # The last ones are the least used, and not every chip has four; -1 is one in software.
    for number in (3, 1, 0, -1):
        try:
            timer = machine.Timer(number)
            timer.init(mode=machine.Timer.PERIODIC, period=_TICK, callback=_tick)
            _timer = timer
            return
        except (ValueError, TypeError, AttributeError, OSError):
            pass
    print("sdboot: no timer is free: a trial ends by its number of boots only")


def stop():
    global _timer, _terminal
    if _timer is not None:
        _timer.deinit()
        _timer = None
    if _attached():
        os.dupterm(None)
    _terminal = None


def _tick(timer):
    # Up to the reset nothing here needs memory: there may be none left.
    global _confirm
    now = time.ticks_diff(time.ticks_ms(), _since)
    if _limit is not None and now >= _limit:
        _reset("sdboot: the release has not confirmed in time, resetting")
    if _confirm is not None and now >= _confirm:
        _confirm = None
        # The firmware drops a terminal that raises: then there was no memory left, which is no
        # sign of health. What happened behind a terminal of the application's is not known.
        if _attached() and _terminal.state == _RUNS:
            _call_confirm()
    if _terminal is not None and _limit is not None:
        _terminal.tick(now)


def _call_confirm():
    global _confirm
    try:
        from . import board

        board.confirm()
    except Exception as e:
        if getattr(e, "errno", None) == 16:  # this has interrupted a driver in Python: next time
            _confirm = 0
            return
        print("sdboot: the release can't be confirmed:", e)


def _reset(text):
    try:
        print(text)
    finally:
        machine.reset()


def _keep(reason):
    # For status() after the reset.
    if mounted.failed():
        mounted.drop()
        mounted.renew()
    try:
        f = mounted.fs.open(mounted.REASON, "w")
    except OSError:
        mounted.fs.mkdir("/.sdboot")
        f = mounted.fs.open(mounted.REASON, "w")
    with f:
        f.write("%s\n%s\n" % (_release, reason))


# ---- What main.py does, seen from the terminal ---------------------------------------------------

_RUNS, _BANNER, _PROMPT, _KEPT = range(4)
_PAGE = 160  # bytes
_LONG = 100  # what is kept of a text written at once


def _attach(needed):
    # A terminal that is there already has to go only if ours is `needed`.
    global _terminal
    if not hasattr(os, "dupterm") or _Stream is object:
        if needed:
            print("sdboot: confirm_after needs os.dupterm(), which this firmware does not have")
        return
    _terminal = _Terminal()
    other = os.dupterm(_terminal)
    if other is not None and not needed:
        os.dupterm(other)
        _terminal = None


def _attached():
    if _terminal is None:
        return False
    there = os.dupterm(None)
    if there is not None:
        os.dupterm(there)
    return there is _terminal


_Stream = getattr(io, "IOBase", object)


class _Terminal(_Stream):
    # Sees what the board prints. The REPL's banner says that main.py has ended; what is printed
    # after the first prompt, that somebody types there. write() must not need memory.

    def __init__(self):
        self.state = _RUNS
        self.ended = None  # when the prompt came
        self.wait = _ENDED
        self.reason = "main.py has ended"
        # What was written last is in two pages, the older one first.
        self.old = io.BytesIO(_PAGE)
        self.new = io.BytesIO(_PAGE)
        self.old_size = self.new_size = 0

    def write(self, data):
        size = len(data)
        if self.state == _PROMPT:
            self.state = _KEPT
        elif self.state == _BANNER:
            if data == b">>> ":
                self.state = _PROMPT
        elif self.state == _RUNS:
            # "MicroPython v" or "raw REPL"
            if size > 12 and data[0] == 77 and data[5] == 80 and data[10] == 110 and data[12] == 118:
                self.state = _BANNER
            elif size > 7 and data[0] == 114 and data[3] == 32 and data[4] == 82 and data[7] == 76:
                self.state = _KEPT
            else:
                self._note(data, size)
        return size

    def _note(self, data, size):
        if size > _LONG:
            data = data[: _LONG - 20] + data[-20:]
            size = _LONG
        if self.new_size + size > _PAGE:
            self.old, self.new = self.new, self.old
            self.old_size = self.new_size
            self.new_size = 0
            self.new.seek(0)
        self.new.write(data)
        self.new_size += size

    def readinto(self, buf):
        return None

    def ioctl(self, op, arg):
        return 0

    def tick(self, now):
        if self.state != _PROMPT:
            return
        if self.ended is None:
            self.ended = now
            try:
                self._say()
            except MemoryError:
                self.reason = "MemoryError"
                self.wait = _FAILED
        elif now - self.ended >= self.wait:
            try:
                _keep(self.reason)
            finally:
                _reset("sdboot: main.py has ended, resetting")

    def _say(self):
        gc.collect()
        line = self._exception()
        if line:
            if line.startswith("KeyboardInterrupt"):
                self.state = _KEPT  # somebody is there
                return
            self.reason = line
            self.wait = _FAILED
        self.state = _BANNER
        print("\nsdboot: main.py has ended: reset in %d s, a key stops that" % (self.wait // 1000))
        print(">>> ", end="")
        self.state = _PROMPT

    def _exception(self):
        # Its line comes after the one with the place in a file. Without memory there was no place.
        text = self.old.getvalue()[: self.old_size] + self.new.getvalue()[: self.new_size]
        found = b""
        place = False
        for line in text.replace(b"\r", b"").split(b"\n"):
            if place or line.partition(b" ")[0].endswith(b"Error:"):
                found = line
            place = line.startswith(b'  File "')
        try:
            return str(found, "utf-8")
        except UnicodeError:  # cut in the middle of a character
            return repr(found)
