#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make put` and `make ls`: files onto the card of `make run`, as a PC puts them there. The board must
be off: two that write to one card destroy it."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from lab import ROOT, host  # noqa: E402
from run import images  # noqa: E402

MTOOLS = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}


def fat_at(card):
    """Where the FAT begins, in bytes; None if there is none."""
    with open(card, "rb") as f:
        first = f.read(512)
        starts = [0] + [
            int.from_bytes(first[i + 8 : i + 12], "little") * 512 for i in range(446, 510, 16)
        ]
        for start in starts:
            f.seek(start)
            sector = f.read(512)
            if sector[510:] == b"\x55\xaa" and (sector[54:57] == b"FAT" or sector[82:87] == b"FAT32"):
                return start
    return None


def is_littlefs(card):
    with open(card, "rb") as f:
        return f.read(16)[8:] == b"littlefs"


def mtool(card, start, *words):
    words = [words[0], "-i", "%s@@%d" % (card, start), *words[1:]]
    status = subprocess.run(words, env=MTOOLS).returncode
    if status:
        sys.exit("cardfiles: %s has failed" % words[0])


def put(card, sources, to):
    start = fat_at(card)
    if start is not None:
        folder = ""
        for part in to.strip("/").split("/"):
            folder += "/" + part
            if part:  # -D s: it is there already
                subprocess.run(
                    ["mmd", "-D", "s", "-i", "%s@@%d" % (card, start), "::" + folder],
                    env=MTOOLS,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        mtool(card, start, "mcopy", "-s", "-o", *sources, "::/" + to.strip("/"))
    elif is_littlefs(card):
        folder = "/" + to.strip("/")
        pairs = ["%s:%s/%s" % (s, folder.rstrip("/"), Path(s).resolve().name) for s in sources]
        host(ROOT / "sim" / "card.py", "put", card, *pairs)
    else:
        sys.exit("cardfiles: %s has no filesystem: `make run` once, the board formats it" % card)


def show(card):
    start = fat_at(card)
    if start is not None:
        mtool(card, start, "mdir", "-/", "-b", "::/")
    elif is_littlefs(card):
        print(host(ROOT / "sim" / "card.py", "ls", card), end="")
    else:
        sys.exit("cardfiles: %s has no filesystem: `make run` once, the board formats it" % card)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("put", "ls"))
    parser.add_argument("files", nargs="*", help="files and folders")
    parser.add_argument("--card")
    parser.add_argument("--to", default="/", help="folder on the card")
    args = parser.parse_intermixed_args()
    card = images(args.card, None)[0]
    if card is None or not card.exists():
        sys.exit("cardfiles: there is no card yet: `make demo` or `make run` makes one")
    if args.action == "ls":
        show(card)
        return
    if not args.files:
        sys.exit('cardfiles: say what: make put FILES="main.py app"')
    for name in args.files:
        if not Path(name).exists():
            sys.exit("cardfiles: there is no " + name)
    put(card, args.files, args.to)


if __name__ == "__main__":
    main()
