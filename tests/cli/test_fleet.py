# SPDX-License-Identifier: MIT
"""sdboot fleet: access logs of every kind, and what is made of them."""

import gzip
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "board"))
from trials import TRIAL, TrialTest, new  # noqa: E402

from lab import Nginx  # noqa: E402

TOOL = os.environ.get("SDBOOT_TOOL", ROOT / "build" / "cli" / "sdboot")
START = 1795000000
HOUR = 3600


def agent(board="esp32", name="240ac4000110", running="0.0.1", event="confirmed 0.0.1"):
    return "sdboot/0.9 (%s; %s; %s; %s)" % (board, name, running, event)


def combined(when, agent, path="/versions", status=200, prefix="10.0.0.1 - - ", suffix=""):
    stamp = time.strftime("[%d/%b/%Y:%H:%M:%S +0000]", time.gmtime(when))
    return '%s%s "GET %s HTTP/1.1" %d 120 "-" "%s"%s' % (prefix, stamp, path, status, agent, suffix)


def s3(when, agent, path="/versions", status=200):
    stamp = time.strftime("[%d/%b/%Y:%H:%M:%S +0000]", time.gmtime(when))
    return 'owner bucket %s 10.0.0.1 - 3E57427F3 REST.GET.OBJECT %s "GET %s HTTP/1.1" %d - 113 113 7 6 "-" "%s" - Zd=' % (
        stamp, path[1:], path, status, agent)  # fmt: skip


CLOUDFRONT = (
    "#Version: 1.0",
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs(Referer) cs(User-Agent) cs-uri-query",
)


def cloudfront(when, agent, path="/versions", status=200):
    stamp = time.strftime("%Y-%m-%d\t%H:%M:%S", time.gmtime(when))
    sent = quote(agent, safe="/();:.'")
    return "\t".join((stamp, "FRA2", "120", "10.0.0.1", "GET", "d.cloudfront.net", path, str(status), "-", sent, "-"))


class FleetTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def log(self, lines, name="access.log"):
        path = self.dir / name
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def tool(self, *arguments, status=0, data=b""):
        done = subprocess.run([str(a) for a in (TOOL, "fleet", *arguments)], input=data, capture_output=True)
        out = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, status, out)
        return out

    def fleet(self, *arguments, **options):
        return json.loads(self.tool("--json", *arguments, **options))

    def release(self, found, version):
        return next(r for r in found["releases"] if r["version"] == version)


