// SPDX-License-Identifier: MIT
#include "fatcheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    const struct image *img;
    struct fatcheck *out;
    uint32_t start, fat, fat_sectors, fats, root, root_sectors, data, per, clusters;
    int type;
    uint8_t *claimed; // a bit per cluster
    uint32_t claims;
    const struct blob *fat_blob;
    uint32_t fat_at;
    int depth;
    char path[300];
};

static uint32_t le(const uint8_t *p, int n) {
    uint32_t v = 0;
    while (n-- > 0) {
        v = v << 8 | p[n];
    }
    return v;
}

static bool wrong(struct walk *w, const char *what) {
    if (!w->out->error) {
        w->out->error = what;
        snprintf(w->out->where, sizeof w->out->where, "%s", w->path);
    }
    return false;
}

static uint32_t fat_entry(struct walk *w, uint32_t cluster) {
    uint32_t per = w->type == 16 ? 256 : 128;
    uint32_t at = w->fat + cluster / per;
    if (at != w->fat_at) {
        w->fat_at = at;
        w->fat_blob = image_get(w->img, at);
    }
    if (w->type == 16) {
        return le(w->fat_blob->data + cluster % per * 2, 2);
    }
    return le(w->fat_blob->data + cluster % per * 4, 4) & 0x0FFFFFFF;
}

static bool is_end(const struct walk *w, uint32_t entry) {
    return entry >= (w->type == 16 ? 0xFFF8u : 0x0FFFFFF8u);
}

// Claims `cluster` for whoever owns it and returns the next one in *next (0 at the end).
static bool claim(struct walk *w, uint32_t cluster, uint32_t *next) {
    if (cluster < 2 || cluster > w->clusters + 1) {
        return wrong(w, "chain leaves the volume");
    }
    if (w->claimed[cluster / 8] & 1 << cluster % 8) {
        return wrong(w, "cluster in two chains or a circle");
    }
    w->claimed[cluster / 8] |= (uint8_t)(1 << cluster % 8);
    w->claims++;
    uint32_t entry = fat_entry(w, cluster);
    if (entry == 0) {
        return wrong(w, "chain runs into a free cluster");
    }
    if (!is_end(w, entry) && (entry < 2 || entry > w->clusters + 1)) {
        return wrong(w, "chain runs into a reserved or bad cluster");
    }
    *next = is_end(w, entry) ? 0 : entry;
    return true;
}

static uint32_t cluster_lba(const struct walk *w, uint32_t cluster) {
    return w->data + (cluster - 2) * w->per;
}

static bool walk_file(struct walk *w, uint32_t cluster, uint32_t size, uint64_t *digest) {
    uint32_t sectors = size / 512 + (size % 512 != 0);
    uint32_t need = (sectors + w->per - 1) / w->per;
    uint32_t have = 0;
    uint64_t hash = mix2(size, 77);
    bool skip = strcmp(w->path, "/.sdboot/journal") == 0 || strncmp(w->path, "/filler", 7) == 0;
    if (cluster == 0 && size > 0) {
        return wrong(w, "file without a chain");
    }
    while (cluster != 0) {
        uint32_t next;
        if (!claim(w, cluster, &next)) {
            return false;
        }
        for (uint32_t i = 0; i < w->per && sectors > 0 && !skip; i++, sectors--) {
            const struct blob *b = image_get(w->img, cluster_lba(w, cluster) + i);
            if (sectors == 1 && size % 512 != 0) {
                hash = mix2(hash, hash_bytes(b->data, size % 512));
            } else {
                hash = mix2(hash, b->hash);
            }
        }
        have++;
        cluster = next;
    }
    if (have < need) {
        return wrong(w, "chain shorter than the file");
    }
    if (have > need) {
        w->out->overlong++;
    }
    *digest = mix2(hash, 1);
    return true;
}

struct lfn {
    uint8_t name[20 * 26];
    int expect; // next order number, 0: all of the name seen, -1: none
    int length;
    uint8_t sum;
};

static uint8_t short_sum(const uint8_t *name) {
    unsigned sum = 0;
    for (int i = 0; i < 11; i++) {
        sum = ((sum & 1) << 7) + (sum >> 1) + name[i];
        sum &= 0xFF;
    }
    return (uint8_t)sum;
}

