# SPDX-License-Identifier: MIT
# Explicit transactions.

from micropython import const

from . import mounted
from ._errors import CardError, Error, check
from ._native import load

_EIO = const(5)
_EINVAL = const(22)
_ENOSPC = const(28)

turns = load("turns")


class Transaction:
    def __init__(self, volume):
        if volume is None or volume.info()[mounted.WHY]:
            raise Error(_EINVAL, "transactions need FAT with its journal, see sdboot.status()")
        self.volume = volume
        self.files = []  # opened to write in it
        self.many = 16

    def __enter__(self):
        self.turn = turns.begin()
        try:
            return self._begin()
        except BaseException:
            self._done()
            raise

    def _begin(self):
        if mounted.failed():
            raise CardError(_EIO, "an earlier write to the card has failed: call sdboot.recover()")
        opened = self._opened
        guard = turns.guard if mounted.threads else None
        check(self.volume.begin(guard), "transaction (they can't be nested)")
        mounted.fs.watch(opened)
        mounted.transaction = mounted.threads.get_ident() if mounted.threads else 0
        return self

    def __exit__(self, kind, value, traceback):
        try:
            return self._finish(kind)
        finally:
            self._done()

    def _done(self):
        if mounted.transacting():
            mounted.transaction = None
        if self.turn:
            turns.end()
        self.turn = False

    def _finish(self, kind):
        if kind is not None:
            self.volume.abort()  # first: there may be no memory for anything
            self._end()
            return False
        try:
            self._flush()
            code = self.volume.commit()
        except BaseException:
            self.volume.abort()
            self._end()
            raise
        if code < 0:
            self.volume.abort()
            in_place = mounted.settle()
            self._end()
            if not in_place:
                if code == -_ENOSPC:
                    raise CardError(_ENOSPC, "transaction undone: it has changed more than fits into one")
                check(code, "transaction undone")
        mounted.fs.watch(None)
        return False

    def _end(self):
        mounted.fs.watch(None)
        try:
            mounted.renew()
        except (OSError, MemoryError):
            pass  # the next access to the card tries again

    def _opened(self, file):
        if len(self.files) >= self.many:
            self._flush()
            self.many = 16 + 2 * len(self.files)
        self.files.append(file)

    def _flush(self):
        # What is still open is in the transaction as it is.
        files = self.files
        self.files = []
        for file in files:
            try:
                file.flush()
                self.files.append(file)
            except OSError as e:
                if e.errno != _EINVAL:  # it is closed
                    raise
