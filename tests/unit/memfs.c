// SPDX-License-Identifier: MIT
#include "memfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "memfs_node.h"

static bool is_open(const struct memfs *m, const struct memfs_node *node) {
    for (int i = 0; i < MEMFS_HANDLES; i++) {
        if (m->handles[i].use != 0 && &m->nodes[m->handles[i].node] == node) {
            return true;
        }
    }
    return false;
}

// The directory that `path` would be in: 0, or why there can't be such a thing.
static int check_parent(const struct memfs *m, const char *path) {
    char parent[SDB_PATH_MAX + 1];
    MEMFS_CHECK(path[0] == '/' && path[1] != '\0' && path[strlen(path) - 1] != '/');
    MEMFS_CHECK(strlen(path) <= SDB_PATH_MAX && strstr(path, "//") == NULL);
    strcpy(parent, path);
    *strrchr(parent, '/') = '\0';
    if (parent[0] == '\0') {
        return 0;
    }
    const struct memfs_node *node = memfs_node_find(m, parent);
    if (node != NULL && node->type == SDB_FS_DIR) {
        return 0;
    }
    for (; node == NULL && strrchr(parent, '/') != parent; node = memfs_node_find(m, parent)) {
        *strrchr(parent, '/') = '\0';
    }
    return node != NULL && node->type == SDB_FS_FILE && !m->fat ? SDB_ENOTDIR : SDB_ENOENT;
}

// ---- Faults ------------------------------------------------------------------------------------

// Every callback begins with this: 0, or the error that was ordered for it.
static int enter(struct memfs *m) {
    m->calls++;
    return m->calls == m->fail_at && !m->fail_late ? m->fail_error : 0;
}

// ... those that change something continue with this, once they know that they will ...
static int mutate(struct memfs *m) {
    if (m->cut && m->mutations >= m->cut_at) {
        return SDB_EIO;
    }
    m->mutations++;
    return 0;
}

// ... and all end with this.
static int leave(struct memfs *m, int res) {
    return m->calls == m->fail_at && m->fail_late && res >= 0 ? m->fail_error : res;
}

// ---- Files -------------------------------------------------------------------------------------

static int handle_new(struct memfs *m, char use, size_t node) {
    int last = -1, dirs = 0;
    unsigned files = 0;
    for (int i = 0; i < MEMFS_HANDLES; i++) {
        last = m->handles[i].use == 0 ? i : last;
        dirs += m->handles[i].use == 'd';
        files += m->handles[i].use == 'r' || m->handles[i].use == 'w';
    }
    MEMFS_CHECK(use == 'd' ? dirs == 0 : files < (m->most_files ? m->most_files : 2u));
    MEMFS_CHECK(last >= 0);
    m->handles[last] = (struct memfs_handle){use, node, 0};
    return last;
}

static struct memfs_handle *handle(struct memfs *m, int h, char use) {
    MEMFS_CHECK(h >= 0 && h < MEMFS_HANDLES);
    MEMFS_CHECK(m->handles[h].use != 0 && (use == 0 || m->handles[h].use == use));
    return &m->handles[h];
}

static int fs_stat(void *ctx, const char *path, uint32_t *size) {
    struct memfs *m = ctx;
    int res = enter(m);
    if (res == 0) {
        res = check_parent(m, path);
    }
    if (res == 0) {
        const struct memfs_node *node = memfs_node_find(m, path);
        res = node == NULL ? SDB_ENOENT : node->type;
        if (node != NULL && size != NULL) {
            *size = (uint32_t)node->size;
        }
    }
    return leave(m, res);
}

static int open_file(struct memfs *m, const char *path, char mode) {
    MEMFS_CHECK(mode == 'r' || mode == 'w' || mode == 'x' || mode == 'a');
    int res = check_parent(m, path);
    struct memfs_node *node = memfs_node_find(m, path);
    if (res < 0) {
        return res;
    }
    if (node != NULL && mode == 'x') {
        return SDB_EEXIST;
    }
    if (node != NULL && node->type == SDB_FS_DIR) {
        return SDB_EISDIR;
    }
    if (node == NULL && mode == 'r') {
        return SDB_ENOENT;
    }
    if (mode != 'r' && (mode != 'a' || node == NULL)) {
        res = mutate(m);
        if (res < 0) {
            return res;
        }
    }
    if (node == NULL) {
        node = memfs_node_add(m, path, SDB_FS_FILE);
    }
    if (mode != 'r') {
        MEMFS_CHECK(!is_open(m, node));
        memfs_node_resize(node, mode == 'a' ? node->size : 0);
    }
    return handle_new(m, mode == 'r' ? 'r' : 'w', (size_t)(node - m->nodes));
}

