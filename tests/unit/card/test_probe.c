// What is on a card: volumes of real tools, crafted ones of those that are not at hand.
#include "unit.h"
#include "core/bytes.h"
#include "core/error.h"
#include "core/card/mkfs.h"
#include "core/card/probe.h"
#include "ramdisk.h"

#include "lfs1.h"
#include "lfs2.h"

#define MIB 2048u

// Runs `command` with %s replaced by a file of so many sectors, and puts that at `lba`.
static void make_volume(struct ramdisk *d, uint32_t lba, uint32_t sectors, const char *command) {
    static const char image[] = OUT "/probe.img";
    char line[600];
    FILE *f = fopen(image, "w");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)sectors * SDB_SECTOR - 1, SEEK_SET), 0);
    fputc(0, f);
    fclose(f);
    int n = snprintf(line, sizeof line, "export PATH=$PATH:/sbin:/usr/sbin; ");
    n += snprintf(line + n, sizeof line - (size_t)n, command, image);
    snprintf(line + n, sizeof line - (size_t)n, " >%s.log 2>&1", image);
    if (system(line) != 0) {
        fail_msg("%s: see %s.log", line, image);
    }
    ramdisk_load(d, lba, image);
    remove(image);
}

static struct sdb_probe probe(struct ramdisk *d) {
    struct sdb_probe p;
    uint8_t buf[SDB_SECTOR];
    memset(&p, 0xa5, sizeof p);
    d->reads = 0;
    assert_int_equal(sdb_probe(&d->dev, &p, buf), 0);
    assert_true(d->reads <= 80);
    assert_int_equal(d->writes, 0);
    assert_non_null(p.name);
    return p;
}

static void expect(struct ramdisk *d, int kind, uint32_t volume, const char *name) {
    struct sdb_probe p = probe(d);
    if (p.kind != kind || p.volume != volume || strcmp(p.name, name) != 0) {
        fail_msg("want %d at %u \"%s\", got %d at %u \"%s\"", kind, (unsigned)volume, name, p.kind,
                 (unsigned)p.volume, p.name);
    }
    // An error of any read is an error, never a kind.
    unsigned reads = d->reads;
    for (unsigned n = 1; n <= reads; n++) {
        UNIT_CASE(n);
        uint8_t buf[SDB_SECTOR];
        d->reads = 0;
        d->fail_read = n;
        assert_int_equal(sdb_probe(&d->dev, &p, buf), SDB_EIO);
        assert_int_equal(d->reads, n);
    }
    d->fail_read = 0;
}

static void partition(struct ramdisk *d, int i, uint8_t type, uint32_t start, uint32_t sectors) {
    uint8_t mbr[SDB_SECTOR];
    ramdisk_get(d, 0, mbr);
    uint8_t *entry = mbr + 446 + 16 * i;
    entry[4] = type;
    sdb_put32(entry + 8, start);
    sdb_put32(entry + 12, sectors);
    sdb_put16(mbr + 510, 0xaa55);
    ramdisk_put(d, 0, mbr);
}

