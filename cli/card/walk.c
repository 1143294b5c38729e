// SPDX-License-Identifier: MIT
#include "cli/card/walk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"
#include "core/error.h"

#define WALK_DEPTH 64
#define WALK_DAMAGED 2000u // names, once a folder is that deep

struct names {
    struct sdb_dirent *list;
    size_t count;
};

// The filesystem has one folder open at a time: names are collected first.
static int list(const struct sdb_fs *fs, const char *path, struct names *names) {
    memset(names, 0, sizeof *names);
    int dir = fs->opendir(fs->ctx, *path != '\0' ? path : "/");
    if (dir < 0) {
        return dir;
    }
    size_t room = 0;
    int res;
    do {
        if (names->count == room) {
            room = room * 2 + 16;
            names->list = realloc(names->list, room * sizeof *names->list);
            if (names->list == NULL) {
                tool_die("out of memory");
            }
        }
        res = fs->readdir(fs->ctx, dir, &names->list[names->count]);
        names->count += res == 1;
    } while (res == 1);
    fs->closedir(fs->ctx, dir);
    return res;
}

struct state {
    const struct sdb_fs *fs;
    walk_visit *visit;
    void *ctx;
    uint32_t left; // names that are still visited
};

static int walk(struct state *w, const char *path, int depth) {
    struct names names;
    if (depth >= WALK_DEPTH) {
        // Folders that contain themselves: without an end to it, that would be walked through in
        // every way there is.
        w->left = w->left < WALK_DAMAGED ? w->left : WALK_DAMAGED;
        return w->visit(w->ctx, path, 0, SDB_ENAMETOOLONG);
    }
    int res = list(w->fs, path, &names);
    if (res < 0) {
        res = w->visit(w->ctx, path, 0, res);
    }
    for (size_t i = 0; i < names.count && res == 0 && w->left > 0; i++) {
        char *inner = tool_format("%s/%s", path, names.list[i].name);
        uint32_t size = 0;
        w->left--;
        if (names.list[i].type == SDB_FS_FILE) {
            w->fs->stat(w->fs->ctx, inner, &size);
        }
        res = w->visit(w->ctx, inner, names.list[i].type, size);
        if (res == 0 && names.list[i].type == SDB_FS_DIR) {
            res = walk(w, inner, depth + 1);
        }
        free(inner);
    }
    free(names.list);
    return res;
}

int walk_tree(const struct sdb_fs *fs, const char *path, walk_visit *visit, void *ctx) {
    struct state w = {.fs = fs, .visit = visit, .ctx = ctx, .left = UINT32_MAX};
    return walk(&w, path, 0);
}
