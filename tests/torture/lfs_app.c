// SPDX-License-Identifier: MIT
// An application on littlefs: there are no transactions, each close() or flush() is one.
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "engine.h"
#include "try.h"

static int write_some(struct env *e, int file, uint32_t seed, uint32_t from, uint32_t size) {
    static uint8_t buf[4096];
    fill(buf, size, seed, from);
    return e->engine_fs.write(e->engine_fs.ctx, file, buf, size);
}

static int app_sync(struct lfs *f, int file) {
    int res;
    LFS_NOTED(f, res, lfs2_file_sync(&f->fs, &f->files[file]));
    return res;
}

static int app_seek(struct lfs *f, int file, uint32_t at) {
    lfs2_soff_t res = lfs2_file_seek(&f->fs, &f->files[file], (lfs2_soff_t)at, LFS2_SEEK_SET);
    return res < 0 ? res : 0;
}

static int append(struct env *e, const char *path, uint32_t seed, unsigned lines) {
    const struct sdb_fs *fs = &e->engine_fs;
    int file = fs->open(fs->ctx, path, 'a');
    TRY_COUNT(file);
    for (uint32_t i = 0; i < lines; i++) {
        TRY_COUNT(write_some(e, file, seed, i * 100, 100));
        TRY_COUNT(app_sync(e->lfs, file));
    }
    return fs->close(fs->ctx, file);
}

int run_lfs_application(struct env *e) {
    const struct sdb_fs *fs = &e->engine_fs;
    TRY_COUNT(env_mount(e) == FR_OK ? 0 : SDB_EIO);
    TRY_COUNT(append(e, "/data/log.txt", 600, 12));
    // In place.
    int file = fs->open(fs->ctx, "/data/table.bin", '+');
    TRY_COUNT(file);
    TRY_COUNT(app_seek(e->lfs, file, 1000));
    TRY_COUNT(write_some(e, file, 601, 0, 2600));
    TRY_COUNT(app_sync(e->lfs, file));
    TRY_COUNT(app_seek(e->lfs, file, 5000));
    TRY_COUNT(write_some(e, file, 602, 0, 700));
    TRY_COUNT(fs->close(fs->ctx, file));
    // Two files open.
    int a = fs->open(fs->ctx, "/data/log.txt", 'a');
    int b = fs->open(fs->ctx, "/data/a second log with a long name.txt", 'w');
    TRY_COUNT(a);
    TRY_COUNT(b);
    for (uint32_t i = 0; i < 6; i++) {
        TRY_COUNT(write_some(e, a, 603, i * 300, 300));
        TRY_COUNT(write_some(e, b, 604, i * 700, 700));
        TRY_COUNT(app_sync(e->lfs, i % 2 ? a : b));
    }
    TRY_COUNT(fs->close(fs->ctx, a));
    TRY_COUNT(fs->close(fs->ctx, b));
    // Anew under the same name; renamed over, also from another directory.
    TRY_COUNT(put_file(e, "/data/settings.json", 605, 4200, 512));
    TRY_COUNT(put_file(e, "/data/settings.json", 606, 300, 512));
    TRY_COUNT(put_file(e, "/data/settings.tmp", 607, 2000, 512));
    TRY_COUNT(move_over(e, "/data/settings.tmp", "/data/settings.json"));
    TRY_COUNT(fs->mkdir(fs->ctx, "/tmp"));
    TRY_COUNT(put_file(e, "/tmp/main", 608, 1400, 512));
    TRY_COUNT(move_over(e, "/tmp/main", "/main.py"));
    TRY_COUNT(fs->rename(fs->ctx, "/tmp", "/data/moved"));
    TRY_COUNT(fs->remove(fs->ctx, "/data/table.bin"));
    TRY_COUNT(fs->rmdir(fs->ctx, "/data/moved"));
    return append(e, "/data/log.txt", 609, 4);
}

// While a release is staged, until after it has been swapped in.
int run_lfs_logging(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    TRY_COUNT(env_mount(e) == FR_OK ? engine_install(e, ENGINE_GOOD) : SDB_EIO);
    TRY_COUNT(append(e, "/data/log.txt", 610, 6));
    TRY_COUNT(put_file(e, "/data/settings.tmp", 611, 2000, 512));
    TRY_COUNT(move_over(e, "/data/settings.tmp", "/data/settings.json"));
    TRY_COUNT(engine_reset(e, &b, &store, SDB_BOOT_SWAPPED));
    TRY_COUNT(append(e, "/data/log.txt", 612, 4));
    return sdb_boot_confirm(b.store, &b.record) == 1 ? 0 : SDB_EIO;
}

int run_lfs_records(struct env *e) {
    struct sdb_record_store store;
    struct sdb_record r;
    env_record_store(e, &store);
    TRY_COUNT(env_mount(e) == FR_OK ? 0 : SDB_EIO);
    for (int i = 0; i < 6; i++) {
        TRY_COUNT(sdb_record_load(&store, &r));
        r.event = (uint8_t)(i % 3);
        snprintf(r.version, sizeof r.version, "1.%d.0", i);
        TRY_COUNT(sdb_record_save(&store, &r));
        TRY_COUNT(put_file(e, "/data/between.txt", 620 + (uint32_t)i, 700, 512));
    }
    return 0;
}
