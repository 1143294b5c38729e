# SPDX-License-Identifier: MIT
"""Boards on a serial line: a pseudo-terminal that mpremote opens as it opens /dev/ttyUSB0."""

import os
import pty
import select
import subprocess
import threading
import time
import tty


class Line:
    """A serial line. `name` is what mpremote opens. Whatever has `process` as its console answers;
    without one nobody does."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)  # held open too: mpremote's closing must not hang up the line
        self.name = os.ttyname(self.slave)
        self.process = None
        self.unplug_at = None  # after so many bytes of the PC the board is unplugged
        self.seen = b""  # what the board has sent
        self.heard = 0  # bytes that the PC has sent

    def connect(self, command):
        """Starts `command` with its terminal on this line."""
        self.board, console = pty.openpty()
        tty.setraw(console)
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=console, stdout=console, stderr=console
        )
        os.close(console)
        self.stop_read, self.stop_write = os.pipe()
        self.thread = threading.Thread(target=self._copy, daemon=True)
        self.thread.start()

    def _copy(self):
        while True:
            ready = select.select([self.master, self.board, self.stop_read], [], [])[0]
            if self.stop_read in ready:
                return
            try:
                if self.master in ready:
                    data = os.read(self.master, 4096)
                    self.heard += len(data)
                    os.write(self.board, data)
                if self.board in ready:
                    data = os.read(self.board, 4096)
                    self.seen += data
                    os.write(self.master, data)
            except OSError:  # the board has ended
                return
            if self.unplug_at is not None and self.heard >= self.unplug_at:
                self.process.kill()
                os.close(self.master)  # the device is gone: what has it open gets errors
                self.master = None
                return

    def wait_for(self, text, seconds=20):
        """Waits until the board has sent `text`."""
        for _ in range(seconds * 50):
            if text in self.seen:
                return
            time.sleep(0.02)
        raise RuntimeError("the board does not say %r but: %r" % (text, self.seen[-2000:]))

    def disconnect(self):
        """The board loses its power."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        os.write(self.stop_write, b"x")
        self.thread.join()
        for fd in (self.stop_read, self.stop_write, self.board):
            os.close(fd)
        self.process = None

    def close(self):
        self.disconnect()
        if self.master is not None:
            os.close(self.master)
        os.close(self.slave)
