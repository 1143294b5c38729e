# SPDX-License-Identifier: MIT
# The updater: finds a newer release on a web server and stages it beside the running one. The next
# boot puts it in place.

import gc
import sys
from micropython import const

from . import __version__, board, mounted
from ._errors import CardError, Error, check
from ._native import builtin, load
from .attributes import mending

_EBUSY = const(16)
_ENOSPC = const(28)
_EPKG_SIZE = const(187)

turns = load("turns")

BUFFER = 2048  # bytes read from the network at a time

# `sha1`, `sha256`: of the file, or None; the second counts if it is there. `size`: bytes, 0: not said.
# `index`: SHA-256 of its index, or None.
Release = builtin("collections").namedtuple(
    "Release", ("version", "file", "sha1", "sha256", "size", "index")
)


class OTA:
    """Updates from `url`, where a file `versions` lists the releases: http://, https://, or a folder,
    file:///flash/inbox.

    main_dir, new_version_dir  directories of the running release and of the one being staged
    headers                    sent with every request
    quite, quiet               print nothing (the first is the name that the first OTA class for
                               such cards has given it, whose users change one import)
    force_update               install the newest release even if it is not newer
    progress                   called with (phase, done, total): "clean", "download", "staged";
                               a bar is drawn if it is None and quite is False
    timeout                    seconds without a byte from the server until an error
    key                        public keys of minisign, a line each: only releases that are signed by
                               one of them are taken. If none are given, those in sdboot.pub on the
                               internal flash, if there is such a file
    ca, pin, insecure          whom to believe at https://, see tls.py
    product                    what this board is: lists of releases that are of another product, or
                               say none, are refused. If it is not given: what app/.product says
    channel                    takes releases of this channel too: "beta"
    board, device_id           what the firmware calls the board, and its number among others
                               (bytes), if they are not to be what the firmware says
    report                     each request tells the server which board asks, what it runs, and
                               what became of the last release (docs/FORMAT); False: nothing of it
    """

    def __init__(
        self,
        url,
        main_dir="app",
        new_version_dir="next",
        headers={},
        quite=True,
        force_update=False,
        *,
        quiet=None,
        progress=None,
        timeout=10,
        key=None,
        ca=None,
        pin=None,
        insecure=False,
        product=None,
        channel=None,
        board=None,
        device_id=None,
        report=True
    ):
        quite = quite if quiet is None else quiet
        self.url = url.rstrip("/")
        self.main_dir = main_dir.rstrip("/")
        self.new_version_dir = new_version_dir.rstrip("/")
        named = "user-agent" in [name.lower() for name in headers]
        all_headers = {} if named else {"User-Agent": "sdboot/" + __version__}
        all_headers.update(headers)
        self.client = (
            load("files").Folder()
            if url.startswith("file:///")
            else load("net").Client(all_headers, timeout, ca, pin, insecure)
        )
        self.report = report and not named
        self.quite = quite
        self.force_update = force_update
        self.key = key
        self.asks = (product, channel, board, device_id)
        self.signed = None  # the Release found last, if its list was signed
        self.progress = progress or (_no_progress if quite else _Bar())

    def check(self):
        """The Release to install, or None."""
        current = self.get_version(self.main_dir)
        release, failed = self._choose(current, self.force_update)
        if release:
            found = "found " + release.version
        elif failed:
            found = "%s is skipped, it has failed here: waiting for a newer one" % failed
        else:
            found = "no newer release"
        self._say("running %s, %s" % (current, found))
        return release

    def install_update_if_available(self):
        """Stages a newer release, if there is one: True, else False. It runs after a reset. True
        too if it is staged already; cancel() takes it back. While the running release is on trial,
        it has to prove itself first: False."""
        return self._install_if_new(self.check())

    def install_stream(self, source, versions, signature=None):
        """Likewise, but the package is what comes from `source`, anything with readinto(): a file, a
        UART, what a radio has received. `versions` is the list of releases that it is the newest of,
        and `signature` that list's (versions.minisig), both as bytes. A board that has a key takes it
        only if that signature is right."""
        url, client = self.url, self.client
        self.url = "stream:"
        self.client = load("files").Stream(source, versions, signature)
        try:
            release = self.check()
            self.client.size = release.size if release else 0
            return self._install_if_new(release)
        finally:
            self.url, self.client = url, client

    def _install_if_new(self, release):
        record = mounted.record()
        if record[mounted.STATE] == mounted.STAGED and not self.force_update:
            staged = record[mounted.VERSION]
            if release is None or release.version == staged:
                self._say("%s is staged already, reset to run it" % staged)
                return True
        if record[mounted.STATE] == mounted.SWAPPING and not self.force_update:
            staged = record[mounted.VERSION]
            if release is None or release.version == staged:  # a reset would not help, again and again
                raise CardError(
                    _ENOSPC,
                    "release %s could not be put in place at boot: is the card or its root folder "
                    "full? Delete files, then reset" % staged,
                )
        if release is None:
            return False
        if record[mounted.STATE] == mounted.TRIAL:
            self._say("the running release is on trial: no update before it is confirmed")
            return False
        self.install(release)
        return True

    def cancel(self):
        """Takes a staged release back: it will not run. True if there was one."""
        if mounted.record("cancel: ")[mounted.STATE] != mounted.STAGED:
            return False
        swap = load("_sdswap")
        volume = mending(mounted.volume)
        check(swap.rollback(mounted.fs, volume, 0), "cancel")
        self._until_gone(swap.remove_staged, mounted.fs, volume)
        return True

    def install(self, release):
        """Stages `release`. On any error what runs now is untouched, a release that was staged before
        stays so, and a later call starts anew."""
        board.forget("signed", "whom")  # what has found it makes room for what installs it
        what = "install of " + release.version
        if release.index and load("delta").stage(self, release, what):
            return
        install = self._begin(release, what)
        try:
            self._stage(install, release)
        except BaseException:
            if board.recover():  # the filesystem has been mounted anew
                install = self._begin(release, what)
            self._abort(install)
            raise

    def _abort(self, install):
        self._until_gone(install.abort)

    def _until_gone(self, step, *arguments):
        progress = self.progress
        while _turn(step, *arguments) > 0:
            try:
                progress("clean", 0, 0)  # it may feed a watchdog
            except BaseException:  # it may be the reason for all this
                progress = _no_progress

    def _begin(self, release, what, resume=0):
        hashlib = builtin("hashlib")
        sha256 = hashlib.sha256
        install = load("_sdota").Install(
            mounted.filesystem(),
            mending(mounted.volume),
            self.main_dir,
            self.new_version_dir,
            release.version,
            release.sha256 or release.sha1,
            sha256 if release.sha256 else hashlib.sha1,
            sha256,
        )
        install.resume(resume)
        code = _turn(install.begin)
        if code == -_EBUSY:
            raise Error(
                _EBUSY,
                what + ": the running release is on trial, sdboot.confirm() it first; or a swap was "
                "interrupted, reset first",
            )
        check(code, what)
        return install

    def get_version(self, directory, version_file_name=".version"):
        """The version that `directory` of the card holds, "0.0.0" if there is no such file."""
        return mounted.version(directory, version_file_name)

    def get_latest_version(self):
        """(version, file, SHA-1 as hex) of the newest release on the server."""
        release = self._choose("0.0.0", True)[0]
        if release is None:
            return "0.0.0", "", ""
        sha1 = builtin("binascii").hexlify(release.sha1 or b"").decode()
        return release.version, release.file, sha1

    def _say(self, text):
        if not self.quite:
            print("sdboot:", text)

    def _choose(self, current, force):
        # The Release or None, and the version that is skipped because it has failed.
        url = self.url + "/versions"
        if self.report and self.url.startswith("http"):
            self.client.headers["User-Agent"] = load("report").line(self)
            board.forget("report")
        bad = None if force else mounted.record()[mounted.BAD]
        signature = self._signature(url)
        whom = load("whom")
        facts = whom.facts(self, signature)
        versions = load("_sdlist").Versions(current, bad or None, force, *facts)
        check(versions.start(), "/%s/.version says %r" % (self.main_dir, current), CardError)
        buf = bytearray(BUFFER)
        response = self.client.get(url, buf)
        try:
            for piece in response.pieces(buf):
                if signature:
                    signature.feed(piece)
                check(versions.feed(piece), url)
        finally:
            response.close()
        if signature:
            signature.finish()
        response = buf = piece = None
        gc.collect()  # what is kept of the list must not split the room that buffers had
        result, *release, seq, expires, skipped, failed, held, why = versions.finish()
        if result >= 0:
            if signature:
                signature.accept(seq)
            if skipped:
                self._say("%s: %d lines skipped, they are no releases" % (url, skipped))
            if expires and not facts[whom.TODAY]:
                self._say("whether the list has expired is not known: the clock is not set")
            if held:
                self._say("%s is not for this board: %s" % (held, whom.WHY[why]))
        release = Release(*release) if check(result, url) else None
        self.signed = release if signature else None
        return release, bad if failed else None

    def _signature(self, url):
        # Of the file at `url`, or None if any release is taken.
        if self.key is None and mounted.keys is None and not mounted.on_flash(*mounted.KEYS):
            return None
        # What stays comes first: it must not lie behind what goes, there is little room.
        for name in ("_sdsign", "_sdlist", "_sdhttp"):
            load(name)
        signed = load("signed")
        known = signed.keys(self.key)
        if known is None:
            return None
        return signed.Signature(url, self.client, known)

    def _clean(self, install):
        self.progress("clean", 0, 0)
        while check(_turn(install.clean), "clean-up of the card"):
            self.progress("clean", 0, 0)

    def _stage(self, install, release):
        url = self.url + "/" + release.file
        self._clean(install)
        buf = bytearray(BUFFER)
        response = self.client.get(url, buf)
        done = 0
        most = release.size or 1 << 30
        try:
            if response.length > most:
                check(-_EPKG_SIZE, release.file)
            for piece in response.pieces(buf):
                done = self._take(install, release, piece, done, response.length)
        finally:
            response.close()
        self._finish(install, release, done)

    def _take(self, install, release, piece, done, total):
        # The next bytes of the package; returns how many there were with them.
        code = _turn(install.feed, piece)
        if code < 0:
            check(code, self._where(install, release))
        done += len(piece)
        if done > (release.size or 1 << 30):
            check(-_EPKG_SIZE, release.file)
        self.progress("download", done, total)
        return done

    def _finish(self, install, release, done):
        if release.size and done != release.size:
            check(-_EPKG_SIZE, release.file)
        check(_turn(install.verify), release.file)
        if release is self.signed:
            load("signed").keep(release.version, install.directory(), self.key)
        while check(_turn(install.finish), release.file):  # what was staged before goes
            self.progress("clean", 0, 0)
        boot, litter = install.skipped()
        if boot:
            self._say(release.file + ": boot.py is skipped, it belongs on the internal flash")
        if litter:
            self._say("%s: %d files of macOS are skipped" % (release.file, litter))
        self.progress("staged", done, done)
        self._say("%s is staged, reset to run it" % release.version)

    def _where(self, install, release):
        member = install.where()
        try:
            text = repr(str(member, "utf-8"))[1:-1]  # the terminal must not obey a file name
        except UnicodeError:
            text = repr(member)[2:-1]
        return "%s: %s" % (release.file, text) if text else release.file


def _turn(step, *arguments):
    mine = turns.begin()
    try:
        return step(*arguments)
    finally:
        if mine:
            turns.end()


def _no_progress(phase, done, total):
    pass


class _Bar:
    # A progress bar, redrawn only when it changes: a serial line is slow.
    WIDTH = 30

    def __init__(self):
        self.drawn = -1

    def __call__(self, phase, done, total):
        full = done * self.WIDTH // total if total > 0 else done >> 15
        if phase != "download" or full == self.drawn:
            return
        self.drawn = full
        if total > 0:
            bar = "#" * full + "." * (self.WIDTH - full)
            text = "\rsdboot: [%s] %d%%" % (bar, done * 100 // total)
        else:
            text = "\rsdboot: %d KiB" % (done >> 10)
        sys.stdout.write(text + ("\n" if done == total else ""))
