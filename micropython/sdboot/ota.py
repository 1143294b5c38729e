# SPDX-License-Identifier: MIT
# The updater: finds a newer release on a web server and stages it beside the running one. The next
# boot puts it in place. All of it is made of steps, generators that do a bounded piece of work and
# yield: 0, or the milliseconds for which they wait for the network at most.

from micropython import const

from . import __version__, board, mounted
from ._errors import CardError, Error, check
from ._native import builtin, load

_EBUSY = const(16)
_ENOSPC = const(28)

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
    slowest                    bytes a second that it must send on the average, or an error
    longest                    seconds that a call may take in all; 0: any time
    retries                    times that a download which has broken off is taken up again where it
                               was, in the same call, before a byte of it comes: after 1, 2, 4, ... s
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
        slowest=50,
        longest=21600,
        retries=4,
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
            else load("net").Client(
                all_headers, timeout, slowest, longest, retries, ca, pin, insecure
            )
        )
        self.report = report and not named
        self.quite = quite
        self.force_update = force_update
        self.key = key
        self.asks = (product, channel, board, device_id)
        self.found = None  # what was found last, see find.py
        self.warned = False  # that anybody can change what comes
        self.running = None  # the steps that are under way
        self.more = False  # more steps follow: the connection is kept
        self.bar = None if progress or quite else load("bar").Bar()
        self.progress = progress or self.bar or _no_progress

    def check(self):
        """The Release to install, or None."""
        return self._run(self._check())

    def install_update_if_available(self):
        """Stages a newer release, if there is one: True, else False. It runs after a reset. True
        too if it is staged already; cancel() takes it back. While the running release is on trial,
        it has to prove itself first: False."""
        self.more = True
        try:
            return self._run(self._install_if_new(self.check()))
        finally:
            self.more = False
            self.client.hang_up()

    def steps(self):
        """Likewise in steps, for an application that goes on meanwhile: `for ms in ota.steps():`. Each
        does one piece of work, a few milliseconds long but for the card's and TLS's own; then `ms` is
        0, or the milliseconds for which there may be nothing to do, as the network is waited for.
        The last one leaves what the call would return in `ota.staged`. Close the generator to give
        up; the next call of any kind gives it up too."""
        return self._steps(self._update())

    async def update(self):
        """Likewise as a coroutine: `await ota.update()`."""
        return await load("background").update(self)

    async def poll(self, every=86400, hours=None, first=None):
        """Looks for a newer release for ever, in the background of an application with asyncio, and
        returns once one is staged: a reset is due. It looks every `every` seconds, a tenth more or
        less, so that boards don't ask all at once; for the first time after `first` seconds (None:
        at any time in the first hour, or in `every`). After an error it waits a minute, then longer
        and longer. `hours`: (2, 5) looks between 2:00 and 5:00 of the board's clock only."""
        return await load("background").poll(self, every, hours, first)

    def install_stream(self, source, versions, signature=None):
        """Likewise, but the package is what comes from `source`, anything with readinto(): a file, a
        UART, what a radio has received. `versions` is the list of releases that it is the newest of,
        and `signature` that list's (versions.minisig), both as bytes. A board that has a key takes it
        only if that signature is right."""
        url, client, found = self.url, self.client, self.found
        self.url = "stream:"
        self.client = load("files").Stream(source, versions, signature)
        self.found = None
        try:
            return self._run(self._install_stream())
        finally:
            self.url, self.client, self.found = url, client, found

    def install(self, release):
        """Stages `release`. On any error what runs now is untouched, a release that was staged before
        stays so, and a later call starts anew."""
        self._run(self._install(release))

    def cancel(self):
        """Takes a staged release back: it will not run. True if there was one."""
        if mounted.record("cancel: ")[mounted.STATE] != mounted.STAGED:
            return False
        swap = load("_sdswap")
        volume = load("attributes").mending(mounted.volume)
        check(swap.rollback(mounted.fs, volume, 0), "cancel")
        load("turns").until_gone(self.progress, swap.remove_staged, mounted.fs, volume)
        return True

    def _run(self, steps):
        # To their end. Returns their result.
        if mounted.transacting():
            steps.close()
            raise Error(_EBUSY, "not in a transaction of this thread's: end it first")
        steps = self._steps(steps)
        try:
            while True:
                ms = next(steps)
                if ms:
                    self.client.wait(ms)
        except StopIteration as e:
            return e.value
        finally:
            steps.close()

    def _steps(self, steps):
        # Generator: one after the other, and none in the middle of the application's transaction.
        running = self.running
        if running is not None:  # left by a loop that has ended early, or by another task
            try:
                running.close()
            except ValueError:  # it is what calls this
                steps.close()
                raise Error(_EBUSY, "not from within an update's own step")
        self.running = steps
        self.client.start()
        try:
            while True:
                while mounted.transacting():
                    yield 10
                yield next(steps)
        except StopIteration as e:
            self.staged = e.value
            return e.value
        finally:
            if self.running is steps:
                self.running = None
            steps.close()
            if self.bar:
                self.bar.end()
            if not self.more:
                self.client.hang_up()

    def _check(self):
        current = self.get_version(self.main_dir)
        release, failed = yield from self._choose(current, self.force_update)
        if release:
            found = "found " + release.version
        elif failed:
            found = "%s is skipped, it has failed here: waiting for a newer one" % failed
        else:
            found = "no newer release"
        self._say("running %s, %s" % (current, found))
        return release

    def _choose(self, current, force):
        # The Release or None, and the version that is skipped because it has failed.
        try:
            yield from load("find").find(self, current, force)
        finally:
            board.forget("find", "signed", "whom")  # room for what installs it
        return self.found.release, self.found.failed

    def _update(self):
        return (yield from self._install_if_new((yield from self._check())))

    def _install_stream(self):
        release = yield from self._check()
        self.client.size = release.size if release else 0
        return (yield from self._install_if_new(release))

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
        yield from self._install(release)
        return True

    def _install(self, release):
        board.forget("signed", "whom")
        return (yield from load("stage").install(self, release))

    def get_version(self, directory, version_file_name=".version"):
        """The version that `directory` of the card holds, "0.0.0" if there is no such file."""
        return mounted.version(directory, version_file_name)

    def get_latest_version(self):
        """(version, file, SHA-1 as hex) of the newest release on the server."""
        release = self._run(self._choose("0.0.0", True))[0]
        if release is None:
            return "0.0.0", "", ""
        sha1 = builtin("binascii").hexlify(release.sha1 or b"").decode()
        return release.version, release.file, sha1

    def _say(self, text):
        if self.bar:
            self.bar.end()
        if not self.quite:
            print("sdboot:", text)


def _no_progress(phase, done, total):
    pass
