#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make dist`: what a release of sdboot consists of, in build/dist. The same commit gives the same bytes.

    sdboot-VERSION.tar.gz        the source
    sdboot-VERSION-ARCH.tar.gz   what goes on a board's internal flash
    ARCH/package.json ...        the same for mip: mpremote mip install --no-mpy http://.../ARCH/package.json
    *.deb                        the host tool, for the Debian that this runs on
    SHA256SUMS                   of all of them; SHA256SUMS.minisig with --key"""

import argparse
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "dist"
NATIVE = ROOT / "build" / "native"


def version():
    text = (ROOT / "micropython" / "sdboot" / "__init__.py").read_text()
    return re.search(r'^__version__ = "(.*)"', text, re.M).group(1)


def git(*words):
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True)
    if done.returncode:
        sys.exit("dist: git %s: %s" % (words[0], done.stderr.decode().strip()))
    return done.stdout


def packed(data):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as f:
        f.write(data)
    return out.getvalue()


def source(name, when):
    """The source as committed; with what has changed since, which is said."""
    revision = git("stash", "create").decode().strip()
    if revision:
        print("dist: with changes that are not committed")
    tree = git("archive", "--format=tar", (revision or "HEAD") + "^{tree}")
    members = []
    with tarfile.open(fileobj=io.BytesIO(tree)) as tar:
        for member in tar:
            if member.isfile():
                mode = 0o755 if member.mode & 0o100 else 0o644
                members.append((member.name, mode, tar.extractfile(member).read()))
    return tarball(name, members, when)


def folder(path, name, when):
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return tarball(name, [(str(p.relative_to(path)), 0o644, p.read_bytes()) for p in files], when)


def tarball(name, members, when):
    """A tar.gz of `members` (name, mode, data) below `name`, whose files belong to nobody."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, mode, data in members:
            info = tarfile.TarInfo("%s/%s" % (name, path))
            info.size = len(data)
            info.mtime = when
            info.mode = mode
            tar.addfile(info, io.BytesIO(data))
    return packed(out.getvalue())


def absolute(package, base):
    """Names the files by their whole addresses: mpremote before 1.25 takes no others."""
    found = json.loads(package.read_text())
    found["urls"] = [[target, base + path] for target, path in found["urls"]]
    package.write_text(json.dumps(found, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archs", nargs="+")
    parser.add_argument("--key", type=Path, help="secret key of minisign that signs SHA256SUMS")
    parser.add_argument("--url", help="where build/dist will be: for mpremote before 1.25")
    args = parser.parse_args()
    when = int(git("log", "-1", "--format=%ct"))
    name = "sdboot-" + version()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    (OUT / (name + ".tar.gz")).write_bytes(source(name, when))
    for arch in args.archs:
        shutil.copytree(NATIVE / arch, OUT / arch)
        if args.url:
            absolute(OUT / arch / "package.json", "%s/%s/" % (args.url.rstrip("/"), arch))
        tar = folder(NATIVE / arch, "%s-%s" % (name, arch), when)
        (OUT / ("%s-%s.tar.gz" % (name, arch))).write_bytes(tar)
    for deb in (ROOT / "build" / "deb").glob("*.deb"):
        shutil.copy(deb, OUT)
    files = sorted(p for p in OUT.rglob("*") if p.is_file())
    lines = [
        "%s  %s\n" % (hashlib.sha256(p.read_bytes()).hexdigest(), p.relative_to(OUT)) for p in files
    ]
    sums = OUT / "SHA256SUMS"
    sums.write_text("".join(lines))
    if args.key:
        tool = ROOT / "build" / "cli" / "sdboot"
        if subprocess.run([tool, "sign", "-s", args.key, "-t", name, sums]).returncode:
            sys.exit("dist: SHA256SUMS is not signed")
    print("dist: build/dist has %s, %d files" % (name, len(files) + 1))


if __name__ == "__main__":
    main()
