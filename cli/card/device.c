// SPDX-License-Identifier: MIT
#include "cli/card/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tool.h"

#define DEVICE_LOOPS 256 // loop devices that are looked at

static int device_failed(struct device *d, uint32_t lba) {
    int error = errno != 0 ? errno : EIO;
    if (d->failed++ == 0) {
        d->bad_lba = lba;
        d->bad_errno = error;
    }
    return -error;
}

static int device_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct device *d = ctx;
    size_t left = (size_t)count * SDB_SECTOR;
    off_t at = (off_t)lba * SDB_SECTOR;
    uint8_t *to = buf;
    if (lba >= d->bdev.sectors || count > d->bdev.sectors - lba) {
        errno = EIO;
        return device_failed(d, lba);
    }
    while (left > 0) {
        errno = 0;
        ssize_t n = pread(d->fd, to, left, at);
        if (n <= 0) {
            return device_failed(d, (uint32_t)(at / SDB_SECTOR));
        }
        to += n;
        at += n;
        left -= (size_t)n;
    }
    return 0;
}

static int device_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    struct device *d = ctx;
    size_t left = (size_t)count * SDB_SECTOR;
    off_t at = (off_t)lba * SDB_SECTOR;
    const uint8_t *from = buf;
    errno = EROFS;
    if (!d->writable || lba >= d->bdev.sectors || count > d->bdev.sectors - lba) {
        return device_failed(d, lba);
    }
    while (left > 0) {
        errno = 0;
        ssize_t n = pwrite(d->fd, from, left, at);
        if (n <= 0) {
            return device_failed(d, (uint32_t)(at / SDB_SECTOR));
        }
        from += n;
        at += n;
        left -= (size_t)n;
    }
    d->written += count;
    return 0;
}

static int device_sync(void *ctx) {
    struct device *d = ctx;
    return !d->writable || fdatasync(d->fd) == 0 ? 0 : device_failed(d, 0);
}

// An image may be mounted through a loop device, which the kernel does not mind our writing to.
static void refuse_looped(const char *path) {
    char *real = realpath(path, NULL);
    for (int i = 0; real != NULL && i < DEVICE_LOOPS; i++) {
        struct tool_text backing;
        char *name = tool_format("/sys/block/loop%d/loop/backing_file", i);
        if (tool_read(name, 65536, &backing)) {
            backing.data[strcspn(backing.data, "\n")] = '\0';
            if (strcmp(backing.data, real) == 0) {
                tool_die("%s: in use as /dev/loop%d: unmount it and run losetup -d /dev/loop%d",
                         path, i, i);
            }
            free(backing.data);
        }
        free(name);
    }
    free(real);
}

static uint64_t device_size(struct device *d, const struct stat *st) {
    uint64_t bytes = (uint64_t)st->st_size;
    if (d->is_block && ioctl(d->fd, BLKGETSIZE64, &bytes) != 0) {
        tool_die("%s: %s", d->path, strerror(errno));
    }
    return bytes;
}

void device_open(struct device *d, const char *path, bool write) {
    struct stat st;
    memset(d, 0, sizeof *d);
    d->path = path;
    if (stat(path, &st) != 0) {
        tool_die("%s: %s", path, strerror(errno));
    }
    d->is_block = S_ISBLK(st.st_mode);
    if (S_ISDIR(st.st_mode)) {
        tool_die("%s: a folder; give an image of a card, or the card reader's device while it is "
                 "not mounted",
                 path);
    }
    if (!d->is_block && !S_ISREG(st.st_mode)) {
        tool_die("%s: neither an image of a card nor a device", path);
    }
    // O_EXCL without O_CREAT: Linux gives no block device that is mounted, or a part of it.
    d->fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | (d->is_block ? O_EXCL : 0));
    if (d->fd < 0) {
        tool_die("%s: %s", path,
                 errno == EBUSY ? "it is mounted: unmount it first" : strerror(errno));
    }
    if (!d->is_block) {
        refuse_looped(path);
    }
    if (flock(d->fd, (write ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        tool_die("%s: another program works on it", path);
    }
    d->bytes = device_size(d, &st);
    if (d->bytes < SDB_SECTOR) {
        tool_die("%s: %llu bytes: that is no card", path, (unsigned long long)d->bytes);
    }
    if (d->bytes / SDB_SECTOR > UINT32_MAX) {
        tool_die("%s: larger than 2 TiB: there are no such cards", path);
    }
    d->writable = write;
    d->bdev = (struct sdb_bdev){.ctx = d,
                                .sectors = (uint32_t)(d->bytes / SDB_SECTOR),
                                .read = device_read,
                                .write = device_write,
                                .sync = device_sync};
}

void device_close(struct device *d) {
    if (d->writable && fsync(d->fd) != 0) {
        tool_die("%s: %s", d->path, strerror(errno));
    }
    close(d->fd);
}
