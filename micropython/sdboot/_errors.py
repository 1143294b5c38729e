# SPDX-License-Identifier: MIT
# Errors of the C modules as exceptions.

class Error(OSError):
    """`errno`, which is args[0] too, is that of the system or, from 180 on, a code of sdboot's own
    (core/error.h); the message says what happened and what to do."""

    def __str__(self):
        return self.args[-1]


class CardError(Error):
    """The card, or a file on it."""


class PackageError(Error):
    """What the server offers is refused: `versions` or a release is not as it must be."""


class NetworkError(Error):
    """The server was not reached, or its answer was cut short or makes no sense."""


def strerror(code):
    from ._native import load

    return load("_sderror").strerror(code)


def check(code, where="", kind=None):
    """Returns `code` unless it is negative: an errno or one of sdboot's own errors, which is raised
    as `kind` or as what it is about."""
    if code >= 0:
        return code
    message = strerror(code)
    if kind is None:
        kind = (
            NetworkError
            if code < -240
            else PackageError
            if code <= -180 and not -230 <= code <= -221
            else Error
            if code in (-12, -16, -22)  # no memory, wrong time, wrong argument
            else CardError
        )
    raise kind(-code, "%s: %s" % (where, message) if where else message)


def reason(e):
    """What to print of an exception at boot."""
    if isinstance(e, Error):
        return e
    if isinstance(e, (AttributeError, ImportError)):
        text = "%s: %s; this firmware, or an argument of boot(), has less than is needed"
        return text % (type(e).__name__, e)
    if not isinstance(e, OSError) or not isinstance(e.errno, int):  # OSError("no SD card")
        return "%s: %s" % (type(e).__name__, e)
    try:
        return "SD card error %d, %s" % (e.errno, strerror(-e.errno))
    except Exception:  # no memory for words
        return "SD card error %d" % e.errno
