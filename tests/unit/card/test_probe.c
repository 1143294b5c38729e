// SPDX-License-Identifier: MIT
// What is on a card: volumes of real tools, crafted ones of those that are not at hand.
#define UNIT_FILE "probe"
#include "probe_cards.h"
#include "core/card/mkfs.h"

#include "lfs1.h"
#include "lfs2.h"

static const struct tool {
    const char *command;
    uint32_t sectors;
    int kind;
    const char *name;
    const char *wiped; // without its first sector; NULL: nothing is known
} tools[] = {
    {"mkfs.fat -F 12 %s", 2880, SDB_PROBE_FAT, "FAT", NULL},
    {"mkfs.fat -a -F 16 -R 1 %s", 32 * MIB, SDB_PROBE_FAT, "FAT", "damaged FAT"},
    {"mkfs.fat -F 32 -s 1 %s", 64 * MIB, SDB_PROBE_FAT, "FAT", "damaged FAT"},
    {"mkfs.exfat %s", 16 * MIB, SDB_PROBE_EXFAT_EMPTY, "empty exFAT", "damaged exFAT"},
    {"mkfs.exfat -c 4K -L card %s", 16 * MIB, SDB_PROBE_EXFAT_EMPTY, "empty exFAT",
     "damaged exFAT"},
    {"mkntfs -F -f -q %s", 8 * MIB, SDB_PROBE_FOREIGN, "NTFS", NULL},
    {"mke2fs -q -F -t ext2 %s", 4 * MIB, SDB_PROBE_FOREIGN, "ext2/3/4", "ext2/3/4"},
    {"mke2fs -q -F -t ext4 -b 4096 %s", 16 * MIB, SDB_PROBE_FOREIGN, "ext2/3/4", "ext2/3/4"},
    {"mkswap %s", 4 * MIB, SDB_PROBE_FOREIGN, "Linux swap", "Linux swap"},
};

static void test_tools(void **state) {
    (void)state;
    const uint8_t zeros[SDB_SECTOR] = {0};
    for (size_t i = 0; i < COUNT(tools); i++) {
        const struct tool *t = &tools[i];
        struct ramdisk d;
        ramdisk_init(&d, t->sectors + 8192, 0);
        make_volume(&d, 0, t->sectors, t->command);
        expect(&d, t->kind, 0, t->name);
        ramdisk_put(&d, 0, zeros);
        expect(&d, t->wiped ? SDB_PROBE_FOREIGN : SDB_PROBE_UNKNOWN, 0,
               t->wiped ? t->wiped : UNKNOWN);
        ramdisk_free(&d);

        // The same in a partition, in any of the four places of the table.
        ramdisk_init(&d, t->sectors + 8192, 0);
        make_volume(&d, 2048, t->sectors, t->command);
        for (int place = 0; place < 4; place++) {
            ramdisk_put(&d, 0, zeros);
            partition(&d, place, 0x0c, 2048, t->sectors);
            expect(&d, t->kind, 2048, t->name);
        }
        ramdisk_free(&d);
    }
}

static void test_own_format(void **state) {
    (void)state;
    uint8_t buf[4096];
    const uint32_t sizes[] = {3 * MIB, 64 * MIB, 512 * MIB};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        ramdisk_init(&d, sizes[i], 0);
        assert_int_equal(sdb_mkfs_fat(&d.dev, 1, buf, sizeof buf), 0);
        ramdisk_power_on(&d);
        expect(&d, SDB_PROBE_FAT, i == 0 ? 1024 : 8192, "FAT");
        ramdisk_free(&d);
    }
}

// ---- littlefs ----------------------------------------------------------------------------------

struct flash {
    struct ramdisk *disk;
    uint32_t start, block_size;
};

static int lfs_move(struct flash *f, uint32_t block, uint32_t off, void *buf, uint32_t len,
                    bool w) {
    uint32_t lba = f->start + (block * f->block_size + off) / SDB_SECTOR;
    assert_true(off % SDB_SECTOR == 0 && len % SDB_SECTOR == 0);
    for (uint32_t i = 0; i < len / SDB_SECTOR; i++) {
        uint8_t *at = (uint8_t *)buf + i * SDB_SECTOR;
        if (w) {
            ramdisk_put(f->disk, lba + i, at);
        } else {
            ramdisk_get(f->disk, lba + i, at);
        }
    }
    return 0;
}

