# SPDX-License-Identifier: MIT
"""Servers as they are: good ones, broken ones, silent ones."""

import socket
import struct
import unittest

from rig import BoardTest
from web import PythonServer, RawServer, Site, answer, package, release

from lab import Nginx, free_port  # after rig, which makes tools/ known

OLD = {**release("0.0.1"), "settings.json": b"{}"}
PACKAGE = package({**release("0.0.2"), "app/data.bin": bytes(range(256)) * 100})


# A resolver that knows more addresses of each name: real sockets, of which those do not answer.
NAMES = """
import sdboot.net
class Socket:
    real = sdboot.net.socket
    SOCK_STREAM = real.SOCK_STREAM
    socket = real.socket
    def getaddrinfo(name, port, *rest):
        found = Socket.real.getaddrinfo(name, port, *rest)
        return [a for p in %r for a in Socket.real.getaddrinfo("127.0.0.1", p, *rest)] + found[-1:]
sdboot.net.socket = Socket
"""


class ServerTest(BoardTest):
    def setUp(self):
        super().setUp()
        self.fat_card(OLD)
        self.site = Site(self.dir / "www")
        self.site.add("0.0.2", PACKAGE)
        self.versions = (self.site.folder / "versions").read_bytes()

    def serve(self, server):
        return self.enterContext(server)

    def fails(self, url, *say, arguments=(), errno=None):
        """An update from `url` fails, saying each of `say`; then one from a good server works."""
        r = self.ota(url, *arguments, "retries=0")
        self.assertEqual(len(r.errors), 1, r.out)
        for text in say:
            self.assertIn(text, r.errors[0])
        if errno is not None:
            self.assertIn("Error %d " % errno, r.errors[0])
        self.assertIn("release 0.0.1 runs", r.out)
        self.assertFiles(OLD)
        self.assertFalse(self.folders() & {"next", ".sdboot/new"}, "left over")
        self.assertIn("release 0.0.1 runs", self.power().out)
        self.works()
        return r

    def works(self, url=None, *arguments):
        if url is None:
            site = Site(self.dir / "good")
            site.lines = []
            site.add("0.0.2", PACKAGE)
            with PythonServer(site.folder) as url:
                return self.works(url, *arguments)
        self.assertEqual(self.ota(url, *arguments).results, ["True"])
        r = self.power()
        self.assertIn("release 0.0.2 runs", r.out)
        self.fat_card(OLD)
        return r


