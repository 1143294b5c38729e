#include "volume.h"

#include "core/error.h"
#include "core/record_fs.h"

struct sdb_volume_obj *sdb_volume_get(mp_obj_t obj) {
    if (obj == mp_const_none) {
        return NULL;
    }
    if (mp_obj_get_type(obj) != &sdb_volume_type) {
        mp_raise_TypeError(MP_ERROR_TEXT("Volume needed"));
    }
    return MP_OBJ_TO_PTR(obj);
}

void sdb_volume_obj_store(struct sdb_volume_obj *self, const struct sdb_fs *fs,
                          struct sdb_record_store *store) {
    if (self != NULL && self->volume.without == 0) {
        sdb_volume_store(&self->volume, store);
    } else {
        sdb_record_fs(store, fs);
    }
}

static mp_obj_t volume_end(struct sdb_volume_obj *self, int res) {
    return sdb_call_end(self->card->call, res);
}

// Volume(card, journal): raises OSError if the card can't be read or holds no FAT
static mp_obj_t volume_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    struct sdb_volume_obj *self = mp_obj_malloc(struct sdb_volume_obj, type);
    self->card = sdb_card_get(args[0]);
    self->mounts = 0;
    self->flush = NULL;
    int res = sdb_volume_open(&self->volume, &self->card->dev, mp_obj_is_true(args[1]),
                              self->card->bounce);
    volume_end(self, res);
    if (res < 0) {
        mp_raise_OSError(-res);
    }
    return MP_OBJ_FROM_PTR(self);
}

static int volume_flush(struct sdb_volume_obj *self) {
    struct sdb_journal *journal = &self->volume.journal;
    if (self->flush == NULL || journal->deferred) {
        return 0;
    }
    sdb_journal_defer(journal, true);
    int res = self->flush(self->flush_ctx);
    sdb_journal_defer(journal, false);
    return res;
}

// FatFs syncs as the last thing of an operation: its window is clean then, and it may be entered
// again for the other file.
static int volume_before_sync(mp_obj_t owner) {
    struct sdb_volume_obj *self = MP_OBJ_TO_PTR(owner);
    return self->volume.journal.open ? 0 : volume_flush(self);
}

// device() -> block device to mount; dead after the next abort
static mp_obj_t volume_device(mp_obj_t self_in) {
    struct sdb_volume_obj *self = sdb_volume_get(self_in);
    struct sdb_bdev dev;
    sdb_volume_bdev(&self->volume, &dev);
    struct sdb_card *card = sdb_card_new(&dev, self->card->call, self_in);
    card->now = &self->mounts;
    card->since = self->mounts;
    card->before_sync = volume_before_sync;
    return MP_OBJ_FROM_PTR(card);
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_device_obj, volume_device);

// info() -> (replay result, 0 or why there is no journal, first sector of the control area, its
// sectors, error that blocks the journal until abort)
static mp_obj_t volume_info(mp_obj_t self_in) {
    const struct sdb_volume *v = &sdb_volume_get(self_in)->volume;
    mp_obj_t items[5] = {
        SDB_NEW_INT(v->replay),
        // Without being wanted the area serves the state record only.
        SDB_NEW_INT(v->without == 0 && !v->wanted ? SDB_ENOENT : v->without),
        mp_obj_new_int_from_uint(v->without == 0 ? v->control.lba : 0),
        mp_obj_new_int_from_uint(v->without == 0 ? v->control.sectors : 0),
        SDB_NEW_INT(v->journal.failed),
    };
    return mp_obj_new_tuple(5, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_info_obj, volume_info);

// begin_file(), make_file(vfs) -> 0 or a negative error: mount again, without journal
static mp_obj_t volume_begin_file(mp_obj_t self_in) {
    struct sdb_volume_obj *self = sdb_volume_get(self_in);
    return volume_end(self, sdb_volume_begin_file(&self->volume));
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_begin_file_obj, volume_begin_file);

static mp_obj_t volume_make_file(mp_obj_t self_in, mp_obj_t vfs) {
    struct sdb_volume_obj *self = sdb_volume_get(self_in);
    struct sdb_objfs *fs = m_new(struct sdb_objfs, 1);
    sdb_objfs_init(fs, vfs);
    int res = sdb_volume_make_file(&self->volume, &fs->fs, self->card->bounce);
    if (res < 0) {
        self->mounts++;
    }
    sdb_call_end(&fs->call, 0);
    return volume_end(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(volume_make_file_obj, volume_make_file);

// begin(), commit() -> 0 or a negative error: an explicit transaction
static mp_obj_t volume_begin(mp_obj_t self_in) {
    struct sdb_volume_obj *self = sdb_volume_get(self_in);
    int res = volume_flush(self);
    return volume_end(self, res < 0 ? res : sdb_journal_begin(&self->volume.journal));
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_begin_obj, volume_begin);

static mp_obj_t volume_commit(mp_obj_t self_in) {
    struct sdb_volume_obj *self = sdb_volume_get(self_in);
    int res = volume_flush(self);
    return volume_end(self, res < 0 ? res : sdb_journal_commit(&self->volume.journal));
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_commit_obj, volume_commit);

// abort(): forgets what is not committed; every device handed out so far is dead
static mp_obj_t volume_abort(mp_obj_t self_in) {
    struct sdb_volume_obj *self = sdb_volume_get(self_in);
    sdb_journal_abort(&self->volume.journal);
    self->mounts++;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_abort_obj, volume_abort);

static const mp_rom_map_elem_t volume_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_device), MP_ROM_PTR(&volume_device_obj)},
    {MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&volume_info_obj)},
    {MP_ROM_QSTR(MP_QSTR_begin_file), MP_ROM_PTR(&volume_begin_file_obj)},
    {MP_ROM_QSTR(MP_QSTR_make_file), MP_ROM_PTR(&volume_make_file_obj)},
    {MP_ROM_QSTR(MP_QSTR_begin), MP_ROM_PTR(&volume_begin_obj)},
    {MP_ROM_QSTR(MP_QSTR_commit), MP_ROM_PTR(&volume_commit_obj)},
    {MP_ROM_QSTR(MP_QSTR_abort), MP_ROM_PTR(&volume_abort_obj)},
};
static MP_DEFINE_CONST_DICT(volume_locals, volume_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(sdb_volume_type, MP_QSTR_Volume, MP_TYPE_FLAG_NONE, make_new,
                         volume_make_new, locals_dict, &volume_locals);
