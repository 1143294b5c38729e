# SPDX-License-Identifier: MIT
"""Power cuts: a power-on repeated, each time cut at another of the sectors that it writes.

The tests of `make test` take every few sectors only. With EXHAUSTIVE=1 in the environment they take
each of them, and cut the recovery from each at up to 63 of its writes, evenly spread.
"""

import copy
import os
import random
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from rig import ATTEMPT, BOARD, BOOT, HASTY, BoardTest, Run, copy_sparse, write_at

EXHAUSTIVE = bool(os.environ.get("EXHAUSTIVE"))
CUT = 75  # exit status of a board whose power was cut
STATUS = "print('=>', sdboot.status()['journal'])\n"


class CutTest(BoardTest):
    def flash(self, name, boot="", job=""):
        """An internal flash whose boot.py calls boot(`boot`), then does `job`."""
        flash = self.dir / (name + ".flash")
        self.make_flash(flash, HASTY + BOOT % boot + ATTEMPT + job)
        return flash

    def twin(self, name, card=None):
        """This board once more, with a copy of the card."""
        other = copy.copy(self)
        other.dir = self.dir / name
        shutil.rmtree(other.dir, ignore_errors=True)
        other.dir.mkdir()
        other.card = other.dir / "card.img"
        copy_sparse(card or self.card, other.card)
        return other

    def start(self, flash, *options, typed="", statuses=(0, CUT)):
        """A power-on that may leave the FAT in any state."""
        stats = self.dir / "stats"
        command = [BOARD, "--flash", flash, "--card", self.card, "--stats", stats]
        command += ["--max-resets", "8", *options]
        done = subprocess.run(
            [str(c) for c in command], input=typed.encode(), capture_output=True, timeout=60
        )
        words = [line.split() for line in stats.read_text().splitlines()]
        run = Run(done, {w[0]: int(w[1]) for w in words if len(w) == 2 and w[1].isdigit()})
        self.assertIn(run.status, statuses, run.out + run.err)
        return run

    def writes(self, flash, typed=""):
        """Makes the whole power-on with a twin; returns the twin, its Run and which sectors it has
        written, in their order."""
        whole = self.twin("whole")
        trace = whole.dir / "trace"
        run = whole.start(flash, "--trace", trace, typed=typed, statuses=(0,))
        lines = [line.split() for line in trace.read_text().splitlines()]
        written = [int(a) + i for c, a, n in lines if c == "w" for i in range(int(n))]
        self.assertEqual(len(written), run.stats["card_write_sectors"])
        return whole, run, written

    def cut(self, flash, judge, every=1, torn=False, recovery=None, typed=""):
        """Cuts the power-on with `flash` at each sector that it writes, or each `every`-th one, and
        calls judge(board, run) with a board that has what was left, after no cut at all too.
        `torn`: the sector that was being written is garbage. `recovery`: the power-on with this
        flash that follows is cut at each write as well, before judge() is called.
        Returns the number of cuts."""
        whole, run, written = self.writes(flash, typed)
        self.assertGreater(len(written), 0)
        failures = []
        count = [0]

        def one(board, run, case):
            count[0] += 1
            try:
                judge(board, run)
            except Exception as e:
                failures.append("cut %s: %s: %s" % (case, type(e).__name__, e))

        def at(n):
            board = self.twin("cut-%d" % n)
            run = board.start(flash, "--cut", n, typed=typed, statuses=(CUT,))
            if torn:
                noise = random.Random(n).randbytes(512)
                write_at(board.card, written[n - 1] * 512, noise)
            if recovery and (EXHAUSTIVE or n % 9 == 1):
                again(board, run, n)
            one(board, run, n)
            shutil.rmtree(board.dir)

        def again(board, run, n):
            whole = board.twin("recovered")
            writes = whole.start(recovery, statuses=(0,)).stats["card_write_sectors"]
            for m in range(1, writes + 1, max(1, writes // 32) if EXHAUSTIVE else 3):
                nested = board.twin("again-%d" % m)
                nested.start(recovery, "--cut", m, statuses=(CUT,))
                one(nested, run, (n, m))
                shutil.rmtree(nested.dir)

        one(whole, run, "none")
        with ThreadPoolExecutor(2) as pool:
            cuts = range(1, len(written) + 1, 1 if EXHAUSTIVE else every)
            for _ in pool.map(at, cuts):
                pass
        shutil.rmtree(whole.dir)
        if failures:
            text = "%d of %d cases fail:\n" % (len(failures), count[0])
            self.fail(text + "\n".join(failures[:4]))
        if EXHAUSTIVE:
            print("%s: %d cuts, 0 failed" % (self.id(), count[0]), flush=True)
        return count[0]

    def cut_script(self, script, every, boot="", then=None, **options):
        """Cuts what a Script does; boards boot with `boot`, those that were cut with `then`."""
        flash = self.flash("work", boot, script.source)
        idle = self.flash("idle", boot if then is None else then)

        def judge(board, run):
            script.judge(board, run, idle)

        return self.cut(flash, judge, every, recovery=idle, **options)


LIBRARY = """
import os
handles = {}

def put(name, data, mode="wb", at=None):
    with open(name, mode) as f:
        if at is not None:
            f.seek(at)
        f.write(data)

def append(name, data):
    # The file stays open, as a logger's does.
    if name not in handles:
        handles[name] = open(name, "ab")
    handles[name].write(data)
    handles[name].flush()
"""


class Script:
    """What an application does, in steps that are all or nothing: `source` is its program, which
    prints a line after each step, `states` the files before the first step and after each."""

    def __init__(self, files):
        self.states = [dict(files)]
        self.source = LIBRARY

    def step(self, source, changes):
        """`changes`: path → bytes, or None if the file goes."""
        state = {**self.states[-1], **changes}
        self.states.append({k: v for k, v in state.items() if v is not None})
        self.source += "%s\nprint('did', %d)\n" % (source, len(self.states) - 1)

    def append(self, name, data):
        old = self.states[-1].get(name, b"")
        self.step("append(%r, %r)" % (name, data), {name: old + data})

    def put(self, name, data):
        """Written anew; open(…, "w") truncates the file that is there."""
        self.step("put(%r, %r)" % (name, data), {name: data})

    def patch(self, name, at, data):
        """Overwritten in place."""
        old = self.states[-1][name]
        new = old[:at] + data + old[at + len(data) :]
        self.step("put(%r, %r, 'r+b', %d)" % (name, data, at), {name: new})

    def transaction(self, source, changes):
        lines = "\n".join("    " + line for line in source.strip().splitlines())
        self.step("with sdboot.transaction():\n" + lines, changes)

    def judge(self, board, run, recovery):
        """What was done is there, what was not is not; at most the step that was going on is."""
        done = len(re.findall(r"^did \d+$", run.out, re.M))
        r = board.power_flash(recovery)
        found = board.files()
        if found not in self.states[done : done + 2]:
            board.fail("%d steps done, then: %s" % (done, difference(found, self.states[done])))
        return r


def difference(found, expected):
    """Describes how two sets of files differ."""
    text = []
    for name in sorted(set(found) | set(expected)):
        a, b = found.get(name), expected.get(name)
        if a != b:
            sizes = ["missing" if x is None else "%d bytes" % len(x) for x in (a, b)]
            text.append("%s: %s, expected %s" % (name, *sizes))
    return "; ".join(text)
