# SPDX-License-Identifier: MIT
"""One power-on of the simulated board, measured: time, instructions, what the card was asked for."""

import re
import resource
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lab import BOARD  # noqa: E402

# What a card takes: microseconds a command, 1000 bytes a second reading and writing. Published
# figures of an ESP32, see sim/options.c; those of SPI are at 20 MHz.
CARDS = {
    "SDMMC, 4 bits": (400, 16200, 12700),
    "SDMMC, 1 bit": (400, 3700, 2700),
    "SPI": (400, 1700, 1000),
}
DEFAULT_CARD = "SDMMC, 1 bit"
SECTOR = 512


def modelled_ms(card, reads, read_sectors, writes, write_sectors):
    command, read_kbs, write_kbs = CARDS[card]
    moved = read_sectors * SECTOR / read_kbs + write_sectors * SECTOR / write_kbs
    return (reads + writes) * command / 1000 + moved


class Measured(dict):
    """Counters by name; those of several power-ons can be added."""

    def __add__(self, other):
        return Measured({name: self[name] + other[name] for name in self})


class Failed(Exception):
    pass


def power_on(work, flash, image, script="", heap="256K", count_instructions=False, timeout=900):
    """Runs `script` at the REPL of a board that is switched on; returns its output and Measured."""
    stats = work / "stats"
    command = [BOARD, "--flash", flash, "--card", image, "--stats", stats, "--max-resets", "3"]
    command += ["--heap", heap]
    for old in work.glob("callgrind.*"):
        old.unlink()
    if count_instructions:
        out = "--callgrind-out-file=%s/callgrind.%%p" % work
        command = ["valgrind", "--tool=callgrind", "--trace-children=yes", out, *command]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, input="exec(%r)\n" % script, capture_output=True, text=True, timeout=timeout
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or re.search(r"Traceback|MemoryError", done.stdout):
        raise Failed(done.stdout[-2000:] + done.stderr[-2000:])
    found = dict(re.findall(r"(\w+) (\d+)", stats.read_text()))
    names = ("read_commands", "read_sectors", "write_commands", "write_sectors")
    counts = [int(found["card_" + name]) for name in names]
    measured = Measured(zip(names, counts))
    for card in CARDS:
        measured["ms, " + card] = modelled_ms(card, *counts)
    measured["cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if count_instructions:
        files = list(work.glob("callgrind.*"))
        if not files:
            raise Failed("valgrind has written nothing: " + done.stderr[-500:])
        parts = [instructions(path) for path in files]
        measured["instructions"] = sum(sum(by.values()) for by in parts)
        measured["hashing"] = sum(n for by in parts for name, n in by.items() if is_hash(name))
        measured.by_function = parts
    return done.stdout, measured


def is_hash(name):
    return bool(re.search(r"sha1|sha256|mbedtls_(sha|md)", name, re.I))


def instructions(path):
    """{function: instructions of its own} of a file of callgrind."""
    names, found = {}, {}
    function = None
    called = False
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith(("fn=", "cfn=")):
            key, _, value = line.partition("=")
            number, _, name = value.partition(" ")
            if name:
                names[number] = name
            if key == "fn":
                function = names[number]
        elif line.startswith("calls="):
            called = True
        elif line[:1].isdigit() or line[:1] in "+-*":
            if not called and " " in line:  # else what the function that is called has cost
                found[function] = found.get(function, 0) + int(line.split()[1])
            called = False
    return found


def smallest_heap(works, low=16, high=1024):
    """The smallest heap in KiB for which works("nK") holds: within 1 KiB above 64, 2 % beyond."""
    if not works("%dK" % high):
        return None
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        if works("%dK" % middle):
            high = middle
        else:
            low = middle
    return high
