// SPDX-License-Identifier: MIT
// struct sdb_fs on FatFs, as the board's binding has it on VfsFat.
#ifndef TORTURE_FF_FS_H
#define TORTURE_FF_FS_H

#include <stdbool.h>

#include "core/fs.h"
#include "lib/oofatfs/ff.h"
#include "ff_raise.h"

struct ff_fs {
    FATFS *fs;
    FIL files[4];
    bool used[4];
    FF_DIR dir;
};

void ff_fs_init(struct ff_fs *f, FATFS *fs, struct sdb_fs *out);

#endif
