// SPDX-License-Identifier: MIT
#include "objfs.h"

#include "core/error.h"
#include "core/release/layout.h"

#include <string.h>

enum { OBJFS_DIRECTORY = 0x4000 };

// vfs.method(path) or vfs.method(path, second)
static int objfs_call(struct sdb_objfs *self, qstr method, mp_obj_t *result, const char *path,
                      const char *second) {
    const struct sdb_arg args[2] = {{.str = path}, {.str = second}};
    return sdb_call(&self->call, self->vfs, method, result, second != NULL ? 2 : 1, args);
}

// The items of a tuple, NULL if it has fewer than `n`; raises TypeError.
static mp_obj_t *objfs_items(mp_obj_t tuple, size_t n) {
    mp_obj_t *items;
    size_t n_items;
    mp_obj_get_array(tuple, &n_items, &items);
    return n_items >= n ? items : NULL;
}

static int objfs_type(mp_obj_t mode) {
    return mp_obj_get_int(mode) & OBJFS_DIRECTORY ? SDB_FS_DIR : SDB_FS_FILE;
}

static int objfs_take_stat(void *ctx, mp_obj_t tuple) {
    mp_obj_t *items = objfs_items(tuple, 7);
    if (items == NULL) {
        return SDB_EIO;
    }
    *(uint32_t *)ctx = (uint32_t)mp_obj_get_int_truncated(items[6]);
    return objfs_type(items[0]);
}

static int objfs_stat(void *ctx, const char *path, uint32_t *size) {
    struct sdb_objfs *self = ctx;
    uint32_t ignored;
    mp_obj_t ret;
    int res = objfs_call(self, MP_QSTR_stat, &ret, path, NULL);
    return res < 0
               ? res
               : sdb_call_take(&self->call, objfs_take_stat, size != NULL ? size : &ignored, ret);
}

// FatFs says EACCES for what a PC has made read-only, and MicroPython has no call to change that.
// `result`: of a call that may have met it. Returns true if it is due again.
static bool objfs_again(struct sdb_objfs *self, int result, const char *path, bool dir) {
    if (result != SDB_EACCES || self->volume == MP_OBJ_NULL) {
        return false;
    }
    // FatFs keeps one sector in memory, which is that of the directory entry now: it must be
    // another one while the card is changed below it.
    mp_obj_t other;
    const char *slash = path + 1;
    while (*slash != '/' && *slash != '\0') {
        slash++;
    }
    if (!dir) {
        objfs_stat(self, *slash != '\0' ? "/-" : "/" SDB_DIR "/-", NULL);
    } else if (objfs_call(self, MP_QSTR_ilistdir, &other, path, NULL) == 0) {
        mp_obj_t item;
        sdb_call_next(&self->call, other, &item);
    }
    mp_obj_t ret;
    mp_obj_array_t array = SDB_BYTEARRAY(path, strlen(path) + 1);
    const struct sdb_arg arg = {.obj = MP_OBJ_FROM_PTR(&array)};
    int res = sdb_call(&self->call, self->volume, MP_QSTR_writable, &ret, 1, &arg);
    return res == 0 && sdb_call_number(ret) == 0;
}

// FatFs says EACCES if there is no room in a directory and none to make it larger.
static int objfs_room(int res) {
    return res == SDB_EACCES ? SDB_ENOSPC : res;
}

static int objfs_open(void *ctx, const char *path, char mode) {
    struct sdb_objfs *self = ctx;
    const char how[3] = {mode, 'b', '\0'};
    int handle = self->file[0] == MP_OBJ_NULL ? 0 : 1;
    if (self->file[handle] != MP_OBJ_NULL) {
        return SDB_EBUSY;
    }
    int res = objfs_call(self, MP_QSTR_open, &self->file[handle], path, how);
    return res < 0 ? mode == 'r' ? res : objfs_room(res) : handle;
}

static int objfs_read(void *ctx, int file, void *buf, size_t len) {
    struct sdb_objfs *self = ctx;
    return sdb_call_stream(&self->call, self->file[file], buf, len, false);
}

static int objfs_write(void *ctx, int file, const void *buf, size_t len) {
    struct sdb_objfs *self = ctx;
    int res = sdb_call_stream(&self->call, self->file[file], (void *)buf, len, true);
    if (res < 0) {
        return res;
    }
    return (size_t)res == len ? 0 : SDB_ENOSPC;
}

