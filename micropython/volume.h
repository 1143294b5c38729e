// SPDX-License-Identifier: MIT
// _sdboot.Volume: a FAT volume on a Card, with its journal and state record, see
// core/journal/volume.h.
#ifndef SDB_VOLUME_OBJ_H
#define SDB_VOLUME_OBJ_H

#include "card.h"

#include "core/journal/volume.h"

struct sdb_volume_obj {
    mp_obj_base_t base;
    struct sdb_card *card;
    struct sdb_gate gate;
    uint32_t mounts; // counts aborts: devices handed out before the last one are dead

    // An object whose flush() is called before anybody else's commit: the file that an install has
    // open is committed along and needs its directory entry to speak of it. MP_OBJ_NULL: none.
    mp_obj_t flusher;
    mp_obj_t guard; // of the open transaction, see begin(); MP_OBJ_NULL: none

    // After a commit that could not be ended: what it has left is not known again yet; it is past
    // the commit point.
    bool broken;
    bool committed;

    bool log; // small commits are to be records of the journal's log

    struct sdb_volume volume;
};

// What Volume.has() or-s: there is a control area for the state record; what is mounted is
// journalled; the module _sdarea has something to do before it is mounted.
enum { SDB_VOLUME_RECORD = 1, SDB_VOLUME_JOURNAL = 2, SDB_VOLUME_CARE = 4 };

SDB_TYPE_DECLARE(sdb_volume_type);

// The volume in `obj`, or NULL for None; raises TypeError if it is something else.
struct sdb_volume_obj *sdb_volume_get(mp_obj_t obj);

// What is in the journal's log goes to where it belongs, unless a transaction is open. An error is
// nobody's here: what has not gone there stays in the log.
void sdb_volume_bring_home(mp_obj_t obj);

#endif
