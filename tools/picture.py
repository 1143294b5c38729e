#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`make picture`: what `make demo` prints, as docs/demo.svg. --check: is the picture still that?"""

import html
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "demo.svg"
WIDTH = 100  # characters
LINE, CHARACTER = 17, 8.15  # pixels
STYLE = (
    "text{font:13.5px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "fill:#d4d4d4;white-space:pre}.step{fill:#7dc4ff;font-weight:bold}.sdboot{fill:#a6e3a1}"
)


def demo():
    """The demo's lines as a terminal shows them."""
    done = subprocess.run(
        ["/usr/bin/python3", ROOT / "tools" / "demo.py"], stdout=subprocess.PIPE, check=True
    )
    lines = []
    for line in done.stdout.decode().replace("\r\n", "\n").split("\n"):
        line = line.split("\r")[-1]  # a progress bar, as it is in the end
        while len(line) > WIDTH:
            lines.append(line[:WIDTH])
            line = line[WIDTH:]
        lines.append(line)
    # An empty line between the steps, none elsewhere.
    return [
        line
        for i, line in enumerate(lines)
        if line or (i + 1 < len(lines) and lines[i + 1].startswith("--- ") and i)
    ]


def draw(lines):
    rows = []
    for i, line in enumerate(lines):
        kind = "step" if line.startswith("--- ") else "sdboot" if line.startswith("sdboot:") else ""
        rows.append(
            '<text x="14" y="%d"%s xml:space="preserve">%s</text>'
            % (30 + LINE * i, ' class="%s"' % kind if kind else "", html.escape(line, False))
        )
    width, height = int(CHARACTER * WIDTH) + 28, LINE * len(lines) + 34
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img" '
        'aria-label="What make demo prints">\n<style>%s</style>\n'
        '<rect width="100%%" height="100%%" rx="8" fill="#1e1e1e"/>\n%s\n</svg>\n'
        % (width, height, STYLE, "\n".join(rows))
    )


def shown(picture):
    """The lines of a picture, without the numbers in them: ports, times."""
    lines = re.findall(r"<text[^>]*>(.*?)</text>", picture)
    return [re.sub(r"\d+", "0", html.unescape(line)) for line in lines]


def main():
    picture = draw(demo())
    if "--check" in sys.argv:
        if shown(picture) != shown(PICTURE.read_text()):
            sys.exit("picture: the demo prints something else now: make picture")
        return
    PICTURE.write_text(picture)
    print("picture: docs/demo.svg, %d lines" % len(shown(picture)))


if __name__ == "__main__":
    main()
