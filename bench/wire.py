# SPDX-License-Identifier: MIT
"""What goes over the wire between a board and a server, counted."""

import socket
import threading


class Counter:
    """Between the board and the server at `url`: counts bytes and connections, ends the connection
    after `limit` bytes."""

    def __init__(self, url):
        host, port = url[len("http://") :].split(":")
        self.server = (host, int(port))
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.reset()
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self):
        self.wire = self.connections = self.requests = 0
        self.limit = None

    def accept(self):
        while True:
            board, _ = self.socket.accept()
            self.connections += 1
            server = socket.create_connection(self.server)
            for pair in ((board, server), (server, board)):
                threading.Thread(target=self.forward, args=(*pair, pair[0] is board), daemon=True).start()

    def forward(self, source, target, asks):
        try:
            while data := source.recv(2048):
                self.requests += data.count(b"GET /") if asks else 0
                self.wire += len(data)
                if self.limit is not None and self.wire > self.limit:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
