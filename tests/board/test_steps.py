# SPDX-License-Identifier: MIT
"""Updates in steps, beside an application; connections that break; questions that need no answer."""

import re
import time
import unittest

from liar import Liar
from rig import BoardTest
from web import IndexedSite, Site, package, release

OLD = release("0.0.1")
NEW = release("0.0.2", {"app/data.bin": bytes(range(256)) * 300})


class StepsTest(BoardTest):
    def setUp(self):
        super().setUp()
        self.site = Site(self.dir / "www")
        self.package = package(NEW)
        self.add("0.0.2", self.package)
        self.liar = Liar(self.site.folder)
        self.root = self.enterContext(self.liar)
        self.fat_card(OLD)

    def add(self, version, data):
        self.site.add(version, data, name=version + ".tar")

    def asked(self, name=None):
        return [ask for ask in self.liar.asked if name in (None, ask.name)]

    def board(self, job, lie=None, arguments="", **options):
        """A power-on with `ota`, whose server lies."""
        self.liar.lie = lie or (lambda ask: None)
        self.liar.forget()
        head = "ota = sdboot.OTA('%s/lie/x'%s)\n" % (self.root, arguments)
        return self.power(job=head + job, **options)

    def assertRuns(self, version="0.0.2"):
        self.assertIn("release %s runs" % version, self.power().out)


