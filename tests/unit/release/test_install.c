// SPDX-License-Identifier: MIT
// Installing: what is staged, and what is refused.
#include "unit.h"
#include "core/error.h"
#include "stage_assert.h"

static void assert_list(const struct memfs *m, const char *path, const char *want) {
    char *list = memfs_list(m, path, false);
    assert_string_equal(list, want);
    free(list);
}
#define assert_list(...) UNIT_FROM(assert_list(__VA_ARGS__))

static void test_stages(void **state) {
    struct stage *s = *state;
    struct memfs before, want;
    memfs_copy(&before, &s->mem);
    memfs_init(&want);
    stage_want(&want);
    stage_package(&s->pkg);
    const size_t pieces[] = {1, 7, 511, 512, 513, 1536, 4096, 1 << 20};
    const uint32_t gathers[] = {0, 1, 512, 1000, 4096};
    for (size_t i = 0; i < COUNT(pieces) * COUNT(gathers); i++) {
        UNIT_CASE(i);
        stage_reset(s, &before);
        s->piece = pieces[i % COUNT(pieces)];
        s->cfg.gather = s->gather;
        s->cfg.gather_size = gathers[i / COUNT(pieces)];
        assert_int_equal(stage_run(s), 0);
        assert_same(&s->mem, "", &before, "", true);
        assert_same(&s->mem, "/next", &want, "/app", false);
        assert_list(&s->mem, "/.sdboot/new",
                    "/\n"
                    "/lib/\n"
                    "/lib/first.py 90 621b0ca1\n"
                    "/lib/x.py 301 13732a8e\n"
                    "/main.py 1500 e3ecda59\n"
                    "/var/\n"
                    "/var/empty/\n"
                    "/www/\n"
                    "/www/index.html 20 ca74079c\n"
                    "/www/js/\n"
                    "/www/js/new.js 600 4387e58e\n");
        struct sdb_record r = record_of(s);
        assert_int_equal(r.state, SDB_STAGED);
        assert_string_equal(r.version, "2.0.0");
        assert_string_equal(r.main_dir, "app");
        assert_string_equal(r.next_dir, "next");
        assert_int_equal(r.seq, 1);
    }
    memfs_free(&before);
    memfs_free(&want);
}

// 0 writes for an outside file that is there already; anything else is staged whole.
static void test_compare(void **state) {
    struct stage *s = *state;
    uint8_t data[1600], live[1600];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31);
    }
    const struct {
        int at;      // byte of the live file that differs, -1: none
        size_t size; // of the new file
        size_t live; // of the live one
        bool staged;
    } cases[] = {
        {-1, 1600, 1600, false}, {0, 1600, 1600, true},   {800, 1600, 1600, true},
        {511, 1600, 1600, true}, {512, 1600, 1600, true}, {1599, 1600, 1600, true},
        {-1, 1600, 1599, true},  {-1, 1599, 1600, true},  {-1, 0, 0, false},
        {-1, 0, 1, true},        {-1, 1, 0, true},        {0, 1, 1, true},
        {-1, 512, 512, false},   {511, 512, 512, true},   {1536, 1600, 1600, true},
    };
    struct memfs before;
    memfs_copy(&before, &s->mem);
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        for (size_t k = 0; k < 3; k++) {
            UNIT_CASE(k);
            package_free(&s->pkg);
            package_text(&s->pkg, "app/x", "");
            package_file(&s->pkg, "cfg/file", data, cases[i].size);
            package_end(&s->pkg);
            stage_reset(s, &before);
            s->piece = k == 0 ? 100 : k == 1 ? 512 : 100000;
            s->mem.short_read = k == 0 ? 33 : 0;
            memcpy(live, data, sizeof live);
            if (cases[i].at >= 0) {
                live[cases[i].at] ^= 1;
            }
            memfs_put(&s->mem, "/cfg/file", live, cases[i].live);
            unsigned before_mutations = s->mem.mutations;
            assert_int_equal(stage_begin(s), 0);
            s->mem.short_read = 0;
            assert_int_equal(stage_feed(s), 0);
            const struct memfs_node *new = memfs_find(&s->mem, "/.sdboot/new/cfg/file");
            if (cases[i].staged) {
                assert_non_null(new);
                assert_int_equal(new->size, cases[i].size);
                assert_memory_equal(new->data, data, cases[i].size);
            } else {
                // next/, next/x, .version (open, write), the record (mkdir, open, write)
                assert_int_equal(s->mem.mutations - before_mutations, 7);
                assert_null(memfs_find(&s->mem, "/.sdboot/new"));
            }
        }
    }
    memfs_free(&before);
}

