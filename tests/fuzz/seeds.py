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


def main(out):
    seeds = {"tar": tars, "versions": versions, "http": responses, "path": paths, "semver": semvers}
    for target, make in seeds.items():
        os.makedirs(os.path.join(out, target), exist_ok=True)
        for number, data in enumerate(make()):
            with open(os.path.join(out, target, "%02d" % number), "wb") as f:
                f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