static const struct tool {
    const char *command;
    uint32_t sectors;
    int kind;
    const char *name;
    const char *wiped; // without its first sector; NULL: nothing is seen
} tools[] = {
    {"mkfs.fat -F 12 %s", 2880, SDB_PROBE_FAT, "FAT", NULL},
    {"mkfs.fat -a -F 16 -R 1 %s", 32 * MIB, SDB_PROBE_FAT, "FAT", "damaged FAT"},
    {"mkfs.fat -F 32 -s 1 %s", 64 * MIB, SDB_PROBE_FAT, "FAT", "damaged FAT"},
    {"mkfs.exfat %s", 16 * MIB, SDB_PROBE_EXFAT_EMPTY, "empty exFAT", NULL},
    {"mkfs.exfat -c 4K -L card %s", 16 * MIB, SDB_PROBE_EXFAT_EMPTY, "empty exFAT", NULL},
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
        expect(&d, t->wiped ? SDB_PROBE_FOREIGN : SDB_PROBE_BLANK, 0,
               t->wiped ? t->wiped : "nothing");
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

static void test_blank(void **state) {
    (void)state;
    const uint32_t sizes[] = {1, 2, 8, 100, 4096, 0xffffffff};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (int fill = 0; fill < 256; fill += fill < 2 ? 1 : 253) {
            struct ramdisk d;
            if (sizes[i] > 4096 && fill != 0) {
                continue;
            }
            ramdisk_init(&d, sizes[i], (uint8_t)fill);
            bool blank = fill == 0 || fill == 0xff;
            expect(&d, blank ? SDB_PROBE_BLANK : SDB_PROBE_UNKNOWN, 0,
                   blank ? "nothing" : "nothing that is known");
            ramdisk_free(&d);
        }
    }
    // One byte that is not like the others: something was there.
    for (uint32_t byte = 0; byte < SDB_SECTOR; byte += 511) {
        struct ramdisk d;
        ramdisk_init(&d, 4096, 0);
        ramdisk_poke(&d, byte, "\x01", 1);
        expect(&d, SDB_PROBE_UNKNOWN, 0, "nothing that is known");
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

// Magic numbers of what no tool here makes.
static void test_crafted(void **state) {
    (void)state;
    const struct {
        uint32_t at;
        const char *magic;
        uint32_t len;
        const char *name;
    } marks[] = {
        {3, "NTFS    ", 8, "NTFS"},
        {0, "XFSB", 4, "XFS"},
        {0, "LUKS\xba\xbe", 6, "LUKS"},
        {0, "hsqs", 4, "squashfs"},
        {32, "NXSB", 4, "APFS"},
        {512, "LABELONE", 8, "LVM"},
        {512, "EFI PART", 8, "GPT partitions"},
        {512, "\xf8\xff\xff\xff", 4, "damaged FAT"},
        {512, "\xf8\xff\xff\x0f", 4, NULL},
        {1024, "\x10\x20\xf5\xf2", 4, "F2FS"},
        {1024, "H+\0\4", 4, "HFS+"},
        {1024, "HX\0\5", 4, "HFS+"},
        {4086, "SWAPSPACE2", 10, "Linux swap"},
        {32769, "CD001", 5, "ISO 9660"},
        {65600, "_BHRfS_M", 8, "btrfs"},
    };
    for (size_t i = 0; i < COUNT(marks); i++) {
        for (uint32_t start = 0; start <= 2048; start += 2048) {
            for (uint32_t shift = 0; shift < 2;
                 shift++) { // a byte beside its place it means nothing
                struct ramdisk d;
                ramdisk_init(&d, 8192, 0);
                ramdisk_poke(&d, (uint64_t)start * 512 + marks[i].at + shift, marks[i].magic,
                             marks[i].len);
                if (start != 0) {
                    partition(&d, 2, 0x83, start, 4096);
                }
                bool seen = shift == 0 && marks[i].name != NULL;
                bool blank = start == 0 && marks[i].at + shift >= 512;
                expect(&d,
                       seen    ? SDB_PROBE_FOREIGN
                       : blank ? SDB_PROBE_BLANK
                               : SDB_PROBE_UNKNOWN,
                       seen ? start : 0,
                       seen    ? marks[i].name
                       : blank ? "nothing"
                               : "nothing that is known");
                ramdisk_free(&d);
            }
        }
    }
}

// exFAT: what the root directory says counts; what can't be read as one is not called empty.
static void test_exfat(void **state) {
    (void)state;
    struct ramdisk d;
    uint8_t boot[SDB_SECTOR], root[SDB_SECTOR], zeros[SDB_SECTOR] = {0};
    ramdisk_init(&d, 16 * MIB, 0);
    make_volume(&d, 0, 16 * MIB, "mkfs.exfat -c 4K %s");
    ramdisk_get(&d, 0, boot);
    uint32_t lba = sdb_get32(boot + 88) + ((sdb_get32(boot + 96) - 2) << boot[109]);
    ramdisk_get(&d, lba, root);

    ramdisk_put(&d, lba, zeros); // no bitmap: that is no root directory
    expect(&d, SDB_PROBE_FOREIGN, 0, "damaged exFAT");
    for (uint32_t e = 96; e < 512; e += 32) { // entries of deleted files, then one of a file
        uint8_t with[SDB_SECTOR];
        memcpy(with, root, sizeof with);
        for (uint32_t k = 96; k < e; k += 32) {
            with[k] = 0x05;
        }
        ramdisk_put(&d, lba, with);
        expect(&d, SDB_PROBE_EXFAT_EMPTY, 0, "empty exFAT");
        with[e] = 0x85;
        ramdisk_put(&d, lba, with);
        expect(&d, SDB_PROBE_FOREIGN, 0, "exFAT with files");
    }
    // The folder that Windows makes on every card is not a file of the user's.
    static const char folder[] = "System Volume I";
    uint8_t with[SDB_SECTOR];
    memcpy(with, root, sizeof with);
    with[96] = 0x85;
    with[128] = 0xc0;
    with[160] = 0xc1;
    for (uint32_t i = 0; i < 15; i++) {
        with[162 + 2 * i] = (uint8_t)folder[i];
    }
    with[192] = 0xc1;
    ramdisk_put(&d, lba, with);
    expect(&d, SDB_PROBE_EXFAT_EMPTY, 0, "empty exFAT");
    with[164] = 'x';
    ramdisk_put(&d, lba, with);
    expect(&d, SDB_PROBE_FOREIGN, 0, "exFAT with files");
    // The file in the second sector of the root.
    memset(root + 96, 0x05, sizeof root - 96);
    ramdisk_put(&d, lba, root);
    expect(&d, SDB_PROBE_EXFAT_EMPTY, 0, "empty exFAT");
    ramdisk_poke(&d, (uint64_t)(lba + 1) * 512, "\x85", 1);
    expect(&d, SDB_PROBE_FOREIGN, 0, "exFAT with files");
    for (uint32_t i = 0; i < 8; i++) { // a whole cluster without an end: not known to be empty
        ramdisk_put(&d, lba + i, root);
    }
    expect(&d, SDB_PROBE_FOREIGN, 0, "exFAT with files");

    const struct {
        uint32_t at, value, len;
    } damage[] = {
        {108, 8, 1}, {108, 13, 1},        {109, 17, 1},        {109, 255, 1},     {96, 0, 4},
        {96, 1, 4},  {96, 0xffffffff, 4}, {88, 0xf0000000, 4}, {96, 0x100000, 4},
    };
    for (size_t i = 0; i < COUNT(damage); i++) {
        uint8_t value[4];
        sdb_put32(value, damage[i].value);
        ramdisk_put(&d, 0, boot);
        ramdisk_poke(&d, damage[i].at, value, damage[i].len);
        expect(&d, SDB_PROBE_FOREIGN, 0, "damaged exFAT");
    }
    ramdisk_free(&d);
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
// one, what holds data outweighs what is empty.
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
            ramdisk_put(&d, 0, zeros);
            partition(&d, 0, 0, 0, 0);
            for (int i = 0; i < 3; i++) {
                int which = orders[o][i];
                if (with & 1u << which) {
                    partition(&d, i, 0x07, start[which], 4096);
                }
            }
            if (with & 1) {
                expect(&d, SDB_PROBE_FAT, start[0], "FAT");
            } else if (with & 2) {
                expect(&d, SDB_PROBE_FOREIGN, start[1], "ext2/3/4");
            } else if (with & 4) {
                expect(&d, SDB_PROBE_EXFAT_EMPTY, start[2], "empty exFAT");
            } else {
                expect(&d, SDB_PROBE_UNKNOWN, 0, "nothing that is known");
            }
        }
    }
    // Two FATs: the first of the table, not of the card.
    make_volume(&d, start[1], 4 * MIB, "mkfs.fat -F 12 -s 8 %s");
    ramdisk_put(&d, 0, zeros);
    partition(&d, 1, 0x0e, start[1], 4096);
    partition(&d, 3, 0x0e, start[0], 4096);
    expect(&d, SDB_PROBE_FAT, start[1], "FAT");

    // GPT: even with a FAT in the table, as hybrids have it.
    partition(&d, 0, 0xee, 1, 59999);
    expect(&d, SDB_PROBE_FOREIGN, 0, "GPT partitions");

    // The most to read: four partitions, nothing known in any.
    ramdisk_put(&d, 0, zeros);
    for (int i = 0; i < 4; i++) {
        partition(&d, i, 0x83, 40000 + 1000 * (uint32_t)i, 1000);
    }
    expect(&d, SDB_PROBE_UNKNOWN, 0, "nothing that is known");
    probe(&d);
    assert_int_equal(d.reads, 80);

    // Partitions beyond the card, of type 0, at sector 0.
    ramdisk_put(&d, 0, zeros);
    partition(&d, 0, 0x0c, 60000, 100);
    partition(&d, 1, 0x0c, 0xffffffff, 100);
    partition(&d, 2, 0x00, start[0], 100);
    partition(&d, 3, 0x0c, 0, 100);
    expect(&d, SDB_PROBE_UNKNOWN, 0, "nothing that is known");
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
        expect(&d, SDB_PROBE_UNKNOWN, 0, "nothing that is known");
    }
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),      cmocka_unit_test(test_blank),
        cmocka_unit_test(test_own_format), cmocka_unit_test(test_crafted),
        cmocka_unit_test(test_exfat),      cmocka_unit_test(test_littlefs),
        cmocka_unit_test(test_partitions), cmocka_unit_test(test_no_fat),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
