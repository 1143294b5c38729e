// Module _sdboot: what stays in memory on a board — the card, its journal, the state record.
#include "objfs.h"
#include "volume.h"

#include "core/boot.h"
#include "core/record_fs.h"

#include <string.h>

// What a look at the record needs, in memory that the garbage collector scans.
struct mod_state {
    struct sdb_objfs fs;
    struct sdb_record_store store;
    struct sdb_record record;
    struct sdb_volume_obj *volume;
};

// Loads the state record: from the volume's control area or, without one, from files of `vfs`.
static struct mod_state *mod_load(mp_obj_t vfs, mp_obj_t volume, int *res) {
    struct mod_state *state = sdb_new0(struct mod_state);
    state->volume = sdb_volume_get(volume);
    if (state->volume != NULL && state->volume->volume.without == 0) {
        sdb_volume_store(&state->volume->volume, &state->store);
    } else {
        sdb_objfs_init(&state->fs, vfs);
        sdb_record_fs(&state->store, &state->fs.fs);
    }
    *res = sdb_record_load(&state->store, &state->record);
    return state;
}

// An exception may wait in the filesystem's calls, or in the card's.
static mp_obj_t mod_end(struct mod_state *state, int res) {
    if (state->volume != NULL) {
        sdb_call_end(state->volume->card->call, 0);
    }
    return sdb_call_end(&state->fs.call, res);
}

static mp_obj_t mod_str(const char *s) {
    return mp_obj_new_str(s, strlen(s));
}

// record(vfs, volume) -> (state, attempts left, event, event's version, staged version, bad
// version, flags) or -errno
static mp_obj_t mod_record(mp_obj_t vfs, mp_obj_t volume) {
    int res;
    struct mod_state *state = mod_load(vfs, volume, &res);
    const struct sdb_record *r = &state->record;
    mp_obj_t code = mod_end(state, res);
    if (res < 0) {
        return code;
    }
    mp_obj_t items[7] = {
        MP_OBJ_NEW_SMALL_INT(r->state),
        MP_OBJ_NEW_SMALL_INT(r->left),
        MP_OBJ_NEW_SMALL_INT(r->event),
        mod_str(r->event_version),
        mod_str(r->version),
        mod_str(r->bad),
        MP_OBJ_NEW_SMALL_INT(r->flags),
    };
    return mp_obj_new_tuple(7, items);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_record_obj, mod_record);

// confirm(vfs, volume) -> 1 if there was a trial, else 0, or a negative error
static mp_obj_t mod_confirm(mp_obj_t vfs, mp_obj_t volume) {
    int res;
    struct mod_state *state = mod_load(vfs, volume, &res);
    return mod_end(state, res < 0 ? res : sdb_boot_confirm(&state->store, &state->record));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_confirm_obj, mod_confirm);

#define SDBOOT_TYPES(T) T(sdb_card_type) T(sdb_volume_type)
#define SDBOOT_GLOBALS(X)                                                                          \
    X(MP_QSTR_Card, sdb_card_type)                                                                 \
    X(MP_QSTR_Volume, sdb_volume_type)                                                             \
    X(MP_QSTR_record, mod_record_obj)                                                              \
    X(MP_QSTR_confirm, mod_confirm_obj)

SDB_MODULE(sdb_mod_sdboot, MP_QSTR__sdboot, SDBOOT_GLOBALS, SDBOOT_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdboot, sdb_mod_sdboot);
