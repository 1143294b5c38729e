// SPDX-License-Identifier: MIT
#include "core/release/tree.h"

#include "core/error.h"

#include <stdbool.h>
#include <string.h>

static int tree_remove_file(void *ctx, const char *path) {
    struct sdb_tree *tree = ctx;
    return tree->fs->remove(tree->fs->ctx, path);
}

void sdb_tree_init(struct sdb_tree *tree, const struct sdb_fs *fs, const char *path) {
    tree->fs = fs;
    tree->root = strlen(path);
    memcpy(tree->path, path, tree->root + 1);
    tree->file = tree_remove_file;
    tree->dir = NULL;
    tree->whole = NULL;
    tree->ctx = tree;
}

static int tree_append(struct sdb_tree *tree, size_t len) {
    size_t name = strlen(tree->entry.name);
    if (len + 1 + name > SDB_PATH_MAX) {
        return SDB_ENAMETOOLONG;
    }
    tree->path[len] = '/';
    memcpy(tree->path + len + 1, tree->entry.name, name + 1);
    return 0;
}

// Handles the files of the directory at tree->path. Returns 1 when it descended into a
// subdirectory (tree->path is that now) or the budget is used up, 0 when the directory is empty.
static int tree_empty_dir(struct sdb_tree *tree, int *budget) {
    const struct sdb_fs *fs = tree->fs;
    size_t len = strlen(tree->path);
    int dir = fs->opendir(fs->ctx, tree->path);
    if (dir < 0) {
        return dir;
    }
    int res;
    while ((res = fs->readdir(fs->ctx, dir, &tree->entry)) == 1) {
        if (*budget == 0) {
            break;
        }
        res = tree_append(tree, len);
        if (res < 0) {
            break;
        }
        if (tree->entry.type == SDB_FS_DIR) {
            res = tree->dir != NULL ? tree->dir(tree->ctx, tree->path) : 0;
            res = res < 0 ? res : 1;
            break;
        }
        --*budget;
        res = tree->file(tree->ctx, tree->path);
        if (res < 0) {
            break;
        }
        tree->path[len] = '\0';
    }
    if (res < 0) {
        tree->path[len] = '\0'; // the next step begins with this directory again
    }
    fs->closedir(fs->ctx, dir);
    return res;
}

int sdb_tree_step(struct sdb_tree *tree, int budget) {
    const struct sdb_fs *fs = tree->fs;
    while (budget > 0) {
        bool below = strlen(tree->path) > tree->root;
        int res = tree->whole != NULL && below ? tree->whole(tree->ctx) : 0;
        if (res == 1) {
            *strrchr(tree->path, '/') = '\0';
            return 1; // that was much at once
        }
        res = res < 0 ? res : tree_empty_dir(tree, &budget);
        if ((res == SDB_ENOENT || res == SDB_ENOTDIR) && !below) {
            // Not there, or a file has the name.
            res = fs->stat(fs->ctx, tree->path, NULL);
            if (res == SDB_FS_FILE) {
                return tree->file(tree->ctx, tree->path);
            }
            return res < 0 && res != SDB_ENOENT ? res : 0;
        }
        if (res < 0) {
            return res;
        }
        if (res == 1 || budget == 0) {
            continue;
        }
        budget--;
        res = fs->rmdir(fs->ctx, tree->path);
        if (res < 0 || strlen(tree->path) == tree->root) {
            return res;
        }
        *strrchr(tree->path, '/') = '\0';
    }
    return 1;
}

int sdb_tree_run(struct sdb_tree *tree) {
    int res;
    do {
        res = sdb_tree_step(tree, 64);
    } while (res == 1);
    return res;
}

int sdb_tree_parents(const struct sdb_fs *fs, char *path, size_t from) {
    for (char *p = strchr(path + from, '/'); p != NULL; p = strchr(p + 1, '/')) {
        if (p == path) {
            continue;
        }
        *p = '\0';
        int type = fs->stat(fs->ctx, path, NULL);
        int res = type == SDB_ENOENT ? fs->mkdir(fs->ctx, path) : type;
        *p = '/';
        if (res < 0) {
            return res;
        }
        if (type == SDB_FS_FILE) {
            return SDB_ENOTDIR;
        }
    }
    return 0;
}
