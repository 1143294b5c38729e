// SPDX-License-Identifier: MIT
// Does an exFAT volume hold anything of a user's? Only what is proved empty is called so: boot
// checksum, root directory, what is in the folders that systems make by themselves, and the
// allocation bitmap, which must have as many bits set as clusters were met on the way.
// Source: Microsoft exFAT specification 1.00.
#include "core/card/probe_parts.h"

#include "core/bytes.h"

#include <string.h>

enum {
    EXFAT_BITMAP = 0x81,
    EXFAT_UPCASE = 0x82,
    EXFAT_LABEL = 0x83,
    EXFAT_FILE = 0x85,
    EXFAT_STREAM = 0xc0,
    EXFAT_NAME = 0xc1,
    EXFAT_VENDOR = 0xe1, // may have clusters of its own
    EXFAT_USED = 0x80,
    EXFAT_SECONDARY = 0x40,
    EXFAT_BENIGN = 0x20,

    EXFAT_DEPTH = 8,      // folders within folders
    EXFAT_READS = 2048,   // of directories and the FAT
    EXFAT_BITMAP_MAX = 4, // MiB
    EXFAT_NAME_MAX = 32,
};

// What may be in a folder.
enum { EXFAT_ROOT, EXFAT_ANYTHING, EXFAT_FOLDERS };

struct exfat_folder {
    uint32_t cluster;
    uint32_t sector; // in the cluster
    uint32_t entry;  // in the sector
    uint32_t left;   // clusters of it, this one included
    bool chained;    // the FAT says which cluster is next
    uint8_t may;
};

struct exfat {
    const struct sdb_bdev *dev;
    uint8_t *buf;                        // a sector of a directory, a sector of the FAT
    uint32_t dir_at, fat_at;             // which they are, 0: none
    uint32_t fat, heap, clusters, shift; // shift: log2 of the sectors in a cluster
    uint32_t reads;                      // that may still be made
    uint32_t used;                       // clusters that were met
    uint32_t bitmap, upcase;             // first cluster, 0: none yet
    struct exfat_folder folders[EXFAT_DEPTH];
    int depth;
};

// What systems put on every card that they see.
static const struct {
    char name[27];
    uint8_t may;
} exfat_folders[] = {
    {"System Volume Information", EXFAT_ANYTHING}, // Windows
    {"$RECYCLE.BIN", EXFAT_FOLDERS},
    {".Spotlight-V100", EXFAT_ANYTHING}, // macOS
    {".fseventsd", EXFAT_ANYTHING},
    {".TemporaryItems", EXFAT_ANYTHING},
    {".Trashes", EXFAT_FOLDERS},
    {"LOST.DIR", EXFAT_FOLDERS}, // Android
    {".android_secure", EXFAT_FOLDERS},
    {"Android", EXFAT_FOLDERS},
};
static const char exfat_files[][27] = {
    ".DS_Store",      ".apdisk",  ".metadata_never_index", "desktop.ini", "IndexerVolumeGuid",
    "WPSettings.dat", ".nomedia",
};

// What functions return beside 0 and the card's errors.
enum {
    EXFAT_FULL = 1, // there is something of a user's
    EXFAT_DAMAGED,
};

static int exfat_read(struct exfat *x, uint32_t lba, uint8_t *buf, uint32_t *at) {
    if (lba == *at) {
        return 0;
    }
    if (x->reads == 0) {
        return EXFAT_FULL;
    }
    x->reads--;
    *at = 0;
    int res = x->dev->read(x->dev->ctx, lba, 1, buf);
    if (res == 0) {
        *at = lba;
    }
    return res;
}

// The cluster behind `cluster` in its chain: 0 at the end, EXFAT_DAMAGED if the FAT makes no sense.
static int exfat_next(struct exfat *x, uint32_t cluster, uint32_t *next) {
    uint8_t *sector = x->buf + SDB_SECTOR;
    int res = exfat_read(x, x->fat + cluster / 128, sector, &x->fat_at);
    if (res != 0) {
        return res;
    }
    *next = sdb_get32(sector + 4 * (cluster % 128));
    if (*next >= 0xfffffff8u) {
        *next = 0;
        return 0;
    }
    return *next >= 2 && *next - 2 < x->clusters ? 0 : EXFAT_DAMAGED;
}

