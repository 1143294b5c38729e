# Results of the C modules as exceptions.

import _sdboot
from . import Error


def check(code, where=""):
    """Returns `code` unless it is negative: an errno or one of sdboot's own errors."""
    if code >= 0:
        return code
    message = _sdboot.strerror(code)
    raise Error(-code, "%s: %s" % (where, message) if where else message)
