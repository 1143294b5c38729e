// SPDX-License-Identifier: MIT
// What a tar reader reports, as text: "f SIZE CRC32 PATH" or "d 0 0 PATH", a line a member, written
// when the member is complete. And headers made by hand.
#ifndef SDB_TAR_TRACE_H
#define SDB_TAR_TRACE_H

#include "unit.h"
#include "core/crc32.h"
#include "core/release/tar.h"

struct trace {
    char *text;
    size_t len, room;
    char path[SDB_PATH_MAX + 1];
    uint32_t size, seen, crc;
    bool open;
    unsigned calls;   // of any callback
    unsigned stop_at; // this call fails with -ESTOP, 0: none
};

#define ESTOP 1234

static int trace_call(struct trace *t) {
    t->calls++;
    return t->calls == t->stop_at ? -ESTOP : 7; // a positive return doesn't stop
}

static void trace_line(struct trace *t, char kind) {
    if (t->room - t->len < 600) {
        t->room = 2 * t->room + 600;
        t->text = realloc(t->text, t->room);
        assert_non_null(t->text);
    }
    const char *form = kind == 'f' ? "%c %u %08x %s\n" : "%c %u %x %s\n";
    t->len += (size_t)snprintf(t->text + t->len, 600, form, kind, t->size, t->crc, t->path);
}

static int trace_begin(void *ctx, const char *path, int type, uint32_t size) {
    struct trace *t = ctx;
    assert_false(t->open);
    assert_true(strlen(path) <= SDB_PATH_MAX);
    strcpy(t->path, path);
    t->size = size;
    t->seen = 0;
    t->crc = 0;
    if (type == SDB_FS_FILE) {
        t->open = true;
    } else {
        assert_int_equal(type, SDB_FS_DIR);
        assert_int_equal(size, 0);
        trace_line(t, 'd');
    }
    return trace_call(t);
}

static int trace_data(void *ctx, const void *data, size_t len) {
    struct trace *t = ctx;
    assert_true(t->open);
    assert_true(len > 0 && len <= t->size - t->seen);
    t->seen += (uint32_t)len;
    t->crc = sdb_crc32(t->crc, data, len);
    return trace_call(t);
}

static int trace_end(void *ctx) {
    struct trace *t = ctx;
    assert_true(t->open);
    assert_int_equal(t->seen, t->size);
    t->open = false;
    trace_line(t, 'f');
    return trace_call(t);
}

static void trace_init(struct trace *t) {
    memset(t, 0, sizeof *t);
    t->room = 600;
    t->text = calloc(1, t->room);
    assert_non_null(t->text);
}

static const struct sdb_tar_events trace_events = {NULL, trace_begin, trace_data, trace_end};

static inline void trace_start(struct trace *t, struct sdb_tar *tar) {
    struct sdb_tar_events events = trace_events;
    trace_init(t);
    events.ctx = t;
    sdb_tar_init(tar, &events);
    memset(&events, 0xee, sizeof events); // it has been copied
}

// Feeds `len` bytes in pieces of at most `piece` (0: random sizes from *seed) and ends the input.
// Every piece is a block of its own, so that a read beyond it is found.
static inline int trace_feed(struct sdb_tar *tar, const uint8_t *data, size_t len, size_t piece,
                             uint32_t *seed) {
    uint8_t *copy = NULL;
    size_t copy_len = 0;
    int res = 0;
    while (len > 0 && res == 0) {
        size_t n = piece;
        if (n == 0) {
            uint32_t r = unit_random(seed);
            n = r % 3 == 0 ? r / 3 % 8 + 1 : r % 3 == 1 ? r / 3 % 700 + 1 : r / 3 % 9000 + 1;
        }
        n = n < len ? n : len;
        if (n != copy_len) {
            free(copy);
            copy = malloc(n);
            assert_non_null(copy);
            copy_len = n;
        }
        memcpy(copy, data, n);
        res = sdb_tar_feed(tar, copy, n);
        data += n;
        len -= n;
    }
    free(copy);
    if (res != 0) {
        assert_true(res < 0);
        assert_int_equal(sdb_tar_feed(tar, "x", 1), res); // final
        assert_int_equal(sdb_tar_finish(tar), res);
    }
    return sdb_tar_finish(tar);
}

// An archive made by hand.
struct made {
    uint8_t bytes[16384];
    size_t len;
};

static inline void made_checksum(uint8_t *h, bool is_signed) {
    int sum = 0;
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++) {
        sum += is_signed ? (int8_t)h[i] : h[i];
    }
    snprintf((char *)h + 148, 8, "%06o", (unsigned)sum & 0777777);
}

// Adds a ustar header; the caller may change it and call made_checksum() again.
static inline uint8_t *made_header(struct made *m, const char *name, char type, uint32_t size) {
    uint8_t *h = m->bytes + m->len;
    assert_true(m->len + 512 <= sizeof m->bytes);
    memset(h, 0, 512);
    size_t name_len = strlen(name);
    memcpy(h, name, name_len < 100 ? name_len : 100);
    memcpy(h + 100, "0000644\0000000000\0000000000", 24);
    snprintf((char *)h + 124, 12, "%011o", size);
    memcpy(h + 136, "14000000000", 12);
    h[156] = (uint8_t)type;
    memcpy(h + 257, "ustar\00000", 8);
    made_checksum(h, false);
    m->len += 512;
    return h;
}

static inline void made_body(struct made *m, const void *data, size_t len) {
    size_t blocks = (len + 511) / 512 * 512;
    assert_true(m->len + blocks <= sizeof m->bytes);
    memset(m->bytes + m->len, 0, blocks);
    memcpy(m->bytes + m->len, data, len);
    m->len += blocks;
}

// A member of any type with a body, such as an extended header.
static inline void made_member(struct made *m, const char *name, char type, const void *data,
                               size_t len) {
    made_header(m, name, type, (uint32_t)len);
    made_body(m, data, len);
}

static inline void made_end(struct made *m) {
    made_body(m, (const uint8_t[1024]){0}, 1024);
}

#endif