static bool lfn_entry(struct walk *w, struct lfn *l, const uint8_t *e) {
    int order = e[0] & 0x3F;
    if (e[0] & 0x40) {
        if (l->expect >= 0) {
            return wrong(w, "long name without its entry");
        }
        if (order < 1 || order > 20) {
            return wrong(w, "long name of impossible length");
        }
        l->expect = order;
        l->length = order;
        l->sum = e[13];
    }
    if (order != l->expect || e[13] != l->sum) {
        return wrong(w, "long name in pieces");
    }
    uint8_t *to = l->name + 26 * (order - 1);
    memcpy(to, e + 1, 10);
    memcpy(to + 10, e + 14, 12);
    memcpy(to + 22, e + 28, 4);
    l->expect = order - 1;
    return true;
}

static size_t path_add(struct walk *w, const uint8_t *e, const struct lfn *l) {
    size_t at = strlen(w->path);
    size_t len = at;
    w->path[len++] = '/';
    if (l->expect == 0) {
        for (int i = 0; i < 13 * l->length && len < sizeof w->path - 1; i++) {
            uint8_t c = l->name[2 * i];
            if (c == 0 && l->name[2 * i + 1] == 0) {
                break;
            }
            w->path[len++] = (char)c;
        }
    } else {
        for (int i = 0; i < 11 && len < sizeof w->path - 2; i++) {
            if (i == 8 && e[8] != ' ') {
                w->path[len++] = '.';
            }
            if (e[i] != ' ') {
                bool lower = e[12] & (i < 8 ? 0x08 : 0x10);
                w->path[len++] = (char)(lower && e[i] >= 'A' && e[i] <= 'Z' ? e[i] + 32 : e[i]);
            }
        }
    }
    w->path[len] = 0;
    return at;
}

static bool walk_dir(struct walk *w, uint32_t first, uint32_t parent, uint64_t *digest);

static bool walk_entry(struct walk *w, const uint8_t *e, struct lfn *l, uint32_t dir,
                       uint64_t *digest) {
    if (l->expect > 0 || (l->expect == 0 && l->sum != short_sum(e))) {
        return wrong(w, "long name without its entry");
    }
    if (e[11] & 0xC0) {
        return wrong(w, "attributes that nobody writes");
    }
    if (e[11] & 0x08) {
        return true; // volume label
    }
    size_t at = path_add(w, e, l);
    uint32_t cluster = le(e + 26, 2) | (w->type == 32 ? le(e + 20, 2) << 16 : 0);
    uint64_t content = 0;
    bool ok;
    if (e[11] & 0x10) {
        w->out->dirs++;
        ok = cluster != 0 ? walk_dir(w, cluster, dir, &content) : wrong(w, "no directory there");
    } else {
        w->out->files++;
        ok = walk_file(w, cluster, le(e + 28, 4), &content);
    }
    uint64_t one = mix2(mix2(hash_bytes(w->path, strlen(w->path)), e[11]), content);
    *digest += one; // the order of entries does not matter
    bool root = at == 0;
    if (root && strcmp(w->path, "/next") != 0 && strcmp(w->path, "/prev") != 0 &&
        strcmp(w->path, "/.sdboot") != 0 && strncmp(w->path, "/filler", 7) != 0) {
        w->out->visible += one;
    }
    w->path[at] = 0;
    return ok;
}

// One sector of a directory. *end: the terminator has been seen.
static bool walk_sector(struct walk *w, const uint8_t *s, struct lfn *l, bool *end, bool dots,
                        uint32_t first, uint32_t parent, uint64_t *digest) {
    for (int i = 0; i < 16; i++) {
        const uint8_t *e = s + 32 * i;
        if (*end) {
            if (e[0] != 0) {
                return wrong(w, "garbage behind the end of a directory");
            }
            continue;
        }
        if (dots && i < 2) {
            uint32_t to = le(e + 26, 2) | (w->type == 32 ? le(e + 20, 2) << 16 : 0);
            if (memcmp(e, i ? "..         " : ".          ", 11) != 0 || !(e[11] & 0x10) ||
                to != (i ? parent : first)) {
                return wrong(w, "dot entries are wrong");
            }
            continue;
        }
        if (e[0] == 0) {
            *end = true;
            if (l->expect >= 0) {
                return wrong(w, "long name without its entry");
            }
        } else if (e[0] == 0xE5) {
            if (l->expect >= 0) {
                return wrong(w, "long name without its entry");
            }
        } else if (e[11] == 0x0F) {
            if (!lfn_entry(w, l, e)) {
                return false;
            }
        } else {
            if (!walk_entry(w, e, l, w->depth == 0 ? 0 : first, digest)) {
                return false;
            }
            l->expect = -1;
        }
    }
    return true;
}

