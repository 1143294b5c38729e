// SPDX-License-Identifier: MIT
// Module _sdota: stages a release. Loaded when there is one to install.
#include "objfs.h"
#include "objhash.h"
#include "objvolume.h"

#include "core/error.h"
#include "core/release/install.h"

#include <string.h>

// Install(vfs, volume, main_dir, next_dir, version, digest, sha1, sha256)

#define INSTALL_GATHER 4096 // bytes: the card gets them in one command

struct sdota_install {
    mp_obj_base_t base;
    struct sdb_objfs fs;
    struct sdb_objvolume volume;
    struct sdb_objhash hash;      // of the package
    struct sdb_objhash file_hash; // of each file, for the manifest
    mp_obj_t strings[3];
    bool busy;     // in one of its methods
    bool finished; // staged
    struct sdb_install install;
};

SDB_TYPE_DECLARE(sdb_install_type);

static struct sdota_install *ota_self(mp_obj_t obj) {
    return sdb_object(obj, SDB_TYPE_PTR(sdb_install_type));
}

// Files are closed here, so FatFs holds nothing back.
static int ota_checkpoint(void *ctx, bool must) {
    struct sdota_install *self = ctx;
    return sdb_objvolume_set(&self->volume, MP_QSTR_checkpoint, mp_obj_new_bool(must));
}

// The install's own syncs are no commits. Those of the application, between two steps of it, are.
// `who`: the install, for an error if the application has dropped files of it, with a transaction
// or recover(); True: anyway. Returns 0, or -EBUSY in a call by what the install itself calls.
static int ota_enter(struct sdota_install *self, mp_obj_t who) {
    if (self->busy) {
        return SDB_EBUSY;
    }
    int res = sdb_objvolume_set(&self->volume, MP_QSTR_defer, who);
    self->busy = res == 0;
    return res;
}

static mp_obj_t ota_leave(struct sdota_install *self, int res) {
    self->busy = false;
    int left = sdb_objvolume_set(&self->volume, MP_QSTR_defer, mp_const_false);
    return sdb_call_end(&self->fs.call, res < 0 ? res : left < 0 ? left : res);
}

// flush() -> 0 or a negative error: called by the Volume before anybody else's commit
static mp_obj_t ota_flush(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    int file = self->install.out;
    int res =
        file < 0 ? 0 : sdb_call(&self->fs.call, self->fs.file[file], MP_QSTR_flush, NULL, 0, NULL);
    return sdb_call_end(&self->fs.call, res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_flush_obj, ota_flush);

static int ota_take_names(void *ctx, mp_obj_t none) {
    struct sdb_names *names = ctx;
    (void)none;
    size_t capacity = names->capacity * 2;
    names->table =
        (void *)m_renew(uint32_t, (uint32_t *)names->table, names->capacity * 2, capacity * 2);
    names->capacity = capacity;
    return 0;
}

// There may be no memory: that must not jump over the core.
static int ota_grow_names(void *ctx, struct sdb_names *names) {
    struct sdota_install *self = ctx;
    return sdb_call_take(&self->fs.call, ota_take_names, names, mp_const_none);
}

static mp_obj_t ota_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                             const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 8, 8, false);
    struct sdota_install *self = sdb_new0(struct sdota_install);
    SDB_KEEP(self);
    self->base.type = type;
    sdb_objfs_init(&self->fs, args[0], args[1]);
    sdb_objvolume_init(&self->volume, args[1], &self->fs.call, &self->fs.fs);
    self->install.out = -1;
    for (int i = 0; i < 3; i++) {
        self->strings[i] = args[2 + i];
    }
    mp_buffer_info_t digest;
    mp_get_buffer_raise(args[5], &digest, MP_BUFFER_READ);
    if (digest.len > SDB_HASH_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("digest too long"));
    }
    sdb_objhash_init(&self->hash, &self->fs.call, args[6], digest.len);
    sdb_objhash_init(&self->file_hash, &self->fs.call, args[7], SDB_MANIFEST_DIGEST);
    struct sdb_install_config *cfg = &self->install.cfg;
    cfg->fs = &self->fs.fs;
    cfg->hash = &self->hash.hash;
    cfg->file_hash = &self->file_hash.hash;
    cfg->store = &self->volume.store;
    cfg->main_dir = sdb_chars(args[2]);
    cfg->next_dir = sdb_chars(args[3]);
    cfg->version = sdb_chars(args[4]);
    cfg->gather = m_new(uint8_t, INSTALL_GATHER);
    cfg->gather_size = INSTALL_GATHER;
    cfg->checkpoint = ota_checkpoint;
    cfg->ctx = self;
    memcpy(cfg->digest, digest.buf, digest.len);
    return MP_OBJ_FROM_PTR(self);
}

// begin() -> 0 or a negative error, as all of these
static mp_obj_t ota_begin(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    const struct sdb_install_config cfg = self->install.cfg;
    const size_t capacity = 64;
    struct sdb_names names = {
        .table = (void *)m_new(uint32_t, capacity * 2),
        .capacity = capacity,
        .grow = ota_grow_names,
        .ctx = self,
    };
    int res = ota_enter(self, mp_const_true);
    if (res < 0) {
        return MP_OBJ_NEW_SMALL_INT(res);
    }
    self->finished = false;
    res = sdb_objvolume_set(&self->volume, MP_QSTR_watch, self_in);
    if (res == 0) {
        res = self->hash.hash.start(&self->hash);
    }
    return ota_leave(self, res < 0 ? res : sdb_install_begin(&self->install, &cfg, &names));
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_begin_obj, ota_begin);

