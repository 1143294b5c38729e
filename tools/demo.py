#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make demo`: a board's first day, on real MicroPython, FatFs, littlefs and nginx."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from lab import BOARD, ROOT, Nginx, flash_image, mcopy  # noqa: E402

WORK = ROOT / "build" / "demo"
FLASH = WORK / "flash.img"
CARD = WORK / "card.img"
EXAMPLE = ROOT / "examples" / "app"


def say(text):
    print("\n\033[1m--- %s\033[0m" % text if sys.stdout.isatty() else "\n--- %s" % text, flush=True)


def power_on(*options, typed="", shows):
    """Switches the board on, prints what it says, and insists that it says each of `shows`."""
    command = [BOARD, "--flash", FLASH, "--card", CARD, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as board:
        board.stdin.write(typed.encode())
        board.stdin.close()
        output = b""
        for data in iter(lambda: board.stdout.read1(4096), b""):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            output += data
    print()
    for text in shows:
        if text not in output.decode():
            sys.exit("demo: the board should have said: " + text)
    if board.returncode:
        sys.exit("demo: the board ended with status %d" % board.returncode)


def release(version, folder):
    """The example as a release: files in `folder`/VERSION and a tar made by GNU tar."""
    tree = folder / version
    shutil.copytree(EXAMPLE / "app", tree / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLE / "main.py", tree)
    (tree / "app" / ".version").write_text(version)
    # Something for the progress bar to do.
    (tree / "app" / "table.bin").write_bytes(hashlib.sha512(version.encode()).digest() * 8000)
    name = version.replace(".", "_") + "-firmware.tar"
    subprocess.run(["tar", "-C", tree, "-cf", folder / name, "app", "main.py"], check=True)
    sha1 = hashlib.sha1((folder / name).read_bytes()).hexdigest()
    return tree, "%s;%s;%s\n" % (version, name, sha1)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    www = WORK / "www"
    www.mkdir(parents=True)
    flash_image(FLASH, EXAMPLE / "boot.py")
    with open(CARD, "wb") as f:
        f.truncate(64 << 20)

    say("power on, with a blank card of 64 MiB")
    power_on(shows=["formatting it", "on SD card, FAT"])

    say("the card goes into a PC: mcopy puts release 0.0.1 on it")
    first, line1 = release("0.0.1", www)
    _, line2 = release("0.0.2", www)
    (www / "versions").write_text(line1 + line2)
    with Nginx(www) as url:
        settings = json.loads((EXAMPLE / "settings.json").read_text())
        settings.update(updates=url, interval_s=0, readings=2)
        (first / "settings.json").write_text(json.dumps(settings))
        mcopy(CARD, first / "app", first / "main.py", first / "settings.json")
        print("app/ main.py settings.json copied; nginx serves 0.0.1 and 0.0.2 at", url)

        say("power on: 0.0.1 runs from the card, finds 0.0.2, stages it, resets; 0.0.2 runs")
        power_on(
            shows=["app: this is release 0.0.1", "100%", "release 0.0.2 is in place"]
            + ["app: this is release 0.0.2", "no newer release", "release confirmed"]
        )

    say("power on with the recovery pin held low: the application stays off")
    power_on(
        "--pin",
        "18=0",
        shows=["'version': '0.0.2'", "'mounted': '/sd'"],
        typed="import os, sdboot\nos.listdir('/')\nos.listdir('/sd')\nsdboot.status()\n",
    )

    print(
        "\nShown: a blank card formatted, a release booted from it, an update over HTTP staged and "
        "swapped in\nat the next boot, the recovery pin. `make run` gives you this board."
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
