# SPDX-License-Identifier: MIT
"""https:// and redirects, with real nginx and certificates good and bad."""

import unittest

from certs import Authority
from rig import EMULATED
from test_servers import OLD, ServerTest
from web import RawServer, answer

from lab import Nginx


@unittest.skipIf(EMULATED, "this firmware has no TLS")
class TlsTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.dir / "certs")

    def https(self, name, *more, protocols="TLSv1.2 TLSv1.3", **kwargs):
        """A server with a certificate of that name; its URL."""
        pem, key = self.authority.server(name, **kwargs)
        return self.nginx(pem, key, protocols)

    def nginx(self, pem, key, protocols="TLSv1.2 TLSv1.3", extra=""):
        server = Nginx(
            self.site.folder,
            extra="ssl_certificate %s; ssl_certificate_key %s; ssl_protocols %s; %s"
            % (pem, key, protocols, extra),
            secure=True,
        )
        return self.serve(server)

    def update(self, url, *arguments):
        self.fat_card(OLD)
        return self.ota(url, *arguments, options=("--clock", "host"))

    def taken(self, url, *arguments):
        r = self.update(url, *arguments)
        self.assertEqual(r.results, ["True"], r.out)

    def refused(self, url, *say, arguments=None):
        arguments = ("ca=%r" % self.authority.pem,) if arguments is None else arguments
        r = self.update(url, *arguments)
        self.assertEqual(r.results, [], r.out)
        for text in say:
            self.assertIn(text, r.errors[0])
        self.assertFiles(OLD)
        return r


class Trust(TlsTest):
    def test_good(self):
        url = self.https("good")
        self.taken(url, "ca=%r" % self.authority.pem)
        self.assertIn("release 0.0.2 is in place", self.power().out)

    def test_ca_as_der_or_among_others(self):
        url = self.https("good")
        other = Authority(self.dir / "other", "other")
        der = self.authority.openssl("x509", "-in", "authority.pem", "-outform", "DER")
        for ca in (der, [other.pem, self.authority.pem], other.pem + self.authority.pem):
            with self.subTest(type(ca)):
                self.assertEqual(self.update(url, "ca=%r" % ca).results, ["True"])

    def test_tls_1_2(self):
        self.taken(self.https("good", protocols="TLSv1.2"), "ca=%r" % self.authority.pem)

    def test_several_names(self):
        url = self.https("good", host="DNS:example.com,DNS:127.0.0.1")
        self.taken(url, "ca=%r" % self.authority.pem)

    def test_bad_certificates(self):
        for name, kwargs, say in (
            ("expired", {"end": "20210101000000Z"}, "The board's clock says 20"),
            ("early", {"start": "20980101000000Z"}, "The board's clock says 20"),
            ("other-host", {"host": "DNS:example.com"}, "not trusted"),
        ):
            with self.subTest(name):
                self.refused(self.https(name, **kwargs), say, "NetworkError 5")

    def test_clock_that_is_not_set(self):
        url = self.https("good", start="20200101000000Z")
        r = self.ota(url, "ca=%r" % self.authority.pem)  # 2000-01-01
        self.assertEqual(r.results, [], r.out)
        self.assertIn("The board's clock says 2000-01-01", r.errors[0])
        self.assertIn("ntptime", r.errors[0])

    def test_another_authority(self):
        other = Authority(self.dir / "other", "other")
        self.refused(self.https("good"), "not trusted", arguments=("ca=%r" % other.pem,))

    def test_signed_by_itself(self):
        self.authority.key("self")
        self.authority.openssl(
            "req", "-x509", "-key", "self.key", "-out", "self.pem", "-days", "9",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=DNS:127.0.0.1",
        )
        url = self.nginx(self.authority.dir / "self.pem", self.authority.dir / "self.key")
        self.refused(url, "not trusted")

    def test_pin(self):
        url = self.https("good")
        pin = self.authority.pin("good")
        for how in (pin, pin.upper(), bytes.fromhex(pin), ["00" * 32, pin]):
            with self.subTest(how):
                r = self.update(url, "pin=%r" % how)
                self.assertEqual(r.results, ["True"], r.out)
        self.refused(self.https("other"), "another key", arguments=("pin=%r" % pin,))

    def test_who_is_believed_must_be_said(self):
        url = self.https("good")
        self.refused(url, "needs ca=", arguments=())
        self.taken(url, "insecure=True")

    def test_a_ca_that_is_none(self):
        for ca in ("nonsense", b"\0\1\2"):
            with self.subTest(ca):
                self.refused(self.https("good"), "ca=", arguments=("ca=%r" % ca,))

    def test_plain_http_on_the_port(self):
        url = self.serve(Nginx(self.site.folder)).replace("http:", "https:")
        self.refused(url, "NetworkError")

    def test_chunked_and_without_length(self):
        pem, key = self.authority.server("good")
        for extra in ("chunked_transfer_encoding on; ssi on; ssi_types *;", ""):
            with self.subTest(extra):
                url = self.nginx(pem, key, extra=extra)
                r = self.update(url, "ca=%r" % self.authority.pem)
                self.assertEqual(r.results, ["True"], r.out)


