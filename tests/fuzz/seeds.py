# SPDX-License-Identifier: MIT
"""Makes the first inputs for the fuzz targets: seeds.py DIRECTORY."""

import io
import os
import sys
import tarfile

SHA = "2988860ca0858eca16a795399148fca95b649784"


def tars():
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form, bufsize=1024) as tar:
            directory = tarfile.TarInfo("./app")
            directory.type = tarfile.DIRTYPE
            tar.addfile(directory)
            for name, size in (("app/main.py", 600), ("a/" * 60 + "b", 0), ("main.py", 3)):
                info = tarfile.TarInfo(name)
                info.size = size
                if form == tarfile.PAX_FORMAT and size == 3:
                    info.pax_headers = {"size": "3", "comment": "x" * 20}
                tar.addfile(info, io.BytesIO(b"x" * size))
            if form == tarfile.GNU_FORMAT:
                info = tarfile.TarInfo("link")
                info.type = tarfile.SYMTYPE
                info.linkname = "l" * 120
                tar.addfile(info)
        # One member a seed as well, for short inputs.
        for flag in (b"\x01", b"\x02"):
            yield flag + out.getvalue()[:7168]
            yield flag + out.getvalue()[512:2048] + bytes(1024)


def versions():
    yield b"\x02"
    yield ("\x02# sdboot seq=17\n1.2.4;a.tar;%s\n" % SHA).encode()
    yield ("\x03\ufeff1.0.0-rc.1+b;dir/a.tar; %s ;\r\n1.3.0;b.tar;%s\n\n" % (SHA, SHA)).encode()
    bad = "x" * 300 + "\n2.0.0;../x;" + SHA + "\n1.11.0;http://x;" + SHA
    yield ("\x02" + bad + "\n1.6.0;c.tar").encode()
    of_list = "# sdboot seq=17 expires=2027-01-31 product=lamp\n"
    of_file = "# sdboot file=%s size=123904 sha256=" + "0123456789abcdef" * 4
    for words in ("board=esp32 min=1.2.0", "channel=beta,dev rollout=25", "board=rp2 index=" + "ab" * 32):
        yield ("\x04%s%s %s\n1.4.0;a.tar;%s\n" % (of_list, of_file % "a.tar", words, SHA)).encode()
    many = "".join("#sdboot file=%d size=1\n" % i for i in range(10))
    yield ("\x04#sdboot seq=18\n" + many + "2.0;9;" + SHA + "\n2.1;1;" + SHA).encode()


def responses():
    ok = "\x02HTTP/1.1 200 OK\r\n"
    yield (ok + "Content-Length: 5\r\n\r\nhello").encode()
    chunks = "5;x=y\r\nhello\r\na\r\n0123456789\r\n0\r\nT: x\r\n\r\n"
    yield (ok + "Transfer-Encoding: chunked\r\n\r\n" + chunks).encode()
    yield ("\x02HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\nServer: x\n\nbody").encode()
    yield "\x02HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n".encode()


def paths():
    yield from (b"./app//lib/x.py", b"/etc", b"a/../b", b"c:\\x", b"a./b ", b"./")
    yield b"x" * 300
    yield b"y/" * 260


def semvers():
    yield b"1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta.11"
    yield b"1.6.0 1.11.0+x.001 18446744073709551616.0.0"
    yield b"1.0.0 1.0.0--- 1.0.0-0a.0"


