# HTTP over the firmware's sockets: one GET, its body in pieces.

from ._errors import Error, NetworkError, check
from ._native import builtin, load

socket = builtin("socket")

# Of Linux and ESP32: ETIMEDOUT, and what a socket with a timeout says instead of it.
_TIMEOUT = (11, 110, 115, 116, 119)
_UNREACHABLE = 113  # EHOSTUNREACH, on both


def _split(url):
    scheme, sep, rest = url.partition("://")
    if scheme != "http" or not sep:
        raise Error(22, "URL must begin with http://: " + url)
    host, sep, path = rest.partition("/")
    name, sep, port = host.partition(":")
    if not name or (sep and not port.isdigit()):
        raise Error(22, "URL has no host or a bad port: " + url)
    return host, name, int(port or 80), "/" + path


class Response:
    """A GET of `url`. Close it."""

    def __init__(self, url, headers, timeout):
        self.url = url
        host, name, port, path = _split(url)
        self.http = load("_sdhttp").Http()
        self.sock = None
        self.timeout = timeout
        request = self._request(host, path, headers)
        try:
            address = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)[0][-1]
            self.sock = socket.socket()
            self.sock.settimeout(timeout)
            self.sock.connect(address)
            self._send(request)
            self._head()
        except OSError as e:
            self.close()
            raise self._error(e)

    def _error(self, e):
        if isinstance(e, Error):
            return e
        why = "connection failed (%s)" % e
        if e.errno in _TIMEOUT:
            why = "nothing came for %s s" % self.timeout
        number = e.errno
        if not isinstance(number, int) or number <= 0:  # a name that can't be looked up
            number = _UNREACHABLE
        return NetworkError(number, "%s: %s, try again later" % (self.url, why))

    def _request(self, host, path, headers):
        lines = ["GET %s HTTP/1.1" % path, "Host: " + host, "Connection: close"]
        lines.append("Accept-Encoding: identity")
        lines += ["%s: %s" % pair for pair in headers.items()]
        request = "\r\n".join(lines)
        if "\n" in path or " " in path or request.count("\n") != len(lines) - 1:
            raise Error(22, "URL or header has white space in it: " + self.url)
        return (request + "\r\n\r\n").encode()

    def _send(self, data):
        while data:
            data = data[self.sock.write(data) :]

    def _head(self):
        # The first body bytes come along with the header; they wait in self.rest.
        status = done = 0
        while not status:
            data = bytearray(self.sock.recv(512))
            if not data:
                check(self.http.eof(), self.url)
                break
            n = check(self.http.feed(data, 0, len(data)), self.url)
            self.rest = memoryview(data)[:n]
            status, self.length, done = self.http.head()
        if status != 200:
            raise NetworkError(5, "%s: server answers %d instead of 200" % (self.url, status))

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
                else:
                    data = self.sock.recv(want)
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
        if self.sock is not None:
            self.sock.close()
            self.sock = None
