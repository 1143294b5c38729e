# SPDX-License-Identifier: MIT
"""A stand-in for GitHub Releases: what its servers say, on this machine, over https.

    https://localhost:PORT/lamp/firmware/releases/latest/download/versions     302, the same host
    https://localhost:PORT/lamp/firmware/releases/download/v7/versions         302, another host
    https://127.0.0.1:PORT/github-production-release-asset/...?900 bytes       the file

Both hosts have certificates of authorities of their own. The last address is signed and expires
after `life` seconds; then that host answers 403. Neither knows HEAD.
"""

import hashlib
import time

from certs import Authority
from liar import Liar

BASE = "/lamp/firmware/releases"
POLICY = "default-src 'none'; base-uri 'self'; child-src github.githubassets.com/assets-cdn/worker/; " + (
    "connect-src 'self' uploads.github.com www.githubstatus.com *.example.githubusercontent.com; " * 33
)


def tag(data):
    return hashlib.md5(data).hexdigest()[:15].upper()


class Front(Liar):
    """github.com: sends on to where the files are."""

    def __init__(self, github, certificate):
        super().__init__(github.folder, certificate)
        self.github = github

    def tell(self, ask):
        page = [
            "Vary: X-PJAX, X-PJAX-Container, Turbo-Visit, Turbo-Frame, Accept-Encoding, Accept",
            "Strict-Transport-Security: max-age=31536000; includeSubdomains; preload",
            "X-Frame-Options: deny",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer-when-downgrade",
            "Content-Security-Policy: " + POLICY,
            "Set-Cookie: _gh_sess=%s; path=/; secure; HttpOnly; SameSite=Lax" % ("A" * 300),
            "X-GitHub-Request-Id: 8C4E:1B2F:61E0D:7A1C3:6744F6A0",
        ]
        where = None
        if ask.path == "%s/latest/download/%s" % (BASE, ask.name):
            where = "https://%s%s/download/%s/%s" % (ask.headers["host"], BASE, self.github.tag, ask.name)
        elif ask.path == "%s/download/%s/%s" % (BASE, self.github.tag, ask.name) and ask.data is not None:
            where = self.github.signed(ask.name)
        if where is None:
            return ask.text("404 Not Found", b"Not Found", more=page)
        return ask.text("302 Found", b"", drop=["ETag", "Last-Modified", "Accept-Ranges"], more=["Location: " + where, *page])


class Assets(Liar):
    """release-assets.githubusercontent.com: serves what is asked for with a signature in the query."""

    def __init__(self, github, certificate):
        super().__init__(github.folder, certificate)
        self.github = github

    def tell(self, ask):
        github = self.github
        name, until = github.issued.get(ask.path, (None, 0))
        if name is None or time.monotonic() > until:
            refused = b"<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code></Error>"
            return ask.text("403 Server failed to authenticate the request.", refused, Content_Type="application/xml")
        ask.name = name
        ask.data = (github.folder / name).read_bytes()
        self.etags[name] = "0x" + tag(ask.data)
        told = ask.text(
            Server="Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
            Content_Disposition="attachment; filename=" + name,
            more=[
                "x-ms-request-id: 6a2a4c0a-901e-0054-3c5b-3f1c2a000000",
                "x-ms-version: 2025-11-05",
                "x-ms-blob-type: BlockBlob",
                "Via: 1.1 varnish, 1.1 varnish",
                "X-Served-By: cache-iad-kjyo7100066-IAD, cache-fra-etou8220099-FRA",
                "X-Cache: HIT, MISS",
            ],
        )
        if github.hook:
            github.hook(ask, told)
        return told


class GitHub:
    """`folder` is what the release has for assets. `hook(ask, text)` may send part of an answer of the
    host with the files, and hang up."""

    def __init__(self, folder, certificates, life=300):
        self.folder = folder
        self.tag = "v7"
        self.life = life
        self.hook = None
        self.issued = {}
        self.authorities = [Authority(certificates / name, name) for name in ("web", "assets")]
        web = self.authorities[0].server("front", host="DNS:localhost")
        assets = self.authorities[1].server("store")
        self.front = Front(self, web)
        self.assets = Assets(self, assets)

    @property
    def ca(self):
        return [authority.pem for authority in self.authorities]

    def __enter__(self):
        self.store = self.assets.__enter__()
        port = self.front.__enter__().rsplit(":", 1)[1]
        return "https://localhost:%s%s/latest/download" % (port, BASE)

    def __exit__(self, *_):
        self.front.__exit__()
        self.assets.__exit__()

    def signed(self, name):
        """An address of the file that is good for a while: about 900 bytes."""
        number = len(self.issued)
        path = "/github-production-release-asset/1018457601/4b1c-%04d?" % number + "&".join(
            (
                "sp=r",
                "sv=2018-11-09",
                "sr=b",
                "spr=https",
                "se=2026-11-26T03%3A41%3A11Z",
                "rscd=attachment%3B+filename%3D" + name,
                "rsct=application%2Foctet-stream",
                "skoid=96c2d410-5711-43a1-aedd-ab1947aa7ab0&sktid=398a6654-997b-47e9-b12b-9515b896b4de",
                "skt=2026-11-26T02%3A40%3A46Z&ske=2026-11-26T03%3A41%3A11Z&sks=b&skv=2018-11-09",
                "sig=" + hashlib.sha256(b"%d" % number).hexdigest() + "%3D",
                "jwt=" + hashlib.shake_128(b"%d" % number).hexdigest(190),
                "response-content-disposition=attachment%3B%20filename%3D" + name,
                "response-content-type=application%2Foctet-stream",
            )
        )
        self.issued[path] = (name, time.monotonic() + self.life)
        return self.store + path

    def expire(self):
        """No address that was given out so far is good any more."""
        self.issued = {path: (name, 0) for path, (name, _) in self.issued.items()}
