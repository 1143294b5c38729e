// SPDX-License-Identifier: MIT
#include "engine.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "try.h"

void fill(uint8_t *buf, uint32_t len, uint32_t seed, uint32_t from) {
    for (uint32_t i = 0; i < len; i++) {
        uint64_t x = mix64(((uint64_t)seed << 32) + (from + i) / 8);
        buf[i] = (uint8_t)(x >> (from + i) % 8 * 8);
    }
}

static int write_all(FIL *f, uint32_t seed, uint32_t from, uint32_t size, uint32_t piece) {
    static uint8_t buf[8192];
    for (uint32_t at = 0; at < size; at += piece) {
        UINT n;
        uint32_t len = size - at < piece ? size - at : piece;
        fill(buf, len, seed, from + at);
        TRY(f_write(f, buf, len, &n));
        if (n < len) {
            return -28;
        }
    }
    return 0;
}

int put_file(struct env *e, const char *path, uint32_t seed, uint32_t size, uint32_t piece) {
    static uint8_t buf[8192];
    const struct sdb_fs *fs = &e->engine_fs;
    int err = 0;
    int file = fs->open(fs->ctx, path, 'w');
    if (file < 0) {
        return file;
    }
    for (uint32_t at = 0; at < size && err == 0; at += piece) {
        uint32_t len = size - at < piece ? size - at : piece;
        fill(buf, len, seed, at);
        err = fs->write(fs->ctx, file, buf, len);
    }
    int closed = fs->close(fs->ctx, file);
    return err < 0 ? err : closed;
}

int move_over(struct env *e, const char *from, const char *to) {
    const struct sdb_fs *fs = &e->engine_fs;
    int err = fs->rename(fs->ctx, from, to);
    if (err == SDB_EEXIST) {
        TRY(fs->remove(fs->ctx, to));
        err = fs->rename(fs->ctx, from, to);
    }
    return err;
}

int remove_tree(struct env *e, const char *path) {
    FF_DIR d;
    FILINFO info;
    char name[300];
    for (;;) {
        TRY(f_opendir(&e->fs, &d, path));
        FRESULT res = f_readdir(&d, &info);
        f_closedir(&d);
        TRY(res);
        if (info.fname[0] == 0) {
            return f_unlink(&e->fs, path) == FR_OK ? 0 : -5;
        }
        if (snprintf(name, sizeof name, "%s/%s", path, info.fname) >= (int)sizeof name) {
            return -36;
        }
        TRY(info.fattrib & AM_DIR ? remove_tree(e, name) : (int)f_unlink(&e->fs, name));
    }
}

int populate(struct env *e) {
    char name[80];
    TRY(put_file(e, "/main.py", 1, 700, 512));
    TRY(e->engine_fs.mkdir(e->engine_fs.ctx, "/lib"));
    TRY(put_file(e, "/lib/a rather long name of a module.py", 2, 1300, 4096));
    TRY(e->engine_fs.mkdir(e->engine_fs.ctx, "/data"));
    TRY(put_file(e, "/data/log.txt", 3, 950, 100));
    TRY(put_file(e, "/data/settings.json", 4, 3000, 512));
    TRY(put_file(e, "/data/table.bin", 5, 9000, 4096));
    for (int i = 0; e->vol->crowded && i < 70; i++) {
        snprintf(name, sizeof name, "/Holiday picture number %d of many.jpeg", i);
        TRY(put_file(e, name, 100 + (uint32_t)i, i % 7 == 0 ? 1500 : 20, 512));
    }
    return 0;
}

// ---- the application, in autocommit

static int run_append(struct env *e) {
    FIL f;
    TRY(env_mount(e));
    for (int round = 0; round < 2; round++) {
        TRY(f_open(&e->fs, &f, "/data/log.txt", FA_WRITE | FA_OPEN_ALWAYS));
        TRY(f_lseek(&f, f_size(&f)));
        for (uint32_t line = 0; line < 8; line++) {
            TRY(write_all(&f, 200, line * 100, 100, 100));
            TRY(f_sync(&f));
        }
        TRY(f_close(&f));
    }
    return 0;
}

