// SPDX-License-Identifier: MIT
// A card in memory behind struct sdb_bdev: sparse, so that one of 2 TiB costs what is written to
// it, and with faults to order.
#ifndef SDB_RAMDISK_H
#define SDB_RAMDISK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bdev.h"

struct ramdisk {
    struct sdb_bdev dev;
    uint8_t **pages; // NULL: all bytes are `fill`
    uint8_t fill;

    unsigned reads, writes, syncs; // commands
    uint64_t read_sectors, written_sectors;
    unsigned fail_read;  // the read command of this number fails with SDB_EIO, 0: none
    unsigned fail_write; // the write command of this number
    unsigned fail_sync;  // the sync of this number
    bool read_only;      // writes fail with SDB_EROFS
    bool cut;            // after cut_at written sectors nothing is written any more
    uint64_t cut_at;
    bool torn; // the sector that was being written is left half new, half garbage
};

void ramdisk_init(struct ramdisk *d, uint32_t sectors, uint8_t fill);
void ramdisk_copy(struct ramdisk *to, const struct ramdisk *from); // content, no faults
void ramdisk_free(struct ramdisk *d);
void ramdisk_power_on(struct ramdisk *d); // no faults, counters at 0
bool ramdisk_same(const struct ramdisk *a, const struct ramdisk *b);

// Past all faults and counters.
void ramdisk_get(const struct ramdisk *d, uint32_t lba, void *sector);
void ramdisk_put(struct ramdisk *d, uint32_t lba, const void *sector);
void ramdisk_poke(struct ramdisk *d, uint64_t byte, const void *data, uint32_t len);

// Sparse files: sectors from `from` on go to `path`; `path` is put at sector `to`, up to the end of
// the card. On failure the program ends.
void ramdisk_save(const struct ramdisk *d, uint32_t from, const char *path);
void ramdisk_load(struct ramdisk *d, uint32_t to, const char *path);

#endif
