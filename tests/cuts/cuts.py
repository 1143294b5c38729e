#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Cuts the power of the simulated board at every sector it writes during a small update.

After each cut the board is switched on again: main.py must run, everything of the release old or
everything new, and in the end the card holds what it holds without a cut. `--scenario`:
  update    0.0.1 finds 0.0.2, stages it, resets; 0.0.2 is swapped in, confirms itself
  confirm   the same from the swap on
  expire    from the swap on: 0.0.2 never confirms and is taken back after three boots
  rollback  from the swap on: 0.0.2 confirms, then asks to be taken back
  corrupt   from the swap on: a bit of 0.0.2 has flipped on the card
`--fs littlefs` for the other filesystem, `--every N` for every N-th cut only, `--again` cuts the
recovery as well. Ends with the line "N passed, N failed".
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lab import BOARD, PARTITION, ROOT, Nginx, flash_image, host, mcopy  # noqa: E402

WORK = ROOT / "build" / "cuts"
FLASH = WORK / "flash.img"
MTOOLS = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
CUT = 75  # exit status of a board whose power was cut

# What a release does depends on its version and the scenario.
MAIN = """
MAIN = "{v}"
import app, util, sdboot, machine
print("RUN", MAIN, app.VERSION, util.VERSION, sdboot.version())
{then}
"""
LOOK = """
try:
    if sdboot.OTA("{url}").install_update_if_available():
        {staged}
    status = sdboot.status()
    print("END", MAIN, status["state"], status["event"], status["bad"])
except OSError as e:
    print("FAILED", e)
"""
THEN = {
    "update": "sdboot.confirm()",
    "confirm": "sdboot.confirm()",
    "expire": "machine.reset()",
    "rollback": "sdboot.confirm()\nsdboot.rollback()\nmachine.reset()",
    "corrupt": "sdboot.confirm()",
}
# The line with which a board must end.
END = {
    "update": "END 0.0.2 idle confirmed None",
    "confirm": "END 0.0.2 idle confirmed None",
    "expire": "END 0.0.1 idle expired 0.0.2",
    "rollback": "END 0.0.1 idle rolled back 0.0.2",
    "corrupt": "END 0.0.1 idle corrupt 0.0.2",
}
SCENARIO = "update"


def main_py(version, url):
    staged = "machine.reset()" if SCENARIO == "update" else "print('STAGED')"
    look = LOOK.format(url=url, staged=staged)
    then = look if version == "0.0.1" else THEN[SCENARIO] + look
    return MAIN.format(v=version, then=then)


def release(version, url):
    tree = WORK / version
    (tree / "app" / "deep" / "er").mkdir(parents=True)
    (tree / "lib").mkdir()
    (tree / "main.py").write_text(main_py(version, url))
    (tree / "app" / "__init__.py").write_text('VERSION = "%s"\n' % version)
    (tree / "app" / ".version").write_text(version)
    (tree / "app" / "a file with a long name for FAT.txt").write_text(version * 700)
    (tree / "app" / "deep" / "er" / "data").write_text(version * 300)
    (tree / "lib" / "util.py").write_text('VERSION = "%s"\n' % version)
    if version == "0.0.2":
        (tree / "lib" / "added").mkdir()
        (tree / "lib" / "added" / "more.py").write_text("more")
    (tree / "same.txt").write_text("the same in each release")
    tar = version + ".tar"
    names = ["app", "main.py", "lib", "same.txt"]
    subprocess.run(["tar", "-C", tree, "-cf", WORK / "www" / tar, *names], check=True)
    sha1 = hashlib.sha1((WORK / "www" / tar).read_bytes()).hexdigest()
    return "%s;%s;%s\n" % (version, tar, sha1)


def make_card(fs, card):
    """A card with release 0.0.1, as a user makes it."""
    tree = WORK / "0.0.1"
    if fs == "fat":
        with open(card, "wb") as f:
            f.truncate(64 << 20)
        power_on(card)
        mcopy(card, *sorted(tree.iterdir()))
    else:
        host(ROOT / "sim" / "card.py", "make", card, "--size", "1M", tree)
    if SCENARIO != "update":
        status, output, _ = power_on(card)
        if status != 0 or "STAGED" not in output:
            sys.exit("staging fails: " + output)
    if SCENARIO == "corrupt":
        data = card.read_bytes()
        with open(card, "r+b") as f:
            f.seek(data.index(b"0.0.2" * 200) + 7)
            f.write(b"X")


