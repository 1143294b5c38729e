// SPDX-License-Identifier: MIT
// struct sdb_fs on FatFs, as the board's binding has it on VfsFat. For the host tool and
// tests/torture.
#ifndef SDBOOT_FF_FS_H
#define SDBOOT_FF_FS_H

#include <stdbool.h>

#include "core/fs.h"
#include "lib/oofatfs/ff.h"

#define FF_FS_FILES 4 // two are the engine's, two of what builds a package from its index

struct ff_fs {
    FATFS *fs;
    FIL files[FF_FS_FILES];
    bool used[FF_FS_FILES];
    FF_DIR dir;
};

// Fills in `out`, whose ctx is `f`, for the volume `fs`, which is mounted by the caller.
void ff_fs_init(struct ff_fs *f, FATFS *fs, struct sdb_fs *out);

// A result of FatFs as one of core/error.h.
int ff_fs_error(FRESULT res);

#endif
