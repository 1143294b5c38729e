# SPDX-License-Identifier: MIT
# HTTP and HTTPS over the firmware's sockets and TLS: GETs, their bodies in pieces.

from micropython import const

from ._errors import Error, NetworkError, check, strerror
from ._native import builtin, load

_EIO = const(5)
_EINVAL = const(22)

socket = builtin("socket")

REDIRECTS = 5  # that are followed, one after the other
# Of Linux and ESP32: ETIMEDOUT, and what a socket with a timeout says instead of it.
_TIMEOUT = (11, 110, 115, 116, 119)
_UNREACHABLE = 113  # EHOSTUNREACH, on both


class Client:
    """How a server is spoken to.

    headers   sent to the host that is asked, not to those that it sends us on to
    timeout   seconds without a byte until an error
    ca, pin, insecure   for https://, see tls.py
    """

    def __init__(self, headers, timeout, ca=None, pin=None, insecure=False):
        self.headers = headers
        self.timeout = timeout
        self.trust = (ca, pin, insecure)
        self.idle = None  # a connection that waits for the next request, and to whom it is

    def get(self, url, buf, at=0, length=0):
        """The Response of a GET of `url` with status 200, redirects followed. Close it. `buf`, a
        bytearray, is used for their addresses; pieces() may be given the same. `length` bytes from
        `at` on are asked for, unless it is 0: status 206 if the server can do that. The connection is
        kept for the next part then; end with hang_up()."""
        headers = self.headers
        if length:
            headers = {"Range": "bytes=%d-%d" % (at, at + length - 1)}
            headers.update(self.headers)
        first = None
        for _ in range(REDIRECTS + 1):
            parts = load("_sdhttp").split(url)
            if isinstance(parts, int):
                raise Error(_EINVAL, "%s: %s" % (url, strerror(parts)))
            if first is None:
                first = parts
            elif parts[:2] != first[:2]:
                headers = {k: v for k, v in headers.items() if k == "Range"}
            response = Response(self, url, parts, headers, buf, length > 0)
            if response.status == 200 or (response.status == 206 and length):
                return response
            response.close()
            if response.status not in (301, 302, 303, 307, 308):
                raise NetworkError(
                    _EIO, "%s: server answers %d instead of 200" % (url, response.status)
                )
            url = self._moved(url, parts, buf)
        raise NetworkError(_EIO, "%s: more than %d redirects" % (url, REDIRECTS))

    def hang_up(self):
        if self.idle:
            self.idle[1].close()
            self.idle = None

    def _moved(self, url, parts, buf):
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
    """The answer of a server, up to its body."""

    def __init__(self, client, url, parts, headers, buf, keep=False):
        self.url = url
        self.sock = None
        self.client = client if keep else None
        self.timeout = client.timeout
        self.secure, host, name, port, path = parts
        request = self._request(host, path, headers)
        self.to = parts[:4]
        idle = client.idle
        self.http = load("_sdhttp").Http(buf)
        try:
            if idle and idle[0] == self.to:
                client.idle = None
                self.sock = idle[1]
                try:
                    self._send(request)
                    self._head()
                    return
                except OSError:  # the server did not wait: once more
                    self.sock.close()
                    self.http = load("_sdhttp").Http(buf)
            address = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)[0]
            self.sock = socket.socket(address[0])
            self.sock.settimeout(self.timeout)
            self.sock.connect(address[-1])
            if self.secure:
                self.sock = load("tls").secure(self.sock, name, *client.trust)
            self._send(request)
            self._head()
        except OSError as e:
            self.close()
            raise self._error(e)
        except BaseException:
            self.close()
            raise

    def _error(self, e):
        if isinstance(e, Error):
            if self.url not in str(e):  # of the connection's security
                return type(e)(e.errno, "%s: %s" % (self.url, e))
            return e
        why = "connection failed (%s)" % e
        if e.errno in _TIMEOUT:
            why = "nothing came for %s s" % self.timeout
        number = e.errno
        if not isinstance(number, int) or number <= 0:  # a name that can't be looked up
            number = _UNREACHABLE
        return NetworkError(number, "%s: %s, try again later" % (self.url, why))

    def _request(self, host, path, headers):
        if path[:1] != "/":
            path = "/" + path
        lines = ["GET %s HTTP/1.1" % path, "Host: " + host]
        lines.append("Connection: keep-alive" if self.client else "Connection: close")
        lines.append("Accept-Encoding: identity")
        lines += ["%s: %s" % pair for pair in headers.items()]
        request = "\r\n".join(lines)
        if request.count("\n") != len(lines) - 1:
            raise Error(_EINVAL, "URL or header has white space in it: " + self.url)
        return (request + "\r\n\r\n").encode()

    def _send(self, data):
        while data:
            data = data[self.sock.write(data) :]

    def _some(self, n):
        # Up to n bytes, as soon as there are some; none at the end. A TLS socket has no recv(), and
        # its read() waits until it has all: but not readline().
        data = self.sock.readline(n) if self.secure else self.sock.recv(n)
        if data is None:
            raise OSError(_TIMEOUT[1])
        return data

    def _head(self):
        # The first body bytes come along with the header; they wait in self.rest.
        self.status = done = 0
        while not self.status:
            data = bytearray(self._some(512))
            if not data:
                check(self.http.eof(), self.url)
                break
            n = check(self.http.feed(data, 0, len(data)), self.url)
            self.rest = memoryview(data)[:n]
            self.status, self.length, done = self.http.head()

    def pieces(self, buf):
        """Yields the body in pieces that fill `buf`, but for the last one."""
        view = memoryview(buf)
        fill = len(self.rest)
        view[:fill] = self.rest
        count = fill
        try:
            while not self.http.head()[2]:
                if fill == len(buf):
                    yield view
                    fill = 0
                want = len(buf) - fill
                if self.length >= 0:
                    # Exactly what is left: the server need not close the connection for us.
                    want = min(want, self.length - count)
                    n = self.sock.readinto(view[fill : fill + want])
                    if n is None:
                        raise OSError(_TIMEOUT[1])
                else:
                    data = self._some(want)
                    n = len(data)
                    view[fill : fill + n] = data
                if not n:
                    check(self.http.eof(), self.url)
                    break
                n = check(self.http.feed(buf, fill, n), self.url)
                fill += n
                count += n
        except OSError as e:
            raise self._error(e)
        if fill:
            yield view[:fill]

    def close(self):
        sock, self.sock = self.sock, None
        if sock is None:
            return
        if self.client and self.status == 206 and self.length >= 0 and self.http.head()[2]:
            self.client.hang_up()
            self.client.idle = (self.to, sock)
        else:
            sock.close()
