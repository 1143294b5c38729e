# SPDX-License-Identifier: MIT
# ESP32's own start-up files, from the MicroPython tree.
freeze("$(MPY_DIR)/ports/esp32/modules", ("_boot.py", "flashbdev.py", "inisetup.py"))
include("$(MPY_DIR)/extmod/asyncio")
freeze(".", "network.py")
