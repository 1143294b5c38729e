#!/bin/sh
# SPDX-License-Identifier: MIT
# Gets packages of another Debian suite without installing them or touching the system's sources:
# from the archive that this machine uses already, with lists and cache of apt below build/.
#
#   tools/suite.sh deb SUITE DIR PACKAGE...   unpacks binary packages into DIR
#   tools/suite.sh src SUITE DIR SOURCE       unpacks a source package as DIR
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$ROOT/build

die() {
    echo "suite: $*" >&2
    exit 1
}

quiet() {
    # Runs a command; its output is shown only if it fails.
    if ! "$@" >"$APT/log" 2>&1; then
        cat "$APT/log" >&2
        die "failed: $*"
    fi
}

# The archive that this machine already uses for its packages.
mirror() {
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /-/ {print $3; exit}'
}

private_apt() {
    apt-get -q -o Dir::Etc::SourceList="$APT/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$APT/lists" -o Dir::Cache="$APT/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

add_source() {
    # $1: deb or deb-src, $2: suite
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "$1 [signed-by=$keyring] $uri $2 main" >>"$APT/sources.list"
}

[ $# -ge 4 ] || die "usage: tools/suite.sh deb|src SUITE DIR PACKAGE..."
kind=$1
suite=$2
dir=$3
shift 3
mkdir -p "$(dirname "$dir")"
dir=$(cd "$(dirname "$dir")" && pwd)/$(basename "$dir")
command -v apt-get >/dev/null 2>&1 || die "this is not Debian: get $* yourself"
uri=$(mirror)
[ -n "$uri" ] || die "apt knows no Debian archive: run apt-get update"
APT=$BUILD/apt-$$
trap 'rm -rf "$APT" "$dir.new"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial" "$APT/got"
rm -rf "$dir.new"
case $kind in
deb)
    add_source deb "$suite"
    case $suite in # what a backport needs is in the suite that it is for
    *-backports) add_source deb "${suite%-backports}" ;;
    esac
    quiet private_apt update
    cd "$APT/got"
    quiet private_apt -t "$suite" download "$@"
    for file in *.deb; do
        dpkg-deb -x "$file" "$dir.new"
    done
    ;;
src)
    add_source deb-src "$suite"
    quiet private_apt update
    cd "$APT/got"
    quiet private_apt -t "$suite" source "$1"
    for tree in */; do
        mv "$tree" "$dir.new"
    done
    ;;
*) die "deb or src, not $kind" ;;
esac
cd "$ROOT"
rm -rf "$dir"
mv "$dir.new" "$dir"
