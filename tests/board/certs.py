# SPDX-License-Identifier: MIT
"""Certificates of all kinds, made by openssl for one test."""

import hashlib
import subprocess
from pathlib import Path


class Authority:
    """An authority with a certificate of its own, `pem`; folder `dir`."""

    def __init__(self, folder, name="authority"):
        self.dir = Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.key(name)
        self.openssl(
            "req", "-x509", "-key", name + ".key", "-out", name + ".pem", "-days", "3650",
            "-subj", "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE",
        )
        self.pem = (self.dir / (name + ".pem")).read_text()

    def openssl(self, *arguments, data=None):
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.dir, input=data, capture_output=True
        )
        if done.returncode:
            raise RuntimeError("openssl %s: %s" % (arguments, done.stderr.decode()))
        return done.stdout

    def key(self, name):
        self.openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", name + ".key")

    # mbedtls compares names as text: an address too.
    def server(self, name, host="DNS:127.0.0.1", start="20200101000000Z", end="20990101000000Z"):
        """Signs a certificate; returns the paths of certificate and key."""
        self.key(name)
        self.openssl("req", "-new", "-key", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        database = self.dir / "index.txt"
        database.write_text("")
        (self.dir / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\ndefault_md=sha256\n"
            "policy=p\nrand_serial=yes\ncertificate=%s.pem\nprivate_key=%s.key\nx509_extensions=e\n"
            "unique_subject=no\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=%s\n"
            % (self.name, self.name, host)
        )
        self.openssl(
            "ca", "-batch", "-config", "ca.cnf", "-in", name + ".csr", "-out", name + ".pem",
            "-startdate", start, "-enddate", end, "-notext",
        )
        return self.dir / (name + ".pem"), self.dir / (name + ".key")

    def pin(self, name):
        """SHA-256 of the public key, as boards pin it."""
        pem = self.openssl("x509", "-in", name + ".pem", "-pubkey", "-noout")
        der = self.openssl("pkey", "-pubin", "-outform", "DER", data=pem)
        return hashlib.sha256(der).hexdigest()
