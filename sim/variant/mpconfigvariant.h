// SPDX-License-Identifier: MIT
// First half of the board's configuration, read before ports/unix/mpconfigport.h: what that file
// lets a variant choose. The values are those of ports/esp32 wherever the unix port can follow.

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_PY_SYS_PLATFORM "esp32"
#define MICROPY_HW_BOARD_NAME "simulated ESP32 board"
#define MICROPY_HW_MCU_NAME "ESP32"
#define MICROPY_BANNER_MACHINE MICROPY_HW_BOARD_NAME
#define MICROPY_BANNER_NAME_AND_VERSION                                                            \
    "MicroPython v" MICROPY_VERSION_STRING " on " MICROPY_BUILD_DATE

#define MICROPY_DEBUG_PRINTERS (1)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_DOUBLE)
#define MICROPY_FLOAT_USE_NATIVE_FLT16 (0)
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_STREAMS_POSIX_API (1)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_OPT_COMPUTED_GOTO (1)
#define MICROPY_ERROR_REPORTING (MICROPY_ERROR_REPORTING_NORMAL)
#define MICROPY_WARNINGS (1)
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_STACK_CHECK_MARGIN (1024)

#define MICROPY_PY_STR_BYTES_CMP_WARN (1)
#define MICROPY_PY_ALL_INPLACE_SPECIAL_METHODS (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (mp_random_seed_init())
#define MICROPY_PY_HASHLIB_MD5 (1)
#define MICROPY_PY_HASHLIB_SHA1 (1)
#define MICROPY_PY_HASHLIB_SHA256 (1)
#define MICROPY_PY_CRYPTOLIB (1)
#define MICROPY_PY_WEBSOCKET (1)
#define MICROPY_PY_SELECT_POSIX_OPTIMISATIONS (1)
#define MICROPY_PY_SELECT_SELECT (0)
#define MICROPY_PY_IO_BUFFEREDWRITER (1)

#define MICROPY_PY_OS_INCLUDEFILE "ports/unix/modos.c"
#define MICROPY_PY_OS_GETENV_PUTENV_UNSETENV (0)
#define MICROPY_PY_OS_SYSTEM (0)
#define MICROPY_PY_OS_ERRNO (0)
#define MICROPY_PY_OS_SYNC (1)
#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_OS_URANDOM (1)

#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "sim_time.h"

#define MICROPY_PY_MACHINE (1)
#define MICROPY_PY_MACHINE_RESET (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (1)
#define MICROPY_PY_MACHINE_MEMX (0)
#define MICROPY_PY_MACHINE_PIN_BASE (1)
#define MICROPY_PY_MACHINE_PIN_MAKE_NEW mp_pin_make_new
#define MICROPY_PY_MACHINE_SIGNAL (1)
#define MICROPY_PY_MACHINE_WDT (1)
#define MICROPY_PY_MACHINE_WDT_INCLUDEFILE "sim_wdt.h"

// Interrupts are a thread of the simulator (irq.c); this lock holds them off.
void sim_irq_disable(void);
void sim_irq_enable(void);
#if !MICROPY_PY_THREAD // else ports/unix/mphalport.h defines them, to call the same
#define MICROPY_BEGIN_ATOMIC_SECTION() (sim_irq_disable(), 0xffffffffu)
#define MICROPY_END_ATOMIC_SECTION(state) ((void)(state), sim_irq_enable())
#endif

// The unix port has no mp_hal_stdio_poll() and makes the name a macro for this one. sys.stdin of
// the microcontroller ports calls it, hal.c defines it.
#include <stdint.h>
uintptr_t unused(uintptr_t poll_flags);
