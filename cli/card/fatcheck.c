// SPDX-License-Identifier: MIT
#include "cli/card/fatcheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/card/fatname.h"
#include "cli/tool.h"
#include "core/bytes.h"
#include "core/error.h"

#define CHECK_PIECE 128u // sectors read at once
#define CHECK_DEPTH 64   // folders within folders
#define CHECK_PATH 4096

#define ATTR_VOLUME 0x08u
#define ATTR_DIRECTORY 0x10u
#define ATTR_LONG 0x0Fu
#define ATTR_RESERVED 0xC0u

#define FSINFO_LEAD 0x41615252u
#define FSINFO_STRUCT 0x61417272u
#define FSINFO_COUNT_AT 488
#define FSINFO_NONE 0xFFFFFFFFu

struct walk {
    struct fatcheck *c;
    const struct sdb_bdev *dev;
    const struct sdb_fatgeo *geo;
    uint32_t at; // sector of the read that has failed
    int depth;
    size_t len;
    char path[CHECK_PATH];
};

__attribute__((format(printf, 3, 4))) static void say(struct walk *w, enum fatcheck_weight weight,
                                                      const char *format, ...) {
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    *(weight == FATCHECK_DAMAGE ? &w->c->damage : &w->c->notes) += 1;
    w->c->fault(w->c->ctx, weight, w->path, text);
}

static int read_at(struct walk *w, uint32_t lba, uint32_t count, void *buf) {
    int res = w->dev->read(w->dev->ctx, lba, count, buf);
    w->at = lba;
    return res;
}

static uint32_t last_cluster(const struct walk *w) {
    return w->geo->clusters + 1;
}

static bool is_cluster(const struct walk *w, uint32_t n) {
    return n >= 2 && n <= last_cluster(w);
}

static uint32_t end_mark(const struct walk *w) {
    return w->geo->type == 12 ? 0xFF8u : w->geo->type == 16 ? 0xFFF8u : 0x0FFFFFF8u;
}

static uint32_t bad_mark(const struct walk *w) {
    return end_mark(w) - 1;
}

// ---- The FATs -----------------------------------------------------------------------------------

static uint32_t fat_entry(const struct sdb_fatgeo *geo, const uint8_t *fat, uint32_t cluster) {
    if (geo->type == 12) {
        const uint8_t *p = fat + cluster + cluster / 2;
        uint32_t pair = p[0] | (uint32_t)p[1] << 8;
        return cluster % 2 ? pair >> 4 : pair & 0xFFF;
    }
    return geo->type == 16 ? sdb_get16(fat + (size_t)cluster * 2)
                           : sdb_get32(fat + (size_t)cluster * 4) & 0x0FFFFFFFu;
}

// Loads the first FAT and compares the second with it.
static int load_fat(struct walk *w) {
    const struct sdb_fatgeo *geo = w->geo;
    uint8_t *fat = tool_alloc((size_t)geo->fat_sectors * SDB_SECTOR + 1);
    uint8_t *other = tool_alloc(CHECK_PIECE * SDB_SECTOR);
    int res = 0;
    for (uint32_t i = 0; i < geo->fat_sectors && res == 0; i += CHECK_PIECE) {
        uint32_t n = geo->fat_sectors - i < CHECK_PIECE ? geo->fat_sectors - i : CHECK_PIECE;
        uint8_t *to = fat + (size_t)i * SDB_SECTOR;
        res = read_at(w, geo->fat + i, n, to);
        if (res == 0 && geo->fats == 2) {
            res = read_at(w, geo->fat + geo->fat_sectors + i, n, other);
            for (uint32_t k = 0; res == 0 && k < n; k++) {
                w->c->differ += memcmp(to + (size_t)k * SDB_SECTOR, other + (size_t)k * SDB_SECTOR,
                                       SDB_SECTOR) != 0;
            }
        }
    }
    w->c->next = tool_alloc(((size_t)geo->clusters + 2) * sizeof *w->c->next);
    w->c->claimed = tool_alloc(geo->clusters / 8 + 2);
    for (uint32_t i = 2; i <= last_cluster(w) && res == 0; i++) {
        w->c->next[i] = fat_entry(geo, fat, i);
        w->c->bad += w->c->next[i] == bad_mark(w);
        w->c->used += w->c->next[i] != 0;
    }
    free(fat);
    free(other);
    return res;
}

static bool claimed(const struct walk *w, uint32_t cluster) {
    return w->c->claimed[cluster / 8] & 1u << cluster % 8;
}

// Takes `cluster` for what w->path names. *next: the following one, 0 at the end. Returns false,
// and says why, if the chain can't be followed.
static bool claim(struct walk *w, uint32_t cluster, uint32_t *next) {
    *next = 0;
    if (!is_cluster(w, cluster)) {
        say(w, FATCHECK_DAMAGE, "its chain leads to cluster %u, which the volume does not have",
            cluster);
        return false;
    }
    if (claimed(w, cluster)) {
        say(w, FATCHECK_DAMAGE, "shares cluster %u with another file, or its chain is a circle",
            cluster);
        return false;
    }
    w->c->claimed[cluster / 8] |= (uint8_t)(1u << cluster % 8);
    uint32_t entry = w->c->next[cluster];
    if (entry >= end_mark(w)) {
        return true;
    }
    if (!is_cluster(w, entry)) {
        say(w, FATCHECK_DAMAGE, "its chain breaks off behind cluster %u, with a %s cluster",
            cluster,
            entry == 0             ? "free"
            : entry == bad_mark(w) ? "bad"
                                   : "reserved");
        return false;
    }
    *next = entry;
    return true;
}

