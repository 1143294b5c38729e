// SPDX-License-Identifier: MIT
// Filesystems and the like that no tool here makes, by their magic numbers; and those of the tools
// that are there.
#define UNIT_FILE "marks"
#include "probe_cards.h"

static const struct mark {
    uint32_t at;
    const char *magic;
    uint32_t len;
    const char *name; // NULL: nothing that is known
} marks[] = {
    {3, "NTFS    ", 8, "NTFS"},
    {3, "-FVE-FS-", 8, "BitLocker"},
    {3, "ReFS\0\0\0\0", 8, "ReFS"},
    {0, "XFSB", 4, "XFS"},
    {0, "LUKS\xba\xbe", 6, "LUKS"},
    {0, "hsqs", 4, "squashfs"},
    {0, "-rom1fs-", 8, "romfs"},
    {0, "\x45\x3d\xcd\x28", 4, "cramfs"},
    {512, "\x45\x3d\xcd\x28", 4, "cramfs"},
    {0, "\xce\xfa\xad\x1b", 4, "bfs"},
    {32, "NXSB", 4, "APFS"},
    {544, "1SFB", 4, "BeOS BFS"},
    {257, "ustar\0", 6, "a tar archive"},
    {0, "LABELONE", 8, "LVM"},
    {512, "LABELONE", 8, "LVM"},
    {1024, "LABELONE", 8, "LVM"},
    {1536, "LABELONE", 8, "LVM"},
    {512, "EFI PART", 8, "GPT partitions"},
    {512, "PM\0\0\0\0\0\3", 8, "Apple partition map"},
    {64, "\x57\x45\x56\x82", 4, "BSD partitions"},
    {512, "\x57\x45\x56\x82", 4, "BSD partitions"},
    {512, "\xf8\xff\xff\xff", 4, "damaged FAT"},
    {512, "\xf8\xff\xff\x0f", 4, NULL},
    {1024, "\x10\x20\xf5\xf2", 4, "F2FS"},
    {1024, "H+\0\4", 4, "HFS+"},
    {1024, "HX\0\5", 4, "HFS+"},
    {1024, "BD", 2, "HFS"},
    {1024, "\xe2\xe1\xf5\xe0", 4, "EROFS"},
    {1024, "\2\0\0\0\0\0\x34\x34", 8, "NILFS2"},
    {1024 + 56, "\x53\xef", 2, "ext2/3/4"},
    {1024 + 16, "\x7f\x13", 2, "minix"},
    {1024 + 16, "\x8f\x13", 2, "minix"},
    {1024 + 16, "\x68\x24", 2, "minix"},
    {1024 + 16, "\x78\x24", 2, "minix"},
    {1024 + 24, "\x5a\x4d", 2, "minix"},
    {4086, "SWAPSPACE2", 10, "Linux swap"},
    {4086, "SWAP-SPACE", 10, "Linux swap"},
    {8182, "SWAPSPACE2", 10, "Linux swap"},
    {16374, "SWAPSPACE2", 10, "Linux swap"},
    {65526, "SWAPSPACE2", 10, "Linux swap"},
    {0, "\xfc\x4e\x2b\xa9\1\0\0\0", 8, "md RAID"},
    {4096, "\xfc\x4e\x2b\xa9\1\0\0\0", 8, "md RAID"},
    {4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca", 8, "bcache"},
    {4096 + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9", 8, "bcachefs"},
    {12 * 512 + 3, "EXFAT   ", 8, "damaged exFAT"},
    {8192, "\x49\xe8\x95\xf9", 4, "HPFS"},
    {8192 + 52, "ReIsErFs", 8, "ReiserFS"},
    {65536 + 52, "ReIsEr2Fs", 9, "ReiserFS"},
    {8192 + 1372, "\x54\x19\x01\x00", 4, "UFS"},
    {65536 + 1372, "\x19\x01\x54\x19", 4, "UFS"},
    {16384 + 24, "version", 7, "ZFS"},
    {32768, "JFS1", 4, "JFS"},
    {32769, "CD001", 5, "ISO 9660"},
    {32769, "BEA01", 5, "UDF"},
    {65600, "_BHRfS_M", 8, "btrfs"},
    {65536, "\x01\x16\x19\x70", 4, "GFS2"},
    {5000, "anything else", 13, NULL},
};

static void test_crafted(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(marks); i++) {
        UNIT_CASE(i);
        for (uint32_t start = 0; start <= 2048; start += 2048) {
            for (uint32_t shift = 0; shift < 2; shift++) {
                UNIT_CASE(start + shift);
                struct ramdisk d;
                ramdisk_init(&d, 8192, 0);
                // A byte beside its place it means nothing.
                ramdisk_poke(&d, (uint64_t)start * 512 + marks[i].at + shift, marks[i].magic,
                             marks[i].len);
                if (start != 0) {
                    partition(&d, 2, 0x83, start, 4096);
                }
                bool seen = shift == 0 && marks[i].name != NULL;
                if (seen) {
                    expect(&d, SDB_PROBE_FOREIGN, start, marks[i].name);
                } else if (start == 0) {
                    expect(&d, SDB_PROBE_UNKNOWN, 0, UNKNOWN);
                } else {
                    expect(&d, SDB_PROBE_PARTITIONS, 0, "partitions");
                }
                ramdisk_free(&d);
            }
        }
    }
}

// What is at the end of a volume: md RAID 0.90 and 1.0, backups of NTFS and GPT. In volumes of
// every length, beyond the samples and beyond 1 TiB.
static void test_at_end(void **state) {
    (void)state;
    const uint32_t sizes[] = {4096, 8191, 131072 + 17, 3u << 30, 0xffffffff};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(sizes[i]);
        uint32_t n = sizes[i];
        const struct {
            uint32_t lba;
            uint32_t at;
            const char *magic, *name;
        } ends[] = {
            {n / 128 * 128 - 128, 0, "\xfc\x4e\x2b\xa9",
             "md RAID"},                                          // 64 KiB blocks, the last but one
            {(n - 16) / 8 * 8, 0, "\xfc\x4e\x2b\xa9", "md RAID"}, // 8 KiB, at 4 KiB
            {n - 1, 3, "NTFS    ", "damaged NTFS"},
            {n - 1, 0, "EFI PART", "GPT partitions"},
        };
        for (size_t k = 0; k < COUNT(ends); k++) {
            UNIT_CASE(k);
            struct ramdisk d;
            ramdisk_init(&d, n, 0);
            ramdisk_poke(&d, (uint64_t)ends[k].lba * 512 + ends[k].at, ends[k].magic,
                         (uint32_t)strlen(ends[k].magic));
            expect(&d, SDB_PROBE_FOREIGN, 0, ends[k].name);
            ramdisk_free(&d);
            if (n < 1u << 31) { // in a partition, the card goes on behind it
                ramdisk_init(&d, n + 5000, 0);
                partition(&d, 0, 0xfd, 2048, n);
                ramdisk_poke(&d, (uint64_t)(2048 + ends[k].lba) * 512 + ends[k].at, ends[k].magic,
                             (uint32_t)strlen(ends[k].magic));
                expect(&d, SDB_PROBE_FOREIGN, 2048, ends[k].name);
                ramdisk_free(&d);
            }
        }
    }
}

