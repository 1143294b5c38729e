#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the torture with each broken variant of core/ and demands that it is caught.
# Usage: mutants.sh ROOT OUT MPY_DIR JOBS
set -eu
root=$1
out=$2/mutants
mpy=$3
jobs=$4
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
total=0
missed=0
for patch in "$here"/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    dir=$out/$name
    total=$((total + 1))
    rm -rf "$dir/core"
    mkdir -p "$dir"
    cp -r "$root/core" "$dir/core"
    if ! patch -s -p2 -d "$dir/core" <"$patch"; then
        echo "mutant $name: the patch does not apply"
        missed=$((missed + 1))
        continue
    fi
    if ! make -s -C "$here" CORE="$dir/core" OUT="$dir/out" MPY_DIR="$mpy" >"$dir/log" 2>&1; then
        echo "mutant $name: does not compile, see $dir/log"
        missed=$((missed + 1))
        continue
    fi
    # Until the first failure: a few volumes of each scenario, then more of them.
    caught=no
    for stride in 48 12 3; do
        if ! "$dir/out/torture" -1 -j "$jobs" -s "$stride" >"$dir/result" 2>&1; then
            caught=yes
            break
        fi
    done
    if [ $caught = yes ]; then
        printf 'mutant %-28s caught: %s\n' "$name" "$(grep -m1 -E 'FAILED|BROKEN' "$dir/result")"
        rm -rf "$dir"
    else
        echo "mutant $name: NOT CAUGHT"
        missed=$((missed + 1))
    fi
done
echo "mutants: total=$total missed=$missed"
[ $missed = 0 ]