// Clusters that a length of 64 bits takes, EXFAT_DAMAGED if there are not so many.
static int exfat_count(const struct exfat *x, const uint8_t *length, uint32_t *count) {
    uint32_t low = sdb_get32(length);
    uint32_t high = sdb_get32(length + 4);
    uint32_t bits = x->shift + 9; // 9 to 25
    if (high >> bits != 0) {
        return EXFAT_DAMAGED;
    }
    *count = (low >> bits | high << (32 - bits)) + ((low & ((1u << bits) - 1)) != 0);
    return *count <= x->clusters ? 0 : EXFAT_DAMAGED;
}

// The 32 bytes of the next directory entry, NULL at the end of the folder.
static int exfat_entry(struct exfat *x, const uint8_t **entry) {
    struct exfat_folder *d = &x->folders[x->depth];
    *entry = NULL;
    if (d->entry == SDB_SECTOR / 32) {
        d->entry = 0;
        d->sector++;
    }
    if (d->sector >> x->shift != 0) {
        if (--d->left == 0) {
            return 0;
        }
        uint32_t next = d->cluster + 1;
        int res = d->chained ? exfat_next(x, d->cluster, &next) : 0;
        if (res != 0) {
            return res;
        }
        if (next < 2 || next - 2 >= x->clusters) {
            return EXFAT_DAMAGED;
        }
        d->cluster = next;
        d->sector = 0;
    }
    uint32_t lba = x->heap + ((d->cluster - 2) << x->shift) + d->sector;
    int res = exfat_read(x, lba, x->buf, &x->dir_at);
    if (res == 0) {
        *entry = x->buf + 32 * d->entry++;
    }
    return res;
}

static bool exfat_same(const char *a, const char *name) {
    for (; *a != '\0' || *name != '\0'; a++, name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name;
        char w = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        if (w != c) {
            return false;
        }
    }
    return true;
}

// A file or a folder: may it be there? Folders are entered.
static int exfat_judge(struct exfat *x, const char *name, bool folder, bool chained, uint32_t first,
                       uint32_t count) {
    uint8_t may = x->folders[x->depth].may;
    bool known = may == EXFAT_ANYTHING || (folder && may == EXFAT_FOLDERS);
    if (folder && may == EXFAT_ROOT) {
        for (uint32_t i = 0; i < sizeof exfat_folders / sizeof *exfat_folders; i++) {
            if (exfat_same(exfat_folders[i].name, name)) {
                may = exfat_folders[i].may;
                known = true;
            }
        }
    }
    if (!folder && !known) {
        known = name[0] == '.' && name[1] == '_' && count <= (128u >> x->shift) + 1;
        for (uint32_t i = 0; i < sizeof exfat_files / sizeof *exfat_files; i++) {
            known = known || exfat_same(exfat_files[i], name);
        }
    }
    if (!known) {
        return EXFAT_FULL;
    }
    if (!folder || count == 0) {
        return 0;
    }
    if (x->depth + 1 == EXFAT_DEPTH) {
        return EXFAT_FULL;
    }
    x->folders[++x->depth] = (struct exfat_folder){first, 0, 0, count, chained, may};
    return 0;
}

