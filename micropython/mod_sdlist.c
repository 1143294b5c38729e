// SPDX-License-Identifier: MIT
// Module _sdlist: what the server's list of releases says. Loaded to look for one.
#include "port.h"

#include "core/web/versions.h"

// ---- Versions(current, exclude, force, names, channel, product, id, today, floor) ---------------

SDB_TYPE_DECLARE(sdb_versions_type);

// Chooses from a versions file. `current` to `force` as of sdb_versions_init, the others as in
// struct sdb_details_board.
struct sdlist_versions {
    mp_obj_base_t base;
    mp_obj_t kept[7]; // keeps strings alive: the arguments up to `id`
    int start;
    struct sdb_details_board board;
    struct sdb_versions versions;
};

static mp_obj_t versions_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                  const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 9, 9, false);
    mp_buffer_info_t id;
    mp_get_buffer_raise(args[6], &id, MP_BUFFER_READ);
    struct sdlist_versions *self = mp_obj_malloc(struct sdlist_versions, type);
    for (int i = 0; i < 7; i++) {
        self->kept[i] = args[i];
    }
    struct sdb_details_board *board = &self->board;
    board->names = sdb_chars(args[3]);
    board->channel = sdb_chars(args[4]);
    board->product = sdb_chars(args[5]);
    board->id = id.buf;
    board->id_len = id.len;
    board->today = (uint32_t)mp_obj_get_int_truncated(args[7]);
    board->floor = (uint32_t)mp_obj_get_int_truncated(args[8]);
    self->start = sdb_versions_init(&self->versions, sdb_chars(args[0]),
                                    args[1] == mp_const_none ? NULL : sdb_chars(args[1]),
                                    mp_obj_is_true(args[2]));
    sdb_versions_for(&self->versions, board);
    return MP_OBJ_FROM_PTR(self);
}

// start() -> 0 or a negative error, as sdb_versions_init
static mp_obj_t versions_start(mp_obj_t self_in) {
    struct sdlist_versions *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_versions_type));
    return MP_OBJ_NEW_SMALL_INT(self->start);
}
static MP_DEFINE_CONST_FUN_OBJ_1(versions_start_obj, versions_start);

// feed(data) -> 0 or a negative error
static mp_obj_t versions_feed(mp_obj_t self_in, mp_obj_t data) {
    struct sdlist_versions *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_versions_type));
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    return MP_OBJ_NEW_SMALL_INT(sdb_versions_feed(&self->versions, buf.buf, buf.len));
}
static MP_DEFINE_CONST_FUN_OBJ_2(versions_feed_obj, versions_feed);

// finish() -> (result, version, file, sha1 or None, sha256 or None, size, hash of the index or
// None, seq, expires, skipped lines, is a newer one excluded?, version that is held or "", enum
// sdb_held); result as of the C function
static mp_obj_t versions_finish(mp_obj_t self_in) {
    struct sdlist_versions *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_versions_type));
    const struct sdb_versions *v = &self->versions;
    const struct sdb_release *best = &v->best;
    int res = sdb_versions_finish(&self->versions);
    mp_obj_t items[13] = {
        MP_OBJ_NEW_SMALL_INT(res),
        sdb_str(best->version),
        sdb_str(best->file),
        best->has_sha1 ? mp_obj_new_bytes(best->sha1, sizeof(best->sha1)) : mp_const_none,
        best->has_sha256 ? mp_obj_new_bytes(best->sha256, sizeof(best->sha256)) : mp_const_none,
        mp_obj_new_int_from_uint(best->size),
        best->has_index ? mp_obj_new_bytes(best->index, sizeof(best->index)) : mp_const_none,
        mp_obj_new_int_from_uint(v->details.seq),
        mp_obj_new_int_from_uint(v->details.expires),
        MP_OBJ_NEW_SMALL_INT(v->bad),
        mp_obj_new_bool(v->excluded),
        sdb_str(v->held),
        MP_OBJ_NEW_SMALL_INT(v->why),
    };
    return mp_obj_new_tuple(13, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(versions_finish_obj, versions_finish);

#define VERSIONS_METHODS(X)                                                                        \
    X(MP_QSTR_start, versions_start_obj)                                                           \
    X(MP_QSTR_feed, versions_feed_obj)                                                             \
    X(MP_QSTR_finish, versions_finish_obj)

SDB_TYPE(sdb_versions_type, MP_QSTR_Versions, versions_make_new, VERSIONS_METHODS);

#define SDLIST_TYPES(T) T(sdb_versions_type)
#define SDLIST_GLOBALS(X) X(MP_QSTR_Versions, sdb_versions_type)

SDB_MODULE(sdb_mod_sdlist, MP_QSTR__sdlist, SDLIST_GLOBALS, SDLIST_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdlist, sdb_mod_sdlist);
