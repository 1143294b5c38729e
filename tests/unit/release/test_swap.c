// SPDX-License-Identifier: MIT
// The swap: the power may go at every change of it, and again while it is taken up.
#include "unit.h"
#include "core/error.h"
#include "stage_assert.h"
#include "core/release/swap.h"

struct rig {
    struct stage stage;
    struct memfs staged; // 1.0.0 runs, 2.0.0 waits
    struct memfs old;    // 1.0.0
    struct memfs want;   // 2.0.0
    struct sdb_swap swap;
};

static void stage_it(struct rig *rig) {
    stage_reset(&rig->stage, &rig->old);
    if (stage_run(&rig->stage) != 0) {
        fail_msg("can't stage");
    }
    memfs_free(&rig->staged);
    memfs_copy(&rig->staged, &rig->stage.mem);
}

static int setup(void **state) {
    static struct rig rig;
    memset(&rig, 0, sizeof rig);
    stage_init(&rig.stage);
    stage_package(&rig.stage.pkg);
    stage_old(&rig.old);
    stage_want(&rig.want);
    stage_it(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state) {
    struct rig *rig = *state;
    assert_int_equal(memfs_open_handles(&rig->stage.mem), 0);
    stage_free(&rig->stage);
    memfs_free(&rig->staged);
    memfs_free(&rig->old);
    memfs_free(&rig->want);
    return 0;
}

static void assert_text(const struct memfs *m, const char *path, const char *want) {
    const struct memfs_node *node = memfs_find(m, path);
    assert_non_null(node);
    assert_int_equal(node->size, strlen(want));
    assert_memory_equal(node->data, want, node->size);
}
#define assert_text(...) UNIT_FROM(assert_text(__VA_ARGS__))

// What a boot does.
static int boot(struct rig *rig, struct sdb_record *r) {
    memset(&rig->swap, 0xa5, sizeof rig->swap);
    rig->swap.whole = false;
    int res = sdb_record_load(&rig->stage.store, r);
    return res < 0 ? res : sdb_swap(&rig->swap, &rig->stage.fs, &rig->stage.store, r);
}

// The outcome, whatever happened on the way: exactly the new tree, exactly the old one kept.
static void assert_swapped(struct rig *rig, const char *added) {
    const struct memfs *m = &rig->stage.mem;
    struct sdb_record r;
    assert_int_equal(sdb_record_load(&rig->stage.store, &r), 0);
    assert_int_equal(r.state, SDB_IDLE);
    assert_int_equal(r.event, SDB_EVENT_INSTALLED);
    assert_string_equal(r.event_version, "2.0.0");
    assert_same(m, "", &rig->want, "", true);
    assert_same(m, "/prev", &rig->old, "/app", false);
    assert_null(memfs_find(m, "/next"));
    assert_null(memfs_find(m, "/.sdboot/new"));
    assert_same(m, "/.sdboot/old/main.py", &rig->old, "/main.py", false);
    assert_same(m, "/.sdboot/old/lib/x.py", &rig->old, "/lib/x.py", false);
    char *list = memfs_list(m, "/.sdboot/old", false);
    int lines = 0;
    for (const char *p = list; *p; p++) {
        lines += *p == '\n';
    }
    assert_int_equal(lines, 5); // itself, lib/, lib/first.py, lib/x.py, main.py
    free(list);
    if (added != NULL) {
        assert_text(m, "/.sdboot/added", added);
    }
}
#define assert_swapped(...) UNIT_FROM(assert_swapped(__VA_ARGS__))

static const char added_want[] =
    "/www\n/www/js\n/www/js/new.js\n/www/index.html\n/var\n/var/empty\n";

static void test_swap(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    for (int fat = 0; fat < 2; fat++) {
        UNIT_CASE(fat);
        stage_reset(&rig->stage, &rig->staged);
        rig->stage.mem.fat = fat;
        assert_int_equal(boot(rig, &r), 1);
        assert_swapped(rig, added_want);
        unsigned mutations = rig->stage.mem.mutations;
        assert_int_equal(boot(rig, &r), 0); // nothing to do, nothing done
        assert_int_equal(rig->stage.mem.mutations, mutations);
    }
}

static void test_other_states(void **state) {
    struct rig *rig = *state;
    const uint8_t states[] = {SDB_IDLE, SDB_TRIAL, SDB_REVERTING};
    for (size_t i = 0; i < COUNT(states); i++) {
        UNIT_CASE(i);
        struct sdb_record r;
        assert_int_equal(sdb_record_load(&rig->stage.store, &r), 0);
        r.state = states[i];
        assert_int_equal(sdb_record_save(&rig->stage.store, &r), 0);
        unsigned mutations = rig->stage.mem.mutations;
        assert_int_equal(boot(rig, &r), 0);
        assert_int_equal(rig->stage.mem.mutations, mutations);
    }
}

static void test_trial(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    stage_it(rig);
    assert_int_equal(sdb_record_load(&rig->stage.store, &r), 0);
    r.trials = 3;
    assert_int_equal(sdb_record_save(&rig->stage.store, &r), 0);
    assert_int_equal(boot(rig, &r), 1);
    assert_int_equal(r.state, SDB_TRIAL);
    assert_int_equal(r.left, 3);
    assert_int_equal(r.trials, 3);
    assert_string_equal(r.version, "2.0.0");
}

static bool cut_boot(struct rig *rig, unsigned cut) {
    struct sdb_record r;
    rig->stage.mem.cut = true;
    rig->stage.mem.cut_at = cut;
    int res = boot(rig, &r);
    assert_true(res == 1 || res == SDB_EIO);
    memfs_power_on(&rig->stage.mem);
    return res == 1;
}

// The lines of `added`, which a cut may have repeated, without repetitions.
static void assert_added(const struct memfs *m) {
    const struct memfs_node *node = memfs_find(m, "/.sdboot/added");
    char *text = calloc(node->size + 1, 1);
    char seen[512] = "";
    assert_non_null(text);
    memcpy(text, node->data, node->size);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char want[64];
        snprintf(want, sizeof want, "%s\n", line);
        const char *at = strstr(added_want, want);
        if (at == NULL || (at != added_want && at[-1] != '\n')) {
            fail_msg("not added: %s", line);
        }
        const char *have = strstr(seen, want);
        if (have == NULL) {
            strcat(seen, want);
        }
    }
    assert_int_equal(strlen(seen), strlen(added_want));
    free(text);
}
#define assert_added(...) UNIT_FROM(assert_added(__VA_ARGS__))