class Steps(StepsTest):
    def test_beside_an_application(self):
        r = self.board(
            """
done = waits = 0
with open("/log.txt", "w") as log:
    for ms in ota.steps():
        done += 1
        waits += ms > 0
        log.write("%d\\n" % done)
        log.flush()
print("=>", ota.staged, done > 40, waits > 0)
""",
            lambda ask: time.sleep(0.05),
        )
        self.assertEqual(r.results, ["True True True"], r.out)
        self.assertEqual(len(self.asked()), 2)
        self.assertRuns()
        numbers = [int(n) for n in self.files()["log.txt"].split()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_given_up_at_each_step(self):
        """By close(), by leaving the loop, by an exception, by Ctrl-C: the next call works."""
        ways = ["steps.close()", "None", "steps.throw(KeyboardInterrupt)", "steps.throw(ValueError('x'))"]
        job = """
def go(n, way):
    steps = ota.steps()
    try:
        for _ in range(n):
            next(steps)
        way(steps)
    except (KeyboardInterrupt, ValueError):
        pass
    except StopIteration:
        return True
n = 0
ways = [%s]
ota.force_update = True
while not go(n, ways[n %% len(ways)]):
    n += 1
print("=>", ota.staged, n > 40)
""" % ", ".join(
            "lambda steps: " + way for way in ways
        )
        r = self.board(job)
        self.assertEqual(r.results, ["True True"], r.out)
        self.assertRuns()
        self.assertFalse([f for f in self.files() if f.startswith(("next/", ".sdboot/new/"))])

    def test_transaction_in_between(self):
        """The update waits for the end of what the application keeps for itself."""
        r = self.board(
            """
steps = ota.steps()
n = 0
try:
    while True:
        n += 1
        next(steps)
        if n % 7 == 0:
            with sdboot.transaction():
                with open("/t.txt", "w") as f:
                    f.write("%d" % n)
                if next(steps) != 10:
                    print("=> no wait")
except StopIteration as e:
    print("=>", e.value, n > 40)
with sdboot.transaction():
    attempt(ota.check)
"""
        )
        self.assertEqual(r.results, ["True True"], r.out)
        self.assertIn("Error 16 not in a transaction", r.errors[0])
        self.assertRuns()
        self.assertIn("t.txt", self.files())

    def test_transaction_undone(self):
        """The files that the update had open are gone with it: it ends, and works when called again."""
        r = self.board(
            """
came = 0
def progress(phase, done, total):
    global came
    came = done
ota.progress = progress
def go():
    again = True
    for ms in ota.steps():
        if came > 20000 and again:  # in the middle of a file
            again = False
            try:
                with sdboot.transaction():
                    raise KeyError
            except KeyError:
                pass
attempt(go)
attempt(ota.install_update_if_available)
"""
        )
        self.assertIn("CardError 125", r.errors[0])
        self.assertEqual(r.results, ["True"], r.out)
        self.assertRuns()

    def test_from_within(self):
        r = self.board(
            """
def progress(phase, done, total):
    if phase == "download":
        attempt(ota.check)
ota.progress = progress
attempt(ota.install_update_if_available)
"""
        )
        self.assertEqual(r.results[-1], "True", r.out)
        self.assertIn("within", r.errors[0])
        self.assertRuns()


class Asyncio(StepsTest):
    def test_update(self):
        r = self.board(
            """
import asyncio
async def main():
    n = 0
    async def work():
        nonlocal n
        while True:
            n += 1
            await asyncio.sleep_ms(0)
    task = asyncio.create_task(work())
    staged = await ota.update()
    task.cancel()
    print("=>", staged, n > 20)
asyncio.run(main())
"""
        )
        self.assertEqual(r.results, ["True True"], r.out)
        self.assertRuns()

    def test_cancelled(self):
        r = self.board(
            """
import asyncio
async def main():
    for ms in range(1, 200, 9):
        task = asyncio.create_task(ota.update())
        await asyncio.sleep_ms(ms)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
    print("=>", await ota.update())
asyncio.run(main())
"""
        )
        self.assertEqual(r.results, ["True"], r.out)
        self.assertRuns()

    def test_poll(self):
        """Errors are said; it goes on until a release is staged."""
        names = []

        def lie(ask):
            names.append(ask.name)
            if len(names) == 1:
                ask.last(b"HTTP/1.1 503 Busy\r\n\r\n")

        job = """
import asyncio
slept = []
real = asyncio.sleep
def sleep(seconds):
    slept.append(seconds)
    return real(0)
asyncio.sleep = sleep
print("=>", asyncio.run(ota.poll(every=7200)))
print("=>", len(slept), slept[0] <= 3600, 30 <= slept[1] <= 90)
"""
        r = self.board(job, lie, ", quiet=False")
        self.assertEqual(r.results, ["True", "2 True True"], r.out)
        self.assertIn("503", r.out)
        self.assertRuns()

    def test_hours(self):
        r = self.board(
            """
import asyncio, machine
from sdboot._native import load
b = load('background')
def until(hour, minute, hours):
    machine.RTC().datetime((2026, 11, 26, 0, hour, minute, 0, 0))
    return b._until(hours)
print("=>", until(2, 0, (2, 5)), until(4, 59, (2, 5)), until(23, 30, (22, 2)), until(1, 0, (22, 2)))
print("=>", 3600 <= until(1, 0, (2, 5)) <= 3600 * 5 // 2, 21 * 3600 <= until(5, 0, (2, 5)) <= 45 * 1800)
print("=>", 20 * 3600 <= until(2, 0, (22, 2)) <= 22 * 3600)
machine.RTC().datetime((2000, 1, 1, 0, 12, 0, 0, 0))
print("=>", b._until((2, 5)))
"""
        )
        self.assertEqual(r.results, ["0 0 0 0", "True True", "True", "0"], r.out)


class Broken(StepsTest):
    """The connection is lost in the middle of the package."""

    def cut_at(self, *places, **changed):
        def lie(ask):
            if ask.name == "0.0.2.tar" and ask.nth <= len(places):
                text = ask.text(**changed)
                ask.last(text[: text.index(b"\r\n\r\n") + 4 + places[ask.nth - 1]])

        return lie

    def test_goes_on(self):
        r = self.board("attempt(ota.install_update_if_available)", self.cut_at(0, 5000, 1, 30000))
        self.assertEqual(r.results, ["True"], r.out)
        ranges = [ask.headers.get("range") for ask in self.asked("0.0.2.tar")]
        self.assertEqual(ranges, [None, None, "bytes=5000-", "bytes=5001-", "bytes=35001-"])
        etag = self.asked()[-1].etag()
        self.assertEqual([ask.headers.get("if-range") for ask in self.asked("0.0.2.tar")[2:]], [etag] * 3)
        self.assertRuns()

    def test_no_ranges(self):
        """A server that sends all of it again is read up to the place."""
        cut = self.cut_at(5000, 20000)

        def lie(ask):
            ask.part = None
            return cut(ask)

        r = self.board("attempt(ota.install_update_if_available)", lie)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertRuns()

    def test_changed_meanwhile(self):
        def lie(ask):
            if ask.name == "0.0.2.tar":
                self.liar.etags[ask.name] = "v%d" % ask.nth
            return self.cut_at(5000)(ask)

        r = self.board("attempt(ota.install_update_if_available)", lie)
        self.assertIn("closed too early", r.errors[0])
        r = self.board("attempt(ota.install_update_if_available)")
        self.assertEqual(r.results, ["True"], r.out)
        self.assertRuns()

    def test_gives_up(self):
        cut = self.cut_at(*[5000] + [0] * 9)
        r = self.board("attempt(ota.install_update_if_available)", cut, ", retries=2")
        self.assertIn("closed too early", r.errors[0])
        self.assertEqual(len(self.asked("0.0.2.tar")), 4 - 1)
        self.assertRuns("0.0.1")

    def test_address_that_expires(self):
        """Redirects are followed once; when their end is gone, from the start again."""
        tokens = []

        def lie(ask):
            if ask.name == "0.0.2.tar" and "?" not in ask.path:
                tokens.append("t%d" % len(tokens))
                return ask.text("302 Found", b"", Location=ask.path + "?" + tokens[-1])
            if ask.name == "0.0.2.tar":
                if not ask.path.endswith("?" + tokens[-1]):
                    return ask.text("403 Forbidden", b"expired")
                if len(tokens) < 3:
                    text = ask.text()
                    ask.last(text[: len(text) // 2])
            return None

        r = self.board("attempt(ota.install_update_if_available)", lie)
        self.assertEqual(r.results, ["True"], r.out)
        self.assertEqual(len(tokens), 3)
        self.assertRuns()


class Slow(StepsTest):
    def test_rate(self):
        lie = lambda ask: ask.trickle(ask.text(), 0.2, head=False)
        job = """
from sdboot import net
net.WINDOW = 2000
attempt(ota.install_update_if_available)
"""
        r = self.board(job, lie)
        self.assertIn("fewer than slowest=50 bytes a second", r.errors[0])
        self.assertRuns("0.0.1")

    def test_longest(self):
        lie = lambda ask: ask.trickle(ask.text(), 0.2, head=False)
        r = self.board("attempt(ota.install_update_if_available)", lie, ", longest=2")
        self.assertIn("longest=2 seconds", r.errors[0])
        self.assertRuns("0.0.1")


class Unchanged(StepsTest):
    def test_one_question(self):
        """A list that is the same costs one request, and neither a write nor a line read."""
        job = "for _ in range(3):\n    attempt(lambda: ota.check().version)\n"
        r = self.board(job)
        self.assertEqual(r.results, ["0.0.2"] * 3, r.out)
        self.assertEqual([ask.name for ask in self.asked()], ["versions"] * 3)
        etag = self.asked()[0].etag()
        self.assertEqual([a.headers.get("if-none-match") for a in self.asked()], [None, etag, etag])
        self.assertEqual(len(self.asked()[-1].truth()[2]), 0)

    def test_by_date(self):
        lie = lambda ask: ask.text(drop=["ETag"])
        r = self.board("attempt(lambda: ota.check().version)\n" * 2, lie)
        self.assertEqual(r.results, ["0.0.2"] * 2, r.out)
        self.assertIn("if-modified-since", self.asked()[1].headers)

    def test_new_list(self):
        job = """
attempt(lambda: ota.check().version)
ota.main_dir = "elsewhere"
attempt(lambda: ota.check().version)
"""
        r = self.board(job)
        self.assertEqual(r.results, ["0.0.2"] * 2, r.out)
        first, second = self.asked()
        self.assertEqual(second.headers.get("if-none-match"), None)  # another question


class Room(StepsTest):
    def test_said_before(self):
        """A release that can't fit is not begun."""
        site = IndexedSite(self.site.folder)  # its list says how large they are
        site.add("0.0.3", release("0.0.3", {"app/big.bin": bytes(18 << 20)}))
        versions = self.site.folder / "versions"
        versions.write_text(re.sub(" index=[0-9a-f]+", "", versions.read_text()))
        r = self.board("attempt(ota.install_update_if_available)")
        self.assertIn("CardError", r.errors[0])
        self.assertRegex(r.errors[0], r"0_0_3\S+: no space .* delete files \(it needs \d+ KiB, \d+ are free\)")
        self.assertFalse([f for f in self.files() if f.startswith("next/")])
        self.assertRuns("0.0.1")


class Warned(StepsTest):
    def test_once(self):
        r = self.board("ota.check(); ota.check()", arguments=", quiet=False")
        self.assertEqual(r.out.count("no key"), 1)


if __name__ == "__main__":
    unittest.main()
