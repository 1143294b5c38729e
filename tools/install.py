#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make install PORT=/dev/ttyUSB0`: puts the package on a board with stock MicroPython, over its
serial line with mpremote; `make uninstall` removes it.

The order makes an interrupted install harmless: files go to /lib/sdboot.new, their hashes are
verified there by the board, then they are renamed into /lib/sdboot, and boot.py comes last."""

import argparse
import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "build" / "native"
UNPACKED = ROOT / "build" / "mpremote" / "usr" / "lib" / "python3" / "dist-packages"
BOARD_CODE = (Path(__file__).parent / "install_board.py").read_text()
MARK = "sdboot-install "

MPY = (6, 3)
FIRMWARE = "MicroPython 1.23 to 1.28"
# Numbers of sys.implementation._mpy >> 10, and the package that runs there.
ARCHITECTURES = (
    "none x86 x64 armv6 armv6m armv7m armv7em armv7emsp armv7emdp xtensa xtensawin rv32imc rv64imc"
).split()
PACKAGES = {"xtensawin", "rv32imc", "armv7m", "armv6m", "x64"}
SAME_CODE = {"armv7em": "armv7m", "armv7emsp": "armv7m", "armv7emdp": "armv7m"}

# These have no pins of their own for a card, and on ESP32-C3 sdboot's recovery pin is a USB line:
# the boot.py for ESP32 would fail there.
NO_DEFAULT_PINS = ("ESP32C2", "ESP32C3", "ESP32C5", "ESP32C6", "ESP32H2", "ESP32S2")
WIRING = """install: the package is there, boot.py is as it was: %s has no pins of its own for a
card. Say how yours is wired (docs/INSTALL.md), for instance
    make install PORT=... BOOT='pin=10, sd={"slot": 2, "sck": 4, "miso": 5, "mosi": 6, "cs": 7}'"""

# A Pico has no machine.SDCard: its boot.py makes the card with a driver, which goes to /lib.
PICO = ROOT / "examples" / "pico"
# What these boards have finds the card; their pins have names, and which is free we can't know.
NAMED_PINS = ("pyboard", "mimxrt")
NO_PIN = """install: boot.py has no recovery pin. With a button to GND at one of the board's pins, say so:
    make install PORT=... BOOT='pin="X17"'"""


class Failure(Exception):
    """What happened, and what to do."""


class Board:
    """The MicroPython at `port`. Each call is one run of mpremote, without a reset ("resume"): a
    reset would run boot.py, and so count a boot of a release on trial."""

    def __init__(self, port):
        self.port = port
        self.env = dict(os.environ)
        self.command = find_mpremote(self.env)
        if port.startswith("/"):
            check_port(port)
        self.wake()

    def wake(self):
        # Opening the port resets some boards, and boot.py may take a while.
        for seconds in (10, 15):
            status, out = self.run(("exec", "None"), seconds)
            if status is not None and "could not enter raw repl" not in out:
                return
        raise Failure(
            "the board at %s does not answer: is it the right port, is MicroPython on the board, "
            "does a terminal or an IDE use the port? Reset the board and try again" % self.port
        )

    def call(self, text):
        """Runs the call `text` of tools/install_board.py and returns what it prints."""
        out = self.mpremote("exec", "%s\n%s" % (BOARD_CODE, text), timeout=120)
        for line in out.splitlines():
            if MARK in line:  # a thread of the application may print too
                return ast.literal_eval(line.split(MARK, 1)[1])
        raise Failure("the board gave no result: reset it and try again. It said:\n" + out)

    def copy(self, files, target):
        size = sum(f.stat().st_size for f in files)
        words = [str(f) for f in files]
        self.mpremote("fs", "cp", *words, ":" + target, timeout=60 + size // 500)

    def mpremote(self, *words, timeout):
        status, out = self.run(words, timeout)
        if status == 0:
            return out
        if status is None:
            raise Failure(
                "the board at %s has stopped answering: reset it and run this again; what it had "
                "before still works" % self.port
            )
        if "failed to access" in out or "Device or resource busy" in out:
            raise Failure("%s can't be opened: close other programs that use it" % self.port)
        last = (out.strip().splitlines() or ["no message"])[-1]
        if "ENOSPC" in last or "Errno 28" in last:
            raise Failure("the board's flash is full: remove files from it and run this again")
        if "<stdin>" in out:  # the board's traceback, not mpremote's
            raise Failure("the board says: %s" % last)
        raise Failure(
            "the connection to %s was lost (%s): plug the board in and run this again; what it had "
            "before still works" % (self.port, last)
        )

    def run(self, words, timeout):
        """Exit status and output of mpremote; None and "" after `timeout` seconds."""
        command = [*self.command, "connect", self.port, "resume", *words]
        try:
            done = subprocess.run(
                command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:  # some versions of mpremote wait for ever
            return None, ""
        return done.returncode, done.stdout.decode(errors="replace")


def find_mpremote(env):
    """Command that starts mpremote: $MPREMOTE, the system's, or the one below build/."""
    if env.get("MPREMOTE"):
        return [env["MPREMOTE"]]
    found = shutil.which("mpremote")
    if found:
        return [found]
    if UNPACKED.exists():
        env["PYTHONPATH"] = str(UNPACKED)
        return ["/usr/bin/python3", "-m", "mpremote"]
    raise Failure(
        "mpremote is missing: `make install` fetches it, or install Debian's micropython-mpremote "
        "(bookworm-backports, trixie and later)"
    )


