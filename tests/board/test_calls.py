# SPDX-License-Identifier: MIT
"""The modules in C, called with anything, in any order: an exception or a negative number may come of
it, never a crash. Meant for the board with AddressSanitizer too (make test-asan).

CALLS_SEED=n CALLS=m python3 -m unittest test_calls.Random   m calls from seed n on
"""

import os
import unittest

from rig import EMULATED, HASTY, BoardTest

SEED = int(os.environ.get("CALLS_SEED", 1))
CALLS = int(os.environ.get("CALLS", 3000))

# Values to call with, and objects that do what no device, filesystem or hash should.
VALUES = """
import gc, hashlib, io, random, vfs
from sdboot._native import load
from sdboot import mounted

MODULES = {}
for name in ("_sdboot", "_sdcard", "_sdarea", "_sdswap", "_sdlist", "_sdhttp", "_sdota", "_sdindex", "_sderror", "_sdprobe", "_sdsign"):
    try:
        MODULES[name] = load(name)
    except (ImportError, AttributeError):
        pass
_sdboot, _sdcard, _sdarea = [MODULES[n] for n in ("_sdboot", "_sdcard", "_sdarea")]
_sdota, _sdlist, _sdhttp = MODULES["_sdota"], MODULES["_sdlist"], MODULES["_sdhttp"]

left = 0
def tick():
    # Nothing goes on for ever.
    global left
    left -= 1
    if left < 0:
        raise OSError(5)

class Ram:
    def __init__(self, sectors=16):
        self.data = bytearray(512 * sectors)
    def readblocks(self, n, buf):
        tick()
        n *= 512
        buf[:] = self.data[n : n + len(buf)]
    def writeblocks(self, n, buf):
        tick()
        n *= 512
        if n + len(buf) > len(self.data):
            return -22
        self.data[n : n + len(buf)] = buf
    def ioctl(self, op, arg):
        return {4: len(self.data) // 512, 5: 512}.get(op)

class Big(Ram):
    # A real card's size; only its first sectors are kept.
    def readblocks(self, n, buf):
        tick()
        n *= 512
        for i in range(len(buf)):
            buf[i] = self.data[n + i] if n + i < len(self.data) else 0
    def writeblocks(self, n, buf):
        tick()
        n *= 512
        if n + len(buf) <= len(self.data):
            self.data[n : n + len(buf)] = buf
    def ioctl(self, op, arg):
        return {4: 65536, 5: 512}.get(op)

def odd(*args):
    tick()
    return random.choice((None, 0, 1, -1, -5, "x", b"", (), [1], 1 << 40, -(1 << 40), False, True, 3.5))

class Odd:
    # Every method there is, with results of every kind.
    def __init__(self, *args):
        pass
    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        return random.choice((odd, odd, 5, raises))

def raises(*args):
    tick()
    raise random.choice((OSError, OSError(5), OSError(-3), OSError("x"), OSError(1 << 70), MemoryError(),
        ValueError, KeyError(1), StopIteration, Sub(), KeyboardInterrupt))

class Sub(OSError):
    @property
    def errno(self):
        raise ValueError

class File(io.IOBase):
    def readinto(self, buf):
        tick()
        return random.choice((len(buf), 0, 1, -1, 1 << 20, None))
    def write(self, buf):
        tick()
        return random.choice((len(buf), 0, 1 << 20, None))
    def ioctl(self, op, arg):
        return random.choice((0, -1))

class Vfs(Odd):
    def open(self, path, mode):
        tick()
        return random.choice((File(), None, 5, io.BytesIO(b"0" * 64 + b"  app/x\\n" * 9)))
    def stat(self, path):
        tick()
        return random.choice(((0x4000,) + (0,) * 9, (0x8000, 0, 0, 0, 0, 0, 1 << 33, 0, 0, 0), (), (1,), "x", None))
    def ilistdir(self, path):
        tick()
        return iter(random.choice(([("a", 0x8000, 0, 0)], [("A" * 300, 0x4000)], [()], [5], [(5, 5)], [("a", "b")], [(b"\\xff", 0x4000)])))

class Vol(Odd):
    def has(self):
        return random.choice((0, 1, 2, 3, -1, "x", 1 << 70))

class Hash(Odd):
    def update(self, data):
        tick()
    def digest(self):
        return random.choice((b"", b"x" * 20, b"y" * 32, "z" * 32, bytearray(33), None, 7))

class Reenter(Ram):
    # A device that calls whoever calls it.
    target = None
    def again(self):
        tick()
        if self.target and random.getrandbits(2) == 0:
            o, name, args = self.target
            try:
                getattr(o, name)(*args)
            except (Exception, KeyboardInterrupt):
                pass
    def readblocks(self, n, buf):
        self.again()
        return super().readblocks(n, buf)
    def writeblocks(self, n, buf):
        self.again()
        return super().writeblocks(n, buf)

class Lazy(_sdhttp.Http):
    def __init__(self):
        self.eof()  # of what has not been made yet

SIMPLE = (
    None, True, False, 0, 1, 2, 3, -1, -2, -28, 7, 511, 512, 513, 4096, 0x7fffffff, -0x80000000, 1 << 31,
    1 << 32, (1 << 63) - 1, 1 << 64, -(1 << 70), 3.5, "", "app", "next", "/", "0.0.2", "A" * 3000, "\\0",
    "\\xe4\\u1234", "r", b"", b"x" * 20, b"y" * 32, b"\\0" * 512, b"z" * 3000, (), (1, 2, 3), [], {}, len, odd,
    raises, int, hashlib.sha1, hashlib.sha256, Hash, Odd, Ram, ...,
)
def buffers():
    return [bytearray(n) for n in (0, 1, 20, 511, 512, 513, 1024, 4096)] + [memoryview(bytearray(512))]

def make(f, *args):
    try:
        return f(*args)
    except (Exception, KeyboardInterrupt):
        return None

def fat():
    # A FAT volume of its own, with its journal and its record.
    ram = random.choice((Ram, Ram, Reenter))(8192)
    card = make(_sdboot.Card, ram)
    make(_sdcard.mkfs, card, 1)
    area = make(_sdarea.Area, card, True)
    make(lambda: area.prepare())
    volume = make(_sdboot.Volume, card, random.getrandbits(3) > 0)
    device = make(lambda: volume.device())
    fs = make(vfs.VfsFat, device)
    return [area, ram, card, volume, device, fs]

def install(fs, volume):
    return make(_sdota.Install, fs, volume, "app", "next", "0.0.2", b"x" * 20, hashlib.sha1, hashlib.sha256)

INDEX = b"sdbI\\1\\5\\0\\5app/x\\3ABCDEF\\2\\2\\x14\\1y\\0\\0\\x0c.version\\5GHIJKL\\3\\2"

def delta(fs, volume):
    index = bytearray(INDEX)
    if random.getrandbits(1):
        index[random.randrange(len(index))] = random.getrandbits(8)
    return make(MODULES["_sdindex"].Delta, fs, volume, "app", "next", "0.0.2", bytes(index), hashlib.sha256, bytearray(600))

def pool():
    objects = fat()
    fs, volume = objects[5], objects[3]
    objects += [install(fs, volume), install(Vfs(), Vol()), install(fs, None)]
    objects += [delta(fs, volume), delta(Vfs(), Vol()), delta(fs, None)]
    objects += [make(_sdboot.Card, Ram()), make(_sdboot.Card, Big()), make(_sdboot.Card, Odd()), Ram(), Odd(), Vfs(), Vol(), File()]
    arguments = "0.0.1", None, False, "esp32", "", "lamp", b"id", 0, 3
    objects += [make(_sdlist.Versions, *arguments), make(_sdhttp.Http), make(Lazy)]
    if hasattr(_sdboot, "Mount"):
        objects.append(make(_sdboot.Mount, fs, objects[4], odd))
    return [o for o in objects if o is not None]
"""
RANDOM = """
def run(seed, calls):
    global left
    random.seed(seed)
    objects = []
    for i in range(calls):
        if i %% 60 == 0:
            left = 4000
            objects = pool()
            kept = buffers()
            gc.collect()
        kind = random.getrandbits(2)
        target = random.choice(list(MODULES.values())) if kind == 0 else random.choice(objects)
        left = 400
        names = [n for n in make(dir, target) or () if n[:2] != "__"]
        if not names or isinstance(target, (Ram, Odd, File)):
            continue
        name = random.choice(names)
        args = []
        for _ in range(random.choice((0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 8))):
            args.append(random.choice((random.choice(SIMPLE), random.choice(objects), random.choice(kept))))
        for o in objects:
            if isinstance(o, Reenter):
                o.target = (random.choice(objects), name, args)
        left = 400
        try:
            result = getattr(target, name)(*args)
        except (Exception, KeyboardInterrupt):
            continue
        if result is not None and not isinstance(result, (int, str, bytes, list, tuple)):
            objects.append(result)
    print("=> done", calls)
run(%d, %d)
"""


