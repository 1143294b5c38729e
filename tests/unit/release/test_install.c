// SPDX-License-Identifier: MIT
// Installing: what is staged, and when (test_install_refused.c: which packages are not).
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
        TEST(test_stages),        TEST(test_compare), TEST(test_version),
        TEST(test_begin_refuses), TEST(test_busy),    TEST(test_swap_that_came_to_nothing),
        TEST(test_cleans),
    };
    return cmocka_run_group_tests_name("install", tests, NULL, NULL);
}
