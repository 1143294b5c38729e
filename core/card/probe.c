// SPDX-License-Identifier: MIT
#include "core/card/probe_parts.h"

#include "core/bytes.h"
#include "core/card/fatgeo.h"
#include "core/card/mkfs.h"

#include <string.h>

enum {
    PROBE_SIGNATURE = 510, // of an MBR: 55 AA
    PROBE_PARTITION = 446, // first of four partition entries of 16 bytes
    PROBE_PART_TYPE = 4,   // in an entry
    PROBE_PART_START = 8,
    PROBE_PART_LENGTH = 12,
    PROBE_PART_GPT = 0xee,
    PROBE_HIDDEN = 28,  // in FAT's boot sector: the sector that it is
    PROBE_BACKUP = 31,  // how far from it the backup may be
    PROBE_LOGICAL = 16, // logical partitions that are looked at
};

struct part {
    uint32_t start, sectors;
    uint8_t type;
};

int sdb_probe_read(const struct sdb_bdev *dev, uint32_t lba, uint8_t *buf) {
    if (lba >= dev->sectors) {
        memset(buf, 0, SDB_SECTOR); // a magic number can't be there
        return 0;
    }
    return dev->read(dev->ctx, lba, 1, buf);
}

int sdb_probe_found(struct sdb_probe *probe, int kind, const char *name, const char *advice) {
    probe->kind = kind;
    probe->name = name;
    probe->advice = advice;
    return 1;
}

static bool probe_signed(const uint8_t *buf) {
    return sdb_get16(buf + PROBE_SIGNATURE) == 0xaa55;
}

// littlefs: the superblock is in block 0 or 1, the size of which is not known beforehand.
int sdb_probe_littlefs(const struct sdb_bdev *dev, struct sdb_probe *probe, int block,
                       uint8_t *buf) {
    for (uint32_t lba = (uint32_t)block; lba <= 128; lba *= 2) {
        int res = sdb_probe_read(dev, probe->volume + lba, buf);
        if (res < 0) {
            return res;
        }
        // revision, tag, "littlefs", tag of the inline struct, version, block size
        if (memcmp(buf + 8, "littlefs", 8) == 0) {
            probe->block_size = sdb_get32(buf + 24);
            if (buf[22] != 2) {
                return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "littlefs of another version", "");
            }
            if (probe->block_size % SDB_SECTOR != 0 || probe->block_size == 0 ||
                probe->block_size / SDB_SECTOR > dev->sectors / 2) {
                return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "littlefs with odd blocks", "");
            }
            return sdb_probe_found(probe, SDB_PROBE_LITTLEFS, "littlefs", "");
        }
        if (memcmp(buf + 40, "littlefs", 8) == 0) { // version 1 has it there
            return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "littlefs of another version", "");
        }
        if (block == 0) {
            break;
        }
    }
    return 0;
}

// What begins at `start` and has `sectors`: littlefs at its very beginning comes before marks that
// may be in a file of it; a mark is younger than what littlefs has left in block 1.
static int probe_volume(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t start,
                        uint32_t sectors, uint8_t *buf) {
    probe->volume = start;
    int res = sdb_probe_littlefs(dev, probe, 0, buf);
    if (res == 0) {
        res = sdb_probe_boot(dev, probe, buf);
    }
    if (res == 0) {
        res = sdb_probe_marks(dev, probe, sectors, buf);
    }
    return res != 0 ? res : sdb_probe_littlefs(dev, probe, 1, buf);
}

static void probe_part(struct part *part, const uint8_t *sector, int i) {
    const uint8_t *entry = sector + PROBE_PARTITION + 16 * i;
    part->type = entry[PROBE_PART_TYPE];
    part->start = sdb_get32(entry + PROBE_PART_START);
    part->sectors = sdb_get32(entry + PROBE_PART_LENGTH);
}

static bool probe_extended(const struct part *part) {
    return part->type == 0x05 || part->type == 0x0f || part->type == 0x85;
}

