// SPDX-License-Identifier: MIT
// MP_CONFIGFILE of the emulated boards: the port's configuration with the features of ESP32's
// firmware that sdboot and its tests use.
#include "mpconfigport.h"

#include <stddef.h>

#undef MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#undef MICROPY_LONGINT_IMPL
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#undef MICROPY_PERSISTENT_CODE_LOAD
#define MICROPY_PERSISTENT_CODE_LOAD (1)
#undef MICROPY_ENABLE_GC
#define MICROPY_ENABLE_GC (1)
#undef MICROPY_READER_VFS
#define MICROPY_READER_VFS (1)
// One set of error numbers on all boards, that of the simulated one.
#define MICROPY_USE_INTERNAL_ERRNO (1)
#undef MICROPY_VFS
#define MICROPY_VFS (1)
#undef MICROPY_VFS_ROM
#define MICROPY_VFS_ROM (0)
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_STACK_CHECK_MARGIN (1024)
#define MICROPY_ALLOC_PATH_MAX (128)
#define MICROPY_EPOCH_IS_1970 (0)
#define MICROPY_ENABLE_EXTERNAL_IMPORT (1)
#define MICROPY_BANNER_NAME_AND_VERSION                                                            \
    "MicroPython v" MICROPY_VERSION_STRING " on " MICROPY_BUILD_DATE
#define MICROPY_BANNER_MACHINE MICROPY_HW_BOARD_NAME " with " MICROPY_HW_MCU_NAME

// FatFs as on ESP32.
#define MICROPY_FATFS_ENABLE_LFN (1)
#define MICROPY_FATFS_RPATH (2)
#define MICROPY_FATFS_LFN_CODE_PAGE 437

#define MICROPY_PY_HASHLIB_SHA1 (1)
#define MICROPY_PY_HASHLIB_SHA256 (1)
#define MICROPY_SSL_AXTLS (1) // hashlib's source of SHA-1: emu/include, emu/sha1.c
#define MICROPY_PY_CRYPTOLIB (0)

#define MICROPY_PY_OS_DUPTERM (1)
#define MICROPY_PY_OS_SYNC (1)
#define MICROPY_PY_OS_UNAME (1)

#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "sim_time.h"

#undef MICROPY_PY_MACHINE
#define MICROPY_PY_MACHINE (1)
#undef MICROPY_PY_MACHINE_INCLUDEFILE
#define MICROPY_PY_MACHINE_INCLUDEFILE "sim_machine.h"
#undef MICROPY_PY_MACHINE_RESET
#define MICROPY_PY_MACHINE_RESET (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (0)
#undef MICROPY_PY_MACHINE_PIN_BASE
#define MICROPY_PY_MACHINE_PIN_BASE (1)
#define MICROPY_PY_MACHINE_PIN_MAKE_NEW mp_pin_make_new
#define MICROPY_PY_MACHINE_SIGNAL (1)
#define MICROPY_PY_MACHINE_WDT (1)
#define MICROPY_PY_MACHINE_WDT_INCLUDEFILE "sim_wdt.h"

void emu_irq_poll(void);
#define MICROPY_VM_HOOK_LOOP emu_irq_poll();

void *emu_exec_commit(void *buf, size_t len, void *reloc);
#define MP_PLAT_COMMIT_EXEC(buf, len, reloc) emu_exec_commit(buf, len, reloc)