#define LFS_CALLBACKS(n)                                                                           \
    static int lfs##n##_get(const struct lfs##n##_config *c, uint32_t block, uint32_t off,         \
                            void *buf, uint32_t len) {                                             \
        return lfs_move(c->context, block, off, buf, len, false);                                  \
    }                                                                                              \
    static int lfs##n##_put(const struct lfs##n##_config *c, uint32_t block, uint32_t off,         \
                            const void *buf, uint32_t len) {                                       \
        return lfs_move(c->context, block, off, (void *)buf, len, true);                           \
    }                                                                                              \
    static int lfs##n##_none(const struct lfs##n##_config *c, uint32_t block) {                    \
        (void)c;                                                                                   \
        (void)block;                                                                               \
        return 0;                                                                                  \
    }                                                                                              \
    static int lfs##n##_flush(const struct lfs##n##_config *c) {                                   \
        (void)c;                                                                                   \
        return 0;                                                                                  \
    }

LFS_CALLBACKS(1)
LFS_CALLBACKS(2)

static void format_lfs1(struct ramdisk *d, uint32_t start, uint32_t block_size) {
    struct flash f = {d, start, block_size};
    struct lfs1_config c = {.context = &f,
                            .read = lfs1_get,
                            .prog = lfs1_put,
                            .erase = lfs1_none,
                            .sync = lfs1_flush,
                            .read_size = 512,
                            .prog_size = 512,
                            .block_size = block_size,
                            .block_count = 64,
                            .lookahead = 64};
    lfs1_t lfs;
    assert_int_equal(lfs1_format(&lfs, &c), 0);
}

static void format_lfs2(struct ramdisk *d, uint32_t start, uint32_t block_size, int changes) {
    struct flash f = {d, start, block_size};
    struct lfs2_config c = {.context = &f,
                            .read = lfs2_get,
                            .prog = lfs2_put,
                            .erase = lfs2_none,
                            .sync = lfs2_flush,
                            .read_size = 512,
                            .prog_size = 512,
                            .block_size = block_size,
                            .block_count = 64,
                            .block_cycles = 100,
                            .cache_size = 512,
                            .lookahead_size = 64};
    lfs2_t lfs;
    assert_int_equal(lfs2_format(&lfs, &c), 0);
    assert_int_equal(lfs2_mount(&lfs, &c), 0);
    for (int i = 0; i < changes; i++) { // the superblock moves on
        char name[16];
        snprintf(name, sizeof name, "d%d", i % 5);
        assert_true(lfs2_mkdir(&lfs, name) == 0 || lfs2_remove(&lfs, name) == 0);
    }
    assert_int_equal(lfs2_unmount(&lfs), 0);
}

static void test_littlefs(void **state) {
    (void)state;
    const uint8_t zeros[SDB_SECTOR] = {0};
    for (uint32_t size = 512; size <= 65536; size *= 2) {
        UNIT_CASE(size);
        for (uint32_t start = 0; start <= 4096; start += 4096) {
            UNIT_CASE(start);
            for (int changes = 0; changes < 100; changes += 33) {
                UNIT_CASE(changes);
                struct ramdisk d;
                ramdisk_init(&d, 64 * 128 + 4096, 0xff);
                if (start != 0) {
                    ramdisk_put(&d, 0, zeros);
                    partition(&d, 0, 0x83, start, 8192);
                }
                format_lfs2(&d, start, size, changes);
                expect(&d, SDB_PROBE_LITTLEFS, start, "littlefs");
                assert_int_equal(probe(&d).block_size, size);
                ramdisk_put(&d, start, zeros); // block 1 holds a superblock as well
                expect(&d, SDB_PROBE_LITTLEFS, start, "littlefs");
                assert_int_equal(probe(&d).block_size, size);
                ramdisk_poke(&d, (uint64_t)(start + size / 512) * 512 + 22, "\x03", 1);
                expect(&d, SDB_PROBE_FOREIGN, start, "littlefs of another version");
                ramdisk_free(&d);
            }
        }
    }
    struct ramdisk d;
    ramdisk_init(&d, 8192, 0);
    format_lfs1(&d, 0, 4096);
    expect(&d, SDB_PROBE_FOREIGN, 0, "littlefs of another version");
    ramdisk_free(&d);
}

