// SPDX-License-Identifier: MIT
#include "core/journal/old_replay.h"

#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"

// Sectors of an area of version 1: identity, record, header, more index blocks, slots, record.
#define OLD_HEADER 2u
#define OLD_FIXED 4u
#define OLD_SECTORS_MAX 512u

#define OLD_MAGIC 0x4A626473u // "sdbJ"
#define OLD_VERSION 1u
#define OLD_AT_VERSION 4
#define OLD_AT_AREA 8
#define OLD_AT_SECTORS 12
#define OLD_AT_COUNT 16
#define OLD_AT_INDEX_CRC 20 // of index blocks 1.., chained; 0 if there are none
#define OLD_AT_BLOCK 24     // number of this index block
#define OLD_AT_ENTRIES 28   // {lba, crc of new, crc of old} each
#define OLD_ENTRY 12
#define OLD_PER_BLOCK 40u
#define OLD_AT_CRC 508

struct old {
    const struct sdb_bdev *card;
    const struct sdb_control *area;
    uint8_t *index; // an index block
    uint8_t *data;  // a sector
    uint32_t block; // which one is in index
    uint32_t count; // entries of the commit
    uint32_t slot0;
};

static int old_read(struct old *o, uint32_t lba, uint8_t *buf) {
    return o->card->read(o->card->ctx, lba, 1, buf);
}

static int old_write(struct old *o, uint32_t lba, const uint8_t *buf) {
    return o->card->write(o->card->ctx, lba, 1, buf);
}

static bool old_block_ok(const struct old *o, uint32_t block) {
    const uint8_t *s = o->index;
    return sdb_get32(s) == OLD_MAGIC && sdb_get32(s + OLD_AT_CRC) == sdb_crc32(0, s, OLD_AT_CRC) &&
           sdb_get32(s + OLD_AT_VERSION) == OLD_VERSION &&
           sdb_get32(s + OLD_AT_AREA) == o->area->lba &&
           sdb_get32(s + OLD_AT_SECTORS) == o->area->sectors &&
           sdb_get32(s + OLD_AT_BLOCK) == block;
}

// Has entry `i` in *entry. Returns 0, SDB_REPLAY_FOREIGN or the card's error.
static int old_entry(struct old *o, uint32_t i, const uint8_t **entry) {
    uint32_t block = i / OLD_PER_BLOCK;
    if (block != o->block) {
        int err = old_read(o, o->area->lba + OLD_HEADER + block, o->index);
        if (err < 0) {
            return err;
        }
        o->block = block;
        if (!old_block_ok(o, block)) {
            return SDB_REPLAY_FOREIGN;
        }
    }
    *entry = o->index + OLD_AT_ENTRIES + i % OLD_PER_BLOCK * OLD_ENTRY;
    return 0;
}

// Compares slot and home of an entry with what the index says. Returns 0 if the home is new, 1 if
// it is old, 3 if it is neither, SDB_REPLAY_FOREIGN if the slot is not what was committed.
static int old_examine(struct old *o, uint32_t i, const uint8_t *entry) {
    uint32_t lba = sdb_get32(entry);
    if (lba >= o->card->sectors || lba - o->area->lba < o->area->sectors) {
        return SDB_REPLAY_FOREIGN;
    }
    int err = old_read(o, o->slot0 + i, o->data);
    if (err == 0 && sdb_crc32(0, o->data, SDB_SECTOR) != sdb_get32(entry + 4)) {
        return SDB_REPLAY_FOREIGN;
    }
    if (err == 0) {
        err = old_read(o, lba, o->data);
    }
    if (err < 0) {
        return err;
    }
    uint32_t crc = sdb_crc32(0, o->data, SDB_SECTOR);
    return crc == sdb_get32(entry + 4) ? 0 : crc == sdb_get32(entry + 8) ? 1 : 3;
}

// Judges every entry. *torn: the one home that is neither old nor new, or `count`. Returns 0,
// SDB_REPLAY_FOREIGN or an error.
static int old_judge(struct old *o, uint32_t *torn) {
    uint32_t expected = sdb_get32(o->index + OLD_AT_INDEX_CRC);
    uint32_t crc = 0;
    *torn = o->count;
    for (uint32_t i = 0; i < o->count; i++) {
        const uint8_t *entry;
        int state = old_entry(o, i, &entry);
        if (state == 0 && i > 0 && i % OLD_PER_BLOCK == 0) {
            crc = sdb_crc32(crc, o->index, SDB_SECTOR);
        }
        if (state == 0) {
            state = old_examine(o, i, entry);
        }
        if (state < 0 || state == SDB_REPLAY_FOREIGN || (state == 3 && *torn < o->count)) {
            return state < 0 ? state : SDB_REPLAY_FOREIGN;
        }
        if (state == 3) {
            *torn = i;
        }
    }
    return crc == expected ? 0 : SDB_REPLAY_FOREIGN;
}

static int old_home(struct old *o, uint32_t from, uint32_t to) {
    int err = 0;
    for (uint32_t i = from; i < to && err == 0; i++) {
        const uint8_t *entry;
        err = old_entry(o, i, &entry);
        if (err == 0) {
            err = old_read(o, o->slot0 + i, o->data);
        }
        if (err == 0) {
            err = old_write(o, sdb_get32(entry), o->data);
        }
    }
    return err == 0 ? o->card->sync(o->card->ctx) : err == SDB_REPLAY_FOREIGN ? SDB_EIO : err;
}

int sdb_old_replay(const struct sdb_bdev *card, const struct sdb_control *c, uint8_t *buf) {
    struct old o = {.card = card, .area = c, .index = buf, .data = buf + SDB_SECTOR};
    uint32_t slots = c->sectors - OLD_FIXED;
    if (c->sectors < SDB_CONTROL_MIN || c->sectors > OLD_SECTORS_MAX) {
        return SDB_REPLAY_NONE;
    }
    while (slots + (slots - 1) / OLD_PER_BLOCK > c->sectors - OLD_FIXED) {
        slots--;
    }
    o.slot0 = c->lba + c->sectors - 1 - slots;
    int err = old_read(&o, c->lba + OLD_HEADER, o.index);
    if (err < 0) {
        return err;
    }
    o.count = sdb_get32(o.index + OLD_AT_COUNT);
    if (!old_block_ok(&o, 0) || o.count == 0 || o.count > slots) {
        return SDB_REPLAY_NONE;
    }
    uint32_t torn;
    err = old_judge(&o, &torn);
    if (err != 0) {
        return err;
    }
    // First, and alone: a cut from here on must again leave no more than one torn sector.
    if (torn < o.count) {
        err = old_home(&o, torn, torn + 1);
    }
    if (err == 0) {
        err = old_home(&o, 0, o.count);
    }
    if (err == 0) {
        memset(o.data, 0, SDB_SECTOR);
        err = old_write(&o, c->lba + OLD_HEADER, o.data);
    }
    if (err == 0) {
        err = card->sync(card->ctx);
    }
    return err == 0 ? SDB_REPLAY_DONE : err;
}
