// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/error.h"
#include "core/release/names.h"

static uint32_t table[4096][2];

static struct sdb_names empty(size_t capacity) {
    return (struct sdb_names){.table = table, .capacity = capacity};
}

static int add(struct sdb_names *names, const char *path, bool directory) {
    char copy[600];
    snprintf(copy, sizeof copy, "%s", path);
    int res = sdb_names_add(names, copy, directory);
    assert_string_equal(copy, path); // as it was, also after an error
    return res;
}

static void test_files_and_parents(void **state) {
    (void)state;
    struct sdb_names names = empty(100);
    assert_int_equal(add(&names, "app/main.py", false), 0);
    assert_int_equal(names.count, 2);
    assert_int_equal(add(&names, "app/lib/a.py", false), 0);
    assert_int_equal(names.count, 4);
    assert_int_equal(add(&names, "app/lib/b.py", false), 0);
    assert_int_equal(names.count, 5);
    assert_int_equal(add(&names, "app", true), 0);
    assert_int_equal(add(&names, "app/lib", true), 0);
    assert_int_equal(add(&names, "app/lib", true), 0);
    assert_int_equal(names.count, 5);
    assert_int_equal(add(&names, "empty", true), 0);
    assert_int_equal(names.count, 6);
    assert_int_equal(add(&names, "x", false), 0);
}

static void test_refused(void **state) {
    (void)state;
    const struct {
        const char *first;
        bool first_dir;
        const char *second;
        bool second_dir;
        int error;
    } cases[] = {
        {"a", false, "a", false, SDB_EPKG_DUPLICATE},
        {"a", false, "A", false, SDB_EPKG_DUPLICATE},
        {"d/a", false, "D/b", false, SDB_EPKG_DUPLICATE},
        {"d/a", false, "D", true, SDB_EPKG_DUPLICATE},
        {"d", true, "D/x", false, SDB_EPKG_DUPLICATE},
        {"d/LIB/x", false, "d/lib/y", false, SDB_EPKG_DUPLICATE},
        {"a", false, "a", true, SDB_EPKG_CONFLICT},
        {"a", true, "a", false, SDB_EPKG_CONFLICT},
        {"a", false, "a/b", false, SDB_EPKG_CONFLICT},
        {"a/b", false, "a", false, SDB_EPKG_CONFLICT},
        {"a/b/c/d", false, "a/b", false, SDB_EPKG_CONFLICT},
        {"a/b", false, "a/b/c/d", true, SDB_EPKG_CONFLICT},
        {"a", false, "A", true, SDB_EPKG_DUPLICATE}, // differs in case and in type
        {"a", true, "A", false, SDB_EPKG_DUPLICATE},
        {"a", true, "a", true, 0},
        {"a", false, "b", false, 0},
        {"a/b", false, "ab", false, 0},
        {"a/b", false, "b/a", false, 0},
        {"gr\xc3\xb6n", false, "gr\xc3\x96n", false, 0}, // only ASCII folds
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct sdb_names names = empty(16);
        assert_int_equal(add(&names, cases[i].first, cases[i].first_dir), 0);
        int res = add(&names, cases[i].second, cases[i].second_dir);
        if (res != cases[i].error) {
            fail_msg("%s, %s: %d", cases[i].first, cases[i].second, res);
        }
    }
}

static void test_full(void **state) {
    (void)state;
    for (size_t capacity = 0; capacity < 3; capacity++) {
        UNIT_CASE(capacity);
        struct sdb_names names = empty(capacity);
        assert_int_equal(add(&names, "a/b/c", false), SDB_EPKG_MANY);
        assert_int_equal(names.count, capacity);
    }
    struct sdb_names names = empty(3);
    assert_int_equal(add(&names, "a/b/c", false), 0);
    assert_int_equal(add(&names, "a/b", true), 0); // known: needs no room
    assert_int_equal(add(&names, "a/b/c", false), SDB_EPKG_DUPLICATE);
    assert_int_equal(add(&names, "d", false), SDB_EPKG_MANY);
}

static int grow(void *ctx, struct sdb_names *names) {
    int *left = ctx;
    if (*left == 0) {
        return SDB_ENOMEM;
    }
    --*left;
    uint32_t(*larger)[2] = malloc((names->capacity + 7) * sizeof *larger);
    assert_non_null(larger);
    if (names->count > 0) {
        memcpy(larger, names->table, names->count * sizeof *larger);
    }
    free(names->table);
    names->table = larger;
    names->capacity += 7;
    return 0;
}

static void test_grow(void **state) {
    (void)state;
    int left = 20;
    char path[32];
    struct sdb_names names = {.grow = grow, .ctx = &left};
    for (int i = 0; i < 139; i++) {
        UNIT_CASE(i);
        snprintf(path, sizeof path, "d/%d", i);
        assert_int_equal(add(&names, path, false), 0);
    }
    assert_int_equal(left, 0);
    for (int i = 0; i < 139; i++) {
        UNIT_CASE(i);
        snprintf(path, sizeof path, "D/%d", i);
        assert_int_equal(add(&names, path, false), SDB_EPKG_DUPLICATE);
    }
    assert_int_equal(add(&names, "e", false), SDB_ENOMEM);
    assert_int_equal(names.count, 140);
    free(names.table);
}

// 4,000 names that are much alike: none is taken for another.
static void test_many_names(void **state) {
    (void)state;
    struct sdb_names names = empty(COUNT(table));
    char path[64];
    for (int i = 0; i < 4000; i++) {
        UNIT_CASE(i);
        snprintf(path, sizeof path, "app/lib%d/module_%d_%d.py", i / 100, i % 100, i * 7);
        assert_int_equal(add(&names, path, false), 0);
    }
    assert_int_equal(names.count, 4000 + 40 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_and_parents),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_many_names),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