def contents(fs, card):
    """Every file and directory on the card, and what .sdboot/ has beside record and journal."""
    out = Path(str(card) + ".out")
    shutil.rmtree(out, ignore_errors=True)
    if fs == "fat":
        out.mkdir()
        source = ["-i", "%s@@%d" % (card, PARTITION), "::/", str(out) + "/"]
        subprocess.run(["mcopy", "-s", "-n", *source], check=True, env=MTOOLS)
    else:
        host(ROOT / "sim" / "card.py", "get", card, "/", out)
    found = {}
    for path in out.rglob("*"):
        name = str(path.relative_to(out))
        if not name.startswith((".sdboot/record", ".sdboot/journal")):
            found[name] = path.read_bytes() if path.is_file() else None
    if ".sdboot/added" in found:  # a cut may have named a file twice
        found[".sdboot/added"] = sorted(set(found[".sdboot/added"].splitlines()))
    shutil.rmtree(out)
    return found


def power_on(card, *options):
    """Returns exit status, output, sectors written."""
    stats = Path(str(card) + ".stats")
    command = [BOARD, "--flash", FLASH, "--card", card, "--stats", stats, "--max-resets", "5"]
    done = subprocess.run(
        [*command, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    written = int(re.search(r"card_write_sectors (\d+)", stats.read_text())[1])
    return done.returncode, done.stdout + done.stderr, written


def judge(fs, card, status, output, expected=None):
    """What is wrong with a board that was switched on after a cut; None if nothing is."""
    runs = re.findall(r"^RUN (\S+) (\S+) (\S+) (\S+)", output, re.M)
    if status != 0 or not runs:
        return "does not come back"
    if any(len(set(run)) != 1 for run in runs):
        return "mixes old and new"
    if END[SCENARIO] not in output:
        return "does not reach: " + END[SCENARIO]
    if SCENARIO == "corrupt" and any(run[0] == "0.0.2" for run in runs):
        return "runs a damaged release"
    if fs == "fat":
        fat = Path(str(card) + ".fat")
        with open(card, "rb") as source, open(fat, "wb") as volume:
            source.seek(4 << 20)
            shutil.copyfileobj(source, volume, 1 << 20)
        check = subprocess.run(["fsck.fat", "-n", fat], capture_output=True, text=True)
        fat.unlink()
        if check.returncode != 0 or len(check.stdout.splitlines()) != 2:
            return "fsck.fat: " + check.stdout
    found = contents(fs, card)
    if expected is not None and found != expected:
        names = [n for n in {**found, **expected} if found.get(n, 0) != expected.get(n, 0)]
        return "other content than without a cut: %s" % sorted(names)
    return None


def cut(fs, first, cuts, expected):
    """Cuts at cuts[0], then the next power-on at cuts[1] …; returns None or what is wrong, and the
    sectors that the last power-on wrote."""
    folder = WORK / "-".join(["cut"] + [str(n) for n in cuts])
    folder.mkdir()
    card = folder / "card.img"
    subprocess.run(["cp", "--sparse=always", first, card], check=True)
    try:
        for n in cuts:
            status, output, _ = power_on(card, "--cut", str(n))
            if status != CUT:
                return "cut %s: exit status %d\n%s" % (cuts, status, output), 0
        status, output, written = power_on(card)
        wrong = judge(fs, card, status, output, expected)
        return wrong and "cut %s: %s\n%s" % (cuts, wrong, output), written
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fs", choices=["fat", "littlefs"], default="fat")
    parser.add_argument("--scenario", choices=list(END), default="update")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--at", help="only this case: N or N,M")
    args = parser.parse_args()
    global WORK, FLASH, SCENARIO
    SCENARIO = args.scenario
    WORK = WORK / (args.fs + "-" + SCENARIO)
    FLASH = WORK / "flash.img"
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "www").mkdir(parents=True)
    flash_image(FLASH, ROOT / "examples" / "app" / "boot.py")
    first = WORK / "card.img"
    with Nginx(WORK / "www") as url, ThreadPoolExecutor(os.cpu_count()) as pool:
        versions = release("0.0.1", url) + release("0.0.2", url)
        (WORK / "www" / "versions").write_text(versions)
        make_card(args.fs, first)
        whole = WORK / "whole.img"
        shutil.copy(first, whole)
        status, output, total = power_on(whole)
        wrong = judge(args.fs, whole, status, output)
        if wrong:
            sys.exit("the update fails without a cut: %s\n%s" % (wrong, output))
        expected = contents(args.fs, whole)
        cases = [[n] for n in range(1, total + 1, args.every)]
        if args.at:
            cases = [[int(n) for n in args.at.split(",")]]
        results = list(pool.map(lambda c: cut(args.fs, first, c, expected), cases))
        if args.again:
            nested = [[c[0], m] for c, (_, w) in zip(cases, results) for m in range(1, w + 1, 7)]
            cases += nested
            results += pool.map(lambda c: cut(args.fs, first, c, expected), nested)
    failures = [wrong for wrong, _ in results if wrong]
    for wrong in failures[:5]:
        print(wrong)
    text = "%s, %s: %d sectors written, power cut %d times"
    print(text % (args.fs, SCENARIO, total, len(cases)))
    print("%d passed, %d failed" % (len(cases) - len(failures), len(failures)))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