static void test_version(void **state) {
    struct stage *s = *state;
    const struct {
        const char *text; // of app/.version, NULL: none
        const char *announced;
        int res;
    } cases[] = {
        {NULL, "2.0.0", 0},
        {"2.0.0", "2.0.0", 0},
        {" \t2.0.0 \r\n\n", "2.0.0", 0},
        {"2.0.0-rc.1", "2.0.0-rc.1", 0},
        {"2.0.0-rc.1", "2.0.0", SDB_EPKG_VERSION},
        {"2.0.0", "2.0.0-rc.1", SDB_EPKG_VERSION},
        {"2.0.00", "2.0.0", 0},
        {"v2", "2.0.0", 0},
        {"2.0.0 x", "2.0.0", 0}, // the first word counts
        {"\xef\xbb\xbf"
         "2.0.0",
         "v2.0", 0},
        {"2.0.0x", "2.0.0", SDB_EPKG_VERSION},
        {"x 2.0.0", "2.0.0", SDB_EPKG_VERSION},
        {"1.0.0", "2.0.0", SDB_EPKG_VERSION},
        {"", "2.0.0", SDB_EPKG_VERSION},
        {"\n", "2.0.0", SDB_EPKG_VERSION},
        {"2.0.0                                           ", "2.0.0", 0},
        {"1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcde",
         "1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcde", 0},
    };
    struct memfs before;
    memfs_copy(&before, &s->mem);
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        for (size_t piece = 1; piece < 5000; piece = piece * 9 + 400) {
            UNIT_CASE(piece);
            stage_reset(s, &before);
            package_free(&s->pkg);
            package_text(&s->pkg, "app/a", "1.0.0");
            if (cases[i].text != NULL) {
                package_text(&s->pkg, "app/.version", cases[i].text);
            }
            package_text(&s->pkg, "app/sub/.version", "is another file");
            package_end(&s->pkg);
            s->piece = piece;
            s->cfg.version = cases[i].announced;
            assert_int_equal(stage_run(s), cases[i].res);
            if (cases[i].res == 0) {
                const struct memfs_node *v = memfs_find(&s->mem, "/next/.version");
                const char *want = cases[i].text != NULL ? cases[i].text : "2.0.0";
                assert_int_equal(v->size, strlen(want));
                assert_memory_equal(v->data, want, v->size);
                continue;
            }
            assert_int_equal(stage_abort(s), 0);
            assert_untouched(s, &before);
        }
    }
    memfs_free(&before);
}

static int refused(struct stage *s, const struct memfs *before) {
    int res = stage_run(s);
    if (res < 0) {
        assert_int_equal(stage_abort(s), 0);
        assert_int_equal(stage_abort(s), 0);
        assert_untouched(s, before);
    }
    package_free(&s->pkg);
    stage_reset(s, before);
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
    struct memfs before;
    memfs_copy(&before, &s->mem);
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        for (int fat = 0; fat < 2; fat++) {
            UNIT_CASE(fat);
            before.fat = fat;
            stage_reset(s, &before);
            package_text(&s->pkg, "app/x", "x");
            package_text(&s->pkg, cases[i].path, "content");
            package_end(&s->pkg);
            int res = refused(s, &before);
            if (res != cases[i].error) {
                fail_msg("%s: %d", cases[i].path, res);
            }
            if (cases[i].dir != NULL) {
                package_text(&s->pkg, "app/x", "x");
                package_dir(&s->pkg, cases[i].dir);
                package_end(&s->pkg);
                assert_int_equal(refused(s, &before), cases[i].error);
            }
        }
    }
    memfs_free(&before);
}

// What is no part of a release: the rest of the package is staged as if it weren't there.
static void test_skipped(void **state) {
    struct stage *s = *state;
    const char *paths[] = {"boot.py",       "./BOOT.py", "app/.manifest", "app/.MANIFEST",
                           "./._.",         "._main.py", "app/._x",       "lib/._x/y",
                           "app/.DS_Store", ".DS_Store", "__MACOSX/._y",  "__MACOSX/app/x"};
    struct memfs before;
    memfs_copy(&before, &s->mem);
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
    assert_int_equal(refused(s, &before), SDB_EPKG_NO_APP);
    memfs_free(&before);
}

