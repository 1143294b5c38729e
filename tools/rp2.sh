#!/bin/sh
# SPDX-License-Identifier: MIT
# Firmware for a Raspberry Pi Pico, from Debian's packages alone: build/rp2/out/firmware.uf2 with
# sdboot built in, which shows that micropython.cmake and manifest.py work in a port that is built
# with CMake, and build/rp2/stock/firmware.uf2 without it. Needs tools/setup.sh rp2. Both run on the
# emulated Pico (emu/pico), neither has run on a real one.
#
#   tools/rp2.sh [out|stock]...     both, if none is named
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
OUT=$ROOT/build/rp2
TREE=$OUT/micropython
HOST=$OUT/host
CROSS=$ROOT/build/mpy-cross/mpy-cross
SUITE=trixie # pico-sdk 2.1.1, which MicroPython 1.25 is made for

# MicroPython's tree without the libraries that Debian's source package leaves out, and with them.
link_tree() {
    rm -rf "$TREE"
    cp -as "$(readlink -f "$ROOT/build/micropython")" "$TREE"
    for pair in tinyusb:host/usr/src/tinyusb pico-sdk:host/usr/src/pico-sdk mbedtls:mbedtls; do
        rm -rf "$TREE/lib/${pair%%:*}"
        ln -s "$OUT/${pair#*:}" "$TREE/lib/${pair%%:*}"
    done
    # Asked for, but nothing of it is frozen here.
    rm -rf "$TREE/lib/micropython-lib"
    mkdir "$TREE/lib/micropython-lib"
    touch "$TREE/lib/micropython-lib/README.md"
}

# pioasm and picotool are linked with the C library of their suite: they get it.
wrap() {
    lib=$HOST/usr/lib/x86_64-linux-gnu
    mv "$HOST/usr/bin/$1" "$HOST/usr/bin/$1.bin"
    printf '#!/bin/sh\nexec %s/ld-linux-x86-64.so.2 --library-path %s %s "$@"\n' \
        "$lib" "$lib" "$HOST/usr/bin/$1.bin" >"$HOST/usr/bin/$1"
    chmod +x "$HOST/usr/bin/$1"
}

mkdir -p "$OUT"
if [ ! -d "$TREE" ]; then
    [ "$(uname -m)" = x86_64 ] || { echo "rp2: this needs a PC (x86_64)" >&2; exit 1; }
    echo "rp2: fetching pico-sdk, tinyusb, mbedtls of Debian $SUITE"
    "$ROOT/tools/suite.sh" deb "$SUITE" "$HOST" pico-sdk-source tinyusb-source pioasm picotool \
        libc6 libstdc++6 libgcc-s1 libusb-1.0-0 libudev1 libcap2
    "$ROOT/tools/suite.sh" src "$SUITE" "$OUT/mbedtls" mbedtls
    wrap pioasm
    wrap picotool
    link_tree
fi
printf 'freeze("$(PORT_DIR)/modules")\ninclude("$(MPY_DIR)/extmod/asyncio")\n' >"$OUT/stock.py"
{
    cat "$OUT/stock.py"
    echo "include(\"$ROOT/micropython/manifest.py\")"
} >"$OUT/manifest.py"

# $1: folder below build/rp2, $2: manifest, the others: further definitions
build() {
    folder=$1
    manifest=$2
    shift 2
    echo "rp2: building $folder"
    rm -f "$OUT/$folder/frozen_content.c" # make does not notice what has changed of it
    if ! {
        cmake -S "$TREE/ports/rp2" -B "$OUT/$folder" -DPICO_BUILD_DOCS=0 \
            -DMICROPY_BOARD=RPI_PICO -DMICROPY_BOARD_DIR="$TREE/ports/rp2/boards/RPI_PICO" \
            -DMICROPY_FROZEN_MANIFEST="$manifest" -DPython3_EXECUTABLE=/usr/bin/python3 \
            -Dpicotool_DIR="$HOST/usr/lib/cmake/picotool" \
            -Dpioasm_DIR="$HOST/usr/lib/cmake/pioasm" "$@" &&
            make -C "$OUT/$folder" -j2
    } >"$OUT/log" 2>&1; then
        tail -40 "$OUT/log" >&2
        echo "rp2: failed, all of it is in build/rp2/log" >&2
        exit 1
    fi
}

export MICROPY_MPYCROSS="$CROSS"
for what in ${*:-out stock}; do
    case $what in
    out) build out "$OUT/manifest.py" -DUSER_C_MODULES="$ROOT/micropython/micropython.cmake" ;;
    stock) build stock "$OUT/stock.py" ;;
    *)
        echo "usage: tools/rp2.sh [out|stock]..." >&2
        exit 2
        ;;
    esac
done
if [ -f "$OUT/out/firmware.elf" ]; then
    symbols=$(arm-none-eabi-nm "$OUT/out/firmware.elf" | grep -c ' [Tt] sdb_')
    [ "$symbols" -gt 0 ] || { echo "rp2: the firmware has no sdboot in it" >&2; exit 1; }
    arm-none-eabi-size "$OUT/out/firmware.elf"
    echo "rp2: build/rp2/out/firmware.uf2, $symbols functions of sdboot in it"
fi
