#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-swap`: the boots that swap a release in, and take it back, with many files outside app/.

All of lib/, files with long names, is in both releases, with other content. FAT32, clusters of 4 KiB; modelled time of
the card, a boot with nothing to do taken off.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import card  # noqa: E402
from lab import ROOT, Nginx, mcopy  # noqa: E402

WORK = ROOT / "build" / "bench-swap"
COUNTERS = ("modelled_card_ms", "card_read_sectors", "card_read_commands", "card_write_sectors", "card_write_commands")
NAME = "lib/module number %d, with a long name as people have them.py"


def release(name, version, count):
    tree = WORK / name
    for path, text in (("app/.version", version), *((NAME % i, "%s %d" % (version, i)) for i in range(count))):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    return tree


def publish(tree):
    site = WORK / ("www" + tree.name)
    site.mkdir()
    subprocess.run(["tar", "-C", tree, "-cf", site / "f.tar", "app", "lib"], check=True)
    sha1 = hashlib.sha1((site / "f.tar").read_bytes()).hexdigest()
    (site / "versions").write_text("0.0.2;f.tar;%s\n" % sha1)
    return site


def main():
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    card.WORK = WORK
    plain, checking = card.flash("plain", "attempts=0"), card.flash("checking", "")
    image = WORK / "card.img"
    print("%-24s %10s  %s" % ("", "seconds", "sectors and commands read, written"))
    for count in [int(word) for word in sys.argv[1:]] or (100, 400, 1000):
        card.card(image, 4096)
        flash = plain  # releases get no trial: nothing is checked
        card.power_on(flash, image)
        old = release("old%d" % count, "0.0.1", count)
        mcopy(image, old / "app")
        mcopy(image, old / "lib")
        idle = card.power_on(flash, image, counters=COUNTERS)
        with Nginx(publish(release("new%d" % count, "0.0.2", count))) as url:
            script = "import sdboot\nsdboot.OTA(%r).install_update_if_available()\n" % url
            staged = card.power_on(flash, image, script, COUNTERS)
        shutil.copy(image, WORK / "staged.img")
        checked = card.power_on(checking, WORK / "staged.img", counters=COUNTERS)
        swap = card.power_on(flash, image, "import sdboot\nsdboot.rollback()\n", COUNTERS)
        back = card.power_on(flash, image, counters=COUNTERS)
        for name, counts in (("staged", staged), ("swapped, checked", checked), ("swapped", swap), ("taken back", back)):
            ms, *rest = card.difference(counts, idle)
            print("%5d files, %-16s %5.1f  %d/%d  %d/%d" % (count, name, ms / 1000, *rest), flush=True)


if __name__ == "__main__":
    main()
