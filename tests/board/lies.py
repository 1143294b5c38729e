# SPDX-License-Identifier: MIT
"""What a server can do wrong, each with what a board must make of it: test_liar.py tells them."""

import hashlib
import zlib
from typing import NamedTuple

from web import package, release

LIST, SIGNATURE, PACKAGE = "versions", "versions.minisig", "0_0_2-firmware.tar"
INDEX = PACKAGE + ".idx"
ALL = (LIST, SIGNATURE, PACKAGE)
INSTALLS = None

# What the board says.
SHORT = "closed too early"
GARBAGE = "answer is not HTTP/1.x"
LONG = "header too long"
LENGTH = "length of the answer can't be read"
CODED = "answer is compressed or encoded"
CHANGED = "signature: wrong, the file or its signature has been changed"
NO_SIGNATURE = "signature: no .minisig file"
HASH = "hash is not the announced one"
NOT_TAR = "package: not a tar file"
SIZE = "size is not the announced one"
PORTAL = b"<!DOCTYPE html>\n<html><head><title>Hotel Wi-Fi</title></head><body>%s</body></html>\n" % (
    b"<p>Please accept our terms and conditions.</p>\n" * 40
)


class Case(NamedTuple):
    """`says`: words of the error, or INSTALLS; a tuple if it may be one or the other. `arguments`: more
    ones of OTA."""

    name: str
    lie: object
    says: object
    arguments: dict = {}


def on(name, act):
    """Lies about one file only."""
    return lambda ask: act(ask) if ask.name == name else None


def say(data):
    """Sends `data`, a function of the request or bytes, and hangs up."""
    return lambda ask: ask.last(data(ask) if callable(data) else data)


def redirect(where, status="302 Found", more=()):
    def act(ask):
        to = where(ask) if callable(where) else where
        return ask.text(status, b"", more=["Location: " + to, *more] if to else more)

    return act


def length(text):
    return lambda ask: ask.last(ask.text(Content_Length=text))


def chunks(data, size=100, start=b"%x\r\n", end=b"\r\n"):
    parts = [data[i : i + size] for i in range(0, len(data), size)] + [b""]
    return b"".join(start % len(p) + p + end for p in parts)


def chunked(make):
    """The body is what `make` makes of the true one."""

    def act(ask):
        head = ask.text(body=b"", drop=["Content-Length"], Transfer_Encoding="chunked")
        ask.last(head + make(ask.data))

    return act


def each(title, act, says, names=ALL, arguments={}):
    """The lie told about each of these files; `says`: a list has one for each."""
    return [
        Case("%s: %s" % (title, name), on(name, act), says[i] if isinstance(says, list) else says, arguments)
        for i, name in enumerate(names)
    ]


def connections():
    yield from each("closed before the status", lambda ask: ask.last(), SHORT)
    yield from each("reset before the status", lambda ask: ask.reset(), "connection failed")
    yield from each("closed in the status line", say(b"HTTP/1.1 2"), SHORT)
    yield from each("closed behind the head", lambda ask: ask.last(ask.text().split(b"\r\n\r\n")[0] + b"\r\n\r\n"), SHORT)
    yield from each("reset in the body", lambda ask: ask.reset(ask.text()[:-9]), "0_0_2", [PACKAGE])
    quick = {"timeout": 0.5}
    yield from each("silent", lambda ask: ask.stall(), "nothing came for 0.5 s", arguments=quick)
    yield from each("stalls in the head", lambda ask: ask.stall(b"HTTP/1.1 200 OK\r\nA"), "nothing came for 0.5 s", arguments=quick)
    yield from each("stalls in the body", lambda ask: ask.stall(ask.text()[:-20]), "nothing came for 0.5 s", arguments=quick)
    yield Case("hangs up after each answer", lambda ask: ask.last(ask.text()), INSTALLS)
    yield Case("keeps a connection, then drops it unasked", lambda ask: ask.last(ask.text(Connection="keep-alive")), INSTALLS)


