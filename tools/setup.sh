#!/bin/sh
# SPDX-License-Identifier: MIT
# Prepares a Debian machine for sdboot: packages that are missing, and MicroPython's source in
# build/micropython. Safe to run again; the second time it changes nothing.
#
#   tools/setup.sh              as root, or as a user with sudo if packages are missing
#   tools/setup.sh GROUP...     these groups of packages too: native xtensa riscv arm qemu rp2 pico bench types dist
#                               servers
#   tools/setup.sh --list       every package with its group and its reason
#   MPY_DIR=/path tools/setup.sh  another MicroPython 1.25 tree instead of Debian's: it is used where
#                                 it is, build/micropython becomes a link to it
set -eu

VERSION=1.25.0
SOURCE=micropython=1.25.0+ds-1
SUITE=trixie
SIGN_SOURCE=tinyssh=20250501-1 # the arithmetic of Ed25519 (CC0)

ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$ROOT/build
TREE=$BUILD/micropython
STAMP=$BUILD/setup.stamp
SIGN=$BUILD/tinyssh
HFS=$BUILD/hfsutils

GROUPS_KNOWN="base native xtensa riscv arm qemu rp2 pico bench types dist servers"
groups=base

packages() {
    cat <<'LIST'
base    make                          build
base    gcc                           build
base    libc6-dev                     build
base    git                           lint: which files are ours
base    python3                       test runner, MicroPython's build
base    dpkg-dev                      unpacks MicroPython's source package
base    libmbedtls-dev                hashes and TLS of the simulated board, hashes in unit tests
base    libcmocka-dev                 unit tests
base    libarchive-dev                packages in the host tool
base    libsodium-dev                 keys and signatures in the host tool; what ours is compared with
base    libjansson-dev                JSON in the host tool
base    libmicrohttpd-dev             web server of the host tool (sdboot serve)
base    libgnutls28-dev               its certificates
base    libcurl4-gnutls-dev           servers checked by the host tool (sdboot verify URL)
base    groff-base                    manual pages in tests
base    openssl                       certificates in tests
base    minisign                      keys and signatures in tests
base    clang                         second compiler of the lint, fuzzing
base    libclang-rt-dev               sanitizers and fuzzer of clang
base    clang-format                  lint
base    cppcheck                      lint
base    nginx-light                   update server in demo and tests
base    dosfstools                    FAT card images, fsck
base    mtools                        files in FAT images
base    exfatprogs                    exFAT card images
base    ntfs-3g                       NTFS card images
base    e2fsprogs                     ext4 card images
base    udftools                      UDF card images
base    jfsutils                      JFS card images
base    reiserfsprogs                 ReiserFS card images
base    nilfs-tools                   NILFS2 card images
base    hfsutils                      HFS card images
base    parted                        Apple, BSD and GPT partition tables on card images
base    util-linux-extra              Minix and BFS card images, on Debian 13
base    libarchive-tools              bsdtar, one of the packers that releases are tested with
base    busybox                       tar, another one
base    xz-utils                      unpacks MicroPython's source package
native  python3-pyelftools            MicroPython's linker of native modules
xtensa  gcc-xtensa-lx106              compiler for ESP32, S2, S3
xtensa  binutils-xtensa-lx106         assembler and linker for them
xtensa  picolibc-xtensa-lx106-elf     C headers for them
riscv   gcc-riscv64-unknown-elf       compiler for ESP32-C3, C6, H2, P4
riscv   picolibc-riscv64-unknown-elf  C library for them
arm     gcc-arm-none-eabi             compiler for Arm boards
arm     libnewlib-arm-none-eabi       C library for them
qemu    qemu-system-arm               emulated Arm board
qemu    qemu-system-misc              emulated RISC-V board
qemu    qemu-user                     emulated Xtensa processor
rp2     cmake                         build of MicroPython's port rp2
rp2     libstdc++-arm-none-eabi-newlib  C++ headers for it
pico    nodejs                        runs the emulated Pico
pico    npm                           gets what it is made of
bench   valgrind                      counts the instructions of an update
types   mypy                          checks the examples with stubs/
dist    cmake                         builds the component for ESP-IDF
servers apache2-bin                   Apache, a web server that boards are tested with
servers lighttpd                      another one
servers caddy                         another one
LIST
}

