// SPDX-License-Identifier: MIT
// exFAT is empty only if everything agrees that it is. The cards are those of mkfs.exfat with
// directories made here.
#define UNIT_FILE "exfat"
#include "probe_cards.h"

#define SIZE (16 * MIB)
#define EMPTY SDB_PROBE_EXFAT_EMPTY

struct volume {
    struct ramdisk d;
    uint32_t heap, fat, root, shift, bitmap, next;
    uint32_t end; // the first free entry of the root directory
    uint32_t start;
};

static uint64_t cluster_at(const struct volume *v, uint32_t cluster) {
    return (uint64_t)(v->heap + ((cluster - 2) << v->shift)) * SDB_SECTOR;
}

static void make(struct volume *v, uint32_t start, const char *command) {
    uint8_t s[SDB_SECTOR];
    memset(v, 0, sizeof *v);
    ramdisk_init(&v->d, SIZE + start, 0);
    make_volume(&v->d, start, SIZE, command);
    if (start != 0) {
        partition(&v->d, 0, 7, start, SIZE);
    }
    ramdisk_get(&v->d, start, s);
    v->start = start;
    v->fat = start + sdb_get32(s + 80);
    v->heap = start + sdb_get32(s + 88);
    v->root = sdb_get32(s + 96);
    v->shift = s[109];
    ramdisk_get(&v->d, (uint32_t)(cluster_at(v, v->root) / SDB_SECTOR), s);
    for (uint32_t e = 0; e < SDB_SECTOR; e += 32) {
        v->bitmap = s[e] == 0x81 ? sdb_get32(s + e + 20) : v->bitmap;
        v->end = v->end == 0 && s[e] == 0 ? e / 32 : v->end;
    }
    assert_int_not_equal(v->bitmap, 0);
    v->next = 40;
}

static void set_fat(struct volume *v, uint32_t cluster, uint32_t next) {
    uint8_t b[4];
    sdb_put32(b, next);
    ramdisk_poke(&v->d, (uint64_t)v->fat * SDB_SECTOR + 4 * cluster, b, 4);
}

static void use(struct volume *v, uint32_t cluster, bool used) {
    uint8_t s[SDB_SECTOR];
    uint64_t at = cluster_at(v, v->bitmap) + (cluster - 2) / 8;
    ramdisk_get(&v->d, (uint32_t)(at / SDB_SECTOR), s);
    s[at % SDB_SECTOR] =
        (uint8_t)((s[at % SDB_SECTOR] & ~(1 << (cluster - 2) % 8)) | used << (cluster - 2) % 8);
    ramdisk_put(&v->d, (uint32_t)(at / SDB_SECTOR), s);
}

// Allocates `count` clusters in a row, chained in the FAT or not.
static uint32_t allocate(struct volume *v, uint32_t count, bool chained) {
    uint32_t first = v->next;
    for (uint32_t i = 0; i < count; i++) {
        use(v, first + i, true);
        if (chained) {
            set_fat(v, first + i, i + 1 == count ? 0xffffffff : first + i + 1);
        }
    }
    v->next += count;
    return count == 0 ? 0 : first;
}

// Appends an entry set to the directory in `cluster`, at entry `at`; returns the entry after it.
static uint32_t add(struct volume *v, uint32_t cluster, uint32_t at, const char *name, bool folder,
                    uint32_t first, uint32_t bytes, bool chained) {
    uint32_t names = ((uint32_t)strlen(name) + 14) / 15;
    uint8_t e[32 * 20] = {0};
    e[0] = 0x85;
    e[1] = (uint8_t)(1 + names);
    e[4] = folder ? 0x10 : 0x20;
    e[32] = 0xc0;
    e[33] = (uint8_t)(1 | (chained ? 0 : 2));
    e[35] = (uint8_t)strlen(name);
    sdb_put32(e + 32 + 8, bytes);
    sdb_put32(e + 32 + 20, first);
    sdb_put32(e + 32 + 24, bytes);
    for (uint32_t i = 0; i < strlen(name); i++) {
        e[64 + i / 15 * 32 + 2 + i % 15 * 2] = (uint8_t)name[i];
    }
    for (uint32_t i = 0; i < names; i++) {
        e[64 + i * 32] = 0xc1;
    }
    ramdisk_poke(&v->d, cluster_at(v, cluster) + 32 * at, e, 32 * (2 + names));
    return at + 2 + names;
}

