// SPDX-License-Identifier: MIT
#include "core/release/settle.h"

#include "core/error.h"
#include "core/release/layout.h"

#include <string.h>

// `from`, if it is there still, becomes `to`.
static int settle_one(struct sdb_tree *tree, const struct sdb_fs *fs, const char *from,
                      const char *to, int budget) {
    int type = fs->stat(fs->ctx, from, NULL);
    if (type != SDB_FS_DIR) {
        return type < 0 && type != SDB_ENOENT ? type : 0;
    }
    sdb_tree_init(tree, fs, to);
    int res = sdb_tree_step(tree, budget);
    return res != 0 ? res : fs->rename(fs->ctx, from, to);
}

int sdb_settle_step(struct sdb_tree *tree, const struct sdb_fs *fs,
                    const struct sdb_record_store *store, struct sdb_record *record, int budget) {
    if (record->state != SDB_STAGED || !(record->flags & SDB_FLAG_SECOND)) {
        return 0;
    }
    char next[SDB_DIRNAME_MAX + 2] = "/";
    strcpy(next + 1, record->next_dir);
    int res = settle_one(tree, fs, SDB_DIR_NEW2, SDB_DIR_NEW, budget);
    if (res == 0) {
        res = settle_one(tree, fs, SDB_DIR_APP2, next, budget);
    }
    if (res != 0) {
        return res;
    }
    record->flags &= (uint8_t)~SDB_FLAG_SECOND;
    return sdb_record_save(store, record);
}
