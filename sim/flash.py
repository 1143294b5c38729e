# SPDX-License-Identifier: MIT
# Internal-flash images: littlefs as ESP32's firmware makes it.
#     build/sim/board --host sim/flash.py make flash.img boot.py lib:/lib
import sys
import lfsimage

KIND = {"name": "flash", "size": 2 << 20, "fill": 0xFF, "erase": True, "options": {}}

sys.exit(lfsimage.run(KIND, sys.argv[1:]))
