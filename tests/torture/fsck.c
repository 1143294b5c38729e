// SPDX-License-Identifier: MIT
// The second opinion: fsck.fat on a copy of the card.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

struct out {
    int fd;
    uint32_t start;
    uint32_t data;
};

static void put(void *ctx, uint32_t lba, const struct blob *blob) {
    struct out *o = ctx;
    if (lba >= o->start) {
        off_t at = (off_t)(lba - o->start) * 512;
        if (pwrite(o->fd, blob->data, 512, at) != 512) {
            abort();
        }
    }
}

static void put_layers(struct out *o, const struct image *img) {
    if (img->parent) {
        put_layers(o, img->parent);
    }
    image_each(img, put, o);
}

bool fsck_ok(const struct volume *vol, const struct image *img, bool leaks_allowed) {
    char path[] = "/tmp/torture-XXXXXX";
    char command[200];
    char line[400];
    bool ok = true;
    int fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, (off_t)(vol->sectors - vol->start) * 512) != 0) {
        abort();
    }
    struct out o = {fd, vol->start, vol->data};
    put_layers(&o, img);
    close(fd);
    snprintf(command, sizeof command, "LC_ALL=C fsck.fat -n %s 2>&1", path);
    FILE *p = popen(command, "r");
    bool complained = false;
    while (p && fgets(line, sizeof line, p)) {
        // A file open while others are flushed may have clusters that its entry doesn't tell of.
        bool leak = strstr(line, "Reclaimed") || strstr(line, "Orphan") ||
                    strstr(line, "cluster chain length is >") || strstr(line, "Truncating file");
        complained |= strstr(line, "fsck.fat") == NULL && strstr(line, "files,") == NULL &&
                      !(leaks_allowed && leak);
        if (complained && getenv("TORTURE_VERBOSE")) {
            fputs(line, stdout);
        }
    }
    int status = p ? pclose(p) : -1;
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && !leaks_allowed) ||
        (complained && !leaks_allowed)) {
        ok = false;
    }
    unlink(path);
    return ok;
}
