# SPDX-License-Identifier: MIT
# What boot() does, once; it is dropped from memory afterwards. Nothing on the card, in boot()'s
# arguments or in the firmware may keep the application from running without need: what goes wrong
# is said, and the next step is taken.

import gc
from micropython import const

from . import board, mounted
from ._errors import reason
from ._native import builtin, load, with_log
from .mounted import version

_ENOENT = const(2)
_ELOG = const(229)


def attempt(f, *args):
    """f(*args), or None if it fails: the one place that turns the exceptions of a boot into
    messages. KeyboardInterrupt gets through."""
    try:
        return f(*args)
    except Exception as e:
        gc.collect()  # there may be no memory for the message
        print("sdboot:", reason(e))
        return None


def run(pin, sd, fs, formatting, journal, attempts, timeout, confirm_after, inbox, unknown):
    """Returns whether "/" is the card now."""
    for name in unknown:
        print("sdboot: boot() has no argument", name)
    if fs not in mounted.KINDS or formatting not in ("auto", "never", "any"):
        print(
            'sdboot: boot(): %s, format is "auto", "never" or "any": nothing will be formatted'
            % mounted.FS_IS
        )
        fs, formatting = "fat", "never"
    if journal == "log":
        journal = 2  # as _sdboot.Volume has it
    elif journal not in (True, False):
        print('sdboot: boot(): journal is True, False or "log", not %r: True is taken' % (journal,))
        journal = True
    try:
        pressed = attempt(_pressed, pin, sd)
        if not attempt(_find, sd, fs, formatting, journal):
            return _stay()
        if pressed and not load("pins").refused():
            return False if attempt(_recovery) else _stay()
        timeout = _number("trial_timeout", timeout or 0, 300)
        on_trial = attempt(_finish, _number("attempts", attempts, 3), timeout)
        if on_trial:
            attempt(load, "watch")  # now: the card may have an io.py
        found = attempt(_readable)
        if found is not None:
            attempt(_root)
        if mounted.point is None:
            return _stay()
        attempt(_announce, found)
        attempt(_idle)
        if on_trial:
            if confirm_after is not None:
                confirm_after = _number("confirm_after", confirm_after, timeout)
            attempt(_watch, timeout, confirm_after)
        elif inbox and attempt(_offer, inbox):
            builtin("machine").reset()
        return True
    finally:
        if mounted.point is None:  # KeyboardInterrupt, too
            mounted.fs = None


def _number(name, value, otherwise):
    try:
        if int(value) >= 0:
            return int(value)
    except (ValueError, TypeError, OverflowError):
        pass
    print("sdboot: boot(): %s is a number, not %r: %d is taken" % (name, value, otherwise))
    return otherwise


def _pressed(pin, sd):
    return load("pins").pressed(pin, sd)


def _find(sd, fs, formatting, journal):
    if journal == 2:
        with_log()
    card = load("card")
    mounted.card = card.open(sd)
    try:
        card.use(mounted.card, fs, formatting, journal)
    except OSError as e:
        if e.errno != _ELOG:
            raise
        # An earlier boot.py has left a log, which only the other module can read.
        with_log()
        board.forget("card")
        mounted.card = load("_sdboot").Card(mounted.card)
        load("card").use(mounted.card, fs, formatting, journal)
    return True


def _stay():
    mounted.fs = None
    print("sdboot: staying on internal flash")
    return False


def _recovery():
    load("root").mount(mounted.fs, "/sd")
    print("sdboot: recovery pin is low: card is at /sd, the application does not run")
    return True


def _finish(attempts, timeout):
    try:
        return load("trial").finish_update(attempts, timeout)
    except BaseException:  # no memory, say, in the middle of a swap
        load("card").mount_again()
        raise


def _readable():
    # The version that runs. A card that can't be read is noticed here at the latest; if it is but
    # this file, the application runs.
    try:
        return version()
    except Exception as e:
        print("sdboot:", reason(e))
    try:
        mounted.fs.stat("/main.py")
    except OSError as e:
        if e.errno != _ENOENT:
            raise
    return "?"


def _root():
    load("root").move(mounted.fs)


def _announce(found):
    found = "no release" if found == "0.0.0" else found
    print("sdboot: %s on SD card, %s" % (found, load("card").describe()))


def _idle():
    if mounted.volume is not None and mounted.volume.info()[mounted.RECORDS] >= 0:
        load("idle").start()


def _watch(timeout, confirm_after):
    load("watch").start(timeout, confirm_after)


def _offer(name):
    return load("inbox").offer(name)
