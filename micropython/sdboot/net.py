# SPDX-License-Identifier: MIT
# HTTP and HTTPS over the firmware's sockets and TLS: GETs, their bodies in pieces. Nothing here
# waits: what is not there yet is yielded as the milliseconds that it may take to come, and whoever
# drives the steps (ota.py) waits, or does something else meanwhile.

from micropython import const

from ._errors import Error, NetworkError, check, strerror
from ._native import builtin, load

_EIO = const(5)
_ENOMEM = const(12)
_EINVAL = const(22)
_ETIMEDOUT = const(110)
_EHTTP_SHORT = const(248)

select = builtin("select")
socket = builtin("socket")
time = builtin("time")

REDIRECTS = 5  # that are followed, one after the other
WINDOW = 30000  # milliseconds of waiting over which the least rate is measured
# Of Linux and ESP32: ETIMEDOUT, and what a socket with a timeout says instead of it.
_TIMEOUT = (11, 110, 115, 116, 119)
_UNDER_WAY = (11, 36, 115, 119, 120)  # EINPROGRESS of Linux, macOS and ESP32, EALREADY
_UNREACHABLE = 113  # EHOSTUNREACH, on both
_IN, _OUT = 1, 4  # POLLIN, POLLOUT
_FAILED = 8 | 16  # POLLERR, POLLHUP


class Client:
    """How a server is spoken to. One connection at a time is open.

    headers   sent to the host that is asked, not to those that it sends us on to
    timeout   seconds without a byte until an error
    slowest   bytes a second that a server must send on the average of half a minute
    longest   seconds from start() on until an error, whatever is going on
    retries   times that source.py takes up a file again
    ca, pin, insecure   for https://, see tls.py
    """

    def __init__(self, headers, timeout, slowest, longest, retries, *trust):
        self.headers = headers
        self.timeout = timeout
        self.patience = int(timeout * 1000)  # milliseconds; what is no number is noticed here
        self.slowest = slowest
        self.longest = longest
        self.retries = retries
        self.trust = trust
        self.idle = None  # to whom a connection is that waits for the next request, its socket, poller
        self.poller = None  # of the socket that is waited for
        self.start()

    def start(self):
        self.began = time.ticks_ms()
        self.waited = self.came = 0  # since the rate was last looked at

    def wait(self, ms):
        """Until there is something to do again, `ms` milliseconds at most."""
        if self.poller:
            self.poller.poll(ms)
        else:
            time.sleep_ms(ms)

    def pause(self, ms):
        """Generator: waits."""
        self.poller = None
        end = time.ticks_add(time.ticks_ms(), ms)
        while ms > 0:
            yield min(ms, 1000)
            ms = time.ticks_diff(end, time.ticks_ms())

    def get(self, url, buf, at=0, length=0, known="", via=None):
        """Generator: the Response of a GET of `url`, redirects followed. Close it. `buf`, at least
        2 KiB, is used for their addresses. With `at` or `length` this part of the file is asked for,
        without `length` up to its end: status 206 if the server can do that, else 200. `known` is the
        validator of an earlier answer: status 304 if the file is still that one; or, for a part, 200
        if it is another one. `via` is where `url` has led to before."""
        lines, ranged = _conditions(at, length, known)
        own = True
        first = None
        at = url
        for _ in range(REDIRECTS + 1):
            parts = load("_sdhttp").split(at)
            if isinstance(parts, int):
                raise Error(_EINVAL, "%s: %s" % (at, strerror(parts)))
            if first is None:
                first = parts[:2]
                if via:
                    at, via = via, None
                    parts = load("_sdhttp").split(at)
            own = own and parts[:2] == first
            response = Response(self, at, parts)
            headers = lines + ["%s: %s" % pair for pair in self.headers.items()] if own else lines
            yield from response.open(headers, buf)
            status = response.status
            if status == 200 or (status == 206 and ranged) or (status == 304 and known and not ranged):
                return response
            response.close()
            if status not in (301, 302, 303, 307, 308):
                raise refused(at, status)
            at = _moved(at, parts, buf)
        raise NetworkError(_EIO, "%s: more than %d redirects" % (at, REDIRECTS))

    def hang_up(self):
        if self.idle:
            self.idle[1].close()
            self.idle = None


