#include "core/card/probe.h"

#include "core/bytes.h"
#include "core/error.h"

#include <stdbool.h>
#include <string.h>

enum {
    PROBE_SIGNATURE = 510, // of an MBR and of a FAT boot sector: 55 AA
    PROBE_PARTITION = 446, // first of four partition entries of 16 bytes
    PROBE_PART_TYPE = 4,   // in an entry
    PROBE_PART_START = 8,
    PROBE_PART_GPT = 0xee,
};

static int probe_read(const struct sdb_bdev *dev, uint32_t lba, uint8_t *buf) {
    if (lba >= dev->sectors) {
        memset(buf, 0, SDB_SECTOR); // a magic number can't be there
        return 0;
    }
    return dev->read(dev->ctx, lba, 1, buf);
}

static bool probe_uniform(const uint8_t *buf) {
    for (uint32_t i = 1; i < SDB_SECTOR; i++) {
        if (buf[i] != buf[0]) {
            return false;
        }
    }
    return buf[0] == 0x00 || buf[0] == 0xff;
}

static bool probe_signed(const uint8_t *buf) {
    return buf[PROBE_SIGNATURE] == 0x55 && buf[PROBE_SIGNATURE + 1] == 0xaa;
}

static bool probe_jump(const uint8_t *buf) {
    return buf[0] == 0xe9 || buf[0] == 0xe8 || buf[0] == 0xeb;
}

// "FAT" or "FAT32" where a boot sector names its type: what FatFs goes by, too.
static bool probe_fat_boot(const uint8_t *buf) {
    return probe_signed(buf) && probe_jump(buf) &&
           (memcmp(buf + 54, "FAT", 3) == 0 || memcmp(buf + 82, "FAT32", 5) == 0);
}

static int probe_found(struct sdb_probe *probe, int kind, const char *name) {
    probe->kind = kind;
    probe->name = name;
    return 1;
}

// Is the exFAT entry set at `at` the folder that Windows makes on every card it sees? buf holds one
// sector; the names's first 15 characters are two entries further on.
static bool probe_is_windows_folder(const uint8_t *buf, uint32_t at) {
    static const char name[] = "System Volume I";
    if (at + 96 > SDB_SECTOR || buf[at + 64] != 0xc1) {
        return false;
    }
    for (uint32_t i = 0; i < 15; i++) {
        if (sdb_get16(buf + at + 66 + 2 * i) != (uint8_t)name[i]) {
            return false;
        }
    }
    return true;
}

// exFAT: does the root directory hold an entry of a file? buf holds the boot sector.
static int probe_exfat(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    uint32_t shift = buf[108]; // BytesPerSectorShift, 9 to 12
    uint32_t heap = sdb_get32(buf + 88);
    uint32_t root = sdb_get32(buf + 96);
    uint32_t per_cluster = buf[109]; // SectorsPerClusterShift
    probe_found(probe, SDB_PROBE_FOREIGN, "exFAT with files");
    if (shift < 9 || shift > 12 || per_cluster > 25 - shift || root < 2) {
        probe->name = "damaged exFAT";
        return 1;
    }
    uint32_t lba = probe->volume + ((heap + ((root - 2) << per_cluster)) << (shift - 9));
    uint32_t sectors = 1u << (per_cluster + shift - 9);
    bool bitmap = false;
    // An empty root has a label, a bitmap and an upcase table and then the end, all in one sector.
    for (uint32_t i = 0; i < sectors && i < 16; i++) {
        if (lba + i >= dev->sectors) {
            probe->name = "damaged exFAT";
            return 1;
        }
        int res = probe_read(dev, lba + i, buf);
        if (res < 0) {
            return res;
        }
        for (uint32_t e = 0; e < SDB_SECTOR; e += 32) {
            if (buf[e] == 0x85 && !probe_is_windows_folder(buf, e)) {
                return 1;
            }
            bitmap = bitmap || buf[e] == 0x81;
            if (buf[e] == 0x00) {
                // No root directory is without a bitmap: this is not where it is.
                return bitmap ? probe_found(probe, SDB_PROBE_EXFAT_EMPTY, "empty exFAT")
                              : probe_found(probe, SDB_PROBE_FOREIGN, "damaged exFAT");
            }
        }
    }
    return 1;
}

// littlefs: the superblock is in block 0 or 1, the size of which is not known beforehand.
static int probe_littlefs(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    for (uint32_t lba = 0; lba <= 128; lba = lba == 0 ? 1 : lba * 2) {
        int res = probe_read(dev, probe->volume + lba, buf);
        if (res < 0) {
            return res;
        }
        // revision, tag, "littlefs", tag of the inline struct, version, block size
        if (memcmp(buf + 8, "littlefs", 8) == 0) {
            probe->block_size = sdb_get32(buf + 24);
            return buf[22] == 2
                       ? probe_found(probe, SDB_PROBE_LITTLEFS, "littlefs")
                       : probe_found(probe, SDB_PROBE_FOREIGN, "littlefs of another version");
        }
        if (memcmp(buf + 40, "littlefs", 8) == 0) { // version 1 has it there
            return probe_found(probe, SDB_PROBE_FOREIGN, "littlefs of another version");
        }
    }
    return 0;
}

