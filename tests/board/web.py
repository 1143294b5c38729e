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