def statuses():
    yield from each("binary garbage", say(bytes(i * 7919 >> 3 & 255 for i in range(5000))), GARBAGE)
    yield from each("zeros", say(bytes(600)), GARBAGE)
    yield from each("HTTP/0.9: the file alone", lambda ask: ask.last(ask.data), GARBAGE)
    yield from each("HTTP/2", say(b"HTTP/2 200\r\n\r\n"), GARBAGE, [LIST])
    yield from each("ICY 200 OK", say(lambda ask: b"ICY" + ask.text()[8:]), GARBAGE, [LIST])
    yield from each("status of four digits", say(lambda ask: ask.text("2000 OK")), GARBAGE, [LIST])
    yield from each("status below 100", say(lambda ask: ask.text("099 OK")), GARBAGE, [LIST])
    yield from each("status without words", say(lambda ask: ask.text("200")), INSTALLS, [LIST])
    yield from each("101 Switching Protocols", say(lambda ask: ask.text("101 Switching")), GARBAGE, [LIST])
    first = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    yield Case("100 and 103 before each answer", lambda ask: first + ask.text(), INSTALLS)
    yield from each("1xx for ever", lambda ask: ask.endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), LONG, [LIST, PACKAGE])
    for status in ("204 No Content", "300 Choose", "304 Not Modified", "401 No", "403 No", "404 None", "410 Gone", "416 Range", "500 Oops"):
        code = status[:3]
        yield from each(status, lambda ask, s=status: ask.text(s, b""), "server answers %s instead of 200" % code, [PACKAGE])
    for status in ("429 Too Many Requests", "503 Service Unavailable"):
        yield from each(
            status + " with Retry-After", lambda ask, s=status: ask.text(s, b"", Retry_After="120"), "server answers " + status[:3], [LIST, PACKAGE]
        )
    yield from each("206 that nobody asked for", lambda ask: ask.text("206 Partial", Content_Range="bytes 0-9/10"), "server answers 206", [LIST])


def lengths():
    short = [CHANGED, NO_SIGNATURE, SIZE]
    yield from each("Content-Length too short", lambda ask: ask.last(ask.text(Content_Length=str(len(ask.data) - 9))), short)
    yield from each("Content-Length too long", lambda ask: ask.last(ask.text(Content_Length=str(len(ask.data) + 9))), [SHORT, SHORT, SIZE])
    yield from each("Content-Length of 4 GiB less one", length("4294967295"), [SHORT, SHORT, SIZE])
    yield from each("Content-Length 0", length("0"), [CHANGED, NO_SIGNATURE, SIZE])
    for text in ("-1", "99999999999", "18446744073709551616", "1e3", "0x400", "12, 12", "12 12", "+12", "", "12\t\v"):
        yield from each("Content-Length: " + text.replace("\v", "VT"), length(text), LENGTH, [LIST])
        yield from each("Content-Length: " + text.replace("\v", "VT"), length(text), LENGTH, [PACKAGE])
    yield from each("two lengths that differ", lambda ask: ask.last(ask.text(more=["Content-Length: 7"])), LENGTH)
    twice = lambda ask: ask.last(ask.text(more=["Content-Length: %d" % len(ask.data)]))
    yield from each("the same length twice", twice, INSTALLS, [LIST, PACKAGE])
    yield from each("no length, the end is the end", lambda ask: ask.last(ask.text(drop=["Content-Length"])), INSTALLS)
    yield from each("no length, cut short", lambda ask: ask.last(ask.text(drop=["Content-Length"])[:-99]), short)
    yield from each("more behind the body", lambda ask: ask.last(ask.text() + b"more" * 500), INSTALLS)
    yield Case(
        "an answer to what was not asked yet behind the body",
        lambda ask: ask.text() + ask.text(body=PORTAL),
        (INSTALLS, CHANGED, NO_SIGNATURE, HASH, SIZE, GARBAGE),
    )
    yield from each("endless", lambda ask: ask.endless(ask.text(drop=["Content-Length"]), b"# ......" * 512), ["file too long", NO_SIGNATURE, SIZE])


