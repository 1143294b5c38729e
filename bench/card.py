#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-card`: what sdboot writes to a card, in exact counts of sectors and commands.

Two releases on FAT with three cluster sizes, with the journal and without; a logger of 1,000 lines
with a flush each, on the journal and on plain FatFs; a boot with nothing to do.
"""

import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lab import BOARD, ROOT, Nginx, flash_image, mcopy  # noqa: E402

WORK = ROOT / "build" / "bench-card"
VOLUME = 4 << 20  # offset of the partition
COUNTERS = ("card_read_sectors", "card_write_commands", "card_write_sectors")

LOGGER = """
with open("/log", "a") as f:
    for i in range(1000):
        f.write("%099d\\n" % i)
        f.flush()
"""


def release(name, size, files):
    """A release of `files` files with `size` bytes in all, of sizes as an application's are."""
    random.seed(name)
    tree = WORK / name
    weights = [random.expovariate(1) + 0.05 for _ in range(files)]
    for i, weight in enumerate(weights):
        path = tree / "app" / ("package%d" % (i % 5)) / ("module_%02d.mpy" % i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.randbytes(int(size * weight / sum(weights))))
    (tree / "app" / ".version").write_text("0.0.2")
    payload = sum(p.stat().st_size for p in tree.rglob("*") if p.is_file())
    tar = WORK / "www" / name
    tar.mkdir(parents=True)
    subprocess.run(["tar", "-C", tree, "-cf", tar / "f.tar", "app"], check=True)
    sha1 = hashlib.sha1((tar / "f.tar").read_bytes()).hexdigest()
    (tar / "versions").write_text("0.0.2;f.tar;%s\n" % sha1)
    return payload


def card(image, cluster):
    """A PC's card: MBR, FAT at 4 MiB with the given cluster size (bytes)."""
    bits = 32 if cluster == 4096 else 16
    sectors = (300 if bits == 32 else 250 if cluster > 512 else 30) * 2048
    with open(image, "wb") as f:
        f.truncate(VOLUME + sectors * 512)
        f.seek(446)
        entry = b"\0\xfe\xff\xff\x0c\xfe\xff\xff" + (VOLUME // 512).to_bytes(4, "little")
        f.write(entry + sectors.to_bytes(4, "little") + bytes(48) + b"\x55\xaa")
    mkfs = ["mkfs.fat", "-F", str(bits), "-f", "1", "-s", str(cluster // 512), "--offset", str(VOLUME // 512)]
    command = mkfs + ["-h", str(VOLUME // 512), image, str(sectors // 2)]
    subprocess.run(command, check=True, capture_output=True)


def flash(name, options):
    boot = WORK / (name + ".py")
    boot.write_text("import sdboot\nsdboot.boot(%s)\n" % options)
    flash_image(WORK / name, boot)
    return WORK / name


def power_on(flash, image, script="", counters=COUNTERS):
    """Runs `script` at the REPL; returns `counters` of the whole power-on."""
    stats = WORK / "stats"
    command = [BOARD, "--flash", flash, "--card", image, "--stats", stats, "--max-resets", "3"]
    typed = "exec(%r)\n" % script
    done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=300)
    if done.returncode or "Traceback" in done.stdout:
        sys.exit(done.stdout + done.stderr)
    found = dict(re.findall(r"(\w+) (\d+)", stats.read_text()))
    return [int(found[name]) for name in counters]


def difference(after, before):
    return [a - b for a, b in zip(after, before)]


def update_counts(flash, image, url):
    """Staging and swap, two power-ons' boots with nothing to do taken off."""
    idle = power_on(flash, image)
    script = "import sdboot, machine\nsdboot.OTA(%r).install_update_if_available()" % url
    counts = [0, 0, 0]
    for text in (script, ""):
        counts = [c + d for c, d in zip(counts, difference(power_on(flash, image, text), idle))]
    return counts


def main():
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    journal, plain = flash("journal", ""), flash("plain", "journal=False")
    payloads = {"1MB-60": release("1MB-60", 1000000, 60), "2MB-66": release("2MB-66", 2100000, 66)}
    old = WORK / "app"  # the release that runs
    old.mkdir()
    (old / ".version").write_text("0.0.1")
    row = "%-22s %-8s %9s %9s %10s %9s"
    print(row % ("update (stage and swap)", "journal", "sectors", "commands", "x payload", "read"))
    with Nginx(WORK / "www") as url:
        for name, payload in payloads.items():
            for cluster in (512, 4096, 32768):
                for label, board in (("yes", journal), ("no", plain)):
                    image = WORK / "card.img"
                    card(image, cluster)
                    power_on(journal, image)  # makes the control area
                    mcopy(image, old)
                    read, commands, sectors = update_counts(board, image, url + "/" + name)
                    print(
                        row
                        % (
                            "%s, %d B" % (name, cluster),
                            label,
                            sectors,
                            commands,
                            "%.3f" % (sectors * 512 / payload),
                            read,
                        )
                    )
    print()
    print(row % ("logger, 1,000 flushes", "journal", "sectors", "commands", "x plain", "read"))
    base = None
    for label, board in (("no", plain), ("yes", journal)):
        image = WORK / "card.img"
        card(image, 4096)
        power_on(journal, image)
        idle = power_on(board, image)
        read, commands, sectors = difference(power_on(board, image, LOGGER), idle)
        base = base or sectors
        ratio = "%.2f" % (sectors / base)
        print(row % ("100 bytes a line", label, sectors, commands, ratio, read))
    print()
    read, commands, sectors = power_on(journal, image)
    print("boot with nothing to do: %d sectors read, %d written" % (read, sectors))


if __name__ == "__main__":
    main()
