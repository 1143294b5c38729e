# SPDX-License-Identifier: MIT
"""Makes real archives for test_tar.c: archives.py DIRECTORY.

Every NAME.tar gets a NAME.list, what the tar reader must report of it, a line a member in the
archive's order: "f SIZE CRC32 PATH" or "d 0 0 PATH". It is what Python's tarfile finds, and the
names are checked against what the tool that wrote the archive lists.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zlib

# Paths of 300 bytes: 3 components; for ustar 250, with a '/' where prefix and name can part.
LONG_300 = "app/" + "d" * 98 + "/" + "e" * 97 + "/" + "f" * 96 + ".py"
LONG_USTAR = "app/" + "p" * 75 + "/" + "q" * 70 + "/" + "n" * 95 + ".py"

assert len(LONG_300) == 300


def content(size, seed):
    return bytes((i * 131 + seed * 17 + (i >> 8)) & 255 for i in range(size))


def write_tree(root, files):
    for number, (path, size) in enumerate(files):
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(content(size, number))


SMALL = [
    ("main.py", 300),
    ("app/.version", 5),
    ("app/__init__.py", 0),
    ("app/one.bin", 1),
    ("app/block-1.bin", 511),
    ("app/block.bin", 512),
    ("app/block+1.bin", 513),
    ("app/lib/deep/er/x y.py", 1000),
    ("app/data/big.bin", 70001),
]
UNICODE = ("app/gr\u00f6\u00dfe-\u65e5\u672c.txt", 77)
TREES = {
    "small": SMALL + [UNICODE],
    "ascii": SMALL,
    "ustar": SMALL + [(LONG_USTAR, 1234)],
    "long": SMALL + [(LONG_300, 4321), (LONG_USTAR, 1), ("app/" + "n" * 96 + "/x", 2),
                     ("app/" + "n" * 95 + "/x", 3), ("app/" + "n" * 94 + "/x", 4)],
    "many": [("app/m%d/f%d.txt" % (i % 40, i), i % 700) for i in range(2000)] + [("main.py", 9)],
}
STYLES = {"names": ["main.py", "app"], "dot": ["."], "dotted": ["./app", "./main.py"]}


def run(*command):
    env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC")
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit("%s: %s" % (" ".join(command), done.stderr.decode()))
    return done.stdout.decode("utf-8", "surrogateescape")


def gnu(form):
    return (lambda out, root, names: run("tar", "--format=" + form, "-cf", out, "-C", root, *names),
            lambda out: run("tar", "--quoting-style=literal", "-tf", out))


def bsd(form):
    return (lambda out, root, names: run("bsdtar", "--format=" + form, "-cf", out, "-C", root,
                                         *names),
            lambda out: run("bsdtar", "-tf", out))


def busybox():
    return (lambda out, root, names: run("busybox", "tar", "-cf", out, "-C", root, *names),
            lambda out: run("busybox", "tar", "-tf", out))


def python(form):
    def create(out, root, names):
        with tarfile.open(out, "w", format=form) as tar:
            for name in names:
                tar.add(os.path.join(root, name), name)

    return create, None


TOOLS = {
    "gnu-gnu": (gnu("gnu"), ["small", "long", "many"]),
    "gnu-oldgnu": (gnu("oldgnu"), ["small", "long"]),
    "gnu-ustar": (gnu("ustar"), ["small", "ustar", "many"]),
    "gnu-pax": (gnu("pax"), ["small", "long", "many"]),
    "gnu-v7": (gnu("v7"), ["small", "many"]),
    "bsd-ustar": (bsd("ustar"), ["ascii", "ustar", "many"]),
    "bsd-pax": (bsd("pax"), ["small", "long", "many"]),
    "bsd-gnutar": (bsd("gnutar"), ["ascii", "long"]),
    "bsd-v7": (bsd("v7"), ["ascii"]),
    "busybox": (busybox(), ["small", "long", "many"]),
    "python-ustar": (python(tarfile.USTAR_FORMAT), ["small", "ustar"]),
    "python-gnu": (python(tarfile.GNU_FORMAT), ["small", "long", "many"]),
    "python-pax": (python(tarfile.PAX_FORMAT), ["small", "long", "many"]),
}


def plain(path):
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def expected(path):
    lines = []
    with tarfile.open(path) as tar:
        for member in tar:
            name = plain(member.name)
            if member.isdir() and name:
                lines.append("d 0 0 %s\n" % name)
            elif member.isreg():
                data = tar.extractfile(member).read()
                lines.append("f %d %08x %s\n" % (len(data), zlib.crc32(data), name))
            elif name:
                sys.exit("%s: neither file nor directory: %s" % (path, name))
    return lines


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    for tree, files in TREES.items():
        write_tree(os.path.join(out, "tree", tree), files)
    for tool, ((create, listing), trees) in TOOLS.items():
        for tree in trees:
            for style, names in STYLES.items():
                if tree == "many" and style != "dot":
                    continue
                path = os.path.join(out, "%s-%s-%s.tar" % (tool, tree, style))
                create(path, os.path.join(out, "tree", tree), names)
                lines = expected(path)
                if sum(line[0] == "f" for line in lines) != len(TREES[tree]):
                    sys.exit("%s: tarfile finds other files than were packed" % path)
                if listing is not None:
                    listed = [plain(name) for name in listing(path).splitlines()]
                    if [n for n in listed if n] != [line.split(" ", 3)[3][:-1] for line in lines]:
                        sys.exit("%s: the tool lists other names than tarfile" % path)
                with open(path[:-4] + ".list", "wb") as f:
                    f.write("".join(lines).encode("utf-8", "surrogateescape"))
    shutil.rmtree(os.path.join(out, "tree"))


if __name__ == "__main__":
    main(sys.argv[1])
