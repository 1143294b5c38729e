// SPDX-License-Identifier: MIT
#include "cli/card/walk.h"

#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"
#include "core/error.h"

#define WALK_DEPTH 64

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

static int walk(const struct sdb_fs *fs, const char *path, int depth, walk_visit *visit,
                void *ctx) {
    struct names names;
    int res = depth < WALK_DEPTH ? list(fs, path, &names) : SDB_ENAMETOOLONG;
    if (depth >= WALK_DEPTH) {
        return visit(ctx, path, 0, res);
    }
    if (res < 0) {
        res = visit(ctx, path, 0, res);
    }
    for (size_t i = 0; i < names.count && res == 0; i++) {
        char *inner = tool_format("%s/%s", path, names.list[i].name);
        uint32_t size = 0;
        if (names.list[i].type == SDB_FS_FILE) {
            fs->stat(fs->ctx, inner, &size);
        }
        res = visit(ctx, inner, names.list[i].type, size);
        if (res == 0 && names.list[i].type == SDB_FS_DIR) {
            res = walk(fs, inner, depth + 1, visit, ctx);
        }
        free(inner);
    }
    free(names.list);
    return res;
}

int walk_tree(const struct sdb_fs *fs, const char *path, walk_visit *visit, void *ctx) {
    return walk(fs, path, 0, visit, ctx);
}
