# SPDX-License-Identifier: MIT
"""Manual pages from what `sdboot COMMAND --help` says: one text, two places.

    manpages.py SDBOOT FOLDER    writes FOLDER/sdboot.1 and FOLDER/sdboot-COMMAND.1
"""

import re
import subprocess
import sys
from pathlib import Path


def ask(tool, *arguments):
    return subprocess.run([tool, *arguments, "--help"], capture_output=True, text=True, check=True).stdout


def commands(text):
    return re.findall(r"^  ([a-z]+) {2,}(.*)$", text, re.M)


def escape(line):
    line = line.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + line if line.startswith((".", "'")) else line


def is_option(line):
    return re.match(r"  (-\w|    --\w)", line)


def page(name, what, version, text):
    lines = text.rstrip("\n").split("\n")
    out = ['.TH %s 1 "" "sdboot %s" "User commands"' % (name.upper(), version)]
    out += [".SH NAME", "%s \\- %s" % (escape(name), escape(what)), ".SH SYNOPSIS"]
    out += [".B " + escape(lines[0].replace("usage: ", "")), ".SH DESCRIPTION"]
    rest = lines[1:]
    examples = []
    while rest and (rest[-1].startswith("  sdboot") or rest[-1].startswith("  aws") or rest[-1].startswith("  dd")):
        examples.insert(0, rest.pop().strip())
    in_options = plain = False
    for line in rest:
        was_plain, plain = plain, False
        if is_option(line):
            if not in_options:
                out.append(".SH OPTIONS")
                in_options = True
            option, _, words = re.match(r"\s*((?:-|--)\S.*?)(\s{2,}|$)(.*)$", line).groups()
            out += [".TP", ".B " + escape(option), escape(words.strip())]
        elif re.match(r"  \w+ {2,}\w", line):  # a command
            word, words = line.split(None, 1)
            out += [".TP", ".B " + escape(word), escape(words)]
        elif line.startswith("   "):
            out.append(escape(line.strip()))
        elif not line.strip():
            out.append(".PP")
        else:
            if in_options and not was_plain:
                out.append(".PP")
            out.append(escape(line.strip()))
            plain = True
    if examples:
        out += [".SH EXAMPLES", ".nf", *map(escape, examples), ".fi"]
    out += [".SH EXIT STATUS", "0: good. 1: what was checked is bad, or would be. 2: it could not be done."]
    out += [".SH SEE ALSO", ".BR sdboot (1)"]
    return "\n".join(out) + "\n"


def main(tool, folder):
    version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.split()[1]
    Path(folder).mkdir(parents=True, exist_ok=True)
    top = ask(tool)
    text = page("sdboot", "releases for boards that boot from an SD card", version, top)
    Path(folder, "sdboot.1").write_text(text)
    for name, what in commands(top):
        text = page("sdboot-" + name, what, version, ask(tool, name))
        Path(folder, "sdboot-%s.1" % name).write_text(text)


main(*sys.argv[1:])
