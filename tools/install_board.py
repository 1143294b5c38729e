# SPDX-License-Identifier: MIT
# The part of `make install` that runs on the board: tools/install.py sends this text over mpremote
# and one call after it. Every call prints one line, "sdboot-install " and a Python literal.

import os
import sys

MARK = "sdboot-install "


def kind(path):
    # What `path` is: "file", "dir", or None.
    try:
        return "dir" if os.stat(path)[0] & 0x4000 else "file"
    except OSError:
        return None


def flash():
    # Where the internal flash is: "/flash" if "/" is a card or a virtual root.
    try:
        import vfs

        return "/flash" if any(point == "/flash" for _, point in vfs.mount()) else ""
    except (ImportError, TypeError):  # before MicroPython 1.25 the mount points can't be listed
        return "/flash" if kind("/flash/boot.py") or kind("/flash/lib") else ""


def text(path):
    if kind(path) != "file":
        return None
    with open(path, "rb") as f:
        return f.read(8192)


def executable():
    # Bytes of executable memory (free, largest block) where the firmware counts them.
    try:
        import esp32

        regions = esp32.idf_heap_info(esp32.HEAP_EXEC)
        return sum(r[1] for r in regions), max(r[2] for r in regions)
    except (ImportError, AttributeError):
        return None


def probe():
    root = flash()
    stat = os.statvfs(root or "/")
    said = {
        "release": ".".join(str(n) for n in sys.implementation[1][:3]),
        "machine": getattr(sys.implementation, "_machine", sys.platform),
        "platform": sys.platform,
        "mpy": getattr(sys.implementation, "_mpy", None),
        "flash": root,
        "block": stat[0],
        "free": stat[0] * stat[3],
        "boot": text(root + "/boot.py"),
        "old": text(root + "/boot.py.old"),
        "executable": executable(),
    }
    print(MARK + repr(said))


def hashes(folder):
    # {name: SHA-256} of the files in `folder`.
    import binascii
    import hashlib

    found = {}
    buffer = bytearray(512)
    for name in os.listdir(folder) if kind(folder) == "dir" else ():
        path = folder + "/" + name
        if kind(path) == "dir":
            continue
        sha = hashlib.sha256()
        with open(path, "rb") as f:
            n = f.readinto(buffer)
            while n:
                sha.update(memoryview(buffer)[:n])
                n = f.readinto(buffer)
        found[name] = binascii.hexlify(sha.digest()).decode()
    print(MARK + repr(found))


def empty(folder):
    # An empty `folder`, whatever was there.
    parts = folder.strip("/").split("/")
    for i in range(1, len(parts) + 1):
        path = "/" + "/".join(parts[:i])
        if kind(path) is None:
            os.mkdir(path)
    for name in os.listdir(folder):
        os.remove(folder + "/" + name)
    print(MARK + "True")


def move(source, target, unwanted):
    # Everything in `source` goes to `target`, over what is there; `unwanted` is removed first: a
    # stale a.py would be imported instead of a.mpy.
    if kind(target) is None:
        os.mkdir(target)
    for name in unwanted:
        os.remove(target + "/" + name)
    for name in os.listdir(source):
        os.rename(source + "/" + name, target + "/" + name)
    os.rmdir(source)
    print(MARK + "True")


def replace(new, path, keep):
    # `new` becomes `path`; what was there becomes `keep`, or is gone if that is None.
    if kind(path):
        if keep:
            os.rename(path, keep)
        else:
            os.remove(path)
    os.rename(new, path)
    print(MARK + "True")


def remove(folder, names):
    # Removes `names` in `folder`, and the folder if that leaves nothing. Prints what is left.
    left = []
    if kind(folder) == "dir":
        for name in names:
            os.remove(folder + "/" + name)
        left = os.listdir(folder)
        if not left:
            os.rmdir(folder)
    print(MARK + repr(left))
