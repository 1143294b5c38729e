# SPDX-License-Identifier: MIT
"""sdboot serve, and sdboot verify of a server: real boards, nginx, servers that do it wrong."""

import gzip
import http.client
import json
import re
import signal
import ssl
import subprocess
import threading
import unittest
import urllib.request

from test_cli import TOOL, ToolTest, rig, web  # first: says where rig is

from lab import Nginx


class Serve:
    """sdboot serve in a thread of its own; gives its URL."""

    def __init__(self, folder, *options):
        self.command = [str(a) for a in (TOOL, "serve", "-p", 0, "-a", "127.0.0.1", *options, folder)]
        self.lines = []

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        self.url = re.search('OTA\\("(.*?)"', first).group(1)
        self.pin = (re.findall('pin="(.*?)"', first) or [None])[0]
        self.thread = threading.Thread(target=lambda: self.lines.extend(self.process.stdout))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.status = self.process.wait(20)
        self.thread.join()
        self.process.stdout.close()


class ServeTest(ToolTest):
    def get(self, url, method="GET", **headers):
        request = urllib.request.Request(url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=20) as r:
                return r.status, dict(r.headers), r.read()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, dict(e.headers), e.read()

    def test_files_and_parts(self):
        data = bytes(range(256)) * 40
        self.write({"file": data, "sub/x": b"y", ".hidden": b"secret", "empty": b""})
        (self.dir / "outside").write_text("secret")
        with Serve(self.dir / "src", "-l", self.dir / "log") as s:
            status, headers, body = self.get(s.url + "/file")
            self.assertEqual((status, body, headers["Accept-Ranges"]), (200, data, "bytes"))
            tag = headers["ETag"]
            for asked, want in (
                ("bytes=0-0", (0, 1)), ("bytes=5-9", (5, 10)), ("bytes=10000-", (10000, 10240)), ("bytes=-3", (10237, 10240)),
                ("bytes=10239-99999", (10239, 10240)), ("bytes=-99999", (0, 10240)),
            ):  # fmt: skip
                status, headers, body = self.get(s.url + "/file", Range=asked)
                self.assertEqual((status, body), (206, data[want[0] : want[1]]), asked)
                self.assertEqual(headers["Content-Range"], "bytes %d-%d/10240" % (want[0], want[1] - 1))
            for asked in ("bytes=9-5", "bytes=x", "lines=1-2", "bytes=1-2,5-6", "bytes=--1", "bytes=99999999999999999999-"):
                self.assertEqual(self.get(s.url + "/file", Range=asked)[0], 200, asked)
            for asked in ("bytes=10240-", "bytes=-0"):
                status, headers, _ = self.get(s.url + "/file", Range=asked)
                self.assertEqual((status, headers["Content-Range"]), (416, "bytes */10240"))
            self.assertEqual(self.get(s.url + "/empty", Range="bytes=0-")[0], 416)
            self.assertEqual(self.get(s.url + "/empty")[::2], (200, b""))
            self.assertEqual(self.get(s.url + "/file", If_None_Match='"x", ' + tag)[0], 304)
            self.assertEqual(self.get(s.url + "/file", If_None_Match='"x"')[0], 200)
            self.assertEqual(self.get(s.url + "/file", Range="bytes=1-2", If_Range=tag)[0], 206)
            self.assertEqual(self.get(s.url + "/file", Range="bytes=1-2", If_Range='"old"')[0], 200)
            self.assertEqual(self.get(s.url + "/file", "HEAD")[::2], (200, b""))
            self.assertEqual(self.get(s.url + "/file", "POST")[0], 405)
            for path in ("/none", "/", "/sub", "/.hidden", "/../outside", "/sub/../../outside", "/%2e%2e/outside"):
                connection = http.client.HTTPConnection(s.url[7:])
                connection.request("GET", path)
                self.assertEqual(connection.getresponse().status, 404, path)
                connection.close()
        self.assertEqual(s.status, 0)
        self.assertIn("GET /file 206, 5 bytes", "".join(s.lines))
        self.assertRegex((self.dir / "log").read_text().splitlines()[0], r'^127.0.0.1 - - \[.*\] "GET /file HTTP/1.1" 200 10240 "-"')

    def test_its_log_is_one_for_fleet(self):
        self.write({"versions": "x"})
        agent = "sdboot/0.9 (esp32; 240ac4000110; 0.0.2; failed 0.0.3 expired: OSError: [Errno 2] ENOENT)"
        with Serve(self.dir / "src", "-l", self.dir / "log") as s:
            self.get(s.url + "/versions", User_Agent=agent)
            self.get(s.url + "/versions", User_Agent='"\\x\x7f\t')
        self.assertIn("240ac4000110 (esp32) runs 0.0.2, failed 0.0.3 expired: OSError", s.lines[0])
        found = json.loads(self.tool("fleet", "--json", "log"))
        self.assertEqual((found["board_count"], found["lines"]), (1, 2))
        self.assertEqual(found["boards"][0]["reason"], "expired: OSError: [Errno 2] ENOENT")

    def test_loss_is_half_an_answer(self):
        self.write({"file": b"x" * 10000})
        with Serve(self.dir / "src", "--loss", "100") as s, self.assertRaises(http.client.IncompleteRead) as e:
            self.get(s.url + "/file")
        self.assertEqual(len(e.exception.partial), 5000)

    def test_https(self):
        self.write({"file": b"hello"})
        with Serve(self.dir / "src", "--https", "--ca", self.dir / "ca.pem") as s:
            context = ssl.create_default_context(cafile=self.dir / "ca.pem")
            with urllib.request.urlopen(s.url.replace("127.0.0.1", "localhost") + "/file", context=context) as r:
                self.assertEqual(r.read(), b"hello")
        self.assertEqual(len(s.pin), 64)

    def test_arguments(self):
        for arguments in ((), ("none",), ("-p", "x", "src"), ("--loss", "101", "src"), ("-a", "here", "src")):
            self.assertEqual(self.tool("serve", *arguments, status=2).count("\n"), 1)