static int run_rewrite(struct env *e) {
    FIL f;
    TRY(env_mount(e));
    // In place, across sectors and clusters.
    TRY(f_open(&e->fs, &f, "/data/table.bin", FA_READ | FA_WRITE));
    TRY(f_lseek(&f, 1000));
    TRY(write_all(&f, 210, 0, 2600, 4096));
    TRY(f_sync(&f));
    TRY(f_lseek(&f, 4096));
    TRY(write_all(&f, 211, 0, 700, 100));
    TRY(f_close(&f));
    // Anew under the same name.
    TRY(put_file(e, "/data/settings.json", 212, 4200, 512));
    TRY(put_file(e, "/data/settings.json", 213, 300, 512));
    // As a careful application does.
    TRY(put_file(e, "/data/settings.tmp", 214, 2000, 512));
    TRY(move_over(e, "/data/settings.tmp", "/data/settings.json"));
    TRY(put_file(e, "/main.tmp", 215, 1400, 512));
    TRY(move_over(e, "/main.tmp", "/main.py"));
    // Shorter.
    TRY(f_open(&e->fs, &f, "/data/table.bin", FA_READ | FA_WRITE));
    TRY(f_lseek(&f, 3000));
    TRY(f_truncate(&f));
    TRY(f_close(&f));
    return 0;
}

static int run_two_files(struct env *e) {
    FIL a;
    FIL b;
    TRY(env_mount(e));
    TRY(f_open(&e->fs, &a, "/data/log.txt", FA_WRITE | FA_OPEN_ALWAYS));
    TRY(f_lseek(&a, f_size(&a)));
    TRY(f_open(&e->fs, &b, "/data/a second log with a long name.txt", FA_WRITE | FA_CREATE_ALWAYS));
    for (uint32_t i = 0; i < 6; i++) {
        TRY(write_all(&a, 220, i * 300, 300, 100));
        TRY(write_all(&b, 221, i * 700, 700, 700));
        TRY(i % 2 ? f_sync(&a) : f_sync(&b));
    }
    TRY(f_close(&a));
    TRY(f_close(&b));
    return 0;
}

static int run_many_names(struct env *e) {
    char name[80];
    TRY(env_mount(e));
    TRY(f_mkdir(&e->fs, "/data/deep"));
    TRY(f_mkdir(&e->fs, "/data/deep/deeper"));
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "/data/deep/measurement of day %d, raw values.csv", i);
        TRY(put_file(e, name, 230 + (uint32_t)i, 90 * (uint32_t)i, 512));
    }
    TRY(move_over(e, "/data/deep/measurement of day 3, raw values.csv", "/data/deep/deeper/3.csv"));
    TRY(move_over(e, "/data/deep/deeper", "/deeper"));
    TRY(f_unlink(&e->fs, "/data/deep/measurement of day 5, raw values.csv"));
    TRY(f_mkdir(&e->fs, "/data/again"));
    TRY(remove_tree(e, "/data/deep"));
    return 0;
}

// ---- explicit transactions

static int run_transaction(struct env *e) {
    FIL f;
    TRY(env_mount(e));
    TRY(env_begin(e));
    TRY(put_file(e, "/data/one.tmp", 240, 2500, 512));
    TRY(move_over(e, "/data/one.tmp", "/data/settings.json"));
    TRY(f_unlink(&e->fs, "/data/table.bin"));
    TRY(put_file(e, "/data/table.bin", 241, 5000, 4096));
    TRY(f_mkdir(&e->fs, "/data/sub"));
    TRY(put_file(e, "/data/sub/two.txt", 242, 10, 512));
    TRY(env_commit(e));
    // One that is given up.
    TRY(env_begin(e));
    TRY(put_file(e, "/main.py", 243, 900, 512));
    TRY(put_file(e, "/data/three.txt", 244, 6000, 4096));
    TRY(remove_tree(e, "/data/sub"));
    TRY(env_abort(e));
    // And life goes on.
    TRY(f_open(&e->fs, &f, "/data/log.txt", FA_WRITE | FA_OPEN_ALWAYS));
    TRY(f_lseek(&f, f_size(&f)));
    TRY(write_all(&f, 245, 0, 400, 100));
    TRY(f_close(&f));
    TRY(env_begin(e));
    TRY(put_file(e, "/data/four.txt", 246, 1200, 512));
    TRY(env_checkpoint(e));
    TRY(put_file(e, "/data/five.txt", 247, 1200, 512));
    TRY(env_commit(e));
    return 0;
}

