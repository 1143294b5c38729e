// SPDX-License-Identifier: MIT
// A volume of FAT16 in memory, as small as one can be: MBR, boot sector, empty FATs and directory.
#ifndef SDB_FAT16_H
#define SDB_FAT16_H

#include "core/bytes.h"

struct fat16 {
    uint32_t start; // boot sector
    uint32_t sectors;
    uint8_t per_cluster;
    uint8_t fats;
    uint16_t fat_sectors;
};

static inline void fat16_boot_sector(uint8_t *s, const struct fat16 *v) {
    memset(s, 0, SDB_SECTOR);
    s[0] = 0xEB;
    sdb_put16(s + 11, SDB_SECTOR);
    s[13] = v->per_cluster;
    sdb_put16(s + 14, 1);
    s[16] = v->fats;
    sdb_put16(s + 17, 512);
    sdb_put16(s + 22, v->fat_sectors);
    sdb_put32(s + 32, v->sectors);
    memcpy(s + 54, "FAT16   ", 8);
    sdb_put16(s + 510, 0xAA55);
}

// Writes to `card`, whose other sectors are not touched.
static inline void fat16_make(uint8_t (*card)[SDB_SECTOR], const struct fat16 *v) {
    memset(card[0], 0, SDB_SECTOR);
    card[0][446 + 4] = 6;
    sdb_put32(card[0] + 446 + 8, v->start);
    sdb_put16(card[0] + 510, 0xAA55);
    fat16_boot_sector(card[v->start], v);
}

#endif
