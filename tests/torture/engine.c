// SPDX-License-Identifier: MIT
// The update engine itself: install, clean-up, swap, as the board's binding drives them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/release/install.h"
#include "core/release/boot.h"
#include "engine.h"

struct file {
    const char *path;
    uint32_t size;
};

// The old release is these with seed 1, the new one with seed 2; some are the same in both.
static const struct file files[] = {
    {"app/.version", 5},
    {"app/__init__.py", 1200},
    {"app/a module with quite a long name, as people have them.py", 3100},
    {"app/web/index.html", 2500},
    {"app/web/static/style sheet number one.css", 900},
    {"app/web/static/picture.png", 4800},
    {"app/empty.txt", 0},
    {"main.py", 700},
    {"lib/shared/helper.py", 1500},
    {"lib/shared/the same in both releases.py", 600},
};
#define FILES (sizeof files / sizeof *files)

static void content(unsigned i, uint32_t seed, uint8_t *buf) {
    if (i == 0) {
        memcpy(buf, seed == 1 ? "1.0.0" : "1.1.0", 5);
        return;
    }
    fill(buf, files[i].size, 500 + i + (i == FILES - 1 ? 0 : 100 * seed), 0);
}

unsigned engine_file(unsigned i, uint32_t seed, const char **path, uint8_t *buf) {
    *path = files[i].path;
    content(i, seed, buf);
    return files[i].size;
}

const unsigned engine_files = FILES;

// ---- the package

static size_t tar_member(uint8_t *out, const char *path, const uint8_t *data, uint32_t size) {
    memset(out, 0, 512);
    strcpy((char *)out, path);
    memcpy(out + 100, "0000644", 7);
    memcpy(out + 108, "0000000", 7);
    memcpy(out + 116, "0000000", 7);
    snprintf((char *)out + 124, 12, "%011o", (unsigned)size);
    memcpy(out + 136, "00000000000", 11);
    out[156] = '0';
    memcpy(out + 257, "ustar", 6);
    memcpy(out + 263, "00", 2);
    memset(out + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++) {
        sum += out[i];
    }
    snprintf((char *)out + 148, 8, "%06o", sum);
    uint32_t padded = (size + 511) / 512 * 512;
    memset(out + 512, 0, padded);
    memcpy(out + 512, data, size);
    return 512 + padded;
}

static size_t package(uint8_t *out, uint32_t seed) {
    static uint8_t data[8192];
    size_t n = 0;
    for (unsigned i = 0; i < FILES; i++) {
        content(i, seed, data);
        n += tar_member(out + n, files[i].path, data, files[i].size);
    }
    memset(out + n, 0, 1024);
    return n + 1024;
}

// ---- a hash: the engine only compares

static int hash_update(void *ctx, const void *data, size_t len) {
    struct engine_running *r = ctx;
    const uint8_t *p = data;
    while (len--) {
        r->a = (r->a ^ *p++) * 0x100000001b3u;
        r->b = mix64(r->b + r->a);
    }
    return 0;
}

static int hash_start(void *ctx) {
    struct engine_running *r = ctx;
    r->a = 1;
    r->b = 2;
    return 0;
}

static int hash_digest(void *ctx, uint8_t *out) {
    struct engine_running *r = ctx;
    memset(out, 0, r->size);
    memcpy(out, &r->a, 16);
    return 0;
}

struct sdb_hash engine_hash(struct engine_running *running, size_t size) {
    *running = (struct engine_running){1, 2, size};
    return (struct sdb_hash){running, size, hash_update, hash_digest, hash_start};
}

// ---- what the binding does

int engine_checkpoint(void *ctx, bool must) {
    struct engine_checkpoints *c = ctx;
    return must || ++c->files % 4 == 0 ? env_checkpoint(c->e) : 0;
}

// An install that must have failed with `err`, and is aborted as the binding does it.
static int engine_give_up(struct env *e, struct sdb_install *in, enum engine_end end, int err) {
    bool full = err == SDB_ENOSPC || err == SDB_EACCES;
    if (end == ENGINE_HALF   ? err != 0
        : end == ENGINE_FULL ? !full
                             : (err < SDB_EPKG_TRUNCATED || err > SDB_EPKG_CONFLICT)) {
        return err < 0 ? err : SDB_EINVAL;
    }
    do {
        err = sdb_install_abort(in);
    } while (err == 1);
    return err == 0 ? env_commit(e) : err;
}

