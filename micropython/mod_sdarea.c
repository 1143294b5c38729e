// SPDX-License-Identifier: MIT
// Module _sdarea: the control area of a card that has none, an old one, or first sectors that are
// not what they were. Loaded for such a card only.
#include "card.h"
#include "objfs.h"

#include "core/error.h"
#include "core/journal/volume_make.h"

#define AREA_BUFFER 4096 // bytes, for looking through gap and FAT

// A Card of this module's on a block device of any: native modules don't share types.
static struct sdb_card *area_card(mp_obj_t obj) {
    const mp_obj_t args[1] = {obj};
    return MP_OBJ_TO_PTR(sdb_card_make(1, args));
}

// ---- Area(card, journal): sees to the control area of a FAT volume ------------------------------

SDB_TYPE_DECLARE(sdb_area_type);

// What has been called: each needs the one before.
enum area_step { AREA_NEW, AREA_PREPARED, AREA_BEGUN };

struct sdarea_area {
    mp_obj_base_t base;
    struct sdb_card *card;
    bool journal;
    enum area_step step;
    struct sdb_volume_make make;
    struct sdb_volume volume;
    struct sdb_objfs fs;
    uint8_t buf[AREA_BUFFER];
};

static mp_obj_t area_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                              const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    struct sdb_card *card = area_card(args[0]);
    SDB_KEEP(card);
    struct sdarea_area *self = mp_obj_malloc(struct sdarea_area, type);
    self->card = card;
    self->journal = mp_obj_is_true(args[1]);
    self->step = AREA_NEW;
    self->make.done = 0;
    return MP_OBJ_FROM_PTR(self);
}

// prepare() -> 0: it is as it should be; -28: the area has to be a file; or why there is none.
// Raises OSError if nothing may be mounted: -2 there is no volume.
static mp_obj_t area_prepare(mp_obj_t self_in) {
    struct sdarea_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_area_type));
    int res = sdb_volume_prepare(&self->make, &self->volume, &self->card->dev, self->journal,
                                 self->buf, AREA_BUFFER);
    sdb_call_end(self->card->call, 0);
    if (res < 0) {
        mp_raise_OSError(-res);
    }
    self->step = AREA_PREPARED;
    return MP_OBJ_NEW_SMALL_INT(self->journal ? sdb_volume_why(&self->volume) : 0);
}
static MP_DEFINE_CONST_FUN_OBJ_1(area_prepare_obj, area_prepare);

// done() -> SDB_MADE_* (core/journal/volume_make.h)
static mp_obj_t area_done(mp_obj_t self_in) {
    struct sdarea_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_area_type));
    return MP_OBJ_NEW_SMALL_INT(self->make.done);
}
static MP_DEFINE_CONST_FUN_OBJ_1(area_done_obj, area_done);

// begin() -> block device to mount, for a file to be made in, or a negative error
static mp_obj_t area_begin(mp_obj_t self_in) {
    struct sdarea_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_area_type));
    struct sdb_bdev dev;
    if (self->step != AREA_PREPARED) {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    int res = sdb_volume_begin_file(&self->make, &self->volume, self->buf, AREA_BUFFER);
    mp_obj_t code = sdb_call_end(self->card->call, res);
    if (res < 0) {
        return code;
    }
    self->step = AREA_BEGUN;
    sdb_volume_bdev(&self->volume, &dev);
    return MP_OBJ_FROM_PTR(sdb_card_new(&dev, self->card->call, self_in));
}
static MP_DEFINE_CONST_FUN_OBJ_1(area_begin_obj, area_begin);

// make(vfs) -> 0 or a negative error: makes the area in a file of what is mounted on begin()
static mp_obj_t area_make(mp_obj_t self_in, mp_obj_t vfs) {
    struct sdarea_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_area_type));
    if (self->step != AREA_BEGUN) {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    self->step = AREA_PREPARED;
    sdb_objfs_init(&self->fs, vfs, mp_const_none);
    int res = sdb_volume_make_file(&self->make, &self->volume, &self->fs.fs, self->buf);
    sdb_call_end(&self->fs.call, 0);
    return sdb_call_end(self->card->call, res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(area_make_obj, area_make);

// last() -> 0 or a negative error: the file could not be made, whatever else there is room for is
static mp_obj_t area_last(mp_obj_t self_in) {
    struct sdarea_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_area_type));
    if (self->step == AREA_NEW) {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    int res = sdb_volume_make_last(&self->make, &self->volume, self->buf);
    return sdb_call_end(self->card->call, res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(area_last_obj, area_last);

#define AREA_METHODS(X)                                                                            \
    X(MP_QSTR_prepare, area_prepare_obj)                                                           \
    X(MP_QSTR_done, area_done_obj)                                                                 \
    X(MP_QSTR_last, area_last_obj)                                                                 \
    X(MP_QSTR_begin, area_begin_obj)                                                               \
    X(MP_QSTR_make, area_make_obj)

SDB_TYPE(sdb_area_type, MP_QSTR_Area, area_make_new, AREA_METHODS);

#define SDAREA_TYPES(T) T(sdb_card_type) T(sdb_area_type)
#define SDAREA_GLOBALS(X) X(MP_QSTR_Area, sdb_area_type)

SDB_MODULE(sdb_mod_sdarea, MP_QSTR__sdarea, SDAREA_GLOBALS, SDAREA_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdarea, sdb_mod_sdarea);
