// SPDX-License-Identifier: MIT
// Cards with littlefs: made, and read whole.
#ifndef TORTURE_LFS_CHECK_H
#define TORTURE_LFS_CHECK_H

#include <stdbool.h>

#include "cli/card/lfs.h"
#include "image.h"
#include "volume.h"

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
