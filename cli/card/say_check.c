// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "cli/card/fatcheck.h"
#include "cli/card/fatname.h"
#include "cli/card/say.h"
#include "cli/card/walk.h"
#include "cli/hash.h"
#include "cli/tool.h"
#include "core/error.h"
#include "core/release/verify.h"

// ---- The release --------------------------------------------------------------------------------

struct check {
    struct report *r;
    bool each;
    json_t *files;
    unsigned good, bad, changed;
};

static void add_file(struct check *k, const char *path, const char *state) {
    char name[FATNAME_MAX];
    fatname_utf8(path, name);
    if (k->each) {
        json_t *file = json_object();
        json_object_set_new(file, "path", json_string(name));
        json_object_set_new(file, "state", json_string(state));
        json_array_append_new(k->files, file);
        report_line(k->r, state, "%s", name);
    }
}

// Goes through the manifest. `written`: only what the install has written. Returns 0, or the error
// that ended it.
static int verify(struct card *c, const char *main_dir, bool written,
                  void (*found)(struct check *, const char *, bool), struct check *k) {
    static struct sdb_verify v;
    uint8_t *buf = tool_alloc(65536);
    mbedtls_md_context_t md;
    struct sdb_hash hash = hash_sha256(&md);
    sdb_verify_init(&v, &c->fs, &hash, main_dir, buf, 65536);
    v.written_only = written;
    int res;
    while ((res = sdb_verify_next(&v)) == 1 || res == SDB_EVERIFY) {
        found(k, v.path + (v.path[0] == '/'), res == 1);
    }
    hash_free(&md);
    free(buf);
    return res;
}

static void of_install(struct check *k, const char *path, bool good) {
    if (!good) {
        char name[FATNAME_MAX];
        fatname_utf8(path, name);
        k->bad++;
        report_fault(k->r, "/%s is missing, or differs from what the release had", name);
    }
}

static void of_all(struct check *k, const char *path, bool good) {
    k->good += good;
    k->changed += !good;
    add_file(k, path, good ? "good" : "differs");
}

void say_manifest(struct report *r, struct card *c, bool each) {
    struct check k = {.r = r, .each = each, .files = json_array()};
    struct sdb_record rec;
    if (!c->mounted || sdb_record_load(&c->store, &rec) < 0) {
        json_decref(k.files);
        return;
    }
    const char *main_dir = rec.main_dir[0] != '\0' ? rec.main_dir : "app";
    int res = verify(c, main_dir, true, of_install, &k);
    if (res == 0) {
        res = verify(c, main_dir, false, of_all, &k);
    }
    if (res == SDB_ENOENT) {
        report_text(r, "manifest", NULL);
        report_line(r, "manifest", "none: sdboot has not installed what is in /%s", main_dir);
    } else if (res < 0) {
        report_fault(r, "/%s/.manifest can't be read: %s", main_dir, sdb_strerror(res));
    } else {
        report_number(r, "manifest.good", k.good);
        report_number(r, "manifest.bad", k.bad);
        report_number(r, "manifest.changed", k.changed - k.bad);
        report_line(r, "manifest", "%u files of the release, %u as they were sent, %u damaged",
                    k.good + k.changed, k.good, k.bad);
        if (k.changed > k.bad) {
            report_note(r,
                        "%u of the files that were on the card before the release have been "
                        "changed since: the application may do that",
                        k.changed - k.bad);
        }
    }
    if (each && res == 0) {
        report_set(r, "manifest.files", k.files);
    } else {
        json_decref(k.files);
    }
}

// ---- The filesystem -----------------------------------------------------------------------------

static void fat_fault(void *ctx, enum fatcheck_weight weight, const char *path, const char *text) {
    struct report *r = ctx;
    const char *gap = *path != '\0' ? ": " : "";
    if (weight == FATCHECK_DAMAGE) {
        report_fault(r, "%s%s%s", path, gap, text);
    } else {
        report_note(r, "%s%s%s", path, gap, text);
    }
}

// Blocks in use are met once, but those of a folder twice: from the folder above, and in the list
// of all of them.
#define BLOCK_MET 3u
#define BLOCK_FOLDER 4u

struct reading {
    struct report *r;
    struct card *c;
    unsigned files, folders, twice;
    uint64_t bytes;
    uint8_t *blocks; // times that a block was met, BLOCK_FOLDER
};

