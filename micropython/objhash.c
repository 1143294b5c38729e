// SPDX-License-Identifier: MIT
#include "objhash.h"

#include "core/error.h"

#include <string.h>

static int objhash_start(void *ctx) {
    struct sdb_objhash *self = ctx;
    return sdb_call_function(self->call, self->type, &self->state);
}

static int objhash_update(void *ctx, const void *data, size_t len) {
    struct sdb_objhash *self = ctx;
    mp_obj_array_t array = SDB_BYTEARRAY(data, len);
    const struct sdb_arg arg = {.obj = MP_OBJ_FROM_PTR(&array)};
    return sdb_call(self->call, self->state, MP_QSTR_update, NULL, 1, &arg);
}

struct objhash_digest {
    size_t size;
    uint8_t *out;
};

static int objhash_take(void *ctx, mp_obj_t bytes) {
    struct objhash_digest *take = ctx;
    size_t len;
    const char *digest = mp_obj_str_get_data(bytes, &len);
    if (len != take->size) {
        return SDB_EINVAL;
    }
    memcpy(take->out, digest, len);
    return 0;
}

static int objhash_digest(void *ctx, uint8_t *out) {
    struct sdb_objhash *self = ctx;
    mp_obj_t ret;
    int res = sdb_call(self->call, self->state, MP_QSTR_digest, &ret, 0, NULL);
    struct objhash_digest take = {self->hash.size, out};
    return res < 0 ? res : sdb_call_take(self->call, objhash_take, &take, ret);
}

static const struct sdb_hash objhash_hash = {
    .start = objhash_start,
    .update = objhash_update,
    .digest = objhash_digest,
};

void sdb_objhash_init(struct sdb_objhash *self, struct sdb_call *call, mp_obj_t type, size_t size) {
    self->call = call;
    self->type = type;
    self->state = MP_OBJ_NULL;
    self->hash = objhash_hash;
    self->hash.ctx = self;
    self->hash.size = size;
}
