// SPDX-License-Identifier: MIT
// Private to memfs*.c.
#ifndef SDB_MEMFS_NODE_H
#define SDB_MEMFS_NODE_H

#include <stdio.h>
#include <stdlib.h>

#include "memfs.h"

#define MEMFS_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "memfs:%d: misuse: not so: %s\n", __LINE__, #condition);               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

bool memfs_same_path(const struct memfs *m, const char *a, const char *b);
bool memfs_below(const struct memfs *m, const char *path, const char *dir); // at any depth
struct memfs_node *memfs_node_find(const struct memfs *m, const char *path);
struct memfs_node *memfs_node_add(struct memfs *m, const char *path, int type);
void memfs_node_drop(struct memfs_node *node);
void memfs_node_resize(struct memfs_node *node, size_t size);
void memfs_rename_all(struct memfs *m, const char *from, const char *to);

#endif
