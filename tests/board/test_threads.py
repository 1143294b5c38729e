# SPDX-License-Identifier: MIT
"""Several threads on one card, with the global lock of ESP32: `make test-threads`."""

import unittest

from rig import BOARD, MIB, BoardTest
from web import PythonServer, Site, package, release

FILES = {"main.py": b"print('main runs')\n", "config.json": b'{"a": 1}\n' * 50}

# start(f, ...) runs f in a thread, join() waits for all of them; what they raise is printed.
# pause() lets the others run.
TOOLS = """
import _thread, machine, os, time
import sdboot.transact, sdboot.ota  # not by two threads at once: MicroPython runs half a module then
running = 0
def pause(ms=1): time.sleep_ms(ms)
def start(f, *args):
    global running
    running += 1
    def body():
        global running
        try:
            f(*args)
        except BaseException as e:
            print("=!", type(e).__name__, getattr(e, "errno", None), e)
        running -= 1
    _thread.start_new_thread(body, ())
def join():
    until = time.ticks_add(time.ticks_ms(), 30000)
    while running and time.ticks_diff(until, time.ticks_ms()) > 0:
        pause()
    print("=> running", running)
def put(name, data, mode="wb"):
    with open(name, mode) as f:
        f.write(data)
def log(name, count):
    with open(name, "ab") as f:
        for i in range(count):
            f.write("line %04d\\n" % i)
            while True:
                try:
                    f.flush()
                    break
                except OSError as e:
                    if e.errno != 16: raise
                    pause()
            pause(i % 3)
"""


def indented(text):
    return "".join("    %s\n" % line for line in text.splitlines())


def lines(count):
    return b"".join(b"line %04d\n" % i for i in range(count))


@unittest.skipUnless("-thread" in BOARD.parent.name, "a board without threads")
class ThreadTest(BoardTest):
    def setUp(self):
        super().setUp()
        self.fat_card(FILES, 64 * MIB)

    def work(self, job, *options, **kwargs):
        return self.power(*options, job=TOOLS + job, **kwargs)


class Update(ThreadTest):
    NEW = release("0.0.2", {"app/data.bin": b"\x99" * 60000, "lib/util.py": b"new = 2\n" * 300})

    def stage(self, job, logs):
        site = Site(self.dir / "www")
        site.add("0.0.2", package(self.NEW))
        with PythonServer(site.folder) as url:
            r = self.work(job % {"url": url})
        self.assertEqual((r.errors, r.results), ([], ["staged True", "running 0"]), r.out)
        self.assertLogs(logs)
        self.assertIn("release 0.0.2 is in place", self.power().out)
        self.assertLogs(logs)
        found = self.files()
        for name, data in self.NEW.items():
            self.assertEqual(found.get(name), data, name)

    def assertLogs(self, logs):
        found = self.files()
        for name, data in logs.items():
            self.assertEqual(found.get(name), data, name)

    UPDATE = """
def update():
    ota = sdboot.OTA(%(url)r, progress=lambda *_: pause())
    print("=> staged", ota.install_update_if_available())
start(update)
"""

    def test_two_threads_log(self):
        job = "start(log, '/a.log', 150)\nstart(log, '/b.log', 150)\n" + self.UPDATE + "join()\n"
        self.stage(job, {"a.log": lines(150), "b.log": lines(150)})

    def test_a_thread_with_transactions(self):
        # The steps of the update wait for them.
        job = """
def pairs():
    for i in range(40):
        with sdboot.transaction():
            put("/one", b"%%d" %% i * 900)
            pause(2)
            put("/two", b"%%d" %% i * 900)
        pause()
start(pairs)
start(log, "/a.log", 100)
"""
        pair = b"39" * 900
        logs = {"a.log": lines(100), "one": pair, "two": pair}
        self.stage(job + self.UPDATE + "join()\n", logs)


OTHERS = {  # what another thread does: the same, and what is on the card of it
    "flush": ("f = open('/o', 'wb'); f.write('o' * 3000); f.flush()", {"o": b"o" * 3000}),
    "close": ("put('/o', 'o' * 3000)", {"o": b"o" * 3000}),
    "remove": ("os.remove('/config.json')", {"config.json": None}),
    "rename": (
        "os.rename('/config.json', '/o')",
        {"config.json": None, "o": FILES["config.json"]},
    ),
    "mkdir": ("os.mkdir('/d')", {}),
}


