# SPDX-License-Identifier: MIT
# QEMU's "virt" board with a 32-bit RISC-V core, as ports/qemu's VIRT_RV32, with our start and more
# memory. The instruction set is that of ESP32-C3; Debian's compiler has no libgcc for it under
# the names of newer specifications.
EMU_BOARD_DIR := $(BOARD_DIR)
EMU_MCU = RV32IMC
RV32_ARCH = rv32imac -misa-spec=2.2
include boards/VIRT_RV32/mpconfigboard.mk
LDSCRIPT = $(EMU_BOARD_DIR)/virt.ld
include $(EMU_BOARD_DIR)/../qemu.mk
