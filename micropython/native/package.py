# SPDX-License-Identifier: MIT
"""Puts together what goes on a board's internal flash, build/native/ARCH, and prints its sizes.

usage: package.py ARCH OUT OBJ MPY_CROSS

The glue becomes bytecode but for __init__.py, which has to say on a firmware too old for the rest
what is wrong. Fails if a module has outgrown its limit.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GLUE = ROOT / "micropython" / "sdboot"
# Bytes of text that a module may have, and what it is for. Executable memory is scarce on an ESP32.
MODULES = {
    "_sdboot": (20 << 10, "stays: card, journal, state"),
    "_sdlog": (23 << 10, 'the same with journal="log"'),
    "_sdlist": (6 << 10, "to look for a release"),
    "_sdhttp": (9 << 10, "to speak to a server"),
    "_sdota": (16 << 10, "to install one"),
    "_sdindex": (12 << 10, "to install one that has an index"),
    "_sdswap": (14 << 10, "at a boot that swaps, verify, confirm"),
    "_sdcard": (20 << 10, "for a card that is new"),
    "_sdarea": (24 << 10, "for one whose journal is missing, old or damaged"),
    "_sdprobe": (16 << 10, "to see what is on one, and for read-only files"),
    "_sdsign": (16 << 10, "to check a signature"),
    "_sderror": (4 << 10, "to say what an error means"),
}


# Elsewhere than on Xtensa the text has the constants in it, and RISC-V's instructions are longer.
MORE = {"xtensawin": 0, "rv32imc": 5 << 10}


def sizes(obj, name):
    """(text, rodata, bss) in bytes, as mpy_ld says them."""
    said = (obj / (name + ".sizes")).read_text()

    def size(what):
        found = re.search(r"^%s size: +(\d+)" % what, said, re.M)
        return int(found.group(1)) if found else 0

    return size("text"), size("rodata"), size("bss")


def table(arch, obj):
    """Prints the sizes of the modules; returns the names of those that are too large."""
    print("%-10s %-9s %6s %6s %6s %6s  %s" % (arch, "", "text", "limit", "rodata", "bss", "loaded"))
    large = []
    for name, (limit, purpose) in MODULES.items():
        text, rodata, bss = sizes(obj, name)
        print("%-10s %-9s %6d %6d %6d %6d  %s" % ("", name, text, limit, rodata, bss, purpose))
        if arch != "x64" and text > limit + MORE.get(arch, 3 << 10):
            large.append(name)
    return large


def fill(out, obj, mpy_cross):
    package = out / "lib" / "sdboot"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "app" / "boot.py", out / "boot.py")
    shutil.copy(GLUE / "__init__.py", package / "__init__.py")
    for source in sorted(GLUE.glob("*.py")):
        if source.name != "__init__.py":
            target = package / (source.stem + ".mpy")
            name = "sdboot/" + source.name  # in tracebacks
            subprocess.run([mpy_cross, "-s", name, "-o", target, source], check=True)
    for name in MODULES:
        shutil.copy(obj / (name + ".mpy"), package / (name + ".mpy"))


def describe(out):
    """package.json for mip, and the list of hashes."""
    version = re.search(r'^__version__ = "(.*)"', (GLUE / "__init__.py").read_text(), re.M)
    files = sorted(p.relative_to(out) for p in out.rglob("*") if p.is_file())
    urls = [[str(p.relative_to("lib")), str(p)] for p in files if p.parts[0] == "lib"]
    text = json.dumps({"urls": urls, "deps": [], "version": version.group(1)}, indent=1)
    (out / "package.json").write_text(text + "\n")
    lines = ["%s  %s\n" % (hashlib.sha256((out / p).read_bytes()).hexdigest(), p) for p in files]
    (out / "SHA256SUMS").write_text("".join(lines))
    return [(str(p), (out / p).stat().st_size) for p in files]


def main(arch, out, obj, mpy_cross):
    out, obj = Path(out), Path(obj)
    large = table(arch, obj)
    if large:
        sys.exit("native: too large for %s: %s" % (arch, ", ".join(large)))
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    fill(new, obj, mpy_cross)
    files = describe(new)
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)
    print("%-10s %d files, %d bytes" % ("", len(files), sum(size for _, size in files)))


if __name__ == "__main__":
    main(*sys.argv[1:])