static uint32_t folder(struct volume *v, uint32_t in, uint32_t *at, const char *name,
                       uint32_t clusters, bool chained) {
    uint32_t first = allocate(v, clusters, chained);
    *at = add(v, in, *at, name, true, first, clusters << v->shift << 9, chained);
    return first;
}

static void file(struct volume *v, uint32_t in, uint32_t *at, const char *name, uint32_t bytes) {
    uint32_t unit = SDB_SECTOR << v->shift;
    uint32_t first = allocate(v, (bytes + unit - 1) / unit, false);
    *at = add(v, in, *at, name, false, first, bytes, false);
}

// What each system leaves, as far as it was seen on cards.
static void test_systems(void **state) {
    (void)state;
    static const char *const commands[] = {"mkfs.exfat %s", "mkfs.exfat -c 4K -L name %s",
                                           "mkfs.exfat -c 512 %s", "mkfs.exfat -c 128K %s"};
    for (size_t c = 0; c < COUNT(commands); c++) {
        for (uint32_t start = 0; start <= 2048; start += 2048) {
            UNIT_CASE(c);
            struct volume v;
            uint32_t in, sub = 0, deep = 0;
            make(&v, start, commands[c]);
            uint32_t at = v.end;
            expect(&v.d, EMPTY, start, "empty exFAT");
            in = folder(&v, v.root, &at, "System Volume Information", 1, false);
            file(&v, in, &sub, "WPSettings.dat", 12);
            file(&v, in, &sub, "IndexerVolumeGuid", 76);
            assert_true(at <= 16); // one sector is enough so far
            expect(&v.d, EMPTY, start, "empty exFAT");
            if (v.shift > 0) {
                in = folder(&v, v.root, &at, ".Spotlight-V100", 2, true);
                sub = 0;
                in = folder(&v, in, &sub, "Store-V2", 1, false);
                file(&v, in, &deep, "journal.rewritten without a name that we know", 70000);
                sub = 0;
                in = folder(&v, v.root, &at, ".Trashes", 1, false);
                folder(&v, in, &sub, "501", 1, false);
                folder(&v, v.root, &at, ".fseventsd", 1, true);
                folder(&v, v.root, &at, "LOST.DIR", 1, false);
                folder(&v, v.root, &at, "$RECYCLE.BIN", 0, false);
                sub = 0;
                in = folder(&v, v.root, &at, "Android", 1, false);
                folder(&v, in, &sub, "data", 1, false);
                file(&v, v.root, &at, ".DS_Store", 6148);
                file(&v, v.root, &at, "._.Trashes", 4096);
                expect(&v.d, EMPTY, start, "empty exFAT");
                // A photo in the bin is somebody's.
                sub = 0;
                in = folder(&v, v.root, &at, "$recycle.bin", 1, false);
                file(&v, in, &sub, "$RABCDEF.jpg", 4000);
            } else {
                file(&v, v.root, &at, "a.jpg", 0);
            }
            expect(&v.d, SDB_PROBE_FOREIGN, start, "exFAT with files");
            ramdisk_free(&v.d);
        }
    }
}

static void test_files(void **state) {
    (void)state;
    static const char *const names[] = {
        "a",
        "photo.jpg",
        "DCIM",
        "System Volume Informatio",
        "System Volume Information2",
        "Android.txt",
        "_.DS_Store",
        "DS_Store",
        "a name of more than fifteen letters",
        "$RECYCLE.BIN and something",
        ".Spotlight",
        "LOST.DIR.",
        ".Trashes ",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        for (int f = 0; f < 2; f++) {
            UNIT_CASE(i);
            struct volume v;
            make(&v, 2048, "mkfs.exfat -c 4K %s");
            uint32_t at = v.end;
            f ? (void)folder(&v, v.root, &at, names[i], 1, false)
              : file(&v, v.root, &at, names[i], 100);
            expect(&v.d, SDB_PROBE_FOREIGN, 2048, "exFAT with files");
            ramdisk_free(&v.d);
        }
    }
}

