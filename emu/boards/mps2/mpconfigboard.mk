# SPDX-License-Identifier: MIT
# Arm's MPS2 board with a Cortex-M3, as ports/qemu's MPS2_AN385, with our start and more memory.
EMU_BOARD_DIR := $(BOARD_DIR)
include boards/MPS2_AN385/mpconfigboard.mk
EMU_MCU = Cortex-M3
LDSCRIPT = $(EMU_BOARD_DIR)/mps2.ld
include $(EMU_BOARD_DIR)/../qemu.mk
