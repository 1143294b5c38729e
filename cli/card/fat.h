// SPDX-License-Identifier: MIT
// A FAT volume through MicroPython's own FatFs, as a board sees it.
#ifndef SDBOOT_FAT_H
#define SDBOOT_FAT_H

#include <stdbool.h>

#include "core/bdev.h"
#include "core/fs.h"
#include "lib/oofatfs/ff.h"

struct fat {
    FATFS fs;
    struct sdb_bdev dev; // what it is mounted on
    FIL files[2];
    bool used[2];
    FF_DIR dirs[1];
};

// Mounts the volume that FatFs finds on `dev` and fills in `out`, whose ctx is `f`. Returns 0 or an
// error.
int fat_mount(struct fat *f, const struct sdb_bdev *dev, struct sdb_fs *out);

#endif
