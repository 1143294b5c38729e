# SPDX-License-Identifier: MIT
# Updates beside an application with asyncio.

import asyncio

from ._errors import reason
from ._native import builtin

time = builtin("time")

LOOK = 20  # milliseconds after which a socket is looked at again
SHORTEST, DAY = 60, 86400  # seconds


async def update(ota):
    steps = ota.steps()
    try:
        while True:
            await asyncio.sleep_ms(min(next(steps), LOOK))
    except StopIteration as e:
        return e.value
    finally:
        steps.close()


async def poll(ota, every, hours, first):
    wait = _share(min(every, 3600)) if first is None else first
    failed = 0  # times in a row
    while True:
        await _sleep(wait + _until(hours))
        if _until(hours):
            wait = 0
            continue
        try:
            if await update(ota):
                return True
            failed = 0
            wait = every * 9 // 10 + _share(every // 5)
        except OSError as e:
            ota._say("%s; later again" % reason(e))
            most = min(SHORTEST << min(failed, 16), every)
            failed += 1
            wait = most // 2 + _share(most)


def _share(seconds):
    # Some of them: another number on each board, and each time.
    if seconds < 1:
        return 0
    number = int.from_bytes(builtin("os").urandom(4), "big")
    return number % int(seconds + 1)


def _until(hours):
    # Seconds until the hours begin, 0: it is time. Anything is if the clock is not set.
    if hours is None:
        return 0
    year, _, _, hour, minute, second = time.localtime()[:6]
    if year < 2025:
        return 0
    begin, end = hours
    now = hour * 3600 + minute * 60 + second
    if (now - begin * 3600) % DAY < (end - begin) * 3600 % DAY or begin == end:
        return 0
    # Not at the first second, where the other boards are.
    return (begin * 3600 - now) % DAY + _share((end - begin) * 3600 % DAY // 2)


async def _sleep(seconds):
    while seconds > 0:
        await asyncio.sleep(min(seconds, 3600))  # sleep_ms() counts to 2 ** 29
        seconds -= 3600
