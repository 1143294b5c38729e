# SPDX-License-Identifier: MIT
# A Volume for modules that remove files: what a PC has made read-only is made writable by a module
# that is loaded only then.

from ._native import load


class Volume:
    def __init__(self, volume):
        self._volume = volume

    def __getattr__(self, name):
        return getattr(self._volume, name)

    def writable(self, path):
        # Path as bytes, with a zero at its end. Returns 0 or a negative error.
        return load("_sdprobe").writable(self._volume.device(), path)


def mending(volume):
    # None: littlefs, which has no such attribute.
    return volume if volume is None else Volume(volume)
