# SPDX-License-Identifier: MIT
"""Web servers that Debian has, each started on a free port by whoever runs the tests, serving one
folder: with Server(folder) as url. `ranges` and `etags` say what the server can do."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lab import Nginx, free_port, wait_for_port  # noqa: E402


class Httpd:
    """`command(port)` starts it in the foreground; `self.dir` is for its own files."""

    binary = None
    ranges = True
    etags = True

    @classmethod
    def found(cls):
        return shutil.which(cls.binary, path=os.environ["PATH"] + ":/usr/sbin:/sbin")

    def __init__(self, folder):
        self.folder = Path(folder).resolve()

    def __enter__(self):
        if not self.found():
            raise RuntimeError("%s is missing: tools/setup.sh servers" % self.binary)
        self.own = tempfile.TemporaryDirectory()
        self.dir = Path(self.own.name)
        self.port = free_port()
        self.log = open(self.dir / "output", "w+")
        self.process = subprocess.Popen(
            [str(word) for word in self.command()],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            cwd=self.dir,
            env={**os.environ, "HOME": str(self.dir)},
        )
        try:
            wait_for_port(self.port, self.process)
        except RuntimeError as e:
            self.log.seek(0)
            said = self.log.read()
            self.__exit__()
            raise RuntimeError("%s: %s\n%s" % (self.binary, e, said))
        return "http://127.0.0.1:%d" % self.port

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.own.cleanup()

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text.format(port=self.port, root=self.folder, dir=self.dir))
        return path


class Apache(Httpd):
    binary = "apache2"
    CONFIG = """
ServerRoot {dir}
PidFile {dir}/pid
ErrorLog {dir}/error.log
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
{user}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule mime_module /usr/lib/apache2/modules/mod_mime.so
LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so
LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so
TypesConfig {dir}/mime.types
# As Debian's package sets it up: text is compressed for those who want it.
AddOutputFilterByType DEFLATE text/plain text/html
DocumentRoot {root}
<Directory {root}>
    Require all granted
</Directory>
"""

    def command(self):
        user = ""
        if os.geteuid() == 0:  # it refuses to be root, and others may not read our folder
            user = "User nobody\nGroup nogroup"
            self.folder = Path(shutil.copytree(self.folder, self.dir / "www"))
            for path in (self.dir, *self.dir.rglob("*")):
                path.chmod(0o755)
        (self.dir / "mime.types").write_text("text/plain txt\n")
        config = self.write("apache.conf", self.CONFIG.replace("{user}", user))
        return [self.found(), "-D", "FOREGROUND", "-f", config]


class Lighttpd(Httpd):
    binary = "lighttpd"
    CONFIG = """
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.pid-file = "{dir}/pid"
server.errorlog = "{dir}/error.log"
mimetype.assign = ( "" => "application/octet-stream" )
"""

    def command(self):
        return [self.found(), "-D", "-f", self.write("lighttpd.conf", self.CONFIG)]


class BusyBox(Httpd):
    binary = "busybox"

    def command(self):
        return [self.found(), "httpd", "-f", "-p", "127.0.0.1:%d" % self.port, "-h", self.folder]


class Caddy(Httpd):
    binary = "caddy"
    CONFIG = """
{{
    admin off
    auto_https off
    storage file_system {dir}
}}
http://127.0.0.1:{port} {{
    bind 127.0.0.1
    encode gzip
    file_server {{
        root {root}
    }}
}}
"""

    def command(self):
        config = self.write("Caddyfile", self.CONFIG)
        return [self.found(), "run", "--adapter", "caddyfile", "--config", config]


class Python(Httpd):
    """The one of the standard library, as people start it."""

    binary = "python3"
    ranges = False
    etags = False

    def command(self):
        return [
            sys.executable, "-m", "http.server", "--bind", "127.0.0.1",
            "--directory", self.folder, self.port,
        ]


class RealNginx(Nginx):
    binary = "nginx"
    ranges = etags = True


SERVERS = (RealNginx, Apache, Lighttpd, BusyBox, Caddy, Python)