// As FatFs looks for its volume: the first partition that is not of type 0 and begins with a boot
// sector. If that one can't be mounted, no other is.
static int probe_mounted(const struct sdb_bdev *dev, struct sdb_probe *probe,
                         const struct part *parts, uint8_t *buf) {
    for (int i = 0; i < 4; i++) {
        const struct part *part = &parts[i];
        if (part->type == 0 || part->start == 0 || part->start >= dev->sectors) {
            continue;
        }
        int res = sdb_probe_read(dev, part->start, buf);
        if (res < 0) {
            return res;
        }
        probe->volume = part->start;
        if (sdb_fatgeo_is_boot_sector(buf)) {
            return sdb_probe_boot(dev, probe, buf);
        }
    }
    return 0;
}

static void probe_keep_first(struct sdb_probe *first, const struct sdb_probe *probe) {
    if (first->name == NULL) {
        *first = *probe;
    }
}

// The volumes in an extended partition. *first is the first that was recognised.
static int probe_logical(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t base,
                         struct sdb_probe *first, uint8_t *buf) {
    uint32_t at = base;
    for (int n = 0; n < PROBE_LOGICAL; n++) {
        struct part part, next;
        int res = sdb_probe_read(dev, at, buf);
        if (res < 0 || !probe_signed(buf)) {
            return res;
        }
        probe_part(&part, buf, 0);
        probe_part(&next, buf, 1);
        if (part.type != 0 && part.start != 0 && part.start < dev->sectors - at) {
            res = probe_volume(dev, probe, at + part.start, part.sectors, buf);
            if (res < 0) {
                return res;
            }
            if (res == 1 && probe->kind == SDB_PROBE_FAT) {
                sdb_probe_found(probe, SDB_PROBE_FOREIGN, "FAT in a logical partition",
                                "The firmware's FatFs mounts primary partitions only: copy the "
                                "files to a PC. ");
            }
            if (res == 1 && probe->kind == PROBE_EXFAT) {
                sdb_probe_found(probe, SDB_PROBE_FOREIGN, "exFAT in a logical partition", "");
            }
            if (res == 1) {
                probe_keep_first(first, probe);
            }
        }
        if (!probe_extended(&next) || next.start == 0 || next.start >= dev->sectors - base ||
            base + next.start <= at) {
            return 0; // the last one; or a circle
        }
        at = base + next.start;
    }
    return 0;
}

// What the partitions hold, if FatFs mounts none. `only`: there is no other entry in the table.
static int probe_contents(const struct sdb_bdev *dev, struct sdb_probe *probe,
                          const struct part *parts, bool only, uint8_t *buf) {
    struct sdb_probe first = *probe;
    first.name = NULL;
    for (int i = 0; i < 4; i++) {
        const struct part *part = &parts[i];
        if (part->start == 0 || part->start >= dev->sectors) {
            continue;
        }
        int res = probe_volume(dev, probe, part->start, part->sectors, buf);
        if (res == 0 && probe_extended(part)) {
            res = probe_logical(dev, probe, part->start, &first, buf);
        }
        if (res == 1 && probe->kind == SDB_PROBE_FAT) {
            sdb_probe_found(probe, SDB_PROBE_FOREIGN, "FAT in a partition of type 0",
                            "fdisk on a PC can give it type c. ");
        }
        if (res == 1 && !only && probe->kind == PROBE_EXFAT) {
            sdb_probe_found(probe, SDB_PROBE_FOREIGN, "exFAT beside other partitions", "");
        }
        if (res < 0) {
            return res;
        }
        if (res == 1) {
            probe_keep_first(&first, probe);
        }
    }
    *probe = first;
    return first.name != NULL;
}

// The card's partition table is in buf. Is it one, and what is in its partitions?
static int probe_partitions(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    struct part parts[4];
    int entries = 0, inside = 0;
    bool gpt = false;
    bool table = !sdb_probe_is_fat(buf); // that of a FAT boot sector is boot code
    for (int i = 0; i < 4; i++) {
        probe_part(&parts[i], buf, i);
        bool used = parts[i].start != 0 || parts[i].type != 0;
        entries += used;
        entries += used && parts[i].type == 0; // nobody partitions a card like that
        inside += parts[i].start != 0 && parts[i].start < dev->sectors;
        gpt = gpt || parts[i].type == PROBE_PART_GPT;
        table = table && (buf[PROBE_PARTITION + 16 * i] & 0x7f) == 0;
        probe->types |= (uint32_t)parts[i].type << 8 * i;
    }
    int res = probe_mounted(dev, probe, parts, buf);
    if (res != 0) {
        return res;
    }
    if (gpt) {
        probe->volume = 0;
        return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "GPT partitions",
                               "The firmware's FatFs wants an MBR: copy the files to a PC. ");
    }
    res = table ? probe_contents(dev, probe, parts, entries == 1, buf) : 0;
    if (res != 0) {
        return res;
    }
    // Something else may end in 55 AA as well: a filesystem with boot code.
    probe->volume = 0;
    res = probe_volume(dev, probe, 0, dev->sectors, buf);
    if (res == 0 && table && inside > 0) {
        return sdb_probe_found(probe, SDB_PROBE_PARTITIONS, "partitions", "");
    }
    return res;
}

