// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/card/card.h"
#include "cli/card/fatname.h"
#include "cli/card/jobs.h"
#include "cli/card/say.h"
#include "cli/card/walk.h"
#include "cli/tool.h"
#include "core/error.h"

struct extract {
    struct report *r;
    struct card *c;
    const char *output;
    unsigned files, failed;
    uint64_t bytes;
};

// A name that a PC's folder can have, and that leads nowhere else. The path is the card's.
static bool is_safe(const char *path) {
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        if ((len == 1 && path[0] == '.') || (len == 2 && strncmp(path, "..", 2) == 0)) {
            return false;
        }
        path += len + (path[len] == '/');
    }
    return true;
}

static void put(int out, const char *to, const uint8_t *data, int len) {
    for (int done = 0; done < len;) {
        ssize_t w = write(out, data + done, (size_t)(len - done));
        if (w < 0) {
            tool_die("%s: %s", to, strerror(errno));
        }
        done += (int)w;
    }
}

// Opens the file anew at `at`, behind what can't be read: after an error FatFs reads no further.
static int open_at(struct card *c, const char *path, uint64_t at) {
    int file = c->fs.open(c->fs.ctx, path, 'r');
    if (file >= 0 && at > 0 &&
        (!c->is_fat || f_lseek(&c->fat.open.files[file], (FSIZE_t)at) != FR_OK)) {
        c->fs.close(c->fs.ctx, file);
        return SDB_EIO;
    }
    return file;
}

// Copies a file. Where a sector of a FAT card can't be read zeros take its place; *lost counts
// their bytes. Returns 0 or the error that ended it.
static int copy_content(struct extract *x, const char *path, const char *to, int out, uint64_t size,
                        uint64_t *lost) {
    const struct sdb_fs *fs = &x->c->fs;
    uint8_t buf[16384];
    uint64_t at = 0;
    size_t piece = sizeof buf;
    int file = open_at(x->c, path, 0);
    while (file >= 0 && at < size) {
        int n = fs->read(fs->ctx, file, buf, piece);
        if (n == 0) {
            break;
        }
        if (n < 0 && piece > SDB_SECTOR) {
            piece = SDB_SECTOR; // which one is it?
        } else if (n < 0 && x->c->is_fat) {
            n = size - at < SDB_SECTOR ? (int)(size - at) : (int)SDB_SECTOR;
            memset(buf, 0, (size_t)n);
            *lost += (uint64_t)n;
            put(out, to, buf, n);
            at += (uint64_t)n;
        } else if (n < 0) {
            fs->close(fs->ctx, file);
            return n;
        } else {
            put(out, to, buf, n);
            at += (uint64_t)n;
            continue;
        }
        fs->close(fs->ctx, file);
        if (!x->c->is_fat && at > 0) {
            return n;
        }
        file = open_at(x->c, path, at);
    }
    if (file < 0) {
        return file;
    }
    fs->close(fs->ctx, file);
    x->bytes += at;
    return 0;
}

static int copy_file(struct extract *x, const char *path, const char *to, uint64_t size) {
    uint64_t lost = 0;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (out < 0) {
        tool_die("%s: %s", to, errno == EEXIST ? "exists, it is not replaced" : strerror(errno));
    }
    int res = copy_content(x, path, to, out, size, &lost);
    if (close(out) != 0) {
        tool_die("%s: %s", to, strerror(errno));
    }
    if (lost > 0) {
        x->failed++;
        report_fault(x->r, "%s: %llu bytes can't be read, zeros are in their place", path,
                     (unsigned long long)lost);
    }
    return res;
}

static int extract_one(void *ctx, const char *path, int type, int64_t size) {
    struct extract *x = ctx;
    char name[SDB_PATH_MAX * 3 + 1];
    if (type != 0 && (strlen(path) > SDB_PATH_MAX || !is_safe(path))) {
        x->failed++;
        report_fault(x->r, "%s: a name that no file here may have", path);
        return 0;
    }
    if (strcmp(path, "/.sdboot/journal") == 0) {
        return 0; // the control area, no file of anybody's
    }
    fatname_utf8(path, name);
    char *to = tool_format("%s%s", x->output, name);
    int res = (int)size;
    if (type != 0) {
        tool_make_parents(to, strlen(x->output) + 1);
        res = 0;
    }
    if (type == SDB_FS_DIR && mkdir(to, 0777) != 0 && errno != EEXIST) {
        tool_die("%s: %s", to, strerror(errno));
    }
    if (type == SDB_FS_FILE) {
        x->files++;
        res = copy_file(x, path, to, (uint64_t)size);
    }
    if (res < 0) {
        x->failed++;
        report_fault(x->r, "%s: %s (%d); what could be read of it is there", name,
                     sdb_strerror(res), -res);
    }
    free(to);
    return 0;
}

int job_extract(const char *path, const struct job_options *o, bool json) {
    static struct card c;
    struct report r;
    struct extract x = {.r = &r, .c = &c, .output = o->output};
    report_init(&r, json);
    card_open(&c, path, false);
    if (!c.mounted) {
        tool_refuse("%s: there is no filesystem that can be read; sdboot card info says more",
                    path);
    }
    if (mkdir(o->output, 0777) != 0 && errno != EEXIST) {
        tool_die("%s: %s", o->output, strerror(errno));
    }
    if (o->path_count == 0) {
        walk_tree(&c.fs, "", extract_one, &x);
    }
    for (size_t i = 0; i < o->path_count; i++) {
        const char *given = o->paths[i] + strspn(o->paths[i], "/");
        char *from = tool_format("/%s", given);
        uint32_t size = 0;
        for (size_t len = strlen(from); len > 1 && from[len - 1] == '/'; len--) {
            from[len - 1] = '\0';
        }
        int type = from[1] == '\0' ? SDB_FS_DIR : c.fs.stat(c.fs.ctx, from, &size);
        if (type < 0) {
            tool_die("%s: there is no %s on the card", path, from);
        }
        if (from[1] != '\0') {
            extract_one(&x, from, type, size);
        }
        if (type == SDB_FS_DIR) {
            walk_tree(&c.fs, from[1] != '\0' ? from : "", extract_one, &x);
        }
        free(from);
    }
    report_number(&r, "files", x.files);
    report_number(&r, "bytes", (long long)x.bytes);
    report_number(&r, "failed", x.failed);
    report_line(&r, "copied", "%u files, %s, to %s", x.files, say_size(x.bytes), o->output);
    card_close(&c);
    return report_end(&r);
}
