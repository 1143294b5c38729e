# SPDX-License-Identifier: MIT
# sdboot as USER_C_MODULES of a firmware.
SDBOOT_MOD_DIR := $(USERMOD_DIR)
SDBOOT_CORE_DIR := $(SDBOOT_MOD_DIR)/../core

SRC_USERMOD_C += $(wildcard $(SDBOOT_MOD_DIR)/*.c)
SRC_USERMOD_LIB_C += $(wildcard $(SDBOOT_CORE_DIR)/*.c $(SDBOOT_CORE_DIR)/*/*.c)
CFLAGS_USERMOD += -I$(SDBOOT_MOD_DIR)/..

# Signed releases: tinyssh's arithmetic, which tools/setup.sh of sdboot puts there.
SDBOOT_TINYSSH_DIR ?= $(SDBOOT_MOD_DIR)/../build/tinyssh
ifneq ($(wildcard $(SDBOOT_TINYSSH_DIR)/ge25519.c),)
SRC_USERMOD_C += $(SDBOOT_MOD_DIR)/sign/mod_sdsign.c
SRC_USERMOD_LIB_C += $(SDBOOT_MOD_DIR)/sign/ed25519.c
CFLAGS_USERMOD += -I$(SDBOOT_MOD_DIR)/sign -I$(SDBOOT_TINYSSH_DIR)
endif
