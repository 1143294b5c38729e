// SPDX-License-Identifier: MIT
// The card as the core sees it: an array of 512-byte sectors behind three callbacks.
// All card access of sdboot goes through one such struct; the journal is put in between here.
#ifndef SDB_BDEV_H
#define SDB_BDEV_H

#include <stdint.h>

#define SDB_SECTOR 512u

struct sdb_bdev {
    void *ctx;        // handed to every callback, owned by the caller
    uint32_t sectors; // size of the card in sectors (up to 2 TiB)

    // Read or write `count` >= 1 whole sectors from sector `lba` on, as one command of the card.
    // Power may fail inside a write: any sector of it may then be old, new or garbage.
    // Return 0 or a negative SDB_E* / -errno.
    int (*read)(void *ctx, uint32_t lba, uint32_t count, void *buf);
    int (*write)(void *ctx, uint32_t lba, uint32_t count, const void *buf);

    // Returns when all writes before it are on the medium.
    int (*sync)(void *ctx);
};

#endif
