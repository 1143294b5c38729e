// SPDX-License-Identifier: MIT
// Module _sdcard: formatting a card. Loaded for such a card only.
#include "card.h"

#include "core/error.h"
#include "core/card/mkfs.h"

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

// end(card) -> 0 or -errno: another filesystem has been made, see sdb_mkfs_end
static mp_obj_t mod_end(mp_obj_t card_in) {
    struct sdb_card *card = mod_card(card_in);
    SDB_KEEP(card);
    return sdb_call_end(card->call, sdb_mkfs_end(&card->dev, card->bounce));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_end_obj, mod_end);

struct mod_mkfs {
    struct sdb_card *card;
    uint8_t buf[MKFS_BUFFER];
};

// mkfs(card, serial) -> 0 or -errno: formats as FAT
static mp_obj_t mod_mkfs(mp_obj_t card_in, mp_obj_t serial) {
    uint32_t number = (uint32_t)mp_obj_get_int_truncated(serial);
    struct sdb_card *card = mod_card(card_in);
    struct mod_mkfs *work = sdb_new0(struct mod_mkfs);
    work->card = card;
    SDB_KEEP(work);
    return sdb_call_end(work->card->call,
                        sdb_mkfs_fat(&work->card->dev, number, work->buf, sizeof(work->buf)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_mkfs_obj, mod_mkfs);

#define SDCARD_TYPES(T) T(sdb_card_type)
#define SDCARD_GLOBALS(X)                                                                          \
    X(MP_QSTR_begin, mod_begin_obj)                                                                \
    X(MP_QSTR_end, mod_end_obj)                                                                    \
    X(MP_QSTR_mkfs, mod_mkfs_obj)

SDB_MODULE(sdb_mod_sdcard, MP_QSTR__sdcard, SDCARD_GLOBALS, SDCARD_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdcard, sdb_mod_sdcard);
