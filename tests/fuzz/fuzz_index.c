// SPDX-License-Identifier: MIT
// The index of a package: how the input is cut must not change what is read, what is read describes
// one piece of a package after the other, and headers that are made for it can be read.
#include "fuzz.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/release/index.h"
#include "core/release/tar.h"

struct input {
    const uint8_t *data;
    size_t left;
    uint32_t seed;
    uint8_t *piece;
};

static int more(void *ctx, const uint8_t **piece) {
    struct input *in = ctx;
    size_t n = 0;
    free(in->piece);
    in->piece = NULL;
    if (in->left > 0) {
        in->piece = fuzz_piece(in->data, in->left, &in->seed, &n);
    }
    in->data += n;
    in->left -= n;
    *piece = in->piece;
    return (int)n;
}

static int taken(void *ctx, const char *path, int type, uint32_t size) {
    const struct sdb_index *ix = ctx;
    (void)path;
    CHECK(size == (ix->kind == SDB_INDEX_FILE ? ix->size : 0));
    CHECK(type == (ix->kind == SDB_INDEX_FILE ? SDB_FS_FILE : SDB_FS_DIR) || size == 0);
    return 0;
}

static int data_or_end(void *ctx, const void *data, size_t len) {
    (void)ctx, (void)data, (void)len;
    return 0;
}

static int end(void *ctx) {
    (void)ctx;
    return 0;
}

static void check_header(struct sdb_index *ix) {
    const struct sdb_tar_events events = {ix, taken, data_or_end, end};
    uint8_t block[SDB_INDEX_BLOCK];
    struct sdb_tar tar;
    if (ix->kind > SDB_INDEX_DIR ||
        !sdb_tarhead_make(block, ix->path, (enum sdb_index_kind)ix->kind, ix->size)) {
        return;
    }
    sdb_tar_init(&tar, &events);
    int res = sdb_tar_feed(&tar, block, sizeof block);
    CHECK(res != SDB_EPKG_CHECKSUM && res != SDB_EPKG_NOT_TAR);
}

static int run(const uint8_t *data, size_t size, uint32_t seed, uint32_t *crc) {
    static struct sdb_index ix;
    struct input in = {data, size, seed, NULL};
    uint32_t end = 0, count = 0;
    *crc = 0;
    memset(&ix, 0xa5, sizeof ix);
    int res = sdb_index_open(&ix, more, &in);
    while (res == 0 && (res = sdb_index_next(&ix)) == 1) {
        CHECK(ix.at == end && ix.end > ix.at && (ix.end - ix.at) % SDB_INDEX_BLOCK == 0);
        CHECK(ix.size <= ix.end - ix.at && strlen(ix.path) <= SDB_PATH_MAX);
        CHECK(ix.number == count++ && count <= ix.count);
        end = ix.end;
        *crc = sdb_crc32(*crc, &ix.kind, sizeof ix.kind + sizeof ix.hash);
        *crc = sdb_crc32(*crc, ix.path, strlen(ix.path));
        check_header(&ix);
        res = 0;
    }
    CHECK(res == 0 || res == SDB_EINVAL);
    CHECK(res != 0 || count == ix.count);
    CHECK(sdb_index_next(&ix) == res);
    free(in.piece);
    return res;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t whole, cut;
    if (size == 0) {
        return 0;
    }
    int res = run(data + 1, size - 1, 0, &whole);
    CHECK(run(data + 1, size - 1, data[0] | 0x100u, &cut) == res && whole == cut);
    return 0;
}
