// SPDX-License-Identifier: MIT
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What 1.0.0 has and what 2.0.0 has of each file: bytes (-1: no such file) and a seed. A negative
// seed is the positive one with another last byte.
static const struct member {
    const char *path;
    int old_size, old_seed;
    int new_size, new_seed;
} members[] = {
    // clang-format off
    {"app/main.py", 700, 1, 800, 2},
    {"app/same.py", 100, 3, 100, 3},
    {"app/lib/a.py", 5000, 4, 5001, 4},
    {"app/lib/deep/b.py", -1, 0, 1, 5},
    {"app/empty", -1, 0, 0, 0},
    {"app/gone.py", 10, 6, -1, 0},
    {"app/old/gone.py", 10, 7, -1, 0},
    {"main.py", 1500, 8, 1500, -8},      // same size, other end
    {"lib/first.py", 90, 15, 90, 16},    // same size, other content
    {"lib/same.py", 1200, 10, 1200, 10}, // the same: not staged
    {"lib/x.py", 300, 11, 301, 11},
    {"lib/none", 0, 0, 0, 0},            // the same, empty
    {"www/js/new.js", -1, 0, 600, 12},
    {"www/index.html", -1, 0, 20, 13},
    {"data/log.txt", 900, 14, -1, 0},    // the user's
    // clang-format on
};

#define MEMBERS (sizeof members / sizeof *members)

static void content(uint8_t *buf, int size, int seed) {
    for (int i = 0; i < size; i++) {
        buf[i] = (uint8_t)((seed < 0 ? -seed : seed) * 37 + i * 7 + i / 251);
    }
    if (seed < 0) {
        buf[size - 1] ^= 1;
    }
}

void stage_old(struct memfs *m) {
    uint8_t buf[8192];
    char path[64];
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].old_size >= 0) {
            snprintf(path, sizeof path, "/%s", members[i].path);
            content(buf, members[i].old_size, members[i].old_seed);
            memfs_put(m, path, buf, (size_t)members[i].old_size);
        }
    }
    memfs_text(m, "/app/.version", "1.0.0");
}

void stage_want(struct memfs *m) {
    uint8_t buf[8192];
    char path[64];
    stage_old(m);
    memfs_delete(m, "/app");
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].new_size >= 0) {
            snprintf(path, sizeof path, "/%s", members[i].path);
            content(buf, members[i].new_size, members[i].new_seed);
            memfs_put(m, path, buf, (size_t)members[i].new_size);
        }
    }
    memfs_text(m, "/app/.version", "2.0.0\n");
    memfs_dir(m, "/app/nothing");
    memfs_dir(m, "/var/empty");
}

void stage_package(struct package *p) {
    uint8_t buf[8192];
    package_dir(p, "./");
    package_dir(p, "app/");
    package_text(p, "app/.version", "2.0.0\n");
    for (size_t i = 0; i < MEMBERS; i++) {
        if (members[i].new_size >= 0) {
            content(buf, members[i].new_size, members[i].new_seed);
            package_file(p, members[i].path, buf, (size_t)members[i].new_size);
        }
    }
    package_dir(p, "app/nothing");
    package_dir(p, "lib");
    package_dir(p, "var/empty");
    package_end(p);
}

static int on_checkpoint(void *ctx, bool must) {
    struct stage *s = ctx;
    s->checkpoints++;
    s->musts += must;
    return s->checkpoints == s->fail_at ? -5 : 0;
}

void stage_init(struct stage *s) {
    memset(s, 0, sizeof *s);
    memfs_init(&s->mem);
    memfs_ops(&s->mem, &s->fs);
    sdb_record_fs(&s->store, &s->fs);
    package_hash_init(&s->hash, MBEDTLS_MD_SHA1);
    package_hash_init(&s->file_hash, MBEDTLS_MD_SHA256);
    s->names.table = s->table;
    s->names.capacity = sizeof s->table / sizeof *s->table;
    s->cfg = (struct sdb_install_config){
        .fs = &s->fs,
        .hash = &s->hash.hash,
        .store = &s->store,
        .main_dir = "app",
        .next_dir = "next",
        .version = "2.0.0",
        .checkpoint = on_checkpoint,
        .ctx = s,
    };
    s->piece = 4096;
}

void stage_free(struct stage *s) {
    memfs_free(&s->mem);
    package_free(&s->pkg);
    package_hash_free(&s->hash);
    package_hash_free(&s->file_hash);
}

void stage_reset(struct stage *s, const struct memfs *content) {
    memfs_free(&s->mem);
    memfs_copy(&s->mem, content);
    s->hash.hash.start(&s->hash);
    s->checkpoints = s->musts = s->fail_at = 0;
}

static void require(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "stage: %s\n", what);
        abort();
    }
}

int stage_begin(struct stage *s) {
    package_sha1(&s->pkg, s->cfg.digest);
    s->hash.hash.start(&s->hash);
    memset(&s->in, 0xa5, sizeof s->in);
    int res = sdb_install_begin(&s->in, &s->cfg, &s->names);
    if (res == 0) {
        while ((res = sdb_install_clean(&s->in)) == 1) {
            require(memfs_open_handles(&s->mem) == 0, "a directory left open");
        }
    }
    return res;
}

int stage_feed(struct stage *s) {
    int res = 0;
    for (size_t at = 0; at < s->pkg.size && res == 0; at += s->piece) {
        size_t n = s->pkg.size - at < s->piece ? s->pkg.size - at : s->piece;
        res = sdb_install_feed(&s->in, s->pkg.data + at, n);
    }
    int verified = s->piece & 1 ? sdb_install_verify(&s->in) : 0; // by itself, or in finish
    int end;
    while ((end = sdb_install_finish(&s->in)) == 1) {
    }
    require(verified == 0 || end == verified, "finish forgets what verify has found");
    require(res == 0 || end == res, "finish forgets the error");
    require(end != 0 || memfs_open_handles(&s->mem) == 0, "a file left open");
    return end;
}

int stage_run(struct stage *s) {
    int res = stage_begin(s);
    return res < 0 ? res : stage_feed(s);
}

int stage_abort(struct stage *s) {
    int res;
    while ((res = sdb_install_abort(&s->in)) == 1) {
        require(memfs_open_handles(&s->mem) == 0, "a file left open by abort");
    }
    return res;
}
