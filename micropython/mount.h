// SPDX-License-Identifier: MIT
// _sdboot.Mount: what is mounted, a filesystem object (VfsFat, VfsLfs2) with a keeper before it.
//
// The keeper stays when the card is mounted anew, and sees to what the filesystem objects hold
// back: they end a listing at a read error as if that were all of it.
#ifndef SDB_MOUNT_H
#define SDB_MOUNT_H

#include "card.h"

struct sdb_mount {
    mp_obj_base_t base;
    mp_obj_t vfs;          // the filesystem object, MP_OBJ_NULL: it has to be mounted anew
    mp_obj_t old;          // the one before: open files of FatFs point into it, unseen by the
                           // garbage collector
    struct sdb_card *card; // what it is on
    mp_obj_t renew;        // renew() calls use() or raises
    mp_obj_t opened;       // opened(file) is called for files opened to write, None: no call
    mp_obj_t cwd;          // working directory, MP_OBJ_NULL: the root
};

SDB_TYPE_DECLARE(sdb_mount_type);
SDB_TYPE_DECLARE(sdb_listing_type);

#endif
