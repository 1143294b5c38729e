// SPDX-License-Identifier: MIT
// What is on a littlefs card, read by an instance of its own.
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "lfs_check.h"
#include "ramdev.h"

struct reader {
    struct ramdev ram;
    struct sdb_bdev dev;
    struct lfs fs;
    struct sdb_fs ops;
    const struct volume *vol;
    struct lfs_check *out;
    uint8_t *met; // how often each block was met; 64 more if it is of a directory
};

static bool wrong(struct reader *r, const char *what, const char *path) {
    if (!r->out->error) {
        r->out->error = what;
        snprintf(r->out->where, sizeof r->out->where, "%s", path);
    }
    return false;
}

static bool read_file(struct reader *r, const char *path, uint32_t size, uint64_t *hash) {
    uint8_t buf[1024];
    int n;
    uint32_t total = 0;
    const struct sdb_fs *fs = &r->ops;
    *hash = mix2(size, 5);
    int file = fs->open(fs->ctx, path, 'r');
    if (file < 0) {
        return wrong(r, "a file can't be opened", path);
    }
    while ((n = fs->read(fs->ctx, file, buf, sizeof buf)) > 0) {
        *hash = mix2(*hash, hash_bytes(buf, (size_t)n));
        total += (uint32_t)n;
    }
    if (fs->close(fs->ctx, file) < 0 || n < 0 || total != size) {
        return wrong(r, "a file can't be read", path);
    }
    return true;
}

static bool hidden(const char *path) {
    return strcmp(path, "/next") == 0 || strcmp(path, "/prev") == 0 ||
           strcmp(path, "/.sdboot") == 0 || strncmp(path, "/filler", 7) == 0 ||
           strcmp(path, "/data/next time.txt") == 0;
}

static bool read_dir(struct reader *r, const char *path, int depth, uint64_t *all, uint64_t *seen) {
    lfs2_dir_t dir;
    struct lfs2_info info;
    char child[SDB_PATH_MAX + 1];
    int res;
    bool ok = true;
    uint64_t last = 0;
    *all = *seen = 1;
    if (depth > 12 || lfs2_dir_open(&r->fs.fs, &dir, path[0] ? path : "/") < 0) {
        return wrong(r, "a directory can't be opened", path);
    }
    while (ok && (res = lfs2_dir_read(&r->fs.fs, &dir, &info)) > 0) {
        r->met[dir.m.pair[0]] |= 64;
        r->met[dir.m.pair[1]] |= 64;
        uint64_t sub;
        uint64_t sub_seen;
        if (strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0) {
            continue;
        }
        snprintf(child, sizeof child, "%s/%s", path, info.name);
        uint64_t name = hash_bytes(info.name, strlen(info.name));
        if (name == last) {
            ok = wrong(r, "a name twice", child);
        }
        last = name;
        if (info.type == LFS2_TYPE_DIR) {
            ok = ok && read_dir(r, child, depth + 1, &sub, &sub_seen);
        } else {
            ok = ok && read_file(r, child, info.size, &sub);
            sub_seen = sub;
        }
        if (ok) {
            name = mix2(name, info.type);
            *all += mix2(name, sub);
            *seen += hidden(child) ? 0 : mix2(name, sub_seen);
        }
    }
    r->met[dir.m.pair[0]] |= 64;
    r->met[dir.m.pair[1]] |= 64;
    lfs2_dir_close(&r->fs.fs, &dir);
    return ok && (res == 0 || wrong(r, "a directory can't be read", path));
}

// A directory is met twice, as a link of the list of all and as its parent's child.
static bool no_block_twice(const struct reader *r) {
    for (uint32_t i = 0; i < r->fs.cfg.block_count; i++) {
        if ((r->met[i] & 63) > (r->met[i] & 64 ? 2 : 1)) {
            return false;
        }
    }
    return true;
}

static int meet(void *ctx, lfs2_block_t block) {
    struct reader *r = ctx;
    if (block >= r->fs.cfg.block_count) {
        return LFS2_ERR_CORRUPT;
    }
    r->met[block] += r->met[block] < 63;
    return 0;
}

bool lfs_check(const struct volume *v, const struct image *img, bool settled,
               struct lfs_check *out) {
    static struct reader r;
    static uint8_t met[1 << 14];
    memset(out, 0, sizeof *out);
    memset(&r, 0, sizeof r);
    r.out = out;
    r.vol = v;
    r.met = met;
    ramdev_init(&r.ram, (struct image *)img, v->sectors);
    ramdev_bdev(&r.ram, &r.dev);
    lfs_init(&r.fs, &r.dev, v->lfs_block);
    if (lfs_mount(&r.fs, &r.ops) < 0) {
        return wrong(&r, "littlefs can't be mounted", "");
    }
    memset(met, 0, r.fs.cfg.block_count);
    if (lfs2_fs_traverse(&r.fs.fs, meet, &r) < 0) {
        return wrong(&r, "the blocks in use can't be listed", "");
    }
    if (!read_dir(&r, "", 0, &out->digest, &out->visible)) {
        return false;
    }
    return !settled || no_block_twice(&r) || wrong(&r, "a block is used twice", "");
}

static const struct blob *never_written(void *ctx, uint32_t lba) {
    uint8_t s[512];
    (void)ctx;
    memset(s, (int)(0xA5 + lba % 3), sizeof s);
    return blob_get(s);
}

static void lfs_fill(struct lfs *f, const struct sdb_fs *ops, int from) {
    static uint8_t buf[3000];
    char path[40];
    for (int i = from; i < from + 12; i++) {
        snprintf(path, sizeof path, "/stale file %d", i);
        memset(buf, i, sizeof buf);
        int file = ops->open(f, path, 'w');
        if (file < 0 || ops->write(f, file, buf, 200u * (unsigned)i) < 0 ||
            ops->close(f, file) < 0) {
            abort();
        }
    }
}

void lfs_format(const struct volume *v, struct image *img) {
    static struct lfs f;
    struct ramdev ram;
    struct sdb_bdev dev;
    struct sdb_fs ops;
    img->unwritten = never_written;
    ramdev_init(&ram, img, v->sectors);
    ramdev_bdev(&ram, &dev);
    for (int round = 0; round < 2; round++) {
        // As micropython/sdboot/card.py wipes: 32 blocks of 4096.
        for (uint32_t lba = 0; round > 0 && lba < 32 * 8; lba++) {
            image_set(img, lba, blob_zero());
        }
        lfs_init(&f, &dev, v->lfs_block);
        if (lfs2_format(&f.fs, &f.cfg) < 0 || lfs_mount(&f, &ops) < 0) {
            abort();
        }
        if (round == 0) {
            lfs_fill(&f, &ops, 1);
        }
    }
}
