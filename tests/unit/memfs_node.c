// SPDX-License-Identifier: MIT
// What a memfs consists of, and which names are one.
#include "memfs_node.h"

#include <string.h>
#include <strings.h>

// The name under which FAT has a long name too, or "" for a name that needs none.
static void short_name(const char *name, size_t len, char alias[13]) {
    size_t start = strspn(name, ". ");
    size_t dot = len;
    for (size_t i = start; i < len; i++) {
        dot = name[i] == '.' ? i : dot;
    }
    size_t body = dot - (start < dot ? start : dot);
    size_t ext = len - dot - (dot < len);
    alias[0] = '\0';
    if (start == 0 && body <= 8 && ext <= 3 && memchr(name, ' ', len) == NULL &&
        memchr(name, '.', dot) == NULL) {
        return;
    }
    if (dot == len && start > 0) { // ".sdboot" has nothing but an extension
        ext = len - start;
        dot = start - 1;
        body = 0;
    }
    char *out = alias;
    for (size_t i = 0; i < body && out < alias + 6; i++) {
        if (strchr(". ", name[start + i]) == NULL) {
            *out++ = name[start + i];
        }
    }
    *out++ = '~';
    *out++ = '1';
    if (ext > 0) {
        *out++ = '.';
        for (size_t i = 0; i < 3 && i < ext; i++) {
            *out++ = name[dot + 1 + i];
        }
    }
    *out = '\0';
}

static bool same_name(const char *a, size_t a_len, const char *b, size_t b_len) {
    char alias[13];
    if (a_len == b_len && strncasecmp(a, b, a_len) == 0) {
        return true;
    }
    short_name(a, a_len, alias);
    if (strlen(alias) == b_len && b_len > 0 && strncasecmp(alias, b, b_len) == 0) {
        return true;
    }
    short_name(b, b_len, alias);
    return strlen(alias) == a_len && a_len > 0 && strncasecmp(alias, a, a_len) == 0;
}

// What is left of `a` behind the components of `b`; NULL if they are not the same.
static const char *behind(const struct memfs *m, const char *a, const char *b) {
    if (!m->fat) {
        return strncmp(a, b, strlen(b)) == 0 ? a + strlen(b) : NULL;
    }
    for (;;) {
        size_t a_len = strcspn(a, "/");
        size_t b_len = strcspn(b, "/");
        if (!same_name(a, a_len, b, b_len)) {
            return NULL;
        }
        a += a_len;
        b += b_len;
        if (*b == '\0') {
            return a;
        }
        if (*a == '\0') {
            return NULL;
        }
        a++;
        b++;
    }
}

bool memfs_same_path(const struct memfs *m, const char *a, const char *b) {
    const char *rest = behind(m, a, b);
    return rest != NULL && *rest == '\0';
}

// Is `path` below `dir`, at any depth?
bool memfs_below(const struct memfs *m, const char *path, const char *dir) {
    const char *rest = behind(m, path, dir);
    return rest != NULL && *rest == '/';
}

struct memfs_node *memfs_node_find(const struct memfs *m, const char *path) {
    for (size_t i = 0; i < m->count; i++) {
        if (m->nodes[i].path != NULL && memfs_same_path(m, m->nodes[i].path, path)) {
            return &m->nodes[i];
        }
    }
    return NULL;
}

const struct memfs_node *memfs_find(const struct memfs *m, const char *path) {
    return memfs_node_find(m, path);
}

struct memfs_node *memfs_node_add(struct memfs *m, const char *path, int type) {
    if (m->count == m->room) {
        m->room = m->room * 2 + 16;
        m->nodes = realloc(m->nodes, m->room * sizeof *m->nodes);
        MEMFS_CHECK(m->nodes != NULL);
    }
    struct memfs_node *node = &m->nodes[m->count++];
    *node = (struct memfs_node){.path = strdup(path), .type = type};
    return node;
}

void memfs_node_drop(struct memfs_node *node) {
    free(node->path);
    free(node->data);
    memset(node, 0, sizeof *node);
}

void memfs_node_resize(struct memfs_node *node, size_t size) {
    if (size > node->size || size == 0) {
        node->data = realloc(node->data, size + 1);
        MEMFS_CHECK(node->data != NULL);
    }
    node->size = size;
}
