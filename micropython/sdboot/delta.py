# SPDX-License-Identifier: MIT
# Stages a release that has an index: what the card has already is copied there, what it has not is
# fetched, and what an attempt before has staged stays.

from micropython import const

from . import board, mounted
from ._errors import NetworkError, PackageError, check, reason
from ._native import builtin, load
from .attributes import mending
from .ota import _turn as turn

_ENOSPC = const(28)
_EPKG_HASH = const(186)
_EPKG_SIZE = const(187)
_EHTTP_SHORT = const(248)

BUFFER = 2048  # bytes that are read at a time, from the card and from the network
LOSS = 64 << 10  # bytes that are lost at most if the power goes, or one file
LONGEST = 256 << 10  # bytes of an index


def stage(ota, release, what):
    """Stages `release`. False if it has to be fetched whole: why has been said, nothing is staged."""
    try:
        index = _index(ota, release)
    except (PackageError, NetworkError, MemoryError) as e:
        return _whole(ota, e)
    install = ota._begin(release, what, LOSS)
    try:
        _feed(ota, release, install, index)
        return True
    except BaseException as e:
        lost = board.recover()  # what was not committed
        if not lost and _goes_on(e):
            turn(install.suspend)
        if lost or _goes_on(e):
            raise
        ota._abort(install)
        if isinstance(e, OSError) and e.errno == _ENOSPC:  # next time without what was there already
            raise
        return _whole(ota, e)


def _goes_on(e):
    # The next attempt may take what this one has staged.
    return isinstance(e, NetworkError) or not isinstance(e, (OSError, MemoryError))


def _whole(ota, e):
    ota._say("the whole package is fetched: %s" % reason(e))
    return False


def _index(ota, release):
    url = "%s/%s.idx" % (ota.url, release.file)
    buf = bytearray(BUFFER)
    found = bytearray()
    response = ota.client.get(url, buf)
    try:
        for piece in response.pieces(buf):
            found.extend(piece)
            if len(found) > LONGEST:
                check(-_EPKG_SIZE, url)
    finally:
        response.close()
    found = bytes(found)
    if builtin("hashlib").sha256(found).digest() != release.index:
        check(-_EPKG_HASH, url)
    return found


def _feed(ota, release, install, index):
    ota._clean(install)
    buf = bytearray(BUFFER)
    delta = load("_sdindex").Delta(
        mounted.filesystem(),
        mending(mounted.volume),
        ota.main_dir,
        install.directory(),
        release.version,
        index,
        builtin("hashlib").sha256,
        buf,
    )
    what = release.file + ".idx"
    check(delta.begin(), what)
    try:
        while check(delta.plan(), what):
            ota.progress("clean", 0, 0)
        fetch, ranges = delta.info()
        ota._say("%d bytes are fetched, in %d pieces" % (fetch, ranges))
        done = _assemble(ota, release, install, delta, buf)
    finally:
        delta.end()
    ota._finish(install, release, done)


def _assemble(ota, release, install, delta, buf):
    # Feeds the package, from here and from there. Returns its length.
    view = memoryview(buf)
    source = Ranges(ota.client, "%s/%s" % (ota.url, release.file))
    done = 0
    try:
        while True:
            n = check(delta.read(), release.file)
            if n:
                if delta.kept():
                    install.keep()
                done = ota._take(install, release, view[:n], done, release.size)
                continue
            at, length = delta.want()
            if not length:
                return done
            for piece in source.pieces(at, length):
                done = ota._take(install, release, piece, done, release.size)
                delta.took(len(piece))
    finally:
        source.close()
        ota.client.hang_up()


class Ranges:
    """Parts of the file at `url`, in the order in which they are in it. A server that knows no ranges
    sends all of it: then once only."""

    def __init__(self, client, url):
        self.client = client
        self.url = url
        self.buf = bytearray(BUFFER)  # not the card's: what comes behind a range may wait in it
        self.response = None
        self.whole = None  # pieces of the whole file
        self.rest = b""  # of the last of them, what was not wanted yet
        self.at = 0  # place of that

    def pieces(self, at, length):
        """Yields the bytes from `at` on, `length` in all."""
        if self.whole is None:
            self.close()
            self.response = self.client.get(self.url, self.buf, at, length)
            pieces = self.response.pieces(self.buf)
            if self.response.status == 206:
                if self.response.length != length:
                    check(-_EPKG_SIZE, self.url)
                for piece in pieces:
                    yield piece
                    length -= len(piece)
                if length:
                    check(-_EHTTP_SHORT, self.url)
                return
            self.whole = pieces
        while length:
            if not self.rest:
                self.rest = next(self.whole, b"")
                if not self.rest:
                    check(-_EPKG_SIZE, self.url)
            skip = min(at - self.at, len(self.rest))
            piece = self.rest[skip : skip + length]
            self.at += skip + len(piece)
            self.rest = self.rest[skip + len(piece) :]
            if piece:
                at += len(piece)
                length -= len(piece)
                yield piece

    def close(self):
        if self.response is not None:
            self.response.close()
            self.response = None
