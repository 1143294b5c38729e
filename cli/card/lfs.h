// SPDX-License-Identifier: MIT
// littlefs as sdboot has MicroPython's VfsLfs2 use a card.
#ifndef SDBOOT_LFS_H
#define SDBOOT_LFS_H

#include <stdbool.h>

#include "core/bdev.h"
#include "core/fs.h"
#include "lib/littlefs/lfs2.h"

#define LFS_BLOCK 4096     // bytes of a block on cards that sdboot formats
#define LFS_CACHE 2048     // four times MicroPython's read and program size, 512
#define LFS_LOOKAHEAD 2048 // bytes

struct lfs {
    lfs2_t fs;
    struct lfs2_config cfg;
    const struct sdb_bdev *dev;
    lfs2_file_t files[2];
    struct lfs2_file_config file_cfg[2];
    struct lfs2_attr attrs[2];
    uint8_t file_buf[2][LFS_CACHE];
    uint8_t mtime[8];
    bool used[2];
    lfs2_dir_t dir;
    uint8_t read_buf[LFS_CACHE];
    uint8_t prog_buf[LFS_CACHE];
    uint8_t lookahead[LFS_LOOKAHEAD];
    uint8_t bounce[SDB_SECTOR];
};

// Prepares `f` for the card `dev`, which must outlive it, with blocks of `block_size` bytes.
void lfs_init(struct lfs *f, const struct sdb_bdev *dev, uint32_t block_size);

// Mounts and fills in `out`. Returns 0 or an error.
int lfs_mount(struct lfs *f, struct sdb_fs *out);

#endif