int engine_install(struct env *e, enum engine_end end) {
    static struct sdb_install in;
    static uint8_t tar[65536];
    uint32_t table[64][2];
    struct engine_running run = {1, 2, 20};
    struct engine_running one = {1, 2, 32};
    struct sdb_hash hash = {&run, 20, hash_update, hash_digest, hash_start};
    struct sdb_hash file_hash = {&one, 32, hash_update, hash_digest, hash_start};
    struct sdb_names names = {.table = table, .capacity = 64};
    struct sdb_record_store store;
    struct engine_checkpoints points = {e, 0};
    size_t size = package(tar, 2);
    struct sdb_install_config cfg = {.fs = &e->engine_fs,
                                     .hash = &hash,
                                     .store = &store,
                                     .main_dir = "app",
                                     .next_dir = "next",
                                     .version = "1.1.0",
                                     .file_hash = &file_hash,
                                     .checkpoint = engine_checkpoint,
                                     .ctx = &points};
    env_record_store(e, &store);
    hash_update(&run, tar, size);
    hash_digest(&run, cfg.digest);
    hash_start(&run);
    cfg.digest[0] ^= end == ENGINE_HASH;

    int err = sdb_install_begin(&in, &cfg, &names);
    if (err == 0) {
        err = env_begin(e);
    }
    if (err < 0) {
        return err;
    }
    do {
        err = sdb_install_clean(&in);
    } while (err == 1);
    if (err == 0) {
        err = env_checkpoint(e);
    }
    if (end == ENGINE_HALF || end == ENGINE_SHORT) {
        size = size * 5 / 8;
    }
    for (size_t at = 0; at < size && err == 0; at += 4096) {
        err = sdb_install_feed(&in, tar + at, size - at < 4096 ? size - at : 4096);
    }
    if (err == 0 && end != ENGINE_HALF) {
        while ((err = sdb_install_finish(&in)) == 1) {
        }
    }
    if (end != ENGINE_GOOD) {
        return engine_give_up(e, &in, end, err);
    }
    return err == 0 ? env_commit(e) : err;
}

// A power-on after sdb_volume_open: swap, trial, way back.
int engine_boot(struct env *e, struct sdb_boot *b, struct sdb_record_store *store) {
    static uint8_t buf[1024];
    static struct engine_running one = {1, 2, 32};
    static struct sdb_hash hash = {&one, 32, hash_update, hash_digest, hash_start};
    env_record_store(e, store);
    memset(b, 0, sizeof *b);
    b->fs = &e->engine_fs;
    b->store = store;
    b->hash = &hash;
    b->buf = buf;
    b->len = sizeof buf;
    b->trials = 3;
    b->swap.whole = e->lfs == NULL;
    if (env_mount(e) != FR_OK) {
        return -5;
    }
    int err = sdb_boot_load(b);
    if (err == 0) {
        err = env_begin(e);
    }
    int result = err < 0 ? err : sdb_boot_run(b, true);
    err = result < 0 ? result : env_commit(e);
    return err < 0 ? err : result;
}

// ---- scenarios

static int put_release(struct env *e, const char *prefix, uint32_t seed) {
    static uint8_t data[8192];
    const struct sdb_fs *fs = &e->engine_fs;
    char path[SDB_PATH_MAX + 1];
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/%s", files[i].path);
        if (prefix && strncmp(files[i].path, "app/", 4) == 0) {
            snprintf(path, sizeof path, "/%s/%s", prefix, files[i].path + 4);
        } else if (prefix) {
            continue;
        }
        if (sdb_tree_parents(fs, path, 0) < 0) {
            return -5;
        }
        content(i, seed, data);
        int file = fs->open(fs->ctx, path, 'w');
        if (file < 0 || fs->write(fs->ctx, file, data, files[i].size) < 0 ||
            fs->close(fs->ctx, file) < 0) {
            return -5;
        }
    }
    return 0;
}

int prepare_update(struct env *e) {
    return put_release(e, NULL, 1);
}

// With what a former update and a failed attempt have left.
int prepare_second(struct env *e) {
    int err = put_release(e, NULL, 1);
    if (err == 0) {
        err = put_release(e, "prev", 0);
    }
    if (err == 0) {
        err = put_release(e, "next", 3);
    }
    if (err == 0) {
        err = e->engine_fs.mkdir(e->engine_fs.ctx, "/.sdboot") == SDB_EIO ? SDB_EIO : 0;
    }
    if (err == 0) {
        err = put_release(e, ".sdboot/new", 3);
    }
    return err == 0 ? put_release(e, ".sdboot/old", 0) : err;
}