static int objfs_close(void *ctx, int file) {
    struct sdb_objfs *self = ctx;
    mp_obj_t obj = self->file[file];
    self->file[file] = MP_OBJ_NULL;
    return sdb_call(&self->call, obj, MP_QSTR_close, NULL, 0, NULL);
}

static int objfs_opendir(void *ctx, const char *path) {
    struct sdb_objfs *self = ctx;
    return objfs_call(self, MP_QSTR_ilistdir, &self->dir, path, NULL);
}

static int objfs_take_entry(void *ctx, mp_obj_t tuple) {
    struct sdb_dirent *entry = ctx;
    mp_obj_t *items = objfs_items(tuple, 2);
    size_t len;
    if (items == NULL) {
        return SDB_EIO;
    }
    const char *name = mp_obj_str_get_data(items[0], &len);
    if (len > SDB_NAME_MAX) {
        return SDB_ENAMETOOLONG;
    }
    memcpy(entry->name, name, len);
    entry->name[len] = '\0';
    entry->type = objfs_type(items[1]);
    return 1;
}

static int objfs_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    struct sdb_objfs *self = ctx;
    (void)dir;
    mp_obj_t item;
    int res = sdb_call_next(&self->call, self->dir, &item);
    return res <= 0 ? res : sdb_call_take(&self->call, objfs_take_entry, entry, item);
}

static void objfs_closedir(void *ctx, int dir) {
    struct sdb_objfs *self = ctx;
    (void)dir;
    // littlefs keeps a list of open directories: leave it now, not when memory is collected.
    mp_obj_t pending = self->call.pending;
    sdb_call(&self->call, self->dir, MP_QSTR___del__, NULL, 0, NULL);
    self->call.pending = pending; // an iterator without __del__ needs none
    self->dir = MP_OBJ_NULL;
}

static int objfs_open_any(void *ctx, const char *path, char mode) {
    int res;
    do {
        res = objfs_open(ctx, path, mode);
    } while (mode != 'r' && objfs_again(ctx, res == SDB_ENOSPC ? SDB_EACCES : res, path, false));
    return res;
}

static int objfs_mkdir(void *ctx, const char *path) {
    return objfs_room(objfs_call(ctx, MP_QSTR_mkdir, NULL, path, NULL));
}

static int objfs_remove(void *ctx, const char *path) {
    int res;
    do {
        res = objfs_call(ctx, MP_QSTR_remove, NULL, path, NULL);
    } while (objfs_again(ctx, res, path, false));
    return res;
}

static int objfs_rmdir(void *ctx, const char *path) {
    int res;
    do {
        res = objfs_call(ctx, MP_QSTR_rmdir, NULL, path, NULL);
    } while (objfs_again(ctx, res, path, true));
    return res;
}

static int objfs_rename(void *ctx, const char *from, const char *to) {
    return objfs_room(objfs_call(ctx, MP_QSTR_rename, NULL, from, to));
}

static const struct sdb_fs objfs_reader = {
    .open = objfs_open,
    .read = objfs_read,
    .close = objfs_close,
};

static const struct sdb_fs objfs_all = {
    .stat = objfs_stat,
    .open = objfs_open_any,
    .read = objfs_read,
    .write = objfs_write,
    .close = objfs_close,
    .opendir = objfs_opendir,
    .readdir = objfs_readdir,
    .closedir = objfs_closedir,
    .mkdir = objfs_mkdir,
    .remove = objfs_remove,
    .rmdir = objfs_rmdir,
    .rename = objfs_rename,
};

static void objfs_init(struct sdb_objfs *self, mp_obj_t vfs, const struct sdb_fs *fs) {
    memset(self, 0, sizeof(*self));
    self->vfs = vfs;
    self->fs = *fs;
    self->fs.ctx = self;
}

void sdb_objfs_init(struct sdb_objfs *self, mp_obj_t vfs, mp_obj_t volume) {
    objfs_init(self, vfs, &objfs_all);
    self->volume = volume != mp_const_none ? volume : MP_OBJ_NULL;
}

void sdb_objfs_init_reader(struct sdb_objfs *self, mp_obj_t vfs) {
    objfs_init(self, vfs, &objfs_reader);
}
