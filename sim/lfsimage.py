# SPDX-License-Identifier: MIT
# littlefs images of the internal flash or of a card, on the host: what flash.py and card.py share.
# Runs on the board's own MicroPython (build/sim/board --host), hence on the same littlefs.
import os
import vfs

BLOCK = 4096
MOUNT = "/.image"


class Image:
    # Block device with the extended protocol on an image file, some blocks of it in memory: littlefs
    # reads and writes many small pieces.
    KEPT = 256

    def __init__(self, path, erase):
        self.file = open(path, "r+b")
        self.blocks = self.file.seek(0, 2) // BLOCK
        self.erase = erase
        self.kept = {}
        self.changed = set()

    def block(self, block):
        if block not in self.kept:
            if len(self.kept) == self.KEPT:
                self.write_back()
                self.kept.clear()
            data = bytearray(BLOCK)
            self.file.seek(block * BLOCK)
            self.file.readinto(data)
            self.kept[block] = data
        return self.kept[block]

    def write_back(self):
        for block in sorted(self.changed):
            self.file.seek(block * BLOCK)
            self.file.write(self.kept[block])
        self.changed.clear()

    def close(self):
        self.write_back()
        self.file.close()

    def readblocks(self, block, buf, offset=0):
        buf[:] = memoryview(self.block(block))[offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self.block(block)[offset : offset + len(buf)] = buf
        self.changed.add(block)

    def ioctl(self, op, arg):
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK
        if op == 6:
            if self.erase:
                self.writeblocks(arg, b"\xff" * BLOCK)
            return 0
        if op == 3:
            return 0


def size_of(text):
    scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:].upper(), 1)
    size = int(text[:-1] if scale > 1 else text) * scale
    if size % BLOCK or size < 4 * BLOCK:
        raise ValueError("size must be a multiple of 4096, at least 16K")
    return size


def blank(path, size, fill):
    with open(path, "wb") as f:
        if not fill:
            f.seek(size - 1)
            f.write(b"\0")
            return
        part = bytes([fill]) * 65536
        while size:
            n = min(size, len(part))
            f.write(part[:n])
            size -= n


def is_dir(path):
    return os.stat(path)[0] & 0x4000 != 0


def make_parents(path):
    at = path.rfind("/")
    if at > 0:
        parent = path[:at]
        try:
            os.stat(parent)
        except OSError:
            make_parents(parent)
            os.mkdir(parent)


def copy(source, target):
    if is_dir(source):
        try:
            os.stat(target)
        except OSError:
            make_parents(target)
            os.mkdir(target)
        for entry in sorted(os.ilistdir(source)):
            if entry[0] != "__pycache__":
                copy(source + "/" + entry[0], target + "/" + entry[0])
        return
    make_parents(target)
    with open(source, "rb") as f, open(target, "wb") as t:
        while True:
            data = f.read(BLOCK)
            if not data:
                break
            t.write(data)


def show(path):
    for entry in sorted(os.ilistdir(path)):
        name = path + "/" + entry[0]
        if entry[1] & 0x4000:
            print("%9s %s/" % ("", name[len(MOUNT) :]))
            show(name)
        else:
            print("%9d %s" % (os.stat(name)[6], name[len(MOUNT) :]))


def remove(path):
    if is_dir(path):
        for entry in list(os.ilistdir(path)):
            remove(path + "/" + entry[0])
        os.rmdir(path)
    else:
        os.remove(path)


# `kind` has name, size (default), fill (byte of a blank image), erase, options (of VfsLfs2).
def run(kind, args):
    help = """\
usage: board --host sim/{0}.py COMMAND IMAGE ...
  make IMAGE [--size N] [SOURCE[:/TARGET]]...   new image ({1} MiB) with files and trees
  put IMAGE SOURCE[:/TARGET]...                 add or replace
  get IMAGE /PATH TARGET                        copy a file or tree out
  rm IMAGE /PATH...                             remove files and trees
  ls IMAGE                                      list, with sizes
A SOURCE directory without :/TARGET goes to /, a file to its own name below /.
""".format(kind["name"], kind["size"] >> 20)
    if "--help" in args or "-h" in args:
        print(help, end="")
        return 0
    try:
        return command(kind, args)
    except (IndexError, KeyError):
        print(help, end="")
    except (OSError, ValueError) as er:
        print(kind["name"] + ".py:", er)
    return 2


def command(kind, args):
    args = list(args)
    size = kind["size"]
    if "--size" in args:
        at = args.index("--size")
        size = size_of(args[at + 1])
        del args[at : at + 2]
    what, path = args[0], args[1]
    args = args[2:]
    if what not in ("make", "put", "get", "rm", "ls"):
        raise KeyError
    if what == "make":
        blank(path, size, kind["fill"])
    device = Image(path, kind["erase"])
    if what == "make":
        vfs.VfsLfs2.mkfs(device, **kind["options"])
    vfs.mount(vfs.VfsLfs2(device, **kind["options"]), MOUNT)
    if what in ("make", "put"):
        for arg in args:
            source, colon, target = arg.partition(":")
            source = source.rstrip("/")
            if not colon:
                target = "" if is_dir(source) else "/" + source.split("/")[-1]
            copy(source, MOUNT + target.rstrip("/"))
    elif what == "get":
        copy(MOUNT + args[0].rstrip("/"), args[1].rstrip("/"))
    elif what == "rm":
        for arg in args:
            remove(MOUNT + arg.rstrip("/"))
    else:
        show(MOUNT)
    vfs.umount(MOUNT)
    device.close()
    return 0
