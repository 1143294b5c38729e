// SPDX-License-Identifier: MIT
// What version 1 of the control area had on a card: its identity, and what led to it from sector 0.
#ifndef SDB_OLD_IDENT_H
#define SDB_OLD_IDENT_H

#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/journal/control.h"

// The CRC that ends a sector of the area.
static inline void old_seal(uint8_t *s) {
    sdb_put32(s + 508, sdb_crc32(0, s, 508));
}

// Makes `s` the area's first sector.
static inline void old_ident(const struct sdb_control *c, uint8_t *s) {
    memset(s, 0, SDB_SECTOR);
    memcpy(s, "sdbC", 4);
    sdb_put32(s + 4, 1);
    sdb_put32(s + 8, c->lba);
    sdb_put32(s + 12, c->sectors);
    sdb_put32(s + 16, c->entry_lba);
    sdb_put32(s + 20, c->entry_at);
    sdb_put32(s + 24, c->file_first);
    sdb_put32(s + 28, c->file_size);
    old_seal(s);
}

// Puts the pointer to it into sector 0, `s`.
static inline void old_pointer(const struct sdb_control *c, uint8_t *s) {
    memcpy(s + 384, "sdbP", 4);
    sdb_put32(s + 388, c->lba);
    sdb_put32(s + 392, c->sectors);
    sdb_put32(s + 396, sdb_crc32(0, s + 384, 12));
}

#endif
