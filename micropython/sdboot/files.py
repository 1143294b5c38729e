# SPDX-License-Identifier: MIT
# Releases that come from elsewhere than a server: from a folder, or as a stream.

from micropython import const

from ._errors import NetworkError
from ._native import builtin

_EIO = const(5)
_EHTTP_SHORT = const(248)


class Folder:
    """Stands for a Client, see net.py: files of what is mounted, as file:///flash/inbox."""

    def hang_up(self):
        pass

    def get(self, url, buf, at=0, length=0):
        try:
            path = url[len("file://") :]
            file = builtin("io").open(path, "rb")
            size = builtin("os").stat(path)[6]
        except OSError as e:
            raise NetworkError(_EIO, "%s can't be read (error %s)" % (url, e.errno))
        if length:
            file.seek(at)
        return Answer(url, file, 206 if length else 200, min(length or size, size - at))


class Stream(Folder):
    """Likewise: a list of releases and its signature as bytes, and the package as it comes from
    something with readinto(): as many bytes as the list says, or up to its end."""

    size = 0  # of the package, 0: not known

    def __init__(self, source, versions, signature):
        self.source = source
        self.files = {"versions": versions, "versions.minisig": signature}

    def get(self, url, buf, at=0, length=0):
        name = url[len("stream:/") :]
        if name.endswith(".idx"):
            raise NetworkError(_EIO, "a stream has no index")
        if name not in self.files:
            return Answer(url, self.source, 200, self.size or -1, False)
        data = self.files[name]
        if data is None:
            raise NetworkError(_EIO, "no signature was given")
        return Answer(url, builtin("io").BytesIO(data), 200, len(data))


class Answer:
    """Stands for a Response."""

    def __init__(self, url, file, status, length, close=True):
        self.url = url
        self.file = file
        self.status = status
        self.length = length
        self.ours = close

    def pieces(self, buf):
        view = memoryview(buf)
        left = self.length
        while left:
            n = self.file.readinto(view if left < 0 else view[: min(left, len(view))])
            if not n:
                if left > 0:
                    raise NetworkError(_EHTTP_SHORT, "%s: ended %d bytes early" % (self.url, left))
                return
            if left > 0:
                left -= n
            yield view[:n]

    def close(self):
        if self.ours:
            self.file.close()
            self.ours = False