// ---- Several partitions ------------------------------------------------------------------------

// FAT, ext and empty exFAT, in every order of the table: the FAT is what will be mounted; without
// one, the first with something in it is named, and nothing is empty beside something else.
static void test_partitions(void **state) {
    (void)state;
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const uint32_t start[] = {2048, 12288, 22528};
    const uint8_t zeros[SDB_SECTOR] = {0};
    struct ramdisk d;
    ramdisk_init(&d, 60000, 0);
    make_volume(&d, start[0], 4 * MIB, "mkfs.fat -F 12 -s 8 %s");
    make_volume(&d, start[1], 4 * MIB, "mke2fs -q -F %s");
    make_volume(&d, start[2], 16 * MIB, "mkfs.exfat %s");
    for (size_t o = 0; o < COUNT(orders); o++) {
        for (unsigned with = 0; with < 8; with++) {
            UNIT_CASE(o * 8 + with);
            ramdisk_put(&d, 0, zeros);
            partition(&d, 0, 0, 0, 0);
            bool ext_first = false;
            for (int i = 2; i >= 0; i--) {
                int which = orders[o][i];
                if (with & 1u << which) {
                    partition(&d, i, 0x07, start[which], 4096);
                    ext_first = which == 0 ? ext_first : which == 1;
                }
            }
            if (with & 1) {
                expect(&d, SDB_PROBE_FAT, start[0], "FAT");
            } else if (with == 6 && !ext_first) {
                expect(&d, SDB_PROBE_FOREIGN, start[2], "exFAT beside other partitions");
            } else if (with & 2) {
                expect(&d, SDB_PROBE_FOREIGN, start[1], "ext2/3/4");
            } else if (with & 4) { // the others are there still, without an entry
                expect(&d, SDB_PROBE_FOREIGN, start[2], "empty exFAT and something beside it");
            } else {
                expect(&d, SDB_PROBE_LOST, start[0], "FAT");
            }
        }
    }
    // Two FATs: the first of the table, not of the card.
    make_volume(&d, start[1], 4 * MIB, "mkfs.fat -F 12 -s 8 %s");
    ramdisk_put(&d, 0, zeros);
    partition(&d, 1, 0x0e, start[1], 4096);
    partition(&d, 3, 0x0e, start[0], 4096);
    expect(&d, SDB_PROBE_FAT, start[1], "FAT");

    // A hybrid of GPT and MBR: FatFs mounts its FAT.
    partition(&d, 0, 0xee, 1, 59999);
    expect(&d, SDB_PROBE_FAT, start[1], "FAT");
    partition(&d, 1, 0xaf, 40000, 4096);
    partition(&d, 3, 0, 0, 0);
    expect(&d, SDB_PROBE_FOREIGN, 0, "GPT partitions");
    ramdisk_free(&d);

    // Four partitions, nothing known in any.
    ramdisk_init(&d, 60000, 0);
    for (int i = 0; i < 4; i++) {
        partition(&d, i, (uint8_t)(0x81 + i), 40000 + 1000 * (uint32_t)i, 1000);
    }
    expect(&d, SDB_PROBE_PARTITIONS, 0, "partitions");
    assert_int_equal(probe(&d).types, 0x84838281);

    // Partitions beyond the card, at sector 0; an empty table.
    ramdisk_put(&d, 0, zeros);
    partition(&d, 0, 0x0c, 60000, 100);
    partition(&d, 1, 0x0c, 0xffffffff, 100);
    partition(&d, 3, 0x0c, 0, 100);
    expect(&d, SDB_PROBE_UNKNOWN, 0, UNKNOWN);
    ramdisk_put(&d, 0, zeros);
    partition(&d, 0, 0, 0, 0);
    expect(&d, SDB_PROBE_UNKNOWN, 0, UNKNOWN);
    // Of type 0, which FatFs skips.
    partition(&d, 1, 0, 2048, 1000);
    expect(&d, SDB_PROBE_PARTITIONS, 0, "partitions");
    make_volume(&d, 2048, 4 * MIB, "mkfs.fat -F 12 -s 8 %s");
    expect(&d, SDB_PROBE_FOREIGN, 2048, "FAT in a partition of type 0");
    make_volume(&d, 2048, 16 * MIB, "mkfs.exfat %s");
    expect(&d, SDB_PROBE_FOREIGN, 2048, "exFAT beside other partitions");
    partition(&d, 1, 7, 2048, 32768);
    expect(&d, SDB_PROBE_EXFAT_EMPTY, 2048, "empty exFAT");
    ramdisk_free(&d);
}