def codings():
    yield Case("chunks", chunked(chunks), INSTALLS)
    yield Case("chunks with extensions and a trailer", chunked(lambda d: chunks(d, 7, b"%x;a=b\r\n")[:-2] + b"X: y\r\n\r\n"), INSTALLS)
    for title, make, says in (
        ("a chunk's length is no number", lambda d: b"zz\r\nab", LENGTH),
        ("a chunk's length is negative", lambda d: b"-5\r\nabcde\r\n0\r\n\r\n", LENGTH),
        ("a chunk's length is huge", lambda d: b"fffffffff\r\nab", LENGTH),
        ("a chunk's length is 4 GiB less one", lambda d: b"ffffffff\r\n" + d, SHORT),
        ("a chunk is longer than it says", lambda d: b"5\r\n" + d + b"\r\n0\r\n\r\n", (LENGTH, GARBAGE)),
        ("a chunk's length has 40 KB of zeros", lambda d: b"0" * 40000 + b"5\r\nabcde\r\n0\r\n\r\n", (LONG, LENGTH)),
        ("a chunk's extension does not end", lambda d: b"5;" + b"x" * 40000, LONG),
        ("no last chunk", lambda d: chunks(d)[:-5], SHORT),
        ("garbage between chunks", lambda d: b"3\r\n" + d[:3] + b"garbage\r\n", LENGTH),
        ("a trailer that does not end", lambda d: chunks(d)[:-2] + b"X: y\r\n" * 9000, LONG),
        # To a request for the rest the liar sends the beginning: it can end with a file that comes twice.
        ("chunks of one byte, then gone", lambda d: chunks(d, 1)[: len(d)], (SHORT, "same name twice")),
    ):
        yield from each(title, chunked(make), says, [LIST, PACKAGE])
    both = lambda ask: ask.last(ask.text(more=["Transfer-Encoding: chunked"]).split(b"\r\n\r\n")[0] + b"\r\n\r\n" + chunks(ask.data))
    yield Case("a length and chunks", both, INSTALLS)
    yield from each("chunked twice", lambda ask: ask.last(ask.text(more=["Transfer-Encoding: chunked, chunked"])), LENGTH, [LIST])
    zipped = lambda ask: ask.text(body=zlib.compress(ask.data, wbits=31), Content_Encoding="gzip")
    yield from each("gzip that nobody asked for", zipped, CODED)
    silent = lambda ask: ask.text(body=zlib.compress(ask.data, wbits=31))
    yield from each("gzip, and does not say so", silent, [CHANGED, NO_SIGNATURE, SIZE])
    for name in ("br", "zstd", "deflate", "x-gzip, identity"):
        yield from each("Content-Encoding: " + name, lambda ask, n=name: ask.text(Content_Encoding=n), CODED, [LIST, PACKAGE])
    yield from each("Transfer-Encoding: gzip, chunked", lambda ask: ask.text(more=["Transfer-Encoding: gzip, chunked"]), CODED, [LIST])


def heads():
    yield Case("a header line of 3 KB", lambda ask: ask.text(more=["Content-Security-Policy: " + "x" * 3000]), INSTALLS)
    yield Case("a header line of 30 KB", lambda ask: ask.text(more=["X: " + "x" * 30000]), INSTALLS)
    yield from each("a header line of 64 KB", lambda ask: ask.last(ask.text(more=["X: " + "x" * 65536])), LONG)
    yield from each("a header line that does not end", lambda ask: ask.endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096), LONG)
    yield from each("5000 headers", lambda ask: ask.last(ask.text(more=["X-%d: y" % i for i in range(5000)])), LONG)
    yield Case("500 headers", lambda ask: ask.text(more=["X-%d: y" % i for i in range(500)]), INSTALLS)
    yield from each("a header without a colon", lambda ask: ask.last(ask.text(more=["what is this"])), GARBAGE, [LIST])
    yield from each("a header without a name", lambda ask: ask.last(ask.text(more=[": x"])), GARBAGE, [LIST])
    yield from each("a blank before the colon", lambda ask: ask.last(ask.text(more=["Transfer-Encoding : chunked"])), GARBAGE, [LIST])
    yield from each("a zero byte in the head", lambda ask: ask.last(ask.text(more=["A: b\0c"])), GARBAGE)
    yield from each("a length of 600 bytes", lambda ask: ask.last(ask.text(Content_Length="0" * 600 + "1")), LONG, [LIST])
    yield Case("lines that end with LF alone", lambda ask: lf(ask.text()), INSTALLS)
    yield Case("a header in two lines", lambda ask: ask.text(more=["X-Cache:\r\n\tHIT"]), INSTALLS)


