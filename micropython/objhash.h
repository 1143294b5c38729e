// SPDX-License-Identifier: MIT
// A class of hashlib (sha1, sha256) as the core's struct sdb_hash.
#ifndef SDB_OBJHASH_H
#define SDB_OBJHASH_H

#include "call.h"
#include "core/release/hash.h"

struct sdb_objhash {
    struct sdb_hash hash;
    struct sdb_call *call; // where exceptions wait
    mp_obj_t type;         // hashlib.sha1 or hashlib.sha256
    mp_obj_t state;        // the running hash
};

// Takes the class `type` with digests of `size` bytes. Begin with hash.start(). The struct must be
// part of an object that the garbage collector knows.
void sdb_objhash_init(struct sdb_objhash *self, struct sdb_call *call, mp_obj_t type, size_t size);

#endif
