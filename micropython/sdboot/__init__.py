# SPDX-License-Identifier: MIT
# sdboot: an SD card as the safe root filesystem of a MicroPython board.
#
# boot.py on the internal flash:   import sdboot; sdboot.boot()

__version__ = "0.1.0"

try:
    from ._errors import Error, CardError, NetworkError, PackageError
    from .board import boot, version, status, confirm, rollback, verify
    from .board import transaction, sync, recover, format
except ValueError as e:  # of a file *.mpy
    import sys

    raise ImportError(
        "sdboot is made for MicroPython 1.23 to 1.28, not for %s (%s)" % (sys.version, e)
    )


def __getattr__(name):
    # The updater is loaded when it is asked for: sdboot.OTA is its class.
    if name == "OTA":
        from .ota import OTA

        return OTA
    if name == "ota":  # `from sdboot import ota` asks here before it looks for a file
        return __import__("sdboot.ota").ota
    raise AttributeError("module 'sdboot' has no attribute '%s'" % name)