static void test_cuts(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    for (int fat = 0; fat < 2; fat++) {
        UNIT_CASE(fat);
        for (unsigned cut = 0;; cut++) {
            UNIT_CASE(cut);
            stage_reset(&rig->stage, &rig->staged);
            rig->stage.mem.fat = fat;
            bool done = cut_boot(rig, cut);
            assert_int_equal(boot(rig, &r), !done);
            assert_swapped(rig, NULL);
            assert_added(&rig->stage.mem);
            if (done) {
                assert_true(cut > 20);
                break;
            }
        }
    }
}

static void test_double_cuts(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    unsigned runs = 0;
    for (unsigned first = 0;; first++) {
        UNIT_CASE(first);
        for (unsigned second = 0;; second++) {
            UNIT_CASE(second);
            stage_reset(&rig->stage, &rig->staged);
            if (cut_boot(rig, first)) {
                assert_true(runs > 500);
                return;
            }
            bool done = cut_boot(rig, second);
            assert_int_equal(boot(rig, &r), !done);
            assert_swapped(rig, NULL);
            assert_added(&rig->stage.mem);
            runs++;
            if (done) {
                break;
            }
        }
    }
}

// Cut again and again, one change a boot.
static void test_many_cuts(void **state) {
    struct rig *rig = *state;
    for (unsigned step = 2; step < 6; step++) {
        UNIT_CASE(step);
        stage_reset(&rig->stage, &rig->staged);
        int boots = 0;
        while (!cut_boot(rig, step + (unsigned)boots / 50)) {
            assert_true(++boots < 500);
        }
        assert_swapped(rig, NULL);
        assert_added(&rig->stage.mem);
    }
}

static void test_errors(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    for (int late = 0; late < 2; late++) {
        UNIT_CASE(late);
        for (unsigned n = 1;; n++) {
            UNIT_CASE(n);
            stage_reset(&rig->stage, &rig->staged);
            rig->stage.mem.fail_at = n;
            rig->stage.mem.fail_error = SDB_EROFS;
            rig->stage.mem.fail_late = late;
            int res = boot(rig, &r);
            bool hit = rig->stage.mem.calls >= n;
            assert_int_equal(memfs_open_handles(&rig->stage.mem), 0);
            memfs_power_on(&rig->stage.mem);
            assert_true(res == 1 || (hit && res == SDB_EROFS));
            assert_true(boot(rig, &r) >= 0);
            assert_swapped(rig, NULL);
            if (!hit) {
                assert_true(n > 100);
                break;
            }
        }
    }
}

static void test_next_missing(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    for (int as_file = 0; as_file < 2; as_file++) {
        UNIT_CASE(as_file);
        stage_reset(&rig->stage, &rig->staged);
        memfs_delete(&rig->stage.mem, "/next");
        if (as_file) {
            memfs_text(&rig->stage.mem, "/next", "somebody's");
            memfs_text(&rig->old, "/next", "somebody's");
        }
        assert_int_equal(boot(rig, &r), SDB_ENOENT);
        assert_int_equal(r.state, SDB_IDLE);
        assert_same(&rig->stage.mem, "", &rig->old, "", true);
        assert_null(memfs_find(&rig->stage.mem, "/prev"));
        assert_int_equal(boot(rig, &r), 0);
        assert_int_equal(r.state, SDB_IDLE);
    }
}

