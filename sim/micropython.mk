# SPDX-License-Identifier: MIT
# The simulated board as a user module of MicroPython's unix port (found through USER_C_MODULES).
SIM_MOD_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(addprefix $(SIM_MOD_DIR)/, \
	board.c boot.c cmdline.c options.c events.c power.c stats.c host.c irq.c hal.c clock.c card.c sdcard.c \
	flash.c pin.c timer.c modboard.c)
