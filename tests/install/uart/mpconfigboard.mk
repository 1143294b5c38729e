# SPDX-License-Identifier: MIT
# ports/qemu's MPS2_AN385 as it is, with its own start and its own UART; only FAT and memory added.
UART_BOARD_DIR := $(BOARD_DIR)
include boards/MPS2_AN385/mpconfigboard.mk
LDSCRIPT = $(UART_BOARD_DIR)/../../../emu/boards/mps2/mps2.ld
MICROPY_HEAP_SIZE = 1500000
MICROPY_VFS_FAT = 1
CFLAGS += -DMICROPY_FATFS_NORTC=1 -DMICROPY_FATFS_ENABLE_LFN=1 -DMICROPY_FATFS_RPATH=2
SRC_C += shared/timeutils/timeutils.c
