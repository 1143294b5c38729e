// SPDX-License-Identifier: MIT
#include "objvolume.h"

#include "core/release/record_fs.h"
#include "volume.h"

// What a method returns: None, 0 or a negative error.
static int objvolume_call(struct sdb_objvolume *self, qstr method, size_t n_args,
                          const struct sdb_arg *args) {
    mp_obj_t ret = mp_const_none;
    int res = sdb_call(self->call, self->obj, method, &ret, n_args, args);
    return res < 0 ? res : sdb_call_number(ret);
}

static int objvolume_slot(struct sdb_objvolume *self, int slot, void *buf, bool write) {
    mp_obj_array_t array = SDB_BYTEARRAY(buf, SDB_RECORD_SIZE);
    const struct sdb_arg args[3] = {
        {.num = (uint32_t)slot}, {.obj = MP_OBJ_FROM_PTR(&array)}, {.obj = mp_obj_new_bool(write)}};
    return objvolume_call(self, MP_QSTR_slot, 3, args);
}

static int objvolume_read(void *ctx, int slot, uint8_t *buf) {
    return objvolume_slot(ctx, slot, buf, false);
}

static int objvolume_write(void *ctx, int slot, const uint8_t *buf) {
    return objvolume_slot(ctx, slot, (void *)buf, true);
}

void sdb_objvolume_init(struct sdb_objvolume *self, mp_obj_t obj, struct sdb_call *call,
                        const struct sdb_fs *fs) {
    mp_int_t has = 0;
    if (obj != mp_const_none) {
        mp_obj_t dest[2];
        mp_load_method(obj, MP_QSTR_has, dest);
        has = mp_obj_get_int(mp_call_method_n_kw(0, 0, dest));
    }
    self->call = call;
    self->obj = has & SDB_VOLUME_RECORD ? obj : MP_OBJ_NULL;
    self->journalled = (has & SDB_VOLUME_JOURNAL) != 0;
    if (self->obj == MP_OBJ_NULL) {
        sdb_record_fs(&self->store, fs);
        return;
    }
    self->store.ctx = self;
    self->store.read = objvolume_read;
    self->store.write = objvolume_write;
}

int sdb_objvolume_do(struct sdb_objvolume *self, qstr method) {
    return self->journalled ? objvolume_call(self, method, 0, NULL) : 0;
}

int sdb_objvolume_set(struct sdb_objvolume *self, qstr method, mp_obj_t value) {
    const struct sdb_arg arg = {.obj = value};
    return self->journalled ? objvolume_call(self, method, 1, &arg) : 0;
}
