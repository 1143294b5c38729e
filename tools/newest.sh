#!/bin/sh
# SPDX-License-Identifier: MIT
# The simulated board with the newest MicroPython that a Debian suite has: build/newest/board with
# sdboot's C built in, build/newest/bare/board without it, as stock firmware for native modules.
#
#   NEWEST_DIR=/path tools/newest.sh   another MicroPython tree instead of Debian's
set -eu

SUITE=forky
ROOT=$(cd "$(dirname "$0")/.." && pwd)
OUT=$ROOT/build/newest
TREE=${NEWEST_DIR:-$OUT/micropython}

if [ ! -f "$TREE/py/mpconfig.h" ]; then
    [ -z "${NEWEST_DIR-}" ] || { echo "newest: $TREE is not a MicroPython tree" >&2; exit 1; }
    echo "newest: fetching MicroPython, Debian's source package of $SUITE"
    "$ROOT/tools/suite.sh" src "$SUITE" "$TREE" micropython
fi
number() {
    sed -n "s/^#define MICROPY_VERSION_$1 //p" "$TREE/py/mpconfig.h"
}
version=$(number MAJOR).$(number MINOR).$(number MICRO)
[ -x "$OUT/board" ] || echo "newest: building MicroPython $version, about a minute"
make --no-print-directory -C "$ROOT/sim" MPY_DIR="$TREE" MPY_VERSION="v$version" OUT="$OUT" \
    OUT_CROSS="$OUT/mpy-cross"
make --no-print-directory -C "$ROOT/sim" MPY_DIR="$TREE" MPY_VERSION="v$version" \
    OUT="$OUT/bare" OUT_CROSS="$OUT/mpy-cross" BARE=1
echo "newest: MicroPython $version"
