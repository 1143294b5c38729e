// SPDX-License-Identifier: MIT
// The tar reader: how the input is cut must not change what it reports. The first byte chooses the
// cuts, and whether all blocks are given a right checksum, which mutations would hardly find.
#include "fuzz.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/release/path.h"
#include "core/release/tar.h"

struct seen {
    uint32_t crc; // of all that was reported
    uint32_t size, done, members;
    bool open;
};

static int seen_begin(void *ctx, const char *path, int type, uint32_t size) {
    struct seen *s = ctx;
    char plain[SDB_PATH_MAX + 1];
    CHECK(!s->open);
    CHECK(type == SDB_FS_FILE || (type == SDB_FS_DIR && size == 0));
    strcpy(plain, path);
    CHECK(sdb_path_clean(plain) == (int)strlen(path) && strcmp(plain, path) == 0 && *path);
    s->crc = sdb_crc32(s->crc, path, strlen(path) + 1);
    s->crc = sdb_crc32(s->crc, &size, sizeof size);
    s->crc = sdb_crc32(s->crc, &type, sizeof type);
    s->open = type == SDB_FS_FILE;
    s->size = size;
    s->done = 0;
    s->members++;
    return 0;
}

static int seen_data(void *ctx, const void *data, size_t len) {
    struct seen *s = ctx;
    CHECK(s->open && len > 0 && len <= s->size - s->done);
    s->done += (uint32_t)len;
    s->crc = sdb_crc32(s->crc, data, len);
    return 0;
}

static int seen_end(void *ctx) {
    struct seen *s = ctx;
    CHECK(s->open && s->done == s->size);
    s->open = false;
    s->crc = sdb_crc32(s->crc, "end", 3);
    return 0;
}

static int run(const uint8_t *data, size_t size, uint32_t seed, struct seen *s) {
    const struct sdb_tar_events events = {s, seen_begin, seen_data, seen_end};
    struct sdb_tar tar;
    memset(s, 0, sizeof *s);
    memset(&tar, 0xa5, sizeof tar);
    sdb_tar_init(&tar, &events);
    int res = 0;
    for (size_t n; size > 0 && res == 0; data += n, size -= n) {
        uint8_t *piece = fuzz_piece(data, size, &seed, &n);
        res = sdb_tar_feed(&tar, piece, n);
        free(piece);
    }
    int end = sdb_tar_finish(&tar);
    CHECK(res == 0 || end == res);
    CHECK(end != 0 || !s->open);
    CHECK(end == 0 || (end >= SDB_EPKG_TRUNCATED && end <= SDB_EPKG_CONFLICT));
    CHECK(strlen(tar.path) <= SDB_PATH_MAX);
    return end;
}

static void fix_checksums(uint8_t *data, size_t size) {
    for (; size >= 512; size -= 512, data += 512) {
        unsigned sum = 0;
        bool zero = true;
        for (int i = 0; i < 512; i++) {
            zero = zero && data[i] == 0;
            sum += i >= 148 && i < 156 ? ' ' : data[i];
        }
        if (!zero) {
            char text[8];
            snprintf(text, sizeof text, "%06o", sum);
            memcpy(data + 148, text, 8);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct seen whole, cut;
    if (size == 0) {
        return 0;
    }
    uint8_t *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1) {
        fix_checksums(copy, size - 1);
    }
    int res = run(copy, size - 1, 0, &whole);
    CHECK(run(copy, size - 1, data[0] | 0x100u, &cut) == res);
    CHECK(memcmp(&whole, &cut, sizeof whole) == 0);
    free(copy);
    return 0;
}
