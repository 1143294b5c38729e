#!/bin/sh
# SPDX-License-Identifier: MIT
# The host tool's Debian package is made in a chroot of each suite named, and installed and run in
# another, clean one. As root, with debootstrap; everything is below build/chroot.
#   chroots.sh SUITE...
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$root/build/chroot
needs="gcc make libc6-dev dpkg-dev python3-minimal libarchive-dev libsodium-dev libmbedtls-dev
    libjansson-dev libmicrohttpd-dev libgnutls28-dev libcurl4-gnutls-dev"

[ "$(id -u)" = 0 ] || { echo "chroots: run it as root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "chroots: install debootstrap" >&2; exit 1; }

# The archive that this machine uses, by its own configuration of apt.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /-/ {print $3; exit}')

quietly() {
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; echo "chroots: failed: $*" >&2; exit 1; }
}

inside() {
    tree=$1
    shift
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 quietly chroot "$tree" "$@"
}

# A fresh tree of suite $1 as $2.
fresh() {
    if [ ! -d "$work/$1" ]; then
        rm -rf "$work/$1.new"
        quietly debootstrap --variant=minbase "$1" "$work/$1.new" "$mirror"
        mv "$work/$1.new" "$work/$1"
    fi
    rm -rf "$2"
    cp -a "$work/$1" "$2"
    cp /etc/resolv.conf "$2/etc/" 2>/dev/null || true
    cp /etc/apt/apt.conf.d/* "$2/etc/apt/apt.conf.d/" 2>/dev/null || true
    cp -r /usr/local/share/ca-certificates "$2/usr/local/share/" 2>/dev/null || true
    inside "$2" apt-get update
}

# shellcheck disable=SC2086 # several words
build() {
    fresh "$1" "$work/build-$1"
    inside "$work/build-$1" apt-get install -y --no-install-recommends $needs
    mkdir -p "$work/build-$1/src/build/micropython"
    (cd "$root" && git ls-files -z cli core micropython/sdboot/__init__.py LICENSE) |
        (cd "$root" && tar -c --null -T -) | tar -x -C "$work/build-$1/src"
    cp -rL "$root/build/micropython/lib" "$work/build-$1/src/build/micropython/"
    inside "$work/build-$1" make -s -C /src/cli
    inside "$work/build-$1" /src/cli/dist/deb.sh /src/build/cli/sdboot /src/build/deb
}

try() {
    fresh "$1" "$work/clean-$1"
    cp "$work/build-$1"/src/build/deb/*.deb "$work/clean-$1/root/sdboot.deb"
    cp "$root/tests/cli/smoke.sh" "$work/clean-$1/root/"
    inside "$work/clean-$1" apt-get install -y --no-install-recommends /root/sdboot.deb
    inside "$work/clean-$1" sh /root/smoke.sh
    inside "$work/clean-$1" apt-get remove -y sdboot
    [ ! -e "$work/clean-$1/usr/bin/sdboot" ]
}

mkdir -p "$work"
for suite in "$@"; do
    build "$suite"
    try "$suite"
    echo "$suite: made, installed, run, removed"
    rm -rf "$work/build-$suite" "$work/clean-$suite"
done
