// Module _sdboot: what stays in memory on a board — the card, the boot, the state.
#include "objhash.h"
#include "volume.h"

#include "core/boot.h"
#include "core/error.h"
#include "core/mkfs.h"
#include "core/probe.h"
#include "core/tree.h"

#include <string.h>

#define MOD_BUFFER 4096 // bytes: to format with, to read files with

static mp_obj_t mod_str(const char *s) {
    return mp_obj_new_str(s, strlen(s));
}

// probe(card) -> (kind, name, first sector of the volume, littlefs block size) or -errno
static mp_obj_t mod_probe(mp_obj_t card_in) {
    static const char kinds[][12] = {"blank",    "unknown",     "fat",
                                     "littlefs", "exfat-empty", "foreign"};
    struct sdb_card *card = sdb_card_get(card_in);
    struct sdb_probe probe;
    int res = sdb_probe(&card->dev, &probe, card->bounce);
    mp_obj_t code = sdb_call_end(card->call, res);
    if (res < 0) {
        return code;
    }
    mp_obj_t items[4] = {mod_str(kinds[probe.kind]), mod_str(probe.name),
                         mp_obj_new_int_from_uint(probe.volume),
                         mp_obj_new_int_from_uint(probe.block_size)};
    return mp_obj_new_tuple(4, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_probe_obj, mod_probe);

// mkfs(card, serial) -> 0 or -errno: formats as FAT
static mp_obj_t mod_mkfs(mp_obj_t card_in, mp_obj_t serial) {
    struct sdb_card *card = sdb_card_get(card_in);
    uint8_t *buf = m_new(uint8_t, MOD_BUFFER);
    int res = sdb_mkfs_fat(&card->dev, (uint32_t)mp_obj_get_int_truncated(serial), buf, MOD_BUFFER);
    m_del(uint8_t, buf, MOD_BUFFER);
    return sdb_call_end(card->call, res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_mkfs_obj, mod_mkfs);

// rescue(card) -> 1 if sector 0, torn while the control area was made, has been restored; 0; -errno
static mp_obj_t mod_rescue(mp_obj_t card_in) {
    struct sdb_card *card = sdb_card_get(card_in);
    return sdb_call_end(card->call, sdb_control_rescue(&card->dev, card->bounce));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_rescue_obj, mod_rescue);

// Everything a call on a filesystem needs, in memory that the garbage collector scans.
struct mod_work {
    struct sdb_objfs fs;
    struct sdb_record_store store;
    struct sdb_objhash hash;
    struct sdb_boot boot;
};

static struct mod_work *mod_work_new(mp_obj_t vfs, struct sdb_volume_obj *volume) {
    struct mod_work *work = m_new0(struct mod_work, 1);
    sdb_objfs_init(&work->fs, vfs);
    sdb_volume_obj_store(volume, &work->fs.fs, &work->store);
    work->boot.fs = &work->fs.fs;
    work->boot.store = &work->store;
    return work;
}

// Gives `work` the class sha256 of hashlib and a buffer to read files into.
static void mod_work_hash(struct mod_work *work, mp_obj_t sha256) {
    sdb_objhash_init(&work->hash, &work->fs.call, sha256, SDB_MANIFEST_DIGEST);
    work->boot.hash = &work->hash.hash;
    work->boot.buf = m_new(uint8_t, MOD_BUFFER);
    work->boot.len = MOD_BUFFER;
}

// An exception may wait in the filesystem's calls, or in the card's below it.
static mp_obj_t mod_work_end(struct mod_work *work, struct sdb_volume_obj *volume, int res) {
    if (volume != NULL) {
        sdb_call_end(volume->card->call, 0);
    }
    return sdb_call_end(&work->fs.call, res);
}

// record(vfs, volume) -> (state, attempts left, event, event's version, staged version, bad
// version) or -errno
static mp_obj_t mod_record(mp_obj_t vfs, mp_obj_t volume_in) {
    struct sdb_volume_obj *volume = sdb_volume_get(volume_in);
    struct mod_work *work = mod_work_new(vfs, volume);
    const struct sdb_record *r = &work->boot.record;
    int res = sdb_boot_load(&work->boot);
    mp_obj_t code = mod_work_end(work, volume, res);
    if (res < 0) {
        return code;
    }
    mp_obj_t items[6] = {SDB_NEW_INT(r->state),     SDB_NEW_INT(r->left), SDB_NEW_INT(r->event),
                         mod_str(r->event_version), mod_str(r->version),  mod_str(r->bad)};
    return mp_obj_new_tuple(6, items);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_record_obj, mod_record);

static int mod_boot_journalled(struct mod_work *work, struct sdb_journal *journal, bool counts) {
    int res = sdb_journal_begin(journal);
    if (res < 0) {
        return res;
    }
    res = sdb_boot_run(&work->boot, counts);
    int committed = res < 0 ? 0 : sdb_journal_commit(journal);
    return committed < 0 ? committed : res;
}

// boot(vfs, volume, sha256, trials, counts) -> (result, state): enum sdb_boot_result or a negative
// error (then the volume must be aborted and mounted again), and the record's state
static mp_obj_t mod_boot(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    struct sdb_volume_obj *volume = sdb_volume_get(args[1]);
    struct mod_work *work = mod_work_new(args[0], volume);
    bool counts = mp_obj_is_true(args[4]);
    work->boot.trials = (uint8_t)mp_obj_get_int(args[3]);
    int res = sdb_boot_load(&work->boot);
    const struct sdb_record *r = &work->boot.record;
    if (res == 0 && (r->state != SDB_IDLE || r->flags != 0)) {
        mod_work_hash(work, args[2]);
        bool journalled = volume != NULL && volume->volume.wanted && volume->volume.without == 0;
        res = journalled ? mod_boot_journalled(work, &volume->volume.journal, counts)
                         : sdb_boot_run(&work->boot, counts);
        while (res >= 0 && sdb_boot_tidy(&work->boot) == 1) {
        }
    }
    mp_obj_t items[2] = {mod_work_end(work, volume, res), SDB_NEW_INT(r->state)};
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_boot_obj, 5, 5, mod_boot);

static mp_obj_t mod_change(mp_obj_t vfs, mp_obj_t volume_in, int (*change)(struct sdb_boot *)) {
    struct sdb_volume_obj *volume = sdb_volume_get(volume_in);
    struct mod_work *work = mod_work_new(vfs, volume);
    int res = sdb_boot_load(&work->boot);
    return mod_work_end(work, volume, res < 0 ? res : change(&work->boot));
}

// confirm(vfs, volume) -> 1 if there was a trial, else 0, or a negative error
static mp_obj_t mod_confirm(mp_obj_t vfs, mp_obj_t volume) {
    return mod_change(vfs, volume, sdb_boot_confirm);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_confirm_obj, mod_confirm);

// rollback(vfs, volume) -> 0 or a negative error: the next boot does it
static mp_obj_t mod_rollback(mp_obj_t vfs, mp_obj_t volume) {
    return mod_change(vfs, volume, sdb_boot_rollback);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_rollback_obj, mod_rollback);

// verify(vfs, main_dir, sha256) -> list of the files that differ, or a negative error
static mp_obj_t mod_verify(mp_obj_t vfs, mp_obj_t main_dir, mp_obj_t sha256) {
    struct mod_work *work = mod_work_new(vfs, NULL);
    struct sdb_verify *v = &work->boot.verify;
    mod_work_hash(work, sha256);
    sdb_verify_init(v, &work->fs.fs, &work->hash.hash, mp_obj_str_get_str(main_dir), work->boot.buf,
                    work->boot.len);
    mp_obj_t list = mp_obj_new_list(0, NULL);
    int res;
    while ((res = sdb_verify_next(v)) == 1 || res == SDB_EVERIFY) {
        if (res == SDB_EVERIFY) {
            mp_obj_list_append(list, mod_str(v->path));
        }
    }
    mp_obj_t code = mod_work_end(work, NULL, res);
    return res < 0 ? code : list;
}
static MP_DEFINE_CONST_FUN_OBJ_3(mod_verify_obj, mod_verify);

// strerror(code) -> message
static mp_obj_t mod_strerror(mp_obj_t code) {
    return mod_str(sdb_strerror((int)mp_obj_get_int(code)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_strerror_obj, mod_strerror);

static const mp_rom_map_elem_t mod_sdboot_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__sdboot)},
    {MP_ROM_QSTR(MP_QSTR_Card), MP_ROM_PTR(&sdb_card_type)},
    {MP_ROM_QSTR(MP_QSTR_probe), MP_ROM_PTR(&mod_probe_obj)},
    {MP_ROM_QSTR(MP_QSTR_mkfs), MP_ROM_PTR(&mod_mkfs_obj)},
    {MP_ROM_QSTR(MP_QSTR_Volume), MP_ROM_PTR(&sdb_volume_type)},
    {MP_ROM_QSTR(MP_QSTR_rescue), MP_ROM_PTR(&mod_rescue_obj)},
    {MP_ROM_QSTR(MP_QSTR_record), MP_ROM_PTR(&mod_record_obj)},
    {MP_ROM_QSTR(MP_QSTR_boot), MP_ROM_PTR(&mod_boot_obj)},
    {MP_ROM_QSTR(MP_QSTR_confirm), MP_ROM_PTR(&mod_confirm_obj)},
    {MP_ROM_QSTR(MP_QSTR_rollback), MP_ROM_PTR(&mod_rollback_obj)},
    {MP_ROM_QSTR(MP_QSTR_verify), MP_ROM_PTR(&mod_verify_obj)},
    {MP_ROM_QSTR(MP_QSTR_strerror), MP_ROM_PTR(&mod_strerror_obj)},
};
static MP_DEFINE_CONST_DICT(mod_sdboot_globals, mod_sdboot_globals_table);

const mp_obj_module_t sdb_mod_sdboot = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&mod_sdboot_globals,
};
MP_REGISTER_MODULE(MP_QSTR__sdboot, sdb_mod_sdboot);
