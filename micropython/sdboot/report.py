# SPDX-License-Identifier: MIT
# What a board says of itself in each request (docs/FORMAT): web servers log it by themselves. Loaded
# for the call only.

import sys

from . import __version__, mounted
from ._native import builtin, load

LONGEST = 200  # bytes of the whole line
FIELD = 48  # of a field, where all of it is too long


def line(ota):
    """The value of User-Agent."""
    board = ota.asks[2]
    board = board.split(",")[0] if board else sys.platform
    try:
        running = mounted.version(ota.main_dir) or "-"
    except OSError:
        running = "-"
    event, reason = _event()
    fields = [_plain(board), _plain(_id(ota)), _plain(running), event]
    head = "sdboot/%s (" % __version__
    room = LONGEST - len(head) - len("; ".join(fields)) - 1
    if room < 0:
        fields = [_cut(f, FIELD) for f in fields]
        room = LONGEST - len(head) - len("; ".join(fields)) - 1
    if reason and room > 2:
        fields[3] += ": " + _cut(_plain(reason, " "), room - 2)
    return head + "; ".join(fields) + ")"


def _event():
    # The last field, and the reason, which may be cut.
    record = mounted.record()
    state, event = record[mounted.STATE], record[mounted.EVENT]
    of = _plain(record[mounted.EVENT_VERSION] or "-")
    if state in (mounted.STAGED, mounted.SWAPPING):
        return "staged " + _plain(record[mounted.VERSION]), None
    if state == mounted.TRIAL:
        return "trial " + of, None
    if event in (mounted.INSTALLED, mounted.CONFIRMED):
        return "confirmed " + of, None
    why = {mounted.ROLLED_BACK: "rolled-back", mounted.EXPIRED: "expired", mounted.CORRUPT: "corrupt"}
    if event not in why:
        return "none", None
    return "failed %s %s" % (of, why[event]), reason(record[mounted.EVENT_VERSION])


def _id(ota):
    return str(builtin("binascii").hexlify(load("whom").device_id(ota)), "utf-8") or "-"


def _plain(text, allowed=""):
    out = ""
    for c in text.encode():
        c = chr(c) if 33 <= c < 127 and c not in b'%;()"\\' else "%%%02x" % c
        out += " " if c == "%20" and allowed else c
    return out


def _cut(text, most):
    if len(text) <= most:
        return text
    at = text.rfind("%", most - 2, most)
    return text[: most if at < 0 else at]


def reason(release):
    """Why main.py of the release has ended on trial, None if that is not known."""
    try:
        with mounted.fs.open(mounted.REASON, "rb") as f:
            of, text = f.read(500).split(b"\n")[:2]
        return str(text, "utf-8") if of == release.encode() else None
    except (OSError, ValueError):  # ValueError: UnicodeError, or not our file
        return None