def lf(text):
    head, body = text.split(b"\r\n\r\n", 1)
    return head.replace(b"\r\n", b"\n") + b"\n\n" + body


def moves():
    yield from each("redirected to itself", redirect(lambda ask: ask.path), "more than 5 redirects")
    other = lambda ask: ask.base + ("" if "/a/" in ask.path else "a/") + ask.name
    yield from each("two that redirect to each other", redirect(other), "more than 5 redirects", [LIST])

    def hops(n, status="302 Found"):
        def act(ask):
            query = ask.path.partition("?")[2]
            count = int(query or 0)
            return None if count == n else redirect("%s?%d" % (ask.path.partition("?")[0], count + 1), status)(ask)

        return act

    for n, status in enumerate(("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"), 1):
        yield Case("%d redirects %s of each file" % (n, status), hops(n, status), INSTALLS)
    yield from each("6 redirects", hops(6), "more than 5 redirects")
    yield from each("redirected nowhere", redirect(None), "without saying where")
    for title, where, says in (
        ("ftp:", "ftp://127.0.0.1/x", "no address"),
        ("a file of the board", "file:///flash/sdboot.pub", "no address"),
        ("javascript:", "javascript:alert(1)", "no address"),
        ("user and password", "http://u:p@127.0.0.1/x", "no address"),
        ("a name with umlauts", "http://b\u00fccher.example/", "no address"),
        ("a blank", "http://127.0.0.1/a b", "no address"),
        ("a port that is none", "http://127.0.0.1:99999/", "no address"),
        ("no host", "http:///x", "no address"),
        ("2.1 KB", "/" + "x" * 2100, "header too long"),
        ("64 KB", "/" + "x" * 65536, "header too long"),
        ("nobody's port", "http://127.0.0.1:1/x", "connection failed"),
        ("nobody's name", "http://no.such.host.invalid/x", "connection failed"),
    ):
        yield from each("redirected to " + title, redirect(where), says, [LIST])
        yield from each("redirected to " + title, redirect(where), says, [PACKAGE])
    query = lambda ask: None if "?" in ask.path else redirect(ask.path + "?" + "q" * 1990)(ask)
    yield Case("redirected to 2 KB of query", query, INSTALLS)
    relative = lambda ask: None if "/deep/" in ask.path else redirect("./x/../deep/%s#fragment" % ask.name)(ask)
    yield Case("redirected relatively, with dots and a fragment", relative, INSTALLS)
    header = lambda ask: ask.text("302 Found", b"", more=["Location: %sx\r\n /y" % ask.base])
    yield from each("redirected in two lines", header, "server answers 404", [LIST])