// Deleted entries, a root directory in pieces, vendors' entries; then what makes no sense.
static void test_directories(void **state) {
    (void)state;
    struct volume v;
    make(&v, 0, "mkfs.exfat -c 512 %s");
    for (uint32_t i = v.end; i < 16; i++) { // the first sector is full of deleted ones
        ramdisk_poke(&v.d, cluster_at(&v, v.root) + 32 * i, "\x05\x02", 2);
    }
    expect(&v.d, EMPTY, 0, "empty exFAT"); // and ends with its chain
    uint32_t far = allocate(&v, 1, true), near = allocate(&v, 1, true);
    set_fat(&v, v.root, near);
    set_fat(&v, near, far);
    expect(&v.d, EMPTY, 0, "empty exFAT");
    for (uint32_t i = 0; i < 16; i++) {
        ramdisk_poke(&v.d, cluster_at(&v, near) + 32 * i, "\x40", 1);
    }
    // A set begins in one cluster and ends in the next.
    ramdisk_poke(&v.d, cluster_at(&v, near) + 32 * 15, "\x85\x02\0\0\x20", 5);
    ramdisk_poke(&v.d, cluster_at(&v, far), "\xc0\x01\0\x01", 4);
    ramdisk_poke(&v.d, cluster_at(&v, far) + 32, "\xc1\0x\0", 4);
    expect(&v.d, SDB_PROBE_FOREIGN, 0, "exFAT with files");
    ramdisk_poke(&v.d, cluster_at(&v, far) + 32, "\x05", 1);
    expect(&v.d, SDB_PROBE_FOREIGN, 0, "damaged exFAT");
    ramdisk_poke(&v.d, cluster_at(&v, near) + 32 * 15, "\x05", 1);
    ramdisk_poke(&v.d, cluster_at(&v, far), "\x40", 1);
    expect(&v.d, EMPTY, 0, "empty exFAT");
    ramdisk_poke(&v.d, cluster_at(&v, far), "\xa0", 1); // benign: a volume GUID
    expect(&v.d, EMPTY, 0, "empty exFAT");
    const uint8_t critical[] = {0x84, 0x86, 0x9f, 0xc0, 0xc1, 0x81, 0x82};
    for (size_t i = 0; i < COUNT(critical); i++) {
        UNIT_CASE(critical[i]);
        ramdisk_poke(&v.d, cluster_at(&v, far), &critical[i], 1);
        assert_false(formatted(&v.d));
    }
    ramdisk_poke(&v.d, cluster_at(&v, far), "\x40", 1);
    const uint32_t chains[] = {v.root, near, far, 0, 1, 0x7fffffff, 0xfffffff7, 0xfffffff6};
    for (size_t i = 0; i < COUNT(chains); i++) {
        UNIT_CASE(i);
        set_fat(&v, far, chains[i]);
        assert_false(formatted(&v.d));
    }
    ramdisk_free(&v.d);
}

// A cluster in use that nothing accounts for: a file whose entry is lost.
static void test_bitmap(void **state) {
    (void)state;
    struct volume v;
    make(&v, 2048, "mkfs.exfat -c 4K %s");
    for (uint32_t cluster = 200; cluster < 3000; cluster += 311) {
        UNIT_CASE(cluster);
        use(&v, cluster, true);
        expect(&v.d, SDB_PROBE_FOREIGN, 2048, "exFAT with files");
        use(&v, cluster, false);
    }
    use(&v, v.root, false);
    assert_false(formatted(&v.d));
    ramdisk_free(&v.d);
}

// Not alone on the card: something before it, behind it.
static void test_beside(void **state) {
    (void)state;
    const uint32_t places[] = {1, 100, 2047, 2048 + SIZE, 2048 + SIZE + 7, 2 * SIZE - 1};
    for (size_t i = 0; i < COUNT(places); i++) {
        UNIT_CASE(places[i]);
        struct ramdisk d;
        ramdisk_init(&d, 2 * SIZE, 0);
        make_volume(&d, 2048, SIZE, "mkfs.exfat %s");
        partition(&d, 0, 7, 2048, SIZE);
        expect(&d, EMPTY, 2048, "empty exFAT");
        ramdisk_poke(&d, (uint64_t)places[i] * 512 + 300, "x", 1);
        expect(&d, SDB_PROBE_FOREIGN, 2048, "empty exFAT and something beside it");
        ramdisk_free(&d);
    }
}

