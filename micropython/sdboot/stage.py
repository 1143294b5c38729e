# SPDX-License-Identifier: MIT
# Stages a release: what comes from the server is written beside what runs, in bounded steps.

from micropython import const

from . import board, mounted
from ._errors import CardError, Error, check
from ._native import hasher, load
from .attributes import mending

_EBUSY = const(16)
_EINVAL = const(22)
_ENOSPC = const(28)
_EPKG_SIZE = const(187)

turns = load("turns")
call = turns.call

KEPT = ("lib", "flash", "main.py", "boot.py")  # what is staged replaces the folder: these are in use
BUFFER = 2048  # bytes read from the network, or from the card, at a time


def install(ota, release):
    """Generator: stages `release`."""
    what = "install of " + release.version
    if release.index and (yield from load("delta").stage(ota, release, what)):
        return
    install = begin(ota, release, what)
    try:
        yield from _whole(ota, install, release)
    except BaseException:
        if board.recover():  # the filesystem has been mounted anew
            install = begin(ota, release, what)
        abort(ota, install)
        raise


def begin(ota, release, what, resume=0):
    sha256 = hasher("sha256")
    install = load("_sdota").Install(
        mounted.filesystem(),
        mending(mounted.volume),
        ota.main_dir,
        ota.new_version_dir,
        release.version,
        release.sha256 or release.sha1,
        sha256 if release.sha256 else hasher("sha1"),
        sha256,
    )
    install.resume(resume)
    kept = [name for name in (ota.main_dir, ota.new_version_dir) if name.lower() in KEPT]
    code = -_EINVAL if kept else call(install.begin)
    if code == -_EINVAL:
        raise Error(
            _EINVAL,
            "%s: invalid argument: main_dir and new_version_dir are two folders of their own in the root "
            "of the card, not %r and %r" % (what, ota.main_dir, ota.new_version_dir),
        )
    if code == -_EBUSY:
        raise Error(
            _EBUSY,
            what + ": the running release is on trial, sdboot.confirm() it first; or a swap was "
            "interrupted, reset first",
        )
    check(code, what)
    return install


def abort(ota, install):
    # In one go: whoever has ended the steps won't come back for more.
    turns.until_gone(ota.progress, install.abort)


def clean(ota, install):
    """Generator: removes what earlier attempts have left."""
    ota.progress("clean", 0, 0)
    while check(call(install.clean), "clean-up of the card"):
        ota.progress("clean", 0, 0)
        yield 0


def room(size, what):
    """Is there room for a release whose package has `size` bytes? An error if there is not."""
    if mounted.kind != "fat":
        return  # littlefs would have to read all of the card to know
    cluster, _, _, free = mounted.fs.statvfs("/")[:4]
    # In a package each file has 512 bytes in front and is rounded up to 512; on the card it takes
    # clusters, but for the empty ones.
    least = (size - 65536) // (cluster + 512) * cluster
    if least > free * cluster:
        text = "%s: no space left on the card: delete files (it needs %d KiB, %d are free)"
        raise CardError(_ENOSPC, text % (what, least >> 10, free * cluster >> 10))


def _whole(ota, install, release):
    yield from clean(ota, install)
    if release.size:
        room(release.size, release.file)
    buf = memoryview(bytearray(BUFFER))
    source = load("source").Source(ota.client, "%s/%s" % (ota.url, release.file))
    done = 0
    try:
        while True:
            n = yield from source.read(buf)
            if not done:
                if source.length > (release.size or 1 << 30):
                    check(-_EPKG_SIZE, release.file)
            if not n:
                break
            done = take(ota, install, release, buf[:n], done, source.length)
            yield 0
    finally:
        source.close()
    yield from finish(ota, install, release, done)


def take(ota, install, release, piece, done, total):
    """The next bytes of the package; returns how many there were with them."""
    code = call(install.feed, piece)
    if code < 0:
        check(code, _where(install, release))
    done += len(piece)
    if done > (release.size or 1 << 30):
        check(-_EPKG_SIZE, release.file)
    ota.progress("download", done, total)
    return done


def finish(ota, install, release, done):
    """Generator: the package has ended after `done` bytes."""
    if release.size and done != release.size:
        check(-_EPKG_SIZE, release.file)
    check(call(install.verify), release.file)
    yield 0
    found = ota.found
    if found and found.signed and found.release is release:
        load("signed").keep(release.version, install.directory(), ota.key)
    while check(call(install.finish), release.file):  # what was staged before goes
        ota.progress("clean", 0, 0)
        yield 0
    boot, litter = install.skipped()
    if boot:
        ota._say(release.file + ": boot.py is skipped, it belongs on the internal flash")
    if litter:
        ota._say("%s: %d files of macOS are skipped" % (release.file, litter))
    ota.progress("staged", done, done)
    ota._say("%s is staged, reset to run it" % release.version)


def _where(install, release):
    member = install.where()
    try:
        text = repr(str(member, "utf-8"))[1:-1]  # the terminal must not obey a file name
    except UnicodeError:
        text = repr(member)[2:-1]
    return "%s: %s" % (release.file, text) if text else release.file
