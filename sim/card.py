# SPDX-License-Identifier: MIT
# littlefs images of a card, with the parameters that sdboot gives littlefs on a card.
#     build/sim/board --host sim/card.py make card.img --size 64M tree
import sys
import lfsimage

OPTIONS = {"readsize": 512, "progsize": 512, "lookahead": 2048}
KIND = {"name": "card", "size": 32 << 20, "fill": 0, "erase": False, "options": OPTIONS}

sys.exit(lfsimage.run(KIND, sys.argv[1:]))