static void mark_folder(struct reading *w, const char *path) {
    lfs2_dir_t dir;
    if (lfs2_dir_open(&w->c->lfs.fs, &dir, path) == 0) {
        for (int i = 0; i < 2; i++) {
            if (dir.m.pair[i] < w->c->lfs.cfg.block_count) {
                w->blocks[dir.m.pair[i]] |= BLOCK_FOLDER;
            }
        }
        lfs2_dir_close(&w->c->lfs.fs, &dir);
    }
}

static int read_whole(void *ctx, const char *path, int type, int64_t size) {
    struct reading *w = ctx;
    const struct sdb_fs *fs = &w->c->fs;
    uint8_t buf[4096];
    if (type == 0) {
        report_fault(w->r, "%s can't be listed: %s", *path ? path : "/", sdb_strerror((int)size));
    } else if (type == SDB_FS_DIR) {
        w->folders++;
        if (w->blocks != NULL) {
            mark_folder(w, path);
        }
    } else if (strcmp(path, "/.sdboot/journal") != 0) {
        int file = fs->open(fs->ctx, path, 'r');
        int n = file;
        while (file >= 0 && (n = fs->read(fs->ctx, file, buf, sizeof buf)) > 0) {
        }
        if (file >= 0) {
            fs->close(fs->ctx, file);
        }
        if (n < 0) {
            report_fault(w->r, "%s can't be read: %s (%d)", path, sdb_strerror(n), -n);
        }
        w->files++;
        w->bytes += (uint64_t)size;
    }
    return 0;
}

static void check_fat(struct report *r, struct card *c) {
    struct fatcheck f = {.fault = fat_fault, .ctx = r};
    uint32_t lba;
    if (c->geo.start + (uint64_t)c->geo.sectors > c->dev->sectors) {
        report_line(r, "FAT", "not checked: part of it is not there");
        return;
    }
    int res = fatcheck(&f, &c->top, &c->geo, &lba);
    if (res < 0) {
        report_fault(r, "the card can't be read from sector %u on (%s): the check ends there", lba,
                     strerror(-res));
    } else {
        report_number(r, "fat.files", f.files);
        report_number(r, "fat.folders", f.folders);
        report_number(r, "fat.file_bytes", (long long)f.bytes);
        report_number(r, "fat.lost_clusters", f.lost);
        report_number(r, "fat.bad_clusters", f.bad);
        report_line(r, "FAT", "%u files (%s) in %u folders; %s", f.files, say_size(f.bytes),
                    f.folders, f.damage > 0 ? "it is damaged, see below" : "it is consistent");
        if (c->mounted && f.damage == 0) { // what is damaged could be read for ever
            struct reading w = {.r = r, .c = c};
            walk_tree(&c->fs, "", read_whole, &w);
        }
        if (f.damage > 0) {
            report_fault(r, "the FAT is damaged: copy what can be read (sdboot card extract), then "
                            "fsck.fat -a, or format the card");
        }
    }
    fatcheck_free(&f);
}

static int meet(void *ctx, lfs2_block_t block) {
    struct reading *w = ctx;
    if (block >= w->c->lfs.cfg.block_count) {
        return LFS2_ERR_CORRUPT;
    }
    uint8_t *b = &w->blocks[block];
    unsigned most = *b & BLOCK_FOLDER ? 2 : 1;
    if ((*b & BLOCK_MET) == most) {
        w->twice++;
    } else {
        ++*b;
    }
    return 0;
}

static void check_lfs(struct report *r, struct card *c) {
    struct reading w = {.r = r, .c = c, .blocks = tool_alloc(c->lfs.cfg.block_count)};
    unsigned before = r->fault_count;
    walk_tree(&c->fs, "", read_whole, &w);
    mark_folder(&w, "/");
    int res = lfs2_fs_traverse(&c->lfs.fs, meet, &w);
    if (res < 0) {
        report_fault(r, "its blocks can't be listed: %s (%d)", sdb_strerror(res), -res);
    } else if (w.twice > 0) {
        report_fault(r, "%u blocks belong to two files", w.twice);
    }
    free(w.blocks);
    report_number(r, "littlefs.files", w.files);
    report_number(r, "littlefs.folders", w.folders);
    report_line(r, "littlefs", "%u files (%s) in %u folders; %s", w.files, say_size(w.bytes),
                w.folders,
                r->fault_count > before ? "it is damaged, see below" : "all can be read");
}

void say_consistency(struct report *r, struct card *c) {
    if (c->is_fat) {
        check_fat(r, c);
    } else if (c->is_lfs && c->mounted) {
        check_lfs(r, c);
    }
}
