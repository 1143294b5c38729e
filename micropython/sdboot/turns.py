# SPDX-License-Identifier: MIT
# Where there are threads: transactions and the steps of an update take turns.

from ._errors import Error
from ._native import builtin
from .mounted import threads

if threads:
    time = builtin("time")
    _lock = threads.allocate_lock()
_owner = None
_waiting = 0


def begin():
    """Waits until it is this thread's turn: True, end() it. False: it is already."""
    global _owner, _waiting
    if threads is None or _owner == threads.get_ident():
        return False
    _waiting += 1
    try:
        while not _lock.acquire(False):
            time.sleep_ms(1)  # Ctrl-C and functions of timers get through here
    finally:
        _waiting -= 1
    _owner = threads.get_ident()
    return True


def end():
    global _owner
    _owner = None
    _lock.release()
    if _waiting:
        time.sleep_ms(2)  # else it would be ours again at once


def guard():
    """None, or what is raised where another thread than the transaction's commits."""
    if _owner == threads.get_ident():
        return None
    return Error(
        16,
        "another thread's transaction is open: this is kept or undone with it, it is not on the "
        "card yet. Flush again later",
    )
