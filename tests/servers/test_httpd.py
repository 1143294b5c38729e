# SPDX-License-Identifier: MIT
"""Real web servers: list, signature, index, parts, whole packages, what they say if a file is missing.

A tap between board and server writes down what both say, and cuts the connection if it is told to.
"""

import os
import socket
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "board"))
import httpd  # noqa: E402
from test_delta import files  # noqa: E402
from test_signed import SignedTest  # noqa: E402
from web import IndexedSite  # noqa: E402

from lab import PACKAGE  # noqa: E402

RESUMES = any(PACKAGE.glob("source.*"))  # what breaks off is taken up again in the same call


class Tap:
    """Between the board and the server at `url`. `asked` and `said`: bytes of each connection, in their
    order; the first connection on which `cut` bytes have been said ends there."""

    def __init__(self, url, cut=None):
        host, port = url.split("//")[1].split(":")
        self.to = (host, int(port))
        self.cut = cut
        self.asked = []
        self.said = []

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.threads = [threading.Thread(target=self.listen)]
        self.threads[0].start()
        return "http://127.0.0.1:%d" % self.socket.getsockname()[1]

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join()

    def listen(self):
        while True:
            try:
                board, _ = self.socket.accept()
            except OSError:
                return
            server = socket.create_connection(self.to)
            number = len(self.asked)
            self.asked.append(b"")
            self.said.append(b"")
            for pump in (self.ask, self.say):
                self.threads.append(threading.Thread(target=pump, args=(board, server, number)))
                self.threads[-1].start()

    def ask(self, board, server, number):
        try:
            while data := board.recv(4096):
                self.asked[number] += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def say(self, board, server, number):
        try:
            while data := server.recv(1000):
                self.said[number] += data
                if self.cut and len(self.said[number]) >= self.cut:
                    self.cut = None
                    break
                board.sendall(data)
        except OSError:
            pass
        for end in (board, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def requests(self, name):
        """Those for the file `name`, as text."""
        found = [one.decode() for text in self.asked for one in text.split(b"\r\n\r\n") if one]
        return [one for one in found if one.split("\r\n")[0] == "GET /%s HTTP/1.1" % name]


class Real:
    """Every test of Server, with one kind of server."""

    kind = None

    def setUp(self):
        super().setUp()
        self.old = files("0.0.1", 20)
        self.new = files("0.0.2", 20, changed=(3, 11))
        self.fat_card(self.old)
        self.site = IndexedSite(self.dir / "www")
        self.site.add("0.0.2", self.new)
        self.sign("ours", "-H")

    def start(self, **kwargs):
        # Of a file that is younger than a second Apache's ETag is a weak one, and another one later.
        for path in self.site.folder.iterdir():
            os.utime(path, (1e9, 1e9))
        server = self.kind(self.site.folder)
        url = server.__enter__()
        self.addCleanup(server.__exit__)
        self.tap = Tap(url, **kwargs)
        self.url = self.tap.__enter__()
        self.addCleanup(self.tap.__exit__)

    def install(self):
        r = self.ota(self.url, "quite=False", "key=%r" % self.key)
        self.assertEqual(r.results, ["True"], r.out)
        return r

    def assertRuns(self):
        self.assertIn("release 0.0.2 is in place", self.power().out)
        found = self.files()
        for name, data in self.new.items():
            self.assertEqual(found[name], data if isinstance(data, bytes) else data.encode(), name)

    def test_what_has_changed(self):
        """By the index: only the parts that are new."""
        self.start()
        r = self.install()
        asked = self.tap.requests("0_0_2-firmware.tar")
        if self.kind.ranges:
            self.assertNotIn("whole", r.out)
            self.assertGreater(len(asked), 2)
            self.assertTrue(all("Range: bytes=" in one for one in asked))
            said = sum(map(len, self.tap.said))
            self.assertLess(said, sum(map(len, self.new.values())) // 2)
        else:
            self.assertEqual(len(asked), 1)
        self.assertRuns()

    def test_whole_package(self):
        """Without an index."""
        (self.site.folder / "0_0_2-firmware.tar.idx").unlink()
        self.start()
        self.install()
        self.assertRuns()

    @unittest.skipUnless(RESUMES, "this engine begins anew")
    def test_taken_up_again(self):
        """The connection breaks off in the package: the rest of it is asked for, in the same call."""
        (self.site.folder / "0_0_2-firmware.tar.idx").unlink()
        self.start()
        size = (self.site.folder / "0_0_2-firmware.tar").stat().st_size
        self.tap.cut = size // 2
        self.install()
        asked = self.tap.requests("0_0_2-firmware.tar")
        self.assertEqual(len(asked), 2)
        self.assertIn("\r\nRange: bytes=", asked[1])
        self.assertEqual("If-Range: " in asked[1], self.kind.etags or b"Last-Modified" in self.tap.said[0])
        parts = [one for one in self.tap.said if b"HTTP/1.1 206" in one]
        self.assertEqual(len(parts), 1 if self.kind.ranges else 0)
        self.assertLess(sum(map(len, self.tap.said)), size * (1.2 if self.kind.ranges else 2))
        self.assertRuns()

    @unittest.skipUnless(RESUMES, "this engine always reads the list")
    def test_not_modified(self):
        """A list that has not changed: one round trip, nothing of it is sent again, nothing is written."""
        self.site.lines = []
        self.site.add("0.0.1", self.old)
        self.sign("ours", "-H")
        self.start()
        job = "ota = sdboot.OTA(%r, key=%r)\n" % (self.url, self.key)
        self.power(job=job + "attempt(ota.check)\n" * 3)
        asked = self.tap.requests("versions.minisig")
        self.assertEqual(len(asked), 3)
        known = "If-None-Match: " if self.kind.etags else "If-Modified-Since: "
        self.assertEqual([known in one for one in asked], [False, True, True])
        self.assertEqual(len(self.tap.requests("versions")), 1)
        said = b"".join(self.tap.said)
        self.assertEqual(said.count(b" 304 Not Modified"), 2)
        self.assertEqual(said.count(b" 200 OK"), 2)

    def test_missing_file(self):
        (self.site.folder / "versions.minisig").unlink()
        self.start()
        r = self.ota(self.url, "key=%r" % self.key)
        self.assertIn("/versions.minisig: server answers 404 instead of 200", r.errors[0])

    def test_half_published(self):
        """The list is new, the signature is not yet."""
        versions = self.site.folder / "versions"
        versions.write_bytes(versions.read_bytes() + b"# more\n")
        self.start()
        r = self.ota(self.url, "key=%r" % self.key)
        self.assertIn("signature: wrong", r.errors[0])


def kind(server):
    """A test case of that server's."""
    return type(server.__name__, (Real, SignedTest), {"kind": server})


for each in httpd.SERVERS:
    globals()[each.__name__] = kind(each)
del each


if __name__ == "__main__":
    unittest.main()
