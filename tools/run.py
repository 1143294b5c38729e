#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make run`: the simulated board in this terminal, or with --pty on a serial port of its own."""

import argparse
import json
import os
import pty
import select
import subprocess
import sys
import tty
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from lab import BOARD, ROOT, flash_image, host  # noqa: E402

DEMO = ROOT / "build" / "demo"  # the board that `make demo` has left
OWN = ROOT / "build" / "run"
PORT = OWN / "tty"  # a name for the serial port that stays the same


def images(card, flash):
    """Card and flash of the board: what was asked for; else those of the demo, if there has been
    one; else new ones. The card may be "none"."""
    folder = DEMO if (DEMO / "flash.img").exists() and (DEMO / "card.img").exists() else OWN
    own = OWN if card else folder  # a card of somebody's own gets no flash of the demo's
    flash = Path(flash) if flash else own / "flash.img"
    card = None if card == "none" else Path(card) if card else folder / "card.img"
    return card, flash


def make_missing(card, flash):
    for image in (card, flash):
        if image is not None:
            image.parent.mkdir(parents=True, exist_ok=True)
    if not flash.exists():
        flash_image(flash, ROOT / "examples" / "app" / "boot.py")
    if card is not None and not card.exists():
        with open(card, "wb") as f:
            f.truncate(64 << 20)


def put_settings(flash, url):
    """What the example application reads if the card has no settings.json."""
    settings = json.loads((ROOT / "examples" / "app" / "settings.json").read_text())
    settings["updates"] = url
    path = flash.with_name("settings.json")
    path.write_text(json.dumps(settings))
    host(ROOT / "sim" / "flash.py", "put", flash, path)


def serve(command):
    """The board behind a pseudo-terminal, which mpremote opens as it opens /dev/ttyUSB0. What it
    says is shown here too. Until Ctrl-C; Enter here pulls the card out and puts it back."""
    line, port = pty.openpty()
    tty.setraw(port)  # held open: whoever leaves the port does not hang up the line
    PORT.parent.mkdir(parents=True, exist_ok=True)
    PORT.unlink(missing_ok=True)
    PORT.symlink_to(os.ttyname(port))
    print("run: the board's serial port is %s (%s)" % (PORT.relative_to(ROOT), os.ttyname(port)))
    print("run: Ctrl-C switches the board off, Enter pulls its card out and puts it back", flush=True)
    os.set_blocking(line, False)
    board = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        return copy(board, line)
    except KeyboardInterrupt:
        return 0
    finally:
        board.terminate()
        board.wait()
        PORT.unlink(missing_ok=True)


def copy(board, line):
    said, typed, keys = board.stdout.fileno(), board.stdin.fileno(), sys.stdin.fileno()
    watched = [said, line, keys]
    while True:
        for fd in select.select(watched, [], [])[0]:
            data = os.read(fd, 4096)
            if fd == line:
                os.write(typed, data)
            elif fd == keys:
                if data:
                    board.send_signal(12)  # SIGUSR2
                else:
                    watched.remove(keys)
            elif data:
                os.write(sys.stdout.fileno(), data)
                try:
                    os.write(line, data)
                except BlockingIOError:
                    pass  # nobody reads there: a serial line does not wait either
            else:
                return board.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--card", help='card image; made (64 MiB, blank) if missing; "none": no card')
    parser.add_argument("--flash", help="internal flash image; made if missing")
    parser.add_argument("--pin", help="level at a pin: 18=0 presses the recovery pin")
    parser.add_argument("--url", help="server of releases, goes into settings.json on the flash")
    parser.add_argument("--fail", help="commands of the card that fail: w100, w100+, r5, w7/")
    parser.add_argument("--pty", action="store_true", help="on a serial port, for mpremote")
    args, others = parser.parse_known_args()
    card, flash = images(args.card, args.flash)
    make_missing(card, flash)
    if args.url:
        put_settings(flash, args.url)
    command = [BOARD, "--flash", flash]
    for option, value in (("--card", card), ("--pin", args.pin), ("--card-fail", args.fail)):
        if value:
            command += [option, value]
    command = [str(word) for word in command + others]
    if args.pty:
        sys.exit(serve(command))
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
