# SPDX-License-Identifier: MIT
# Releases that come from elsewhere than a server: from a folder, or as a stream.

from micropython import const

from ._errors import NetworkError, PackageError
from ._native import builtin

_EIO = const(5)
_EPKG_SIZE = const(187)
_EHTTP_SHORT = const(248)

time = builtin("time")


class Folder:
    """Stands for a Client, see net.py: files of what is mounted, as file:///flash/inbox."""

    retries = 0  # what fails here won't be better in a second

    def start(self):
        pass

    hang_up = start

    def wait(self, ms):
        time.sleep_ms(ms)

    def get(self, url, buf, at=0, length=0, known="", via=None):
        try:
            path = url[len("file://") :]
            file = builtin("io").open(path, "rb")
            size = builtin("os").stat(path)[6]
        except OSError as e:
            raise NetworkError(_EIO, "%s can't be read (error %s)" % (url, e.errno))
        if not at and not length:
            return Answer(url, file, size)
        if at + length > size:
            file.close()
            raise PackageError(_EPKG_SIZE, "%s ends after %d bytes, before what the list says: copy it again" % (url, size))
        file.seek(at)
        length = length or size - at
        return Answer(url, file, length, (at, at + length - 1, size))
        yield  # a generator, as all that may have to wait


class Stream(Folder):
    """Likewise: a list of releases and its signature as bytes, and the package as it comes from
    something with readinto(): as many bytes as the list says, or up to its end."""

    size = 0  # of the package, 0: not known

    def __init__(self, source, versions, signature):
        self.source = source
        self.files = {"versions": versions, "versions.minisig": signature}

    def get(self, url, buf, at=0, length=0, known="", via=None):
        name = url[len("stream:/") :]
        if name.endswith(".idx"):
            raise NetworkError(_EIO, "a stream has no index")
        if name not in self.files:
            return Answer(url, self.source, self.size or -1, close=False)
        data = self.files[name]
        if data is None:
            raise NetworkError(_EIO, "no signature was given: install_stream(..., signature=...)")
        return Answer(url, builtin("io").BytesIO(data), len(data))
        yield


class Answer:
    """Stands for a Response."""

    validator = ""

    def __init__(self, url, file, length, range=None, close=True):
        self.url = url
        self.file = file
        self.status = 206 if range else 200
        self.length = self.left = length
        self.range = range
        self.ours = close

    def read(self, view):
        fill = 0
        while fill < len(view) and self.left:
            most = len(view) if self.left < 0 else min(fill + self.left, len(view))
            n = self.file.readinto(view[fill:most])
            if n is None:  # nothing has come yet
                yield 20
                continue
            if not n:
                if self.left > 0:
                    raise NetworkError(_EHTTP_SHORT, "%s: ended %d bytes early, try again" % (self.url, self.left))
                break
            fill += n
            if self.left > 0:
                self.left -= n
        return fill

    def close(self):
        if self.ours:
            self.file.close()
            self.ours = False