def portals():
    page = lambda ask: ask.last(ask.text("200 OK", PORTAL, Content_Type="text/html"))
    yield Case("captive portal: its page for everything", page, NO_SIGNATURE)
    yield from each("captive portal: its page", page, [CHANGED, NO_SIGNATURE, NOT_TAR])
    login = lambda ask: page(ask) if "login" in ask.path else redirect(ask.base + "login?from=" + ask.name)(ask)
    yield Case("captive portal: redirected to its page", login, NO_SIGNATURE)
    yield Case("captive portal: 511", lambda ask: ask.text("511 Network Authentication Required", PORTAL), "server answers 511")
    middle = lambda ask: ask.text(body=(ask.data[: len(ask.data) // 2] + PORTAL * 9)[: len(ask.data)])
    yield from each("captive portal: the page from the middle on", middle, [CHANGED, (CHANGED, NO_SIGNATURE), "package:"])


def releases():
    other = package(release("0.0.3"))
    line = b"0.0.3;0_0_2-firmware.tar;%s\n" % hashlib.sha1(other).hexdigest().encode()
    yield Case("half published: another list, the signature of the old one", on(LIST, lambda ask: ask.text(body=ask.data + line)), CHANGED)
    yield Case("half published: no signature yet", on(SIGNATURE, lambda ask: ask.text("404 None", b"")), "signed releases only")
    yield Case("half published: the list is empty", on(LIST, lambda ask: ask.text(body=b"")), CHANGED)
    yield Case("half published: half of the list", on(LIST, lambda ask: ask.text(body=ask.data[: len(ask.data) // 2])), CHANGED)
    yield Case("half published: new list, no package yet", on(PACKAGE, lambda ask: ask.text("404 None", b"")), "server answers 404")
    yield Case("half published: new list, the package of before", on(PACKAGE, lambda ask: ask.text(body=other)), SIZE)
    same = lambda ask: ask.text(body=ask.data.replace(b"so new", b"so old"))
    yield Case("half published: new list, a package of the same size", on(PACKAGE, same), HASH)
    yield Case("half published: half of the package", on(PACKAGE, lambda ask: ask.text(body=ask.data[: len(ask.data) // 2])), SIZE)
    yield Case("half published: the package is empty", on(PACKAGE, lambda ask: ask.text(body=b"")), SIZE)
    yield Case("signature of 1 MB", on(SIGNATURE, lambda ask: ask.text(body=ask.data * 3000)), NO_SIGNATURE)
    yield Case("the list as signature", on(SIGNATURE, lambda ask: ask.text(body=(ask.liar.folder / LIST).read_bytes())), NO_SIGNATURE)
    yield Case("list and signature swapped", swap, NO_SIGNATURE)
    flipped = lambda ask: ask.text(body=ask.data[:300] + bytes([ask.data[300] ^ 1]) + ask.data[301:])
    yield Case("one bit of the package", on(PACKAGE, flipped), ("package:",))


def swap(ask):
    other = {LIST: SIGNATURE, SIGNATURE: LIST}.get(ask.name)
    return ask.text(body=(ask.liar.folder / other).read_bytes()) if other else None



# ---- What follows a cut -----------------------------------------------------------------------------

# If it can't be taken up again, the error is what has happened first.

def after_cut(act, drop=1):
    """The package breaks off in the middle `drop` times; then `act`."""

    def lie(ask):
        if ask.name != PACKAGE:
            return None
        if ask.nth <= drop:
            text = ask.text()
            body = text.index(b"\r\n\r\n") + 4
            ask.last(text[: body + 1500 if ask.nth == 1 else body + 100])
        return act(ask)

    return lie


def part_says(text):
    return lambda ask: ask.text(Content_Range=text)


def shifted(by, honest=True):
    """Bytes from another place; the header says so, or not."""

    def act(ask):
        first = ask.part[0] + by
        body = ask.data[first:]
        says = first if honest else ask.part[0]
        last = len(ask.data) - 1 if honest else says + len(body) - 1
        return ask.text(body=body, Content_Range="bytes %d-%d/%d" % (says, last, len(ask.data)))

    return act


def resumed():
    truth = lambda ask: None
    again = "cut in the middle, then "
    for title, act, says in (
        ("the rest", truth, INSTALLS),
        ("all of it: 200 for 206", lambda ask: ask.text("200 OK", ask.data, drop=["Content-Range"]), INSTALLS),
        ("a part some bytes further on", shifted(3), SHORT),
        ("a part some bytes before", shifted(-3), SHORT),
        ("a part from the beginning", lambda ask: ask.text(body=ask.data, Content_Range="bytes 0-%d/%d" % (len(ask.data) - 1, len(ask.data))), SHORT),
        ("bytes from further on, and says they are the right ones", shifted(3, False), (HASH, SIZE, SHORT, "package:")),
        ("bytes from before, and says they are the right ones", shifted(-3, False), SHORT),
        ("no Content-Range", lambda ask: ask.text(drop=["Content-Range"]), SHORT),
        ("Content-Range without a unit", part_says("1500-2000/9999"), SHORT),
        ("Content-Range of lines", part_says("lines 1500-2000/9999"), SHORT),
        ("Content-Range that ends before it begins", part_says("bytes 1500-1400/9999"), SHORT),
        ("Content-Range with a negative number", part_says("bytes -1500-9999/10000"), SHORT),
        ("Content-Range above 4 GiB", part_says("bytes 99999999999-99999999999/*"), SHORT),
        ("Content-Range that is empty", part_says(""), SHORT),
        ("Content-Range of nothing", part_says("bytes */5120"), SHORT),
        ("multipart/byteranges", lambda ask: ask.text(body=b"--x\r\n" + ask.data, drop=["Content-Range"], Content_Type="multipart/byteranges; boundary=x"), SHORT),
        ("more than the file has", lambda ask: ask.text(body=ask.data[ask.part[0] :] + b"more" * 300, Content_Range="bytes %d-%d/%d" % (ask.part[0], len(ask.data) + 1199, len(ask.data) + 1200)), (SIZE, SHORT)),
        ("less than was asked for, again and again", lambda ask: ask.text(body=ask.data[ask.part[0] : ask.part[0] + 600], Content_Range="bytes %d-%d/%d" % (ask.part[0], min(ask.part[0] + 599, len(ask.data) - 1), len(ask.data))), INSTALLS),
        ("other content under the same ETag", other_content(False), (HASH, "package:")),
        ("all of another content under the same ETag", other_content(True), (HASH, "package:")),
        ("another ETag, with 206", lambda ask: ask.text(ETag='"other"'), SHORT),
        ("another file, with 200 and another ETag", lambda ask: ask.text("200 OK", bytes(9000), drop=["Content-Range"], ETag='"other"'), SHORT),
        ("no ETag any more", lambda ask: ask.text(drop=["ETag", "Last-Modified"]), (SHORT, INSTALLS)),
        ("404", lambda ask: ask.text("404 Gone", b""), SHORT),
        ("416", lambda ask: ask.text("416 No", b"", Content_Range="bytes */1500"), SHORT),
        ("304", lambda ask: ask.text("304 Not Modified", b""), SHORT),
        ("gzip", lambda ask: ask.text(body=zlib.compress(ask.data[ask.part[0] :], wbits=31), Content_Encoding="gzip"), SHORT),
        ("a captive portal", lambda ask: ask.last(ask.text("200 OK", PORTAL, drop=["ETag", "Content-Range"])), (SHORT, HASH, SIZE, "package:")),
        ("redirected to itself", redirect(lambda ask: ask.path), SHORT),
        ("redirected to where it is", lambda ask: None if "?" in ask.path else redirect(ask.path + "?x")(ask), INSTALLS),
        ("garbage", say(b"\0\1garbage" * 99), SHORT),
        ("503 for ever", lambda ask: ask.text("503 Busy", b"", Retry_After="9"), SHORT),
        ("503 twice, then the rest", lambda ask: ask.text("503 Busy", b"") if ask.nth < 4 else None, INSTALLS),
        ("nothing for ever", lambda ask: ask.last(), SHORT),
        ("resets for ever", lambda ask: ask.reset(), SHORT),
    ):
        yield Case(again + title, after_cut(act), says)
    yield Case("cut 9 times, 100 bytes each", after_cut(truth, 9), INSTALLS)


def other_content(whole):
    def act(ask):
        other = ask.data.replace(b"so new", b"so old").replace(b"x = 1", b"x = 2").replace(b"0.0.2'", b"6.6.6'")
        if whole:
            return ask.text("200 OK", other, drop=["Content-Range"])
        return ask.text(body=other[ask.part[0] :])

    return act
