// SPDX-License-Identifier: MIT
// Updates that come to nothing: given up, refused, without room, expired.
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "engine.h"

// Nobody confirms: the boot after the last trial takes the release back.
int run_expiry(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_GOOD) : SDB_EIO;
    for (int boot = 0; boot < 4 && err == 0; boot++) {
        err = engine_reset(e, &b, &store,
                           boot == 0   ? SDB_BOOT_SWAPPED
                           : boot == 3 ? SDB_BOOT_REVERTED
                                       : SDB_BOOT_NOTHING);
    }
    // What the bad release has left goes, in steps, outside of a transaction.
    int more = err == 0 ? 1 : 0;
    while (more == 1) {
        more = sdb_boot_tidy(&b);
    }
    return err < 0 ? err : more;
}

// The first release of a card: it fails as well, but there is nothing to go back to.
int prepare_first(struct env *e) {
    return e->engine_fs.remove(e->engine_fs.ctx, "/main.py");
}

int run_first(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_GOOD) : SDB_EIO;
    for (int boot = 0; boot < 4 && err == 0; boot++) {
        err = engine_reset(e, &b, &store,
                           boot == 0   ? SDB_BOOT_SWAPPED
                           : boot == 3 ? SDB_BOOT_KEPT
                                       : SDB_BOOT_NOTHING);
    }
    if (err == 0) {
        err = sdb_boot_rollback(&b, SDB_EVENT_ROLLED_BACK) == SDB_ENOENT ? 0 : SDB_EINVAL;
    }
    return err == 0 ? engine_reset(e, &b, &store, SDB_BOOT_NOTHING) : err;
}

static int then_update(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = engine_install(e, ENGINE_GOOD);
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_SWAPPED);
    }
    return err == 0 ? sdb_boot_confirm(b.store, &b.record) < 0 ? SDB_EIO : 0 : err;
}

// Given up half-way, power off and on, begun again.
int run_abort(struct env *e) {
    static struct sdb_boot b;
    struct sdb_record_store store;
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_HALF) : SDB_EIO;
    if (err == 0) {
        err = engine_reset(e, &b, &store, SDB_BOOT_NOTHING);
    }
    return err == 0 ? then_update(e) : err;
}

// Another hash than announced, then a package cut short; then the right one.
int run_refused(struct env *e) {
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_HASH) : SDB_EIO;
    if (err == 0) {
        err = engine_install(e, ENGINE_SHORT);
    }
    return err == 0 ? then_update(e) : err;
}

// ---- a card with room for half a release

static int leave_free_lfs(struct env *e, uint32_t blocks) {
    lfs2_t *lfs = &e->lfs->fs;
    char name[40];
    for (int i = 0;; i++) {
        lfs2_ssize_t used = lfs2_fs_size(lfs);
        if (used < 0) {
            return used;
        }
        uint32_t left = e->lfs->cfg.block_count - (uint32_t)used;
        if (left <= blocks) {
            return 0;
        }
        uint32_t n = left - blocks > 4 ? left - blocks - 3 : 1;
        snprintf(name, sizeof name, "/filler%d.bin", i);
        int err = put_file(e, name, 900, n * (e->vol->lfs_block - 16) - 8, 4096);
        if (err < 0) {
            return err;
        }
    }
}

int leave_free(struct env *e, uint32_t clusters) {
    FATFS *fs = &e->fs;
    DWORD left;
    if (e->lfs) {
        return leave_free_lfs(e, clusters);
    }
    if (f_getfree(fs, &left) != FR_OK) {
        return SDB_EIO;
    }
    // Allocated, not written: seeking beyond the end is enough. In pieces that a journal can
    // delete.
    left -= clusters;
    for (int i = 0; left > 0; i++) {
        FIL f;
        char name[40];
        DWORD n = left < 2048 ? left : 2048;
        snprintf(name, sizeof name, "/filler%d.bin", i);
        if (f_open(fs, &f, name, FA_WRITE | FA_CREATE_ALWAYS) != FR_OK ||
            f_lseek(&f, (FSIZE_t)n * fs->csize * 512u) != FR_OK || f_close(&f) != FR_OK) {
            return SDB_EIO;
        }
        left -= n;
    }
    return 0;
}

int prepare_full_update(struct env *e) {
    int err = prepare_update(e);
    return err == 0 ? leave_free(e, 14) : err;
}

// The first filler is larger than a release.
static int make_room(struct env *e) {
    const struct sdb_fs *fs = &e->engine_fs;
    int err = fs->remove(fs->ctx, "/filler0.bin");
    return err == SDB_ENOENT ? 0 : err;
}

int run_full_update(struct env *e) {
    int err = env_mount(e) == FR_OK ? engine_install(e, ENGINE_FULL) : SDB_EIO;
    if (err == 0) {
        err = make_room(e);
    }
    return err == 0 ? then_update(e) : err;
}

bool resume_full_update(struct env *e, uint64_t visible, const char **why) {
    *why = "after the cut no file can be removed";
    return env_mount(e) == FR_OK && make_room(e) == 0 && resume_update(e, visible, why);
}
