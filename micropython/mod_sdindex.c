// SPDX-License-Identifier: MIT
// Module _sdindex: builds a package from what is on the card and what is missing there. Loaded to
// install a release that has an index.
#include "objfs.h"
#include "objhash.h"

#include "core/error.h"
#include "core/release/delta.h"

#include <string.h>

// Delta(vfs, volume, main_dir, next_dir, version, index, sha256, buf): `index` is bytes, `buf` a
// bytearray to read files into

struct sdindex_delta {
    mp_obj_base_t base;
    struct sdb_objfs fs;
    struct sdb_objhash hash;
    mp_obj_t kept[8]; // the arguments
    mp_buffer_info_t index;
    bool given; // all of the index
    bool busy;  // in one of its methods
    bool begun;
    uint32_t *plan, *known;
    struct sdb_delta_config cfg;
    struct sdb_delta delta;
};

SDB_TYPE_DECLARE(sdb_delta_type);

static struct sdindex_delta *delta_self(mp_obj_t obj) {
    return sdb_object(obj, SDB_TYPE_PTR(sdb_delta_type));
}

static void delta_rewind(void *ctx) {
    struct sdindex_delta *self = ctx;
    self->given = false;
}

static int delta_piece(void *ctx, const uint8_t **piece) {
    struct sdindex_delta *self = ctx;
    bool none = self->given;
    self->given = true;
    *piece = self->index.buf;
    return none ? 0 : (int)self->index.len;
}

static mp_obj_t delta_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                               const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 8, 8, false);
    struct sdindex_delta *self = sdb_new0(struct sdindex_delta);
    SDB_KEEP(self);
    self->base.type = type;
    for (int i = 0; i < 8; i++) {
        self->kept[i] = args[i];
    }
    sdb_objfs_init(&self->fs, args[0], args[1]);
    sdb_objhash_init(&self->hash, &self->fs.call, args[6], SDB_MANIFEST_DIGEST);
    // bytes, which nobody can make longer or shorter meanwhile
    sdb_object(args[5], &mp_type_bytes);
    mp_get_buffer_raise(args[5], &self->index, MP_BUFFER_READ);
    mp_buffer_info_t buf;
    sdb_object(args[7], &mp_type_bytearray);
    mp_get_buffer_raise(args[7], &buf, MP_BUFFER_WRITE);
    struct sdb_delta_config *cfg = &self->cfg;
    cfg->fs = &self->fs.fs;
    cfg->hash = &self->hash.hash;
    cfg->main_dir = sdb_chars(args[2]);
    cfg->next_dir = sdb_chars(args[3]);
    cfg->version = sdb_chars(args[4]);
    cfg->rewind = delta_rewind;
    cfg->more = delta_piece;
    cfg->ctx = self;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t delta_leave(struct sdindex_delta *self, int res) {
    self->busy = false;
    return sdb_call_end(&self->fs.call, res);
}

// The buffer may have been moved since. Returns 0 or SDB_EINVAL.
static int delta_enter(struct sdindex_delta *self, struct sdb_delta_config *cfg) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(self->kept[7], &buf, MP_BUFFER_WRITE);
    if (self->busy || !self->begun || buf.len < SDB_INDEX_BLOCK) {
        return SDB_EINVAL;
    }
    cfg->buf = buf.buf;
    cfg->buf_size = buf.len;
    self->busy = true;
    return 0;
}

