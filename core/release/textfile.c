// SPDX-License-Identifier: MIT
#include "core/release/textfile.h"

#include "core/error.h"

#include <string.h>

void sdb_textfile_init(struct sdb_textfile *t, const struct sdb_fs *fs, const char *path) {
    t->fs = fs;
    t->file = -1;
    t->fill = 0;
    t->pos = 0;
    strcpy(t->path, path);
}

int sdb_textfile_flush(struct sdb_textfile *t) {
    const struct sdb_fs *fs = t->fs;
    if (t->fill == 0) {
        return 0;
    }
    int file = fs->open(fs->ctx, t->path, 'a');
    if (file < 0) {
        return file;
    }
    int res = fs->write(fs->ctx, file, t->buf, t->fill);
    int closed = fs->close(fs->ctx, file);
    t->fill = 0;
    return res < 0 ? res : closed;
}

int sdb_textfile_put(struct sdb_textfile *t, char c) {
    if (t->fill == sizeof(t->buf)) {
        int res = sdb_textfile_flush(t);
        if (res < 0) {
            return res;
        }
    }
    t->buf[t->fill++] = (uint8_t)c;
    return 0;
}

int sdb_textfile_puts(struct sdb_textfile *t, const char *s) {
    int res = 0;
    while (res == 0 && *s != '\0') {
        res = sdb_textfile_put(t, *s++);
    }
    return res;
}

int sdb_textfile_get(struct sdb_textfile *t) {
    const struct sdb_fs *fs = t->fs;
    if (t->file < 0) {
        t->file = fs->open(fs->ctx, t->path, 'r');
        if (t->file < 0) {
            return t->file;
        }
    }
    if (t->pos == t->fill) {
        int res = fs->read(fs->ctx, t->file, t->buf, sizeof(t->buf));
        if (res <= 0) {
            return res;
        }
        t->fill = (uint32_t)res;
        t->pos = 0;
    }
    int c = t->buf[t->pos++];
    return c == 0 ? SDB_EINVAL : c;
}

void sdb_textfile_close(struct sdb_textfile *t) {
    if (t->file >= 0) {
        t->fs->close(t->fs->ctx, t->file);
        t->file = -1;
    }
}

int sdb_textfile_path(struct sdb_textfile *t, char *path) {
    for (uint32_t i = 0; i <= SDB_PATH_MAX; i++) {
        int c = sdb_textfile_get(t);
        if (c < 0 || (c == 0 && i == 0)) {
            return c;
        }
        path[i] = (char)(c == '\n' ? '\0' : c);
        if (c == '\n') {
            return i == 0 ? SDB_EINVAL : 1;
        }
        if (c == 0) {
            break;
        }
    }
    return SDB_EINVAL;
}