// The entries that follow one of a file, then the judgement.
static int exfat_set(struct exfat *x, const uint8_t *entry) {
    uint32_t secondaries = entry[1];
    bool folder = (entry[4] & 0x10) != 0;
    bool chained = false;
    char name[EXFAT_NAME_MAX] = {0};
    uint32_t length = 0, first = 0, count = 0, at = 0;
    for (uint32_t i = 0; i < secondaries; i++) {
        int res = exfat_entry(x, &entry);
        if (res != 0) {
            return res;
        }
        if (entry == NULL || (entry[0] & (EXFAT_USED | EXFAT_SECONDARY)) != 0xc0 ||
            (i == 0) != (entry[0] == EXFAT_STREAM)) {
            return EXFAT_DAMAGED;
        }
        if (entry[0] == EXFAT_STREAM || entry[0] == EXFAT_VENDOR) {
            uint32_t clusters;
            uint32_t start = sdb_get32(entry + 20);
            res = exfat_count(x, entry + 24, &clusters);
            if (res != 0 || (clusters != 0 && (start < 2 || start - 2 >= x->clusters))) {
                return EXFAT_DAMAGED;
            }
            x->used += clusters;
            if (i == 0) {
                chained = (entry[1] & 2) == 0;
                length = entry[3];
                first = start;
                count = clusters;
            }
        } else if (entry[0] == EXFAT_NAME) {
            for (uint32_t k = 0; k < 15 && at < length; k++, at++) {
                uint32_t c = sdb_get16(entry + 2 + 2 * k);
                if (at < EXFAT_NAME_MAX - 1) {
                    name[at] = c > 0 && c < 128 ? (char)c : '?';
                }
            }
        }
    }
    if (length == 0 || at < length) {
        return EXFAT_DAMAGED;
    }
    return exfat_judge(x, name, folder, chained, first, count);
}

// All folders, without recursion. Sets bitmap and upcase, counts clusters.
static int exfat_walk(struct exfat *x) {
    while (x->depth >= 0) {
        const uint8_t *entry;
        int res = exfat_entry(x, &entry);
        if (res != 0) {
            return res;
        }
        if (entry == NULL || entry[0] == 0) {
            x->depth--;
            continue;
        }
        uint32_t count = 0; // for gcc 14, which does not see that it is set
        switch (entry[0]) {
        case EXFAT_FILE:
            res = exfat_set(x, entry);
            break;
        case EXFAT_BITMAP:
        case EXFAT_UPCASE: {
            uint32_t *where = entry[0] == EXFAT_BITMAP ? &x->bitmap : &x->upcase;
            res = exfat_count(x, entry + 24, &count);
            if (*where != 0 || x->depth != 0) {
                res = EXFAT_DAMAGED;
            }
            *where = sdb_get32(entry + 20);
            x->used += res == 0 ? count : 0;
            break;
        }
        case EXFAT_LABEL:
            break;
        default:
            // Not in use; or a benign one, which may be skipped.
            if ((entry[0] & EXFAT_USED) != 0 && (entry[0] & EXFAT_BENIGN) == 0) {
                res = EXFAT_DAMAGED;
            }
        }
        if (res != 0) {
            return res;
        }
    }
    return 0;
}

static uint32_t exfat_ones(uint32_t byte) {
    uint32_t n = 0;
    for (; byte != 0; byte &= byte - 1) {
        n++;
    }
    return n;
}

// Is every cluster that the bitmap has in use one that was met?
static int exfat_check_bitmap(struct exfat *x) {
    const uint32_t run = SDB_PROBE_BUFFER / SDB_SECTOR;
    uint32_t bytes = (x->clusters + 7) / 8;
    if (x->bitmap < 2 || x->bitmap - 2 >= x->clusters || x->upcase < 2) {
        return EXFAT_DAMAGED;
    }
    if (bytes > (uint32_t)EXFAT_BITMAP_MAX << 20) {
        return EXFAT_FULL;
    }
    uint32_t lba = x->heap + ((x->bitmap - 2) << x->shift);
    uint32_t ones = 0;
    for (uint32_t done = 0; done < bytes; done += SDB_PROBE_BUFFER, lba += run) {
        uint32_t n = bytes - done < SDB_PROBE_BUFFER ? bytes - done : SDB_PROBE_BUFFER;
        uint32_t count = (n + SDB_SECTOR - 1) / SDB_SECTOR;
        if (lba >= x->dev->sectors || count > x->dev->sectors - lba) {
            return EXFAT_DAMAGED;
        }
        int res = x->dev->read(x->dev->ctx, lba, count, x->buf);
        if (res < 0) {
            return res;
        }
        for (uint32_t i = 0; i < n; i++) {
            uint32_t byte = x->buf[i];
            if (done + i == bytes - 1 && x->clusters % 8 != 0) {
                byte &= (1u << x->clusters % 8) - 1;
            }
            ones += exfat_ones(byte);
        }
    }
    return ones == x->used ? 0 : EXFAT_FULL;
}

