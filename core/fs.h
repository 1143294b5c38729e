// SPDX-License-Identifier: MIT
// What the engine needs of a mounted filesystem. Paths are absolute within the volume
// ("/app/main.py"), UTF-8, no trailing '/'. Every callback returns 0 (or what its comment says)
// or a negative SDB_E* / -errno. A handle is a small non-negative number; the engine holds at most
// two files and one directory open at a time.
#ifndef SDB_FS_H
#define SDB_FS_H

#include <stdint.h>
#include <stddef.h>

#define SDB_NAME_MAX 255 // bytes of one path component, FAT's and littlefs's limit
#define SDB_PATH_MAX 511 // bytes of a whole path on the card

enum sdb_fs_type { SDB_FS_FILE = 1, SDB_FS_DIR = 2 };

struct sdb_dirent {
    int type; // enum sdb_fs_type
    char name[SDB_NAME_MAX + 1];
};

struct sdb_fs {
    void *ctx; // handed to every callback, owned by the caller

    // Type of `path` (enum sdb_fs_type), its size in bytes to *size if not NULL.
    int (*stat)(void *ctx, const char *path, uint32_t *size);

    // Open a file: mode 'r' reads an existing one, 'w' creates or truncates, 'x' creates and fails
    // with SDB_EEXIST if something of that name is there, 'a' appends to an existing file or
    // creates one. Returns a handle.
    int (*open)(void *ctx, const char *path, char mode);
    // Read up to `len` bytes; returns their number, 0 at the end.
    int (*read)(void *ctx, int file, void *buf, size_t len);
    // Write all of `len` bytes; a short write is SDB_ENOSPC. Returns 0.
    int (*write)(void *ctx, int file, const void *buf, size_t len);
    int (*close)(void *ctx, int file); // the handle is gone even if this fails

    // List a directory, without "." and "..". readdir returns 1 with an entry, 0 at the end.
    // Entries may be removed while their directory is being listed.
    int (*opendir)(void *ctx, const char *path);
    int (*readdir)(void *ctx, int dir, struct sdb_dirent *entry);
    void (*closedir)(void *ctx, int dir);

    int (*mkdir)(void *ctx, const char *path);
    int (*remove)(void *ctx, const char *path);                 // a file
    int (*rmdir)(void *ctx, const char *path);                  // an empty directory
    int (*rename)(void *ctx, const char *from, const char *to); // `to` does not exist
};

#endif