static const struct tool {
    const char *command;
    uint32_t mib;
    const char *name;
} tools[] = {
    {"mkfs.minix -1 %s", 16, "minix"},
    {"mkfs.minix -2 -n 14 %s", 16, "minix"},
    {"mkfs.minix -3 %s", 16, "minix"},
    {"mkfs.bfs %s", 4, "bfs"},
    {"mkswap -p 4096 %s", 4, "Linux swap"},
    {"mkswap -p 65536 %s", 4, "Linux swap"},
    {"mkudffs --media-type=hd --blocksize=512 %s", 64, "UDF"},
    {"mkudffs --media-type=hd --blocksize=2048 %s", 64, "UDF"},
    {"mkudffs --media-type=hd --blocksize=4096 %s", 64, "UDF"},
    {"mkudffs --media-type=hd --blocksize=512 --bootarea=mbr %s", 64, "UDF"},
    {"mkfs.jfs -q %s", 32, "JFS"},
    {"mkreiserfs -q -f -s 513 %s", 64, "ReiserFS"},
    {"mkfs.nilfs2 -q -f %s", 160, "NILFS2"},
    {"hformat -l Mac %s", 16, "HFS"},
    {"parted -s %s mklabel mac mkpart primary 4MiB 30MiB", 32, "Apple partition map"},
    {"parted -s %s mklabel gpt mkpart primary 4MiB 30MiB", 32, "GPT partitions"},
    {"parted -s %s mklabel bsd mkpart 4MiB 30MiB", 32, "BSD partitions"},
    {"mkfs.btrfs -q -f %s", 128, "btrfs"},
    {"mkfs.f2fs -q %s", 64, "F2FS"},
    {"mkfs.xfs -q %s", 320, "XFS"},
    {"mke2fs -q -F -t ext4 -O ^has_journal %s", 16, "ext2/3/4"},
};

static void test_tools(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(tools); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        ramdisk_init(&d, tools[i].mib * MIB, 0);
        if (try_volume(&d, 0, tools[i].mib * MIB, tools[i].command)) {
            expect(&d, SDB_PROBE_FOREIGN, 0, tools[i].name);
        }
        ramdisk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crafted),
        cmocka_unit_test(test_at_end),
        cmocka_unit_test(test_tools),
    };
    return cmocka_run_group_tests_name("probe_marks", tests, NULL, NULL);
}