// Magic numbers in the sector `lba` of a volume that is in buf.
static const char *probe_magic(uint32_t lba, const uint8_t *buf) {
    switch (lba) {
    case 0:
        if (memcmp(buf + 3, "NTFS    ", 8) == 0) {
            return "NTFS";
        }
        if (memcmp(buf, "XFSB", 4) == 0) {
            return "XFS";
        }
        if (memcmp(buf, "LUKS\xba\xbe", 6) == 0) {
            return "LUKS";
        }
        if (memcmp(buf, "hsqs", 4) == 0) {
            return "squashfs";
        }
        return memcmp(buf + 32, "NXSB", 4) == 0 ? "APFS" : NULL;
    case 1:
        if (memcmp(buf, "LABELONE", 8) == 0) {
            return "LVM";
        }
        if (memcmp(buf, "EFI PART", 8) == 0) {
            return "GPT partitions";
        }
        // A FAT begins with the media byte and an end mark.
        if (buf[0] >= 0xf8 && buf[1] == 0xff && buf[2] == 0xff && buf[3] == 0xff &&
            !probe_uniform(buf)) {
            return "damaged FAT";
        }
        return NULL;
    case 2:
        if (sdb_get16(buf + 56) == 0xef53) {
            return "ext2/3/4";
        }
        if (sdb_get32(buf) == 0xf2f52010u) {
            return "F2FS";
        }
        return memcmp(buf, "H+\0\4", 4) == 0 || memcmp(buf, "HX\0\5", 4) == 0 ? "HFS+" : NULL;
    case 6:
        return probe_fat_boot(buf) ? "damaged FAT" : NULL; // backup of the boot sector
    case 7:
        return memcmp(buf + 502, "SWAPSPACE2", 10) == 0 ? "Linux swap" : NULL;
    case 64:
        return memcmp(buf + 1, "CD001", 5) == 0 ? "ISO 9660" : NULL;
    case 128:
        return memcmp(buf + 64, "_BHRfS_M", 8) == 0 ? "btrfs" : NULL;
    default:
        return NULL;
    }
}

// A volume by its first sector, which is in buf. Returns 1 if recognised, 0 if not, or an error.
static int probe_first_sector(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    if (probe_fat_boot(buf)) {
        return probe_found(probe, SDB_PROBE_FAT, "FAT");
    }
    if (probe_signed(buf) && memcmp(buf + 3, "EXFAT   ", 8) == 0) {
        return probe_exfat(dev, probe, buf);
    }
    const char *name = probe_magic(0, buf);
    return name != NULL ? probe_found(probe, SDB_PROBE_FOREIGN, name) : 0;
}

// A volume by what is in its further sectors. Returns as probe_first_sector.
static int probe_further(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    static const uint8_t places[] = {1, 2, 6, 7, 64, 128};
    for (uint32_t i = 0; i < sizeof(places); i++) {
        int res = probe_read(dev, probe->volume + places[i], buf);
        if (res < 0) {
            return res;
        }
        const char *name = probe_magic(places[i], buf);
        if (name != NULL) {
            return probe_found(probe, SDB_PROBE_FOREIGN, name);
        }
    }
    return probe_littlefs(dev, probe, buf);
}

// The four partitions. FatFs mounts the first one with a FAT, so that is looked for first; any
// other recognised volume is somebody's data. buf holds the MBR. Returns as probe_first_sector.
static int probe_partitions(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    uint32_t start[4];
    bool gpt = false;
    for (int i = 0; i < 4; i++) {
        const uint8_t *entry = buf + PROBE_PARTITION + 16 * i;
        start[i] = entry[PROBE_PART_TYPE] != 0 ? sdb_get32(entry + PROBE_PART_START) : 0;
        gpt = gpt || entry[PROBE_PART_TYPE] == PROBE_PART_GPT;
    }
    if (gpt) {
        return probe_found(probe, SDB_PROBE_FOREIGN, "GPT partitions");
    }
    struct sdb_probe first = {0, 0, 0, NULL};
    for (int i = 0; i < 4; i++) {
        if (start[i] == 0 || start[i] >= dev->sectors) {
            continue;
        }
        probe->volume = start[i];
        int res = probe_read(dev, start[i], buf);
        if (res == 0) {
            res = probe_first_sector(dev, probe, buf);
        }
        if (res == 0) {
            res = probe_further(dev, probe, buf);
        }
        if (res < 0 || (res == 1 && probe->kind == SDB_PROBE_FAT)) {
            return res;
        }
        // Data outweighs an empty volume beside it.
        if (res == 1 && (first.name == NULL || first.kind == SDB_PROBE_EXFAT_EMPTY)) {
            first = *probe;
        }
    }
    if (first.name == NULL) {
        probe->volume = 0;
        return 0;
    }
    *probe = first;
    return 1;
}

int sdb_probe(const struct sdb_bdev *dev, struct sdb_probe *probe, uint8_t *buf) {
    memset(probe, 0, sizeof(*probe));
    int res = probe_read(dev, 0, buf);
    if (res < 0) {
        return res;
    }
    bool blank = probe_uniform(buf);
    bool partitioned = probe_signed(buf);
    res = probe_first_sector(dev, probe, buf);
    // Partitions come before the rest of the "volume" at sector 0: the gap behind an MBR may hold
    // anything, our journal with copies of FAT sectors for one.
    if (res == 0 && partitioned) {
        res = probe_partitions(dev, probe, buf);
    }
    if (res == 0) {
        res = probe_further(dev, probe, buf);
    }
    if (res == 0) {
        probe_found(probe, blank ? SDB_PROBE_BLANK : SDB_PROBE_UNKNOWN,
                    blank ? "nothing" : "nothing that is known");
    }
    return res < 0 ? res : 0;
}
