// SPDX-License-Identifier: MIT
// Packages that are refused, and what of them is left out.
#include "core/error.h"
#include "stage_assert.h"

static struct memfs before; // the card

static int setup(void **state) {
    stage_setup(state);
    memfs_copy(&before, &((struct stage *)*state)->mem);
    return 0;
}

static int teardown(void **state) {
    memfs_free(&before);
    return stage_teardown(state);
}

// Installs the package, and leaves another one to be made.
static int refused(struct stage *s) {
    int res = stage_run(s);
    if (res < 0) {
        assert_int_equal(stage_abort(s), 0);
        assert_int_equal(stage_abort(s), 0);
        assert_untouched(s, &before);
    }
    package_free(&s->pkg);
    stage_reset(s, &before);
    return res;
}

static void test_reserved_and_conflict(void **state) {
    struct stage *s = *state;
    const struct {
        const char *path;
        int error;
        const char *dir; // path as a directory
    } cases[] = {
        {".sdboot", SDB_EPKG_RESERVED, ".sdboot/"},
        {".sdboot/record.0", SDB_EPKG_RESERVED, ".sdboot/new"},
        {".SDBoot/x", SDB_EPKG_RESERVED, ".SDBOOT"},
        {"Boot.py/x", SDB_EPKG_RESERVED, "boot.py"},
        {"BOOT.PY/y", SDB_EPKG_RESERVED, "Boot.py/x"},
        {"app/.manifest/x", SDB_EPKG_RESERVED, "app/.Manifest"},
        {"~1.sdb/new/x", SDB_EPKG_ALIAS, "~1.SDB"},
        {"sdboot~1", SDB_EPKG_ALIAS, "SDBOOT~1/old"},
        {"APP~1/x", SDB_EPKG_ALIAS, "App~1"},
        {"lib/LIBRAR~2/x", SDB_EPKG_ALIAS, "next~1"},
        {"SETTIN~1.JSO", SDB_EPKG_ALIAS, "pre~A1F.x"},
        {"app/LIBRAR~2/x", SDB_EPKG_ALIAS, "app/a/LIBRAR~2"},
        {"app/a/IMAGE~12.JPG", 0, "app/library~1"},
        {"backup~", 0, "x~y"},
        {"~", 0, "a.long~1"},
        {"three.py~1", 0, "~1.long"},
        {"._boot.py", 0, "__MACOSX/._x"},
        {"prev", SDB_EPKG_RESERVED, "prev"},
        {"Prev/x", SDB_EPKG_RESERVED, "PREV/x"},
        {"next", SDB_EPKG_RESERVED, "next"},
        {"NEXT/a", SDB_EPKG_RESERVED, "Next"},
        {"App/x", SDB_EPKG_RESERVED, "APP"},
        {"aPP", SDB_EPKG_RESERVED, "apP/b"},
        {"app", SDB_EPKG_CONFLICT, NULL},
        {"lib", SDB_EPKG_CONFLICT, NULL}, // live directory
        {"data/log.txt/x", SDB_EPKG_CONFLICT, "data/log.txt/x/y"},
        {"main.py/a/b/c", SDB_EPKG_CONFLICT, "main.py"},
        {"lib/x.py", 0, NULL},
        {"apple", 0, "apple"},
        {"myapp/x", 0, "app2"},
        {"prev2/x", 0, "preview"},
        {"next.txt", 0, "nexts"},
        {"lib/boot.py", 0, "lib/app"},
        {"lib/app/x", 0, "x/.sdboot"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        for (int fat = 0; fat < 2; fat++) {
            UNIT_CASE(fat);
            before.fat = fat;
            stage_reset(s, &before);
            package_text(&s->pkg, "app/x", "x");
            package_text(&s->pkg, cases[i].path, "content");
            package_end(&s->pkg);
            int res = refused(s);
            if (res != cases[i].error) {
                fail_msg("%s: %d", cases[i].path, res);
            }
            if (cases[i].dir != NULL) {
                package_text(&s->pkg, "app/x", "x");
                package_dir(&s->pkg, cases[i].dir);
                package_end(&s->pkg);
                assert_int_equal(refused(s), cases[i].error);
            }
        }
    }
}

// What is no part of a release: the rest of the package is staged as if it weren't there.
static void test_skipped(void **state) {
    struct stage *s = *state;
    const char *paths[] = {"boot.py",       "./BOOT.py", "app/.manifest", "app/.MANIFEST",
                           "./._.",         "._main.py", "app/._x",       "lib/._x/y",
                           "app/.DS_Store", ".DS_Store", "__MACOSX/._y",  "__MACOSX/app/x"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        UNIT_CASE(i);
        for (size_t piece = 1; piece < 5000; piece = piece * 9 + 400) {
            stage_reset(s, &before);
            s->piece = piece;
            package_text(&s->pkg, paths[i], "first");
            package_text(&s->pkg, "app/x", "x");
            package_text(&s->pkg, paths[i], "again");
            package_end(&s->pkg);
            assert_int_equal(stage_run(s), 0);
            assert_int_equal(s->in.skipped_boot, i < 2);
            assert_int_equal(s->in.tar.litter, i < 4 ? 0 : 2);
            assert_same(&s->mem, "", &before, "", true);
            assert_null(memfs_find(&s->mem, "/.sdboot/new"));
            assert_non_null(memfs_find(&s->mem, "/next/x"));
            assert_non_null(memfs_find(&s->mem, "/next/.version"));
            assert_null(memfs_find(&s->mem, "/next/._x"));
            assert_null(memfs_find(&s->mem, "/next/.DS_Store"));
            const struct memfs_node *manifest = memfs_find(&s->mem, "/next/.manifest");
            assert_true(manifest == NULL || manifest->size == 64 * 2 + 2 * 3 + 5 + 12);
            package_free(&s->pkg);
        }
    }
    package_text(&s->pkg, "app/._x", "nothing else");
    package_end(&s->pkg);
    stage_reset(s, &before);
    assert_int_equal(refused(s), SDB_EPKG_NO_APP);
}

static void test_duplicate(void **state) {
    struct stage *s = *state;
    const char *cases[][2] = {
        {"app/x", "app/x"}, {"app/x", "app/X"}, {"app/D/x", "app/d/y"},
        {"lib/n", "LIB/m"}, {"q", "q"},         {"q", "Q"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        package_text(&s->pkg, cases[i][0], "1");
        package_text(&s->pkg, cases[i][1], "2");
        package_end(&s->pkg);
        assert_int_equal(refused(s), SDB_EPKG_DUPLICATE);
    }
    package_text(&s->pkg, "app/x", "1");
    package_text(&s->pkg, "app/x/y", "2");
    package_end(&s->pkg);
    assert_int_equal(refused(s), SDB_EPKG_CONFLICT);

    // Only the card's filesystem knows that two names are one.
    before.fat = true;
    stage_reset(s, &before);
    package_text(&s->pkg, "app/.Version", "2.0.0"); // .version is added
    package_end(&s->pkg);
    assert_int_equal(refused(s), SDB_EPKG_DUPLICATE);
}

static void test_bad_packages(void **state) {
    struct stage *s = *state;
    package_text(&s->pkg, "lib/only.py", "x");
    package_end(&s->pkg);
    assert_int_equal(refused(s), SDB_EPKG_NO_APP);
    package_dir(&s->pkg, "app/empty");
    package_end(&s->pkg);
    assert_int_equal(refused(s), SDB_EPKG_NO_APP);
    package_text(&s->pkg, "app", "a file");
    package_end(&s->pkg);
    assert_int_equal(refused(s), SDB_EPKG_CONFLICT);
    assert_int_equal(refused(s), SDB_EPKG_NOT_TAR); // nothing at all

    // The hash is right, the archive is not.
    stage_package(&s->pkg);
    s->pkg.size -= 1024;
    assert_int_equal(refused(s), SDB_EPKG_TRUNCATED);
    stage_package(&s->pkg);
    s->pkg.size = 512 * 9 + 100;
    assert_int_equal(refused(s), SDB_EPKG_TRUNCATED);

    // The archive is right, the hash is not: seen at the end, nothing staged remains.
    stage_package(&s->pkg);
    assert_int_equal(stage_begin(s), 0);
    s->in.cfg.digest[19] ^= 1;
    assert_int_equal(stage_feed(s), SDB_EPKG_HASH);
    assert_int_equal(record_of(s).state, SDB_IDLE);
    assert_int_equal(stage_abort(s), 0);
    assert_untouched(s, &before);

    // An error of the hash itself.
    s->hash.fail = SDB_ENOMEM;
    assert_int_equal(refused(s), SDB_ENOMEM);
    s->hash.fail = 0;
}

static int grow_once(void *ctx, struct sdb_names *names) {
    struct stage *s = ctx;
    if (names->capacity >= 40) {
        return SDB_ENOMEM;
    }
    names->table = s->table;
    names->capacity = 40;
    return 0;
}

static void test_many(void **state) {
    struct stage *s = *state;
    for (int entries = 39; entries <= 41; entries++) {
        UNIT_CASE(entries);
        for (int grows = 0; grows < 2; grows++) {
            UNIT_CASE(grows);
            char path[32];
            for (int i = 1; i < entries; i++) { // app/ is one more
                snprintf(path, sizeof path, "app/%d", i);
                package_text(&s->pkg, path, "");
            }
            package_end(&s->pkg);
            s->names.capacity = grows ? 0 : 40;
            s->names.grow = grows ? grow_once : NULL;
            s->names.ctx = s;
            int want = entries <= 40 ? 0 : grows ? SDB_ENOMEM : SDB_EPKG_MANY;
            assert_int_equal(refused(s), want);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_reserved_and_conflict), TEST(test_skipped), TEST(test_duplicate),
        TEST(test_bad_packages),          TEST(test_many),
    };
    return cmocka_run_group_tests_name("install_refused", tests, NULL, NULL);
}