# The packages of the groups that are wanted.
wanted_packages() {
    packages | while read -r group name reason; do
        case " $groups " in
        *" $group "*) echo "$name" ;;
        esac
    done
}

say() {
    echo "setup: $*"
}

die() {
    echo "setup: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "these packages need root or sudo: $missing"
    fi
}

missing_packages() {
    # Package names only; a package removed but not purged is missing too. Node.js often comes from
    # elsewhere, with npm in it, and then Debian's can't be installed beside it.
    wanted_packages | while read -r name; do
        case $name in
        nodejs) command -v node >/dev/null && continue ;;
        npm) command -v npm >/dev/null && continue ;;
        hfsutils) [ -x "$HFS/usr/bin/hformat" ] && continue ;;
        esac
        case $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) in
        installed) ;;
        *) echo "$name" ;;
        esac
    done
}

POLICY=/usr/sbin/policy-rc.d
guard_made=no
remove_guard() {
    if [ "$guard_made" = yes ]; then
        as_root rm -f "$POLICY"
        guard_made=no
    fi
}

# Packages with a service (nginx) must not start it: only tests run it, on ports of their own.
# apt-get waits for dpkg's lock if it is told to, but not for that of its own lists.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -q -o DPkg::Lock::Timeout=600 "$@" >"$BUILD/setup.log" 2>&1
}

update_lists() {
    tries=0
    until apt_get update; do
        if [ $tries -ge 120 ] || ! grep -q "Could not get lock" "$BUILD/setup.log"; then
            cat "$BUILD/setup.log" >&2
            die "failed: apt-get update"
        fi
        [ $tries -gt 0 ] || say "waiting for another apt-get"
        tries=$((tries + 1))
        sleep 5
    done
}

# What newer suites no longer have is taken from an older one, into build/: the Makefile's PATH leads
# there.
take_from_older() {
    case " $missing " in
    *" hfsutils "*) ;;
    *) return 0 ;;
    esac
    [ -z "$(apt-cache madison hfsutils 2>/dev/null)" ] || return 0
    say "hfsutils is not in this Debian: taking bookworm's"
    "$ROOT/tools/suite.sh" deb bookworm "$HFS" hfsutils || die "no hfsutils"
    missing=$(missing_packages | tr '\n' ' ')
}

install_packages() {
    say "updating the list of packages"
    update_lists
    take_from_older
    [ -n "$missing" ] || return 0
    say "installing" $missing
    trap remove_guard EXIT
    trap 'exit 1' INT TERM
    if [ ! -e "$POLICY" ]; then
        guard_made=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
        as_root chmod 755 "$POLICY"
    fi
    if ! apt_get -y --no-install-recommends install $missing; then
        cat "$BUILD/setup.log" >&2
        die "failed: apt-get install $missing"
    fi
    for service in nginx lighttpd caddy; do
        case " $missing " in
        *" $service "* | *" $service-light "*)
            if command -v systemctl >/dev/null 2>&1; then
                as_root systemctl disable $service.service >/dev/null 2>&1 || true
            fi
            as_root update-rc.d $service disable >/dev/null 2>&1 || true
            ;;
        esac
    done
    remove_guard
    trap - EXIT INT TERM
}

check_tree() {
    # $1: a MicroPython tree
    [ -f "$1/py/mpconfig.h" ] && [ -f "$1/ports/esp32/modules/_boot.py" ] ||
        die "$1 is not a MicroPython source tree"
    case $VERSION in
    "$(sed -n 's/^#define MICROPY_VERSION_MAJOR //p' "$1/py/mpconfig.h").$(
        sed -n 's/^#define MICROPY_VERSION_MINOR //p' "$1/py/mpconfig.h").$(
        sed -n 's/^#define MICROPY_VERSION_MICRO //p' "$1/py/mpconfig.h")") ;;
    *) die "$1 is not MicroPython $VERSION" ;;
    esac
    if grep -q lib/mbedtls/ "$1/extmod/extmod.mk" && [ ! -d "$1/lib/mbedtls/library" ]; then
        die "$1 lacks submodules: make -C $1/ports/unix submodules"
    fi
}

