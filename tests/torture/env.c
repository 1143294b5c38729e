// SPDX-License-Identifier: MIT
#include "env.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/release/record_fs.h"
#include "lib/oofatfs/diskio.h"

#define ENV_BUFFER 4096 // bytes, for what a new card needs

// ---- what FatFs calls

DRESULT disk_read(void *drv, BYTE *buf, DWORD sector, UINT count) {
    struct env *e = drv;
    return e->mounted.read(e->mounted.ctx, sector, count, buf) == 0 ? RES_OK : RES_ERROR;
}

DRESULT disk_write(void *drv, const BYTE *buf, DWORD sector, UINT count) {
    struct env *e = drv;
    return e->mounted.write(e->mounted.ctx, sector, count, buf) == 0 ? RES_OK : RES_ERROR;
}

DRESULT disk_ioctl(void *drv, BYTE cmd, void *buf) {
    struct env *e = drv;
    switch (cmd) {
    case CTRL_SYNC:
        if (env_sync(e) != 0) {
            ff_raise();
        }
        return RES_OK; // whatever the block device has returned
    case GET_SECTOR_COUNT:
        *(DWORD *)buf = e->mounted.sectors;
        return RES_OK;
    case GET_SECTOR_SIZE:
        *(WORD *)buf = 512;
        return RES_OK;
    case GET_BLOCK_SIZE:
        *(DWORD *)buf = 1;
        return RES_OK;
    case IOCTL_INIT:
    case IOCTL_STATUS:
        *(DSTATUS *)buf = 0;
        return RES_OK;
    default:
        return RES_PARERR;
    }
}

DWORD get_fattime(void) {
    return (DWORD)(2026 - 1980) << 25 | 11u << 21 | 22u << 16;
}

// ---- states

void states_add(struct env *e) {
    struct states *s = e->states;
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->digest = realloc(s->digest, s->capacity * sizeof *s->digest);
        s->loose = realloc(s->loose, s->capacity * sizeof *s->loose);
        s->visible = realloc(s->visible, s->capacity * sizeof *s->visible);
        s->outcome = realloc(s->outcome, s->capacity * sizeof *s->outcome);
    }
    s->digest[s->count] = env_state(e->fs_digest, e->record_digest);
    s->loose[s->count] = env_state(e->fs_loose, e->record_digest);
    s->visible[s->count++] = e->fs_visible;
}

void states_free(struct states *s) {
    free(s->outcome);
    free(s->digest);
    free(s->loose);
    free(s->visible);
    memset(s, 0, sizeof *s);
}

static void reference_note(struct env *e, const struct image *img) {
    struct fatcheck check;
    if (!fatcheck(img, &check) && !e->trouble) {
        e->trouble = check.error;
    }
    if (check.leaks + check.overlong > 0 && !e->unsynced && !e->trouble) {
        e->trouble = "the reference leaks";
    }
    e->fs_digest = check.digest;
    e->fs_visible = check.visible;
    e->fs_loose = check.loose;
    states_add(e);
}

uint64_t env_state(uint64_t fs_digest, uint64_t record_digest) {
    return mix2(fs_digest, record_digest);
}

// ---- transactions

// What has been committed is on the medium, and its header is not any more: whoever pulls the card
// out now has nothing in it that is still to come.
static int env_committed(struct env *e, int err) {
    if (err == 0) {
        e->dev.lo = e->dev.hi;
        if (e->dev.waiting && !e->trouble) {
            e->trouble = "the commit did not wait for the card";
        }
    }
    return err;
}

static int env_commit_as(struct env *e, int (*commit)(struct sdb_journal *)) {
    if (e->lfs) {
        return 0;
    }
    if (e->reference) {
        reference_note(e, &e->pending);
        image_fold(&e->pending, e->img);
        return 0;
    }
    e->dev.hi = e->dev.lo + 1;
    return env_committed(e, commit(e->journal));
}

