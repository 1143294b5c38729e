// SPDX-License-Identifier: MIT
#include "objdev.h"

#include "core/error.h"

enum { OBJDEV_SYNC = 3, OBJDEV_COUNT = 4, OBJDEV_SIZE = 5 }; // vfs.AbstractBlockDev.ioctl

// What readblocks and writeblocks return: None or True is success, False an error, else 0 or
// -errno, as the firmware itself reads it.
static int objdev_result(mp_obj_t ret) {
    if (ret == mp_const_none || ret == mp_const_true) {
        return 0;
    }
    if (!mp_obj_is_small_int(ret) || MP_OBJ_SMALL_INT_VALUE(ret) > 0) {
        return SDB_EIO; // False, or a device that counts blocks
    }
    return (int)MP_OBJ_SMALL_INT_VALUE(ret);
}

static int objdev_call(struct sdb_objdev *self, qstr method, mp_obj_t *ret,
                       const struct sdb_arg *args) {
    if (self->busy) {
        return SDB_EBUSY;
    }
    self->busy = true;
    int res = sdb_call(&self->call, self->obj, method, ret, 2, args);
    self->busy = false;
    return res;
}

static int objdev_transfer(void *ctx, qstr method, uint32_t lba, uint32_t count, void *buf) {
    struct sdb_objdev *self = ctx;
    mp_obj_array_t array = SDB_BYTEARRAY(buf, count * SDB_SECTOR);
    const struct sdb_arg args[2] = {{.num = lba}, {.obj = MP_OBJ_FROM_PTR(&array)}};
    mp_obj_t ret;
    int res = objdev_call(self, method, &ret, args);
    return res < 0 ? res : objdev_result(ret);
}

static int objdev_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    return objdev_transfer(ctx, MP_QSTR_readblocks, lba, count, buf);
}

static int objdev_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    return objdev_transfer(ctx, MP_QSTR_writeblocks, lba, count, (void *)buf);
}

static int objdev_ioctl(struct sdb_objdev *self, int op, mp_obj_t *ret) {
    const struct sdb_arg args[2] = {{.num = (uint32_t)op}, {.num = 0}};
    return objdev_call(self, MP_QSTR_ioctl, ret, args);
}

static int objdev_sync(void *ctx) {
    mp_obj_t ret;
    int res = objdev_ioctl(ctx, OBJDEV_SYNC, &ret);
    return res < 0 ? res : objdev_result(ret);
}

int sdb_objdev_init(struct sdb_objdev *self, mp_obj_t obj) {
    mp_obj_t ret;
    self->obj = obj;
    self->busy = false;
    self->call.pending = MP_OBJ_NULL;
    self->dev.ctx = self;
    self->dev.read = objdev_read;
    self->dev.write = objdev_write;
    self->dev.sync = objdev_sync;
    int res = objdev_ioctl(self, OBJDEV_SIZE, &ret);
    if (res < 0) {
        return res;
    }
    if (ret != mp_const_none && ret != MP_OBJ_NEW_SMALL_INT(SDB_SECTOR)) {
        // machine.SDCard says -1 if no card answers.
        return mp_obj_is_small_int(ret) && MP_OBJ_SMALL_INT_VALUE(ret) < 0 ? SDB_ENODEV
                                                                           : SDB_EINVAL;
    }
    res = objdev_ioctl(self, OBJDEV_COUNT, &ret);
    if (res < 0) {
        return res;
    }
    // From 512 GiB on the count is no small integer on 32 bits.
    if (!mp_obj_is_int(ret) || (mp_obj_is_small_int(ret) && MP_OBJ_SMALL_INT_VALUE(ret) <= 0)) {
        return SDB_ENODEV;
    }
    self->dev.sectors = (uint32_t)mp_obj_get_int_truncated(ret);
    return self->dev.sectors > 0 ? 0 : SDB_ENODEV;
}
