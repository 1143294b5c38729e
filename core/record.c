#include "record.h"

#include "bytes.h"
#include "crc32.h"
#include "error.h"

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

#define RECORD_MAGIC_VALUE 0x52424453u // "SDBR"
#define RECORD_FORMAT_VALUE 1

static void record_encode(const struct sdb_record *r, uint8_t *buf) {
    memset(buf, 0, SDB_RECORD_SIZE);
    sdb_put32(buf + RECORD_MAGIC, RECORD_MAGIC_VALUE);
    buf[RECORD_FORMAT] = RECORD_FORMAT_VALUE;
    buf[RECORD_STATE] = r->state;
    buf[RECORD_LEFT] = r->left;
    buf[RECORD_TRIALS] = r->trials;
    buf[RECORD_EVENT] = r->event;
    buf[RECORD_FLAGS] = r->flags;
    sdb_put32(buf + RECORD_SEQ, r->seq);
    sdb_put32(buf + RECORD_SIGNED_SEQ, r->signed_seq);
    memcpy(buf + RECORD_VERSION, r->version, SDB_VERSION_MAX);
    memcpy(buf + RECORD_BAD, r->bad, SDB_VERSION_MAX);
    memcpy(buf + RECORD_EVENT_VERSION, r->event_version, SDB_VERSION_MAX);
    memcpy(buf + RECORD_MAIN_DIR, r->main_dir, SDB_DIRNAME_MAX);
    memcpy(buf + RECORD_NEXT_DIR, r->next_dir, SDB_DIRNAME_MAX);
    sdb_put32(buf + RECORD_CRC, sdb_crc32(0, buf, RECORD_CRC));
}

static bool record_valid(const uint8_t *buf) {
    return sdb_get32(buf + RECORD_MAGIC) == RECORD_MAGIC_VALUE &&
           buf[RECORD_FORMAT] == RECORD_FORMAT_VALUE &&
           sdb_get32(buf + RECORD_CRC) == sdb_crc32(0, buf, RECORD_CRC);
}

static void record_decode(const uint8_t *buf, struct sdb_record *r) {
    memset(r, 0, sizeof(*r)); // strings stay terminated
    r->state = buf[RECORD_STATE];
    r->left = buf[RECORD_LEFT];
    r->trials = buf[RECORD_TRIALS];
    r->event = buf[RECORD_EVENT];
    r->flags = buf[RECORD_FLAGS];
    r->seq = sdb_get32(buf + RECORD_SEQ);
    r->signed_seq = sdb_get32(buf + RECORD_SIGNED_SEQ);
    memcpy(r->version, buf + RECORD_VERSION, SDB_VERSION_MAX);
    memcpy(r->bad, buf + RECORD_BAD, SDB_VERSION_MAX);
    memcpy(r->event_version, buf + RECORD_EVENT_VERSION, SDB_VERSION_MAX);
    memcpy(r->main_dir, buf + RECORD_MAIN_DIR, SDB_DIRNAME_MAX);
    memcpy(r->next_dir, buf + RECORD_NEXT_DIR, SDB_DIRNAME_MAX);
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