// exFAT is formatted if nothing is in it, and nothing but it is on the card.
static int probe_exfat(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    uint32_t end = 0;
    int res = sdb_probe_exfat(dev, probe, &end, buf);
    if (res == 1 && probe->kind == SDB_PROBE_EXFAT_EMPTY) {
        res = sdb_probe_blank_part(dev, 1, probe->volume, buf);
        if (res == 1) {
            res = sdb_probe_blank_part(dev, end, dev->sectors, buf);
        }
        if (res == 0) {
            res = sdb_probe_found(probe, SDB_PROBE_FOREIGN, "empty exFAT and something beside it",
                                  "");
        }
    }
    return res;
}

// Was the first write of a format cut short, on a card that was blank?
static int probe_torn(const struct sdb_bdev *dev, uint8_t *buf) {
    uint32_t note = sdb_probe_unread(dev->sectors);
    int res = note != 0 ? sdb_probe_read(dev, note, buf) : 0;
    return note == 0 || res < 0 || !sdb_mkfs_unfinished(buf)
               ? res
               : sdb_probe_blank_part(dev, 1, dev->sectors, buf);
}

// Not known by its beginning: blank, or what is left of something.
static int probe_rest(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    uint32_t lost;
    probe->volume = 0;
    int res = probe_torn(dev, buf);
    if (res == 1) {
        return sdb_probe_found(probe, SDB_PROBE_UNFINISHED, "a format that was cut short", "");
    }
    res = res < 0 ? res : sdb_probe_blank(dev, &lost, buf);
    if (res < 0) {
        return res;
    }
    if (res == 1) {
        return sdb_probe_found(probe, SDB_PROBE_BLANK, "nothing", "");
    }
    if (lost == 0) {
        return sdb_probe_found(probe, SDB_PROBE_UNKNOWN, "no known filesystem, but is not blank",
                               "");
    }
    probe->volume = lost;
    res = sdb_probe_read(dev, lost, buf);
    if (res == 0) {
        uint32_t begins = sdb_get32(buf + PROBE_HIDDEN); // this one may be the backup of FAT32
        res = sdb_probe_boot(dev, probe, buf);
        if (begins < lost && lost - begins <= PROBE_BACKUP && sdb_probe_is_fat(buf)) {
            probe->volume = begins;
        }
    }
    probe->kind = SDB_PROBE_LOST;
    probe->advice = "TestDisk on a PC can restore the partition table. ";
    return res;
}

int sdb_probe(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    memset(probe, 0, sizeof(*probe));
    int res = sdb_probe_read(dev, 0, buf);
    if (res < 0) {
        return res;
    }
    if (sdb_mkfs_unfinished(buf)) {
        res = sdb_probe_marks(dev, probe, dev->sectors, buf);
        if (res == 0) {
            sdb_probe_found(probe, SDB_PROBE_UNFINISHED, "a format that was cut short", "");
        }
        return res < 0 ? res : 0;
    }
    // Partitions come before the rest of the "volume" at sector 0: the gap behind an MBR may hold
    // anything, our journal with copies of FAT sectors for one.
    if (probe_signed(buf) && !sdb_fatgeo_is_boot_sector(buf)) {
        res = probe_partitions(dev, probe, buf);
    } else {
        res = probe_volume(dev, probe, 0, dev->sectors, buf);
    }
    if (res == 1 && probe->kind == PROBE_EXFAT) {
        res = probe_exfat(dev, probe, buf);
    }
    if (res == 0) {
        res = probe_rest(dev, probe, buf);
    }
    return res < 0 ? res : 0;
}
