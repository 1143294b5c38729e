# Explicit transactions.

from . import mounted
from ._errors import CardError, Error, check


class Transaction:
    def __init__(self, volume):
        if volume is None or volume.info()[1]:
            raise Error(22, "transactions need FAT with its journal, see sdboot.status()")
        self.volume = volume

    def __enter__(self):
        if self.volume.info()[4]:
            raise CardError(5, "an earlier write to the card has failed: call sdboot.recover()")
        check(self.volume.begin(), "transaction (they can't be nested)")
        return self

    def __exit__(self, kind, value, traceback):
        code = self.volume.commit() if kind is None else -1
        if code < 0:
            mounted.remount()
        if kind is None:
            check(code, "transaction undone")
        return False
