# SPDX-License-Identifier: MIT
# Mount points and import paths.

import os
import sys

import vfs

import sdboot

from . import mounted


def mount(fs, point):
    vfs.mount(fs, point)
    mounted.point = point


def umount(point):
    vfs.umount(point)
    mounted.point = None


def _internal_flash():
    # The filesystem that is "/" now, or the block device under it. None: it is elsewhere.
    try:
        for fs, point in vfs.mount():
            if point == "/":
                return fs
    except TypeError:  # before MicroPython 1.25
        if "flash" in os.listdir("/") and os.getcwd() != "/":
            return None
        if sys.platform == "rp2":
            from rp2 import Flash

            return vfs.VfsLfs2(Flash(), progsize=256)
        from flashbdev import bdev

        return bdev


def move(fs):
    # The card becomes "/", the internal flash /flash. This package is on the flash: whatever is
    # imported of it later must come from there, whatever the card has under the same name.
    flash = _internal_flash()
    package = sdboot.__path__
    if flash is None:  # of STM32 and i.MX RT: it is /flash already
        package = "%s/%s" % (os.getcwd(), package) if package[0] != "/" else package
        mount(fs, "/")
    else:
        package = "/flash/" + package.lstrip("/")
        try:
            vfs.umount("/")
            mount(fs, "/")
        except BaseException:
            vfs.mount(flash, "/")  # what the board runs from now
            raise
    os.chdir("/")
    for path in ("/lib", "/flash", "/flash/lib"):
        if path not in sys.path:
            sys.path.append(path)
    if sdboot.__path__[0] != ".":  # not frozen
        sdboot.__path__ = package
    if flash is not None:
        vfs.mount(flash, "/flash")
