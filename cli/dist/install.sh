#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the host tool, its manual pages and its completion below PREFIX.
#   install.sh SDBOOT PREFIX
set -eu
tool=$1
prefix=$2
here=$(cd "$(dirname "$0")" && pwd)
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
/usr/bin/python3 "$here/manpages.py" "$tool" "$pages"
install -D -m 755 "$tool" "$prefix/bin/sdboot"
for page in "$pages"/*.1; do
    install -D -m 644 "$page" "$prefix/share/man/man1/${page##*/}"
done
install -D -m 644 "$here/sdboot.bash" "$prefix/share/bash-completion/completions/sdboot"
install -D -m 644 "$here/../../LICENSE" "$prefix/share/doc/sdboot/copyright"