int env_sync(struct env *e) {
    if (e->open || e->deferred) {
        return e->reference ? 0 : e->mounted.sync(e->mounted.ctx);
    }
    if (e->reference) {
        return env_commit_as(e, NULL);
    }
    e->dev.hi = e->dev.lo + 1;
    return env_committed(e, e->mounted.sync(e->mounted.ctx));
}

int env_begin(struct env *e) {
    int err = env_commit_as(e, sdb_journal_begin);
    e->open = err == 0;
    return err;
}

int env_checkpoint(struct env *e) {
    return env_commit_as(e, sdb_journal_checkpoint);
}

int env_commit(struct env *e) {
    int err = env_commit_as(e, sdb_journal_commit);
    if (err == 0) {
        e->open = false;
    }
    return err;
}

int env_abort(struct env *e) {
    if (e->lfs) {
        return env_mount(e) == FR_OK ? 0 : SDB_EIO;
    }
    if (e->reference) {
        image_clear(&e->pending);
    } else {
        sdb_journal_abort(e->journal);
    }
    e->open = false;
    e->deferred = false;
    return env_mount(e) == FR_OK ? 0 : SDB_EIO;
}

void env_defer(struct env *e, bool deferred) {
    e->deferred = deferred;
    if (!e->reference) {
        sdb_journal_defer(e->journal, deferred);
    }
}

// ---- the record

uint64_t env_record_digest(const struct sdb_record_store *store) {
    struct sdb_record r;
    memset(&r, 0, sizeof r);
    if (sdb_record_load(store, &r) != 0) {
        return 1;
    }
    uint64_t h = mix2(r.seq, r.state);
    h = mix2(h, hash_bytes(r.version, strlen(r.version)));
    return mix2(h, r.left);
}

static int store_read(void *ctx, int slot, uint8_t *buf) {
    struct env *e = ctx;
    if (e->reference) {
        memcpy(buf, e->slots[slot], 512);
        return 0;
    }
    struct sdb_record_store store;
    sdb_volume_store(&e->volume, &store);
    return store.read(store.ctx, slot, buf);
}

static int store_write(void *ctx, int slot, const uint8_t *buf) {
    struct env *e = ctx;
    struct sdb_record_store store;
    int err = env_checkpoint(e);
    if (err < 0) {
        return err;
    }
    if (e->reference) {
        memcpy(e->slots[slot], buf, 512);
        env_record_store(e, &store);
        e->record_digest = env_record_digest(&store);
        states_add(e);
        return 0;
    }
    sdb_volume_store(&e->volume, &store);
    e->dev.hi = e->dev.lo + 1;
    err = store.write(store.ctx, slot, buf);
    if (err == 0) {
        e->dev.lo = e->dev.hi;
    }
    return err;
}

void env_record_store(struct env *e, struct sdb_record_store *store) {
    if (e->lfs) {
        sdb_record_fs(store, &e->engine_fs);
        return;
    }
    store->ctx = e;
    store->read = store_read;
    store->write = store_write;
}

// ---- power on

// The reference: a file as well, in one commit.
static int env_reference_file(struct env *e) {
    static uint8_t block[512];
    e->open = true;
    if (env_mount(e) != FR_OK) {
        return SDB_EIO;
    }
    const struct sdb_fs *fs = &e->engine_fs;
    int err = fs->mkdir(fs->ctx, "/.sdboot");
    err = err == SDB_EEXIST ? 0 : err; // an area of version 1 is in there
    int file = fs->open(fs->ctx, "/.sdboot/journal", 'w');
    for (uint32_t i = 0; i < SDB_CONTROL_FILE_MIN && err == 0; i++) {
        err = fs->write(fs->ctx, file, block, sizeof block);
    }
    return err == 0 && fs->close(fs->ctx, file) == 0 ? env_commit(e) : SDB_EIO;
}

