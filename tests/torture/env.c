#include "env.h"

#include <stdlib.h>
#include <string.h>

#include "../../core/error.h"
#include "lib/oofatfs/diskio.h"

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
        return env_sync(e) == 0 ? RES_OK : RES_ERROR;
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

static void states_add(struct env *e) {
    struct states *s = e->states;
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 64;
        s->digest = realloc(s->digest, s->capacity * sizeof *s->digest);
        s->loose = realloc(s->loose, s->capacity * sizeof *s->loose);
        s->visible = realloc(s->visible, s->capacity * sizeof *s->visible);
    }
    s->digest[s->count] = env_state(e->fs_digest, e->record_digest);
    s->loose[s->count] = env_state(e->fs_loose, e->record_digest);
    s->visible[s->count++] = e->fs_visible;
}

void states_free(struct states *s) {
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

static int env_commit_as(struct env *e, int (*commit)(struct sdb_journal *)) {
    if (e->reference) {
        reference_note(e, &e->pending);
        image_fold(&e->pending, e->img);
        return 0;
    }
    e->dev.hi = e->dev.lo + 1;
    int err = commit(&e->journal);
    if (err == 0) {
        e->dev.lo = e->dev.hi;
    }
    return err;
}

int env_sync(struct env *e) {
    if (e->open || e->deferred) {
        return e->reference ? 0 : e->mounted.sync(e->mounted.ctx);
    }
    if (e->reference) {
        return env_commit_as(e, NULL);
    }
    e->dev.hi = e->dev.lo + 1;
    int err = e->mounted.sync(e->mounted.ctx);
    if (err == 0) {
        e->dev.lo = e->dev.hi;
    }
    return err;
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
    if (e->reference) {
        image_clear(&e->pending);
    } else {
        sdb_journal_abort(&e->journal);
    }
    e->open = false;
    e->deferred = false;
    return env_mount(e) == FR_OK ? 0 : SDB_EIO;
}

void env_defer(struct env *e, bool deferred) {
    e->deferred = deferred;
    if (!e->reference) {
        sdb_journal_defer(&e->journal, deferred);
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
    struct sdb_control_store s;
    struct sdb_record_store store;
    sdb_control_record_store(&s, &e->card, &e->control, &store);
    return store.read(store.ctx, slot, buf);
}

static int store_write(void *ctx, int slot, const uint8_t *buf) {
    struct env *e = ctx;
    int err = env_checkpoint(e);
    if (err < 0) {
        return err;
    }
    if (e->reference) {
        struct sdb_record_store store;
        memcpy(e->slots[slot], buf, 512);
        env_record_store(e, &store);
        e->record_digest = env_record_digest(&store);
        states_add(e);
        return 0;
    }
    struct sdb_control_store s;
    struct sdb_record_store store;
    sdb_control_record_store(&s, &e->card, &e->control, &store);
    e->dev.hi = e->dev.lo + 1;
    err = store.write(store.ctx, slot, buf);
    if (err == 0) {
        e->dev.lo = e->dev.hi;
    }
    return err;
}

void env_record_store(struct env *e, struct sdb_record_store *store) {
    store->ctx = e;
    store->read = store_read;
    store->write = store_write;
}

// ---- power on

// Writes /.sdboot/journal through what is mounted.
static int env_write_journal_file(struct env *e) {
    static uint8_t block[4096];
    FIL f;
    UINT n;
    if (env_mount(e) != FR_OK) {
        return SDB_EIO;
    }
    FRESULT res = f_mkdir(&e->fs, "/.sdboot");
    if (res == FR_OK || res == FR_EXIST) {
        res = f_open(&e->fs, &f, "/.sdboot/journal", FA_WRITE | FA_CREATE_ALWAYS);
    }
    for (uint32_t i = 0; res == FR_OK && i < SDB_CONTROL_FILE_MIN / 8; i++) {
        res = f_write(&f, block, sizeof block, &n);
        res = res == FR_OK && n < sizeof block ? FR_DENIED : res;
    }
    if (res == FR_OK) {
        res = f_close(&f);
    }
    return res == FR_OK ? 0 : SDB_EIO;
}

static int env_create_file(struct env *e, uint8_t *buf, const char **why) {
    *why = "no journal file could be made";
    sdb_journal_init(&e->journal, &e->card, &e->journal.geo, 0, 0);
    sdb_journal_bdev(&e->journal, &e->mounted);
    int err = sdb_journal_begin(&e->journal);
    if (err < 0) {
        return err;
    }
    e->open = true;
    err = env_write_journal_file(e);
    if (err < 0) {
        return err;
    }
    e->dev.hi = e->dev.lo + 1;
    err = sdb_control_place_file(&e->journal, &e->control, buf);
    if (err == 0) {
        e->dev.lo = e->dev.hi;
        e->open = false;
    }
    return err;
}

int env_boot(struct env *e, bool create, const char **why) {
    uint8_t buf[512];
    struct sdb_fatgeo geo;
    e->open = e->deferred = false;
    if (e->reference) {
        if (!create || e->vol->layout != LAYOUT_SUPERFLOPPY) {
            return 0;
        }
        e->open = true;
        int res = env_write_journal_file(e);
        return res < 0 ? res : env_commit(e);
    }
    *why = "no volume";
    int err = sdb_fatgeo_read(&geo, &e->card, buf);
    if (err == SDB_ENOENT) {
        err = sdb_control_rescue(&e->card, buf);
        err = err == 1 ? sdb_fatgeo_read(&geo, &e->card, buf) : err < 0 ? err : SDB_ENOENT;
    }
    if (err < 0) {
        return err;
    }
    *why = "no control area";
    err = sdb_control_find(&e->card, &e->control, buf);
    if (err < 0 && err != SDB_ENOENT) {
        return err;
    }
    uint32_t sectors = err == 0 ? e->control.sectors : 0;
    sdb_journal_init(&e->journal, &e->card, &geo, sectors ? e->control.lba : 0, sectors);
    sdb_journal_bdev(&e->journal, &e->mounted);
    if (err == 0) {
        *why = "replay failed";
        err = sdb_journal_replay(&e->journal);
        if (err < 0 || err == SDB_REPLAY_FOREIGN) {
            *why = err < 0 ? "replay failed" : "taken for foreign";
            return err < 0 ? err : SDB_EIO;
        }
        *why = "control area lost";
        err = sdb_control_verify(&e->card, &geo, &e->control, buf);
    }
    if (err == SDB_ENOENT && create) {
        *why = "no room in the gap";
        err = sdb_control_place_gap(&e->card, &geo, &e->control, buf);
        if (err == SDB_ENOSPC) {
            err = env_create_file(e, buf, why);
        } else if (err == 0) {
            err = sdb_journal_attach(&e->journal, e->control.lba, e->control.sectors);
        }
    }
    if (err == SDB_ENOENT) {
        // A journal without an area commits nothing: the card is used as it is.
        e->mounted = e->card;
    }
    return err;
}

FRESULT env_mount(struct env *e) {
    memset(&e->fs, 0, sizeof e->fs);
    e->fs.drv = e;
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
    e->mounted = e->card;
    struct sdb_record_store store;
    env_record_store(e, &store);
    if (reference) {
        e->record_digest = env_record_digest(&store);
        reference_note(e, img);
    }
}

void env_free(struct env *e) {
    image_free(&e->pending);
}