static void logical(struct ramdisk *d, uint32_t base, uint32_t at, uint32_t start, uint32_t next) {
    uint8_t s[SDB_SECTOR] = {0};
    s[446 + 4] = start != 0 ? 0x0c : 0;
    sdb_put32(s + 446 + 8, start);
    s[462 + 4] = next != 0 ? 0x05 : 0;
    sdb_put32(s + 462 + 8, next != 0 ? next - base : 0);
    sdb_put16(s + 510, 0xaa55);
    ramdisk_put(d, at, s);
}

// Volumes in an extended partition: FatFs doesn't look there.
static void test_logical(void **state) {
    (void)state;
    const uint8_t types[] = {0x05, 0x0f, 0x85};
    struct ramdisk d;
    ramdisk_init(&d, 60000, 0);
    for (size_t i = 0; i < COUNT(types); i++) {
        UNIT_CASE(i);
        partition(&d, (int)i, types[i], 2048, 50000);
        expect(&d, SDB_PROBE_PARTITIONS, 0, "partitions"); // nothing in it
        partition(&d, (int)i, 0, 0, 0);
    }
    partition(&d, 1, 0x05, 2048, 50000);
    logical(&d, 2048, 2048, 2048, 0);
    make_volume(&d, 4096, 4 * MIB, "mkfs.fat -F 12 -s 8 %s");
    expect(&d, SDB_PROBE_FOREIGN, 4096, "FAT in a logical partition");
    ramdisk_free(&d);

    // The third of three.
    ramdisk_init(&d, 60000, 0);
    partition(&d, 1, 0x0f, 2048, 50000);
    logical(&d, 2048, 2048, 1000, 20000);
    logical(&d, 2048, 20000, 1000, 30000);
    logical(&d, 2048, 30000, 2048, 0);
    make_volume(&d, 32048, 8 * MIB, "mkfs.exfat %s");
    expect(&d, SDB_PROBE_FOREIGN, 32048, "exFAT in a logical partition");
    // Chains that go back, to themselves, beyond the card.
    const uint32_t next[] = {2048, 20000, 10000, 30000, 59999, 60000, 0xffffffff};
    for (size_t i = 0; i < COUNT(next); i++) {
        UNIT_CASE(i);
        logical(&d, 2048, 30000, 0xfffffff0, next[i]);
        expect(&d, SDB_PROBE_PARTITIONS, 0, "partitions");
    }
    // With a FAT in a primary partition beside it, that is what FatFs mounts.
    make_volume(&d, 52100, 2 * MIB, "mkfs.fat -F 12 -s 8 %s");
    partition(&d, 3, 0x01, 52100, 2 * MIB);
    expect(&d, SDB_PROBE_FAT, 52100, "FAT");
    ramdisk_free(&d);
}

// A boot sector that FatFs takes for none is not called FAT.
static void test_no_fat(void **state) {
    (void)state;
    struct ramdisk d;
    uint8_t boot[SDB_SECTOR];
    ramdisk_init(&d, 8192, 0);
    make_volume(&d, 0, 8192, "mkfs.fat -F 12 -s 8 -R 8 %s");
    ramdisk_get(&d, 0, boot);
    const uint32_t places[] = {0, 54, 55, 56, 510, 511};
    for (size_t i = 0; i < COUNT(places); i++) {
        uint8_t bad[SDB_SECTOR];
        memcpy(bad, boot, sizeof bad);
        bad[places[i]] ^= 0x55;
        ramdisk_put(&d, 0, bad);
        expect(&d, SDB_PROBE_FOREIGN, 0,
               places[i] - 54 < 3 ? "FAT without its type string" : "damaged FAT");
    }
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),    cmocka_unit_test(test_own_format),
        cmocka_unit_test(test_littlefs), cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_logical),  cmocka_unit_test(test_no_fat),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
