// SPDX-License-Identifier: MIT
// A FAT volume through MicroPython's own FatFs, as a board sees it.
#ifndef SDBOOT_FAT_H
#define SDBOOT_FAT_H

#include "cli/card/ff_fs.h"
#include "core/bdev.h"

struct fat {
    FATFS fs;
    struct sdb_bdev dev; // what it is mounted on
    struct ff_fs open;
};

// Mounts the volume that FatFs finds on `dev` and fills in `out`; `f` must outlive it. Returns 0 or
// an error.
int fat_mount(struct fat *f, const struct sdb_bdev *dev, struct sdb_fs *out);

#endif