// ---- Directories --------------------------------------------------------------------------------

static int walk_dir(struct walk *w, uint32_t first, uint32_t parent);

static void walk_file(struct walk *w, uint32_t first, uint32_t size) {
    uint64_t per = (uint64_t)SDB_SECTOR << w->geo->cluster_shift;
    uint64_t need = (size + per - 1) / per;
    uint64_t have = 0;
    w->c->files++;
    w->c->bytes += size;
    if (first == 0 && size > 0) {
        say(w, FATCHECK_DAMAGE, "has %u bytes, and no clusters for them", size);
    }
    for (uint32_t cluster = first, next; cluster != 0; cluster = next) {
        if (!claim(w, cluster, &next)) {
            return;
        }
        have++;
    }
    if (first != 0 && have < need) {
        say(w, FATCHECK_DAMAGE, "has %u bytes, but clusters for %llu only", size,
            (unsigned long long)(have * per));
    } else if (have > need) {
        say(w, FATCHECK_NOTE, "has %llu clusters more than its size needs",
            (unsigned long long)(have - need));
    }
}

static int walk_entry(struct walk *w, const uint8_t *e, struct fatname *name, uint32_t dir) {
    uint32_t first = sdb_get16(e + 26);
    size_t len = w->len;
    int res = 0;
    if (w->geo->type == 32) {
        first |= (uint32_t)sdb_get16(e + 20) << 16;
    }
    char text[FATNAME_MAX];
    bool sound = fatname_take(name, e, text);
    w->len += (size_t)snprintf(w->path + len, sizeof w->path - len, "/%s", text);
    if (w->len >= sizeof w->path) {
        w->len = sizeof w->path - 1;
    }
    if (!sound) {
        say(w, FATCHECK_NOTE, "pieces of a long name that belong to nothing stand before it");
    }
    if (e[11] & ATTR_RESERVED || text[0] == '\0') {
        say(w, FATCHECK_DAMAGE, "an entry that nobody has written as one: attributes 0x%02x",
            e[11]);
    } else if (e[11] & ATTR_VOLUME) {
        // a label
    } else if (e[11] & ATTR_DIRECTORY) {
        w->c->folders++;
        if (first == 0) {
            say(w, FATCHECK_DAMAGE, "a folder without clusters");
        } else {
            res = walk_dir(w, first, dir);
        }
    } else {
        walk_file(w, first, sdb_get32(e + 28));
    }
    w->len = len;
    w->path[len] = '\0';
    return res;
}

static void check_dot(struct walk *w, const uint8_t *e, bool parent, uint32_t expected) {
    uint32_t to = sdb_get16(e + 26);
    if (w->geo->type == 32) {
        to |= (uint32_t)sdb_get16(e + 20) << 16;
    }
    if (memcmp(e, parent ? "..         " : ".          ", 11) != 0 || !(e[11] & ATTR_DIRECTORY) ||
        to != expected) {
        say(w, FATCHECK_DAMAGE, "its entry \"%s\" is missing, or leads elsewhere",
            parent ? ".." : ".");
    }
}

struct dir {
    struct fatname name;
    bool end;     // its end has been met
    bool garbage; // something behind it, which has been said
};

static int walk_sector(struct walk *w, struct dir *d, uint32_t lba, uint32_t first, uint32_t parent,
                       bool dots) {
    uint8_t s[SDB_SECTOR];
    int res = read_at(w, lba, 1, s);
    for (unsigned i = 0; i < SDB_SECTOR / 32 && res == 0; i++) {
        const uint8_t *e = s + 32 * i;
        if (d->end) {
            if (e[0] != 0 && e[0] != 0xE5 && !d->garbage) {
                d->garbage = true;
                say(w, FATCHECK_NOTE, "something stands behind the end of this folder");
            }
        } else if (dots && i < 2) {
            check_dot(w, e, i == 1, i == 1 ? parent : first);
        } else if (e[0] == 0) {
            d->end = true;
        } else if (e[0] == 0xE5) {
            if (fatname_drop(&d->name)) {
                say(w, FATCHECK_NOTE, "pieces of a long name that belong to nothing");
            }
        } else if ((e[11] & 0x3F) == ATTR_LONG) {
            if (!fatname_piece(&d->name, e)) {
                say(w, FATCHECK_NOTE, "pieces of a long name that do not belong together");
            }
        } else {
            res = walk_entry(w, e, &d->name, w->depth <= 1 ? 0 : first);
        }
    }
    return res;
}