// One flipped bit, anywhere in the boot sectors, FAT, bitmap or root directory: a card with a file
// is never empty. Nor is one of the other kinds ever blank.
static void flip_all(struct ramdisk *d, uint32_t from, uint32_t count) {
    uint8_t s[SDB_SECTOR];
    for (uint32_t lba = from; lba < from + count; lba++) {
        UNIT_CASE(lba);
        ramdisk_get(d, lba, s);
        for (uint32_t bit = 0; bit < SDB_SECTOR * 8; bit++) {
            uint8_t was = s[bit / 8];
            // Sectors of nothing but zeros: a few bits are enough.
            if (was == 0 && bit % 8 != lba % 8) {
                continue;
            }
            UNIT_CASE(bit);
            s[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ramdisk_put(d, lba, s);
            assert_false(formatted(d));
            s[bit / 8] = was;
        }
        ramdisk_put(d, lba, s);
    }
}

static void test_flips_exfat(void **state) {
    (void)state;
    for (uint32_t start = 0; start <= 2048; start += 2048) {
        for (int bytes = 0; bytes <= 9000; bytes += 9000) {
            UNIT_CASE(start + (uint32_t)bytes);
            struct volume v;
            make(&v, start, "mkfs.exfat -c 4K %s");
            uint32_t at = v.end;
            file(&v, v.root, &at, "photo.jpg", (uint32_t)bytes);
            assert_false(formatted(&v.d));
            flip_all(&v.d, 0, 1);
            flip_all(&v.d, start, 1);
            flip_all(&v.d, v.fat, 1);
            flip_all(&v.d, (uint32_t)(cluster_at(&v, v.root) / SDB_SECTOR), 1);
            ramdisk_free(&v.d);
        }
    }
}

static void test_flips_others(void **state) {
    (void)state;
    static const char *const commands[] = {
        "mkfs.fat -F 32 -s 1 %s",
        "mkfs.fat -F 16 -s 4 %s",
        "mke2fs -q -F -t ext4 %s",
        "mkntfs -F -f -q %s",
    };
    for (size_t c = 0; c < COUNT(commands); c++) {
        for (uint32_t start = 0; start <= 8192; start += 8192) {
            UNIT_CASE(c);
            struct ramdisk d;
            ramdisk_init(&d, 40 * MIB + start, 0);
            make_volume(&d, start, 40 * MIB, commands[c]);
            if (start != 0) {
                partition(&d, 0, 0x0c, start, 40 * MIB);
                flip_all(&d, 0, 1);
            }
            flip_all(&d, start, 1);
            flip_all(&d, start + 2, 1);
            ramdisk_free(&d);
        }
    }
}

// Volumes up to 2 TiB, of which the bitmap has to be read; with clusters that are too small for it.
static void test_huge(void **state) {
    (void)state;
    const struct {
        uint32_t gib, kind;
        const char *options;
    } cases[] = {
        {64, EMPTY, "-c 128K"},   {512, EMPTY, "-c 128K"}, {1024, EMPTY, "-c 128K"},
        {2047, EMPTY, "-c 128K"}, {2047, EMPTY, "-c 32M"}, {512, SDB_PROBE_FOREIGN, "-c 4K"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct ramdisk d;
        char command[100];
        snprintf(command, sizeof command, "mkfs.exfat %s %%s", cases[i].options);
        ramdisk_init(&d, cases[i].gib * GIB, 0);
        make_volume(&d, 0, cases[i].gib * GIB, command);
        struct sdb_probe p = probe(&d);
        assert_int_equal(p.kind, cases[i].kind);
        ramdisk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_systems),      cmocka_unit_test(test_files),
        cmocka_unit_test(test_directories),  cmocka_unit_test(test_bitmap),
        cmocka_unit_test(test_beside),       cmocka_unit_test(test_flips_exfat),
        cmocka_unit_test(test_flips_others), cmocka_unit_test(test_huge),
    };
    return cmocka_run_group_tests_name("probe_exfat", tests, NULL, NULL);
}