def refused(url, status):
    error = NetworkError(_EIO, "%s: server answers %d instead of 200" % (url, status))
    error.status = status
    return error


def _conditions(at, length, known):
    # Lines of the request; is only a part of the file asked for?
    lines = []
    ranged = at > 0 or length > 0
    if ranged:
        lines.append("Range: bytes=%d-%s" % (at, at + length - 1 if length else ""))
    if known:
        tag = known[0] == '"' or known.startswith("W/")
        name = "If-Range" if ranged else "If-None-Match" if tag else "If-Modified-Since"
        if not (ranged and known[0] == "W"):  # a weak one says nothing of single bytes
            lines.append("%s: %s" % (name, known))
    return lines, ranged


def _moved(url, parts, buf):
    if not buf[0]:
        raise NetworkError(_EIO, "%s: server sends us elsewhere without saying where" % url)
    target = load("_sdhttp").resolve(url, buf)
    if isinstance(target, int):
        check(target, "%s: redirected to what is no address" % url, NetworkError)
    if parts[0] and not target.startswith("https:"):
        raise NetworkError(
            _EIO, "%s: redirected to %s, which anybody can read and change: refused" % (url, target)
        )
    return target


class Response:
    """The answer of a server: after open() status, length (-1: not said), validator and range, as
    core/web/http.h has them; then its body."""

    def __init__(self, client, url, parts):
        self.client = client
        self.url = url
        self.secure, self.host, self.name, self.port, self.path = parts
        self.sock = self.poller = self.error = None
        self.status = 0
        self.to = parts[:4]

    def open(self, headers, buf):
        """Generator: sends the request and reads what comes before the body."""
        request = self._request(headers)
        idle, self.client.idle = self.client.idle, None
        self.heard = False
        try:
            if idle and idle[0] == self.to:
                _, self.sock, self.poller = idle
                try:
                    yield from self._ask(request, buf)
                    return
                except OSError as e:  # perhaps the server has not waited: once more
                    if self.heard or e.errno in _TIMEOUT:
                        raise
                    self.sock.close()
            elif idle:
                idle[1].close()
            yield from self._connect()
            yield from self._ask(request, buf)
        except MemoryError:
            self.close()
            if self.secure:
                raise Error(_ENOMEM, "no memory for TLS: it takes 40 KB; import less, or call it earlier")
            raise
        except (OSError, ValueError) as e:
            self.close()
            raise self._error(e)
        except BaseException:
            self.close()
            raise

    def _request(self, headers):
        path = self.path if self.path[:1] == "/" else "/" + self.path
        lines = ["GET %s HTTP/1.1" % path, "Host: " + self.host]
        lines += ["Connection: keep-alive", "Accept-Encoding: identity"]
        lines += headers
        request = "\r\n".join(lines)
        if request.count("\n") != len(lines) - 1:
            raise Error(_EINVAL, "URL or header has white space in it: " + self.url)
        return (request + "\r\n\r\n").encode()

    def _connect(self):
        # A name may have addresses at which no server listens: localhost's ::1, say.
        addresses = socket.getaddrinfo(self.name, self.port, 0, socket.SOCK_STREAM)
        while True:
            address = addresses.pop(0)
            try:
                flags = yield from self._reach(address)
                if not addresses or not flags & _FAILED:  # of the last one write() says why
                    break
            except OSError as e:
                if not addresses or isinstance(e, Error):
                    raise
            if self.sock:
                self.sock.close()
        if self.secure:
            yield from load("tls").secure(self, self.client.trust)

    def _reach(self, address):
        self.sock = socket.socket(address[0])
        self.sock.setblocking(False)
        try:
            self.sock.connect(address[-1])
        except OSError as e:
            if e.errno not in _UNDER_WAY:
                raise
        self._watch()
        since = time.ticks_ms()
        while True:
            ready = self.poller.poll(0)
            if ready:
                return ready[0][1]
            yield self._left(_OUT, since)

    def _watch(self):
        self.poller = select.poll()
        self.poller.register(self.sock, _OUT)

    def wrap(self, sock):
        """TLS: from now on `sock` stands for the socket."""
        self.sock = sock
        self._watch()

    def _left(self, flags, since):
        # For how many milliseconds the socket may be waited for.
        client = self.client
        now = time.ticks_ms()
        left = client.patience - time.ticks_diff(now, since)
        if left <= 0:
            raise OSError(_TIMEOUT[1])
        if client.longest and time.ticks_diff(now, client.began) > client.longest * 1000:
            raise NetworkError(_ETIMEDOUT, "it takes longer than longest=%d seconds" % client.longest)
        self.poller.modify(self.sock, flags)
        client.poller = self.poller
        return min(left, 1000)

    def _ask(self, request, buf):
        self.http = load("_sdhttp").Http(buf)
        since = time.ticks_ms()
        while request:
            n = self.sock.write(request)
            if n:
                request = request[n:]
                since = time.ticks_ms()
            else:
                yield self._left(_OUT, since)
        # The first bytes of the body come along with the header; they wait in self.rest.
        data = memoryview(bytearray(512))
        while not self.status:
            n = yield from self.some(data)
            if not n:
                check(self.http.eof(), self.url)
                break
            self.heard = True
            n = check(self.http.feed(data, 0, n), self.url)
            self.rest = data[:n]
            self.status, self.length, _ = self.http.head()
        _, self.validator, self.range = self.http.details()
        self.left = self.length - n

    def some(self, view):
        """Generator: the number of bytes that have come into `view`, 0 at the end."""
        client = self.client
        since = time.ticks_ms()
        while True:
            n = self.sock.readinto(view)
            if n is not None:
                break
            before = time.ticks_ms()
            yield self._left(_IN, since)
            # What the application does meanwhile is not the server's fault.
            client.waited += min(time.ticks_diff(time.ticks_ms(), before), 1000)
        client.came += n
        if client.waited >= WINDOW:
            if client.came < client.slowest * (WINDOW // 1000):
                raise NetworkError(
                    _ETIMEDOUT, "fewer than slowest=%d bytes a second have come" % client.slowest
                )
            client.waited = client.came = 0
        return n

    def greet(self, view, since):
        """For how many milliseconds the other side may be waited for, who says nothing before it is
        asked but what TLS needs."""
        if self.sock.readinto(view) is not None:
            check(-_EHTTP_SHORT, self.url)
        return self._left(_IN, since)

    def read(self, view):
        """Generator: the next bytes of the body. They fill `view` unless it ends before, or breaks
        off: that is said by the next call. Returns their number, 0 at the end."""
        if self.error:
            raise self.error
        fill = min(len(self.rest), len(view))
        view[:fill] = self.rest[:fill]
        self.rest = self.rest[fill:]
        try:
            while fill < len(view) and not self.http.done():
                # Not more than there is: the connection may be used for the next file.
                most = len(view) if self.length < 0 else min(fill + self.left, len(view))
                n = yield from self.some(view[fill:most])
                if not n:
                    check(self.http.eof(), self.url)
                    break
                self.left -= n
                fill += check(self.http.feed(view, fill, n), self.url)
        except (OSError, ValueError) as e:
            self.error = self._error(e)
            if not fill:
                raise self.error
        return fill

    def _error(self, e):
        if isinstance(e, Error):
            if self.url in str(e):
                return e
            return type(e)(e.errno, "%s: %s" % (self.url, e))
        if isinstance(e, ValueError) and not self.secure:
            return e  # an argument
        if isinstance(e, ValueError):  # what mbedtls says of the certificate
            return NetworkError(_EIO, "%s: %s" % (self.url, load("tls").distrust(str(e))))
        number = e.errno
        if self.secure and (not isinstance(number, int) or number < 0) and len(e.args) > 1:
            return NetworkError(_EIO, "%s: no secure connection (%s)" % (self.url, e.args[-1]))
        why = "connection failed (%s)" % e
        if number in _TIMEOUT:
            why = "nothing came for %s s" % self.client.timeout
        if not isinstance(number, int) or number <= 0:  # a name that can't be looked up
            number = _UNREACHABLE
        return NetworkError(number, "%s: %s, try again later" % (self.url, why))

    def close(self):
        sock, self.sock = self.sock, None
        if sock is None:
            return
        if self.status and self.http.done() and self.http.details()[0] and not self.error:
            self.client.idle = (self.to, sock, self.poller)
        else:
            sock.close()