// The folder w->path; `first`: its first cluster, 0 for the root of FAT12/16.
static int walk_dir(struct walk *w, uint32_t first, uint32_t parent) {
    struct dir d = {.end = false};
    bool root = w->depth == 0;
    int res = 0;
    fatname_drop(&d.name);
    if (w->depth == CHECK_DEPTH) {
        say(w, FATCHECK_DAMAGE, "folders within folders, more than %d", CHECK_DEPTH);
        return 0;
    }
    w->depth++;
    if (first == 0) {
        for (uint32_t i = 0; i < w->geo->root_sectors && res == 0; i++) {
            res = walk_sector(w, &d, w->geo->root + i, 0, 0, false);
        }
    }
    for (uint32_t cluster = first, next; cluster != 0 && res == 0; cluster = next) {
        bool whole = claim(w, cluster, &next);
        if (!whole && (!is_cluster(w, cluster) || w->c->next[cluster] >= end_mark(w))) {
            break; // not ours
        }
        uint32_t lba = sdb_fatgeo_lba(w->geo, cluster);
        for (uint32_t i = 0; i < 1u << w->geo->cluster_shift && res == 0; i++) {
            res = walk_sector(w, &d, lba + i, first, parent, !root && cluster == first && i == 0);
        }
    }
    w->depth--;
    return res;
}

// ---- The whole ----------------------------------------------------------------------------------

static int check_counts(struct walk *w) {
    struct fatcheck *c = w->c;
    for (uint32_t i = 2; i <= last_cluster(w); i++) {
        c->lost += c->next[i] != 0 && c->next[i] != bad_mark(w) && !claimed(w, i);
    }
    if (c->lost > 0) {
        say(w, FATCHECK_NOTE, "%u cluster%s taken and belong%s to no file (%llu KiB)", c->lost,
            c->lost == 1 ? " is" : "s are", c->lost == 1 ? "s" : "",
            ((unsigned long long)c->lost << w->geo->cluster_shift) / 2);
    }
    if (c->differ > 0) {
        say(w, FATCHECK_NOTE, "the second FAT differs from the first in %u sector%s", c->differ,
            c->differ == 1 ? "" : "s");
    }
    if (w->geo->type != 32) {
        return 0;
    }
    uint8_t s[SDB_SECTOR];
    int res = read_at(w, w->geo->start + 1, 1, s);
    if (res < 0) {
        return res;
    }
    c->count = sdb_get32(s + FSINFO_COUNT_AT);
    c->count_known = sdb_get32(s) == FSINFO_LEAD && sdb_get32(s + 484) == FSINFO_STRUCT &&
                     c->count != FSINFO_NONE;
    uint32_t free = w->geo->clusters - c->used;
    if (c->count_known && c->count != free) {
        say(w, FATCHECK_NOTE, "FSInfo says that %u clusters are free, the FAT %u", c->count, free);
    }
    return 0;
}

int fatcheck(struct fatcheck *c, const struct sdb_bdev *dev, const struct sdb_fatgeo *geo,
             uint32_t *lba) {
    struct walk *w = tool_alloc(sizeof *w);
    w->c = c;
    w->dev = dev;
    w->geo = geo;
    int res = load_fat(w);
    if (res == 0) {
        res = walk_dir(w, geo->type == 32 ? geo->root : 0, 0);
    }
    if (res == 0) {
        res = check_counts(w);
    }
    *lba = w->at;
    free(w);
    return res;
}

void fatcheck_free(struct fatcheck *c) {
    free(c->claimed);
    free(c->next);
}

int fatcheck_tidy(struct fatcheck *c, const struct sdb_bdev *dev, const struct sdb_fatgeo *geo) {
    struct walk w = {.c = c, .dev = dev, .geo = geo};
    uint8_t s[SDB_SECTOR];
    uint32_t per = geo->type == 16 ? 256 : 128;
    int res = 0;
    for (uint32_t i = 0; i < geo->fat_sectors && res == 0; i++) {
        bool changed = false;
        res = dev->read(dev->ctx, geo->fat + i, 1, s);
        for (uint32_t k = i * per; res == 0 && k < (i + 1) * per && k <= last_cluster(&w); k++) {
            if (k < 2 || c->next[k] == 0 || c->next[k] == bad_mark(&w) || claimed(&w, k)) {
                continue;
            }
            uint8_t *p = s + (k % per) * (SDB_SECTOR / per);
            if (geo->type == 16) {
                sdb_put16(p, 0);
            } else {
                sdb_put32(p, sdb_get32(p) & 0xF0000000u); // the upper four bits are not ours
            }
            changed = true;
        }
        for (uint32_t fat = 0; fat < geo->fats && res == 0; fat++) {
            if (changed || (fat > 0 && c->differ > 0)) {
                res = dev->write(dev->ctx, geo->fat + fat * geo->fat_sectors + i, 1, s);
            }
        }
    }
    if (res == 0 && geo->type == 32 && c->count_known) {
        res = dev->read(dev->ctx, geo->start + 1, 1, s);
        sdb_put32(s + FSINFO_COUNT_AT, geo->clusters - c->used + c->lost);
        res = res == 0 ? dev->write(dev->ctx, geo->start + 1, 1, s) : res;
    }
    return res == 0 ? dev->sync(dev->ctx) : res;
}
