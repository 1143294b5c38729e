# SPDX-License-Identifier: MIT
# Where there are threads: transactions and the steps of an update take turns, in the order in which
# they have come.

from micropython import const

from ._errors import Error
from ._native import builtin
from .mounted import threads

_EBUSY = const(16)

if threads:
    time = builtin("time")
    _lock = threads.allocate_lock()
_owner = None
_waiting = []


def begin():
    """Waits until it is this thread's turn: True, end() it. False: it is already."""
    global _owner
    if threads is None or _owner == threads.get_ident():
        return False
    this = threads.get_ident()
    _waiting.append(this)
    try:
        while _waiting[0] != this or not _lock.acquire(False):
            time.sleep_ms(1)  # Ctrl-C and functions of timers get through here
    finally:
        _waiting.remove(this)
    _owner = this
    return True


def end():
    global _owner
    _owner = None
    _lock.release()


def call(step, *arguments):
    """Calls it when no other thread's transaction is open."""
    mine = begin()
    try:
        return step(*arguments)
    finally:
        if mine:
            end()


def until_gone(progress, step, *arguments):
    """Calls it until it returns 0 or an error: what it removes is gone then."""
    while call(step, *arguments) > 0:
        try:
            progress("clean", 0, 0)  # it may feed a watchdog
        except BaseException:  # it may be the reason for all this
            progress = _no_progress


def _no_progress(phase, done, total):
    pass


def guard():
    """None, or what is raised where another thread than the transaction's commits."""
    if _owner == threads.get_ident():
        return None
    return Error(
        _EBUSY,
        "another thread's transaction is open: this is kept or undone with it, it is not on the "
        "card yet. Flush again later",
    )
