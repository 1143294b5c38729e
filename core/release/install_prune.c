// SPDX-License-Identifier: MIT
#include "core/release/install_prune.h"

#include <string.h>

#include "core/error.h"
#include "core/release/path.h"

// Where in a tree that is walked we are: in->path is a directory of it, in->live its path in the
// package. Only one directory can be open, so what is above is listed again, up to the entry that
// was gone into.

// Has the package in->live? In main_dir so count the files that the install itself has made.
static bool prune_known(struct sdb_install *in, bool in_main, int type) {
    size_t len = strlen(in->cfg.main_dir);
    if (in_main && type == SDB_FS_FILE && in->live[len] == '/') {
        const char *name = in->live + len + 1;
        if (strcmp(name, SDB_MANIFEST_FILE) == 0 || strcmp(name, SDB_VERSION_FILE) == 0) {
            return true;
        }
    }
    return sdb_names_has(&in->names, in->live, type == SDB_FS_DIR);
}

static int prune_append(char *path, const char *name) {
    size_t len = strlen(path);
    size_t more = strlen(name);
    if (len + 1 + more > SDB_PATH_MAX) {
        return SDB_ENAMETOOLONG;
    }
    if (len > 0) {
        path[len++] = '/';
    }
    memcpy(path + len, name, more + 1);
    return 0;
}

static void prune_up(char *path, size_t least) {
    char *slash = strrchr(path, '/');
    if (slash != NULL && (size_t)(slash - path) >= least) {
        *slash = '\0';
    } else {
        path[0] = '\0';
    }
}

// Goes on in the directory in->path, behind the entry in->tree.path if that is not "". Returns 1
// when it has gone into a directory or removed one, 0 at the end.
static int prune_list(struct sdb_install *in, bool in_main) {
    const struct sdb_fs *fs = in->cfg.fs;
    struct sdb_dirent *entry = &in->tree.entry;
    size_t len = strlen(in->path), live = strlen(in->live);
    bool skip = in->tree.path[0] != '\0';
    int dir = fs->opendir(fs->ctx, in->path);
    int res = dir < 0 ? dir : 0;
    bool known = true;
    while (res == 0 && (res = fs->readdir(fs->ctx, dir, entry)) == 1) {
        res = 0;
        if (skip) {
            skip = strcmp(entry->name, in->tree.path) != 0;
            continue;
        }
        res = prune_append(in->path, entry->name);
        res = res < 0 ? res : prune_append(in->live, entry->name);
        known = prune_known(in, in_main, entry->type);
        if (res == 0 && entry->type == SDB_FS_DIR) {
            res = 1;
            break;
        }
        if (res == 0 && !known) {
            res = fs->remove(fs->ctx, in->path);
        }
        in->path[len] = '\0';
        in->live[live] = '\0';
    }
    if (dir >= 0) {
        fs->closedir(fs->ctx, dir);
    }
    if (res != 1) {
        return res;
    }
    if (!known) {
        sdb_tree_init(&in->tree, fs, in->path);
        res = sdb_tree_run(&in->tree);
        in->path[len] = '\0';
        in->live[live] = '\0';
    }
    // All of a directory from its start: what comes first is known, or gone.
    in->tree.path[0] = '\0';
    return res < 0 ? res : 1;
}

// `root` is staged for what is below `live` in the package.
static int prune_tree(struct sdb_install *in, const char *root, const char *live, bool in_main) {
    size_t top = strlen(root);
    strcpy(in->path, root);
    strcpy(in->live, live);
    in->tree.path[0] = '\0';
    int res = in->cfg.fs->stat(in->cfg.fs->ctx, root, NULL);
    if (res != SDB_FS_DIR) {
        return res < 0 && res != SDB_ENOENT && res != SDB_ENOTDIR ? res : 0;
    }
    for (;;) {
        res = prune_list(in, in_main);
        if (res < 0 || (res == 0 && strlen(in->path) <= top)) {
            return res;
        }
        if (res == 0) { // back to where it was gone into
            strcpy(in->tree.path, strrchr(in->path, '/') + 1);
            prune_up(in->path, top);
            prune_up(in->live, 1);
        }
    }
}

int sdb_install_prune(struct sdb_install *in) {
    char root[SDB_DIRNAME_MAX + 2] = "/";
    strcpy(root + 1, in->cfg.next_dir);
    int res = prune_tree(in, root, in->cfg.main_dir, true);
    return res < 0 ? res : prune_tree(in, SDB_DIR_NEW, "", false);
}
