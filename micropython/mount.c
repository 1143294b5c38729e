// SPDX-License-Identifier: MIT
#include "mount.h"

#include "core/error.h"
#include "volume.h"

static struct sdb_mount *mount_get(mp_obj_t obj) {
    return sdb_object(obj, SDB_TYPE_PTR(sdb_mount_type));
}

// Mount(vfs, card, renew)
static mp_obj_t mount_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                               const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 3, 3, false);
    struct sdb_mount *self = mp_obj_malloc(struct sdb_mount, type);
    self->vfs = args[0];
    self->old = MP_OBJ_NULL;
    self->card = sdb_card_get(args[1]);
    self->renew = args[2];
    self->opened = mp_const_none;
    self->cwd = MP_OBJ_NULL;
    return MP_OBJ_FROM_PTR(self);
}

// The filesystem object, mounted anew if that is due. Raises if it can't be used.
static mp_obj_t mount_vfs(struct sdb_mount *self) {
    if (self->vfs == MP_OBJ_NULL || sdb_card_is_dead(self->card)) {
        mp_call_function_n_kw(self->renew, 0, 0, NULL);
    }
    int res = self->vfs == MP_OBJ_NULL ? SDB_ENODEV : sdb_card_failed(self->card);
    if (res < 0) {
        sdb_raise_os_error(-res, "an earlier access to the card has failed: call sdboot.recover()");
    }
    return self->vfs;
}

static mp_obj_t mount_call(struct sdb_mount *self, qstr method, size_t n_args,
                           const mp_obj_t *args) {
    struct sdb_arg arg[2] = {{.obj = MP_OBJ_NULL}, {.obj = MP_OBJ_NULL}};
    mp_obj_t vfs = mount_vfs(self);
    n_args = n_args < 2 ? n_args : 2;
    for (size_t i = 0; i < n_args; i++) {
        arg[i].obj = args[i];
    }
    return sdb_call_named(vfs, method, n_args, arg);
}