class Good(ServerTest):
    def test_nginx(self):
        url = self.serve(Nginx(self.site.folder))
        for at in (url, url + "/", url + "//"):
            self.works(at)

    def test_nginx_below_a_path(self):
        (self.dir / "outer").mkdir()
        self.site.folder.rename(self.dir / "outer" / "rel eases".replace(" ", "-"))
        self.works(self.serve(Nginx(self.dir / "outer")) + "/rel-eases")

    def test_python(self):
        self.works(self.serve(PythonServer(self.site.folder)))

    def test_by_name(self):
        self.works(self.serve(PythonServer(self.site.folder)).replace("127.0.0.1", "localhost"))

    def test_name_with_several_addresses(self):
        """The server listens at the last one only, as where localhost is ::1 before 127.0.0.1."""
        url = self.serve(PythonServer(self.site.folder)).replace("127.0.0.1", "localhost")
        ask = "attempt(lambda: sdboot.OTA(%r, retries=0, timeout=2).install_update_if_available())\n"
        for others in ([], [free_port()], [free_port(), free_port()]):
            with self.subTest(others):
                self.assertEqual(self.power(job=NAMES % others + ask % url).results, ["True"])
                self.fat_card(OLD)
        nobody = "http://localhost:%d" % free_port()
        r = self.power(job=NAMES % [free_port()] + ask % nobody)
        self.assertEqual(r.results, [])
        self.assertRegex(r.errors[0], "NetworkError 111 .*ECONNREFUSED.*, try again later")

    def test_chunked(self):
        def chunks(body, size):
            parts = [body[i : i + size] for i in range(0, len(body), size)] + [b""]
            return b"".join(b"%x;a=b\r\n%s\r\n" % (len(p), p) for p in parts)

        def chunked(body, size):
            return answer(chunks(body, size), length=-1, headers=["Transfer-Encoding: chunked"])

        for size in (1, 7, 4096, 100000):
            with self.subTest(size=size):
                raw = RawServer(chunked(self.versions, size), chunked(PACKAGE, size))
                self.works(self.serve(raw))

    def test_without_length(self):
        raw = RawServer(answer(self.versions, length=-1), answer(PACKAGE, length=-1))
        self.works(self.serve(raw))

    def test_keeps_the_connection(self):
        """A server that does not hang up must not hang the board up."""

        def keep(body):
            def send(conn, _):
                conn.sendall(answer(body))
                conn.recv(1)  # until the board hangs up

            return send

        self.works(self.serve(RawServer(keep(self.versions), keep(PACKAGE))))

    def test_byte_by_byte(self):
        def drip(body):
            def send(conn, _):
                for byte in answer(body):
                    conn.sendall(bytes([byte]))

            return send

        self.works(self.serve(RawServer(drip(self.versions), answer(PACKAGE))))

    def test_continue(self):
        go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
        raw = RawServer(go_on + answer(self.versions), go_on + answer(PACKAGE))
        self.works(self.serve(raw))

    def test_request(self):
        raw = RawServer(answer(self.versions), answer(PACKAGE))
        url = self.serve(raw)
        self.ota(url + "/a/b/", "headers={'X-Key': 'secret', 'User-Agent': 'me'}")
        for request, path in zip(raw.requests, (b"/a/b/versions", b"/a/b/0_0_2-firmware.tar")):
            lines = request.split(b"\r\n")
            self.assertEqual(lines[0], b"GET %s HTTP/1.1" % path)
            self.assertIn(b"Host: " + url[7:].encode(), lines)
            self.assertIn(b"X-Key: secret", lines)
            self.assertIn(b"User-Agent: me", lines)
        self.assertEqual(len(raw.requests), 2)

    def test_headers_reach_a_server(self):
        server = PythonServer(self.site.folder)
        self.works(self.serve(server), "headers={'Authorization': 'Basic eHg='}")
        self.assertEqual([path for path, _ in server.requests][0], "/versions")
        for _, headers in server.requests:
            self.assertEqual(headers["Authorization"], "Basic eHg=")
            self.assertTrue(headers["User-Agent"].startswith("sdboot/"))

    def test_header_with_a_line_end_is_refused(self):
        server = PythonServer(self.site.folder)
        arguments = ["headers={'A': 'b\\r\\nC: d'}"]
        self.fails(self.serve(server), "white space in it", arguments=arguments)
        self.assertEqual(server.requests, [])


    def test_identity(self):
        """A coding that is none, as servers before RFC 7230 say it; a header in two lines."""
        said = ["Transfer-Encoding: identity", "X-Cache:\r\n\tHIT", "Content-Encoding: identity"]
        raw = RawServer(answer(self.versions, headers=said), answer(PACKAGE, headers=said))
        self.works(self.serve(raw))