// A first install: there is no app/ to keep.
static void test_no_app(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    memfs_delete(&rig->staged, "/app");
    for (unsigned cut = 0;; cut++) {
        UNIT_CASE(cut);
        stage_reset(&rig->stage, &rig->staged);
        bool done = cut_boot(rig, cut);
        assert_int_equal(boot(rig, &r), !done);
        assert_int_equal(r.state, SDB_IDLE);
        assert_same(&rig->stage.mem, "", &rig->want, "", true);
        assert_non_null(memfs_find(&rig->stage.mem, "/prev")); // empty, for the way back
        assert_null(memfs_find(&rig->stage.mem, "/prev/.version"));
        if (done) {
            break;
        }
    }
}

// Things that appeared since the release was staged do not stop the swap, nor are they lost.
static void test_in_the_way(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    for (unsigned cut = 0;; cut++) {
        UNIT_CASE(cut);
        stage_reset(&rig->stage, &rig->staged);
        struct memfs *m = &rig->stage.mem;
        memfs_text(m, "/www", "a file where a directory is to be");
        memfs_text(m, "/var/empty", "another");
        memfs_delete(m, "/lib/x.py");
        memfs_text(m, "/lib/x.py/sub/f", "a directory where a file is to be");
        memfs_text(m, "/main.py", "edited");
        bool done = cut_boot(rig, cut);
        assert_int_equal(boot(rig, &r), !done);
        assert_int_equal(r.state, SDB_IDLE);
        assert_same(m, "", &rig->want, "", true);
        assert_same(m, "/prev", &rig->old, "/app", false);
        assert_text(m, "/.sdboot/old/www", "a file where a directory is to be");
        assert_text(m, "/.sdboot/old/var/empty", "another");
        assert_text(m, "/.sdboot/old/lib/x.py/sub/f", "a directory where a file is to be");
        assert_text(m, "/.sdboot/old/main.py", "edited");
        if (done) {
            break;
        }
    }
}

// What was removed since then: the swap brings the staged ones, the others are as they are.
static void test_removed_since(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    memfs_delete(&rig->staged, "/lib");
    memfs_delete(&rig->staged, "/main.py");
    memfs_delete(&rig->want, "/lib/same.py");
    memfs_delete(&rig->want, "/lib/none");
    for (unsigned cut = 0;; cut++) {
        UNIT_CASE(cut);
        stage_reset(&rig->stage, &rig->staged);
        bool done = cut_boot(rig, cut);
        assert_int_equal(boot(rig, &r), !done);
        assert_same(&rig->stage.mem, "", &rig->want, "", true);
        assert_null(memfs_find(&rig->stage.mem, "/.sdboot/old"));
        if (done) {
            break;
        }
    }
}

// A prev/ that appeared since then, or a file of that name, is ours to remove.
static void test_prev_in_the_way(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    for (int as_file = 0; as_file < 2; as_file++) {
        UNIT_CASE(as_file);
        for (unsigned cut = 0;; cut++) {
            UNIT_CASE(cut);
            stage_reset(&rig->stage, &rig->staged);
            struct memfs *m = &rig->stage.mem;
            memfs_text(m, as_file ? "/prev" : "/prev/sub/x", "not the release before");
            bool done = cut_boot(rig, cut);
            assert_int_equal(boot(rig, &r), !done);
            assert_swapped(rig, NULL);
            if (done) {
                break;
            }
        }
    }
}

// A file where the staged tree would be is nothing that was staged.
static void test_new_is_a_file(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    memfs_delete(&rig->stage.mem, "/.sdboot/new");
    memfs_text(&rig->stage.mem, "/.sdboot/new", "?");
    assert_int_equal(boot(rig, &r), 1);
    assert_int_equal(r.state, SDB_IDLE);
    assert_same(&rig->stage.mem, "/app", &rig->want, "/app", false);
    assert_same(&rig->stage.mem, "/main.py", &rig->old, "/main.py", false);
    assert_null(memfs_find(&rig->stage.mem, "/.sdboot/new"));
    assert_null(memfs_find(&rig->stage.mem, "/.sdboot/old"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_swap),          TEST(test_other_states),  TEST(test_trial),
        TEST(test_cuts),          TEST(test_double_cuts),   TEST(test_many_cuts),
        TEST(test_errors),        TEST(test_next_missing),  TEST(test_no_app),
        TEST(test_in_the_way),    TEST(test_removed_since), TEST(test_prev_in_the_way),
        TEST(test_new_is_a_file),
    };
    return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
