// SPDX-License-Identifier: MIT
#include "core/release/record.h"

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"

#include <stddef.h>
#include <string.h>

// Offsets in a slot, little-endian; bytes not named are zero (docs/FORMAT.md).
enum {
    RECORD_MAGIC = 0,
    RECORD_FORMAT = 4,
    RECORD_STATE = 5,
    RECORD_LEFT = 6,
    RECORD_TRIALS = 7,
    RECORD_EVENT = 8,
    RECORD_FLAGS = 9,
    RECORD_SEQ = 12,
    RECORD_SIGNED_SEQ = 16,
    RECORD_VERSION = 32,
    RECORD_BAD = 80,
    RECORD_EVENT_VERSION = 128,
    RECORD_MAIN_DIR = 176,
    RECORD_NEXT_DIR = 208,
    RECORD_CRC = 508,
};

// The bytes and the strings lie in memory as they do in the slot: they are copied at once.
enum {
    RECORD_BYTES_AT = offsetof(struct sdb_record, state),
    RECORD_BYTES = RECORD_FLAGS + 1 - RECORD_STATE,
    RECORD_STRINGS_AT = offsetof(struct sdb_record, version),
    RECORD_STRINGS = RECORD_NEXT_DIR + SDB_DIRNAME_MAX + 1 - RECORD_VERSION,
};
#define RECORD_SAME(field, at, from, base)                                                         \
    _Static_assert(offsetof(struct sdb_record, field) - offsetof(struct sdb_record, from) ==       \
                       (at) - (base),                                                              \
                   #field)
RECORD_SAME(left, RECORD_LEFT, state, RECORD_STATE);
RECORD_SAME(trials, RECORD_TRIALS, state, RECORD_STATE);
RECORD_SAME(event, RECORD_EVENT, state, RECORD_STATE);
RECORD_SAME(flags, RECORD_FLAGS, state, RECORD_STATE);
RECORD_SAME(bad, RECORD_BAD, version, RECORD_VERSION);
RECORD_SAME(event_version, RECORD_EVENT_VERSION, version, RECORD_VERSION);
RECORD_SAME(main_dir, RECORD_MAIN_DIR, version, RECORD_VERSION);
RECORD_SAME(next_dir, RECORD_NEXT_DIR, version, RECORD_VERSION);

#define RECORD_MAGIC_VALUE 0x52424453u // "SDBR"
#define RECORD_FORMAT_VALUE 1

static void record_encode(const struct sdb_record *r, uint8_t *buf) {
    memset(buf, 0, SDB_RECORD_SIZE);
    sdb_put32(buf + RECORD_MAGIC, RECORD_MAGIC_VALUE);
    buf[RECORD_FORMAT] = RECORD_FORMAT_VALUE;
    memcpy(buf + RECORD_STATE, (const uint8_t *)r + RECORD_BYTES_AT, RECORD_BYTES);
    sdb_put32(buf + RECORD_SEQ, r->seq);
    sdb_put32(buf + RECORD_SIGNED_SEQ, r->signed_seq);
    memcpy(buf + RECORD_VERSION, (const uint8_t *)r + RECORD_STRINGS_AT, RECORD_STRINGS);
    sdb_put32(buf + RECORD_CRC, sdb_crc32(0, buf, RECORD_CRC));
}

static bool record_valid(const uint8_t *buf) {
    return sdb_get32(buf + RECORD_MAGIC) == RECORD_MAGIC_VALUE &&
           buf[RECORD_FORMAT] == RECORD_FORMAT_VALUE &&
           sdb_get32(buf + RECORD_CRC) == sdb_crc32(0, buf, RECORD_CRC);
}

static void record_decode(const uint8_t *buf, struct sdb_record *r) {
    memcpy((uint8_t *)r + RECORD_BYTES_AT, buf + RECORD_STATE, RECORD_BYTES);
    r->seq = sdb_get32(buf + RECORD_SEQ);
    r->signed_seq = sdb_get32(buf + RECORD_SIGNED_SEQ);
    memcpy((uint8_t *)r + RECORD_STRINGS_AT, buf + RECORD_VERSION, RECORD_STRINGS);
    r->version[SDB_VERSION_MAX] = '\0';
    r->bad[SDB_VERSION_MAX] = '\0';
    r->event_version[SDB_VERSION_MAX] = '\0';
    r->main_dir[SDB_DIRNAME_MAX] = '\0';
    r->next_dir[SDB_DIRNAME_MAX] = '\0';
}

// Reads the newest valid record into buf and its slot's number, -1 for none, into *slot.
static int record_newest(const struct sdb_record_store *store, uint8_t *buf, int *slot) {
    uint32_t best = 0;
    *slot = -1;
    for (int i = 0; i < 2; i++) {
        int err = store->read(store->ctx, i, buf);
        if (err != 0 && err != SDB_ENOENT) {
            return err;
        }
        if (err == 0 && record_valid(buf) && (*slot < 0 || sdb_get32(buf + RECORD_SEQ) > best)) {
            best = sdb_get32(buf + RECORD_SEQ);
            *slot = i;
        }
    }
    // Slot 1 was read last; slot 0 is read again in the rarer case that it is the newer one.
    return *slot == 0 ? store->read(store->ctx, 0, buf) : 0;
}

int sdb_record_load(const struct sdb_record_store *store, struct sdb_record *record) {
    uint8_t buf[SDB_RECORD_SIZE];
    int slot;
    memset(record, 0, sizeof(*record));
    int err = record_newest(store, buf, &slot);
    if (err == 0 && slot >= 0) {
        record_decode(buf, record);
    }
    return err;
}

int sdb_record_save(const struct sdb_record_store *store, struct sdb_record *record) {
    uint8_t buf[SDB_RECORD_SIZE];
    int slot;
    int err = record_newest(store, buf, &slot);
    if (err != 0) {
        return err;
    }
    record->seq = slot < 0 ? 1 : sdb_get32(buf + RECORD_SEQ) + 1;
    record_encode(record, buf);
    return store->write(store->ctx, slot == 0 ? 1 : 0, buf);
}
