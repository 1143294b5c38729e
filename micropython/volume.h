// _sdboot.Volume: a FAT volume on a Card, with its journal and state record (core/volume.h).
#ifndef SDB_VOLUME_OBJ_H
#define SDB_VOLUME_OBJ_H

#include "card.h"
#include "objfs.h"

#include "core/volume.h"

struct sdb_volume_obj {
    mp_obj_base_t base;
    struct sdb_card *card;
    uint32_t mounts; // counts aborts: devices handed out before the last one are dead
    struct sdb_volume volume;

    // Called before anybody else's commit while an install has a file open, NULL if none has: the
    // file's clusters are committed along and need its directory entry to speak of them.
    int (*flush)(void *ctx);
    void *flush_ctx;
};

extern const mp_obj_type_t sdb_volume_type;

// The volume in `obj`, or NULL for None; raises TypeError if it is something else.
struct sdb_volume_obj *sdb_volume_get(mp_obj_t obj);

// The store of the state record: in the volume's control area or, without one, in files of `fs`.
void sdb_volume_obj_store(struct sdb_volume_obj *self, const struct sdb_fs *fs,
                          struct sdb_record_store *store);

#endif