static int env_create_file(struct env *e, uint8_t *buf, const char **why) {
    struct sdb_volume_make *m = &e->make;
    *why = "no journal file could be made";
    e->open = true;
    int err = sdb_volume_begin_file(m, &e->volume, buf, ENV_BUFFER);
    if (err == 0) {
        sdb_volume_bdev(&e->volume, &e->mounted);
        e->dev.hi = e->dev.lo + 1;
        err = env_mount(e) == FR_OK ? sdb_volume_make_file(m, &e->volume, &e->engine_fs, buf)
                                    : SDB_EIO;
    }
    if (err < 0) {
        err = sdb_volume_make_last(m, &e->volume, buf);
    }
    e->open = false;
    if (err == 0 && e->dev.hi > e->dev.lo) {
        e->dev.lo = e->dev.hi;
    }
    return err;
}

int env_boot(struct env *e, bool create, const char **why) {
    static uint8_t buf[ENV_BUFFER];
    e->open = e->deferred = e->booted = false;
    *why = "the reference failed";
    if (e->lfs) {
        return 0;
    }
    if (e->reference) {
        return create && e->vol->layout != LAYOUT_GAP ? env_reference_file(e) : 0;
    }
    *why = "no volume";
    int err = sdb_volume_prepare(&e->make, &e->volume, &e->card, true, buf, sizeof buf);
    if (err == SDB_ENOENT) {
        err = sdb_control_rescue(&e->card, buf, sizeof buf);
        if (err >= 0) {
            err = err == SDB_RESCUE_DONE
                      ? sdb_volume_prepare(&e->make, &e->volume, &e->card, true, buf, sizeof buf)
                      : SDB_ENOENT;
        }
    }
    if (err < 0) {
        return err;
    }
    if (sdb_volume_replayed(&e->volume) == SDB_REPLAY_FOREIGN) {
        sdb_volume_bdev(&e->volume, &e->mounted);
        *why = "taken for foreign";
        return SDB_EIO;
    }
    if (sdb_volume_why(&e->volume) == SDB_ENOSPC && create) {
        err = env_create_file(e, buf, why);
    } else if (sdb_volume_why(&e->volume) < 0) {
        *why = "control area lost";
        err = SDB_ENOENT;
    }
    sdb_volume_bdev(&e->volume, &e->mounted);
    sdb_journal_log(e->journal, e->log);
    e->booted = err == 0;
    return err;
}

FRESULT env_mount(struct env *e) {
    if (e->lfs) {
        return lfs_mount(e->lfs, &e->engine_fs) == 0 ? FR_OK : FR_DISK_ERR;
    }
    memset(&e->fs, 0, sizeof e->fs);
    e->fs.drv = e;
    ff_fs_init(&e->files, &e->fs, &e->engine_fs);
    return f_mount(&e->fs);
}

void env_init(struct env *e, bool reference, const struct volume *vol, struct image *img,
              struct states *states, struct oplog *log) {
    memset(e, 0, sizeof *e);
    e->reference = reference;
    e->vol = vol;
    e->img = img;
    e->states = states;
    image_init(&e->pending, img);
    ramdev_init(&e->dev, reference ? &e->pending : img, vol->sectors);
    e->dev.log = log;
    ramdev_bdev(&e->dev, &e->card);
    e->journal = &e->volume.journal;
    e->mounted = e->card;
    struct sdb_record_store store;
    env_record_store(e, &store);
    if (reference) {
        e->record_digest = env_record_digest(&store);
        reference_note(e, img);
    }
}

bool env_check(struct env *e, uint64_t *visible, const char **why) {
    if (e->lfs) {
        struct lfs_check check;
        bool ok = lfs_check(e->vol, e->img, !e->unsynced, &check);
        *why = check.error;
        *visible = check.visible;
        return ok;
    }
    struct fatcheck check;
    bool ok = fatcheck(e->img, &check);
    *why = check.error;
    *visible = check.visible;
    if (ok && check.leaks + check.overlong > 0) {
        *why = "clusters are lost";
    }
    return ok && check.leaks + check.overlong == 0;
}

void env_free(struct env *e) {
    free(e->lfs);
    e->lfs = NULL;
    image_free(&e->pending);
}
