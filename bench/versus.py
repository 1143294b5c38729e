#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench PEER=folder`: an update by sdboot beside one by the original, everything else the same.

Same release, nginx, simulated card, MicroPython. PEER is a checkout of the original, the Python
scripts of 2022; without it sdboot is measured alone. Both are bytecode made by mpy-cross. Text on the
terminal; build/bench/ gets bench.json and the plots.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import card as cards  # noqa: E402
import svg  # noqa: E402
from lab import MPY_CROSS, ROOT, Nginx, flash_image, host, mcopy  # noqa: E402
from measure import CARDS, DEFAULT_CARD, SECTOR, Failed, Measured, power_on, smallest_heap  # noqa: E402
from measure import modelled_ms  # noqa: E402
from wire import Counter  # noqa: E402

WORK = ROOT / "build" / "bench"
TOOL = ROOT / "build" / "cli" / "sdboot"
CLUSTER = 4096
# What was wanted, of the original's figure.
GOALS = {"ms, " + DEFAULT_CARD: 0.2, "without_hashing": 0.5, "heap_kib": 1.0}
LABELS = {
    "cpu_s": "CPU time, s",
    "instructions": "instructions, million",
    "without_hashing": "- without hashing",
    "read_commands": "read commands",
    "read_sectors": "sectors read",
    "write_commands": "write commands",
    "write_sectors": "sectors written",
    **{"ms, " + name: "card, %s, ms" % name for name in CARDS},
    "wire": "bytes on the wire",
    "requests": "requests",
    "round_trips": "round trips",
    "heap_kib": "smallest heap, KiB",
}


# ---- The two of them


