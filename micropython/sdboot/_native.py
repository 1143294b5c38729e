# SPDX-License-Identifier: MIT
# Parts of the package that are loaded when they are needed: modules in C (native code in files
# *.mpy, or part of the firmware), whose names begin with "_", and Python.

import gc
import sys
from micropython import const

from ._errors import Error

_ENOEXEC = const(8)
_ENOMEM = const(12)
_ENOSYS = const(38)

# sys.implementation._mpy of a firmware that takes our native code: version 6, sub-version 3; above
# it the architecture, as its number in MicroPython's tools/mpy_ld.py; 5 to 8 are all Armv7-M.
_MPY = 6 | 3 << 8
_ARM = "armv7m"
_PACKAGES = {2: "x64", 4: "armv6m", 5: _ARM, 6: _ARM, 7: _ARM, 8: _ARM, 10: "xtensawin", 11: "rv32imc"}


def load(name):
    """The module `name`. Its memory is given back at a reset only, so what is seldom needed is in
    modules of its own."""
    loaded = sys.modules.get("sdboot." + name)
    return loaded or _load(name)


def with_log():
    """From now on _sdboot is the module that has the journal's log. Native code has two, so that
    it costs memory only where it is wanted; in firmware there is one, and it can do both."""
    try:
        sys.modules["sdboot._sdboot"] = load("_sdlog")
    except Error:
        pass


def builtin(name):
    """The firmware's own module `name`, whatever a file on the card is called: modules like socket
    can be replaced by files, under their names with a "u" in front they can't."""
    try:
        return __import__("u" + name)
    except ImportError:  # not part of the firmware, but frozen into it
        return __import__(name)


def hasher(name):
    """hashlib's class sha256 or sha1."""
    try:
        return getattr(builtin("hashlib"), name)
    except (ImportError, AttributeError):
        raise Error(_ENOSYS, "this firmware has no hashlib.%s, which releases need: build it in" % name)


def _load(name):
    # Code passes through the heap on its way to executable memory: it has to be there in one piece,
    # and what is made afterwards should not be scattered behind it.
    gc.collect()
    try:
        return getattr(__import__("sdboot." + name), name)
    except ImportError as e:
        try:
            if name[0] == "_":  # part of the firmware
                module = sys.modules["sdboot." + name] = __import__(name)
                return module
        except ImportError:
            pass
        _unload(name)
        raise Error(
            _ENOSYS,
            "sdboot.%s can't be loaded: %s in this firmware or installation; install sdboot again, or "
            "another firmware" % (name, e),
        )
    except MemoryError:
        _unload(name)
        raise Error(
            _ENOMEM,
            "no memory for the native module %s: import sdboot before everything else, in boot.py; "
            "if it is already, build it into the firmware (docs/INSTALL.md)" % name,
        )
    except ValueError as e:
        _unload(name)
        raise Error(_ENOEXEC, "%s is not made for this firmware (%s): %s" % (name, e, _remedy()))
    finally:
        gc.collect()


def _unload(name):
    # MicroPython keeps a module whose import has failed.
    sys.modules.pop("sdboot." + name, None)


def _remedy():
    mpy = getattr(sys.implementation, "_mpy", 0)
    arch = mpy >> 10
    if not arch:
        return "it runs no native code, build sdboot into it (docs/INSTALL.md)"
    if mpy & 0x3FF != _MPY:
        return "MicroPython 1.23 to 1.28 is needed, this is " + sys.version.split("; ")[-1]
    return "install the package for " + _PACKAGES.get(arch, "architecture %d" % arch)
