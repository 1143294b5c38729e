# SPDX-License-Identifier: MIT
# The progress bar of an update that is not quiet.

import sys

WIDTH = 30


class Bar:
    """Redrawn only when it changes: a serial line is slow."""

    def __init__(self):
        self.drawn = -1
        self.begun = False  # a line that has no end yet

    def __call__(self, phase, done, total):
        full = done * WIDTH // total if total > 0 else done >> 15
        if phase != "download" or full == self.drawn:
            return
        self.drawn = full
        if total > 0:
            bar = "#" * full + "." * (WIDTH - full)
            text = "\rsdboot: [%s] %d%%" % (bar, done * 100 // total)
        else:
            text = "\rsdboot: %d KiB" % (done >> 10)
        sys.stdout.write(text)
        self.begun = True
        if done == total:
            self.end()

    def end(self):
        """What is printed next begins a line of its own."""
        if self.begun:
            self.begun = False
            sys.stdout.write("\n")
