#!/bin/sh
# SPDX-License-Identifier: MIT
# A Debian package of the host tool, for the Debian that it is made on.
#   deb.sh SDBOOT FOLDER    writes FOLDER/sdboot_VERSION_ARCH.deb
set -eu
tool=$1
out=$2
here=$(cd "$(dirname "$0")" && pwd)
version=$("$tool" --version | cut -d' ' -f2)
arch=$(dpkg --print-architecture)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
"$here/install.sh" "$tool" "$tree/root/usr"
strip "$tree/root/usr/bin/sdboot"
# dpkg-shlibdeps wants a source package around it.
mkdir -p "$tree/debian" "$tree/root/DEBIAN"
echo "Source: sdboot" >"$tree/debian/control"
depends=$(cd "$tree" && dpkg-shlibdeps -O root/usr/bin/sdboot 2>/dev/null | sed 's/^shlibs:Depends=//')
cat >"$tree/root/DEBIAN/control" <<CONTROL
Package: sdboot
Version: $version
Architecture: $arch
Maintainer: sdboot's authors <sdboot@localhost>
Depends: $depends
Suggests: nginx-light | httpd, minisign
Section: embedded
Priority: optional
Installed-Size: $(du -sk "$tree/root/usr" | cut -f1)
Description: releases and SD cards of MicroPython boards that run sdboot
 Packs, signs and publishes releases, checks what a server offers as a board
 would, tells from its access log which boards run what, and says of a card
 what is on it and what has happened to it.
CONTROL
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$tree/root" "$out/sdboot_${version}_$arch.deb"
