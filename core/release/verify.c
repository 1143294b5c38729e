// SPDX-License-Identifier: MIT
#include "core/release/verify.h"

#include "core/error.h"
#include "core/release/layout.h"

#include <string.h>

void sdb_verify_init(struct sdb_verify *v, const struct sdb_fs *fs, const struct sdb_hash *hash,
                     const char *main_dir, uint8_t *buf, size_t len) {
    v->fs = fs;
    v->hash = hash;
    v->buf = buf;
    v->len = len;
    v->written_only = false;
    v->path[0] = '/';
    strcpy(v->path + 1, strlen(main_dir) <= SDB_NAME_MAX ? main_dir : "");
    strcat(v->path, "/" SDB_MANIFEST_FILE);
    sdb_textfile_init(&v->manifest, fs, v->path);
}

static int verify_hash_file(struct sdb_verify *v, uint8_t *digest) {
    const struct sdb_fs *fs = v->fs;
    int file = fs->open(fs->ctx, v->path, 'r');
    if (file < 0) {
        return file;
    }
    int res = v->hash->start(v->hash->ctx);
    while (res == 0) {
        int n = fs->read(fs->ctx, file, v->buf, v->len);
        if (n <= 0) {
            res = n;
            break;
        }
        res = v->hash->update(v->hash->ctx, v->buf, (size_t)n);
    }
    fs->close(fs->ctx, file);
    return res < 0 ? res : v->hash->digest(v->hash->ctx, digest);
}

int sdb_verify_next(struct sdb_verify *v) {
    uint8_t want[SDB_MANIFEST_DIGEST];
    uint8_t have[SDB_HASH_MAX];
    bool kept;
    int res = sdb_manifest_next(&v->manifest, want, v->path + 1, &kept);
    if (res != 1) {
        sdb_textfile_close(&v->manifest);
        return res;
    }
    if (kept && v->written_only) {
        return 1;
    }
    res = verify_hash_file(v, have);
    if (res == SDB_ENOENT || res == SDB_EISDIR || res == SDB_ENOTDIR) {
        return SDB_EVERIFY;
    }
    if (res < 0) {
        sdb_textfile_close(&v->manifest);
        return res;
    }
    return memcmp(want, have, sizeof(want)) == 0 ? 1 : SDB_EVERIFY;
}

int sdb_verify_all(struct sdb_verify *v) {
    int res;
    v->written_only = true;
    do {
        res = sdb_verify_next(v);
    } while (res == 1);
    sdb_textfile_close(&v->manifest);
    return res == SDB_ENOENT ? 0 : res;
}