# What was built of another tree must not be mixed with what is built of this one.
forget_builds() {
    rm -rf "$STAMP" "$TREE" "$BUILD/mpy-cross" "$BUILD"/sim* "$BUILD"/emu* "$BUILD/native" \
        "$BUILD/unit" "$BUILD/torture" "$BUILD/rp2"
}

link_tree() {
    say "using MicroPython in $MPY_DIR"
    check_tree "$MPY_DIR"
    forget_builds
    ln -s "$(cd "$MPY_DIR" && pwd)" "$TREE"
}

fetch_tree() {
    say "fetching MicroPython $VERSION, Debian's source package of $SUITE"
    forget_builds
    "$ROOT/tools/suite.sh" src "$SUITE" "$TREE" "$SOURCE" ||
        die "MPY_DIR=/path/to/micropython-$VERSION gives MicroPython's source instead"
    check_tree "$TREE"
}

# Of tinyssh the files that check a signature; constants that are not const would be variables,
# which a native module can't have.
fetch_sign() {
    say "fetching the arithmetic of signatures, Debian's source package $SIGN_SOURCE"
    "$ROOT/tools/suite.sh" src "$SUITE" "$SIGN.src" "$SIGN_SOURCE" ||
        die "no source of Ed25519: $SIGN_SOURCE"
    rm -rf "$SIGN" "$SIGN.new"
    mkdir "$SIGN.new"
    for file in LICENCE.md fe.h fe25519.h ge25519.h sc25519.h cleanup.h crypto_verify_32.h \
        crypto_hash_sha512.h fe.c fe25519.c ge25519.c sc25519.c crypto_hash_sha512_tinyssh.c; do
        sed -E 's/^static (fe|ge25519) ([a-zA-Z0-9]+) = /static const \1 \2 = /' \
            "$SIGN.src/$file" >"$SIGN.new/$file"
    done
    rm -rf "$SIGN.src"
    mv "$SIGN.new" "$SIGN"
}

for arg; do
    case $arg in
    --list)
        packages
        exit 0
        ;;
    -*) die "usage: [MPY_DIR=/path] tools/setup.sh [--list] [GROUP...]" ;;
    esac
    case " $GROUPS_KNOWN " in
    *" $arg "*) groups="$groups $arg" ;;
    *) die "there is no group \"$arg\", only: $GROUPS_KNOWN" ;;
    esac
done

mkdir -p "$BUILD"
exec 9>"$BUILD/setup.lock"
if ! flock -n 9; then
    say "waiting for another set-up of this checkout"
    flock 9
fi
if command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1; then
    missing=$(missing_packages | tr '\n' ' ')
    if [ -n "$missing" ]; then
        install_packages
    fi
else
    say "this is not Debian: install the equivalents of these yourself"
    wanted_packages >&2
    [ -n "${MPY_DIR-}" ] || [ -f "$STAMP" ] ||
        die "and give MicroPython's source: MPY_DIR=/path/to/micropython-$VERSION tools/setup.sh"
fi

[ -f "$SIGN/ge25519.c" ] || fetch_sign
wanted=${MPY_DIR:-$SOURCE}
if [ -f "$TREE/py/mpconfig.h" ] && [ -f "$STAMP" ] &&
    { [ -z "${MPY_DIR-}" ] || [ "$(cat "$STAMP")" = "$wanted" ] ||
        [ "$(cd "$MPY_DIR" && pwd)" = "$TREE" ]; }; then
    say "ready"
    exit 0
fi
if [ -n "${MPY_DIR-}" ]; then
    link_tree
else
    fetch_tree
fi
echo "$wanted" >"$STAMP"
say "ready"