@unittest.skipIf(EMULATED, "these have less memory")
class Random(BoardTest):
    def calls(self, seed, calls):
        self.blank_card()
        r = self.power("--heap", "24M", job=VALUES + RANDOM % (seed, calls))
        self.assertEqual(r.results, ["done %d" % calls], "seed %d\n%s%s" % (seed, r.out, r.err[-8000:]))

    def test_random_calls(self):
        for seed in range(SEED, SEED + max(1, CALLS // 1000)):
            with self.subTest(seed=seed):
                self.calls(seed, min(CALLS, 1000))


KNOWN = """
vol = mounted.volume
def calls():
    i = _sdota.Install(mounted.fs, vol, "app", "next", "0.0.2", b"x" * 20, hashlib.sha1, hashlib.sha256)
    print("=>", i.feed(b"x" * 600), i.finish(), i.clean(), i.abort(), i.flush(), i.where())
    print("=>", i.begin(), i.feed(b"x" * 512), i.abort(), i.feed(b"y"), i.finish())
calls()
attempt(_sdboot.Card, mounted.card, 1 << 30)
attempt(sdboot.verify, "A" * 3000)
attempt(lambda: MODULES["_sdswap"].verify(mounted.fs, bytearray(b"app"), hashlib.sha256))
attempt(Lazy)
attempt(lambda: vol.slot(0, bytearray(511), False))
plain = Ram(8192)
card = _sdboot.Card(plain)
_sdcard.mkfs(card, 1)
bare = _sdboot.Volume(card, True)
attempt(lambda: (bare.begin(), bare.commit(), bare.checkpoint(True), bare.defer(True), bare.abort()))
class Hidden(OSError):
    @property
    def args(self):
        raise ValueError
class Raising:
    def stat(self, path):
        raise Hidden(5)
def hidden():
    try:
        _sdboot.Mount(Raising(), card, None).stat("/")
    except OSError as e:
        print("=>", type(e))
hidden()
"""
REENTRANT = """
import machine
class Nested:
    def __init__(self):
        self.card = machine.SDCard(slot=1, width=1)
        self.what = None
    def again(self):
        what, self.what = self.what, None
        if what:
            try:
                print("nested:", what())
            except OSError as e:
                print("nested:", e.errno)
    def readblocks(self, n, buf):
        self.again()
        return self.card.readblocks(n, buf)
    def writeblocks(self, n, buf):
        self.again()
        return self.card.writeblocks(n, buf)
    def ioctl(self, op, arg):
        return self.card.ioctl(op, arg)
    def deinit(self):
        pass
nested = Nested()
"""


class Known(BoardTest):
    """What has crashed once, and what must be refused."""

    @unittest.skipIf(EMULATED, "these have less memory")
    def test_wrong_calls(self):
        self.fat_card({"app/.version": b"0.0.1", "main.py": b""})
        r = self.power("--heap", "24M", job="left = 9 ** 9\n" + VALUES.replace("left = 0", "left = 9 ** 9") + KNOWN)
        self.assertEqual(
            r.results,
            ["-22 -22 -125 0 0 b''", "0 -199 1 -125 -125", "-22", "(-22, -22, -22, None, None)", "<class 'Hidden'>"],
            r.out,
        )
        kinds = [e.split()[0] for e in r.errors]
        self.assertEqual(kinds, ["ValueError", "Error", "TypeError", "AttributeError"], r.out)

    def nested(self, what, where="w"):
        """`what` is called by the driver while it is in use."""
        self.fat_card({"main.py": b"", "big": bytes(9000)})
        job = """
def use():
    with open("/one", "w") as f:
        f.write("x" * 5000)
        nested.what = lambda: %s
        f.flush()
attempt(use)
nested.what = None
attempt(sdboot.recover)
def after():
    with open("/two", "w") as f:
        f.write("after")
    return open("/two").read(), len(open("/big").read())
attempt(after)
"""
        r = self.power(boot="sd=nested", before=HASTY + REENTRANT, job=job % what)
        self.assertIn("('after', 9000)", r.results, r.out)
        self.assertEqual(self.files()["two"], b"after")
        return r

    def test_driver_opens_a_file(self):
        r = self.nested("open('/three', 'w').write('y')")
        self.assertRegex(r.out, "nested: (5|16)")
        self.assertIn("OSError", r.errors[0])
        self.assertEqual(r.results[0], "True")
        self.assertNotIn("three", self.files())

    def test_driver_begins_a_transaction(self):
        r = self.nested("sdboot.transaction().__enter__()")
        self.assertRegex(r.out, "nested: 16")

    def test_driver_asks_and_confirms(self):
        self.assertRegex(self.nested("sdboot.confirm()").out, "nested: ")
        self.assertRegex(self.nested("sdboot.recover()").out, "nested: ")
        self.assertRegex(self.nested("sdboot.status()").out, "nested: ")

    def test_driver_is_interrupted(self):
        """Ctrl-C in the driver jumps out of FatFs, which was in the middle of something."""
        self.fat_card({"main.py": b"", "big": bytes(9000)})
        job = """
def stop():
    raise KeyboardInterrupt
def use():
    f = open("/one", "w")
    f.write("x" * 5000)
    nested.what = stop
    f.flush()
try:
    use()
except KeyboardInterrupt:
    print("=> interrupted")
attempt(lambda: open("/big").read(5))
attempt(sdboot.recover)
attempt(lambda: len(open("/big").read()))
"""
        r = self.power(boot="sd=nested", before=HASTY + REENTRANT, job=job)
        self.assertEqual(r.results, ["interrupted", "True", "9000"], r.out)
        self.assertIn("recover", r.errors[0])


if __name__ == "__main__":
    unittest.main()
