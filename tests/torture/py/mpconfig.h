// SPDX-License-Identifier: MIT
// Stands in for MicroPython's configuration: what ports/esp32 sets for lib/oofatfs.
#define MICROPY_FATFS_ENABLE_LFN (1)
#define MICROPY_FATFS_RPATH (2)
#define MICROPY_FATFS_MAX_SS (4096)
#define MICROPY_FATFS_LFN_CODE_PAGE 437
