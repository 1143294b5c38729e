// SPDX-License-Identifier: MIT
// Packages with an index, made member by member, and an index that comes piece by piece.
#ifndef SDB_MADE_H
#define SDB_MADE_H

#include <mbedtls/md.h>

#include "core/release/delta.h"
#include "unit.h"

struct made {
    uint8_t tar[64 * 1024];
    size_t size;
    uint8_t index[4096];
    size_t index_size;
    uint32_t count;
    size_t count_at; // where in the index the count is
    char last[SDB_PATH_MAX + 1];
};

static inline void put(struct made *m, const void *data, size_t len) {
    assert_true(m->index_size + len <= sizeof m->index);
    memcpy(m->index + m->index_size, data, len);
    m->index_size += len;
}

static inline void put_number(struct made *m, uint32_t n) {
    do {
        uint8_t b = (uint8_t)((n & 127) | (n > 127 ? 128 : 0));
        put(m, &b, 1);
        n >>= 7;
    } while (n > 0);
}

static inline void made_init(struct made *m) {
    memset(m, 0, sizeof *m);
    put(m, "sdbI\1", 5);
    m->count_at = m->index_size;
    put_number(m, 0);
}

static inline void made_tar(struct made *m, const void *data, size_t len) {
    size_t whole = (len + 511) / 512 * 512;
    assert_true(m->size + whole <= sizeof m->tar);
    memcpy(m->tar + m->size, data, len);
    m->size += whole;
}

static inline void made_member(struct made *m, const char *path, enum sdb_index_kind kind,
                               const void *data, size_t len) {
    uint8_t head[512], digest[32];
    assert_true(sdb_tarhead_make(head, path, kind, (uint32_t)len));
    made_tar(m, head, 512);
    made_tar(m, data, len);
    size_t shared = 0;
    while (shared < 62 && path[shared] != '\0' && path[shared] == m->last[shared]) {
        shared++;
    }
    put_number(m, 0); // one byte, to be set
    m->index[m->index_size - 1] = (uint8_t)(kind | shared << 2);
    put_number(m, (uint32_t)(strlen(path) - shared));
    put(m, path + shared, strlen(path) - shared);
    strcpy(m->last, path);
    if (kind == SDB_INDEX_FILE) {
        put_number(m, (uint32_t)len);
        if (len > 0) {
            mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), data, len, digest);
            put(m, digest, SDB_INDEX_HASH);
        }
    }
    m->index[m->count_at] = (uint8_t)++m->count;
}

static inline void made_end(struct made *m) {
    put(m, "\3\2", 2); // two blocks of zeros
    m->size += 1024;
    m->index[m->count_at] = (uint8_t)++m->count;
}

static inline void made_noise(struct made *m, const char *path, size_t len, unsigned seed) {
    static uint8_t data[20000];
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(seed + i * 7 + i / 251 * seed);
    }
    made_member(m, path, SDB_INDEX_FILE, data, len);
}

// Releases that have most, but not all in common.
static inline void made_release(struct made *m, const char *version, unsigned seed) {
    char text[16];
    made_init(m);
    snprintf(text, sizeof text, "%s\n", version);
    made_member(m, "app/.version", SDB_INDEX_FILE, text, strlen(text));
    made_noise(m, "app/a.py", 3000, 1);
    made_noise(m, "app/changes.py", 2000, seed);
    made_member(m, "app/empty", SDB_INDEX_DIR, "", 0);
    made_member(m, "app/empty.py", SDB_INDEX_FILE, "", 0);
    if (seed % 2) {
        made_noise(m, "app/odd/only/here.py", 900, seed);
        made_noise(m, "app/z.py", 600, 5);
    } else {
        made_noise(m, "app/moved/z.py", 600, 5);
    }
    made_noise(m, "lib/b.py", 5000, 2);
    made_noise(m, "lib/same.py", 512, 3);
    if (seed % 2) {
        made_noise(m, "lib/sub/odd.py", 700, seed);
    }
    made_noise(m, "main.py", 1500, seed);
    made_end(m);
}

struct reader {
    const uint8_t *data;
    size_t size, at, piece;
};

static inline void reader_rewind(void *ctx) {
    ((struct reader *)ctx)->at = 0;
}

static inline int reader_more(void *ctx, const uint8_t **piece) {
    struct reader *r = ctx;
    size_t n = r->size - r->at < r->piece ? r->size - r->at : r->piece;
    *piece = r->data + r->at;
    r->at += n;
    return (int)n;
}

#endif
