#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fault matrix: each command that the simulated board gives to its card during an operation
fails, once, from then on, or half-done.

After each failure
  - the operation has raised an exception, or its effect is there after a reset;
  - what else is on the card reads right or raises, at once and after the reset: a listing is never
    shorter than it is, a file is what it was before the operation or what it is after it;
  - on FAT with its journal the reset finds the one or the other as a whole;
  - sdboot.recover(), called as soon as the card is well again, returns, and the card can be written.

`--every N` for every N-th command only, `--only NAME` for the operations and cards with it in their
name, `--at FAULT` for one failure: w5 (the fifth write), w5+, w5/, r5, r5+. Ends with the line
"N passed, N failed".
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "board"))
from operations import CARDS, OPERATIONS  # noqa: E402
from rig import BOARD, MIB, BoardTest, blank  # noqa: E402
from lab import bytecode, flash_image, host  # noqa: E402
from web import PythonServer, Site, package, release  # noqa: E402

WORK = ROOT / "build" / "faults" / str(os.getpid())
PROGRAM = (Path(__file__).parent / "program.py").read_text()
FLASH_TOOL = ROOT / "sim" / "flash.py"
FILES = {
    "config.json": b'{"a": 1}\n' * 50,
    "table.csv": b"1,2,3\n" * 2000,
    "log.txt": b"a line\n" * 90,
    "dir/one.txt": b"1" * 700,
    "dir/two.txt": b"2" * 5000,
    "empty/.keep": b"",
}
OLD = {**release("0.0.1"), **FILES}
TOGETHER = 40  # cases of a power-on
# What a release has on the card.
RELEASED = re.compile(r"/(app|lib|main\.py|prev)")
NEW = {**release("0.0.2"), "lib/more.py": b"more = 1\n", "app/data.bin": b"data" * 3000}


class Rig(BoardTest):
    """A board and its card, to prepare a card for the matrix."""

    def id(self):
        return "faults"


class Case:
    """What one failure led to."""

    def __init__(self, text):
        self.text = text
        self.result, self.reads, self.writes = self.one("RESULT", (None, 0, 0))
        self.recover = self.one("RECOVER", (None,))[0]
        self.probe = self.one("PROBE", (None,))[0]
        self.looks = {}
        for line in re.findall(r"^LOOK (.*)$", text, re.M):
            tag, path, value = ast.literal_eval(line)
            self.looks.setdefault(tag, {})[path] = value

    def one(self, word, default):
        found = re.search(r"^%s (.*)$" % word, self.text, re.M)
        return ast.literal_eval(found[1]) if found else default