class Bad(ServerTest):
    def raw(self, *answers):
        return self.serve(RawServer(*answers))

    def versions_fail(self, data, *say, **kwargs):
        self.fails(self.raw(data), "/versions", *say, **kwargs)

    def package_fails(self, data, *say, **kwargs):
        self.fails(self.raw(answer(self.versions), data), "0_0_2-firmware.tar", *say, **kwargs)

    def test_404(self):
        (self.site.folder / "versions").unlink()
        for server in (Nginx, PythonServer):
            url = self.serve(server(self.site.folder))
            self.fails(url, "/versions: server answers 404 instead of 200")

    def test_404_of_the_package(self):
        (self.site.folder / "0_0_2-firmware.tar").unlink()
        for server in (Nginx, PythonServer):
            url = self.serve(server(self.site.folder))
            self.fails(url, "/0_0_2-firmware.tar: server answers 404 instead of 200")

    def test_403_of_nginx(self):
        url = self.serve(Nginx(self.site.folder, extra="deny all;"))
        self.fails(url, "/versions: server answers 403")

    def test_other_status(self):
        for status in ("500 Oops", "204 Nothing", "300 Choose", "206 Partial", "304 The Same"):
            bad = answer(b"x", status, headers=["Location: http://127.0.0.1:1/"])
            self.versions_fail(bad, "server answers %s instead of 200" % status[:3])
        self.package_fails(answer(PACKAGE, "500 Oops"), "server answers 500 instead of 200")

    def test_short(self):
        self.versions_fail(answer(self.versions, length=1000), "connection closed too early")
        for part in (b"", PACKAGE[:1], PACKAGE[:5000], PACKAGE[:-1]):
            self.package_fails(answer(part, length=len(PACKAGE)), "connection closed too early")

    def test_short_chunks(self):
        head = answer(b"", length=-1, headers=["Transfer-Encoding: chunked"])
        for body in (b"", b"5\r\nab", b"2\r\nab", b"2\r\nab\r\n", b"2\r\nab\r\n0"):
            self.versions_fail(head + body, "connection closed too early")
        self.versions_fail(head + b"zz\r\nab", "length of the answer can't be read")

    def test_closed_in_the_header(self):
        for part in (b"", b"H", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nContent-Le"):
            self.versions_fail(part, "connection closed too early")
        self.package_fails(b"HTTP/1.1 200 OK\r\n", "connection closed too early")

    def test_no_http(self):
        for noise in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 100, b"<html>", b"HTTP/2 200\r\n\r\n"):
            self.versions_fail(noise, "answer is not HTTP/1.x")
        self.package_fails(b"220 ftp ready\r\n", "answer is not HTTP/1.x")

    def test_endless_header(self):
        self.versions_fail(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 9000, "header too long")
        self.versions_fail(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 40000, "header too long")

    def test_bad_length(self):
        for length in ("-1", "x", "99999999999", "1 2", ""):
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nx" % length.encode()
            self.versions_fail(head, "length of the answer can't be read")

    def test_compressed_unasked(self):
        say = "answer is compressed or encoded, serve the file as it is"
        for header in ("Content-Encoding: gzip", "Transfer-Encoding: deflate"):
            self.versions_fail(answer(b"\x1f\x8b", headers=[header]), say)
        self.package_fails(answer(PACKAGE, headers=["content-encoding:\r\n br"]), say)

    def test_refused_connection(self):
        url = "http://127.0.0.1:%d" % free_port()
        self.fails(url, url + "/versions: connection failed", "ECONNREFUSED", errno=111)

    def test_unknown_host(self):
        self.fails("http://no.such.host.invalid", "connection failed")

    def test_bad_url(self):
        for url in ("http://user:pw@127.0.0.1", "ftp://x", "127.0.0.1/x", "http://", "http://h:port/"):
            self.fails(url, ": url: ", errno=22)
        self.fails("http://127.0.0.1/a b", "blanks", errno=22)

    def test_silent(self):
        say = "nothing came for 1 s, try again later"
        self.versions_fail(None, say, arguments=["timeout=1"])

    def test_silent_in_the_middle(self):
        def stop(conn, _):
            conn.sendall(answer(PACKAGE)[:9000])
            conn.recv(1)

        self.package_fails(stop, "nothing came for 0.3 s", arguments=["timeout=0.3"])

    def test_reset_in_the_middle(self):
        def reset(conn, _):
            conn.sendall(answer(PACKAGE)[:9000])
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        self.package_fails(reset, "0_0_2-firmware.tar: ")

    def test_wrong_hash(self):
        tar = bytearray(PACKAGE)
        tar[tar.index(b"\0\1\2\3") + 999] ^= 1
        (self.site.folder / "0_0_2-firmware.tar").write_bytes(tar)
        for server in (Nginx, PythonServer):
            self.fails(self.serve(server(self.site.folder)), "hash is not the announced one")


