#!/bin/sh
# Firmware for a Raspberry Pi Pico with sdboot built in, from Debian's packages alone: shows that
# micropython.cmake and manifest.py work in a port that is built with CMake. Needs
# tools/setup.sh rp2. The result is build/rp2/out/firmware.uf2; it has run on no board.
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
cat >"$OUT/manifest.py" <<MANIFEST
freeze("\$(PORT_DIR)/modules")
include("\$(MPY_DIR)/extmod/asyncio")
include("$ROOT/micropython/manifest.py", boot=True)
MANIFEST
echo "rp2: building"
export MICROPY_MPYCROSS="$CROSS"
if ! {
    cmake -S "$TREE/ports/rp2" -B "$OUT/out" -DPICO_BUILD_DOCS=0 \
        -DMICROPY_BOARD=RPI_PICO -DMICROPY_BOARD_DIR="$TREE/ports/rp2/boards/RPI_PICO" \
        -DUSER_C_MODULES="$ROOT/micropython/micropython.cmake" \
        -DMICROPY_FROZEN_MANIFEST="$OUT/manifest.py" -DPython3_EXECUTABLE=/usr/bin/python3 \
        -Dpicotool_DIR="$HOST/usr/lib/cmake/picotool" -Dpioasm_DIR="$HOST/usr/lib/cmake/pioasm" &&
        make -C "$OUT/out" -j2
} >"$OUT/log" 2>&1; then
    tail -40 "$OUT/log" >&2
    echo "rp2: failed, all of it is in build/rp2/log" >&2
    exit 1
fi
symbols=$(arm-none-eabi-nm "$OUT/out/firmware.elf" | grep -c ' [Tt] sdb_')
[ "$symbols" -gt 0 ] || { echo "rp2: the firmware has no sdboot in it" >&2; exit 1; }
arm-none-eabi-size "$OUT/out/firmware.elf"
echo "rp2: build/rp2/out/firmware.uf2, $symbols functions of sdboot in it"