def compiled(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([MPY_CROSS, "-o", target, source], check=True)


class Sdboot:
    name = "sdboot"
    update = "import sdboot\nprint('DONE', sdboot.OTA(%r).install_update_if_available())"
    confirm = "import sdboot\nsdboot.confirm()"

    def __init__(self):
        lib = WORK / "lib"
        for path in (ROOT / "micropython" / "sdboot").glob("*.py"):
            compiled(path, lib / (path.stem + ".mpy"))
        boot = WORK / "boot.py"
        boot.write_text("import sdboot\nsdboot.boot()\n")
        self.flash = WORK / "flash-sdboot"
        host(ROOT / "sim" / "flash.py", "make", self.flash, "%s:/boot.py" % boot, "%s:/lib/sdboot" % lib)

    def prepare(self, image):
        power_on(WORK, self.flash, image)  # makes the control area


class Original:
    name = "original"
    update = (
        "from app.lib import uota\n"
        "print('DONE', uota.OTA(%r).install_update_if_available())"
    )
    confirm = ""

    def __init__(self, folder):
        source = Path(folder) / "src"
        if not (source / "app" / "lib" / "uota.py").is_file():
            sys.exit("make bench: PEER=%s is no checkout of the original: no src/app/lib/uota.py" % folder)
        self.lib = WORK / "peer" / "lib"
        for path in (source / "app" / "lib").glob("*.py"):
            compiled(path, self.lib / (path.stem + ".mpy"))
        self.mark = WORK / "peer" / ".mc8051"  # its boot.py formats cards without it
        self.mark.write_bytes(b"\0")
        self.flash = WORK / "flash-original"
        host(ROOT / "sim" / "flash.py", "make", self.flash, "%s:/boot.py" % (source / "boot.py"))

    def prepare(self, image):
        mcopy(image, self.mark)


# ---- Releases and cards


class Releases:
    """Release trees of `sizes` bytes a file, published one at a time in `www`."""

    def __init__(self, name, sizes, peer):
        self.folder = WORK / name
        self.www = self.folder / "www"
        self.www.mkdir(parents=True)
        self.sizes = sizes
        self.peer = peer

    def tree(self, version, changed=None):
        """Content of all files, or of those in `changed`, is that of no other version."""
        root = self.folder / version
        if root.exists():
            shutil.rmtree(root)
        for i, size in enumerate(self.sizes):
            new = changed is None or i in changed
            path = root / "app" / ("package%02d" % (i % max(5, len(self.sizes) // 100))) / ("module_%04d.mpy" % i)
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = random.Random("%d %s" % (i, version if new else ""))
            # What changes seldom keeps its size.
            path.write_bytes(noise.randbytes(size + (noise.randrange(64) if new else 0)))
        (root / "main.py").write_text("import app\n")
        (root / "app" / ".version").write_text(version)
        if self.peer:  # the original's updater is part of its releases
            shutil.copytree(self.peer.lib, root / "app" / "lib")
        return root

    def publish(self, version, changed=None):
        root = self.tree(version, changed)
        shutil.rmtree(self.www)
        self.www.mkdir()
        ours = self.www / "sdboot"
        command = [TOOL, "release", "-v", version, "-C", root, "-o", ours, "app", "main.py"]
        subprocess.run(command, check=True, capture_output=True)
        if self.peer:  # as its own pages tell to pack them
            theirs = self.www / "original"
            theirs.mkdir()
            subprocess.run(["tar", "-C", root, "-cf", theirs / "f.tar", "app", "main.py"], check=True)
            sha1 = hashlib.sha1((theirs / "f.tar").read_bytes()).hexdigest()
            (theirs / "versions").write_text("%s;f.tar;%s\n" % (version, sha1))
        return root


def payload(root):
    sizes = [p.stat().st_size for p in root.rglob("*") if p.is_file()]
    return sum(sizes), sum(-(-n // SECTOR) for n in sizes)


def copy(source, target):
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def new_card(system, image, root):
    """A card that runs the release in `root`."""
    cards.card(image, CLUSTER)
    system.prepare(image)
    mcopy(image, *sorted(root.iterdir()))


def update(system, image, url, version, expected="True", **options):
    """The power-on that updates, and the one in which the new release runs; Measured of both."""
    out, first = power_on(WORK, system.flash, image, system.update % (url + "/" + system.name), **options)
    if "DONE " + expected not in out:
        raise Failed(out)
    script = "print('RUNS', open('/app/.version').read())"
    out, second = power_on(WORK, system.flash, image, script, **options)
    if "RUNS %s" % version not in out:
        raise Failed(out)
    measured = first + second
    measured.functions = getattr(first, "by_function", []) + getattr(second, "by_function", [])
    return measured


# ---- What is measured


def typical(systems, counter, releases, changed, heap=True, runs=3):
    """An update in the middle of a board's life: each has installed a release by itself before."""
    found = {}
    first = releases.tree("0.0.1")
    for system in systems:
        start, image = WORK / ("start-%s.img" % system.name), WORK / "card.img"
        new_card(system, start, first)
        releases.publish("0.0.2", set())
        update(system, start, counter.url, "0.0.2")
        if system.confirm:
            power_on(WORK, system.flash, start, system.confirm)
        root = releases.publish("0.0.3", changed)

        def once(**options):
            copy(start, image)
            return update(system, image, counter.url, "0.0.3", **options)

        counter.reset()
        measured = once()
        measured["wire"], measured["requests"] = counter.wire, counter.requests
        measured["round_trips"] = counter.requests + counter.connections
        measured["cpu_s"] = min([measured["cpu_s"], *(once()["cpu_s"] for _ in range(runs - 1))])
        counted = once(count_instructions=True)
        measured["instructions"] = counted["instructions"]
        measured["without_hashing"] = counted["instructions"] - counted["hashing"]
        measured.functions = counted.functions
        if heap:
            measured["heap_kib"] = smallest_heap(lambda size: works(once, size))
        found[system.name] = measured
    return found, root


def works(once, heap):
    try:
        once(heap=heap)
        return True
    except (Failed, subprocess.TimeoutExpired):
        return False


def unchanged(systems, counter):
    """The look for a release when there is none newer, what a boot costs taken off. After typical()."""
    found = {}
    for system in systems:
        image = WORK / "card.img"
        copy(WORK / ("start-%s.img" % system.name), image)
        update(system, image, counter.url, "0.0.3")
        if system.confirm:
            power_on(WORK, system.flash, image, system.confirm)
        idle = power_on(WORK, system.flash, image)[1]
        counter.reset()
        out, measured = power_on(WORK, system.flash, image, system.update % (counter.url + "/" + system.name))
        if "DONE False" not in out:
            raise Failed(out)
        del measured["cpu_s"]  # less than what it varies by
        measured = Measured({name: measured[name] - idle[name] for name in measured})
        measured["wire"], measured["requests"] = counter.wire, counter.requests
        measured["round_trips"] = counter.requests + counter.connections
        found[system.name] = measured
    return found


def boots(systems, counts):
    """A boot with nothing to do, by the number of files of a release that its own update has installed."""
    found = {}
    peer = next((s for s in systems if s.name == "original"), None)
    for n in counts:
        releases, small = Releases("boot%d" % n, [300] * n, peer), Releases("boot%d-old" % n, [300], peer)
        old = small.tree("0.0.1")
        releases.publish("0.0.2")
        image = WORK / "card.img"
        with Nginx(releases.www) as url:
            for system in systems:
                new_card(system, image, old)
                update(system, image, url, "0.0.2", heap="2M")
                if system.confirm:
                    power_on(WORK, system.flash, image, system.confirm)
                runs = [power_on(WORK, system.flash, image)[1] for _ in range(3)]
                runs[0]["cpu_s"] = min(run["cpu_s"] for run in runs)
                found.setdefault(system.name, {})[n] = runs[0]
        shutil.rmtree(releases.folder)
        shutil.rmtree(small.folder)
    return found


def slope(systems, counter_for, label, cases):
    """A first update to releases of other sizes: {system: {x: Measured}}."""
    found = {}
    for x, sizes in cases:
        peer = next((s for s in systems if s.name == "original"), None)
        releases = Releases("%s%d" % (label, x), sizes, peer)
        small = Releases("%s%d-old" % (label, x), [300], peer)
        old = small.tree("0.0.1")
        releases.publish("0.0.2")
        with Nginx(releases.www) as url:
            for system in systems:
                new_card(system, WORK / "card.img", old)
                try:
                    measured = update(system, WORK / "card.img", url, "0.0.2", heap="2M")
                except Failed as e:
                    print("%s, %s %d: %s" % (system.name, label, x, str(e).strip().splitlines()[-1]))
                    continue
                found.setdefault(system.name, {})[x] = measured
        shutil.rmtree(releases.folder)
        shutil.rmtree(small.folder)
    return found


# ---- What is said


def limits(root, requests):
    """What no updater can do with less: the content written once in commands of 64 KiB."""
    size, sectors = payload(root)
    commands = -(-size // (64 << 10))
    found = {"write_sectors": sectors, "write_commands": commands, "wire": size}
    found.update({"requests": requests, "round_trips": requests + 1})
    for name in CARDS:
        found["ms, " + name] = modelled_ms(name, 0, 0, commands, sectors)
    return found


def shown(name, value):
    if value is None:
        return "-"
    if name in ("instructions", "without_hashing"):
        return "%.0f" % (value / 1e6)
    return "%.2f" % value if name == "cpu_s" else "%.0f" % value


def table(title, found, limit):
    print("\n" + title)
    row = "%-26s %12s %12s %8s %12s %8s"
    print(row % ("", "original", "sdboot", "ratio", "limit", "x limit"))
    ratios = []
    for name, label in LABELS.items():
        ours = found["sdboot"].get(name)
        if ours is None:
            continue
        peer = found.get("original", {}).get(name)
        least = limit.get(name)
        ratio = "%.2f" % (ours / peer) if peer else "-"
        over = "%.2f" % (ours / least) if least else "-"
        print(row % (label, shown(name, peer), shown(name, ours), ratio, shown(name, least), over))
        if peer:
            ratios.append((label, ours / peer))
    return ratios


def where(measured, count=14):
    """The functions of sdboot's update that take most instructions."""
    total = {}
    for part in measured.functions:
        for name, n in part.items():
            name = re.sub(r"'\d+$", "", name)
            total[name] = total.get(name, 0) + n
    for name, n in sorted(total.items(), key=lambda item: -item[1])[:count]:
        print("    %6.1f %%  %s" % (100 * n / sum(total.values()), name))


def slope_table(title, found, names):
    print("\n" + title)
    heads = [(s, n) for n in names for s in found]
    print("%8s" % "" + "".join("%24s" % (s + " " + LABELS[n].split(",")[0]) for s, n in heads))
    for x in next(iter(found.values())):
        cells = [found[s][x][n] if x in found[s] else None for s, n in heads]
        print("%8d" % x + "".join("%24s" % shown(n, c) for c, (_, n) in zip(cells, heads)))
    for system in found:
        xs = sorted(found[system])
        if len(xs) > 1:
            for n in names:
                rise = (found[system][xs[-1]][n] - found[system][xs[0]][n]) / (xs[-1] - xs[0])
                print("  slope, %s, %s: %.3f for each 1" % (system, LABELS[n], rise))


def plots(results):
    if results.get("ratios"):
        goals = {LABELS[name]: goal for name, goal in GOALS.items()}
        svg.bars(WORK / "update.svg", "An update, in proportion to the original (mark: goal)", results["ratios"], goals)
    key = "ms, " + DEFAULT_CARD

    def series(found, name, scale=1):
        return {s: [(x, m[name] * scale) for x, m in points.items()] for s, points in found.items()}

    for name, title, label in (
        ("sizes", "An update by the size of the release", "MB"),
        ("files", "An update of 1 MB by its number of files", "files"),
    ):
        if results.get(name):
            svg.lines(WORK / (name + ".svg"), title, label, "seconds, modelled card", series(results[name], key, 0.001))
    if results.get("boots"):
        title = "A boot with nothing to do, by the number of files"
        svg.lines(WORK / "boots.svg", title, "files", "sectors read", series(results["boots"], "read_sectors"), False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("--only", help="update, boots, sizes, files", default="update,boots,sizes,files")
    parser.add_argument("--no-heap", action="store_true")
    parser.add_argument("--profile", action="store_true", help="say which functions take the instructions")
    args = parser.parse_args()
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    cards.WORK = WORK
    systems = [Sdboot()]
    peer = Original(args.peer) if args.peer else None
    systems = [peer, *systems] if peer else systems
    results = {}
    if "update" in args.only:
        weights = [random.Random(i).expovariate(1) + 0.05 for i in range(66)]
        sizes = [int(2100000 * w / sum(weights)) for w in weights]
        releases = Releases("typical", sizes, peer)
        with Nginx(releases.www) as url:
            counter = Counter(url)
            for name, changed, title in (
                ("update", None, "A release of %d bytes in %d files, all of it new"),
                ("update7", set(range(0, 66, 10)), "The same release of %d bytes in %d files, 7 files new"),
            ):
                found, root = typical(systems, counter, releases, changed, heap=not args.no_heap)
                limit = limits(root, 2)
                if changed is not None:
                    limit["wire"] = sum(sizes[i] for i in changed)
                ratios = table(title % (payload(root)[0], len(sizes)), found, limit)
                if name == "update":
                    results["ratios"] = ratios
                results[name] = found
                if args.profile:
                    where(found["sdboot"])
                sys.stdout.flush()
            found = unchanged(systems, counter)
            table("Nothing newer, a boot taken off", found, {"requests": 1, "round_trips": 2})
            results["unchanged"] = found
    if "boots" in args.only:
        results["boots"] = boots(systems, (10, 100, 1000, 5000))
        slope_table("A boot with nothing to do, by the number of files in app/", results["boots"], ("read_sectors", "write_sectors", "cpu_s"))
    key = "ms, " + DEFAULT_CARD
    if "sizes" in args.only:
        cases = [(mb, [mb * 50000] * 20) for mb in (1, 4, 16, 64)]
        results["sizes"] = slope(systems, None, "sizes", cases)
        slope_table("A first update by the release's size in MB, 20 files", results["sizes"], (key, "write_sectors", "cpu_s"))
    if "files" in args.only:
        cases = [(n, [1000000 // n] * n) for n in (10, 100, 1000, 5000)]
        results["files"] = slope(systems, None, "files", cases)
        slope_table("A first update to 1 MB by its number of files", results["files"], (key, "write_sectors", "cpu_s"))
    (WORK / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    plots(results)
    for path in WORK.glob("*.img"):
        path.unlink()


if __name__ == "__main__":
    try:
        main()
    except Failed as e:
        sys.exit("bench: a board did not do what is measured:\n%s" % e)
