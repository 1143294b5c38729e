# Mount points and import paths.

import os
import sys

import vfs

import sdboot


def mount(fs, point):
    vfs.mount(fs, point)


def umount(point):
    vfs.umount(point)


def _internal_flash():
    # The filesystem that is "/" now, or the block device under it.
    try:
        for fs, point in vfs.mount():
            if point == "/":
                return fs
    except TypeError:  # before MicroPython 1.25
        from flashbdev import bdev

        return bdev


def move(fs):
    # The card becomes "/", the internal flash /flash. This package is on the flash: whatever is
    # imported of it later must come from there, whatever the card has under the same name.
    flash = _internal_flash()
    vfs.umount("/")
    vfs.mount(fs, "/")
    os.chdir("/")
    if flash is None:
        return
    vfs.mount(flash, "/flash")
    for path in ("/flash", "/flash/lib"):
        if path not in sys.path:
            sys.path.append(path)
    if sdboot.__path__[0] != ".":  # not frozen
        sdboot.__path__ = "/flash/" + sdboot.__path__.lstrip("/")
