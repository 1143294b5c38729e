# SPDX-License-Identifier: MIT
"""A web server that can do everything right, and lies if it is told to.

Below /good/ it serves its folder as nginx would: kept connections, parts of files (also with
If-Range), ETag, Last-Modified, 304. Below /lie/CASE/ each request goes to `liar.lie(ask)` first,
which returns what to answer, or None for the truth, or answers itself and raises HungUp.
"""

import re
import socket
import ssl
import struct
import threading
from pathlib import Path

WHEN = "Wed, 25 Nov 2026 22:00:00 GMT"


class HungUp(Exception):
    """The lie is told, the connection ends."""


class Ask:
    """One request, and what can be answered. `base`: "/lie/CASE/"; `name`: of the file, without folders
    and query; `nth`: its number among the case's requests for that file, from 1; `part`: (first,
    last) if a part is asked for."""

    def __init__(self, liar, conn, text):
        self.liar = liar
        self.conn = conn
        lines = text.decode("latin-1").split("\r\n")
        self.method, self.path = lines[0].split(" ")[:2]
        self.headers = {}
        for line in lines[1:]:
            key, _, value = line.partition(":")
            self.headers[key.lower()] = value.strip()
        self.name = self.path.split("?")[0].rsplit("/", 1)[-1]
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        self.part = (int(found[1]), int(found[2] or 1 << 40)) if found else None
        self.base = "/".join(self.path.split("/")[:3]) + "/"
        self.case = self.base.split("/")[2]
        self.nth = 1 + sum((one.base, one.name) == (self.base, self.name) for one in liar.asked)
        file = liar.folder / self.name
        self.data = file.read_bytes() if file.is_file() else None

    # ---- The truth --------------------------------------------------------------------------------

    def etag(self):
        return '"%s"' % self.liar.etags.get(self.name, "%x" % (hash(self.data) & 0xFFFFFFFF))

    def truth(self):
        """(status, headers, body) of an honest answer."""
        headers = {
            "Server": "nginx/1.26.3",
            "Date": "Wed, 25 Nov 2026 22:10:00 GMT",
            "Content-Type": "application/octet-stream",
        }
        if self.data is None:
            return "404 Not Found", {**headers, "Content-Length": "0"}, b""
        headers.update({"Last-Modified": WHEN, "ETag": self.etag(), "Accept-Ranges": "bytes"})
        if self.headers.get("if-none-match") == self.etag():
            return "304 Not Modified", headers, b""
        body = self.data
        status = "200 OK"
        if self.part and self.headers.get("if-range", self.etag()) in (self.etag(), WHEN):
            first, last = self.part
            if first >= len(body):
                headers.update({"Content-Range": "bytes */%d" % len(body), "Content-Length": "0"})
                return "416 Range Not Satisfiable", headers, b""
            last = min(last, len(body) - 1)
            headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, len(body))
            body = body[first : last + 1]
            status = "206 Partial Content"
        headers["Content-Length"] = str(len(body))
        return status, headers, body

    def text(self, status=None, body=None, drop=(), more=(), **changed):
        """The honest answer as bytes, but for what is said: another status or body (its length is
        right then), headers left out, others: Content_Length="7", and `more` lines."""
        was, headers, data = self.truth()
        if body is not None:
            data = body
            headers["Content-Length"] = str(len(body))
        headers.update({key.replace("_", "-"): value for key, value in changed.items()})
        lines = ["HTTP/1.1 " + (status or was)]
        lines += ["%s: %s" % pair for pair in headers.items() if pair[0] not in drop]
        lines += more
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + data

    # ---- Ways to send it --------------------------------------------------------------------------

    def send(self, data):
        self.conn.sendall(data)

    def last(self, data=b""):
        """Sends it and hangs up."""
        self.conn.sendall(data)
        raise HungUp

    def reset(self, data=b""):
        """Sends it; then the other end sees ECONNRESET."""
        self.conn.sendall(data)
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HungUp

    def stall(self, data=b""):
        """Sends it, then says nothing until the other end hangs up."""
        self.conn.sendall(data)
        while self.conn.recv(1000):
            pass
        raise HungUp

    def trickle(self, data, pause, size=1, head=True):
        """Sends it `size` bytes at a time; the head at once unless `head`."""
        at = 0 if head else data.index(b"\r\n\r\n") + 4
        self.conn.sendall(data[:at])
        while at < len(data) and not self.liar.closing.wait(pause):
            self.conn.sendall(data[at : at + size])
            at += size
        raise HungUp

    def endless(self, start, more, most=64 << 20):
        """Sends `start`, then `more` again and again; liar.sent says how many bytes that were."""
        self.conn.sendall(start)
        sent = 0
        while sent < most and not self.liar.closing.is_set():
            sent += self.conn.send(more)
            self.liar.sent = sent
        raise HungUp


class Liar:
    """A server on a port of its own; `certificate`: (pem, key) files for https. `asked` has each Ask,
    `connections` their number."""

    def __init__(self, folder, certificate=None):
        self.folder = Path(folder)
        self.lie = None
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.forget()

    def forget(self):
        self.asked = []
        self.etags = {}
        self.connections = 0
        self.sent = 0

    def __enter__(self):
        self.closing = threading.Event()
        self.open = set()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.threads = [threading.Thread(target=self._listen)]
        self.threads[0].start()
        self.url = "http%s://127.0.0.1:%d" % ("s" if self.context else "", self.port)
        return self.url

    def __exit__(self, *_):
        self.closing.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for conn in list(self.open):
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join()

    def tell(self, ask):
        """What to answer, or None: the truth."""
        return self.lie(ask) if ask.path.startswith("/lie/") else None

    def _listen(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.threads = [t for t in self.threads if t.is_alive()]
            self.threads.append(threading.Thread(target=self._serve, args=(conn,)))
            self.threads[-1].start()

    def _serve(self, conn):
        self.open.add(conn)
        try:
            if self.context:
                plain, conn = conn, None
                conn = self.context.wrap_socket(plain, server_side=True)
                self.open.discard(plain)
                self.open.add(conn)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self._one(conn):
                pass
        except (OSError, HungUp):
            pass  # the board has hung up: that is its right; or we have
        finally:
            if conn is None:
                conn = plain
            self.open.discard(conn)
            conn.close()

    def _one(self, conn):
        request = b""
        while b"\r\n\r\n" not in request:
            data = conn.recv(4096)
            if not data:
                return False
            request += data
        ask = Ask(self, conn, request.split(b"\r\n\r\n")[0])
        self.asked.append(ask)
        told = self.tell(ask)
        conn.sendall(ask.text() if told is None else told)
        return ask.headers.get("connection", "").lower() != "close"
