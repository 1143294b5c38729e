// SPDX-License-Identifier: MIT
// Two slots of 512 bytes that are written alternately, so that a write torn by a power cut leaves
// the one before it: where the state record is. What a card's journal offers and an update needs.
#ifndef SDB_SLOTS_H
#define SDB_SLOTS_H

#include <stdint.h>

#define SDB_RECORD_SIZE 512u

// Sectors of the card, or a file on littlefs. `slot` is 0 or 1. Return 0 or a negative error.
struct sdb_record_store {
    void *ctx;                                                             // handed to both
    int (*read)(void *ctx, int slot, uint8_t buf[SDB_RECORD_SIZE]);        // SDB_ENOENT: none yet
    int (*write)(void *ctx, int slot, const uint8_t buf[SDB_RECORD_SIZE]); // durable on return
};

#endif