class Redirects(TlsTest):
    def test_all_kinds(self):
        target = self.serve(Nginx(self.site.folder))
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status):
                url = self.serve(Nginx(self.dir, "return %d %s$request_uri;" % (status, target)))
                self.fat_card(OLD)
                r = self.ota(url)
                self.assertEqual(r.results, ["True"], r.out)

    def test_as_github_does(self):
        """Two hops, a signed address of 900 bytes, a header line of 3 KB."""
        files = self.serve(Nginx(self.site.folder))
        long = "x-signature=" + "%2F" * 300
        policy = "Content-Security-Policy: " + "default-src 'none'; " * 160

        def hop(conn, request):
            path = request.split()[1].decode()
            conn.sendall(
                answer(b"", "302 Found", headers=[policy, "Location: %s%s?%s" % (files, path, long)])
            )

        middle = self.serve(RawServer(hop))

        def first(conn, request):
            path = request.split()[1].decode()
            conn.sendall(answer(b"<html>", "302 Found", headers=["Location: %s%s" % (middle, path)]))

        r = self.ota(self.serve(RawServer(first)))
        self.assertEqual(r.results, ["True"], r.out)

    def test_relative(self):
        def moved(conn, request):
            path = request.split()[1].decode()
            if path.startswith("/new/"):
                name = path[5:]
                conn.sendall(answer((self.site.folder / name).read_bytes()))
            else:
                conn.sendall(answer(b"", "301 Moved", headers=["Location: new%s" % path]))

        self.works(self.serve(RawServer(moved)))

    def test_loop_and_too_many(self):
        server = RawServer(lambda conn, r: conn.sendall(answer(b"", "302 F", headers=["Location: /x"])))
        self.fails(self.serve(server), "more than 5 redirects")
        self.assertEqual(len(server.requests), 6)

    def test_where_to(self):
        for location, say in (
            ([], "without saying where"),
            (["Location: ftp://x/"], "no address"),
            (["Location: http://user:pw@x/"], "no address"),
            (["Location: http://127.0.0.1:1/a b"], "no address"),
            (["Location: /" + "x" * 2100], "too long"),
        ):
            with self.subTest(location):
                bad = answer(b"", "302 Found", headers=location)
                self.fails(self.serve(RawServer(bad)), say)

    def test_headers_stay_with_the_first_host(self):
        server = RawServer(answer(b"", "404 None"))
        other = self.serve(server)
        first = RawServer(answer(b"", "302 Found", headers=["Location: %s/versions" % other]))
        self.fails(self.serve(first), "404", arguments=("headers={'Authorization': 'secret'}",))
        self.assertIn(b"secret", first.requests[0])
        self.assertNotIn(b"secret", server.requests[0])

    def test_from_https_to_http_never(self):
        pem, key = self.authority.server("good")
        plain = self.serve(Nginx(self.site.folder))
        url = self.nginx(pem, key, extra="return 302 %s$request_uri;" % plain)
        self.refused(url, "anybody can read")

    def test_from_http_to_https(self):
        secure = self.https("good")
        url = self.serve(Nginx(self.dir, "return 302 %s$request_uri;" % secure))
        self.taken(url, "ca=%r" % self.authority.pem)


if __name__ == "__main__":
    unittest.main()
