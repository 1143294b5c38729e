# SPDX-License-Identifier: MIT
# What is built of the unix port for the board. Included by ports/unix/Makefile after its own
# mpconfigport.mk.
# Not in Debian's source package; in a tree of your own it may be.
MICROPY_PY_BTREE = $(if $(wildcard $(TOP)/lib/berkeley-db-1.xx/btree/bt_open.c),1,0)
MICROPY_PY_THREAD = $(SIM_THREAD)
MICROPY_PY_TERMIOS = 0
MICROPY_PY_FFI = 0
MICROPY_PY_JNI = 0
MICROPY_SSL_AXTLS = 0
MICROPY_SSL_MBEDTLS = 1
MICROPY_STANDALONE = 0
MICROPY_VFS_LFS1 = 0
MICROPY_VFS_LFS2 = 1
MICROPY_VFS_FAT = 1

# The REPL and sys.std* of the microcontroller ports.
SHARED_SRC_C_EXTRA += runtime/pyexec.c runtime/sys_stdio_mphal.c

SIM_DIR := $(abspath $(VARIANT_DIR)/..)
INC += -I$(SIM_DIR)
QSTR_GLOBAL_DEPENDENCIES += $(VARIANT_DIR)/simconfig.h

# Functions of the unix port that sim/ supplies instead: they get another name there, which keeps
# the port's sources untouched.
$(BUILD)/main.o: CFLAGS += -Dmain=unix_main
$(BUILD)/extmod/vfs_posix_file.o: CFLAGS += \
	-Dmp_sys_stdin_obj=posix_sys_stdin_obj -Dmp_sys_stdout_obj=posix_sys_stdout_obj \
	-Dmp_sys_stderr_obj=posix_sys_stderr_obj
$(BUILD)/fatfs_port.o: CFLAGS += -Dget_fattime=unix_get_fattime
$(BUILD)/unix_mphal.o: CFLAGS += $(foreach f, set_interrupt_char stdio_mode_raw stdio_mode_orig \
	stdin_rx_chr stdout_tx_strn stdout_tx_strn_cooked stdout_tx_str delay_ms time_ns \
	ticks_ms ticks_us, \
	-Dmp_hal_$(f)=unix_hal_$(f))
# One lock holds off interrupts, irq.c's: the port's own is for its list of threads only.
ifeq ($(SIM_THREAD),1)
CFLAGS += -Dmp_thread_unix_begin_atomic_section=sim_irq_disable \
	-Dmp_thread_unix_end_atomic_section=sim_irq_enable
$(BUILD)/mpthreadport.o: CFLAGS += -Ump_thread_unix_begin_atomic_section \
	-Ump_thread_unix_end_atomic_section
endif
