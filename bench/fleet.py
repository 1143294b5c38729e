#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make bench-fleet`: a fleet of boards against one nginx, and what a million of them would cost.

One simulated board updates through a proxy that writes down its requests. BOARDS=500 clients send
those very requests, each with the number of its own, over connections as the board had them. Which
boards a rollout chooses is asked of the engine (bench/chosen.py, the module _sdlist). Every 100th
package of bytes that is received is compared with the file.
"""

import argparse
import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter as Counts
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import card as bench  # noqa: E402
from lab import BOARD, ROOT, SIMULATED, Nginx, mcopy  # noqa: E402
from wire import Counter  # noqa: E402

bench.WORK = WORK = ROOT / "build" / "bench-fleet"
TOOL = ROOT / "build" / "cli" / "sdboot"
RECORDED = b"240ac4000001"  # the number of the simulated board
FILES, CHANGED = 40, (3, 17, 18, 31)
MILLION = 1000000


class FleetNginx(Nginx):
    CONFIG = Nginx.CONFIG.replace("worker_connections 64", "worker_connections 4096").replace(
        "access_log {dir}/access.log;",
        "log_format fleet '$msec $status $request_length $bytes_sent $request_uri "
        "$http_user_agent'; access_log {root}/../fleet.log fleet;",
    )


def number(i):
    """As bench/chosen.py counts boards."""
    return b"%012x" % (0x240AC4000000 + i * 7)


def tree(version, changed=()):
    root = WORK / version
    for i in range(FILES):
        noise = random.Random("%d %s" % (i, version if i in changed else ""))
        path = root / "app" / ("module_%02d.mpy" % i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(noise.randrange(500, 12000)))
    (root / "main.py").write_text("import app\n")
    (root / "app" / ".version").write_text(version)
    return root


def sdboot(*args):
    subprocess.run([TOOL, *args], check=True, capture_output=True)


def log(since=0):
    """(when, status, bytes of the request, bytes of the answer, path, who) of what nginx has logged."""
    lines = (WORK / "fleet.log").read_text().splitlines()[since:]
    rows = [line.split(" ", 5) for line in lines]
    return [(float(t), int(s), int(q), int(b), path, who) for t, s, q, b, path, who in rows]


# ---- One real board


def record(url):
    """The requests of a board that updates, as a list of connections with their requests."""
    flash, image = bench.flash("journal", ""), WORK / "card.img"
    bench.card(image, 4096)
    bench.power_on(flash, image)
    old = tree("0.0.1")
    mcopy(image, old / "app", old / "main.py")
    counter = Counter(url)
    script = "import sdboot\nprint('DONE', sdboot.OTA(%r).install_update_if_available())" % counter.url
    command = [BOARD, "--flash", flash, "--card", image]
    done = subprocess.run(command, input="exec(%r)\n" % script, capture_output=True, text=True, timeout=120)
    if "DONE True" not in done.stdout:
        sys.exit("bench-fleet: the board has not updated:\n" + done.stdout + done.stderr)
    image.unlink()
    asked = [[part + b"\r\n\r\n" for part in bytes(said).split(b"\r\n\r\n") if part] for said in counter.asked]
    if not all(RECORDED in request for requests in asked for request in requests):
        sys.exit("bench-fleet: a request does not say which board asks")
    return asked


# ---- Many


async def answer(reader):
    """Reads one answer; returns status and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    body = await reader.readexactly(int(length[1])) if length else await reader.read()
    return int(head.split()[1]), body


async def client(port, connections, who, wait, files, check):
    """Sends the requests of `connections` as board `who`; returns the number that failed."""
    await asyncio.sleep(wait)
    failed = 0
    for requests in connections:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for request in requests:
                writer.write(request.replace(RECORDED, who))
                status, body = await asyncio.wait_for(answer(reader), 30)
                path = request.split()[1].decode()
                asked = re.search(rb"Range: bytes=(\d+)-(\d+)", request)
                want = files[path]
                if asked:
                    want = want[int(asked[1]) : int(asked[2]) + 1]
                if status != (206 if asked else 200) or check and body != want:
                    failed += 1
            writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            failed += 1
    return failed


async def fleet(url, who, connections, www, waits=None):
    """Runs a client for each of `who`; returns failures and seconds."""
    port = int(url.rsplit(":", 1)[1])
    files = {"/" + p.name: p.read_bytes() for p in www.iterdir() if p.is_file()}
    began = time.monotonic()
    jobs = [
        client(port, connections, w, waits[i] if waits else 0, files, i % 100 == 0)
        for i, w in enumerate(who)
    ]
    failed = sum(await asyncio.gather(*jobs))
    return failed, time.monotonic() - began