def check_port(port):
    if not os.path.exists(port):
        raise Failure(
            "there is no %s: plug the board in with a USB cable that carries data; "
            "`ls /dev/ttyUSB* /dev/ttyACM*` shows its name" % port
        )
    if not os.access(port, os.R_OK | os.W_OK):
        raise Failure(
            "you may not use %s: `sudo usermod -a -G dialout %s`, then log in again"
            % (port, os.environ.get("USER", "YOU"))
        )


def architecture(said, wanted):
    """The package for the board that `said` so; refuses firmware that can't run it."""
    name = "MicroPython %s on %s" % (said["release"], said["machine"])
    mpy = said["mpy"]
    if mpy is None:
        raise Failure("%s can't load .mpy files: install %s" % (name, FIRMWARE))
    if (mpy & 0xFF, mpy >> 8 & 3) != MPY:
        raise Failure(
            "%s loads .mpy %d.%d, the package is %d.%d: install %s"
            % (name, mpy & 0xFF, mpy >> 8 & 3, *MPY, FIRMWARE)
        )
    number = mpy >> 10 & 0xF
    arch = ARCHITECTURES[number] if number < len(ARCHITECTURES) else "number %d" % number
    if arch == "none":
        raise Failure(
            "%s is built without support for native code: build firmware with sdboot in it, "
            "docs/INSTALL.md says how" % name
        )
    package = SAME_CODE.get(arch, arch)
    if package not in PACKAGES:
        raise Failure("%s has architecture %s: there is no package for it" % (name, arch))
    if wanted and wanted not in (package, arch):
        raise Failure("%s needs ARCH=%s, not %s: leave ARCH out" % (name, package, wanted))
    print("install: %s, %s" % (name, package))
    return package


def package_files(arch):
    """{path on the flash: (file, SHA-256)} of build/native/ARCH, built if it is missing."""
    folder = Path(os.environ.get("SDBOOT_NATIVE", NATIVE)) / arch
    if not (folder / "SHA256SUMS").exists():
        command = ["make", "--no-print-directory", "-C", str(ROOT), "native", "ARCH=" + arch]
        if subprocess.run(command).returncode or not (folder / "SHA256SUMS").exists():
            raise Failure("`make native ARCH=%s` has failed, see above" % arch)
    files = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, path = line.split(maxsplit=1)
        path = path.lstrip("*")
        if not (path == "boot.py" or path.startswith("lib/sdboot/")):
            continue
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest:
            raise Failure("%s is not what was built: `make native ARCH=%s`" % (folder / path, arch))
        files[path] = (folder / path, digest)
    return files


def code_of(boot_py):
    """What `boot_py` does: "nothing", "sdboot" (and nothing else), "sdboot and more", "other"."""
    try:
        body = ast.parse(boot_py).body
    except (SyntaxError, ValueError):
        return "other"
    ours = [s for s in body if is_ours(s)]
    if not body:
        return "nothing"
    if len(ours) == len(body):
        return "sdboot"
    return "sdboot and more" if any(isinstance(s, ast.Expr) for s in ours) else "other"


