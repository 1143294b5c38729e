// SPDX-License-Identifier: MIT
// A filesystem in memory behind struct sdb_fs, with faults to order. It insists on the promises
// that the core makes in fs.h (two files and one directory open at a time; nothing open is removed,
// renamed or written twice) and ends the program when one is broken.
#ifndef SDB_MEMFS_H
#define SDB_MEMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fs.h"

#define MEMFS_HANDLES 5

struct memfs_node {
    char *path; // NULL: removed
    int type;   // enum sdb_fs_type
    uint8_t *data;
    size_t size;
};

struct memfs_handle {
    char use; // 'r', 'w', 'd', 0 for none
    size_t node;
    size_t pos; // bytes, or the next node to look at
};

struct memfs {
    struct memfs_node *nodes;
    size_t count, room;
    struct memfs_handle handles[MEMFS_HANDLES];

    bool fat; // names of either case and short names are one; a file as a parent is "no such path"
    unsigned most_files; // that may be open, 0: two
    size_t capacity;     // bytes of all files; 0: no limit
    unsigned calls;      // callbacks that can fail, so far
    unsigned fail_at;    // the call of this number fails, 0: none
    int fail_error;      // with this error
    bool fail_late;      // after having done its work
    unsigned mutations;  // calls that change something
    bool cut;            // the power is gone after cut_at of them: nothing changes any more
    unsigned cut_at;
    size_t short_read; // longest piece that a read returns, 0: no limit
};

void memfs_init(struct memfs *m);
void memfs_copy(struct memfs *to, const struct memfs *from); // content and flags, no faults
void memfs_free(struct memfs *m);
void memfs_ops(struct memfs *m, struct sdb_fs *fs);

// The power comes back: no handles, no faults, counters at 0.
void memfs_power_on(struct memfs *m);
unsigned memfs_open_handles(const struct memfs *m);

// Past all faults and counters. Parents are made; an existing file is replaced.
void memfs_put(struct memfs *m, const char *path, const void *data, size_t size);
void memfs_text(struct memfs *m, const char *path, const char *text);
void memfs_dir(struct memfs *m, const char *path);
void memfs_delete(struct memfs *m, const char *path); // with everything below
void memfs_move(struct memfs *m, const char *from, const char *to);
const struct memfs_node *memfs_find(const struct memfs *m, const char *path); // NULL: not there

// What is at and below `path` ("" for all), sorted, a line a file or directory with its size and
// the CRC of its content; paths without `path`. Leaves out "/.sdboot/record.*", and with
// `live` all of "/.sdboot", "/next" and "/prev". The caller frees it.
char *memfs_list(const struct memfs *m, const char *path, bool live);

#endif