// The boot sector in buf: where everything is. *end: behind the volume.
static int exfat_boot(struct exfat *x, uint32_t volume, uint32_t *end) {
    const uint8_t *boot = x->buf;
    uint32_t card = x->dev->sectors - volume;
    uint32_t unit = boot[108]; // log2 of the bytes in a sector
    uint32_t shift = unit + boot[109];
    if (unit < 9 || unit > 12 || shift > 25 || sdb_get16(boot + 510) != 0xaa55) {
        return EXFAT_DAMAGED;
    }
    unit -= 9;
    uint32_t most = 0xffffffffu >> unit;
    uint32_t sectors = sdb_get32(boot + 72);
    uint32_t fat = sdb_get32(boot + 80);
    uint32_t fat_sectors = sdb_get32(boot + 84);
    uint32_t heap = sdb_get32(boot + 88);
    if (sdb_get32(boot + 76) != 0 || sectors > most || sectors << unit > card || fat < 24 ||
        fat > sectors || fat_sectors > sectors - fat || heap > sectors ||
        heap < fat + fat_sectors) {
        return EXFAT_DAMAGED;
    }
    *end = volume + (sectors << unit);
    x->fat = volume + (fat << unit);
    x->heap = volume + (heap << unit);
    x->shift = shift - 9;
    x->clusters = sdb_get32(boot + 92);
    if (x->clusters == 0 || x->clusters > (*end - x->heap) >> x->shift ||
        x->clusters / 128 >= fat_sectors << unit) {
        return EXFAT_DAMAGED;
    }
    x->folders[0] = (struct exfat_folder){sdb_get32(boot + 96), 0, 0, 0, true, EXFAT_ROOT};
    return x->folders[0].cluster >= 2 && x->folders[0].cluster - 2 < x->clusters ? 0
                                                                                 : EXFAT_DAMAGED;
}

// The eleven sectors of the boot region have a checksum in the twelfth.
static int exfat_checksum(struct exfat *x, uint32_t volume, uint32_t unit) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 11u << unit; i++) {
        int res = x->dev->read(x->dev->ctx, volume + i, 1, x->buf);
        if (res < 0) {
            return res;
        }
        for (uint32_t k = 0; k < SDB_SECTOR; k++) {
            if (i != 0 || (k != 106 && k != 107 && k != 112)) {
                sum = (sum << 31 | sum >> 1) + x->buf[k];
            }
        }
    }
    int res = x->dev->read(x->dev->ctx, volume + (11u << unit), 1, x->buf);
    return res < 0 ? res : sdb_get32(x->buf) == sum ? 0 : EXFAT_DAMAGED;
}

// Counts the clusters of the root directory, which is as long as its chain.
static int exfat_root(struct exfat *x) {
    struct exfat_folder *root = &x->folders[0];
    uint32_t next = root->cluster;
    while (next != 0) {
        root->left++;
        x->used++;
        int res = exfat_next(x, next, &next);
        if (res != 0) {
            return res;
        }
        if (root->left > x->clusters) {
            return EXFAT_DAMAGED; // a circle
        }
    }
    return 0;
}

int sdb_probe_exfat(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t *end,
                    uint8_t *buf) {
    struct exfat x = {.dev = dev, .buf = buf, .reads = EXFAT_READS};
    int res = dev->read(dev->ctx, probe->volume, 1, buf);
    uint32_t unit = buf[108] - 9u;
    if (res == 0) {
        res = exfat_boot(&x, probe->volume, end);
    }
    if (res == 0) {
        res = exfat_checksum(&x, probe->volume, unit);
    }
    if (res == 0) {
        res = exfat_root(&x);
    }
    if (res == 0) {
        res = exfat_walk(&x);
    }
    if (res == 0) {
        res = exfat_check_bitmap(&x);
    }
    if (res == EXFAT_DAMAGED) {
        return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "damaged exFAT", "");
    }
    if (res == EXFAT_FULL) {
        return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "exFAT with files", "");
    }
    return res < 0 ? res : sdb_probe_found(probe, SDB_PROBE_EXFAT_EMPTY, "empty exFAT", "");
}
