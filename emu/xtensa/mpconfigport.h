// SPDX-License-Identifier: MIT
// The port's part of the configuration; ../emuconfig.h has the rest.
#include <alloca.h>
#include <stddef.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#define MICROPY_NLR_SETJMP (1)
#define MICROPY_EMIT_XTENSAWIN (1)
#define MICROPY_MEM_STATS (0)
#define MICROPY_WARNINGS (1)

// The compiler's arithmetic on floating-point numbers is for another calling convention.
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_NONE)

#define MICROPY_PY_SYS_PLATFORM "xtensa-linux"
#define MICROPY_PY_SELECT (0)
#define MICROPY_PY_ASYNCIO (0)
#define MICROPY_HW_BOARD_NAME "qemu-xtensa"
#define MICROPY_HW_MCU_NAME "DC233C with pins of ESP32"

typedef int32_t mp_int_t;
typedef uint32_t mp_uint_t;
typedef long mp_off_t;
#define MP_SSIZE_MAX (0x7fffffff)

#define MP_STATE_PORT MP_STATE_VM
