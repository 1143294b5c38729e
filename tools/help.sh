#!/bin/sh
# SPDX-License-Identifier: MIT
# `make help`: the targets of the Makefile that say "## what for", in groups. What is in no list here
# is a test.
cd "$(dirname "$0")/.." || exit 1
awk -F '## ' '
    BEGIN {
        split("demo run put ls setup board cli install-host install uninstall push dist deb clean", use, " ")
        split("native rp2 emu", firmware, " ")
        for (i in use) group[use[i]] = 1
        for (i in firmware) group[firmware[i]] = 3
        title[1] = "Use it"; title[2] = "Test it"; title[3] = "Build firmware"
    }
    /^[a-z][a-z0-9 -]*:.*## / {
        split($1, name, ":")
        split(name[1], first, " ")
        n = group[first[1]] ? group[first[1]] : 2
        line = sprintf("  make %-17s %s\n", name[1], $2)
        text[n] = name[1] == "test" ? line text[n] : text[n] line
    }
    END { for (n = 1; n <= 3; n++) printf "%s%s:\n%s", (n == 1 ? "" : "\n"), title[n], text[n] }
' Makefile