// use(vfs, card): goes on with another filesystem object, None: with none. What was used before
// must not touch the card any more.
static mp_obj_t mount_use(mp_obj_t self_in, mp_obj_t vfs, mp_obj_t card) {
    struct sdb_mount *self = mount_get(self_in);
    struct sdb_card *next = sdb_card_get(card);
    if (self->vfs != MP_OBJ_NULL && (self->card != next || vfs == mp_const_none)) {
        self->card->dead = true;
    }
    self->card = next;
    self->old = vfs == mp_const_none ? MP_OBJ_NULL : self->vfs;
    self->vfs = vfs == mp_const_none ? MP_OBJ_NULL : vfs;
    if (self->vfs != MP_OBJ_NULL && self->cwd != MP_OBJ_NULL) {
        struct sdb_call call = {.pending = MP_OBJ_NULL};
        const struct sdb_arg arg = {.obj = self->cwd};
        if (sdb_call(&call, vfs, MP_QSTR_chdir, NULL, 1, &arg) < 0) {
            self->cwd = MP_OBJ_NULL; // it was made in what has been undone
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(mount_use_obj, mount_use);

// failed() -> 0, or a negative error: the card must be mounted anew
static mp_obj_t mount_failed(mp_obj_t self_in) {
    struct sdb_mount *self = mount_get(self_in);
    bool gone = self->vfs == MP_OBJ_NULL || sdb_card_is_dead(self->card);
    int res = gone ? SDB_ENODEV : sdb_card_failed(self->card);
    return MP_OBJ_NEW_SMALL_INT(res < 0 ? res : self->card->error);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mount_failed_obj, mount_failed);

// forget(gc): gc.collect(). After drop() it closes files that the application has lost; FatFs would
// have the firmware print an error for each, though nobody is there to be told. littlefs needs to
// know that it can't read.
static mp_obj_t mount_forget(mp_obj_t self_in, mp_obj_t gc) {
    struct sdb_mount *self = mount_get(self_in);
    struct sdb_card *card = self->card;
    struct sdb_call call = {.pending = MP_OBJ_NULL};
    card->forgotten = sdb_card_is_dead(card) && card->sync_raises;
    int res = sdb_call(&call, gc, MP_QSTR_collect, NULL, 0, NULL);
    card->forgotten = false;
    return sdb_call_end(&call, res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(mount_forget_obj, mount_forget);

// watch(opened): opened(file) is called for each file that is opened to write; None ends that
static mp_obj_t mount_watch(mp_obj_t self_in, mp_obj_t opened) {
    mount_get(self_in)->opened = opened;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mount_watch_obj, mount_watch);

static mp_obj_t mount_open(size_t n_args, const mp_obj_t *args) {
    struct sdb_mount *self = mount_get(args[0]);
    mp_obj_t file = mount_call(self, MP_QSTR_open, n_args - 1, args + 1);
    size_t len;
    const char *mode = mp_obj_str_get_data(args[2], &len);
    for (size_t i = 0; i < len && self->opened != mp_const_none; i++) {
        if (mode[i] == 'w' || mode[i] == 'a' || mode[i] == 'x' || mode[i] == '+') {
            mp_call_function_n_kw(self->opened, 1, 0, &file);
            break;
        }
    }
    return file;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mount_open_obj, 3, 3, mount_open);

// FatFs reads the card to tell where it is: not when it has to be mounted anew.
static mp_obj_t mount_chdir(mp_obj_t self_in, mp_obj_t path) {
    struct sdb_mount *self = mount_get(self_in);
    mp_obj_t vfs = mount_vfs(self);
    uint32_t errors = self->card->errors;
    struct sdb_call call = {.pending = MP_OBJ_NULL};
    const struct sdb_arg arg = {.obj = path};
    if (sdb_call(&call, vfs, MP_QSTR_chdir, NULL, 1, &arg) < 0) {
        // littlefs says of any error that there is no such folder.
        if (self->card->errors != errors) {
            sdb_raise_os_error(-SDB_EIO, "the card fails: this folder can't be read");
        }
        mount_call(self, MP_QSTR_chdir, 1, &path);
    }
    self->cwd = MP_OBJ_NULL;
    self->cwd = mount_call(self, MP_QSTR_getcwd, 0, NULL);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mount_chdir_obj, mount_chdir);

#if SDB_JOURNAL_LOG
// umount(): a PC may read the card next.
static mp_obj_t mount_umount(mp_obj_t self_in) {
    struct sdb_mount *self = mount_get(self_in);
    if (self->vfs == MP_OBJ_NULL) {
        return mp_const_none;
    }
    if (self->card->sync_raises && !sdb_card_is_dead(self->card)) {
        sdb_volume_bring_home(self->card->owner);
    }
    mp_obj_t dest[2];
    mp_load_method(self->vfs, MP_QSTR_umount, dest);
    return mp_call_method_n_kw(0, 0, dest);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mount_umount_obj, mount_umount);
#define MOUNT_UMOUNT(X) X(MP_QSTR_umount, mount_umount_obj)
#else
#define MOUNT_UMOUNT(X)
#endif

// ---- Listings -----------------------------------------------------------------------------------

struct sdb_listing {
    mp_obj_base_t base;
    mp_obj_t iter;
    struct sdb_card *card;
};

static mp_obj_t mount_ilistdir(size_t n_args, const mp_obj_t *args) {
    struct sdb_mount *self = mount_get(args[0]);
    mp_obj_t iter = mount_call(self, MP_QSTR_ilistdir, n_args - 1, args + 1);
    struct sdb_listing *listing = mp_obj_malloc(struct sdb_listing, SDB_TYPE_PTR(sdb_listing_type));
    listing->iter = iter;
    listing->card = self->card;
    return MP_OBJ_FROM_PTR(listing);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mount_ilistdir_obj, 1, 2, mount_ilistdir);

static mp_obj_t listing_iternext(mp_obj_t self_in) {
    struct sdb_listing *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_listing_type));
    uint32_t errors = self->card->errors;
    mp_obj_t item = sdb_iternext(self->iter);
    if (self->card->errors != errors) {
        sdb_raise_os_error(-SDB_EIO, "the card fails: this folder can't be read to its end");
    }
    return item;
}

static mp_obj_t listing_del(mp_obj_t self_in) {
    struct sdb_listing *self = sdb_object(self_in, SDB_TYPE_PTR(sdb_listing_type));
    mp_obj_t dest[2];
    mp_load_method(self->iter, MP_QSTR___del__, dest);
    return mp_call_method_n_kw(0, 0, dest);
}
static MP_DEFINE_CONST_FUN_OBJ_1(listing_del_obj, listing_del);

#define LISTING_METHODS(X) X(MP_QSTR___del__, listing_del_obj)

SDB_TYPE_ITERATOR(sdb_listing_type, MP_QSTR_Listing, LISTING_METHODS, listing_iternext);

// ---- What may fail for reasons that FatFs has but a number for ----------------------------------

#define MOUNT_PATH(name)                                                                           \
    static mp_obj_t mount_##name(mp_obj_t self, mp_obj_t path) {                                   \
        return mount_call(mount_get(self), MP_QSTR_##name, 1, &path);                              \
    }                                                                                              \
    static MP_DEFINE_CONST_FUN_OBJ_2(mount_##name##_obj, mount_##name)

MOUNT_PATH(mkdir);
MOUNT_PATH(remove);
MOUNT_PATH(rmdir);
MOUNT_PATH(stat);
MOUNT_PATH(statvfs);

static mp_obj_t mount_rename(mp_obj_t self, mp_obj_t from, mp_obj_t to) {
    const mp_obj_t args[2] = {from, to};
    return mount_call(mount_get(self), MP_QSTR_rename, 2, args);
}
static MP_DEFINE_CONST_FUN_OBJ_3(mount_rename_obj, mount_rename);

// ---- Everything else is the filesystem object's -------------------------------------------------

#define MOUNT_METHODS(X)                                                                           \
    X(MP_QSTR_use, mount_use_obj)                                                                  \
    X(MP_QSTR_failed, mount_failed_obj)                                                            \
    X(MP_QSTR_forget, mount_forget_obj)                                                            \
    X(MP_QSTR_watch, mount_watch_obj)                                                              \
    X(MP_QSTR_open, mount_open_obj)                                                                \
    X(MP_QSTR_chdir, mount_chdir_obj)                                                              \
    MOUNT_UMOUNT(X)                                                                                \
    X(MP_QSTR_ilistdir, mount_ilistdir_obj)                                                        \
    X(MP_QSTR_mkdir, mount_mkdir_obj)                                                              \
    X(MP_QSTR_remove, mount_remove_obj)                                                            \
    X(MP_QSTR_rmdir, mount_rmdir_obj)                                                              \
    X(MP_QSTR_stat, mount_stat_obj)                                                                \
    X(MP_QSTR_statvfs, mount_statvfs_obj)                                                          \
    X(MP_QSTR_rename, mount_rename_obj)

#define MOUNT_IS(name, object) || attr == name

static void mount_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    struct sdb_mount *self = mount_get(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing is stored here
    }
    if (false MOUNT_METHODS(MOUNT_IS)) {
        dest[1] = MP_OBJ_SENTINEL; // it is in the table
        return;
    }
    // What mounts and unmounts does not touch the card.
    bool point = attr == MP_QSTR_mount || attr == MP_QSTR_umount;
    mp_load_method(point && self->vfs != MP_OBJ_NULL ? self->vfs : mount_vfs(self), attr, dest);
}

SDB_TYPE_ATTR(sdb_mount_type, MP_QSTR_Mount, mount_make_new, MOUNT_METHODS, mount_attr);
