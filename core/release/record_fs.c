// SPDX-License-Identifier: MIT
#include "core/release/record_fs.h"

#include "core/error.h"

#include <string.h>

static void record_fs_path(char path[20], int slot) {
    memcpy(path, "/.sdboot/record.0", 18);
    path[16] = (char)('0' + slot);
}

static int record_fs_read(void *ctx, int slot, uint8_t *buf) {
    const struct sdb_fs *fs = ctx;
    char path[20];
    record_fs_path(path, slot);
    int file = fs->open(fs->ctx, path, 'r');
    if (file < 0) {
        return file;
    }
    int res = fs->read(fs->ctx, file, buf, SDB_RECORD_SIZE);
    fs->close(fs->ctx, file);
    // A file cut short by a power failure is as good as none.
    return res >= 0 && res != (int)SDB_RECORD_SIZE ? SDB_ENOENT : res < 0 ? res : 0;
}

static int record_fs_write(void *ctx, int slot, const uint8_t *buf) {
    const struct sdb_fs *fs = ctx;
    char path[20];
    record_fs_path(path, slot);
    int file = fs->open(fs->ctx, path, 'w');
    if (file == SDB_ENOENT) {
        int res = fs->mkdir(fs->ctx, "/.sdboot");
        if (res < 0) {
            return res;
        }
        file = fs->open(fs->ctx, path, 'w');
    }
    if (file < 0) {
        return file;
    }
    int res = fs->write(fs->ctx, file, buf, SDB_RECORD_SIZE);
    int closed = fs->close(fs->ctx, file);
    return res < 0 ? res : closed;
}

void sdb_record_fs(struct sdb_record_store *store, const struct sdb_fs *fs) {
    store->ctx = (void *)fs;
    store->read = record_fs_read;
    store->write = record_fs_write;
}
