# SPDX-License-Identifier: MIT
# The emulated board as a user module: its own parts, and those of the simulated board that don't
# need Linux. EMU_HOST is the file with the emulator's services.
EMU_MOD_DIR := $(USERMOD_DIR)
EMU_HOST ?= semihost.c
SRC_USERMOD_C += $(addprefix $(EMU_MOD_DIR)/, \
	main.c options.c power.c irq.c uart.c hal.c host.c exec.c sha1.c strings.c modemu.c $(EMU_HOST))
SRC_USERMOD_C += $(addprefix $(USER_C_MODULES)/shared/sim/, \
	boot.c options.c events.c stats.c clock.c card.c sdcard.c flash.c pin.c timer.c modboard.c)
CFLAGS_USERMOD += -I$(EMU_MOD_DIR) -I$(EMU_MOD_DIR)/include -I$(USER_C_MODULES)/shared/sim
CFLAGS_USERMOD += -DMP_CONFIGFILE='<emuconfig.h>'
QSTR_GLOBAL_DEPENDENCIES += $(EMU_MOD_DIR)/emuconfig.h