static int fs_open(void *ctx, const char *path, char mode) {
    struct memfs *m = ctx;
    int res = enter(m);
    if (res == 0) {
        int file = open_file(m, path, mode);
        res = leave(m, file);
        if (res < 0 && file >= 0) {
            m->handles[file].use = 0; // failed after all: nobody will close it
        }
    }
    return res;
}

static int fs_read(void *ctx, int file, void *buf, size_t len) {
    struct memfs *m = ctx;
    struct memfs_handle *h = handle(m, file, 'r');
    const struct memfs_node *node = &m->nodes[h->node];
    int res = enter(m);
    if (res == 0) {
        size_t left = h->pos < node->size ? node->size - h->pos : 0;
        size_t n = left < len ? left : len;
        n = m->short_read != 0 && n > m->short_read ? m->short_read : n;
        if (n > 0) {
            memcpy(buf, node->data + h->pos, n);
        }
        h->pos += n;
        res = (int)n;
    }
    return leave(m, res);
}

static size_t used(const struct memfs *m) {
    size_t sum = 0;
    for (size_t i = 0; i < m->count; i++) {
        sum += m->nodes[i].size;
    }
    return sum;
}

static int fs_write(void *ctx, int file, const void *buf, size_t len) {
    struct memfs *m = ctx;
    struct memfs_handle *h = handle(m, file, 'w');
    struct memfs_node *node = &m->nodes[h->node];
    int res = enter(m);
    MEMFS_CHECK(len > 0);
    if (res == 0) {
        res = mutate(m);
    }
    if (res == 0) {
        size_t room = m->capacity != 0 ? m->capacity - used(m) : len;
        size_t n = len < room ? len : room;
        memfs_node_resize(node, node->size + n);
        if (n > 0) {
            memcpy(node->data + node->size - n, buf, n);
        }
        res = n < len ? SDB_ENOSPC : 0;
    }
    return leave(m, res);
}

static int fs_close(void *ctx, int file) {
    struct memfs *m = ctx;
    MEMFS_CHECK(handle(m, file, 0)->use != 'd');
    m->handles[file].use = 0;
    return leave(m, enter(m));
}

// ---- Directories -------------------------------------------------------------------------------

static int fs_opendir(void *ctx, const char *path) {
    struct memfs *m = ctx;
    int res = enter(m);
    const struct memfs_node *node = memfs_node_find(m, path);
    if (res == 0) {
        res = check_parent(m, path);
    }
    if (res == 0 && (node == NULL || node->type == SDB_FS_FILE)) {
        res = node != NULL && !m->fat ? SDB_ENOTDIR : SDB_ENOENT;
    }
    if (res == 0) {
        res = leave(m, 0);
    }
    return res < 0 ? res : handle_new(m, 'd', (size_t)(node - m->nodes));
}

static int fs_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    struct memfs *m = ctx;
    struct memfs_handle *h = handle(m, dir, 'd');
    int res = enter(m);
    if (res < 0) {
        return res;
    }
    const char *parent = m->nodes[h->node].path;
    MEMFS_CHECK(parent != NULL);
    while (h->pos < m->count) {
        const struct memfs_node *node = &m->nodes[h->pos++];
        if (node->path != NULL && memfs_below(m, node->path, parent) &&
            strchr(node->path + strlen(parent) + 1, '/') == NULL) {
            entry->type = node->type;
            strcpy(entry->name, node->path + strlen(parent) + 1);
            return leave(m, 1);
        }
    }
    return leave(m, 0);
}

static void fs_closedir(void *ctx, int dir) {
    struct memfs *m = ctx;
    handle(m, dir, 'd')->use = 0;
}

