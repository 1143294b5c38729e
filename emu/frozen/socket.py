# SPDX-License-Identifier: MIT
# Sockets of the emulated boards. The machines that QEMU emulates have no network that MicroPython
# drives here, so each call is a message to emu/board.py, which has the real socket. Only what a
# client over TCP needs is there.
import io
import struct
from micropython import const

import emu

AF_INET = const(2)
SOCK_STREAM = const(1)

_HEAD = const("<BBBBii")  # operation, handle, number


def _ask(operation, handle, number=0, data=b""):
    emu.net_write(struct.pack(_HEAD, ord(operation), 0, 0, 0, handle, number))
    if data:
        emu.net_write(data)
    answer = bytearray(4)
    emu.net_read(answer)
    result = struct.unpack("<i", answer)[0]
    if result < 0:
        raise OSError(-result)
    return result


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    data = host.encode()
    answer = bytearray(_ask(b"a", 0, len(data), data))
    emu.net_read(answer)
    return [(AF_INET, SOCK_STREAM, 0, "", (answer.decode(), port))]


def _now(call, *args):
    # What is not possible at once on a socket that does not block is None, as of MicroPython's own.
    try:
        return call(*args)
    except OSError as e:
        if e.errno == 11:
            return None
        raise


class socket(io.IOBase):
    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0):
        self._handle = _ask(b"o", 0)

    def settimeout(self, seconds):
        _ask(b"t", self._handle, -1 if seconds is None else int(seconds * 1000))

    def setblocking(self, on):
        self.settimeout(None if on else 0)

    def connect(self, address):
        data = ("%s %d" % address).encode()
        _ask(b"c", self._handle, len(data), data)

    def ioctl(self, request, argument):
        if request == 3:  # which of these may be done at once?
            return _ask(b"p", self._handle, argument)
        if request == 4:
            self.close()
        return 0

    def write(self, data):
        return _now(_ask, b"w", self._handle, len(data), data)

    send = write

    def readinto(self, buf):
        view = memoryview(buf)
        n = _now(_ask, b"r", self._handle, len(view))
        if n:
            emu.net_read(view[:n])
        return n

    recv_into = readinto

    def recv(self, size):
        buf = bytearray(size)
        n = self.readinto(buf)
        return bytes(memoryview(buf)[:n])

    read = recv

    def close(self):
        if self._handle >= 0:
            _ask(b"x", self._handle)
            self._handle = -1
