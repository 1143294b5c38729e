# SPDX-License-Identifier: MIT
"""The code blocks of a Markdown page, and what a mark before each says of it.

A mark is a comment on the line before the block, `<!-- test: KIND WORDS -->`:

    sh          commands, run by a shell in a scratch folder; `make` is that of the repository
    make        `make` with targets that are too long for here: they must exist
    board WORDS Python, run as main.py of the simulated board after the statements WORDS; the page's
                blocks share one card
    forever     the same for what never ends but resets
    boot        a boot.py for the board from here on
    file NAME   a file in the scratch folder
    output      lines that the blocks before have printed; numbers may differ, "..." leaves some out
    skip WHY    what can't run here, and why
"""

import re
from dataclasses import dataclass

MARK = re.compile(r"<!-- test: (\w+) ?(.*?) ?-->$")
KINDS = ("sh", "make", "board", "forever", "boot", "file", "output", "skip")
# First words of a line that make a block commands, whatever it says of itself.
COMMANDS = re.compile(
    r"^(\$ |>>> |sudo )*((\w+=\S* )*)(make|mpremote|tools/\S+|build/\S+|apt-get|apt|tar|echo|sdboot|esptool|git"
    r"|sha256sum|/usr/bin/python3|python3|minisign|mcopy|openssl|curl|import sdboot|sdboot\.\w+\(.*"
    r"|with sdboot\..*|from sdboot .*)( |$)"
)


@dataclass
class Block:
    line: int
    text: str
    kind: str = ""
    words: str = ""


def blocks(text):
    """The blocks of a page in their order."""
    lines = text.split("\n")
    found = []
    i = 0
    while i < len(lines):
        fence = re.match(r"( *)```", lines[i])
        start = i
        if fence:
            i += 1
            inside = []
            while not lines[i].lstrip().startswith("```"):
                inside.append(lines[i][len(fence.group(1)) :])
                i += 1
            i += 1
        elif lines[i].startswith("    ") and _may_begin(lines, i):
            inside = []
            while i < len(lines) and (lines[i].startswith("    ") or not lines[i].strip()):
                inside.append(lines[i][4:])
                i += 1
        else:
            i += 1
            continue
        block = Block(start + 1, "\n".join(inside).rstrip() + "\n")
        mark = MARK.match(lines[start - 1].strip()) if start else None
        if mark:
            block.kind, block.words = mark.groups()
        found.append(block)
    return found


def _may_begin(lines, i):
    # An indented block comes after an empty line or a comment, and is not the rest of a list's item.
    if i and lines[i - 1].strip() and not lines[i - 1].strip().endswith("-->"):
        return False
    for line in reversed(lines[:i]):
        if line.strip() and not line.startswith(" "):
            return not re.match(r"([-*]|\d+\.) ", line)
    return True


def looks_like_commands(text):
    return any(COMMANDS.match(line.strip()) for line in text.split("\n"))
