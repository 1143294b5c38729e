// SPDX-License-Identifier: MIT
// All files and folders of a mounted card.
#ifndef SDBOOT_WALK_H
#define SDBOOT_WALK_H

#include "core/fs.h"

// Called for each, a folder before what is in it. `path` begins with '/'. After an error of a
// folder that can't be listed: with type 0 and the error in `size`. Returns 0, or what ends the
// walk.
typedef int walk_visit(void *ctx, const char *path, int type, int64_t size);

// Walks through all that is below `path` ("" for the whole card). Returns 0, or what `visit` has
// returned.
int walk_tree(const struct sdb_fs *fs, const char *path, walk_visit *visit, void *ctx);

#endif
