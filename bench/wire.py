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
        self.asked = []  # what the board has sent, a connection each
        self.limit = None

    def accept(self):
        while True:
            board, _ = self.socket.accept()
            self.connections += 1
            said = bytearray()
            self.asked.append(said)
            server = socket.create_connection(self.server)
            for pair in ((board, server), (server, board)):
                threading.Thread(target=self.forward, args=(*pair, said if pair[0] is board else None), daemon=True).start()

    def forward(self, source, target, said):
        try:
            while data := source.recv(2048):
                if said is not None:
                    self.requests += data.count(b"GET /")
                    said += data
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
