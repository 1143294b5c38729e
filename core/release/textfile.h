// SPDX-License-Identifier: MIT
// A text file, appended to or read a character at a time through a buffer of one sector.
#ifndef SDB_TEXTFILE_H
#define SDB_TEXTFILE_H

#include "core/fs.h"

struct sdb_textfile {
    const struct sdb_fs *fs;
    int file;      // handle while reading, else -1
    uint32_t fill; // bytes in buf
    uint32_t pos;  // of them already taken, while reading
    char path[SDB_PATH_MAX + 1];
    uint8_t buf[512];
};

// Starts to append to the file at `path`, or to read it. `path` is copied.
void sdb_textfile_init(struct sdb_textfile *t, const struct sdb_fs *fs, const char *path);

// Appends a string, or a character. It reaches the card when the buffer is full, or with
// sdb_textfile_flush. Return 0 or the filesystem's error.
int sdb_textfile_puts(struct sdb_textfile *t, const char *s);
int sdb_textfile_put(struct sdb_textfile *t, char c);
int sdb_textfile_flush(struct sdb_textfile *t);

// The next character (1..255), 0 at the end of the file, SDB_EINVAL for a NUL in it, or the
// filesystem's error.
int sdb_textfile_get(struct sdb_textfile *t);

// Ends reading; may be called at any time.
void sdb_textfile_close(struct sdb_textfile *t);

// Reads the rest of a line into `path` (SDB_PATH_MAX + 1 bytes). Returns 1, 0 at the end of the
// file, SDB_EINVAL if it is empty, too long or not ended, or the filesystem's error.
int sdb_textfile_path(struct sdb_textfile *t, char *path);

#endif