class Formats(FleetTest):
    def check(self, found):
        self.assertEqual(found["board_count"], 2)
        by_id = {b["id"]: b for b in found["boards"]}
        one, two = by_id["240ac4000110"], by_id["kitchen; 2 (new)"]
        self.assertEqual((one["board"], one["running"], one["event"], one["version"]), ("esp32", "0.0.2", "trial", "0.0.2"))
        self.assertEqual((one["first"], one["last"], one["requests"]), (START, START + HOUR, 2))
        self.assertEqual((two["event"], two["version"]), ("failed", "0.0.2"))
        self.assertEqual(two["reason"], "expired: ImportError: no module named 'x' (100%)")

    def lines(self, line):
        failed = "failed 0.0.2 expired: ImportError: no module named 'x' %28100%25%29"
        return [
            line(START, agent()),
            line(START + HOUR, agent(running="0.0.2", event="trial 0.0.2")),
            line(START + 5, agent("rp2", "kitchen%3B%202%20%28new%29", "0.0.1", failed)),
            line(START + 6, "Mozilla/5.0 (sdboot/0.9 is no part of it)"),
            line(START + 6, "curl/7.88"),
        ]

    def test_formats(self):
        for name, head, line in (
            ("combined", (), combined),
            ("virtual host", (), lambda *a: combined(*a, prefix="example.org:80 ::1 - ann ")),
            ("S3", (), s3),
            ("CloudFront", CLOUDFRONT, cloudfront),
        ):
            with self.subTest(name):
                lines = [*head, *self.lines(line)]
                path = self.log(lines)
                self.check(self.fleet(path))
                packed = self.dir / "access.log.2.gz"
                packed.write_bytes(gzip.compress(path.read_bytes()))
                self.check(self.fleet(packed))
                self.check(self.fleet("-", data=path.read_bytes()))
                self.check(self.fleet("-", data=packed.read_bytes()))
                self.log([line + "\r" for line in lines])
                self.check(self.fleet(path))

    def test_rotated_logs_come_in_any_order(self):
        lines = self.lines(combined)
        new, old = self.log(lines[1:2], "access.log"), self.log(lines[:1] + lines[2:], "access.log.1")
        self.check(self.fleet(new, old))
        self.check(self.fleet(old, new))

    def test_time_zones(self):
        line = combined(START, agent()).replace("+0000", "+0130")
        self.assertEqual(self.fleet(self.log([line]))["last"], START - 90 * 60)

    def test_nonsense(self):
        good = combined(START, agent())
        lines = [
            combined(START, "sdboot/0.9"),
            *(combined(START, a) for a in (
                "sdboot/", "sdboot/0.9 ", "sdboot/0.9 (", "sdboot/0.9 (a; b; c)", agent()[:-1], agent() + "x",
                agent(running="new"), agent(event="broken"), agent(event="trial"), agent(event="trial x"),
                agent(name="%"), agent(name="%4"), agent(name="%zz"), agent(name="x" * 300), agent(name=""),
                agent(name="\x01"), agent(name="\xe4"), agent(event="none 0.0.2"),
            )),
            "sdboot/", '"sdboot/', "[] \"GET\" sdboot/0.9", good[:60] + "sdboot/", "#Fields: date", "\0" * 100 + "sdboot/",
            "x" * 100000 + agent(), "",
        ]  # fmt: skip
        found = self.fleet(self.log([*lines, good]))
        self.assertEqual((found["board_count"], found["silent"]), (0, 1))  # "#Fields: date" began another format
        found = self.fleet(self.log([good, *lines]))
        self.assertEqual((found["board_count"], found["silent"], found["unreadable"]), (1, 1, 18))
        for data in (b"", b"\n", b"\n" * 1000, bytes(range(256)) * 50, gzip.compress(b"")):
            self.assertEqual(self.fleet("-", data=data)["board_count"], 0)
        self.assertIn("-", self.tool("-", status=2, data=gzip.compress(b"x" * 5000)[:-30]))

    def test_what_a_board_says_does_nothing(self):
        nasty = agent("<script>", "%1B[31m%22><b>", "0.0.1", "failed 0.0.2 <img src=x> & %00")
        path = self.log([combined(START, nasty)])
        self.assertNotIn("\x1b", self.tool("--html", self.dir / "page", path))
        page = (self.dir / "page").read_text()
        for word in ("<script", "<img", "\"><b>", "\0", "\x1b"):
            self.assertNotIn(word, page, word)

    def test_arguments(self):
        path = self.log([])
        for arguments in (
            (), ("--nonsense", path), (self.dir / "none",), (self.dir,), ("--boards", "x", path), ("--stuck", "-1", path),
            ("--max-failed", "200", path), ("--max-failed", "nan", path), ("-r", "new", path), ("-w", "", path),
        ):  # fmt: skip
            with self.subTest(arguments):
                self.assertEqual(self.tool(*arguments, status=2).count("\n"), 1)
        self.assertIn("nginx", self.tool("--help"))


class Verdicts(FleetTest):
    def boards(self, confirmed, failed=0, trial=0, staged=0, hours=1):
        lines = []
        for event, count in (("confirmed", confirmed), ("failed", failed), ("trial", trial), ("staged", staged)):
            for i in range(count):
                running = "0.0.1" if event in ("failed", "staged") else "0.0.2"
                text = "%s 0.0.2%s" % (event, " expired" if event == "failed" else "")
                for hour in (0, hours):
                    lines.append(combined(START + hour * HOUR, agent(name="%s-%d" % (event, i), running=running, event=text)))
        return self.log(sorted(lines, key=lambda line: line[10:]))

    def test_alert(self):
        for boards, options, status, verdict in (
            ((5,), (), 0, "good"),
            ((5,), ("--min-confirmed", 6), 1, "wait"),
            ((0, 0, 3), (), 1, "wait"),
            ((99, 1), (), 1, "bad"),
            ((99, 1), ("--max-failed", "1"), 0, "good"),
            ((98, 2), ("--max-failed", "1.5"), 1, "bad"),
            ((5, 0, 1, 0, 23), (), 0, "good"),
            ((5, 0, 1, 0, 25), (), 1, "bad"),
            ((5, 0, 0, 1, 25), (), 1, "bad"),
            ((5, 0, 0, 1, 25), ("--stuck", 30), 0, "good"),
            ((5,), ("-r", "0.0.3"), 1, "wait"),
            ((5,), ("-r", "v0.0.2"), 0, "good"),
        ):
            with self.subTest(boards, options=options):
                found = self.fleet("--alert", *options, self.boards(*boards), status=status)
                self.assertEqual(found["verdict"], verdict, found["why"])

    def test_one_that_fetches_again_and_again(self):
        lines = [combined(START + i, agent(), "/0_0_2.tar") for i in range(6)]
        found = self.fleet("--alert", self.log(lines), status=1)
        self.assertTrue(found["boards"][0]["stuck"])
        lines = [combined(START + i, agent(), "/0_0_2.tar", 206) for i in range(6)]  # resumed
        self.assertFalse(self.fleet(self.log(lines))["boards"][0]["stuck"])

    def test_plan(self):
        """Who gets a release is what a board computes: docs/FORMAT.md."""
        names = ["%012x" % i for i in range(200)] + ["lamp %d" % i for i in range(100)]
        lines = [combined(START, agent(name=quote(n), running="0.0.2" if i % 2 else "0.0.1")) for i, n in enumerate(names)]
        (self.dir / "versions").write_text(
            "0.0.1;a.tar;%040d\n# sdboot file=b.tar rollout=80\n# sdboot file=b.tar rollout=30\n0.0.2;b.tar;%040d\n" % (1, 2)
        )

        def share(name):
            data = bytes.fromhex(name) if re.fullmatch("([0-9a-f]{2})+", name) else name.encode()
            h = 2166136261
            for byte in data + b";0.0.2":
                h = (h ^ byte) * 16777619 & 0xFFFFFFFF
            h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
            h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
            return (h ^ h >> 16) % 100

        chosen = [i for i, n in enumerate(names) if share(n) < 30]
        found = self.release(self.fleet("-w", self.dir, self.log(lines)), "0.0.2")
        self.assertEqual((found["rollout"], found["planned"]), (30, len(chosen)))
        self.assertEqual(found["planned_have"], sum(i % 2 for i in chosen))


