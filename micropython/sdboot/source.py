# SPDX-License-Identifier: MIT
# A file of the server, read in order, whole or in parts. What breaks off is taken up again where it
# was.

from micropython import const

from ._errors import NetworkError, PackageError, check

_EPKG_HASH = const(186)
_EPKG_SIZE = const(187)
_EHTTP_SHORT = const(248)


class Source:
    """The file at `url`. client.retries in a row without a byte end in an error."""

    def __init__(self, client, url):
        self.client = client
        self.url = url
        self.via = None  # where redirects have led to: it may be true for some minutes only
        self.known = None  # which version of the file it is
        self.response = None
        self.length = -1  # of the file, -1: not known
        self.at = 0  # place of the next byte in the file
        self.end = None  # where this part ends, None: with the file
        self.tries = 0  # since the last byte
        self.broken = None  # the error that it was

    def want(self, at, length):
        """From now on read() gives `length` bytes from `at` on, not before the last ones."""
        self.at = at
        self.end = at + length
        if self.response and not self.whole:
            self.close()

    def read(self, view):
        """Generator: the number of bytes that were put into `view`: all of it unless that is the end,
        which 0 says. `view`, at least 2 KiB, is used for addresses, too."""
        while self.end is None or self.at < self.end:
            try:
                if self.response is None:
                    yield from self._open(view)
                while self.place < self.at:  # the server has sent what was not wanted
                    n = yield from self._some(view[: self.at - self.place])
                    if not n:
                        check(-_EHTTP_SHORT, self.url)
                n = yield from self._some(view if self.end is None else view[: self.end - self.at])
                if n:
                    self.at = self.place
                    self.tries = 0
                    self.broken = None
                    return n
                if self.end is None and (self.whole or self.at >= self.length):
                    return 0
                # A part may be smaller than what was asked for (RFC 9110, 15.3.7).
                if self.at == self.begin:
                    check(-_EHTTP_SHORT, self.url)
                self.close()
            except PackageError as e:
                raise self.broken or e  # it can't be taken up again
            except NetworkError as e:
                yield from self._again(e)
        return 0

    def _some(self, view):
        n = yield from self.response.read(view)
        self.place += n
        if self.place > self.most:
            raise PackageError(_EPKG_SIZE, self.url + ": the server sends more than the part it announces")
        return n

    def _open(self, view):
        at, end = self.begin, _ = self.at, self.end
        length = 0 if end is None else end - at
        known = self.known or "" if at or length else ""  # of the whole it is no question
        response = yield from self.client.get(self.url, view, at, length, known, self.via)
        self.response = response
        self.via = response.url
        self.whole = response.status == 200
        self.place = 0 if self.whole else at
        if self.whole:
            self.length = response.length
            self.most = 1 << 30
        else:
            _check_range(response, at, end)
            self.most = response.range[1] + 1
            self.length = response.range[2] or self.length
        if self.known is None:
            self.known = response.validator
        elif response.validator != self.known:
            raise PackageError(_EPKG_HASH, self.url + " has changed while it was read, try again")

    def _again(self, e):
        # After an error: raises it, or waits until it is time to go on.
        self.close()
        self.broken = broken = self.broken or e
        via, self.via = self.via, None
        status = getattr(e, "status", 200)
        if (
            self.known is None  # it has not begun
            or self.tries >= self.client.retries
            or 240 < e.errno < 256 and e.errno != _EHTTP_SHORT  # the server talks nonsense
            or status // 100 == 4 and not via
            or "slowest=" in str(e)  # each byte of one who trickles would be a beginning
            or "longest=" in str(e)
        ):
            raise broken
        self.tries += 1
        yield from self.client.pause(500 << self.tries)

    def close(self):
        if self.response is not None:
            self.response.close()
            self.response = None


def _check_range(response, at, end):
    # Is it the part that was asked for, or the beginning of it?
    if response.range is None:
        raise PackageError(_EPKG_SIZE, response.url + ": the server does not say which part it sends")
    first, last, _ = response.range
    count = last - first + 1
    if first != at or (end and last >= end) or (response.length >= 0 and response.length != count):
        raise PackageError(_EPKG_SIZE, response.url + ": the server sends another part than the one asked for")