static void test_duplicate(void **state) {
    struct stage *s = *state;
    const char *cases[][2] = {
        {"app/x", "app/x"}, {"app/x", "app/X"}, {"app/D/x", "app/d/y"},
        {"lib/n", "LIB/m"}, {"q", "q"},         {"q", "Q"},
    };
    struct memfs before;
    memfs_copy(&before, &s->mem);
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        package_text(&s->pkg, cases[i][0], "1");
        package_text(&s->pkg, cases[i][1], "2");
        package_end(&s->pkg);
        assert_int_equal(refused(s, &before), SDB_EPKG_DUPLICATE);
    }
    package_text(&s->pkg, "app/x", "1");
    package_text(&s->pkg, "app/x/y", "2");
    package_end(&s->pkg);
    assert_int_equal(refused(s, &before), SDB_EPKG_CONFLICT);

    // Only the card's filesystem knows that two names are one.
    before.fat = true;
    stage_reset(s, &before);
    package_text(&s->pkg, "app/.Version", "2.0.0"); // .version is added
    package_end(&s->pkg);
    assert_int_equal(refused(s, &before), SDB_EPKG_DUPLICATE);
    memfs_free(&before);
}

static void test_bad_packages(void **state) {
    struct stage *s = *state;
    struct memfs before;
    memfs_copy(&before, &s->mem);

    package_text(&s->pkg, "lib/only.py", "x");
    package_end(&s->pkg);
    assert_int_equal(refused(s, &before), SDB_EPKG_NO_APP);
    package_dir(&s->pkg, "app/empty");
    package_end(&s->pkg);
    assert_int_equal(refused(s, &before), SDB_EPKG_NO_APP);
    package_text(&s->pkg, "app", "a file");
    package_end(&s->pkg);
    assert_int_equal(refused(s, &before), SDB_EPKG_CONFLICT);
    assert_int_equal(refused(s, &before), SDB_EPKG_NOT_TAR); // nothing at all

    // The hash is right, the archive is not.
    stage_package(&s->pkg);
    s->pkg.size -= 1024;
    assert_int_equal(refused(s, &before), SDB_EPKG_TRUNCATED);
    stage_package(&s->pkg);
    s->pkg.size = 512 * 9 + 100;
    assert_int_equal(refused(s, &before), SDB_EPKG_TRUNCATED);

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
    assert_int_equal(refused(s, &before), SDB_ENOMEM);
    s->hash.fail = 0;
    memfs_free(&before);
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
    struct memfs before;
    memfs_copy(&before, &s->mem);
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
            assert_int_equal(refused(s, &before), want);
        }
    }
    memfs_free(&before);
}

static void test_begin_refuses(void **state) {
    struct stage *s = *state;
    const char *names[][2] = {
        {"", "next"},
        {"app", ""},
        {"a/b", "next"},
        {"app", "n/x"},
        {".app", "next"},
        {"app", ".sdboot"},
        {"app", "app"},
        {"app", "APP"},
        {"prev", "next"},
        {"app", "Prev"},
        {"app.", "next"},
        {"app", "next "},
        {"a\\b", "next"},
        {"app", "SDBOOT~1"},
        {"APP~2", "next"},
        {"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb", "next"}, // 32 bytes
        {"app", "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb"},
    };
    const char *versions[] = {"",
                              "2.0a",
                              "2..0",
                              "w2.0.0",
                              "../2",
                              "2.0.0\n",
                              "1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcdef"};
    memfs_text(&s->mem, "/next/mine", "keep");
    for (size_t i = 0; i < COUNT(names) + COUNT(versions); i++) {
        UNIT_CASE(i);
        struct stage t = *s;
        if (i < COUNT(names)) {
            t.cfg.main_dir = names[i][0];
            t.cfg.next_dir = names[i][1];
        } else {
            t.cfg.version = versions[i - COUNT(names)];
        }
        memset(&t.in, 0xa5, sizeof t.in);
        assert_int_equal(sdb_install_begin(&t.in, &t.cfg, &t.names), SDB_EINVAL);
        // Whatever the caller does now, nothing happens.
        assert_int_equal(sdb_install_clean(&t.in), 0);
        assert_int_equal(sdb_install_feed(&t.in, "x", 1), SDB_EINVAL);
        assert_int_equal(sdb_install_finish(&t.in), SDB_EINVAL);
        assert_int_equal(sdb_install_abort(&t.in), 0);
    }
    assert_int_equal(s->mem.mutations, 0);

    s->cfg.main_dir = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbb"; // 31 bytes
    s->cfg.next_dir = "naaaaaaaaaaaaaaabbbbbbbbbbbbbbb";
    assert_int_equal(sdb_install_begin(&s->in, &s->cfg, &s->names), 0);
}

