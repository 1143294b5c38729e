# SPDX-License-Identifier: MIT
# What both boards of ports/qemu have in common.
MICROPY_VFS_FAT = 1
MICROPY_VFS_LFS2 = 1
MICROPY_HEAP_SIZE = 4096

# machine.SDCard and machine.Pin are those of an ESP32, which the name says as its firmware does.
CFLAGS += -UMICROPY_HW_MCU_NAME -DMICROPY_HW_MCU_NAME='"$(EMU_MCU) with pins of ESP32"'

# The firmware's own start and serial line are emu/'s.
$(BUILD)/main.o: CFLAGS += -Dmain=qemu_main
$(BUILD)/mphalport.o: CFLAGS += $(foreach f, stdio_poll stdin_rx_chr stdout_tx_strn, \
	-Dmp_hal_$(f)=qemu_hal_$(f))
# machine.Timer takes a frequency as a double.
$(BUILD)/shared/sim/timer.o: CFLAGS += -Wno-double-promotion -Wno-float-conversion
SRC_C += shared/timeutils/timeutils.c
