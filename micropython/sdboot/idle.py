# SPDX-License-Identifier: MIT
# With journal="log": what has been flushed goes home when nothing has been written for a while, if a
# timer is free. A trial may need one more: it is asked first.

import machine

from . import mounted

_PERIOD = 10000  # milliseconds

_timer = None
_seen = 0  # records in the log at the last tick


def start():
    global _timer
    for number in (2, -1):
        try:
            timer = machine.Timer(number)
            timer.init(mode=machine.Timer.PERIODIC, period=_PERIOD, callback=_tick)
            _timer = timer
            return
        except (ValueError, TypeError, AttributeError, OSError):
            pass


def _tick(timer):
    # It may have interrupted a driver in Python, or a transaction: next time then. Errors are met
    # by whoever writes next.
    global _seen
    volume = mounted.volume
    if volume is None or mounted.failed():
        return
    records = volume.info()[mounted.RECORDS]
    if records > 0 and records == _seen:
        try:
            volume.checkpoint(2)
        except Exception:
            pass
    _seen = records