// In the middle of a swap or a trial nothing is touched, whatever the caller goes on to do.
static void test_busy(void **state) {
    struct stage *s = *state;
    const uint8_t states[] = {SDB_SWAPPING, SDB_TRIAL, SDB_REVERTING};
    memfs_text(&s->mem, "/next/a", "a");
    memfs_text(&s->mem, "/prev/a", "a");
    memfs_text(&s->mem, "/.sdboot/new/a", "a");
    stage_package(&s->pkg);
    for (size_t i = 0; i < COUNT(states); i++) {
        UNIT_CASE(i);
        struct sdb_record r = record_of(s);
        r.state = states[i];
        assert_int_equal(sdb_record_save(&s->store, &r), 0);
        unsigned mutations = s->mem.mutations;
        assert_int_equal(stage_begin(s), SDB_EBUSY);
        assert_int_equal(sdb_install_clean(&s->in), 0);
        assert_int_equal(stage_feed(s), SDB_EBUSY);
        assert_int_equal(stage_abort(s), 0);
        assert_int_equal(s->mem.mutations, mutations);
        assert_int_equal(record_of(s).state, states[i]);
    }
}

// A swap that has been begun and has come to nothing, on a full card: another release may come
// instead. A trace of any of its steps means that it must be finished.
static void test_swap_that_came_to_nothing(void **state) {
    struct stage *s = *state;
    static const char *const traces[] = {NULL, "/.sdboot/old/main.py", "/.sdboot/added",
                                         "/prev/main.py"};
    stage_package(&s->pkg);
    for (size_t i = 0; i < COUNT(traces); i++) {
        for (int next = 0; next < 2; next++) {
            UNIT_CASE(i * 2 + (size_t)next);
            struct sdb_record r = record_of(s);
            r.state = SDB_SWAPPING;
            strcpy(r.main_dir, "app");
            strcpy(r.next_dir, "next");
            assert_int_equal(sdb_record_save(&s->store, &r), 0);
            if (next) {
                memfs_text(&s->mem, "/next/a", "a");
            }
            if (traces[i] != NULL) {
                memfs_text(&s->mem, traces[i], "a");
            }
            bool undone = next && traces[i] == NULL;
            assert_int_equal(stage_begin(s), undone ? 0 : SDB_EBUSY);
            assert_int_equal(record_of(s).state, undone ? SDB_IDLE : SDB_SWAPPING);
            memfs_delete(&s->mem, "/next");
            memfs_delete(&s->mem, "/prev");
            memfs_delete(&s->mem, "/.sdboot/old");
            memfs_delete(&s->mem, "/.sdboot/added");
        }
    }
}

static void test_cleans(void **state) {
    struct stage *s = *state;
    char path[64];
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "/%s/d%d/file", i % 2 ? "next" : "prev", i);
        memfs_text(&s->mem, path, "left over");
        snprintf(path, sizeof path, "/.sdboot/%s/d%d/file", i % 2 ? "new" : "old", i);
        memfs_text(&s->mem, path, "left over");
    }
    stage_package(&s->pkg);
    assert_int_equal(sdb_install_begin(&s->in, &s->cfg, &s->names), 0);
    int res;
    unsigned last_prev = 0;
    do {
        unsigned before = s->mem.mutations;
        res = sdb_install_clean(&s->in);
        assert_true(s->mem.mutations - before <= 16);
        // What was staged goes before what a rollback would need.
        if (memfs_find(&s->mem, "/next") != NULL) {
            assert_non_null(memfs_find(&s->mem, "/prev/d38/file"));
            last_prev++;
        }
    } while (res == 1);
    assert_int_equal(res, 0);
    assert_true(last_prev > 1);
    assert_null(memfs_find(&s->mem, "/prev"));
    assert_null(memfs_find(&s->mem, "/next"));
    assert_list(&s->mem, "/.sdboot", "/\n");
    assert_true(s->checkpoints >= 8);
    assert_int_equal(sdb_install_clean(&s->in), 0); // done is done
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_stages),
        TEST(test_compare),
        TEST(test_version),
        TEST(test_reserved_and_conflict),
        TEST(test_skipped),
        TEST(test_duplicate),
        TEST(test_bad_packages),
        TEST(test_many),
        TEST(test_begin_refuses),
        TEST(test_busy),
        TEST(test_swap_that_came_to_nothing),
        TEST(test_cleans),
    };
    return cmocka_run_group_tests_name("install", tests, NULL, NULL);
}
