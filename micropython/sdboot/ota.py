# The updater: finds a newer release on a web server and stages it beside the running one. The next
# boot puts it in place.

import gc
import hashlib
import sys
from binascii import hexlify
from collections import namedtuple

from . import __version__, board, mounted, net
from ._errors import Error, check
from ._native import load

BUFFER = 2048  # bytes read from the network at a time

Release = namedtuple("Release", ("version", "file", "sha1"))


class OTA:
    """Updates from `url`, where a file `versions` lists the releases.

    main_dir, new_version_dir  directories of the running release and of the one being staged
    headers                    sent with every request
    quite                      print nothing (sic: the name is that of the first OTA class for
                               such cards, whose users change one import)
    force_update               install the newest release even if it is not newer
    progress                   called with (phase, done, total): "clean", "download", "staged";
                               a bar is drawn if it is None and quite is False
    timeout                    seconds without a byte from the server until an error
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
        progress=None,
        timeout=10
    ):
        self.url = url.rstrip("/")
        self.main_dir = main_dir.rstrip("/")
        self.new_version_dir = new_version_dir.rstrip("/")
        self.headers = {"User-Agent": "sdboot/" + __version__}
        self.headers.update(headers)
        self.quite = quite
        self.force_update = force_update
        self.timeout = timeout
        self.progress = progress or (_no_progress if quite else _Bar())

    def check(self):
        """The Release to install, or None."""
        current = self.get_version(self.main_dir)
        release = self._choose(current, self.force_update)
        found = "found " + release.version if release else "no newer release"
        self._say("running %s, %s" % (current, found))
        return release

    def install_update_if_available(self):
        """Stages a newer release, if there is one: True, else False. It runs after a reset. While
        the running release is on trial, it has to prove itself first: False."""
        release = self.check()
        if release is None:
            return False
        if mounted.record()[mounted.STATE] == mounted.TRIAL:
            self._say("the running release is on trial: no update before it is confirmed")
            return False
        self.install(release)
        return True

    def install(self, release):
        """Stages `release`. On any error what runs now is untouched and a later call starts anew."""
        gc.collect()
        install = self._begin(release)
        try:
            self._stage(install, release)
        except BaseException:
            if board.recover():  # the filesystem has been mounted anew
                install = self._begin(release)
            while install.abort() > 0:
                pass
            raise
        self._say("%s is staged, reset to run it" % release.version)

    def _begin(self, release):
        install = load("_sdota").Install(
            mounted.filesystem(),
            mounted.volume,
            self.main_dir,
            self.new_version_dir,
            release.version,
            release.sha1,
            hashlib.sha1,
            hashlib.sha256,
            0,  # boot() says how many trial boots there are
        )
        code = install.begin()
        if code == -16:
            raise Error(
                16,
                "install of %s: the running release is on trial, sdboot.confirm() it first; or a "
                "swap was interrupted, reset first" % release.version,
            )
        check(code, "install of %s" % release.version)
        return install

    def get_version(self, directory, version_file_name=".version"):
        """The version that `directory` of the card holds, "0.0.0" if it says none."""
        return mounted.version(directory, version_file_name)

    def get_latest_version(self):
        """(version, file, SHA-1 as hex) of the newest release on the server."""
        release = self._choose("0.0.0", True)
        if release is None:
            return "0.0.0", "", ""
        return release.version, release.file, hexlify(release.sha1).decode()

    def _say(self, text):
        if not self.quite:
            print("sdboot:", text)

    def _choose(self, current, force):
        url = self.url + "/versions"
        bad = None if force else mounted.record()[mounted.BAD]
        versions = load("_sdhttp").Versions(current, bad or None, force)
        response = net.Response(url, self.headers, self.timeout)
        try:
            for piece in response.pieces(bytearray(512)):
                check(versions.feed(piece), url)
        finally:
            response.close()
        result, version, file, sha1, skipped = versions.finish()
        if result >= 0 and skipped:
            self._say("%s: %d lines skipped, they are no releases" % (url, skipped))
        return Release(version, file, sha1) if check(result, url) else None

    def _stage(self, install, release):
        url = self.url + "/" + release.file
        self.progress("clean", 0, 0)
        while check(install.clean(), "clean-up of the card"):
            pass
        response = net.Response(url, self.headers, self.timeout)
        done = 0
        try:
            for piece in response.pieces(bytearray(BUFFER)):
                code = install.feed(piece)
                if code < 0:
                    check(code, self._where(install, release))
                done += len(piece)
                self.progress("download", done, response.length)
        finally:
            response.close()
        check(install.finish(), release.file)
        self.progress("staged", done, done)

    def _where(self, install, release):
        member = install.where()
        try:
            text = repr(str(member, "utf-8"))[1:-1]  # the terminal must not obey a file name
        except UnicodeError:
            text = repr(member)[2:-1]
        return "%s: %s" % (release.file, text) if text else release.file


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
