// A control area in the file /.sdboot/journal of the volume.
#include <string.h>

#include "core/journal/control_disk.h"
#include "core/error.h"

// ".sdboot" as the one long-name entry that holds it, characters 0..12.
static const uint8_t control_dir_name[13] = {'.', 's', 'd', 'b', 'o', 'o', 't', 0};

// Where the characters of a long-name entry are.
static uint32_t control_lfn_at(uint32_t i) {
    return i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
}

static bool control_lfn_is_dir(const uint8_t *entry) {
    if (entry[0] != 0x41 || entry[11] != 0x0F) {
        return false;
    }
    for (uint32_t i = 0; i < 8; i++) {
        if (sdb_get16(entry + control_lfn_at(i)) != control_dir_name[i]) {
            return false;
        }
    }
    return true;
}

static uint8_t control_lfn_sum(const uint8_t *name) {
    uint8_t sum = 0;
    for (int i = 0; i < 11; i++) {
        sum = (uint8_t)((sum >> 1) + ((sum & 1) << 7) + name[i]);
    }
    return sum;
}

// Looks through one sector of a directory. Returns the entry's offset, SDB_ENOENT if it is not
// here, 0x1000 at the end of the directory. *sum: checksum of a matching long name seen last.
static int control_scan(const uint8_t *s, bool want_dir, int *sum) {
    for (int at = 0; at < (int)SDB_SECTOR; at += 32) {
        const uint8_t *entry = s + at;
        if (entry[0] == 0) {
            return 0x1000;
        }
        if (want_dir && entry[0] != 0xE5 && control_lfn_is_dir(entry)) {
            *sum = entry[13];
            continue;
        }
        if (want_dir ? *sum == control_lfn_sum(entry) && (entry[11] & 0x18) == 0x10
                     : entry[0] != 0xE5 && control_is_journal(entry)) {
            return at;
        }
        *sum = -1;
    }
    return SDB_ENOENT;
}

// Finds .sdboot in the root (dir 0) or the journal in the directory at cluster `dir`. Sets *lba and
// *at to the entry, which is then in buf. Returns 0, SDB_ENOENT or the device's error.
static int control_lookup(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint32_t dir,
                          uint8_t *buf, uint32_t *lba, uint32_t *at) {
    bool want_dir = dir == 0;
    uint32_t cluster = want_dir && geo->type == 32 ? geo->root : dir;
    uint32_t first = cluster == 0 ? geo->root : 0;
    int sum = -1;
    // A directory has at most 65,536 entries; a chain that runs in a circle ends here as well.
    for (uint32_t n = 0; n < 4096; n++) {
        uint32_t in = cluster == 0 ? n : n & ((1u << geo->cluster_shift) - 1);
        if (cluster == 0 && n >= geo->root_sectors) {
            return SDB_ENOENT;
        }
        if (cluster != 0 && n != 0 && in == 0) {
            uint32_t have = 0;
            int err = sdb_control_next(dev, geo, buf, &have, cluster, &cluster);
            if (err < 0) {
                return err;
            }
        }
        if (cluster != 0) {
            if (cluster < 2 || cluster > geo->clusters + 1) {
                return SDB_ENOENT;
            }
            first = sdb_fatgeo_lba(geo, cluster);
        }
        int err = dev->read(dev->ctx, first + in, 1, buf);
        if (err < 0) {
            return err;
        }
        int found = control_scan(buf, want_dir, &sum);
        if (found >= 0) {
            *lba = first + in;
            *at = (uint32_t)found;
            return found < 0x1000 ? 0 : SDB_ENOENT;
        }
    }
    return SDB_ENOENT;
}

// Finds the file and in it the first run of clusters that is long enough.
static int control_find_file(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo,
                             struct sdb_control *c, uint8_t *buf) {
    uint32_t lba;
    uint32_t at;
    int err = control_lookup(dev, geo, 0, buf, &lba, &at);
    if (err == 0) {
        uint32_t dir = control_first(buf + at);
        err = dir < 2 ? SDB_ENOENT : control_lookup(dev, geo, dir, buf, &c->entry_lba, &at);
    }
    if (err < 0) {
        return err;
    }
    c->entry_at = at;
    c->file_first = control_first(buf + at);
    c->file_size = sdb_get32(buf + at + 28);

    uint32_t left = c->file_size / SDB_SECTOR; // whole sectors of the file from `cluster` on
    uint32_t cluster = c->file_first;
    uint32_t per = 1u << geo->cluster_shift;
    uint32_t have = 0;
    while (left >= SDB_CONTROL_FILE_MIN) {
        uint32_t first = cluster;
        uint32_t run = 0;
        while (cluster == first + (run >> geo->cluster_shift) && left > 0) {
            err = sdb_control_next(dev, geo, buf, &have, cluster, &cluster);
            if (err < 0) {
                return err;
            }
            run += left < per ? left : per;
            left -= left < per ? left : per;
        }
        if (run >= SDB_CONTROL_FILE_MIN) {
            c->lba = sdb_fatgeo_lba(geo, first);
            c->sectors = run < CONTROL_PLACE_MAX ? run : CONTROL_PLACE_MAX;
            return 0;
        }
    }
    return SDB_ENOSPC;
}

int sdb_control_place_file(struct sdb_journal *j, struct sdb_control *c, uint8_t *buf) {
    struct sdb_bdev view;
    memset(c, 0, sizeof *c);
    const struct sdb_fatgeo *geo = sdb_journal_geo(j);
    if (!geo->safe || sdb_journal_has_area(j)) {
        return SDB_ENOSPC;
    }
    sdb_journal_bdev(j, &view);
    int err = control_find_file(&view, geo, c, buf);
    if (err < 0) {
        return err;
    }
    // The file's content must not be captured: it would be copied over the area that carries it.
    if (sdb_journal_captures(j, c->lba, c->sectors)) {
        return SDB_EBUSY;
    }
    if (sdb_journal_failed(j) < 0) {
        return sdb_journal_failed(j);
    }
    // Its content as written by the filesystem is of no interest, but must not come after ours.
    err = j->card->sync(j->card->ctx);
    if (err == 0) {
        err = sdb_control_make(j->card, geo, c, buf);
    }
    if (err == 0) {
        err = sdb_journal_attach(j, c->lba, c->sectors);
    }
    return err == 0 ? sdb_journal_commit(j) : err;
}