class Matrix:
    """An operation on a card."""

    def __init__(self, card, operation, url):
        self.card = CARDS[card]
        self.operation = operation
        self.name = "%s, %s" % (operation.name, card)
        self.dir = WORK / self.name.replace(", ", "-").replace(" ", "-")
        self.url = url
        self.dir.mkdir()

    def prepare(self, base):
        self.image = self.dir / "card.img"
        self.flash = base

    def play(self, faults, name="flash"):
        """Runs the cases `faults` ((fault, recover), …) one after the other; returns a Case each."""
        boot = dict(self.card.boot, pin=18)
        values = {
            "BOOT": boot,
            "ROOT": "/sd" if self.operation.pin_low else "",
            "PIN_LOW": self.operation.pin_low,
            "BOOTED": self.operation.booted,
            "SETUP": self.operation.setup.replace("URL", repr(self.url)),
            "OPERATION": self.operation.source.replace("URL", repr(self.url)),
            "CASES": faults,
        }
        program = self.dir / (name + ".py")
        program.write_text("".join("%s = %r\n" % v for v in values.items()) + PROGRAM)
        flash = self.dir / (name + ".img")
        shutil.copy(self.flash, flash)
        host(FLASH_TOOL, "put", flash, "%s:/boot.py" % program)
        command = [BOARD, "--flash", flash, "--card", self.image, "--heap", "1M"]
        command += ["--max-resets", "9"] + (["--pin", "18=0"] if self.operation.pin_low else [])
        done = subprocess.run(
            [str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=500
        )
        flash.unlink()
        out = done.stdout.decode(errors="replace").replace("\r\n", "\n") + done.stderr.decode()
        found = out.split("\nCASE ")[1:]
        if len(found) != len(faults):
            raise RuntimeError("%s: %d of %d cases\n%s" % (self.name, len(found), len(faults), out))
        return [Case(text) for text in found]

    def run(self, every, at):
        """Returns the number of cases and a list of what is wrong."""
        self.old, self.new = self.states()
        if at:
            faults = [at]
        else:
            whole = self.play([("", 0)])[0]
            faults = []
            for command, count in (("w", whole.writes), ("r", whole.reads)):
                for n in range(1, count + 1, every):
                    faults += [command + str(n), command + "%d+" % n]
                    faults += [command + "%d/" % n] if command == "w" else []
        cases = [(fault, recover) for fault in faults for recover in (0, 1)]
        wrong = []
        # A few at a time: a power-on has its time limit, also on a busy machine.
        parts = [cases[i : i + TOGETHER] for i in range(0, len(cases), TOGETHER)]
        for fault, case in zip(cases, [case for part in parts for case in self.play(part)]):
            reason = self.judge(case)
            if reason:
                wrong.append("%s, %s%s: %s" % (self.name, fault[0], ", recover()" * fault[1], reason))
                if at:
                    wrong.append(case.text)
        return len(cases), wrong

    def states(self):
        """The card after a reset without the operation and after one with it."""
        operation, self.operation = self.operation, self.operation.nothing()
        old = self.play([("", 0)])[0].looks["after"]
        self.operation = operation
        case = self.play([("", 0)])[0]
        if case.result != "done":
            raise RuntimeError("%s: fails by itself: %s" % (self.name, case.text))
        new = case.looks["after"]
        if self.operation.changes and old == new:
            raise RuntimeError("%s: does nothing\n%s" % (self.name, case.text))
        return old, new

    # ---- judgement ------------------------------------------------------------------------------

    def judge(self, case):
        if case.result is None or "after" not in case.looks:
            return "the board does not come back\n" + case.text
        if "Traceback" in case.text:
            return "traceback\n" + case.text
        after = case.looks["after"]
        if self.operation.destroys and case.result != "done":
            return None
        if "now" in case.looks:
            reason = self.differs(case.looks["now"], may_raise=True)
            if reason:
                return "%s, then at once: %s" % (case.result, reason)
        elif self.operation.booted or case.result == "done":
            return "%s, then at once nothing can be seen" % case.result
        if case.recover is not None:
            reason = self.judge_recovered(case)
            if reason:
                return "%s, recover() %s: %s" % (case.result, case.recover, reason)
            after = {k: v for k, v in after.items() if k != "/probe"}
            after[""] = [n for n in after[""] or () if n != "probe"]
            del after["free"]
            if case.probe == "done" and "/probe" not in case.looks["after"]:
                return "the probe is gone after the reset"
        if case.result == "done" and self.operation.changes:
            reason = self.other(after, self.new)
            return reason and "done, but after the reset: " + reason
        reason = self.differs(after, may_raise=False)
        if not reason and self.card.journal and self.operation.atomic and case.recover is None:
            if self.other(after, self.old):
                reason = self.other(after, self.new)
        return reason and "%s, then after the reset: %s" % (case.result, reason)

    def judge_recovered(self, case):
        if case.recover.startswith("raised"):
            return "it raises"
        reason = self.differs(case.looks["recovered"], may_raise=not self.operation.booted)
        if not reason and case.result == "done" and self.operation.changes:
            reason = self.other(case.looks["recovered"], case.looks["after"], but="/probe")
        if not reason and case.probe != "done":
            reason = "writing " + case.probe
        return reason

    def other(self, found, expected, but=None):
        """The first difference between two looks at the card."""
        for path in sorted(set(found) | set(expected)):
            a, b = found.get(path), expected.get(path)
            if path == "" and but:
                a, b = ([n for n in x or () if "/" + n != but] for x in (a, b))
            if path == "free" and ("free" not in found or but or not self.card.journal):
                continue
            if a != b and path != but:
                return "%s is %r, not %r" % (path or "/", a, b)
        return None

    def differs(self, found, may_raise):
        """What is neither as before the operation nor as after it."""
        # A boot that could not finish an update leaves that to the next one.
        settled = self.operation.booted or not may_raise
        if "" not in found:
            return "nothing is there"
        for path, value in found.items():
            if value is None and may_raise:
                continue
            old, new = self.old.get(path), self.new.get(path)
            if path == "free" or path.startswith("/prev") or value in (old, new):
                continue
            if not settled and RELEASED.match(path):
                continue
            if isinstance(value, list) and self.listing(path, value, old, new):
                continue
            if path in self.operation.loose and isinstance(value, int):
                continue
            return "%s is %r, not %r or %r" % (path or "/", value, old, new)
        return None

    def listing(self, path, value, old, new):
        # Entries of before and after may stand side by side, those of both must be there. Without
        # a journal a file that is being replaced may be gone, and with it by rename(), which is a
        # removal and a rename to MicroPython.
        old, new = set(old or ()), set(new or ())
        if not self.card.journal or not self.operation.atomic:
            old = {n for n in old if path + "/" + n not in self.operation.loose} | (old & set(value))
        update = {"next", "prev", "app", "main.py", "lib"} if not self.operation.booted else {"next", "prev"}
        return old & new <= set(value) | update and set(value) <= old | new | update


def make_card(rig, card, state, url):
    """The image of a card with the release 0.0.1, in the state that operations ask for."""
    image = WORK / ("%s-%s.img" % (card, state))
    rig.card = image
    kind = CARDS[card]
    if state == "blank":
        blank(image, min(kind.size, 4 * MIB))  # it is read whole
        return image
    if kind.fs == "fat":
        rig.blank_card(kind.size)
        rig.power(boot=kind.source())
        rig.put(OLD)
    else:
        rig.littlefs_card(OLD, str(kind.size))
    if state == "old":
        return image
    steps = {
        "staged": ["sdboot.OTA(%r).install_update_if_available()" % url],
        "trial": ["sdboot.OTA(%r).install_update_if_available()" % url, ""],
    }
    steps["confirmed"] = steps["trial"][:1] + ["sdboot.confirm()"]
    steps["reverting"] = steps["confirmed"] + ["sdboot.rollback()"]
    for step in steps[state]:
        r = rig.power(boot=kind.source(), job="attempt(lambda: %s)\n" % (step or "0"))
        if r.errors:
            raise RuntimeError("%s-%s: %s" % (card, state, r.out))
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--at")
    args = parser.parse_args()
    WORK.mkdir(parents=True)
    boot_py = WORK / "boot.py"
    boot_py.write_text("")
    base = WORK / "flash.img"
    os.environ["SDBOOT_PACKAGE"] = str(bytecode(WORK / "sdboot"))
    host(FLASH_TOOL, "make", base, "%s:/boot.py" % boot_py, "%s:/lib/sdboot" % (WORK / "sdboot"))
    rig = Rig("__str__")
    rig.setUp()
    site = Site(WORK / "www")
    site.add("0.0.2", package(NEW))
    total, wrong, images = 0, [], {}
    with PythonServer(site.folder) as url, ThreadPoolExecutor(os.cpu_count()) as pool:
        matrices = []
        for operation in OPERATIONS:
            for card in CARDS:
                matrix_name = "%s, %s" % (operation.name, card)
                if args.only not in matrix_name or not operation.suits(card):
                    continue
                key = card, operation.card
                if key not in images:
                    images[key] = make_card(rig, *key, url)
                matrix = Matrix(card, operation, url)
                matrix.flash, matrix.image = base, images[key]
                matrices.append(matrix)
        for matrix, (count, found) in zip(matrices, pool.map(lambda m: m.run(args.every, args.at), matrices)):
            total += count
            wrong += found
            print("%-28s %5d cases, %d failed" % (matrix.name, count, len(found)), flush=True)
    rig.doCleanups()
    shutil.rmtree(WORK)
    for text in wrong[:40]:
        print(text)
    print("%d passed, %d failed" % (total - len(wrong), len(wrong)))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
