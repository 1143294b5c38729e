#!/usr/bin/python3
"""`make run`: the simulated board in this terminal."""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from lab import BOARD, ROOT, flash_image, host  # noqa: E402


def put_settings(flash, url):
    """What the example application reads if the card has no settings.json."""
    settings = json.loads((ROOT / "examples" / "app" / "settings.json").read_text())
    settings["updates"] = url
    path = flash.with_name("settings.json")
    path.write_text(json.dumps(settings))
    host(ROOT / "sim" / "flash.py", "put", flash, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--card", type=Path, help="card image; made (64 MiB, blank) if missing")
    parser.add_argument("--flash", type=Path, help="internal flash image; made if missing")
    parser.add_argument("--pin", help="level at a pin: 18=0 presses the recovery pin")
    parser.add_argument("--url", help="server of releases, goes into settings.json on the flash")
    args = parser.parse_args()
    for image in (args.card, args.flash):
        image.parent.mkdir(parents=True, exist_ok=True)
    if not args.flash.exists():
        flash_image(args.flash, ROOT / "examples" / "app" / "boot.py")
    if not args.card.exists():
        with open(args.card, "wb") as f:
            f.truncate(64 << 20)
    if args.url:
        put_settings(args.flash, args.url)
    command = [BOARD, "--flash", args.flash, "--card", args.card]
    if args.pin:
        command += ["--pin", args.pin]
    os.execv(BOARD, [str(word) for word in command])


if __name__ == "__main__":
    main()