def chosen(www, count):
    """The boards that the list gives its newest release to, says the engine."""
    command = [SIMULATED, "--host", ROOT / "bench" / "chosen.py", www / "versions", "0.0.1", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode or "Traceback" in done.stdout + done.stderr:
        sys.exit("bench-fleet: " + done.stdout + done.stderr)
    return {line.encode() for line in done.stdout.split()}


def chi_squared(count, total, share):
    """Of `count` boards of `total`, where `share` of them are expected; with one degree of freedom."""
    expected = total * share
    if share in (0, 1):
        return 0.0 if count == expected else float("inf")
    return (count - expected) ** 2 / expected + (count - expected) ** 2 / (total - expected)


def rollout(url, www, connections, boards, asked):
    print("\nRollout, of %d boards by the engine, and of %d clients on the wire (5 %%: chi2 > 3.84; 0.1 %%: > 10.83)" % (asked, boards))
    row = "%8s %9s %9s %8s %9s %9s %8s %8s"
    print(row % ("share", "chosen", "expected", "chi2", "clients", "fetched", "chi2", "failed"))
    before, good = set(), True
    everybody = [number(i) for i in range(boards)]
    for share in (5, 25, 100):
        sdboot("rollout", str(share), "0.0.2", www)
        some = chosen(www, asked)
        good = good and before <= some
        before = some
        since = len(log())
        look = asyncio.run(fleet(url, everybody, connections[:1], www))[0]
        mine = [who for who in everybody if who in some]
        rest = asyncio.run(fleet(url, mine, connections[1:], www))[0]
        fetched = {who for _, _, _, _, path, who in log(since) if path.endswith(".tar")}
        chi = chi_squared(len(some), asked, share / 100), chi_squared(len(fetched), boards, share / 100)
        good = good and chi[0] < 10.83 and chi[1] < 10.83 and look + rest == 0
        values = (len(some), "%.0f" % (asked * share / 100), "%.2f" % chi[0])
        print(row % ("%d %%" % share, *values, boards, len(fetched), "%.2f" % chi[1], look + rest), flush=True)
    print("whoever had it at a lower share has it at a higher one: %s" % ("yes" if good else "NO"))
    return good


def herd(url, www, connections, boards, seconds):
    """All boards start at the same moment. Those that look at once, as a main.py does, and those that
    spread their first look over an hour, as OTA.poll() does: each waits a random time."""
    print("\nThe power comes back to all %d at once; an hour is %d seconds here" % (boards, seconds))
    row = "%-28s %9s %22s %9s %8s"
    print(row % ("", "requests", "most in 1/60 of window", "mean", "failed"))
    everybody = [number(i) for i in range(boards)]
    share = random.Random(1)
    good = True
    spread = [share.uniform(0, seconds) for _ in range(boards)]
    for name, waits in (("all look at once", None), ("first look within an hour", spread)):
        since = len(log())
        failed, _ = asyncio.run(fleet(url, everybody, connections, www, waits))
        rows = log(since)
        slots = Counts(int(t * 60 / seconds) for t, *_ in rows)
        print(row % (name, len(rows), max(slots.values()), "%.0f" % (len(rows) / 60), failed), flush=True)
        good = good and failed == 0
    return good


# ---- What it comes to


def cost(rows, devices, price_requests, price_gb):
    """`rows`: the log of one board's update."""
    look = [r for r in rows if r[4].startswith("/versions")]
    rest = [r for r in rows if not r[4].startswith("/versions")]
    looks, releases = 30, 1
    requests = devices * (looks * len(look) + releases * len(rest))
    sent = devices * (looks * sum(r[3] for r in look) + releases * sum(r[3] for r in rest))
    got = devices * (looks * sum(r[2] for r in look) + releases * sum(r[2] for r in rest))
    print("\nA month of N devices with L looks and R releases:")
    print("  requests = N * (L * %d + R * %d)" % (len(look), len(rest)))
    print("  bytes out = N * (L * %d + R * %d)" % (sum(r[3] for r in look), sum(r[3] for r in rest)))
    print("  cost = requests / 10000 * price of 10,000 requests + bytes out / 10^9 * price of a GB")
    print("  N = %d, L = %d, R = %d: %.0f million requests, %.0f GB out, %.0f GB in, on average %.0f requests/s"
          % (devices, looks, releases, requests / 1e6, sent / 1e9, got / 1e9, requests / 30 / 86400))
    if price_requests is not None and price_gb is not None:
        print("  at %g for 10,000 requests and %g a GB: %.0f" % (price_requests, price_gb, requests / 1e4 * price_requests + sent / 1e9 * price_gb))


def cdn(rows, www):
    """What a CDN has to fetch from the origin, and what it answers itself."""
    paths = Counts()
    for _, _, _, sent, path, _ in rows:
        paths[path] += sent
    print("\nWhat a CDN sees: paths are the same for every board, nothing depends on who asks")
    for path, sent in sorted(paths.items()):
        size = (www / path[1:]).stat().st_size
        asked = sum(1 for r in rows if r[4] == path)
        print("  %-28s %9d bytes in the cache, %2d requests and %7d bytes a device" % (path, size, asked, sent))
    fixed = sum((www / path[1:]).stat().st_size for path in paths if path != "/versions")
    print("  origin, a place of the CDN: %d bytes for a release, and the list once each time to live" % fixed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--boards", type=int, default=500, help="clients on the wire")
    parser.add_argument("--asked", type=int, default=20000, help="boards that the engine is asked about")
    parser.add_argument("--hour", type=int, default=20, help="seconds that stand for an hour")
    parser.add_argument("--price-requests", type=float)
    parser.add_argument("--price-gb", type=float)
    args = parser.parse_args()
    os.chdir(ROOT)
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    www = WORK / "www"
    sdboot("release", "-v", "0.0.2", "-C", tree("0.0.2", CHANGED), "-o", www, "app", "main.py")
    with FleetNginx(www) as url:
        connections = record(url)
        rows = log()
        print("one board: %d connections, %d requests, %d bytes sent, %d bytes received; the package has %d"
              % (len(connections), len(rows), sum(r[2] for r in rows), sum(r[3] for r in rows),
                 next(www.glob("*.tar")).stat().st_size))
        good = rollout(url, www, connections, args.boards, args.asked)
        good = herd(url, www, connections, args.boards, args.hour) and good
        cdn(rows, www)
    cost(rows, MILLION, args.price_requests, args.price_gb)
    if not good:
        sys.exit("bench-fleet: not as promised, see above")


if __name__ == "__main__":
    main()