def probes():
    def piece(at, data):
        assert at % 32 == 0 and len(data) == 32
        return bytes((at // 32 >> 8, at // 32 & 255)) + data

    def at(place, text):
        return piece(place // 32 * 32, (bytes(place % 32) + text + bytes(32))[:32])

    sign = at(510, b"\x55\xaa")
    for flag in (b"\x00", b"\x02"):
        base = 64 * 512 if flag == b"\x02" else 0
        yield flag + at(base, b"\xeb\x58\x90mkfs.fat") + at(base + 54, b"FAT16") + sign
        yield flag + at(base + 3, b"NTFS    ")
        yield flag + at(base + 1024 + 56, b"\x53\xef")
        yield flag + at(base + 8, b"littlefs/\xe0\x00\x10\x00\x00\x02\x00\x00\x10")
        exfat = at(base, b"\xeb\x76\x90EXFAT   ") + at(base + 510, b"\x55\xaa")
        exfat += at(base + 88, b"\x20\0\0\0") + at(base + 96, b"\2\0\0\0" + bytes(8) + b"\x09\x03")
        yield flag + exfat + at(base + 32 * 512, b"\x81") + at(base + 32 * 512 + 32, b"\x82")


def records():
    slot = b"SDBR\x01\x01\x03\x03" + bytes(4) + b"\x05" + bytes(19) + b"1.0.0"
    yield b"\x0c" + slot.ljust(512, b"\0") + slot.replace(b"\x05", b"\x06", 1).ljust(512, b"\0")
    yield b"\x04" + slot.ljust(512, b"x")
    yield b"\x03"


def controls():
    # The header names the boot sector, which is damaged as well.
    yield bytes.fromhex("d7290f08c128d6245e260000000000")


def packages():
    for flag in (b"\x01", b"\x03", b"\x05", b"\xa9"):
        for names in (
            ("app/", "app/main.py", "app/.version", "main.py", "lib/x.py"),
            ("app/a/b/c", "www/", "a/a/file", "a/b"),
            ("app/x", "app/X", "boot.py", "lib"),
            ("app/x", "boot.py", "app/._x", ".DS_Store", "app/.manifest", "__MACOSX/"),
            ("app/x", "~1.sdb/new/main.py", "SDBOOT~1/x", "settin~1.jso"),
        ):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT, bufsize=512) as tar:
                for name in names:
                    info = tarfile.TarInfo(name.rstrip("/"))
                    data = b"2.0.0" if name.endswith(".version") else b"x" * 10
                    if name.endswith("/"):
                        info.type, data = tarfile.DIRTYPE, b""
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            yield flag + out.getvalue()[:7000]


def signatures():
    # By minisign 0.11.
    key = b"RWQrJgtgaxQFfymQLlUACHUe1qC4/PZ9VsB0UoCAhACXACczafAxkLNJ\n"
    yield (
        b"untrusted comment: signature from minisign secret key\n"
        b"RWQrJgtgaxQFf+QBwze7uggHf6/SKdgLvHmZfG0FluCZG57WbNz8bvTZROAu4NTUFeGA3OOnWUASm2054vH3A5vi"
        b"f+uyGP0iOA8=\ntrusted comment: release 0.0.1\n"
        b"z724m2CJGQPz8H1w1BfV8es28LVgfO00VZURirQuBIEr6MH4i8watlIu36cceNEhw+eXPPTLRS4XArTxLm8DCg=="
        b"\n"
    )
    yield bytes.fromhex("2b260b606b14057f") + b"untrusted comment: minisign\n# old\n" + key + key


def urls():
    yield b"https://user@example.com/"
    for text in (b"http://[::1]:80/a", b"//h/x?y#z", b"/a/./b/../../c", b"../..", b"?q", b"", b"x:y"):
        yield text
    yield b"https://objects.example.com/" + b"a" * 900 + b"?sig=" + b"%2B" * 30


def indexes():
    entries = b"\0\x0capp/.version\6ABCDEF" + b"\x10\4a.py\0" + b"\x11\3dir" + b"\2\5"
    for flag in (b"\1", b"\2"):
        yield flag + b"sdbI\1\5" + entries + b"\3\2"
        yield flag + b"sdbI\1\1\0" + b"\x82\1" + b"d/" * 60 + b"0123456789" + b"\x81\2ABCDEF"


def certificates():
    # The beginning of one by openssl: enough for the walk to its key.
    yield bytes.fromhex(
        "308201763082011da003020102021431f1a8e2c4c10f4b7c1b5a6b1d7d7c3a2f9c0c1d300a06082a8648ce3d04"
        "03023011310f300d06035504030c0673646f6f743130301e170d3236303130313030303030305a170d33363031"
        "30313030303030305a3011310f300d06035504030c0673646f6f74313059301306072a8648ce3d020106082a86"
        "48ce3d030107034200" + "04" + "11" * 64
    )


def main(out):
    seeds = {
        "minisign": signatures,
        "url": urls,
        "index": indexes,
        "spki": certificates,
        "tar": tars,
        "versions": versions,
        "http": responses,
        "path": paths,
        "semver": semvers,
        "probe": probes,
        "record": records,
        "control": controls,
        "install": packages,
    }
    for target, make in seeds.items():
        os.makedirs(os.path.join(out, target), exist_ok=True)
        for number, data in enumerate(make()):
            with open(os.path.join(out, target, "%02d" % number), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
