// SPDX-License-Identifier: MIT
// MP_CONFIGFILE of the board: the unix port's configuration with what a board has different.
#include "mpconfigport.h"

#undef MICROPY_PY_MACHINE_INCLUDEFILE
#define MICROPY_PY_MACHINE_INCLUDEFILE "sim_machine.h"

#undef MICROPY_PY_SYS_PATH_ARGV_DEFAULTS
#define MICROPY_PY_SYS_PATH_ARGV_DEFAULTS (1)

#undef MICROPY_PY_SYS_EXECUTABLE
#define MICROPY_PY_SYS_EXECUTABLE (0)

// Time counts from the year 2000, as on ESP32.
#undef MICROPY_EPOCH_IS_1970
#define MICROPY_EPOCH_IS_1970 (0)

#undef MICROPY_ALLOC_PATH_MAX
#define MICROPY_ALLOC_PATH_MAX (128)

// A board has one output; its uncaught errors go there too.
#undef MICROPY_ERROR_PRINTER
#define MICROPY_ERROR_PRINTER (&mp_plat_print)

#define MICROPY_PY_OS_DUPTERM (1)

#undef MICROPY_PLAT_DEV_MEM

// With threads: the global lock of ESP32, which the unix port itself does without.
#if MICROPY_PY_THREAD
#undef MICROPY_PY_THREAD_GIL
#define MICROPY_PY_THREAD_GIL (1)
#undef MICROPY_PY_THREAD_RECURSIVE_MUTEX
#define MICROPY_PY_THREAD_RECURSIVE_MUTEX (1)
#endif
