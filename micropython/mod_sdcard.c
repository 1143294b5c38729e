// Module _sdcard: what a card needs that is new to sdboot — formatting it, making the control area.
// Loaded for such a card only.
#include "card.h"
#include "objfs.h"

#include "core/error.h"
#include "core/card/mkfs.h"
#include "core/journal/volume.h"

#define MKFS_BUFFER 4096 // bytes

// A Card of this module's on a block device of any: native modules don't share types.
static struct sdb_card *mod_card(mp_obj_t obj) {
    const mp_obj_t args[1] = {obj};
    return MP_OBJ_TO_PTR(sdb_card_make(1, args));
}

// begin(card) -> 0 or -errno: writes that the card is being formatted, see sdb_mkfs_begin
static mp_obj_t mod_begin(mp_obj_t card_in) {
    struct sdb_card *card = mod_card(card_in);
    SDB_KEEP(card);
    return sdb_call_end(card->call, sdb_mkfs_begin(&card->dev, card->bounce));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_begin_obj, mod_begin);

struct mod_mkfs {
    struct sdb_card *card;
    uint8_t buf[MKFS_BUFFER];
};

// mkfs(card, serial) -> 0 or -errno: formats as FAT
static mp_obj_t mod_mkfs(mp_obj_t card_in, mp_obj_t serial) {
    struct mod_mkfs *work = sdb_new0(struct mod_mkfs);
    uint32_t number = (uint32_t)mp_obj_get_int_truncated(serial);
    SDB_KEEP(work);
    work->card = mod_card(card_in);
    return sdb_call_end(work->card->call,
                        sdb_mkfs_fat(&work->card->dev, number, work->buf, sizeof(work->buf)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_mkfs_obj, mod_mkfs);

// rescue(card) -> 1 if sector 0, torn while the control area was made, has been restored; 0; -errno
static mp_obj_t mod_rescue(mp_obj_t card_in) {
    struct sdb_card *card = mod_card(card_in);
    SDB_KEEP(card);
    return sdb_call_end(card->call, sdb_control_rescue(&card->dev, card->bounce));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_rescue_obj, mod_rescue);

// ---- Area(card): makes the control area of a FAT volume that has none ---------------------------

SDB_TYPE_DECLARE(sdcard_area_type);

struct sdcard_area {
    mp_obj_base_t base;
    struct sdb_card *card;
    struct sdb_volume volume;
    struct sdb_objfs fs;
};

static mp_obj_t area_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                              const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    struct sdb_card *card = mod_card(args[0]);
    SDB_KEEP(card);
    struct sdcard_area *self = mp_obj_malloc(struct sdcard_area, type);
    self->card = card;
    return MP_OBJ_FROM_PTR(self);
}

// gap() -> 0: there is an area, in the gap behind the MBR; -28: it has to be a file; or an error
static mp_obj_t area_gap(mp_obj_t self_in) {
    struct sdcard_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdcard_area_type));
    int res = sdb_volume_prepare(&self->volume, &self->card->dev, self->card->bounce);
    return sdb_call_end(self->card->call, res < 0 ? res : self->volume.without);
}
static MP_DEFINE_CONST_FUN_OBJ_1(area_gap_obj, area_gap);

// begin() -> block device to mount, for a file to be made in, or a negative error
static mp_obj_t area_begin(mp_obj_t self_in) {
    struct sdcard_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdcard_area_type));
    struct sdb_bdev dev;
    int res = sdb_volume_begin_file(&self->volume);
    mp_obj_t code = sdb_call_end(self->card->call, res);
    if (res < 0) {
        return code;
    }
    sdb_volume_bdev(&self->volume, &dev);
    return MP_OBJ_FROM_PTR(sdb_card_new(&dev, self->card->call, self_in));
}
static MP_DEFINE_CONST_FUN_OBJ_1(area_begin_obj, area_begin);

// make(vfs) -> 0 or a negative error: makes the area in a file of what is mounted on begin()
static mp_obj_t area_make(mp_obj_t self_in, mp_obj_t vfs) {
    struct sdcard_area *self = sdb_object(self_in, SDB_TYPE_PTR(sdcard_area_type));
    sdb_objfs_init(&self->fs, vfs);
    int res = sdb_volume_make_file(&self->volume, &self->fs.fs, self->card->bounce);
    sdb_call_end(&self->fs.call, 0);
    return sdb_call_end(self->card->call, res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(area_make_obj, area_make);

#define AREA_METHODS(X)                                                                            \
    X(MP_QSTR_gap, area_gap_obj)                                                                   \
    X(MP_QSTR_begin, area_begin_obj)                                                               \
    X(MP_QSTR_make, area_make_obj)

SDB_TYPE(sdcard_area_type, MP_QSTR_Area, area_make_new, AREA_METHODS);

#define SDCARD_TYPES(T) T(sdb_card_type) T(sdcard_area_type)
#define SDCARD_GLOBALS(X)                                                                          \
    X(MP_QSTR_begin, mod_begin_obj)                                                                \
    X(MP_QSTR_mkfs, mod_mkfs_obj)                                                                  \
    X(MP_QSTR_rescue, mod_rescue_obj)                                                              \
    X(MP_QSTR_Area, sdcard_area_type)

SDB_MODULE(sdb_mod_sdcard, MP_QSTR__sdcard, SDCARD_GLOBALS, SDCARD_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdcard, sdb_mod_sdcard);
