// SPDX-License-Identifier: MIT
// Emptying a directory tree: to remove it, or to move each of its files elsewhere.
#ifndef SDB_TREE_H
#define SDB_TREE_H

#include "core/fs.h"

struct sdb_tree {
    const struct sdb_fs *fs;

    // Called for every file; must make it vanish from `path` (remove it, rename it away).
    int (*file)(void *ctx, const char *path);
    // Called for a directory before its content; may be NULL.
    int (*dir)(void *ctx, const char *path);
    // Called for a directory below the root before it is opened: 1 if it is gone now, 0, or an
    // error. May be NULL.
    int (*whole)(void *ctx);
    void *ctx;

    size_t root;                 // length of the root's path
    char path[SDB_PATH_MAX + 1]; // where we are, below the root of the tree
    struct sdb_dirent entry;
};

// Prepares to remove the tree at `path`.
void sdb_tree_init(struct sdb_tree *tree, const struct sdb_fs *fs, const char *path);

// Handles up to `budget` entries. Returns 1 if there is more to do, 0 when the tree is gone (or
// was not there), or an error. Needs no memory that grows with the depth of the tree: a directory
// is read again from its start after each of its subdirectories is gone.
int sdb_tree_step(struct sdb_tree *tree, int budget);

// Handles all entries. Returns 0 or an error, as sdb_tree_step.
int sdb_tree_run(struct sdb_tree *tree);

// Creates the missing parent directories of `path` from position `from` on; path is changed while
// this runs and restored. Returns 0 or the filesystem's error; SDB_ENOTDIR if one is a file.
int sdb_tree_parents(const struct sdb_fs *fs, char *path, size_t from);

#endif
