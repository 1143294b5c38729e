// SPDX-License-Identifier: MIT
// What a PC has made read-only is made writable by one bit of one sector, whatever its name, and
// nothing else is.
#include "unit.h"
#include "core/card/fatdir.h"
#include "core/error.h"
#include "ramdisk.h"

#define IMAGE OUT "/fatdir.img"
#define TREE OUT "/fatdir"
#define LONG                                                                                       \
    "a name of so many characters that it takes seven entries of a directory, and some more"

// Made read-only by the PC, as FatFs calls them.
static const char *const paths[] = {
    "/plain.txt",
    "/PLAIN2.TXT",
    "/prev",
    "/prev/" LONG " 1",
    "/prev/" LONG " 25",
    "/prev/" LONG " 60",
    "/prev/thirteen char",
    "/prev/Mixed Case.Name.py",
    "/prev/inner/deep/.dot file",
    "/prev/inner/deep/x",
    "/prev/noext",
    "/prev/caf\x82.txt", // code page 437
    "/prev/\xa0.b",
};

// Writable, or not there.
static const char *const others[] = {
    "/",
    "",
    "/writable",
    "/prev/" LONG,
    "/prev/" LONG " 100",
    "/prev/" LONG " 2",
    "/prev/thirteen cha",
    "/prev/thirteen chars",
    "/prev/noext/x",
    "/nothing/x",
    "/plain",
    "/plain.tx",
    "/plain.txt.",
    "/prev/inner",
    "/prev/caf.txt",
    "/plain.txt/",
};

static void make(struct ramdisk *d, const char *mkfs, uint32_t sectors) {
    char command[4096];
    ramdisk_init(d, sectors, 0);
    ramdisk_save(d, 0, IMAGE);
    snprintf(
        command, sizeof command,
        "export LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1 && rm -rf '%s' && mkdir -p '%s/prev/inner/deep' "
        "&& cd '%s' && "
        "for i in $(seq 60); do echo $i >\"prev/" LONG " $i\"; done && "
        "for i in plain.txt PLAIN2.TXT writable 'prev/thirteen char' 'prev/Mixed Case.Name.py' "
        "'prev/inner/deep/.dot file' prev/inner/deep/x prev/noext prev/café.txt prev/á.b; do echo "
        ">\"$i\"; "
        "done && %s -i 12345678 '%s' >/dev/null && mcopy -s -i '%s' prev plain.txt PLAIN2.TXT "
        "writable :: && "
        "mattrib +r -i '%s' ::/plain.txt ::/PLAIN2.TXT ::/prev '::/prev/" LONG " 1' '::/prev/" LONG
        " 25' "
        "'::/prev/" LONG " 60' '::/prev/thirteen char' '::/prev/Mixed Case.Name.py' "
        "'::/prev/inner/deep/.dot file' ::/prev/inner/deep/x ::/prev/noext ::/prev/café.txt "
        "::/prev/á.b",
        TREE, TREE, TREE, mkfs, IMAGE, IMAGE, IMAGE);
    if (system(command) != 0) {
        fail_msg("%s", command);
    }
    ramdisk_load(d, 0, IMAGE);
    ramdisk_power_on(d);
}

// The only bit that differs is that of the attribute.
static void assert_one_bit(const struct ramdisk *before, const struct ramdisk *after) {
    uint8_t a[SDB_SECTOR], b[SDB_SECTOR];
    unsigned changed = 0;
    for (uint32_t lba = 0; lba < before->dev.sectors; lba++) {
        ramdisk_get(before, lba, a);
        ramdisk_get(after, lba, b);
        for (uint32_t i = 0; i < SDB_SECTOR; i++) {
            if (a[i] != b[i]) {
                assert_int_equal(i % SDB_FATDIR_ENTRY, 11);
                assert_int_equal(a[i] & 1, 1);
                assert_int_equal(b[i], a[i] & ~1);
                changed++;
            }
        }
    }
    assert_int_equal(changed, 1);
}

static void test_writable(void **state) {
    (void)state;
    static const struct {
        const char *mkfs;
        uint32_t sectors;
    } cards[] = {
        {"mkfs.fat -F 12 -s 1", 4000}, // a sector a cluster: long names reach over many
        {"mkfs.fat -F 12 -s 8", 20000},
        {"mkfs.fat -F 16 -s 1", 9000},
        {"mkfs.fat -F 32 -s 1", 70000},
    };
    for (size_t i = 0; i < COUNT(cards); i++) {
        UNIT_CASE(i);
        struct ramdisk d, before;
        uint8_t buf[SDB_SECTOR];
        make(&d, cards[i].mkfs, cards[i].sectors);
        ramdisk_copy(&before, &d);
        for (size_t k = 0; k < COUNT(others); k++) {
            UNIT_CASE(k);
            assert_int_equal(sdb_fatdir_writable(&d.dev, others[k], buf), SDB_ENOENT);
        }
        assert_int_equal(d.writes, 0);
        for (size_t k = 0; k < COUNT(paths); k++) {
            UNIT_CASE(k);
            assert_int_equal(sdb_fatdir_writable(&d.dev, paths[k], buf), 0);
            assert_one_bit(&before, &d);
            ramdisk_free(&before);
            ramdisk_copy(&before, &d);
        }
        // Once is enough. Of the two beyond ASCII neither is taken for the other.
        for (size_t k = 0; k < COUNT(paths); k++) {
            UNIT_CASE(k);
            assert_int_equal(sdb_fatdir_writable(&d.dev, paths[k], buf), SDB_ENOENT);
        }
        assert_true(ramdisk_same(&before, &d));
        ramdisk_free(&before);
        ramdisk_free(&d);
    }
}

// Other case, and the short name.
static void test_names(void **state) {
    (void)state;
    static const char *const names[] = {"/Plain.TXT", "/PREV/THIRTEEN CHAR", "/prev/MIXEDC~1.PY",
                                        "/prev/inner/deep/DOTFIL~1"};
    struct ramdisk d;
    uint8_t buf[SDB_SECTOR];
    make(&d, "mkfs.fat -F 16 -s 1", 9000);
    for (size_t k = 0; k < COUNT(names); k++) {
        UNIT_CASE(k);
        assert_int_equal(sdb_fatdir_writable(&d.dev, names[k], buf), 0);
        assert_int_equal(sdb_fatdir_writable(&d.dev, names[k], buf), SDB_ENOENT);
    }
    ramdisk_free(&d);
}

static void test_errors(void **state) {
    (void)state;
    struct ramdisk d, before;
    uint8_t buf[SDB_SECTOR];
    make(&d, "mkfs.fat -F 12 -s 1", 4000);
    ramdisk_copy(&before, &d);
    unsigned n = 0;
    int res;
    do { // each read fails once
        ramdisk_power_on(&d);
        d.read_only = true;
        d.fail_read = ++n;
        res = sdb_fatdir_writable(&d.dev, "/prev/inner/deep/x", buf);
        assert_true(res == SDB_EIO || res == SDB_EROFS);
    } while (res == SDB_EIO);
    assert_true(n > 4);
    assert_true(ramdisk_same(&before, &d));
    ramdisk_free(&before);
    ramdisk_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writable),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
