// SPDX-License-Identifier: MIT
// A filesystem object (VfsFat, VfsLfs2), mounted or not, as the core's struct sdb_fs.
#ifndef SDB_OBJFS_H
#define SDB_OBJFS_H

#include "call.h"
#include "core/fs.h"

struct sdb_objfs {
    struct sdb_call call;
    mp_obj_t vfs;
    mp_obj_t file[2]; // open ones
    mp_obj_t dir;     // iterator over the directory being listed
    mp_obj_t volume;  // a Volume with writable(), for what is read-only on FAT; MP_OBJ_NULL: none
    struct sdb_fs fs;
};

// Takes `vfs`, and the Volume that it is mounted on or None. The struct must be part of an object
// that the garbage collector knows.
void sdb_objfs_init(struct sdb_objfs *self, mp_obj_t vfs, mp_obj_t volume);

// Likewise, for reading files only: that is all of the code that the module needs then.
void sdb_objfs_init_reader(struct sdb_objfs *self, mp_obj_t vfs);

#endif