def is_ours(statement):
    if isinstance(statement, ast.Import):
        return [a.name for a in statement.names] == ["sdboot"]
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    return ast.unparse(statement.value.func) == "sdboot.boot"


def unwanted(names, files):
    """Modules on the board that the package does not have (any more)."""
    wanted = {Path(path).name for path in files}
    return sorted(n for n in names if n.endswith((".py", ".mpy")) and n not in wanted)


def install_package(board, said, files):
    target = said["flash"] + "/lib/sdboot"
    there = board.call("hashes(%r)" % target)
    files = {path: f for path, f in files.items() if path != "boot.py"}
    changed = {p: f for p, f in files.items() if there.get(Path(p).name) != f[1]}
    stale = unwanted(there, files)
    if not changed and not stale:
        print("install: the package is there already, nothing to copy")
        return
    size = sum(-(-f.stat().st_size // said["block"]) * said["block"] for f, _ in changed.values())
    if size + 4 * said["block"] > said["free"]:
        raise Failure(
            "the flash has %d bytes free, the package needs %d: remove files from it"
            % (said["free"], size + 4 * said["block"])
        )
    count = sum(f.stat().st_size for f, _ in changed.values())
    print("install: copying %d of %d files, %d bytes" % (len(changed), len(files), count))
    staging = target + ".new"
    board.call("empty(%r)" % staging)
    if changed:
        board.copy([f for f, _ in changed.values()], staging)
    verify(board, staging, changed)
    board.call("move(%r, %r, %r)" % (staging, target, stale))
    verify(board, target, files)
    print("install: %d files verified on the board" % len(files))


def verify(board, folder, files):
    found = board.call("hashes(%r)" % folder)
    bad = [Path(p).name for p, f in files.items() if found.get(Path(p).name) != f[1]]
    if bad:
        raise Failure(
            "these arrived damaged in %s: %s. Run this again; if it happens again, try another "
            "cable or port" % (folder, ", ".join(bad))
        )


def wanted_boot(said, default, arguments):
    """boot.py for the board: with the `arguments` of sdboot.boot() if there are any, else the
    `default` one, None where that can't work."""
    platform = said.get("platform")
    if platform == "rp2" and "sd=" not in (arguments or ""):
        return pico_boot(arguments)
    if arguments is None and platform in NAMED_PINS:
        arguments = "pin=None"
        print(NO_PIN)
    if arguments is None:
        return None if said["machine"].endswith(NO_DEFAULT_PINS) else default
    boot_py = b"import sdboot\n\nsdboot.boot(%s)\n" % arguments.encode()
    if code_of(boot_py) != "sdboot":
        refuse(arguments)
    return boot_py


def pico_boot(arguments):
    """boot.py of a Pico; the `arguments` of sdboot.boot() come behind the card."""
    boot_py = (PICO / "boot.py").read_text()
    if arguments:
        boot_py = boot_py.replace("boot(sd=card)", "boot(sd=card, %s)" % arguments)
        if code_of(boot_py) != "sdboot and more":
            refuse(arguments)
    return boot_py.encode()


def is_pico_boot(boot_py):
    head = (PICO / "boot.py").read_bytes().split(b"sdboot.boot(")[0]
    return boot_py is not None and boot_py.startswith(head)


def install_driver(board, said):
    """The card's driver, unless the board has one of that name."""
    driver = PICO / "spicard.py"
    folder = said["flash"] + "/lib"
    wanted = hashlib.sha256(driver.read_bytes()).hexdigest()
    found = board.call("hashes(%r)" % folder).get(driver.name)
    if found is None:
        board.copy([driver], folder + "/" + driver.name)
        found = board.call("hashes(%r)" % folder).get(driver.name)
        if found != wanted:
            raise Failure("%s arrived damaged: run this again" % driver.name)
        print("install: %s, the card's driver, is in %s" % (driver.name, folder))
    elif found != wanted:
        print("install: your own %s/%s is kept" % (folder, driver.name))


def refuse(arguments):
    raise Failure("BOOT=%r is no list of arguments of sdboot.boot()" % arguments)


def install_boot(board, said, ours, force):
    """boot.py starts sdboot from now on, unless the user has one of their own."""
    path = said["flash"] + "/boot.py"
    theirs = said["boot"]
    if theirs == ours:
        print("install: boot.py is ours already")
        return
    does = "nothing" if theirs is None else code_of(theirs)
    if does.startswith("sdboot") and not force:
        print("install: your boot.py starts sdboot already: kept")
        return
    if does == "other" and not force:
        print("install: your own boot.py is kept. Add this to its end:\n")
        print("".join("    %s\n" % line for line in ours.decode().splitlines()))
        print("install: or have it replaced (it becomes boot.py.old): make install FORCE=1 ...")
        return
    if said["old"] is None:
        keep = path + ".old" if theirs else None
    elif does == "nothing":
        keep = None
    else:
        raise Failure("there is a boot.py.old on the board already: rename or remove it")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "boot.py"
        source.write_bytes(ours)
        board.copy([source], path + ".new")
    board.call("replace(%r, %r, %r)" % (path + ".new", path, keep))
    if board.call("probe()")["boot"] != ours:
        raise Failure("boot.py arrived damaged: run this again")
    print("install: boot.py installed" + (", what was there is boot.py.old" if keep else ""))


def install(args):
    board = Board(args.port)
    said = board.call("probe()")
    files = package_files(architecture(said, args.arch))
    if said["executable"]:
        print("install: executable memory free: %d bytes, largest block %d" % said["executable"])
    install_package(board, said, files)
    boot_py = wanted_boot(said, files["boot.py"][0].read_bytes(), args.boot)
    if boot_py is None:
        print(WIRING % said["machine"])
        return
    if is_pico_boot(boot_py):
        install_driver(board, said)
    install_boot(board, said, boot_py, args.force)
    print(
        "install: done. Put a card in and reset the board. It says what it finds, for instance\n"
        "    sdboot: no release on SD card, FAT, 7580 MiB\n"
        "and the card is \"/\". A blank card is formatted. docs/INSTALL.md goes on from here."
    )


def uninstall(args):
    board = Board(args.port)
    said = board.call("probe()")
    uninstall_boot(board, said)  # first: without the package it would fail
    folder = said["flash"] + "/lib/sdboot"
    staged = sorted(board.call("hashes(%r)" % (folder + ".new")))
    board.call("remove(%r, %r)" % (folder + ".new", staged))
    names = unwanted(board.call("hashes(%r)" % folder), ())
    left = board.call("remove(%r, %r)" % (folder, names))
    print("uninstall: %d files of the package removed" % len(names))
    if left:
        print("uninstall: these in lib/sdboot are not ours and stay: " + ", ".join(left))
    print("uninstall: done, reset the board. The card is as it was; a PC can delete .sdboot/ on it")


def uninstall_boot(board, said):
    path = said["flash"] + "/boot.py"
    does = "nothing" if said["boot"] is None else code_of(said["boot"])
    if is_pico_boot(said["boot"]):
        does = "sdboot"
    if does == "sdboot and more":
        print("uninstall: boot.py has more in it than ours: remove the lines with sdboot yourself")
    if does != "sdboot":
        return
    if said["old"] is not None and not code_of(said["old"]).startswith("sdboot"):
        board.call("replace(%r, %r, None)" % (path + ".old", path))
        print("uninstall: boot.py removed, boot.py.old is boot.py again")
    else:
        board.call("remove(%r, ['boot.py'])" % (said["flash"] or "/"))
        print("uninstall: boot.py removed")


def main():
    parser = argparse.ArgumentParser(description="Installs sdboot on a board, or removes it.")
    parser.add_argument("action", choices=("install", "uninstall"))
    parser.add_argument("--port", required=True, help="serial port, for instance /dev/ttyUSB0")
    parser.add_argument("--arch", help="the package that the board must need")
    parser.add_argument("--boot", help="arguments of sdboot.boot() in boot.py")
    parser.add_argument("--force", action="store_true", help="replace a boot.py of your own")
    args = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    try:
        (install if args.action == "install" else uninstall)(args)
    except Failure as e:
        print("%s: %s" % (args.action, e), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n%s: stopped; run it again to finish" % args.action, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
