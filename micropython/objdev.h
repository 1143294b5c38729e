// SPDX-License-Identifier: MIT
// A Python block device (machine.SDCard) as the core's struct sdb_bdev.
#ifndef SDB_OBJDEV_H
#define SDB_OBJDEV_H

#include "call.h"
#include "core/bdev.h"

struct sdb_objdev {
    struct sdb_bdev dev;
    struct sdb_call call;
    mp_obj_t obj;
    bool busy; // in a call of the device: it must not be called by whoever it has called
};

// Takes `obj`, which must have readblocks, writeblocks and ioctl of 512-byte blocks. Uses neither
// erase nor reads at an offset: machine.SDCard has none. Returns 0 or -errno. The struct must be
// part of an object that the garbage collector knows.
int sdb_objdev_init(struct sdb_objdev *self, mp_obj_t obj);

#endif
