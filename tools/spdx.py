#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each source file says its licence in one of its first lines: `tools/spdx.py` names those that don't,
and fails; with --write it adds the line."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINE = "SPDX-License-Identifier: MIT"
BEGIN = {".c": "// ", ".h": "// ", ".S": "// ", ".mjs": "// ", ".ld": "/* "}
HASH = (".py", ".pyi", ".sh", ".mk", ".cmake", ".yml", ".bash")
NAMES = ("Makefile", "CMakeLists.txt", "run")
FIXTURES = ("tests/fuzz-cli/seeds/",)


def comment(path):
    """The line, or None: this is no source file."""
    if str(path).startswith(FIXTURES):
        return None
    begin = BEGIN.get(path.suffix)
    if begin is None and (path.suffix in HASH or path.name in NAMES):
        begin = "# "
    return begin and begin + LINE + (" */" if begin == "/* " else "") + "\n"


def main():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True)
    missing = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        line = comment(Path(name))
        if line is None or not path.is_file():
            continue
        text = path.read_text()
        if LINE in "\n".join(text.split("\n")[:3]):
            continue
        missing.append(name)
        if "--write" in sys.argv:
            first, rest = "", text
            if text.startswith("#!"):
                first, _, rest = text.partition("\n")
                first += "\n"
            path.write_text(first + line + rest)
    if missing and "--write" not in sys.argv:
        sys.exit("spdx: no line of the licence in: %s; tools/spdx.py --write" % " ".join(missing))


if __name__ == "__main__":
    main()