class Transactions(ThreadTest):
    """Nobody is told that something is on the card that can still be undone."""

    DURING = """
inside = False
def other():
    global other_done
    while not inside: pause()
    try:
        %s
        print("=> success")
    except OSError as e:
        print("=>", e.errno, e)
    other_done = True
other_done = False
start(other)
try:
    with sdboot.transaction():
        put("/mine", "m" * 2000)
        inside = True
        while not other_done: pause()
        put("/config2.json", "new")
        %s
except ValueError:
    print("=> undone")
join()
print("=>", sdboot.status()["journal"], sdboot.recover())
put("/later", "works")
"""
    BUSY = "another thread's transaction is open"

    def during(self, action, end):
        r = self.work(self.DURING % (action, end))
        self.assertEqual(r.errors, [], r.out)
        self.assertIn("16 ", r.results[0])
        self.assertIn(self.BUSY, r.results[0])
        self.assertEqual(r.results[-1], "on False")
        return r

    def changed(self, changes):
        files = {**FILES, "later": b"works", **changes}
        return {name: data for name, data in files.items() if data is not None}

    def test_another_thread_commits_and_it_is_kept(self):
        for name, (action, changes) in OTHERS.items():
            with self.subTest(name):
                self.fat_card(FILES, 64 * MIB)
                self.during(action, "pass")
                mine = {"mine": b"m" * 2000, "config2.json": b"new"}
                self.assertFiles(self.changed({**changes, **mine}))

    def test_another_thread_commits_and_it_is_undone(self):
        for name, (action, _) in OTHERS.items():
            with self.subTest(name):
                self.fat_card(FILES, 64 * MIB)
                r = self.during(action, "raise ValueError")
                self.assertIn("undone", r.results)
                self.assertFiles(self.changed({}))

    def test_power_fails_before_the_end(self):
        r = self.work(
            "if machine.reset_cause() == 1:\n"
            + indented(self.DURING % (OTHERS["close"][0], "machine.reset()"))
        )
        self.assertIn(self.BUSY, r.results[0])
        self.assertFiles(FILES)

    def test_the_flush_again(self):
        job = """
def other():
    f = open("/o", "wb")
    f.write("o" * 700)
    while not inside: pause()
    refused = 0
    while True:
        try:
            f.flush()
            break
        except OSError as e:
            refused += e.errno == 16
            pause()
    print("=> flushed", refused > 0, inside)
    f.write("p" * 700)
    f.close()
inside = False
start(other)
pause(20)
with sdboot.transaction():
    inside = True
    pause(20)
    put("/mine", "m")
    inside = False
join()
"""
        r = self.work(job)
        self.assertEqual((r.errors, r.results), ([], ["flushed True False", "running 0"]), r.out)
        self.assertFiles({**FILES, "mine": b"m", "o": b"o" * 700 + b"p" * 700})

    def test_an_old_file_after_it_was_undone(self):
        job = """
f = open("/o", "ab")
f.write("before\\n")
f.flush()
def other():
    while not inside: pause()
    f.write("within\\n")
    while inside: pause()
    pause(20)
    try: f.flush(); print("=> success")
    except OSError as e: print("=>", e.errno)
inside = False
start(other)
try:
    with sdboot.transaction():
        inside = True
        pause(20)
        raise ValueError
except ValueError:
    inside = False
join()
"""
        r = self.work(job)
        self.assertEqual((r.errors, r.results), ([], ["5", "running 0"]), r.out)
        self.assertFiles({**FILES, "o": b"before\n"})

    def test_they_take_turns(self):
        # Some of them end with an exception; whoever waits goes on.
        job = """
def pairs(name):
    for i in range(25):
        try:
            with sdboot.transaction():
                put("/one", name + "%d" % i)
                pause(i % 3)
                put("/two", name + "%d" % i)
                if i % 5 == 4: raise ValueError
                put("/last" + name, "%d" % i)
        except ValueError:
            pass
        pause(i % 2)
for name in "abc": start(pairs, name)
join()
"""
        r = self.work(job)
        self.assertEqual((r.errors, r.results), ([], ["running 0"]), r.out)
        found = self.files()
        self.assertEqual(found["one"], found["two"])
        for name in "abc":
            self.assertEqual(found["last" + name], b"23")

    def test_nobody_waits_long(self):
        job = """
order = ""
def greedy(name):
    global order
    for i in range(20):
        with sdboot.transaction():
            put("/" + name, "%d" % i)
            order += name
            pause()
for name in "abc": start(greedy, name)
join()
print("=>", order)
"""
        r = self.work(job)
        self.assertEqual(r.errors, [], r.out)
        order = r.results[1]
        first = min(order.rindex(name) for name in "abc")
        for name in "abc":
            self.assertGreater(order[:first].count(name), 3, order)
            self.assertEqual(order.count(name), 20, order)

    def test_nested(self):
        # A thread that waits for itself would wait for ever.
        job = """
def nested():
    with sdboot.transaction():
        put("/outer", "o")
        try:
            with sdboot.transaction(): pass
        except OSError as e:
            print("=>", e)
        put("/outer2", "o")
def after():
    with sdboot.transaction(): put("/after", "a")
start(nested)
pause(50)
start(after)
join()
"""
        r = self.work(job)
        self.assertEqual(r.errors, [], r.out)
        self.assertIn("can't be nested", r.results[0])
        self.assertFiles({**FILES, "outer": b"o", "outer2": b"o", "after": b"a"})


    def test_forgotten_files(self):
        # The collector of another thread closes them in the middle of the transaction.
        job = """
import gc
def litter():
    while not inside: pause()
    def forget():
        for i in range(5): open("/f" + str(i), "wb").write("x" * 700)
    forget()
    for i in range(20): bytearray(200); gc.collect(); pause()
inside = False
start(litter)
try:
    with sdboot.transaction():
        inside = True
        put("/mine", "m" * 2000)
        while running: pause()
        %s
except ValueError:
    pass
join()
put("/later", "works")
"""
        for end, mine in (("pass", {"mine": b"m" * 2000}), ("raise ValueError", {})):
            with self.subTest(end):
                self.fat_card(FILES, 64 * MIB)
                r = self.work(job % end)
                self.assertEqual((r.errors, r.results), ([], ["running 0"]), r.out)
                found = self.files()
                others = [found.pop(name) for name in list(found) if name[0] == "f"]
                self.assertEqual(found, {**FILES, "later": b"works", **mine})
                self.assertFalse(others if end != "pass" else [])

    def test_confirm(self):
        # The state record is written past the journal, which would be committed with it.
        self.fat_card({**FILES, **release("0.0.1")}, 64 * MIB)
        site = Site(self.dir / "www")
        site.add("0.0.2", package(release("0.0.2")))
        with PythonServer(site.folder) as url:
            self.assertEqual(self.ota(url).results, ["True"])
        job = """
def other():
    while not inside: pause()
    attempt(sdboot.confirm)
    attempt(sdboot.rollback)
inside = False
start(other)
try:
    with sdboot.transaction():
        put("/mine", "m")
        inside = True
        while running: pause()
        raise ValueError
except ValueError:
    print("=>", sdboot.status()["state"], "mine" in os.listdir("/"))
attempt(sdboot.confirm)
"""
        r = self.work(job)
        self.assertEqual([e.split(" ")[:2] for e in r.errors], [["Error", "16"]] * 2, r.out)
        self.assertEqual(r.results, ["trial False", "True"], r.out)