class Verify(ToolTest):
    def setUp(self):
        super().setUp()
        self.tool("keygen", "-W")
        self.write({"app/data.bin": b"z" * 5000})
        self.release("0.0.2", "-k", "sdboot.key")

    def verify(self, url, *options, status=0):
        return self.tool("verify", "-p", "sdboot.pub", *options, url, status=status)

    def test_servers_that_are_good(self):
        with Serve(self.www) as s:
            self.assertEqual(self.verify(s.url).splitlines(), ["0.0.2: good, 0_0_2-firmware.tar"])
            self.assertEqual(json.loads(self.verify(s.url + "/", "--json"))["good"], ["0.0.2"])
        with Serve(self.www, "--https", "--ca", self.dir / "ca.pem") as s:
            self.verify(s.url.replace("127.0.0.1", "localhost"), "--ca", "ca.pem")
            self.assertIn("certificate", self.verify(s.url, status=1))
        with Nginx(self.www, extra="gzip on; gzip_types *; gzip_min_length 1;") as url:
            self.assertNotIn("FAULT", self.verify(url))
        with Nginx(self.www, extra="location /a/ { rewrite ^/a/(.*) /$1 redirect; }") as url:
            self.assertNotIn("FAULT", self.verify(url + "/a"))

    def test_files_that_are_not(self):
        package = self.www / "0_0_2-firmware.tar"
        data = package.read_bytes()
        for content, word in ((None, "404"), (data[:-100], "0_0_2"), (data[:-512] + b"x" * 512, "0_0_2")):
            package.unlink(missing_ok=True)
            if content is not None:
                package.write_bytes(content)
            with Serve(self.www) as s:
                self.assertIn(word, self.verify(s.url, status=1))
        (self.www / "versions").unlink()
        with Serve(self.www) as s:
            self.assertIn("404", self.verify(s.url, status=1))

    def test_index(self):
        """The index beside the package is what the list says."""
        index = self.www / "0_0_2-firmware.tar.idx"
        data = index.read_bytes()
        for content in (None, data[:-1] + bytes([data[-1] ^ 1]), data + b"x"):
            index.unlink(missing_ok=True)
            if content is not None:
                index.write_bytes(content)
            with Serve(self.www) as s:
                self.assertIn("index=", self.verify(s.url, status=1))
            self.assertIn("index=", self.verify("www", status=1))
        index.write_bytes(data)
        self.verify("www")

    def test_caches(self):
        with Nginx(self.www, extra="add_header Cache-Control max-age=86400; etag off;") as url:
            said = self.verify(url)
            self.assertIn("86400 s", said)
            self.assertIn("no ETag", said)

    def test_heads_that_boards_refuse(self):
        versions = (self.www / "versions").read_bytes()
        packed = web.answer(gzip.compress(versions), headers=("Content-Encoding: gzip",))
        long = web.answer(versions, headers=("X: " + "y" * 20000, "X: " + "y" * 20000))
        for answer, word in (
            (packed, "compress"), (long, "header"), (web.answer(versions, length=len(versions) + 9), "bytes"),
            (web.answer(b"", "302 Found", headers=("Location: /versions",)), "five redirects"),
            (web.answer(b"", "302 Found"), "leads nowhere"),
            (web.answer(b"", "302 Found", headers=("Location: ftp://x/",)), ""),
            (web.answer(b"x" * 300000), "larger"), (b"hello\r\n\r\n", ""), (web.answer(b"", "500 Sorry"), "500"),
        ):  # fmt: skip
            with self.subTest(word), web.RawServer(answer) as url:
                said = self.verify(url, status=1)
                self.assertIn("FAULT", said)
                self.assertIn(word, said)

    def test_parts_that_are_none(self):
        with web.PythonServer(self.www) as url:  # knows no Range
            self.assertIn("begins anew", self.verify(url))

    def test_names_that_lead_out(self):
        (self.www / "versions").write_text("0.0.2;../../x.tar;%040d\n" % 0)
        with Serve(self.www) as s:
            self.assertIn("FAULT", self.tool("verify", s.url, status=1))

    def test_nobody_there(self):
        for url in ("http://127.0.0.1:1", "http://no-such-host.invalid/x"):
            self.assertIn("FAULT", self.verify(url, status=1))
        for url in ("http://", "https://a b/", "http://user@host/"):
            self.verify(url, status=2)


class WithABoard(rig.BoardTest):
    def test_updates_over_it(self):
        tool = ToolTest()
        tool.setUp()
        self.addCleanup(tool.doCleanups)
        tool.release("0.0.2")
        for options, more in ((("--https",), "pin=%r"), (("--delay", "50"), "")):
            with self.subTest(options):
                self.fat_card(web.release("0.0.1"))
                with Serve(tool.www, *options) as s:
                    arguments = (more % s.pin,) if more else ()
                    r = self.ota(s.url, *arguments, options=("--clock", "host"))
                    self.assertEqual(r.results, ["True"], r.out)

    def test_answers_that_break_off(self):
        tool = ToolTest()
        tool.setUp()
        self.addCleanup(tool.doCleanups)
        tool.release("0.0.2")
        self.fat_card(web.release("0.0.1"))
        with Serve(tool.www, "--loss", "100") as s:
            r = self.ota(s.url)
        self.assertEqual(r.results, [], r.out)
        self.assertFiles(web.release("0.0.1"))


if __name__ == "__main__":
    unittest.main()