class Large(FleetTest):
    def test_many_lines(self):
        count = 1000000 if os.environ.get("EXHAUSTIVE") else 50000
        path = self.dir / "access.log"
        lines = [combined(START, agent(name="%012x" % (i % 5000), running="0.0.%d" % (i % 3))) + "\n" for i in range(5000)]
        with open(path, "w") as f:
            for i in range(count // 5000):
                f.writelines(lines)
        start = time.monotonic()
        found = self.fleet("--html", self.dir / "page.html", path)
        self.assertEqual((found["lines"], found["board_count"]), (count, 5000))
        self.assertLess(time.monotonic() - start, 20)
        if "asan" not in str(TOOL):
            used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            self.assertLess(used, 64 * 1024, "KiB")

    def test_page(self):
        lines = []
        for i in range(60):
            for day in range(4):
                old = day < 1 + i % 3
                lines.append(combined(START + day * 24 * HOUR + i, agent(
                    name="board-%d" % i, running="0.0.1" if old else "0.0.2", event="confirmed 0.0.%d" % (1 if old else 2))))  # fmt: skip
        self.tool("--html", self.dir / "page.html", self.log(sorted(lines, key=lambda line: line[10:])))
        page = (self.dir / "page.html").read_text()
        self.assertNotIn("<script", page)
        self.assertNotRegex(page, "(src|href)=|https?://|@import|url\\(")
        self.assertIn("60 boards", page)
        bands = re.findall(r'fill="var\(--c([01])\)" d="M([^Z]*)Z', page)
        self.assertEqual({b[0] for b in bands}, {"0", "1"})
        for _, points in bands:
            values = [float(v) for v in re.findall(r"[\d.]+", points)]
            self.assertTrue(all(-0.1 <= v <= 1000.1 for v in values))


class RealBoards(TrialTest):
    """What the simulated board says to nginx is what fleet reads in its log."""

    def fleet(self, server):
        log = Path(server.dir.name) / "access.log"
        return json.loads(subprocess.run([TOOL, "fleet", "--json", log], capture_output=True, check=True).stdout)

    def test_from_the_first_look_to_confirmed_and_failed(self):
        board = self.board("fat")
        board.publish(new("sdboot.confirm()\n"))
        server = Nginx(board.site.folder)
        with server as url:
            seen = []

            def look(*arguments):
                board.ota(url, *arguments, boot=TRIAL)
                found = self.fleet(server)
                self.assertEqual((found["board_count"], found["unreadable"]), (1, 0), found)
                b = found["boards"][0]
                seen.append((b["running"], b["event"], b["version"]))
                return b

            first = look()  # stages it
            board.power(boot=TRIAL)  # swaps, confirms
            second = look()
            board.publish(new("raise ValueError('no such pump; (1)')\n", version="0.0.3"), "0.0.3")
            look()  # stages 0.0.3
            for _ in range(5):
                board.power(boot=TRIAL)
            last = look()
            self.assertEqual(seen[1:3], [("0.0.2", "confirmed", "0.0.2")] * 2)
            self.assertEqual((seen[0][0], seen[3]), ("0.0.1", ("0.0.2", "failed", "0.0.3")))
            self.assertTrue(last["reason"].startswith("expired"), last)
            self.assertEqual(first["id"], second["id"])
            board.ota(url, "device_id='kitchen; lamp (2) 100%'", boot=TRIAL)
            names = {b["name"]: b["id"] for b in self.fleet(server)["boards"]}
            text = "kitchen; lamp (2) 100%"
            self.assertEqual(names, {first["name"]: first["id"], text: text.encode().hex()})
            board.ota(url, "report=False", boot=TRIAL)
            self.assertGreater(self.fleet(server)["silent"], 0)


if __name__ == "__main__":
    unittest.main()