// begin() -> 0 or a negative error, as all of these
static mp_obj_t delta_begin(mp_obj_t self_in) {
    struct sdindex_delta *self = delta_self(self_in);
    struct sdb_delta_config *cfg = &self->cfg;
    if (self->busy || self->begun || strlen(cfg->main_dir) > SDB_NAME_MAX ||
        strlen(cfg->next_dir) > SDB_NAME_MAX || strlen(cfg->version) > SDB_NAME_MAX) {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    struct sdb_index *ix = &self->delta.index;
    delta_rewind(self);
    const int res = sdb_index_open(ix, delta_piece, self);
    if (res < 0 || ix->count > self->index.len) { // an entry has more than a byte
        return MP_OBJ_NEW_SMALL_INT(res < 0 ? res : SDB_EINVAL);
    }
    size_t n = ix->count;
    self->plan = m_new(uint32_t, n + 1);
    self->known = m_new(uint32_t, n + 16);
    cfg->plan = self->plan;
    cfg->plan_size = n;
    cfg->known = self->known;
    cfg->known_size = n + 16;
    self->begun = true;
    int entered = delta_enter(self, cfg);
    self->begun = entered == 0;
    return entered < 0 ? MP_OBJ_NEW_SMALL_INT(entered)
                       : delta_leave(self, sdb_delta_begin(&self->delta, cfg));
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_begin_obj, delta_begin);

// plan() -> 1 while there is more to do, then 0
static mp_obj_t delta_plan(mp_obj_t self_in) {
    struct sdindex_delta *self = delta_self(self_in);
    int res = delta_enter(self, &self->delta.cfg);
    return res < 0 ? MP_OBJ_NEW_SMALL_INT(res) : delta_leave(self, sdb_delta_plan(&self->delta));
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_plan_obj, delta_plan);

// read() -> number of bytes of the package that are in buf now, as sdb_delta_read
static mp_obj_t delta_read(mp_obj_t self_in) {
    struct sdindex_delta *self = delta_self(self_in);
    int res = delta_enter(self, &self->delta.cfg);
    return res < 0 ? MP_OBJ_NEW_SMALL_INT(res)
                   : delta_leave(self, sdb_delta_read(&self->delta, self->delta.cfg.buf,
                                                      self->delta.cfg.buf_size));
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_read_obj, delta_read);

// kept() -> is what read() has returned the header of a file that is staged already?
static mp_obj_t delta_kept(mp_obj_t self_in) {
    return mp_obj_new_bool(delta_self(self_in)->delta.kept);
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_kept_obj, delta_kept);

// want() -> (place in the package, bytes to be fetched there), took(n): n of them have been
static mp_obj_t delta_want(mp_obj_t self_in) {
    const struct sdb_delta *d = &delta_self(self_in)->delta;
    mp_obj_t items[2] = {
        mp_obj_new_int_from_uint(d->want_at),
        mp_obj_new_int_from_uint(d->want),
    };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_want_obj, delta_want);

static mp_obj_t delta_took(mp_obj_t self_in, mp_obj_t n) {
    sdb_delta_took(&delta_self(self_in)->delta, (uint32_t)mp_obj_get_int_truncated(n));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(delta_took_obj, delta_took);

// info() -> (bytes to be fetched in all, in as many pieces), when it is planned
static mp_obj_t delta_info(mp_obj_t self_in) {
    const struct sdb_delta *d = &delta_self(self_in)->delta;
    mp_obj_t items[2] = {
        mp_obj_new_int_from_uint(d->fetch),
        mp_obj_new_int_from_uint(d->ranges),
    };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_info_obj, delta_info);

// end(): closes what is open
static mp_obj_t delta_end(mp_obj_t self_in) {
    struct sdindex_delta *self = delta_self(self_in);
    if (self->busy || !self->begun) {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    self->busy = true;
    self->begun = false;
    sdb_delta_end(&self->delta);
    return delta_leave(self, 0);
}
static MP_DEFINE_CONST_FUN_OBJ_1(delta_end_obj, delta_end);

#define DELTA_METHODS(X)                                                                           \
    X(MP_QSTR_begin, delta_begin_obj)                                                              \
    X(MP_QSTR_plan, delta_plan_obj)                                                                \
    X(MP_QSTR_read, delta_read_obj)                                                                \
    X(MP_QSTR_kept, delta_kept_obj)                                                                \
    X(MP_QSTR_want, delta_want_obj)                                                                \
    X(MP_QSTR_took, delta_took_obj)                                                                \
    X(MP_QSTR_info, delta_info_obj)                                                                \
    X(MP_QSTR_end, delta_end_obj)

SDB_TYPE(sdb_delta_type, MP_QSTR_Delta, delta_make_new, DELTA_METHODS);

#define SDINDEX_TYPES(T) T(sdb_delta_type)
#define SDINDEX_GLOBALS(X) X(MP_QSTR_Delta, sdb_delta_type)

SDB_MODULE(sdb_mod_sdindex, MP_QSTR__sdindex, SDINDEX_GLOBALS, SDINDEX_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdindex, sdb_mod_sdindex);
