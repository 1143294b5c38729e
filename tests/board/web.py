# SPDX-License-Identifier: MIT
"""Web servers, good and bad, and the releases on them."""

import hashlib
import socket
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path


class Site:
    """A folder with releases, as a web server serves it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lines = []

    def add(self, version, package, name=None, sha1=None):
        """Publishes the bytes `package`; its file and hash unless they are given."""
        name = name or version.replace(".", "_") + "-firmware.tar"
        (self.folder / name).write_bytes(package)
        sha1 = hashlib.sha1(package).hexdigest() if sha1 is None else sha1
        self.lines.append("%s;%s;%s\n" % (version, name, sha1))
        self.write("".join(self.lines))

    def write(self, versions):
        data = versions if isinstance(versions, bytes) else versions.encode()
        (self.folder / "versions").write_bytes(data)


class PythonServer:
    """Python's http.server on `folder`; `requests` has (path, headers) of each request."""

    def __init__(self, folder):
        self.folder = folder
        self.requests = []

    def __enter__(self):
        requests = self.requests

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                requests.append((self.path, dict(self.headers)))
                super().do_GET()

            def log_message(self, *_):
                pass

            def copyfile(self, source, target):
                try:
                    super().copyfile(source, target)
                except ConnectionError:  # the board has hung up
                    pass

        def handler(*args):
            return Handler(*args, directory=str(self.folder))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return "http://127.0.0.1:%d" % self.server.server_port

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class RawServer:
    """Answers the n-th connection with answers[n] (the last one again and again): bytes, or a
    function of the connection and the request. `None` accepts and says nothing."""

    def __init__(self, *answers):
        self.answers = answers
        self.requests = []
        self.open = []

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return "http://127.0.0.1:%d" % self.socket.getsockname()[1]

    def serve(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    data = conn.recv(4096)
                    if not data:
                        break
                    request += data
                self.requests.append(request)
                if answer is None:
                    self.open.append(conn)
                    continue
                if callable(answer):
                    answer(conn, request)
                else:
                    conn.sendall(answer)
            except OSError:
                pass  # the board has hung up: that is its right
            conn.close()

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for conn in self.open:
            conn.close()


def answer(body, status="200 OK", length=None, headers=()):
    """An HTTP answer, with a Content-Length that need not be true."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = ["HTTP/1.1 " + status, *headers]
    if length != -1:
        lines.append("Content-Length: %d" % (len(body) if length is None else length))
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def member(name, data=b"", kind=tarfile.REGTYPE, **fields):
    """A member for package(): any name, type and field."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def package(files, *members, format=tarfile.GNU_FORMAT):
    """A tar of `files` (path: bytes) and then `members`."""
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, data in files.items():
            info, data = member(name, data if isinstance(data, bytes) else data.encode())
            tar.addfile(info, BytesIO(data))
        for info, data in members:
            tar.addfile(info, BytesIO(data))
    return out.getvalue()


MAIN = b"""import app.code, sdboot
print('release', app.code.version, 'runs')
sdboot.confirm()
"""


def release(version, extra=()):
    """Files of a small release whose main.py says which one it is, and `extra` ones."""
    return {
        "app/.version": version.encode(),
        "app/code.py": b"version = '%s'\n" % version.encode(),
        "main.py": MAIN,
        **dict(extra),
    }


# ---- Packages with an index, and servers that send parts of files ---------------------------------


def header(path, size, folder=False):
    """A tar header as the host tool writes it, made here once more."""
    name = (path + "/" * folder).encode()
    assert len(name) <= 100
    head = bytearray(512)
    head[: len(name)] = name
    for at, text in (
        (100, b"000755 \0" if folder else b"000644 \0"),
        (108, b"000000 \0"),
        (116, b"000000 \0"),
        (124, b"%011o " % size),
        (136, b"%011o " % 0),
        (148, b" " * 8),
        (156, b"5" if folder else b"0"),
        (257, b"ustar\00000"),
        (329, b"000000 \0"),
        (337, b"000000 \0"),
    ):
        head[at : at + len(text)] = text
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def number(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def indexed(files, raw=b""):
    """(package, index) of `files` (path: bytes, None: a folder); `raw`: blocks in front of them that
    the index says nothing of."""
    tar = bytearray(raw)
    index = bytearray()
    count = 0
    last = b""
    if raw:
        index += b"\2" + number(len(raw) // 512)
        count += 1
    for path in sorted(files):
        data = files[path]
        folder = data is None
        data = data or b""
        data = data if isinstance(data, bytes) else data.encode()
        tar += header(path, len(data), folder) + data + bytes(-len(data) % 512)
        name = path.encode()
        shared = 0
        while shared < min(len(last), len(name), 62) and last[shared] == name[shared]:
            shared += 1
        index += bytes([folder | shared << 2]) + number(len(name) - shared) + name[shared:]
        if not folder:
            index += number(len(data)) + hashlib.sha256(data).digest()[: 6 if data else 0]
        last = name
        count += 1
    tar += bytes(1024)
    return bytes(tar), b"sdbI\1" + number(count + 1) + bytes(index) + b"\3\2"


class IndexedSite(Site):
    def add(self, version, files, raw=b"", index=None):
        package, made = indexed(files, raw)
        name = version.replace(".", "_") + "-firmware.tar"
        (self.folder / name).write_bytes(package)
        (self.folder / (name + ".idx")).write_bytes(made if index is None else index)
        self.lines.append(
            "# sdboot file=%s size=%d sha256=%s index=%s\n%s;%s;%s\n"
            % (
                name,
                len(package),
                hashlib.sha256(package).hexdigest(),
                hashlib.sha256(made).hexdigest(),
                version,
                name,
                hashlib.sha1(package).hexdigest(),
            )
        )
        self.write("".join(self.lines))
        return package


class RangeServer(PythonServer):
    """A server that sends parts of files if it is asked to. `ranges`: (path, first, last) of those that
    were asked for; `wire`: bytes of all requests and answers; `connections`: their number. `lie` is
    called with the bytes of a part and returns those that are sent; `drop` bytes of a part are sent,
    then the connection ends; it ends after `patience` answers, too."""

    def __init__(self, folder, lie=None, drop=None, patience=100):
        super().__init__(folder)
        self.ranges = []
        self.wire = 0
        self.connections = 0
        self.lie = lie or (lambda data: data)
        self.drop = drop
        self.patience = patience

    def __enter__(self):
        outer = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                outer.connections += 1
                self.answers = 0

            def send(self, status, headers, body):
                head = "HTTP/1.1 %s\r\n%s\r\n" % (
                    status,
                    "".join("%s: %s\r\n" % pair for pair in headers.items()),
                )
                data = head.encode() + body
                outer.wire += len(data)
                try:
                    self.wfile.write(data)
                except ConnectionError:
                    pass

            def do_GET(self):
                outer.requests.append((self.path, dict(self.headers)))
                outer.wire += len(self.raw_requestline) + len(bytes(self.headers)) + 2
                path = outer.folder / self.path.lstrip("/")
                if self.headers.get("Connection") == "close":
                    self.close_connection = True
                if not path.is_file():
                    return self.send("404 Not Found", {"Content-Length": 0}, b"")
                data = path.read_bytes()
                # What nginx says.
                headers = {
                    "Server": "nginx/1.26.3",
                    "Date": "Wed, 25 Nov 2026 22:10:00 GMT",
                    "Content-Type": "application/octet-stream",
                    "Content-Length": len(data),
                    "Last-Modified": "Wed, 25 Nov 2026 22:00:00 GMT",
                    "Connection": "close" if self.close_connection else "keep-alive",
                    "ETag": '"6744f6a0-%x"' % len(data),
                }
                wanted = self.headers.get("Range")
                if not wanted:
                    return self.send("200 OK", {**headers, "Accept-Ranges": "bytes"}, data)
                first, last = (int(n) for n in wanted[len("bytes=") :].split("-"))
                outer.ranges.append((self.path, first, last))
                part = outer.lie(data[first : last + 1])
                headers["Content-Length"] = len(part)
                headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, len(data))
                if outer.drop is not None:
                    keep = max(0, outer.drop - outer.sent)
                    outer.sent += len(part)
                    if keep < len(part):
                        part = part[:keep]
                        self.close_connection = True
                self.send("206 Partial Content", headers, part)
                self.answers += 1
                if self.answers >= outer.patience:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.sent = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # the board has hung up
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return "http://127.0.0.1:%d" % self.server.server_port