// Of all of these the first half: 0, or why it can't be.
static int ota_begun(struct sdota_install *self) {
    return self->install.begun && !self->finished ? ota_enter(self, MP_OBJ_FROM_PTR(self))
                                                  : SDB_EINVAL;
}

static mp_obj_t ota_clean(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    int res = ota_enter(self, MP_OBJ_FROM_PTR(self));
    return res < 0 ? MP_OBJ_NEW_SMALL_INT(res) : ota_leave(self, sdb_install_clean(&self->install));
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_clean_obj, ota_clean);

static mp_obj_t ota_feed(mp_obj_t self_in, mp_obj_t data) {
    struct sdota_install *self = ota_self(self_in);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    int res = ota_begun(self);
    return res < 0 ? MP_OBJ_NEW_SMALL_INT(res)
                   : ota_leave(self, sdb_install_feed(&self->install, buf.buf, buf.len));
}
static MP_DEFINE_CONST_FUN_OBJ_2(ota_feed_obj, ota_feed);

// verify() -> 0 or a negative error: the package has ended, and is what was announced
static mp_obj_t ota_verify(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    int res = ota_begun(self);
    return res < 0 ? MP_OBJ_NEW_SMALL_INT(res)
                   : ota_leave(self, sdb_install_verify(&self->install));
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_verify_obj, ota_verify);

// finish() -> as clean(), 1 while there is more to do
static mp_obj_t ota_finish(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    int res = ota_begun(self);
    if (res < 0) {
        return MP_OBJ_NEW_SMALL_INT(res);
    }
    res = sdb_install_finish(&self->install);
    self->finished = res == 0;
    if (res != 1) {
        sdb_objvolume_set(&self->volume, MP_QSTR_watch, mp_const_none);
    }
    return ota_leave(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_finish_obj, ota_finish);

// directory() -> where the release's app/ is being staged
static mp_obj_t ota_directory(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    return self->install.second ? sdb_str(&SDB_DIR_APP2[1]) : self->strings[1];
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_directory_obj, ota_directory);

static mp_obj_t ota_abort(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    int res = ota_enter(self, mp_const_true);
    if (res < 0) {
        return MP_OBJ_NEW_SMALL_INT(res);
    }
    res = sdb_install_abort(&self->install);
    sdb_objvolume_set(&self->volume, MP_QSTR_watch, mp_const_none);
    return ota_leave(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_abort_obj, ota_abort);

// resume(n): before begin(), see struct sdb_install_config. keep(), suspend() as of the C
// functions.
static mp_obj_t ota_resume(mp_obj_t self_in, mp_obj_t n) {
    ota_self(self_in)->install.cfg.resume = (uint32_t)mp_obj_get_int_truncated(n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(ota_resume_obj, ota_resume);

static mp_obj_t ota_keep(mp_obj_t self_in) {
    sdb_install_keep(&ota_self(self_in)->install);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_keep_obj, ota_keep);

static mp_obj_t ota_suspend(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    int res = ota_begun(self);
    if (res < 0) {
        return MP_OBJ_NEW_SMALL_INT(res);
    }
    res = sdb_install_suspend(&self->install);
    sdb_objvolume_set(&self->volume, MP_QSTR_watch, mp_const_none);
    return ota_leave(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_suspend_obj, ota_suspend);

// where() -> path of the member being read, for messages: bytes, which need not be UTF-8
static mp_obj_t ota_where(mp_obj_t self_in) {
    struct sdota_install *self = ota_self(self_in);
    const char *path = self->install.tar.path;
    return mp_obj_new_bytes((const byte *)path, strlen(path));
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_where_obj, ota_where);

// skipped() -> (was there a boot.py, number of files of macOS): what was not installed
static mp_obj_t ota_skipped(mp_obj_t self_in) {
    struct sdota_install *self = MP_OBJ_TO_PTR(self_in);
    mp_obj_t items[2] = {
        mp_obj_new_bool(self->install.skipped_boot),
        mp_obj_new_int_from_uint(self->install.tar.litter),
    };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(ota_skipped_obj, ota_skipped);

#define INSTALL_METHODS(X)                                                                         \
    X(MP_QSTR_begin, ota_begin_obj)                                                                \
    X(MP_QSTR_clean, ota_clean_obj)                                                                \
    X(MP_QSTR_feed, ota_feed_obj)                                                                  \
    X(MP_QSTR_verify, ota_verify_obj)                                                              \
    X(MP_QSTR_directory, ota_directory_obj)                                                        \
    X(MP_QSTR_finish, ota_finish_obj)                                                              \
    X(MP_QSTR_abort, ota_abort_obj)                                                                \
    X(MP_QSTR_resume, ota_resume_obj)                                                              \
    X(MP_QSTR_keep, ota_keep_obj)                                                                  \
    X(MP_QSTR_suspend, ota_suspend_obj)                                                            \
    X(MP_QSTR_where, ota_where_obj)                                                                \
    X(MP_QSTR_skipped, ota_skipped_obj)                                                            \
    X(MP_QSTR_flush, ota_flush_obj)

SDB_TYPE(sdb_install_type, MP_QSTR_Install, ota_make_new, INSTALL_METHODS);

#define SDOTA_TYPES(T) T(sdb_install_type)
#define SDOTA_GLOBALS(X) X(MP_QSTR_Install, sdb_install_type)

SDB_MODULE(sdb_mod_sdota, MP_QSTR__sdota, SDOTA_GLOBALS, SDOTA_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdota, sdb_mod_sdota);
