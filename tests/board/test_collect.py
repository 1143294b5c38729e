# SPDX-License-Identifier: MIT
"""The board's tests again, with a driver in Python that collects garbage at every transfer and
overwrites what has become free: what C still needs must be known to the collector."""

import re
import unittest

import test_boot
import test_cards
import test_ota
import test_rollback
import test_staged
import test_transaction
import test_verify
from cutting import EXHAUSTIVE
from rig import BOARD, BoardTest
from trials import TRIAL, TrialTest, both, new

DRIVER = """
import gc, machine
class Collector:
    def __init__(self):
        self.card = machine.SDCard(slot=1, width=1)

    def collect(self):
        gc.collect()
        junk = [b"\\xa5" * 250 for i in range(40)]
        junk += [b"\\xa5" * 700 for i in range(10)]
        junk += [b"\\xa5" * 5000 for i in range(3)]

    def readblocks(self, block, buf):
        self.collect()
        return self.card.readblocks(block, buf)

    def writeblocks(self, block, buf):
        self.collect()
        return self.card.writeblocks(block, buf)

    def ioctl(self, op, arg):
        self.collect()
        return self.card.ioctl(op, arg)

    def deinit(self):
        self.card.deinit()
"""


class Collecting(BoardTest):
    # More files than a step of a swap takes. That they are more than the journal holds is the case of
    # test_rollback itself: each sector takes its time here.
    MANY = 80

    def make_flash(self, flash, boot_py):
        found = re.search(r"^sdboot\.boot\((.*)\)$", boot_py, re.M)
        if found and "sd=" not in found[1]:
            arguments = ", ".join(x for x in (found[1], "sd=Collector") if x)
            boot_py = boot_py.replace(found[0], "sdboot.boot(%s)" % arguments)
        super().make_flash(flash, DRIVER + boot_py)


def again(*cases):
    """Classes like those named, of a board with such a driver."""
    for case in cases:
        name = "%s.%s" % (case.__module__, case.__name__)
        kind = type(name, (Collecting, case), {"__module__": __name__, "__qualname__": name})
        globals()[name] = kind


again(
    test_boot.BadSectors,
    test_boot.Root,
    test_cards.Formatted,
    test_staged.Between,
    test_transaction.Transaction,
)
if EXHAUSTIVE or "asan" in BOARD.parent.name:
    again(test_ota.Interface, test_rollback.ByHand, test_verify.Verify)


class Update(Collecting, TrialTest):
    @both
    def test_from_staging_to_the_way_back(self, board):
        board.stage(new("import sdboot\nprint('VERIFY', sdboot.verify())\n"))
        r = board.power(boot=TRIAL)
        self.assertIn("NEW RUNS 0.0.2 0.0.2", r.out)
        self.assertIn("VERIFY []", r.out)
        job = "attempt(sdboot.confirm)\nattempt(sdboot.rollback)"
        self.assertEqual(board.power(boot=TRIAL, job=job).results, ["True", "None"])
        self.assertIn("OLD RUNS 0.0.1", board.power(boot=TRIAL).out)
        board.assertTree(board.before)


if __name__ == "__main__":
    unittest.main()
