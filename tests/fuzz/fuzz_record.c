// SPDX-License-Identifier: MIT
// The record: whatever two slots hold, what is loaded is terminated and what is saved after it
// counts. The input is the state of the two slots; the first byte says which get a right CRC.
#include "fuzz.h"
#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/release/record.h"

struct slots {
    uint8_t data[2][SDB_RECORD_SIZE];
    bool there[2];
};

static int slot_read(void *ctx, int slot, uint8_t *buf) {
    struct slots *s = ctx;
    CHECK(slot == 0 || slot == 1);
    if (!s->there[slot]) {
        return SDB_ENOENT;
    }
    memcpy(buf, s->data[slot], SDB_RECORD_SIZE);
    return 0;
}

static int slot_write(void *ctx, int slot, const uint8_t *buf) {
    struct slots *s = ctx;
    CHECK(slot == 0 || slot == 1);
    s->there[slot] = true;
    memcpy(s->data[slot], buf, SDB_RECORD_SIZE);
    return 0;
}

static void check(const struct sdb_record *r) {
    CHECK(strlen(r->version) <= SDB_VERSION_MAX && strlen(r->bad) <= SDB_VERSION_MAX);
    CHECK(strlen(r->event_version) <= SDB_VERSION_MAX);
    CHECK(strlen(r->main_dir) <= SDB_DIRNAME_MAX && strlen(r->next_dir) <= SDB_DIRNAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct slots s;
    struct sdb_record_store store = {&s, slot_read, slot_write};
    struct sdb_record first, back;
    memset(&s, 0, sizeof s);
    if (size < 1) {
        return 0;
    }
    uint8_t mode = *data++;
    size--;
    for (int i = 0; i < 2; i++) {
        size_t n = size < SDB_RECORD_SIZE ? size : SDB_RECORD_SIZE;
        s.there[i] = (mode & (1 << i)) == 0;
        if (n > 0) {
            memcpy(s.data[i], data, n);
        }
        data += n;
        size -= n;
        if (mode & (4 << i)) {
            memcpy(s.data[i], "SDBR\x01", 5);
            sdb_put32(s.data[i] + 508, sdb_crc32(0, s.data[i], 508));
        }
    }
    memset(&first, 0xa5, sizeof first);
    CHECK(sdb_record_load(&store, &first) == 0);
    check(&first);
    CHECK((mode & 12) == 0 || first.seq <= UINT32_MAX);
    if (first.seq == UINT32_MAX) {
        return 0; // after four thousand million records
    }
    struct sdb_record next = first;
    next.state = (uint8_t)(first.state + 1);
    CHECK(sdb_record_save(&store, &next) == 0);
    CHECK(next.seq == first.seq + 1);
    memset(&back, 0xa5, sizeof back);
    CHECK(sdb_record_load(&store, &back) == 0);
    check(&back);
    CHECK(back.seq == next.seq && back.state == next.state);
    CHECK(strcmp(back.version, first.version) == 0 && strcmp(back.next_dir, first.next_dir) == 0);
    return 0;
}