class Versions(ServerTest):
    def get(self, data, *arguments):
        self.site.write(data)
        with PythonServer(self.site.folder) as url:
            return self.ota(url, *arguments)

    def fails_with(self, data, *say):
        self.site.write(data)
        self.fails(self.serve(PythonServer(self.site.folder)), "/versions: ", *say)

    def test_garbage(self):
        noise = bytes((i * 7919 >> 3) & 255 for i in range(5000))
        for data in (noise, b"hello", b"<html>\n<body>\n", b"\0" * 100, b"\xef\xbb\xbfx"):
            self.fails_with(data, "no line is a release, want semver;file;sha1")
        for data in (b"1.0a;x.tar;00\n", b"w1.0.0;x.tar;\n", b"1.0.0;../x;\n", b"1.0.0\n"):
            self.fails_with(data, "no line is a release")

    def test_too_long(self):
        self.fails_with(b"x" * (1 << 20), "versions: file too long")
        self.fails_with(b"#\n" * (1 << 19), "versions: file too long")

    def test_long_line(self):
        for size in (300, 1000, 200000):
            r = self.get(b"x" * size + b"\n" + self.versions)
            self.assertEqual(r.results, ["True"])
            self.fat_card(OLD)
        self.fails_with(b"x" * 200000, "no line is a release")

    def test_hash(self):
        for bad in (b"", b"123", b"x" * 40, b"0" * 39, b"0" * 41, b"0" * 64, b"0" * 20 + b" " * 20):
            for line in (b"0.0.2;0_0_2-firmware.tar;%s\n" % bad, b"0.0.2;0_0_2-firmware.tar"):
                self.fails_with(line, "newest release has no valid sha1")

    def test_empty(self):
        for data in (b"", b"\n", b"\r\n \n", b"# a comment\n", b"\xef\xbb\xbf"):
            with self.subTest(data):
                r = self.get(data)
                self.assertEqual(r.results, ["False"], r.out)

    def test_spelling(self):
        line = self.versions.strip()
        for data in (
            line,
            line + b"\r\n",
            b"\xef\xbb\xbf" + line,
            b"  " + line.replace(b";", b" ; ") + b" ;\r\n\r\n",
            line.upper().replace(b"FIRMWARE.TAR", b"firmware.tar"),
            b"garbage\n\xff\xfe\n" + line + b"\nmore garbage",
            b"# sdboot seq=3\n" + line,
        ):
            with self.subTest(data):
                self.assertEqual(self.get(data).results, ["True"])
                self.fat_card(OLD)

    def test_highest_counts(self):
        self.site.add("0.0.10", package(release("0.0.10")))
        self.site.add("0.0.9", package(release("0.0.9")))
        self.site.add("0.0.11-rc.1", package(release("0.0.11-rc.1")))
        data = b"".join(line.encode() for line in self.site.lines)
        self.assertEqual(self.get(data).results, ["True"])
        self.assertIn("sdboot: release 0.0.11-rc.1 is in place", self.power().out)
        self.assertEqual(self.get(data).results, ["False"])

    def test_nothing_newer(self):
        for version in ("0.0.1", "0.0.0", "0.0.1-rc.1", "0.0.1+build"):
            line = b"%s;x.tar;%s\n" % (version.encode(), b"0" * 40)
            self.assertEqual(self.get(line).results, ["False"])
        self.assertFiles(OLD)

    def test_utf16(self):
        """PowerShell: echo "0.0.2;..." > versions, and >> to a file in ASCII."""
        text = self.versions.decode()
        for data in (
            text.encode("utf-16"),
            text.encode("utf-16-be"),
            ("\ufeff" + text.replace("\n", "\r\n")).encode("utf-16-be"),
            b"0.0.1;x.tar;%s\r\n" % (b"0" * 40) + text.encode("utf-16-le"),
        ):
            with self.subTest(data[:20]):
                self.assertEqual(self.get(data).results, ["True"])
                self.fat_card(OLD)

    def test_as_people_write_them(self):
        line = self.versions.split(b";", 1)[1]
        for announced, inside in ((b"v0.0.2", b"0.0.2"), (b"0.00.2", b"v0.0.2\n"), (b"1", b"1.0.0")):
            with self.subTest(announced):
                tar = package({**release("0.0.2"), "app/.version": inside})
                self.site.lines = []
                self.site.add(announced.decode(), tar)
                data = self.site.lines[0].encode()
                self.assertEqual(self.get(data).results, ["True"], line)
                self.assertIn("release %s is in place" % announced.decode(), self.power().out)
                self.assertEqual(self.get(data).results, ["False"])
                self.fat_card(OLD)

    def test_skipped_lines_are_mentioned(self):
        r = self.get(b"garbage\n" + self.versions + b"more\n", "quite=False")
        self.assertIn("/versions: 2 lines skipped, they are no releases", r.out)


if __name__ == "__main__":
    unittest.main()
