# SPDX-License-Identifier: MIT
"""What the demo and the tests share: the board, its flash image, cards, real servers."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIMULATED = ROOT / "build" / "sim" / "board"
# The board and the folder at its /lib/sdboot: the simulated one, with sdboot in its firmware.
BOARD = Path(os.environ.get("SDBOOT_BOARD", SIMULATED))
PACKAGE = Path(os.environ.get("SDBOOT_PACKAGE", ROOT / "micropython" / "sdboot"))
MPY_CROSS = ROOT / "build" / "mpy-cross" / "mpy-cross"
PARTITION = 4 << 20  # bytes: where sdboot puts the partition of a card of 64 MiB or more


def own_folder(test, parent):
    """An empty folder for a unittest's test case, removed when it ends."""
    folder = parent / test.id()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    test.addCleanup(shutil.rmtree, folder, True)
    return folder


def bytecode(folder):
    """The package as boards get it, in `folder`: they need not compile it at each power-on."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in (ROOT / "micropython" / "sdboot").glob("*.py"):
        if source.name == "__init__.py":
            shutil.copy(source, folder)
        else:
            target = folder / (source.stem + ".mpy")
            subprocess.run([MPY_CROSS, "-s", source.name, "-o", target, source], check=True)
    return folder


def flash_image(image, boot_py, *extra):
    """An internal flash with the package, `boot_py` as boot.py, and `extra` "source:/target"s."""
    sources = ["%s:/boot.py" % boot_py, "%s:/lib/sdboot" % PACKAGE, *extra]
    host(ROOT / "sim" / "flash.py", "make", image, *sources)


def host(script, *args):
    """Runs a tool of the simulator on the host's files, whatever the board."""
    command = [SIMULATED, "--host", script, *args]
    run = subprocess.run(command, text=True, capture_output=True, timeout=120)
    if run.returncode:
        raise RuntimeError("%s: %s" % (script, run.stdout + run.stderr))
    return run.stdout


def mcopy(image, *sources, offset=PARTITION, target="::/"):
    command = ["mcopy", "-s", "-o", "-i", "%s@@%d" % (image, offset), *sources, target]
    subprocess.run(command, check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError("the server ended at once: %d" % process.returncode)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the server does not listen")


class Nginx:
    """A real nginx on a port of its own that serves `folder`; gives its URL."""

    CONFIG = """
daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {dir}/access.log; default_type application/octet-stream;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    server {{ listen 127.0.0.1:{port}{ssl}; root {root}; {extra} }}
}}
"""

    def __init__(self, folder, extra="", secure=False):
        self.secure = secure
        self.folder = Path(folder).resolve()
        self.extra = extra

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory()
        port = free_port()
        config = Path(self.dir.name) / "nginx.conf"
        config.write_text(
            self.CONFIG.format(dir=self.dir.name, port=port, root=self.folder, extra=self.extra,
                ssl=" ssl" if self.secure else "")
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [nginx, "-c", config, "-p", self.dir.name], stderr=subprocess.DEVNULL
        )
        wait_for_port(port, self.process)
        return "http%s://127.0.0.1:%d" % ("s" if self.secure else "", port)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.dir.cleanup()