static bool walk_dir(struct walk *w, uint32_t first, uint32_t parent, uint64_t *digest) {
    struct lfn l = {.expect = -1};
    bool end = false;
    bool ok = true;
    uint64_t sum = 0;
    bool root = w->path[0] == 0;
    if (w->depth > 12) {
        return wrong(w, "directories without end");
    }
    w->depth += root ? 0 : 1;
    if (first == 0) {
        for (uint32_t i = 0; i < w->root_sectors && ok; i++) {
            ok = walk_sector(w, image_get(w->img, w->root + i)->data, &l, &end, false, 0, 0, &sum);
        }
    }
    uint32_t next = 0;
    for (uint32_t cluster = first; cluster != 0 && ok; cluster = next) {
        ok = claim(w, cluster, &next);
        for (uint32_t i = 0; i < w->per && ok; i++) {
            const struct blob *b = image_get(w->img, cluster_lba(w, cluster) + i);
            ok = walk_sector(w, b->data, &l, &end, !root && cluster == first && i == 0, first,
                             parent, &sum);
        }
    }
    w->depth -= root ? 0 : 1;
    *digest = mix2(sum, 2);
    return ok;
}

static int used_entries(struct blob *b, int type) {
    int *cached = type == 16 ? &b->used16 : &b->used32;
    if (*cached < 0) {
        *cached = 0;
        for (int i = 0; i < 512; i += type / 8) {
            *cached += (le(b->data + i, type / 8) & 0x0FFFFFFF) != 0;
        }
    }
    return *cached;
}

static bool geometry(struct walk *w) {
    const uint8_t *s = image_get(w->img, 0)->data;
    if (le(s + 510, 2) != 0xAA55) {
        return wrong(w, "sector 0 is nothing");
    }
    if (memcmp(s + 54, "FAT16", 5) != 0 && memcmp(s + 82, "FAT32", 5) != 0) {
        w->start = le(s + 454, 4);
        s = image_get(w->img, w->start)->data;
    }
    if (le(s + 510, 2) != 0xAA55 || le(s + 11, 2) != 512 || s[13] == 0) {
        return wrong(w, "boot sector is nothing");
    }
    w->per = s[13];
    w->fats = s[16];
    w->root_sectors = le(s + 17, 2) / 16;
    w->fat_sectors = le(s + 22, 2) ? le(s + 22, 2) : le(s + 36, 4);
    uint32_t total = le(s + 19, 2) ? le(s + 19, 2) : le(s + 32, 4);
    uint32_t system = le(s + 14, 2) + w->fats * w->fat_sectors + w->root_sectors;
    w->fat = w->start + le(s + 14, 2);
    w->data = w->start + system;
    w->clusters = (total - system) / w->per;
    w->type = w->clusters < 65525 ? 16 : 32;
    w->root = w->type == 16 ? w->fat + w->fats * w->fat_sectors : le(s + 44, 4);
    return true;
}

static bool check_fats(struct walk *w) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < w->fat_sectors; i++) {
        const struct blob *b = image_get(w->img, w->fat + i);
        used += (uint32_t)used_entries((struct blob *)b, w->type);
        if (w->fats == 2 && image_get(w->img, w->fat + w->fat_sectors + i) != b) {
            return wrong(w, "the FATs differ");
        }
    }
    w->out->leaks = used - 2 - w->claims;
    w->out->free_count = w->clusters - (used - 2);
    w->out->digest = w->out->loose = mix2(w->out->digest, w->out->leaks);
    if (w->type == 32) {
        const uint8_t *s = image_get(w->img, w->start + 1)->data;
        uint32_t claimed = le(s + 488, 4);
        if (le(s, 4) != 0x41615252 || le(s + 484, 4) != 0x61417272) {
            return wrong(w, "FSInfo is nothing");
        }
        if (claimed != 0xFFFFFFFF) {
            // FatFs keeps it up to date at every sync; the reference says by how much it may err.
            w->out->digest = mix2(w->out->digest, claimed - w->out->free_count);
        }
    }
    return true;
}

bool fatcheck(const struct image *img, struct fatcheck *out) {
    static uint8_t bits[1 << 14];
    struct walk w = {.img = img, .out = out, .claimed = bits};
    memset(out, 0, sizeof *out);
    bool ok = geometry(&w);
    if (ok && w.clusters + 2 > 8 * sizeof bits) {
        ok = wrong(&w, "more clusters than any of our volumes has");
    }
    if (ok) {
        uint64_t tree;
        memset(bits, 0, w.clusters / 8 + 2);
        ok = walk_dir(&w, w.type == 32 ? w.root : 0, 0, &tree);
        out->digest = mix2(tree, out->overlong);
    }
    return ok && check_fats(&w);
}
