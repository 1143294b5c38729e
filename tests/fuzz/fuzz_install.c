// SPDX-License-Identifier: MIT
// Whole packages against a card: whatever arrives, the running release stays as it is; after an
// abort nothing of the package is left, after success the swap brings a release and keeps the old
// one. The first byte chooses the filesystem's habits and the call that fails.
#include "fuzz.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/release/install.h"
#include "memfs.h"
#include "core/release/record_fs.h"
#include "core/release/swap.h"

struct sum {
    uint32_t crc;
};

static int sum_start(void *ctx) {
    ((struct sum *)ctx)->crc = 0;
    return 0;
}

static int sum_update(void *ctx, const void *data, size_t len) {
    struct sum *s = ctx;
    s->crc = sdb_crc32(s->crc, data, len);
    return 0;
}

static int sum_digest(void *ctx, uint8_t *out) {
    memset(out, 0, SDB_HASH_MAX);
    memcpy(out, &((struct sum *)ctx)->crc, 4);
    return 0;
}

static void fix_checksums(uint8_t *data, size_t size) {
    for (; size >= 512; size -= 512, data += 512) {
        unsigned sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += i >= 148 && i < 156 ? ' ' : data[i];
        }
        if (sum != 8 * ' ' && memcmp(data + 257, "ustar", 5) == 0) {
            char text[8];
            snprintf(text, sizeof text, "%06o", sum);
            memcpy(data + 148, text, 8);
        }
    }
}

static void live_tree(struct memfs *m) {
    memfs_text(m, "/app/main.py", "print(1)\n");
    memfs_text(m, "/app/.version", "1.0.0");
    memfs_text(m, "/main.py", "abc");
    memfs_text(m, "/a/a/file", "x");
    memfs_text(m, "/lib/x.py", "xxxxxxxxxx");
    memfs_text(m, "/settings.json", "{}");
    memfs_text(m, "/boot.py", "not ours");
}

static void check_same(const struct memfs *a, const char *pa, const struct memfs *b,
                       const char *pb) {
    char *x = memfs_list(a, pa, *pa == '\0');
    char *y = memfs_list(b, pb, *pb == '\0');
    CHECK(strcmp(x, y) == 0);
    free(x);
    free(y);
}

static int feed(struct sdb_install *in, const uint8_t *data, size_t size, uint32_t seed) {
    int res = 0;
    for (size_t n; size > 0 && res == 0; data += n, size -= n) {
        uint8_t *piece = fuzz_piece(data, size, &seed, &n);
        res = sdb_install_feed(in, piece, n);
        free(piece);
    }
    int end;
    while ((end = sdb_install_finish(in)) == 1) {
    }
    CHECK(res == 0 || end == res);
    return end;
}

static void after_success(struct memfs *m, const struct sdb_fs *fs,
                          const struct sdb_record_store *store, const struct memfs *before) {
    static struct sdb_swap swap;
    struct memfs staged;
    struct sdb_record record;
    memfs_copy(&staged, m);
    CHECK(sdb_record_load(store, &record) == 0 && record.state == SDB_STAGED);
    CHECK(sdb_swap(&swap, fs, store, &record) == 1 && record.state == SDB_IDLE);
    check_same(m, "/prev", before, "/app");
    check_same(m, "/app", &staged, "/next");
    CHECK(memfs_find(m, "/app/.version") != NULL);
    CHECK(memfs_find(m, "/next") == NULL && memfs_find(m, "/.sdboot/new") == NULL);
    memfs_free(&staged);
}

static void run(const uint8_t *data, size_t size, uint8_t mode) {
    static struct sdb_install in;
    static uint32_t table[200][2];
    struct memfs mem, before;
    struct sdb_fs fs;
    struct sdb_record_store store;
    struct sum whole, each;
    const struct sdb_hash hash = {&whole, 4, sum_update, sum_digest, sum_start};
    const struct sdb_hash file_hash = {&each, 32, sum_update, sum_digest, sum_start};
    const struct sdb_names names = {.table = table, .capacity = 200};
    struct sdb_install_config cfg = {
        .fs = &fs,
        .hash = &hash,
        .store = &store,
        .main_dir = "app",
        .next_dir = "next",
        .version = "2.0.0",
        .file_hash = mode & 4 ? &file_hash : NULL,
    };
    memfs_init(&before);
    live_tree(&before);
    before.fat = mode & 2;
    memfs_copy(&mem, &before);
    memfs_ops(&mem, &fs);
    sdb_record_fs(&store, &fs);
    sum_start(&whole);
    sum_update(&whole, data, size);
    sum_digest(&whole, cfg.digest);
    sum_start(&whole);
    mem.fail_at = mode & 8 ? mode >> 4 : 0;
    mem.fail_error = SDB_EIO;
    mem.capacity = 4096 + 256u * mode;
    memset(&in, 0xa5, sizeof in);
    int res = sdb_install_begin(&in, &cfg, &names);
    while (res == 0 && (res = sdb_install_clean(&in)) == 1) {
        res = 0;
    }
    res = res < 0 ? res : feed(&in, data, size, mode);
    mem.fail_at = 0;
    mem.capacity = 0;
    check_same(&mem, "", &before, "");
    if (res == 0) {
        after_success(&mem, &fs, &store, &before);
    } else {
        while ((res = sdb_install_abort(&in)) == 1) {
        }
        struct sdb_record record;
        CHECK(res == 0 && memfs_open_handles(&mem) == 0);
        CHECK(memfs_find(&mem, "/next") == NULL && memfs_find(&mem, "/.sdboot/new") == NULL);
        CHECK(sdb_record_load(&store, &record) == 0 && record.state == SDB_IDLE);
        check_same(&mem, "", &before, "");
    }
    memfs_free(&mem);
    memfs_free(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) {
        return 0;
    }
    uint8_t *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1) {
        fix_checksums(copy, size - 1);
    }
    run(copy, size - 1, data[0]);
    free(copy);
    return 0;
}
