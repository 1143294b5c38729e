# SPDX-License-Identifier: MIT
# A dictionary on the card. Each change is a line at the end of a file, so it costs the same however
# much is stored; when most lines are of the past, the file is written anew. Values are what JSON has.
#
# Where the firmware has `btree` (ESP32 and others do), that is the choice for much data: it opens a
# file as any other, and db.flush() is all or nothing as well.

import json
import os

import sdboot


class Store:
    def __init__(self, path):
        self.path = path
        self.values = {}
        self.lines = 0
        try:
            with open(path) as f:
                for line in f:
                    self._apply(json.loads(line))
        except OSError as e:
            if e.errno != 2:  # not the first time, but a card that can't be read
                raise

    def _apply(self, change):
        self.lines += 1
        key, value = change
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value

    def __getitem__(self, key):
        return self.values[key]

    def get(self, key, otherwise=None):
        return self.values.get(key, otherwise)

    def __setitem__(self, key, value):
        self.update({key: value})

    def __delitem__(self, key):
        if key not in self.values:
            raise KeyError(key)
        self.update({key: None})

    def update(self, changes):
        """All of `changes` (None deletes), or none of them."""
        with open(self.path, "a") as f:
            for change in changes.items():
                f.write(json.dumps(change) + "\n")
        for change in changes.items():
            self._apply(change)
        if self.lines > 50 + 4 * len(self.values):
            self._tidy()

    def _tidy(self):
        new = self.path + ".new"
        with sdboot.transaction():  # FAT's own rename would leave a moment with neither file
            with open(new, "w") as f:
                for change in self.values.items():
                    f.write(json.dumps(change) + "\n")
            os.rename(new, self.path)
        self.lines = len(self.values)