class SlowDriver(ThreadTest):
    """A driver that lets other threads run in the middle of FatFs: they are refused."""

    DRIVER = """
import machine, time
class Driver:
    yields = False
    def __init__(self): self.card = machine.SDCard()
    def readblocks(self, n, buf):
        if Driver.yields: time.sleep_ms(2)
        return self.card.readblocks(n, buf)
    def writeblocks(self, n, buf):
        if Driver.yields: time.sleep_ms(2)
        return self.card.writeblocks(n, buf)
    def ioctl(self, op, arg): return self.card.ioctl(op, arg)
"""

    def test_two_threads(self):
        job = """
said = []
def write(name):
    try:
        for i in range(30):
            put("/%s%d" % (name, i), name * 3000)
            done.append("%s%d" % (name, i))
    except OSError as e:
        said.append(e.errno)
done = []
Driver.yields = True
start(write, "a")
start(write, "b")
join()
Driver.yields = False
print("=>", 16 in said or 5 in said, sdboot.recover())
print("=>", " ".join(done))
put("/later", "works")
"""
        r = self.power(boot="sd=Driver", before=self.DRIVER, job=TOOLS + job)
        self.assertEqual(r.errors, [], r.out)
        self.assertEqual(r.results[:2], ["running 0", "True True"], r.out)
        found = self.files()
        self.assertEqual(found["later"], b"works")
        for name in r.results[2].split():
            self.assertEqual(found.get(name), name[:1].encode() * 3000, name)


class Ends(ThreadTest):
    LOOP = """
def forever(name):
    i = 0
    while True:
        log(name, 3)
        with sdboot.transaction():
            put("/one" + name, "%d" % i)
            pause()
            put("/two" + name, "%d" % i)
        i += 1
start(forever, "a")
start(forever, "b")
pause(100)
"""

    def pairs(self):
        found = self.files()
        for name in "ab":
            self.assertEqual(found.get("one" + name), found.get("two" + name))
        return found

    def test_soft_reset(self):
        # It ends the threads, wherever they are; files that are open then may be short, not wrong.
        loop = self.LOOP.replace("log(name, 3)", "put('/log' + name, 'line', 'ab')")
        r = self.work(
            "if machine.reset_cause() == 1:\n"
            + indented(loop + "machine.soft_reset()\n")
            + "print('=> again')\n"
        )
        self.assertEqual(r.results, ["again"], r.out)
        self.assertTrue({"onea", "oneb"} & set(self.pairs()))

    def test_power_cut(self):
        for cut in range(60, 360, 37):
            with self.subTest(cut=cut):
                self.fat_card({**FILES, "a": lines(1), "b": lines(1)}, 64 * MIB)
                flash = self.dir / "work.img"
                self.make_flash(flash, "import sdboot\nsdboot.boot()\n" + TOOLS + self.LOOP + "join()\n")
                self.power_flash(flash, "--cut", str(cut), repl=False, status=75)
                self.power()
                self.pairs()


if __name__ == "__main__":
    unittest.main()
