// SPDX-License-Identifier: MIT
// Filesystems and the like by their magic numbers.
#include "core/card/probe_parts.h"

#include "core/bytes.h"
#include "core/card/fatgeo.h"

#include <string.h>

// The bytes at offset `at` of sector `lba` of a volume. Sorted by lba.
static const struct mark {
    uint8_t lba, len;
    uint16_t at;
    char magic[10], name[20];
} marks[] = {
    {0, 8, 3, "NTFS    ", "NTFS"},
    {0, 8, 3, "-FVE-FS-", "BitLocker"},
    {0, 8, 3, "ReFS\0\0\0\0", "ReFS"},
    {0, 4, 0, "XFSB", "XFS"},
    {0, 6, 0, "LUKS\xba\xbe", "LUKS"},
    {0, 4, 0, "hsqs", "squashfs"},
    {0, 4, 0, "sqsh", "squashfs"},
    {0, 8, 0, "-rom1fs-", "romfs"},
    {0, 4, 0, "\x45\x3d\xcd\x28", "cramfs"},
    {0, 4, 0, "\x28\xcd\x3d\x45", "cramfs"},
    {0, 4, 0, "\xce\xfa\xad\x1b", "bfs"},
    {0, 4, 0, "\xfc\x4e\x2b\xa9", "md RAID"}, // superblock 1.1
    {0, 8, 0, "LABELONE", "LVM"},
    {0, 4, 32, "NXSB", "APFS"},
    {0, 4, 32, "1SFB", "BeOS BFS"},
    {0, 4, 64, "\x57\x45\x56\x82", "BSD partitions"},
    {0, 6, 257, "ustar\0", "a tar archive"},
    {0, 8, 257, "ustar  ", "a tar archive"}, // GNU's
    {1, 4, 0, "PM\0\0", "Apple partition map"},
    {1, 8, 0, "EFI PART", "GPT partitions"},
    {1, 8, 0, "LABELONE", "LVM"},
    {1, 4, 0, "\x57\x45\x56\x82", "BSD partitions"},
    {1, 4, 0, "\x45\x3d\xcd\x28", "cramfs"}, // behind boot code
    {1, 4, 32, "1SFB", "BeOS BFS"},
    {2, 4, 0, "\x10\x20\xf5\xf2", "F2FS"},
    {2, 4, 0, "H+\0\4", "HFS+"},
    {2, 4, 0, "HX\0\5", "HFS+"},
    {2, 4, 0, "\xe2\xe1\xf5\xe0", "EROFS"},
    {2, 8, 0, "\2\0\0\0\0\0\x34\x34", "NILFS2"},
    {2, 2, 56, "\x53\xef", "ext2/3/4"},
    {2, 2, 16, "\x7f\x13", "minix"},
    {2, 2, 16, "\x8f\x13", "minix"},
    {2, 2, 16, "\x68\x24", "minix"},
    {2, 2, 16, "\x78\x24", "minix"},
    {2, 2, 24, "\x5a\x4d", "minix"},
    {2, 2, 0, "BD", "HFS"},
    {2, 8, 0, "LABELONE", "LVM"},
    {3, 8, 0, "LABELONE", "LVM"},
    {7, 10, 502, "SWAPSPACE2", "Linux swap"},
    {7, 10, 502, "SWAP-SPACE", "Linux swap"},
    {8, 4, 0, "\xfc\x4e\x2b\xa9", "md RAID"}, // superblock 1.2
    {8, 8, 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca", "bcache"},
    {8, 8, 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9", "bcachefs"},
    {12, 8, 3, "EXFAT   ", "damaged exFAT"}, // backup of the boot sector
    {15, 10, 502, "SWAPSPACE2", "Linux swap"},
    {16, 4, 0, "\x49\xe8\x95\xf9", "HPFS"},
    {16, 6, 52, "ReIsEr", "ReiserFS"},
    {18, 4, 348, "\x54\x19\x01\x00", "UFS"},
    {31, 10, 502, "SWAPSPACE2", "Linux swap"},
    {32, 7, 24, "version", "ZFS"},
    {64, 4, 0, "JFS1", "JFS"},
    {64, 5, 1, "CD001", "ISO 9660"},
    {64, 5, 1, "BEA01", "UDF"},
    {127, 10, 502, "SWAPSPACE2", "Linux swap"},
    {128, 6, 52, "ReIsEr", "ReiserFS"},
    {128, 8, 64, "_BHRfS_M", "btrfs"},
    {128, 4, 0, "\x01\x16\x19\x70", "GFS2"},
    {130, 4, 348, "\x19\x01\x54\x19", "UFS"},
};

static const char restore[] = "TestDisk on a PC can restore it. ";
static const char not_mounted[] =
    "The firmware's FatFs does not mount it: copy the files to a PC. ";

static bool mark_is(const struct mark *m, const uint8_t *sector) {
    return memcmp(sector + m->at, m->magic, m->len) == 0;
}

static bool marks_signed(const uint8_t *boot) {
    return sdb_get16(boot + 510) == 0xaa55;
}

static bool marks_jump(const uint8_t *boot) {
    return boot[0] == 0xe9 || boot[0] == 0xe8 || boot[0] == 0xeb;
}

static bool marks_type(const uint8_t *boot) {
    return memcmp(boot + 54, "FAT", 3) == 0 || memcmp(boot + 82, "FAT32", 5) == 0;
}

static bool marks_power(uint32_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

bool sdb_probe_is_fat(const uint8_t *boot) {
    uint32_t sector = sdb_get16(boot + 11);
    int signs = marks_signed(boot) + marks_jump(boot) + marks_type(boot) +
                (sector >= 512 && sector <= 4096 && marks_power(sector)) + marks_power(boot[13]) +
                (sdb_get16(boot + 14) != 0) + (boot[16] == 1 || boot[16] == 2) + (boot[21] >= 0xf0);
    return signs >= 6; // one flipped bit, or two, and it is still seen
}

bool sdb_probe_is_volume(const uint8_t *boot) {
    return sdb_probe_is_fat(boot) || (marks_signed(boot) && (memcmp(boot + 3, "EXFAT   ", 8) == 0 ||
                                                             memcmp(boot + 3, "NTFS    ", 8) == 0));
}

// A boot sector that looks like FAT's: does FatFs mount it, and if not, why?
static int marks_fat(const struct sdb_bdev *dev, struct sdb_probe *probe, const uint8_t *boot) {
    struct sdb_fatgeo geo;
    if (sdb_fatgeo_parse(&geo, boot, probe->volume, dev->sectors) == 0) {
        return sdb_probe_found(probe, SDB_PROBE_FAT, "FAT", "");
    }
    const char *name = "damaged FAT";
    const char *advice = restore;
    bool fat32 = sdb_get16(boot + 17) == 0 && sdb_get16(boot + 22) == 0;
    uint32_t sector = sdb_get16(boot + 11);
    if (sector != SDB_SECTOR && marks_power(sector) && marks_type(boot)) {
        name = "FAT with sectors of more than 512 bytes";
        advice = not_mounted;
    } else if (marks_signed(boot) && marks_jump(boot) && !marks_type(boot)) {
        name = fat32 ? "FAT32 without its type string" : "FAT without its type string";
        advice = not_mounted;
    } else if (boot[16] > 2 && boot[16] <= 4) {
        name = "FAT with more than two copies of its table";
        advice = not_mounted;
    } else if (fat32 && geo.clusters != 0 && geo.type != 32) {
        name = "FAT32 with too few clusters";
        advice = not_mounted;
    }
    return sdb_probe_found(probe, SDB_PROBE_FOREIGN, name, advice);
}

int sdb_probe_boot(const struct sdb_bdev *dev, struct sdb_probe *probe, const uint8_t *boot) {
    if (sdb_probe_is_fat(boot) || (marks_signed(boot) && marks_jump(boot) && marks_type(boot))) {
        return marks_fat(dev, probe, boot);
    }
    if (memcmp(boot + 3, "EXFAT   ", 8) == 0) {
        return sdb_probe_found(probe, PROBE_EXFAT, "exFAT", "");
    }
    for (const struct mark *m = marks; m->lba == 0; m++) {
        if (mark_is(m, boot)) {
            return sdb_probe_found(probe, SDB_PROBE_FOREIGN, m->name, "");
        }
    }
    return 0;
}

// What a FAT volume has behind its boot sector.
static int marks_of_fat(struct sdb_probe *probe, uint32_t lba, const uint8_t *sector) {
    // A FAT begins with the media byte and an end mark.
    bool seen = lba == 1 && sector[0] >= 0xf8 && sector[1] == 0xff && sector[2] == 0xff &&
                sector[3] == 0xff && memcmp(sector, sector + 1, SDB_SECTOR - 1) != 0;
    if (seen || (lba == 6 && sdb_probe_is_fat(sector))) { // backup of the boot sector
        return sdb_probe_found(probe, SDB_PROBE_FOREIGN, "damaged FAT", restore);
    }
    return 0;
}

// md RAID 0.90 and 1.0 have their superblock at the end of the volume; NTFS and GPT a backup.
static int marks_at_end(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t sectors,
                        uint8_t *buf) {
    const uint32_t places[] = {(sectors & ~127u) - 128, (sectors - 16) & ~7u, sectors - 1};
    for (int i = 0; i < 3; i++) {
        if (sectors < 256) {
            return 0;
        }
        int res = sdb_probe_read(dev, probe->volume + places[i], buf);
        if (res < 0) {
            return res;
        }
        const char *name = NULL;
        if (i < 2) {
            name = sdb_get32(buf) == 0xa92b4efcu ? "md RAID" : NULL;
        } else if (memcmp(buf + 3, "NTFS    ", 8) == 0) {
            name = "damaged NTFS";
        } else if (memcmp(buf, "EFI PART", 8) == 0) {
            name = "GPT partitions";
        }
        if (name != NULL) {
            return sdb_probe_found(probe, SDB_PROBE_FOREIGN, name, "");
        }
    }
    return 0;
}

int sdb_probe_marks(const struct sdb_bdev *dev, struct sdb_probe *probe, uint32_t sectors,
                    uint8_t *buf) {
    static const uint8_t places[] = {1, 2, 3, 6, 7, 8, 12, 15, 16, 18, 31, 32, 64, 127, 128, 130};
    for (uint32_t i = 0; i < sizeof places; i++) {
        int res = sdb_probe_read(dev, probe->volume + places[i], buf);
        if (res == 0) {
            res = marks_of_fat(probe, places[i], buf);
        }
        if (res != 0) {
            return res;
        }
        for (uint32_t k = 0; k < sizeof marks / sizeof *marks; k++) {
            if (marks[k].lba == places[i] && mark_is(&marks[k], buf)) {
                return sdb_probe_found(probe, SDB_PROBE_FOREIGN, marks[k].name, "");
            }
        }
    }
    return marks_at_end(dev, probe, sectors, buf);
}
