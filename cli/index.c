// SPDX-License-Identifier: MIT
#include "index.h"

#include <mbedtls/md.h>
#include <stdlib.h>
#include <string.h>

#include "core/release/index.h"

struct writer {
    struct tool_text out; // entries
    uint32_t count;
    uint32_t raw; // blocks that are in no entry yet
    char last[SDB_PATH_MAX + 1];
};

static void put(struct tool_text *out, const void *data, size_t len) {
    out->data = realloc(out->data, out->len + len);
    if (out->data == NULL) {
        tool_die("out of memory");
    }
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_byte(struct tool_text *out, unsigned byte) {
    uint8_t b = (uint8_t)byte;
    put(out, &b, 1);
}

static void put_number(struct tool_text *out, uint32_t n) {
    for (; n >= 128; n >>= 7) {
        put_byte(out, n | 128);
    }
    put_byte(out, n);
}

static void blocks(struct writer *w, enum sdb_index_kind kind, uint32_t count) {
    if (count > 0) {
        put_byte(&w->out, kind);
        put_number(&w->out, count);
        w->count++;
    }
}

static void member(struct writer *w, enum sdb_index_kind kind, const char *path, uint32_t size,
                   const uint8_t *content) {
    uint8_t digest[32];
    blocks(w, SDB_INDEX_RAW, w->raw);
    w->raw = 0;
    size_t shared = 0;
    while (path[shared] != '\0' && path[shared] == w->last[shared]) {
        shared++;
    }
    put_byte(&w->out, kind | (unsigned)(shared < 63 ? shared : 63) << 2);
    if (shared >= 63) {
        put_number(&w->out, (uint32_t)shared);
    }
    put_number(&w->out, (uint32_t)(strlen(path) - shared));
    put(&w->out, path + shared, strlen(path) - shared);
    strcpy(w->last, path);
    if (kind == SDB_INDEX_FILE) {
        put_number(&w->out, size);
        if (size > 0) {
            mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), content, size, digest);
            put(&w->out, digest, SDB_INDEX_HASH);
        }
    }
    w->count++;
}

// The path in a header as the host tool writes them, without '/' at the end.
static void header_path(const uint8_t *head, char path[SDB_PATH_MAX + 1]) {
    size_t len = strnlen((const char *)head + 345, 155);
    memcpy(path, head + 345, len);
    if (len > 0) {
        path[len++] = '/';
    }
    size_t name = strnlen((const char *)head, 100);
    memcpy(path + len, head, name);
    len += name;
    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    path[len] = '\0';
}

static uint32_t header_size(const uint8_t *head) {
    char digits[13] = "";
    memcpy(digits, head + 124, 12);
    return (uint32_t)strtoul(digits, NULL, 8);
}

static bool all_zeros(const uint8_t *p, size_t len) {
    return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

struct tool_text index_make(const struct tool_text *package) {
    const uint8_t *tar = (const uint8_t *)package->data;
    size_t end = package->len / SDB_INDEX_BLOCK * SDB_INDEX_BLOCK;
    uint8_t same[SDB_INDEX_BLOCK];
    char path[SDB_PATH_MAX + 1];
    struct writer w = {0};
    size_t at = 0;
    while (at < end && !all_zeros(tar + at, SDB_INDEX_BLOCK)) {
        const uint8_t *head = tar + at;
        enum sdb_index_kind kind = head[156] == '5' ? SDB_INDEX_DIR : SDB_INDEX_FILE;
        uint32_t size = header_size(head);
        size_t count = 1 + (size + SDB_INDEX_BLOCK - 1) / SDB_INDEX_BLOCK;
        header_path(head, path);
        if (path[0] != '\0' && count <= (end - at) / SDB_INDEX_BLOCK &&
            sdb_tarhead_make(same, path, kind, size) && memcmp(head, same, sizeof same) == 0 &&
            all_zeros(head + SDB_INDEX_BLOCK + size, (count - 1) * SDB_INDEX_BLOCK - size)) {
            member(&w, kind, path, size, head + SDB_INDEX_BLOCK);
            at += count * SDB_INDEX_BLOCK;
            continue;
        }
        size_t left = (end - at) / SDB_INDEX_BLOCK;
        count = count < left ? count : left;
        w.raw += (uint32_t)count;
        at += count * SDB_INDEX_BLOCK;
    }
    bool zeros = all_zeros(tar + at, end - at);
    uint32_t rest = (uint32_t)((end - at) / SDB_INDEX_BLOCK);
    blocks(&w, SDB_INDEX_RAW, w.raw + (zeros ? 0 : rest));
    blocks(&w, SDB_INDEX_ZEROS, zeros ? rest : 0);

    struct tool_text index = {0};
    put(&index, SDB_INDEX_MAGIC, 4);
    put_byte(&index, SDB_INDEX_VERSION);
    put_number(&index, w.count);
    put(&index, w.out.data, w.out.len);
    free(w.out.data);
    return index;
}
