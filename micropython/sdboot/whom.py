# SPDX-License-Identifier: MIT
# Whom a list of releases must suit: what this board is called, its product, its channel, its number.

import sys
from micropython import const

from . import mounted
from ._native import builtin

_ENOENT = const(2)

# Why a release is not for this board (enum sdb_held in core/web/details.h).
WHY = (
    "",
    "it is for others (board=)",
    "its channel is not followed here",
    "a release in between must be installed first (min=)",
    "not its turn yet (rollout=)",
    "what is said of it (file=) stands too far above its line",
)

TODAY = 4  # place in facts()


def facts(ota, signature):
    """The last arguments of _sdlist.Versions: names, channel, product, id, today, floor."""
    product, channel, board, _ = ota.asks
    if product is None:
        product = _product(ota.main_dir)
    floor = signature.floor() if signature else 0
    return board or _names(), channel or "", product, device_id(ota), _today(), floor


def _product(main_dir):
    # What the file .product of the running release says: its first word.
    try:
        with mounted.filesystem().open("/%s/.product" % main_dir, "rb") as f:
            return str(b" ".join(f.read(128).split()[:1]), "utf-8")
    except OSError as e:
        if e.errno != _ENOENT:
            raise
        return ""


def _names():
    # "esp32,ESP32_GENERIC_S3,ESP32S3": platform, build, and the processor, with which machine's text
    # ends.
    this = sys.implementation
    names = [sys.platform, getattr(this, "_build", ""), getattr(this, "_machine", "").split(" ")[-1]]
    return ",".join([name for name in names if name])


def device_id(ota):
    """The board's number among others, bytes; b"" if it has none."""
    given = ota.asks[3]
    if given is not None:
        return given
    machine = builtin("machine")
    return machine.unique_id() if hasattr(machine, "unique_id") else b""


def _today():
    # 20270131, or 0 if the clock has not been set since power-on.
    year, month, day = builtin("time").gmtime()[:3]
    return year * 10000 + month * 100 + day if year >= 2025 else 0
