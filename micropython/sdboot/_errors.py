# Errors of the C modules as exceptions.


class Error(OSError):
    """`errno` is that of the system, or from 180 on a code of sdboot's own (core/error.h); the
    message says what happened and what to do."""

    def __init__(self, errno, message):
        super().__init__(message)
        self.errno = errno


def strerror(code):
    from ._native import load

    return load("_sderror").strerror(code)


def check(code, where=""):
    """Returns `code` unless it is negative: an errno or one of sdboot's own errors."""
    if code >= 0:
        return code
    message = strerror(code)
    raise Error(-code, "%s: %s" % (where, message) if where else message)


def reason(e):
    """What to print of an OSError of the card."""
    if isinstance(e, Error) or e.errno is None:
        return e
    return "SD card error %d, %s" % (e.errno, strerror(-e.errno))