static int fs_mkdir(void *ctx, const char *path) {
    struct memfs *m = ctx;
    int res = enter(m);
    if (res == 0) {
        res = check_parent(m, path);
    }
    if (res == 0) {
        res = memfs_node_find(m, path) != NULL ? SDB_EEXIST : mutate(m);
    }
    if (res == 0) {
        memfs_node_add(m, path, SDB_FS_DIR);
    }
    return leave(m, res);
}

static bool has_children(const struct memfs *m, const char *path) {
    for (size_t i = 0; i < m->count; i++) {
        if (m->nodes[i].path != NULL && memfs_below(m, m->nodes[i].path, path)) {
            return true;
        }
    }
    return false;
}

static int unlink_node(struct memfs *m, const char *path, int type) {
    int res = enter(m);
    struct memfs_node *node = memfs_node_find(m, path);
    if (res == 0) {
        res = check_parent(m, path);
    }
    if (res == 0) {
        res = node == NULL         ? SDB_ENOENT
              : node->type != type ? (type == SDB_FS_DIR ? SDB_ENOTDIR : SDB_EISDIR)
              : type == SDB_FS_DIR && has_children(m, path) ? SDB_ENOTEMPTY
                                                            : mutate(m);
    }
    if (res == 0) {
        MEMFS_CHECK(!is_open(m, node));
        memfs_node_drop(node);
    }
    return leave(m, res);
}

static int fs_remove(void *ctx, const char *path) {
    return unlink_node(ctx, path, SDB_FS_FILE);
}

static int fs_rmdir(void *ctx, const char *path) {
    return unlink_node(ctx, path, SDB_FS_DIR);
}

void memfs_rename_all(struct memfs *m, const char *from, const char *to) {
    char path[2 * SDB_PATH_MAX + 2];
    char old[SDB_PATH_MAX + 1];
    strcpy(old, from);
    for (size_t i = 0; i < m->count; i++) {
        struct memfs_node *node = &m->nodes[i];
        if (node->path != NULL &&
            (memfs_same_path(m, node->path, old) || memfs_below(m, node->path, old))) {
            MEMFS_CHECK(!is_open(m, node));
            snprintf(path, sizeof path, "%s%s", to, node->path + strlen(old));
            free(node->path);
            node->path = strdup(path);
        }
    }
}

static int fs_rename(void *ctx, const char *from, const char *to) {
    struct memfs *m = ctx;
    int res = enter(m);
    if (res == 0) {
        res = check_parent(m, from);
    }
    if (res == 0) {
        res = check_parent(m, to);
    }
    if (res == 0) {
        res = memfs_node_find(m, from) == NULL ? SDB_ENOENT
              : memfs_node_find(m, to) != NULL ? SDB_EEXIST
              : memfs_below(m, to, from)       ? SDB_EINVAL
                                               : mutate(m);
    }
    if (res == 0) {
        memfs_rename_all(m, from, to);
    }
    return leave(m, res);
}

// ---- The struct -----------------------------------------------------------------------------

void memfs_init(struct memfs *m) {
    memset(m, 0, sizeof *m);
}

void memfs_ops(struct memfs *m, struct sdb_fs *fs) {
    *fs = (struct sdb_fs){
        .ctx = m,
        .stat = fs_stat,
        .open = fs_open,
        .read = fs_read,
        .write = fs_write,
        .close = fs_close,
        .opendir = fs_opendir,
        .readdir = fs_readdir,
        .closedir = fs_closedir,
        .mkdir = fs_mkdir,
        .remove = fs_remove,
        .rmdir = fs_rmdir,
        .rename = fs_rename,
    };
}

void memfs_power_on(struct memfs *m) {
    memset(m->handles, 0, sizeof m->handles);
    m->calls = m->fail_at = m->mutations = m->cut_at = 0;
    m->cut = m->fail_late = false;
}

unsigned memfs_open_handles(const struct memfs *m) {
    unsigned n = 0;
    for (int i = 0; i < MEMFS_HANDLES; i++) {
        n += m->handles[i].use != 0;
    }
    return n;
}

void memfs_free(struct memfs *m) {
    for (size_t i = 0; i < m->count; i++) {
        memfs_node_drop(&m->nodes[i]);
    }
    free(m->nodes);
    memfs_init(m);
}
