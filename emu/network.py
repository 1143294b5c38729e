# SPDX-License-Identifier: MIT
"""The network of an emulated board: it asks for connections over two FIFOs, see frozen/socket.py,
and gets them here, from the host or from a web server that serves a folder."""

import errno
import functools
import os
import select
import socket
import struct
import threading

HEAD = struct.Struct("<cBBBii")  # operation, handle, number
ANSWER = struct.Struct("<i")


class Network:
    def __init__(self, folder, web):
        self.web = web
        self.server = None
        self.sockets = {}
        self.last = 0
        files = []
        for name in ("net.out", "net.in"):
            os.mkfifo(folder / name)
            # For reading and writing: opening does not wait, and the board's end may come and go.
            files.append(os.open(folder / name, os.O_RDWR))
        self.requests, self.answers = files
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.hang_up()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()

    def hang_up(self):
        for s in list(self.sockets.values()):
            s.close()
        self.sockets.clear()

    def serve(self):
        while True:
            operation, _, _, _, handle, number = HEAD.unpack(self.take(HEAD.size))
            data = b""
            if operation in b"acw":
                data = self.take(number)
            try:
                result, data = self.work(operation, handle, number, data)
            except BlockingIOError as e:
                result, data = -e.errno, b""
            except socket.timeout:
                result, data = -errno.ETIMEDOUT, b""
            except KeyError:
                result, data = -errno.EBADF, b""
            except OSError as e:
                result, data = -(e.errno if e.errno and e.errno > 0 else errno.EHOSTUNREACH), b""
            self.give(ANSWER.pack(result) + data)

    def take(self, size):
        data = b""
        while len(data) < size:
            data += os.read(self.requests, size - len(data))
        return data

    def give(self, data):
        while data:
            data = data[os.write(self.answers, data) :]

    def work(self, operation, handle, number, data):
        if operation == b"a":
            name = data.decode()
            name = name if self.web else socket.gethostbyname(name)
            return len(name), name.encode()
        if operation == b"o":
            self.last += 1
            self.sockets[self.last] = socket.socket()
            return self.last, b""
        if operation == b"x":
            self.sockets.pop(handle).close()
            return 0, b""
        s = self.sockets[handle]
        if operation == b"t":
            s.settimeout(None if number < 0 else number / 1000)
        elif operation == b"c":
            host, port = data.decode().split()
            s.connect(self.server_address() if self.web else (host, int(port)))
        elif operation == b"w":
            return s.send(data), b""
        elif operation == b"p":
            ready = select.poll()
            ready.register(s, number)
            return (ready.poll(0) or [(0, 0)])[0][1], b""
        elif operation == b"r":
            data = s.recv(number)
            return len(data), data
        return 0, b""

    def server_address(self):
        if self.server is None:
            from http import server

            class Handler(server.SimpleHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def log_message(self, *_):
                    pass

            handler = functools.partial(Handler, directory=str(self.web))
            self.server = server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server.server_address
