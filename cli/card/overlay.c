// SPDX-License-Identifier: MIT
#include "cli/card/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"
#include "core/error.h"

static struct overlay_sector *overlay_find(const struct overlay *o, uint32_t lba) {
    size_t i = (lba * 2654435761u) & (o->room - 1);
    while (o->table[i].data != NULL && o->table[i].lba != lba) {
        i = (i + 1) & (o->room - 1);
    }
    return &o->table[i];
}

static void overlay_grow(struct overlay *o) {
    struct overlay_sector *old = o->table;
    size_t room = o->room;
    o->room = room * 2;
    o->table = tool_alloc(o->room * sizeof *o->table);
    for (size_t i = 0; i < room; i++) {
        if (old[i].data != NULL) {
            *overlay_find(o, old[i].lba) = old[i];
        }
    }
    free(old);
}

static int overlay_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct overlay *o = ctx;
    uint8_t *to = buf;
    if (o->count == 0) {
        return o->below->read(o->below->ctx, lba, count, buf);
    }
    for (uint32_t i = 0; i < count;) {
        const struct overlay_sector *s = overlay_find(o, lba + i);
        uint32_t n = 1;
        if (s->data != NULL) {
            memcpy(to + (size_t)i * SDB_SECTOR, s->data, SDB_SECTOR);
        } else {
            while (i + n < count && overlay_find(o, lba + i + n)->data == NULL) {
                n++;
            }
            int res = o->below->read(o->below->ctx, lba + i, n, to + (size_t)i * SDB_SECTOR);
            if (res < 0) {
                return res;
            }
        }
        i += n;
    }
    return 0;
}

static int overlay_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    struct overlay *o = ctx;
    const uint8_t *from = buf;
    if (lba >= o->bdev.sectors || count > o->bdev.sectors - lba) {
        return SDB_EIO;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (2 * o->count >= o->room) {
            overlay_grow(o);
        }
        struct overlay_sector *s = overlay_find(o, lba + i);
        if (s->data == NULL) {
            s->data = tool_alloc(SDB_SECTOR);
            s->lba = lba + i;
            o->count++;
        }
        memcpy(s->data, from + (size_t)i * SDB_SECTOR, SDB_SECTOR);
    }
    return 0;
}

static int overlay_sync(void *ctx) {
    (void)ctx;
    return 0;
}

void overlay_init(struct overlay *o, const struct sdb_bdev *below) {
    memset(o, 0, sizeof *o);
    o->below = below;
    o->room = 256;
    o->table = tool_alloc(o->room * sizeof *o->table);
    o->bdev = (struct sdb_bdev){.ctx = o,
                                .sectors = below->sectors,
                                .read = overlay_read,
                                .write = overlay_write,
                                .sync = overlay_sync};
}

void overlay_free(struct overlay *o) {
    for (size_t i = 0; i < o->room; i++) {
        free(o->table[i].data);
    }
    free(o->table);
    memset(o, 0, sizeof *o);
}

size_t overlay_changed(const struct overlay *o) {
    uint8_t now[SDB_SECTOR];
    size_t changed = 0;
    for (size_t i = 0; i < o->room; i++) {
        const struct overlay_sector *s = &o->table[i];
        if (s->data != NULL && (o->below->read(o->below->ctx, s->lba, 1, now) < 0 ||
                                memcmp(now, s->data, SDB_SECTOR) != 0)) {
            changed++;
        }
    }
    return changed;
}
