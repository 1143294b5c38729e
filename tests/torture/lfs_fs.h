// SPDX-License-Identifier: MIT
// struct sdb_fs on littlefs, configured as MicroPython's VfsLfs2 is by sdboot, through core/blocks.
#ifndef TORTURE_LFS_FS_H
#define TORTURE_LFS_FS_H

#include <stdbool.h>

#include "core/fs.h"
#include "image.h"
#include "lib/littlefs/lfs2.h"
#include "ramdev.h"
#include "volume.h"

#define LFS_CACHE 2048
#define LFS_LOOKAHEAD 2048

struct lfs_fs {
    lfs2_t lfs;
    struct lfs2_config cfg;
    const struct sdb_bdev *dev;
    lfs2_file_t files[4];
    struct lfs2_file_config file_cfg[4];
    struct lfs2_attr attrs[4];
    uint8_t file_buf[4][LFS_CACHE];
    bool used[4];
    lfs2_dir_t dir;
    uint8_t read_buf[LFS_CACHE];
    uint8_t prog_buf[LFS_CACHE];
    uint8_t lookahead[LFS_LOOKAHEAD];
    uint8_t bounce[512];
    uint8_t mtime[8];
    // Called before and after each operation that changes what a mount would show.
    void (*note)(void *ctx, bool done);
    void *note_ctx;
};

void lfs_fs_init(struct lfs_fs *f, const struct sdb_bdev *dev, uint32_t block_size,
                 struct sdb_fs *out);
int lfs_fs_mount(struct lfs_fs *f);
int lfs_fs_sync(struct lfs_fs *f, int file);
int lfs_fs_seek(struct lfs_fs *f, int file, uint32_t at);

// Makes `img` a card formatted as sdboot does it, on which there was a littlefs before.
void lfs_format(const struct volume *v, struct image *img);

struct lfs_check {
    const char *error; // NULL, or what is wrong
    char where[SDB_PATH_MAX + 1];
    uint64_t digest;  // all names and contents
    uint64_t visible; // all outside /next, /prev, /.sdboot, /filler and what goes_on() writes
};

// Mounts what is on `img` and reads everything. `settled`: what a cut has left has been repaired,
// no block has two owners.
bool lfs_check(const struct volume *v, const struct image *img, bool settled,
               struct lfs_check *out);

#endif
