# SPDX-License-Identifier: MIT
# ESP32's own start-up files, from the MicroPython tree, and the network of the emulated boards.
freeze("$(MPY_DIR)/ports/esp32/modules", ("_boot.py", "flashbdev.py", "inisetup.py"))
freeze("../../sim/frozen", "network.py")
freeze(".", "socket.py")
