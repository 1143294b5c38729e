// SPDX-License-Identifier: MIT
// What the tests do to a memfs past its faults: fill it, change it, list it.
#include "memfs.h"

#include <string.h>

#include "core/crc32.h"
#include "memfs_node.h"

static void make_parents(struct memfs *m, const char *path) {
    char parent[SDB_PATH_MAX + 1];
    MEMFS_CHECK(strlen(path) <= SDB_PATH_MAX);
    strcpy(parent, path);
    for (char *p = strchr(parent + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (memfs_node_find(m, parent) == NULL) {
            memfs_node_add(m, parent, SDB_FS_DIR);
        }
        *p = '/';
    }
}

void memfs_put(struct memfs *m, const char *path, const void *data, size_t size) {
    make_parents(m, path);
    struct memfs_node *node = memfs_node_find(m, path);
    node = node != NULL ? node : memfs_node_add(m, path, SDB_FS_FILE);
    MEMFS_CHECK(node->type == SDB_FS_FILE);
    memfs_node_resize(node, 0);
    memfs_node_resize(node, size);
    if (size > 0) {
        memcpy(node->data, data, size);
    }
}

void memfs_text(struct memfs *m, const char *path, const char *text) {
    memfs_put(m, path, text, strlen(text));
}

void memfs_dir(struct memfs *m, const char *path) {
    make_parents(m, path);
    if (memfs_node_find(m, path) == NULL) {
        memfs_node_add(m, path, SDB_FS_DIR);
    }
}

void memfs_delete(struct memfs *m, const char *path) {
    for (size_t i = 0; i < m->count; i++) {
        struct memfs_node *node = &m->nodes[i];
        if (node->path != NULL &&
            (memfs_same_path(m, node->path, path) || memfs_below(m, node->path, path))) {
            memfs_node_drop(node);
        }
    }
}

void memfs_move(struct memfs *m, const char *from, const char *to) {
    make_parents(m, to);
    memfs_rename_all(m, from, to);
}

void memfs_copy(struct memfs *to, const struct memfs *from) {
    memfs_init(to);
    to->fat = from->fat;
    to->most_files = from->most_files;
    for (size_t i = 0; i < from->count; i++) {
        const struct memfs_node *node = &from->nodes[i];
        if (node->path != NULL && node->type == SDB_FS_DIR) {
            memfs_dir(to, node->path);
        } else if (node->path != NULL) {
            memfs_put(to, node->path, node->data, node->size);
        }
    }
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool listed(const char *path, const char *root, bool live) {
    static const char *const ours[] = {"/.sdboot", "/next", "/prev"};
    size_t n = strlen(root);
    if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0') ||
        strncmp(path, "/.sdboot/record.", 16) == 0) {
        return false;
    }
    for (size_t i = 0; live && i < sizeof ours / sizeof *ours; i++) {
        size_t k = strlen(ours[i]);
        if (strncmp(path, ours[i], k) == 0 && (path[k] == '/' || path[k] == '\0')) {
            return false;
        }
    }
    return true;
}

char *memfs_list(const struct memfs *m, const char *path, bool live) {
    char **lines = calloc(m->count + 1, sizeof *lines);
    size_t count = 0, len = 0;
    MEMFS_CHECK(lines != NULL);
    for (size_t i = 0; i < m->count; i++) {
        const struct memfs_node *node = &m->nodes[i];
        if (node->path == NULL || !listed(node->path, path, live)) {
            continue;
        }
        const char *name = node->path + strlen(path);
        size_t room = strlen(name) + 32;
        lines[count] = malloc(room);
        MEMFS_CHECK(lines[count] != NULL);
        if (node->type == SDB_FS_DIR) {
            snprintf(lines[count], room, "%s/\n", name);
        } else {
            snprintf(lines[count], room, "%s %zu %08x\n", name, node->size,
                     (unsigned)sdb_crc32(0, node->data, node->size));
        }
        len += strlen(lines[count++]);
    }
    qsort(lines, count, sizeof *lines, by_text);
    char *text = calloc(len + 1, 1);
    MEMFS_CHECK(text != NULL);
    char *end = text;
    for (size_t i = 0; i < count; i++) {
        end = stpcpy(end, lines[i]);
        free(lines[i]);
    }
    free(lines);
    return text;
}
