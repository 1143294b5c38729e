# SPDX-License-Identifier: MIT
# Images of a Raspberry Pi Pico's internal filesystem, as the firmware of port rp2 makes it.
#     build/sim/board --host sim/pico.py make flash.img boot.py lib:/lib
import sys
import lfsimage

OPTIONS = {"progsize": 256}
KIND = {"name": "pico", "size": 1408 << 10, "fill": 0xFF, "erase": True, "options": OPTIONS}

sys.exit(lfsimage.run(KIND, sys.argv[1:]))
