# SPDX-License-Identifier: MIT
# Stages a release that has an index: what the card has already is copied there, what it has not is
# fetched, and what an attempt before has staged stays.

from micropython import const

from . import board, mounted
from ._errors import NetworkError, PackageError, check, reason
from ._native import hasher, load
from .attributes import mending
from .source import Source
from .stage import BUFFER, abort, begin, call, clean, finish, take

_ENOSPC = const(28)
_EPKG_HASH = const(186)
_EPKG_SIZE = const(187)

LOSS = 64 << 10  # bytes that are lost at most if the power goes, or one file
LONGEST = 256 << 10  # bytes of an index


def stage(ota, release, what):
    """Generator: stages `release`. False if it has to be fetched whole: why has been said, nothing is
    staged."""
    try:
        index = yield from _index(ota, release)
    except (PackageError, NetworkError, MemoryError) as e:
        return _whole(ota, e)
    install = begin(ota, release, what, LOSS)
    try:
        yield from _feed(ota, release, install, index)
        return True
    except BaseException as e:
        lost = board.recover()  # what was not committed
        if not lost and _goes_on(e):
            call(install.suspend)
        if lost or _goes_on(e):
            raise
        abort(ota, install)
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
    source = Source(ota.client, "%s/%s.idx" % (ota.url, release.file))
    buf = memoryview(bytearray(BUFFER))
    found = bytearray()
    try:
        while True:
            n = yield from source.read(buf)
            if not n:
                break
            found.extend(buf[:n])
            if len(found) > LONGEST:
                check(-_EPKG_SIZE, source.url)
    finally:
        source.close()
    found = bytes(found)
    if hasher("sha256")(found).digest() != release.index:
        check(-_EPKG_HASH, source.url)
    return found


def _feed(ota, release, install, index):
    yield from clean(ota, install)
    buf = bytearray(BUFFER)
    delta = load("_sdindex").Delta(
        mounted.filesystem(),
        mending(mounted.volume),
        ota.main_dir,
        install.directory(),
        release.version,
        index,
        hasher("sha256"),
        buf,
    )
    what = release.file + ".idx"
    check(delta.begin(), what)
    try:
        while check(delta.plan(), what):
            ota.progress("clean", 0, 0)
            yield 0
        fetch, ranges = delta.info()
        ota._say("%d bytes are fetched, in %d pieces" % (fetch, ranges))
        done = yield from _assemble(ota, release, install, delta, buf)
    finally:
        delta.end()
    yield from finish(ota, install, release, done)


def _assemble(ota, release, install, delta, buf):
    # Feeds the package, from here and from there. Returns its length.
    view = memoryview(buf)
    source = Source(ota.client, "%s/%s" % (ota.url, release.file))
    done = 0
    wanted = 0
    try:
        while True:
            n = check(delta.read(), release.file)
            if n:
                if delta.kept():
                    install.keep()
            else:
                at, length = delta.want()
                if not length:
                    return done
                if at + length != wanted:  # another part
                    wanted = at + length
                    source.want(at, length)
                n = yield from source.read(view)
                delta.took(n)
            done = take(ota, install, release, view[:n], done, release.size)
            yield 0
    finally:
        source.close()