// ---- a release, staged and swapped in by hand

static const char *const staged[] = {
    "/next/.version",
    "/next/__init__.py",
    "/next/a module with quite a long name.py",
    "/next/web/index.html",
    "/next/web/static/style sheet.css",
    "/next/web/static/picture.png",
    "/next/lib/one.py",
    "/next/lib/two.py",
    "/next/lib/three is the last one of these.py",
    "/next/data.bin",
};

static int stage(struct env *e, uint32_t seed, uint32_t size) {
    TRY(f_mkdir(&e->fs, "/next"));
    TRY(f_mkdir(&e->fs, "/next/web"));
    TRY(f_mkdir(&e->fs, "/next/web/static"));
    TRY(f_mkdir(&e->fs, "/next/lib"));
    for (unsigned i = 0; i < sizeof staged / sizeof *staged; i++) {
        int err = put_file(e, staged[i], seed + i, i == 0 ? 6 : size * (i % 4 + 1) / 2, 4096);
        if (err < 0) {
            return err;
        }
    }
    TRY(put_file(e, "/main.new", seed + 50, 800, 4096));
    return 0;
}

static int swap(struct env *e) {
    TRY(env_begin(e));
    TRY(f_rename(&e->fs, "/app", "/prev"));
    TRY(f_rename(&e->fs, "/next", "/app"));
    TRY(move_over(e, "/main.py", "/.main.old"));
    TRY(f_rename(&e->fs, "/main.new", "/main.py"));
    TRY(env_commit(e));
    return 0;
}

static int prepare_app(struct env *e) {
    TRY(stage(e, 300, 900));
    TRY(f_rename(&e->fs, "/next", "/app"));
    TRY(f_unlink(&e->fs, "/main.new"));
    return 0;
}

static int run_release(struct env *e) {
    TRY(env_mount(e));
    TRY(env_begin(e));
    TRY(stage(e, 320, 1400));
    TRY(env_commit(e));
    TRY(swap(e));
    // The release after that: prev/ goes in a transaction of its own.
    TRY(env_begin(e));
    TRY(remove_tree(e, "/prev"));
    TRY(env_commit(e));
    TRY(env_begin(e));
    TRY(stage(e, 340, 700));
    TRY(env_commit(e));
    TRY(swap(e));
    return 0;
}

// Room for half a release.
static int prepare_full(struct env *e) {
    TRY(prepare_app(e));
    return leave_free(e, 14);
}

static int run_full(struct env *e) {
    TRY(env_mount(e));
    TRY(env_begin(e));
    if (stage(e, 360, 1400) == 0) {
        return -5;
    }
    TRY(env_abort(e));
    // What is there goes on working.
    TRY(put_file(e, "/data/log2.txt", 362, 300, 100));
    TRY(f_unlink(&e->fs, "/data/table.bin"));
    return 0;
}

// More than a journal holds, in place: an error, and the old content.
static int prepare_overflow(struct env *e) {
    return put_file(e, "/data/big.bin", 370, 300000, 4096);
}

static int run_overflow(struct env *e) {
    FIL f;
    TRY(env_mount(e));
    TRY(env_begin(e));
    TRY(f_open(&e->fs, &f, "/data/big.bin", FA_READ | FA_WRITE));
    if (write_all(&f, 371, 0, 300000, 4096) == 0 && !e->reference &&
        sdb_journal_slots(e->journal) < 300000 / 512) {
        return -5;
    }
    TRY(env_abort(e));
    TRY(put_file(e, "/data/log2.txt", 372, 300, 100));
    return 0;
}

// Staging in the background while the application logs.
static int run_background(struct env *e) {
    FIL log;
    char name[40];
    TRY(env_mount(e));
    TRY(f_open(&e->fs, &log, "/data/log.txt", FA_WRITE | FA_OPEN_ALWAYS));
    TRY(f_lseek(&log, f_size(&log)));
    env_defer(e, true);
    TRY(f_mkdir(&e->fs, "/next"));
    for (uint32_t i = 0; i < 6; i++) {
        FIL f;
        snprintf(name, sizeof name, "/next/file number %u.py", (unsigned)i);
        TRY(f_open(&e->fs, &f, name, FA_WRITE | FA_CREATE_ALWAYS));
        TRY(write_all(&f, 380 + i, 0, 1100, 512));
        if (i % 2) {
            env_defer(e, false);
            TRY(write_all(&log, 390, i * 100, 100, 100));
            TRY(f_sync(&log));
            env_defer(e, true);
        }
        TRY(write_all(&f, 380 + i, 1100, 1500, 512));
        TRY(f_close(&f));
    }
    env_defer(e, false);
    TRY(env_checkpoint(e));
    TRY(f_close(&log));
    return 0;
}

