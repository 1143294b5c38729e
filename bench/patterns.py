#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-patterns`: what programs cost a card on the journal, with plain FatFs beside it.

Each program runs on a fresh card of 300 MiB (FAT32, clusters of 4 KiB) twice: journalled and with
journal=False. Sectors and commands are exact counts, times are those of the simulator's model of a
card; a boot with nothing to do is taken off. Where the firmware has no btree, its pattern is made by
hand: pages of 4 KiB written in place, the header page with each flush.
"""

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import card  # noqa: E402
from lab import ROOT  # noqa: E402

WORK = ROOT / "build" / "bench-patterns"
COUNTERS = (
    "modelled_card_ms",
    "card_write_sectors",
    "card_write_commands",
    "card_read_sectors",
    "card_read_commands",
)

APPEND = """
for name in names:
    open(name, "w").close()
files = [open(name, "a") for name in names]
for i in range(count):
    f = files[i % len(files)]
    f.write(b"x" * size)
    f.flush()
"""
REWRITE = """
for i in range(count):
    with open("/settings.json", "w") as f:
        for piece in range(pieces):
            f.write("%0*d" % (size // pieces, i))
"""
RENAME = """
import os
for i in range(count):
    with open("/settings.tmp", "w") as f:
        f.write("%0*d" % (size, i))
    os.rename("/settings.tmp", "/settings.json")
"""
PATCH = """
import random
random.seed(1)
with open("/table", "wb") as f:
    for i in range(16):
        f.write(b"t" * 4096)
with open("/table", "r+b") as f:
    for i in range(count):
        f.seek(random.getrandbits(16) % (65536 - size))
        f.write(b"p" * size)
        f.flush()
"""
BTREE = """
try:
    import btree
except ImportError:
    btree = None
if btree:
    with open("/db", "w+b") as f:
        db = btree.open(f)
        for i in range(count):
            db[b"%08d" % (i * 7919 % 100003)] = b"value of %d" % i
            if i % every == every - 1:
                db.flush()
        db.flush()
        db.close()
else:
    import random
    random.seed(1)
    page = bytearray(4096)
    with open("/db", "w+b") as f:
        for i in range(count):
            at = 1 + random.getrandbits(12) % (1 + i // 100)
            f.seek(at * 4096)
            f.write(page)
            if i % every == every - 1:
                f.seek(0)
                f.write(page)
                f.flush()
"""
# Name, program, its parameters, the ratio of modelled times that we want to stay under.
PATTERNS = (
    ("100 B, flush, log", APPEND, "names=['/log']; count=1000; size=100", 0.4),
    ("100 B, flush, two, log", APPEND, "names=['/log', '/log2']; count=1000; size=100", 0.4),
    ("1 KB, flush, log", APPEND, "names=['/log']; count=500; size=1024", 1.4),
    ("patches in 64 KB, log", PATCH, "count=500; size=100", 1.2),
    ("100 B, flush", APPEND, "names=['/log']; count=1000; size=100", 1.25),
    ("100 B, flush, two logs", APPEND, "names=['/log', '/log2']; count=1000; size=100", 1.25),
    ("1 KB, flush", APPEND, "names=['/log']; count=500; size=1024", 1.4),
    ("4 KB, flush", APPEND, "names=['/log']; count=500; size=4096", 1.15),
    ("600 B, open('w')", REWRITE, "count=200; size=600; pieces=1", 0.75),
    ("6 KB, open('w')", REWRITE, "count=200; size=6000; pieces=1", 0.75),
    ("temp and rename", RENAME, "count=200; size=600", 1.1),
    ("1 MB, open('w')", REWRITE, "count=2; size=1000000; pieces=250", 1.0),
    ("btree, flush each put", BTREE, "count=500; every=1", 1.6),
    ("btree, flush each 10", BTREE, "count=2000; every=10", 1.6),
    ("patches in 64 KB", PATCH, "count=500; size=100", 1.2),
)


def measure(board, image, program, parameters):
    card.card(image, 4096)
    for flash in (JOURNAL, board):  # makes the control area; whatever a first boot has to do
        card.power_on(flash, image)
    script = parameters.replace("; ", "\n") + "\n" + program
    idle = card.power_on(board, image, counters=COUNTERS)
    work = card.power_on(board, image, script, COUNTERS)
    return card.difference(work, idle)


def main():
    global JOURNAL
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    card.WORK = WORK
    JOURNAL, plain = card.flash("journal", ""), card.flash("plain", "journal=False")
    log = card.flash("log", "journal='log'")
    only = sys.argv[1:]
    print("%-24s %9s %9s %6s %6s  %s" % ("", "FatFs ms", "ours ms", "ratio", "goal", "ours/FatFs: sectors and commands written, sectors and commands read"))
    for name, program, parameters, goal in PATTERNS:
        if only and not any(word in name for word in only):
            continue
        base = measure(plain, WORK / "card.img", program, parameters)
        board = log if name.endswith("log") else JOURNAL  # with boot(journal="log")
        ours = measure(board, WORK / "card.img", program, parameters)
        counts = "  ".join("%d/%d" % pair for pair in zip(ours[1:], base[1:]))
        print("%-24s %9d %9d %6.2f %6.2f  %s" % (name, base[0], ours[0], ours[0] / base[0], goal, counts), flush=True)


if __name__ == "__main__":
    main()