int engine_reset(struct env *e, struct sdb_boot *b, struct sdb_record_store *store, int expect) {
    const char *why;
    int err = env_boot(e, false, &why);
    if (err == 0) {
        err = engine_boot(e, b, store);
    }
    return err < 0 ? err : err == expect ? 0 : -22;
}

// Install, swap, a trial boot, confirmed in the second one.
int run_update(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_GOOD) : -5;
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_SWAPPED);
    }
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_NOTHING);
    }
    if (err == 0) {
        err = sdb_boot_confirm(b.store, &b.record) < 0 ? -5 : 0;
    }
    return err;
}

// Install, swap, then back.
int run_rollback(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_GOOD) : -5;
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_SWAPPED);
    }
    if (err == 0) {
        err = sdb_boot_rollback(&b, SDB_EVENT_ROLLED_BACK) < 0 ? -5 : 0;
    }
    return err == 0 ? engine_reset(e, &b, &store, SDB_BOOT_REVERTED) : err;
}

// A directory outside app/ with more files than are moved one by one: 20 are in both releases, one
// in the new one only; a file and a directory are the application's.
static int put_many(struct env *e, const char *dir, uint32_t seed) {
    char path[SDB_PATH_MAX + 1];
    for (uint32_t i = 0; i < 20 + (seed > 1); i++) {
        snprintf(path, sizeof path, "%s/module number %u of many.py", dir, (unsigned)i);
        if (sdb_tree_parents(&e->engine_fs, path, 0) < 0 ||
            put_file(e, path, 900 * seed + i, 30 + i, 512) < 0) {
            return -5;
        }
    }
    return 0;
}

int prepare_many(struct env *e) {
    const struct sdb_fs *fs = &e->engine_fs;
    int err = put_many(e, "/lib/many", 1);
    if (err == 0) {
        err = put_file(e, "/lib/many/settings of the application.json", 870, 300, 512);
    }
    if (err == 0) {
        err = fs->mkdir(fs->ctx, "/lib/many/logs");
    }
    return err == 0 ? put_file(e, "/lib/many/logs/of yesterday.txt", 871, 700, 512) : err;
}

// Swapped in, and taken back.
int run_many(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    struct sdb_record r;
    int err = env_mount(e) == FR_OK ? env_begin(e) : -5;
    if (err == 0) {
        err = put_many(e, "/.sdboot/new/lib/many", 2);
    }
    if (err == 0) {
        err = put_release(e, "app", 1);
    }
    if (err == 0) {
        err = put_release(e, "next", 2);
    }
    if (err == 0) {
        err = env_commit(e);
    }
    env_record_store(e, &store);
    if (err == 0) {
        err = sdb_record_load(&store, &r);
    }
    if (err == 0) {
        r.state = SDB_STAGED;
        strcpy(r.version, "1.1.0");
        strcpy(r.main_dir, "app");
        strcpy(r.next_dir, "next");
        err = sdb_record_save(&store, &r);
    }
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_SWAPPED);
    }
    if (err == 0) {
        err = sdb_boot_rollback(&b, SDB_EVENT_ROLLED_BACK) < 0 ? -5 : 0;
    }
    return err == 0 ? engine_reset(e, &b, &store, SDB_BOOT_REVERTED) : err;
}

// Whatever state the cut has left: boot, confirm, update again if need be.
static bool resume_by(struct env *e, uint64_t visible, const char **why,
                      int (*install)(struct env *e, enum engine_end end)) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    uint64_t seen;
    *why = "after the cut the board does not boot";
    if (engine_boot(e, &b, &store) < 0 || sdb_boot_confirm(b.store, &b.record) < 0) {
        return false;
    }
    if (!env_check(e, &seen, why)) {
        return false;
    }
    if (seen != visible) {
        int err = install(e, ENGINE_GOOD);
        if (err == 0) {
            err = engine_reset(e, &b, &store, SDB_BOOT_SWAPPED);
        }
        if (err < 0 || sdb_boot_confirm(b.store, &b.record) < 0) {
            *why = "after the cut the update can't be repeated";
            return false;
        }
        if (!env_check(e, &seen, why)) {
            return false;
        }
    }
    *why = "the update repeated after the cut has another result";
    return seen == visible;
}

bool resume_update(struct env *e, uint64_t visible, const char **why) {
    return resume_by(e, visible, why, engine_install);
}

bool resume_indexed(struct env *e, uint64_t visible, const char **why) {
    return resume_by(e, visible, why, engine_install_indexed);
}