// ---- the control area and the record

static int run_create(struct env *e) {
    const char *why;
    TRY(env_boot(e, true, &why));
    TRY(env_mount(e));
    TRY(put_file(e, "/data/after.txt", 400, 500, 100));
    return 0;
}

static int run_record(struct env *e) {
    struct sdb_record_store store;
    struct sdb_record r;
    env_record_store(e, &store);
    TRY(env_mount(e));
    for (int i = 0; i < 4; i++) {
        TRY(sdb_record_load(&store, &r));
        r.state = (uint8_t)(SDB_STAGED + i % 3);
        r.left = (uint8_t)i;
        snprintf(r.version, sizeof r.version, "1.%d.0", i);
        TRY(sdb_record_save(&store, &r));
        TRY(put_file(e, "/data/between.txt", 410 + (uint32_t)i, 700, 512));
    }
    return 0;
}

const struct scenario scenarios[] = {
    {.name = "append", .run = run_append},
    {.name = "rewrite", .run = run_rewrite},
    {.name = "two-files", .run = run_two_files, .unsynced = true},
    {.name = "names", .run = run_many_names},
    {.name = "transaction", .run = run_transaction},
    {.name = "release", .prepare = prepare_app, .run = run_release},
    {.name = "full", .prepare = prepare_full, .run = run_full, .small = true},
    {.name = "overflow", .prepare = prepare_overflow, .run = run_overflow},
    {.name = "background", .run = run_background, .unsynced = true},
    {.name = "create", .run = run_create, .fresh = true},
    {.name = "convert", .run = run_create, .fresh = true, .old = true},
    {.name = "record", .run = run_record},
    {.name = "log-append", .run = run_log_append, .unsynced = true, .log = true},
    {.name = "log-mixed", .run = run_log_mixed, .unsynced = true, .log = true},
    {.name = "log-patch", .run = run_log_patch, .log = true},
    {.name = "log-transactions", .run = run_log_transactions, .log = true},
    {.name = "update",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_update,
     .run = run_update,
     .resume = resume_update,
     .two = true},
    {.name = "second-update",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_second,
     .run = run_update,
     .resume = resume_update,
     .two = true},
    {.name = "rollback",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_update,
     .run = run_rollback,
     .two = true},
    {.name = "many-outside", .prepare = prepare_many, .run = run_many, .small = true},
    {.name = "expiry",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_update,
     .run = run_expiry,
     .two = true},
    {.name = "first",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_first,
     .run = run_first,
     .resume = resume_update,
     .two = true},
    {.name = "abort",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_update,
     .run = run_abort,
     .resume = resume_update,
     .two = true},
    {.name = "indexed",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_second,
     .run = run_indexed,
     .resume = resume_indexed,
     .two = true},
    {.name = "refused",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_second,
     .run = run_refused,
     .resume = resume_update,
     .two = true},
    {.name = "full-update",
     .on = ON_FAT | ON_LFS,
     .prepare = prepare_full_update,
     .run = run_full_update,
     .resume = resume_full_update,
     .two = true,
     .small = true,
     .few = true},
    {.name = "application", .on = ON_LFS, .run = run_lfs_application},
    {.name = "logging", .on = ON_LFS, .prepare = prepare_update, .run = run_lfs_logging},
    {.name = "records", .on = ON_LFS, .run = run_lfs_records},
};
const unsigned scenario_count = sizeof scenarios / sizeof *scenarios;

bool scenario_on(const struct scenario *s, const struct volume *v) {
    int on = s->on ? s->on : ON_FAT;
    return v->lfs_block
               ? on & ON_LFS
               : on & ON_FAT && !(s->small && v->cluster_sectors > 8) && !(s->few && v->type != 16);
}
