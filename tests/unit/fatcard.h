// SPDX-License-Identifier: MIT
// Small FAT volumes on a ramdisk, and as much of a filesystem as it takes to make an empty
// /.sdboot/journal on them.
#ifndef SDB_FATCARD_H
#define SDB_FATCARD_H

#include "core/card/fatgeo.h"
#include "core/fs.h"
#include "ramdisk.h"

struct fatcard {
    const char *name;
    uint32_t start;    // first sector of the volume; 0: no MBR
    uint32_t reserved; // sectors before the first FAT
    uint8_t type;      // 16 or 32
    uint8_t fats;
    uint8_t cluster; // sectors
};

#define FATCARD_USED 40u // clusters from 3 on that belong to somebody, filled with FATCARD_BYTE
#define FATCARD_BYTE 0x55

void fatcard_format(struct ramdisk *d, const struct fatcard *shape);

// Geometry of what is on the card; the test fails if there is nothing.
void fatcard_geo(struct ramdisk *d, struct sdb_fatgeo *geo);

// All free clusters but `left` become somebody's.
void fatcard_fill(struct ramdisk *d, uint32_t left);

// mkdir, and open and close of "/.sdboot/journal".
struct fatcard_fs {
    struct sdb_bdev view;
    struct sdb_fatgeo geo;
    struct sdb_fs fs;
};
void fatcard_mount(struct fatcard_fs *f, const struct sdb_bdev *view);

// Sets an entry of all FATs.
void fatcard_set(const struct sdb_bdev *view, const struct sdb_fatgeo *geo, uint32_t cluster,
                 uint32_t next);

#endif
