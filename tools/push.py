#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make push PORT=/dev/ttyUSB0 RELEASES=www`: updates a board over USB from a folder of releases.

The folder, as `sdboot release` makes it, is mounted on the board by mpremote; the board takes its newest
release from there as from a server: with an index only what it has not goes over the line, and a board
that has keys wants the signature. Then it is reset."""

import argparse
import ast
import subprocess
import sys
import time
from pathlib import Path

from install import Board, Failure

MARK = "sdboot-push "
CODE = """
import sdboot
def push():
    try:
        if not sdboot.OTA("file:///remote", quite=False, force_update=%r).install_update_if_available():
            return ""
        return "staged"
    except Exception as e:
        return "%%s: %%s" %% (type(e).__name__, e)
print(%r + repr(push()))
"""


def push(board, folder, force):
    """Returns what the board says: "staged", "" or why not."""
    code = CODE % (force, MARK)
    command = [*board.command, "connect", board.port, "resume", "mount", str(folder), "exec", code]
    run = subprocess.Popen(
        command, env=board.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = b""
    while data := run.stdout.read1(256):
        said += data
        shown = data.split(MARK.encode())[0]
        sys.stdout.buffer.write(shown)
        sys.stdout.flush()
    run.wait()
    text = said.decode(errors="replace")
    for line in text.replace("\r", "\n").splitlines():
        if line.startswith(MARK):
            return ast.literal_eval(line[len(MARK) :])
    raise Failure("the connection to %s was lost: run this again, what has come is not lost" % board.port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", required=True)
    parser.add_argument("--force", action="store_true", help="also a release that is not newer")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    if not (options.folder / "versions").is_file():
        sys.exit("push: %s has no file versions: `sdboot release -o` makes such a folder" % options.folder)
    start = time.monotonic()
    try:
        board = Board(options.port)
        result = push(board, options.folder, options.force)
        if result == "staged":
            board.run(("reset",), 30)
    except Failure as e:
        sys.exit("push: %s" % e)
    if result == "staged":
        print("push: staged in %.0f s, the board is reset to run it" % (time.monotonic() - start))
    elif result == "":
        print("push: nothing to install")
    else:
        sys.exit("push: the board refuses: %s" % result)


if __name__ == "__main__":
    main()
