// Module _sdboot: what stays in memory on a board — the card, the boot, the state.
#include "volume.h"

#include "core/error.h"
#include "core/mkfs.h"
#include "core/probe.h"
#include "core/swap.h"

#include <string.h>

#define MOD_MKFS_BUFFER 4096

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
    uint8_t *buf = m_new(uint8_t, MOD_MKFS_BUFFER);
    int res =
        sdb_mkfs_fat(&card->dev, (uint32_t)mp_obj_get_int_truncated(serial), buf, MOD_MKFS_BUFFER);
    m_del(uint8_t, buf, MOD_MKFS_BUFFER);
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
    struct sdb_record record;
    struct sdb_swap swap;
};

static struct mod_work *mod_work_new(mp_obj_t vfs, struct sdb_volume_obj *volume) {
    struct mod_work *work = m_new0(struct mod_work, 1);
    sdb_objfs_init(&work->fs, vfs);
    sdb_volume_obj_store(volume, &work->fs.fs, &work->store);
    return work;
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
    const struct sdb_record *r = &work->record;
    int res = sdb_record_load(&work->store, &work->record);
    mp_obj_t code = mod_work_end(work, volume, res);
    if (res < 0) {
        return code;
    }
    mp_obj_t items[6] = {SDB_NEW_INT(r->state),     SDB_NEW_INT(r->left), SDB_NEW_INT(r->event),
                         mod_str(r->event_version), mod_str(r->version),  mod_str(r->bad)};
    return mp_obj_new_tuple(6, items);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_record_obj, mod_record);

static int mod_swap_journalled(struct mod_work *work, struct sdb_journal *journal) {
    int res = journal != NULL ? sdb_journal_begin(journal) : 0;
    if (res < 0) {
        return res;
    }
    res = sdb_swap(&work->swap, &work->fs.fs, &work->store, &work->record);
    if (journal != NULL && res >= 0) {
        int committed = sdb_journal_commit(journal);
        res = committed < 0 ? committed : res;
    }
    return res;
}

// swap(vfs, volume) -> 1 if a staged release was put in place, 0 if there was none, or a negative
// error: then the volume must be aborted and mounted again
static mp_obj_t mod_swap(mp_obj_t vfs, mp_obj_t volume_in) {
    struct sdb_volume_obj *volume = sdb_volume_get(volume_in);
    struct mod_work *work = mod_work_new(vfs, volume);
    int res = sdb_record_load(&work->store, &work->record);
    if (res == 0 && work->record.state != SDB_IDLE) {
        bool journalled = volume != NULL && volume->volume.wanted && volume->volume.without == 0;
        res = mod_swap_journalled(work, journalled ? &volume->volume.journal : NULL);
    }
    return mod_work_end(work, volume, res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_swap_obj, mod_swap);

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
    {MP_ROM_QSTR(MP_QSTR_swap), MP_ROM_PTR(&mod_swap_obj)},
    {MP_ROM_QSTR(MP_QSTR_strerror), MP_ROM_PTR(&mod_strerror_obj)},
};
static MP_DEFINE_CONST_DICT(mod_sdboot_globals, mod_sdboot_globals_table);

const mp_obj_module_t sdb_mod_sdboot = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&mod_sdboot_globals,
};
MP_REGISTER_MODULE(MP_QSTR__sdboot, sdb_mod_sdboot);
