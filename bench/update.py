#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-update`: what an update costs on the wire and on the card, in exact counts.

A release of 200 files, packed by build/cli/sdboot and served by nginx; a proxy between the two counts
the bytes of requests and answers, headers included.
"""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import card as bench  # noqa: E402
from lab import ROOT, Nginx, mcopy  # noqa: E402
from wire import Counter  # noqa: E402

bench.WORK = WORK = ROOT / "build" / "bench-update"
TOOL = ROOT / "build" / "cli" / "sdboot"
FILES = 200


def content(seed, size):
    return random.Random(seed).randbytes(size)


def tree(name, version, changed=()):
    """Files of 200 to 12,000 bytes, 600 KB in all: `changed` are other ones."""
    root = WORK / name
    sizes = random.Random(1)
    for i in range(FILES):
        size = sizes.randrange(200, 5800) + (6000 if i % 20 == 0 else 0)
        path = root / "app" / ("package%d" % (i % 8)) / ("module_%03d.mpy" % i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(repr((i, i in changed)), size))
    (root / "main.py").write_text("import app\n")
    (root / "app" / ".version").write_text(version + "\n")
    return root


def size(root):
    return sum(p.stat().st_size for p in root.rglob("*") if p.is_file())


def publish(root, version, www, index=True):
    shutil.rmtree(www, ignore_errors=True)
    command = [TOOL, "release", "-v", version, "-C", root, "-o", www, "app", "main.py"]
    subprocess.run(command, check=True, capture_output=True)
    if not index:
        versions = www / "versions"
        words = versions.read_text().split()
        text = " ".join(w for w in words[:-1] if not w.startswith("index=")) + "\n" + words[-1] + "\n"
        versions.write_text(text)


def main():
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    board = bench.flash("journal", "")
    old = tree("old", "0.0.1")
    new = {
        "all of it, no index": (tree("all", "0.0.2", range(FILES)), False),
        "all of it": (tree("all2", "0.0.2", range(FILES)), True),
        "1 file of 200": (tree("one", "0.0.2", (77,)), True),
        "20 files of 200": (tree("twenty", "0.0.2", range(0, 200, 10)), True),
        "20 files side by side": (tree("side", "0.0.2", range(0, 160, 8)), True),
        "nothing but the version": (tree("none", "0.0.2"), True),
        "all of it, cut at 90 %": (tree("cut", "0.0.2", range(FILES)), True),
    }
    www = WORK / "www"
    www.mkdir()
    row = "%-24s %9s %8s %8s %9s %9s %9s %9s %9s"
    print("%d files, %d bytes" % (FILES + 2, size(old)))
    heads = ("changed", "bytes", "requests", "connect.", "wire", "- bytes", "sectors", "x staged", "read")
    print(row % heads)
    with Nginx(www) as url:
        counter = Counter(url)
        for name, (root, index) in new.items():
            publish(root, "0.0.2", www, index)
            image = WORK / "card.img"
            bench.card(image, 4096)
            bench.power_on(board, image)  # makes the control area
            mcopy(image, old / "app", old / "main.py")
            changed = sum(
                p.stat().st_size
                for p in root.rglob("*")
                if p.is_file() and p.read_bytes() != (old / p.relative_to(root)).read_bytes()
            )
            idle = bench.power_on(board, image)
            script = "import sdboot\nsdboot.OTA(%r).install_update_if_available()" % counter.url
            counts = [0, 0, 0]
            if "cut" in name:
                counter.limit = int(changed * 0.9)
                attempt = "try:\n %s\nexcept OSError as e:\n print(e)" % script.replace("\n", ";")
                counts = bench.difference(bench.power_on(board, image, attempt), idle)
                if counter.wire < changed * 0.9:
                    sys.exit("not cut short")
            counter.limit = None
            more = bench.difference(bench.power_on(board, image, script), idle)
            read, _, sectors = [a + b for a, b in zip(counts, more)]
            staged = size(root)
            wire = counter.wire
            counts = (counter.requests, counter.connections, wire, wire - changed, sectors)
            print(row % (name, changed, *counts, "%.3f" % (sectors * 512 / staged), read), flush=True)
            counter.reset()


if __name__ == "__main__":
    main()
