// SPDX-License-Identifier: MIT
// A Volume of the module _sdboot as the other modules see it: a Python object, because native
// modules can't be linked with each other.
#ifndef SDB_OBJVOLUME_H
#define SDB_OBJVOLUME_H

#include "call.h"
#include "core/fs.h"
#include "core/release/record.h"

struct sdb_objvolume {
    mp_obj_t obj;          // MP_OBJ_NULL: no Volume, or one without control area
    struct sdb_call *call; // where exceptions wait
    bool journalled;       // what is mounted is journalled
    struct sdb_record_store store;
};

// Takes a Volume or None. self->store is in the volume's control area then or, without one, in
// files of `fs`. Raises what a wrong object raises. The struct must be part of an object that the
// garbage collector knows.
void sdb_objvolume_init(struct sdb_objvolume *self, mp_obj_t obj, struct sdb_call *call,
                        const struct sdb_fs *fs);

// Methods of a Volume that take nothing (begin, commit) or one object (defer, checkpoint, watch).
// Nothing happens if there is no journal. Return 0 or a negative error.
int sdb_objvolume_do(struct sdb_objvolume *self, qstr method);
int sdb_objvolume_set(struct sdb_objvolume *self, qstr method, mp_obj_t value);

#endif
