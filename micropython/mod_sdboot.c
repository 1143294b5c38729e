// SPDX-License-Identifier: MIT
// Module _sdboot: what stays in memory on a board — the card, its journal, the state record.
#include "mount.h"
#include "objfs.h"
#include "volume.h"

#include "core/release/record_fs.h"

// What a look at the record needs, in memory that the garbage collector scans.
struct mod_state {
    struct sdb_objfs fs;
    struct sdb_record_store store;
    struct sdb_record record;
};

// A version in the record. Versions are ASCII; what else is there, in a record that was not written
// by us, must not become a str.
static mp_obj_t mod_record_str(char *s) {
    for (char *p = s; *p; p++) {
        *p = *p < ' ' || *p > '~' ? '?' : *p;
    }
    return sdb_str(s);
}

// record(vfs, volume) -> (state, attempts left, event, event's version, staged version, bad
// version, flags) or -errno. It is in the volume's control area or, without one, in files of `vfs`.
static mp_obj_t mod_record(mp_obj_t vfs, mp_obj_t volume_in) {
    struct mod_state *state = sdb_new0(struct mod_state);
    SDB_KEEP(state);
    struct sdb_volume_obj *volume = sdb_volume_get(volume_in);
    struct sdb_call *call = &state->fs.call;
    if (volume != NULL && sdb_volume_has_record(&volume->volume)) {
        call = volume->card->call;
        sdb_volume_store(&volume->volume, &state->store);
    } else {
        sdb_objfs_init_reader(&state->fs, vfs);
        sdb_record_fs(&state->store, &state->fs.fs);
    }
    struct sdb_record *r = &state->record;
    int res = sdb_record_load(&state->store, &state->record);
    mp_obj_t code = sdb_call_end(call, res);
    if (res < 0) {
        return code;
    }
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(r->state), MP_OBJ_NEW_SMALL_INT(r->left),
        MP_OBJ_NEW_SMALL_INT(r->event), mod_record_str(r->event_version),
        mod_record_str(r->version),     mod_record_str(r->bad),
        MP_OBJ_NEW_SMALL_INT(r->flags),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_record_obj, mod_record);

// version(data) -> the version that the beginning of a file says, "" if none
static mp_obj_t mod_version(mp_obj_t data) {
    char word[SDB_VERSION_MAX + 1];
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    sdb_version_word(buf.buf, buf.len, word);
    return sdb_str(word);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_version_obj, mod_version);

#define SDBOOT_TYPES(T) T(sdb_card_type) T(sdb_volume_type) T(sdb_listing_type) T(sdb_mount_type)
#define SDBOOT_GLOBALS(X)                                                                          \
    X(MP_QSTR_Card, sdb_card_type)                                                                 \
    X(MP_QSTR_Volume, sdb_volume_type)                                                             \
    X(MP_QSTR_Mount, sdb_mount_type)                                                               \
    X(MP_QSTR_record, mod_record_obj)                                                              \
    X(MP_QSTR_version, mod_version_obj)

SDB_MODULE(sdb_mod_sdboot, MP_QSTR__sdboot, SDBOOT_GLOBALS, SDBOOT_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdboot, sdb_mod_sdboot);
