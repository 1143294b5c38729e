# SPDX-License-Identifier: MIT
# A folder on the card in which somebody has put a release, offered at boot.

from micropython import const

from . import mounted
from ._errors import CardError, reason
from ._native import builtin, load

_ENOENT = const(2)
_EEXIST = const(17)
_ENOTDIR = const(20)

os = builtin("os")


def offer(name):
    """Stages what is in the card's folder `name`, as an update from a server is: a newer release, and
    a signed one if the board has keys. Then the folder gets another name, so that this happens once.
    True if a reset is due."""
    folder = "/" + name.strip("/")
    try:
        mounted.filesystem().stat(folder + "/versions")
    except OSError as e:
        if e.errno not in (_ENOENT, _ENOTDIR):
            raise
        return False
    state = mounted.record()[mounted.STATE]
    if state == mounted.TRIAL or state == mounted.STAGED:
        return False  # later
    staged = False
    try:
        ota = load("ota").OTA("file://" + folder, quite=False)
        staged = ota.install_update_if_available()
        result = "installed" if staged else "not newer"
    except CardError:
        raise
    except OSError as e:
        result = "refused"
        print("sdboot: the release in %s is refused: %s" % (folder, reason(e)))
    moved = _move(folder, result)
    print("sdboot: %s is %s now (%s)" % (folder, moved, result))
    return staged


def _move(folder, result):
    for i in range(1, 100):
        to = "%s.%s%s" % (folder, result.replace(" ", "-"), "" if i == 1 else i)
        try:
            os.stat(to)
        except OSError:
            os.rename(folder, to)
            return to
    raise CardError(_EEXIST, "too many folders %s.%s: delete some" % (folder, result))
