#!/bin/bash
# SPDX-License-Identifier: MIT
# Format, static analysis, the warnings of two compilers as errors, and the rules of core/.
set -eu
cd "$(dirname "$0")/.."
core=(core/*.c core/*/*.c)
all=(core/*.[ch] core/*/*.[ch])

echo "lint: clang-format"
clang-format --dry-run -Werror $(git ls-files '*.c' '*.h')
for cc in gcc clang; do
    echo "lint: $cc -Wall -Wextra -Werror"
    for file in "${core[@]}"; do
        $cc -std=c99 -Os -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -I. -fsyntax-only "$file"
    done
done
echo "lint: cppcheck"
cppcheck --quiet --std=c99 --enable=warning,performance,portability --error-exitcode=1 \
    --suppress=missingIncludeSystem --inline-suppr -I. core

echo "lint: the core has no memory allocation, no input or output"
if grep -nE '\b(malloc|calloc|realloc|free|printf|puts|fopen) *\(' "${core[@]}"; then
    exit 1
fi

# What the compiler has put into .data or .bss can change.
echo "lint: the core has no mutable globals; what it exports begins with sdb_"
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for file in "${core[@]}"; do
    object=$objects/$(echo "${file%.c}" | tr / -).o
    gcc -std=c99 -Os -I. -c -o "$object" "$file"
done
if nm -A "$objects"/*.o | grep -E ' [bBdDC] '; then
    echo "lint: mutable globals"
    exit 1
fi
if nm -A "$objects"/*.o | grep -E ' [A-TV-Z] ' | grep -v ' sdb_'; then
    echo "lint: names that other people's firmware may have too"
    exit 1
fi

# The binding is compiled with MicroPython only: its definitions are read. ed25519.c is not ours.
echo "lint: what the binding exports begins with sdb_"
binding=$(git ls-files 'micropython/*.c' | grep -v -e native/ -e ed25519.c)
if grep -nE '^(bool|int|void|mp_obj_t|NORETURN void|struct [a-z_]+|const [a-z_ ]+) [*]*[a-z_0-9]+\(' $binding |
    grep -vE '[ *]sdb_[a-z_0-9]+\('; then
    exit 1
fi
if grep -nE '^SDB_TYPE[A-Z_]*\(' $binding | grep -vE 'SDB_TYPE[A-Z_]*\(sdb_'; then
    exit 1
fi

# Which rooms a file may include: core/README.md has the map.
echo "lint: includes of core/ keep to the rooms"
declare -A doors=([core]="core" [core/card]="core core/card" [core/journal]="core core/card core/journal"
    [core/release]="core core/release" [core/web]="core core/web")
bad=0
for file in "${all[@]}"; do
    room=$(dirname "$file")
    while read -r included; do
        case " ${doors[$room]} " in
        *" $(dirname "$included") "*) [ -f "$included" ] && continue ;;
        esac
        echo "$file includes $included"
        bad=1
    done < <(sed -n 's/^#include "\(.*\)".*/\1/p' "$file")
done
[ $bad = 0 ]

# Who can't read the version from there must say the same.
echo "lint: the version is that of micropython/sdboot/__init__.py"
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' micropython/sdboot/__init__.py)
grep -qx "version: \"$version\"" idf_component.yml
grep -q "^## $version" docs/CHANGELOG.md
echo "lint: each source file says its licence"
tools/spdx.py
echo "lint: passed"
