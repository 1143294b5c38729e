// SPDX-License-Identifier: MIT
// What would be written to a card, kept in memory: so that a card can be asked what the next boot
// would make of it, and stays as it is.
#ifndef SDBOOT_OVERLAY_H
#define SDBOOT_OVERLAY_H

#include <stddef.h>

#include "core/bdev.h"

struct overlay {
    struct sdb_bdev bdev; // reads what has been written to it, else what is below
    const struct sdb_bdev *below;
    struct overlay_sector {
        uint32_t lba;
        uint8_t *data; // NULL: this place is free
    } * table;         // open addressing, `room` is a power of two
    size_t room;
    size_t count;
};

// `below` must outlive `o`.
void overlay_init(struct overlay *o, const struct sdb_bdev *below);
void overlay_free(struct overlay *o);

// Sectors that have been written and differ from those below; an unreadable one below counts.
size_t overlay_changed(const struct overlay *o);

#endif
