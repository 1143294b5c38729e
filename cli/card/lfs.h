// SPDX-License-Identifier: MIT
// struct sdb_fs on littlefs, configured as sdboot has MicroPython's VfsLfs2 use a card, through
// core/card/blocks. For the host tool and tests/torture.
#ifndef SDBOOT_LFS_H
#define SDBOOT_LFS_H

#include <stdbool.h>

#include "core/bdev.h"
#include "core/fs.h"
#include "lib/littlefs/lfs2.h"

#define LFS_BLOCK 4096     // bytes of a block on cards that sdboot formats
#define LFS_CACHE 2048     // four times MicroPython's read and program size, 512
#define LFS_LOOKAHEAD 2048 // bytes
#define LFS_FILES 4        // two are the engine's, two of what builds a package from its index

struct lfs {
    lfs2_t fs;
    struct lfs2_config cfg;
    const struct sdb_bdev *dev;
    lfs2_file_t files[LFS_FILES];
    struct lfs2_file_config file_cfg[LFS_FILES];
    struct lfs2_attr attrs[LFS_FILES];
    uint8_t mtime[LFS_FILES][8];
    uint8_t file_buf[LFS_FILES][LFS_CACHE];
    bool used[LFS_FILES];
    lfs2_dir_t dir;
    uint8_t read_buf[LFS_CACHE];
    uint8_t prog_buf[LFS_CACHE];
    uint8_t lookahead[LFS_LOOKAHEAD];
    uint8_t bounce[SDB_SECTOR];
    uint64_t (*now)(void); // seconds since 1970, the time of files that are written; NULL: 1970
    // Called before and after each operation that changes what a mount would show; may be NULL.
    void (*note)(void *ctx, bool done);
    void *note_ctx;
};

// Around `expr`, an operation on `f` that commits: its result is in `res`.
#define LFS_NOTED(f, res, expr)                                                                    \
    do {                                                                                           \
        lfs_note(f, false);                                                                        \
        res = (expr);                                                                              \
        if (res >= 0) {                                                                            \
            lfs_note(f, true);                                                                     \
        }                                                                                          \
    } while (0)
void lfs_note(struct lfs *f, bool done);

// Prepares `f` for the card `dev`, which must outlive it, with blocks of `block_size` bytes.
void lfs_init(struct lfs *f, const struct sdb_bdev *dev, uint32_t block_size);

// Mounts and fills in `out`, whose open() takes '+', too: to read and write. Returns 0 or an error.
int lfs_mount(struct lfs *f, struct sdb_fs *out);

#endif
