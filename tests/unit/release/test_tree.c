// SPDX-License-Identifier: MIT
#include "core/error.h"
#include "memfs_assert.h"
#include "core/release/tree.h"

static struct sdb_tree tree;

static int setup(void **state) {
    memset(&tree, 0xa5, sizeof tree);
    return rig_setup(state);
}

static void fill(struct memfs *m) {
    memfs_text(m, "/keep/a", "a");
    memfs_text(m, "/treefoo", "not below it");
    memfs_text(m, "/tree/one", "1");
    memfs_text(m, "/tree/d/two", "2");
    memfs_text(m, "/tree/d/e/three", "3");
    memfs_dir(m, "/tree/d/empty");
    memfs_dir(m, "/tree/f/g/h");
    memfs_text(m, "/tree/z", "");
}

static const char *const kept = "/keep/\n/keep/a 1 e8b7be43\n/treefoo 12 ";

static void assert_gone(const struct memfs *m) {
    char *list = memfs_list(m, "", false);
    assert_int_equal(strncmp(list, kept, strlen(kept)), 0);
    assert_null(strstr(list, "/tree/"));
    free(list);
}
#define assert_gone(...) UNIT_FROM(assert_gone(__VA_ARGS__))

// With any budget, a step handles at most so many entries, and in the end the tree is gone.
static void test_budget(void **state) {
    struct rig *rig = *state;
    const int entries = 11; // four files, seven directories with the root
    for (int budget = 1; budget < 14; budget++) {
        UNIT_CASE(budget);
        memfs_free(&rig->mem);
        fill(&rig->mem);
        sdb_tree_init(&tree, &rig->fs, "/tree");
        int steps = 0, res;
        do {
            unsigned before = rig->mem.mutations;
            res = sdb_tree_step(&tree, budget);
            assert_in_range(res, 0, 1);
            assert_true(rig->mem.mutations - before <= (unsigned)budget);
            assert_int_equal(memfs_open_handles(&rig->mem), 0);
            steps++;
        } while (res == 1);
        assert_int_equal(rig->mem.mutations, entries);
        assert_in_range(steps, (entries + budget - 1) / budget, entries / budget + 1);
        assert_gone(&rig->mem);
    }
}

static void test_no_budget(void **state) {
    struct rig *rig = *state;
    fill(&rig->mem);
    sdb_tree_init(&tree, &rig->fs, "/tree");
    assert_int_equal(sdb_tree_step(&tree, 0), 1);
    assert_int_equal(rig->mem.mutations, 0);
}

static void test_missing_root(void **state) {
    struct rig *rig = *state;
    for (int fat = 0; fat < 2; fat++) {
        UNIT_CASE(fat);
        rig->mem.fat = fat;
        sdb_tree_init(&tree, &rig->fs, "/tree");
        assert_int_equal(sdb_tree_step(&tree, 5), 0);
        sdb_tree_init(&tree, &rig->fs, "/no/tree");
        assert_int_equal(sdb_tree_step(&tree, 5), 0);
    }
    assert_int_equal(rig->mem.mutations, 0);
}

static void test_file_as_root(void **state) {
    struct rig *rig = *state;
    for (int fat = 0; fat < 2; fat++) {
        UNIT_CASE(fat);
        memfs_free(&rig->mem);
        rig->mem.fat = fat;
        memfs_text(&rig->mem, "/tree", "a file");
        sdb_tree_init(&tree, &rig->fs, "/tree");
        assert_int_equal(sdb_tree_step(&tree, 5), 0);
        assert_null(memfs_find(&rig->mem, "/tree"));
        assert_int_equal(rig->mem.mutations, 1);
    }
}

// As deep as a path can be: 254 levels of one letter, a file at the bottom.
static void test_deep(void **state) {
    struct rig *rig = *state;
    char path[SDB_PATH_MAX + 1] = "/t";
    size_t len = 2;
    for (; len + 2 <= SDB_PATH_MAX - 2; len += 2) {
        memcpy(path + len, "/d", 3);
    }
    memfs_dir(&rig->mem, path);
    memcpy(path + len, "/f", 3);
    memfs_text(&rig->mem, path, "bottom");
    assert_true(strlen(path) >= SDB_PATH_MAX - 1);
    sdb_tree_init(&tree, &rig->fs, "/t");
    int steps = 0, res;
    while ((res = sdb_tree_step(&tree, 16)) == 1) {
        steps++;
    }
    assert_int_equal(res, 0);
    assert_int_equal(steps, 255 / 16);
    assert_null(memfs_find(&rig->mem, "/t"));
}

// A directory deeper than a path can say, as it may come from a PC.
static int long_readdir(void *ctx, int dir, struct sdb_dirent *entry) {
    (void)ctx;
    (void)dir;
    entry->type = SDB_FS_DIR;
    memset(entry->name, 'n', 200);
    entry->name[200] = '\0';
    return 1;
}

static int any_opendir(void *ctx, const char *path) {
    (void)ctx;
    assert_true(strlen(path) <= SDB_PATH_MAX);
    return 0;
}

static void no_closedir(void *ctx, int dir) {
    (void)ctx;
    (void)dir;
}

static void test_path_too_long(void **state) {
    struct rig *rig = *state;
    rig->fs.opendir = any_opendir;
    rig->fs.readdir = long_readdir;
    rig->fs.closedir = no_closedir;
    sdb_tree_init(&tree, &rig->fs, "/tree");
    assert_int_equal(sdb_tree_step(&tree, 100), SDB_ENAMETOOLONG);
    assert_true(strlen(tree.path) <= SDB_PATH_MAX);
}

// Exactly SDB_PATH_MAX bytes fit, one more does not.
static void test_path_limit(void **state) {
    struct rig *rig = *state;
    char path[SDB_PATH_MAX + 2] = "/tree/";
    for (size_t i = 6; i < SDB_PATH_MAX; i++) {
        path[i] = i == 260 ? '/' : 'x';
    }
    memfs_text(&rig->mem, path, "");
    sdb_tree_init(&tree, &rig->fs, "/tree");
    assert_int_equal(sdb_tree_step(&tree, 100), 0);
    assert_null(memfs_find(&rig->mem, "/tree"));
}

// Every error is handed on; a repeated step goes on and finishes. Where the step was done although
// it was said to have failed, a new start does.
static void test_errors(void **state) {
    struct rig *rig = *state;
    for (int late = 0; late < 2; late++) {
        UNIT_CASE(late);
        for (unsigned n = 1;; n++) {
            UNIT_CASE(n);
            memfs_free(&rig->mem);
            fill(&rig->mem);
            rig->mem.fail_at = n;
            rig->mem.fail_error = SDB_EIO;
            rig->mem.fail_late = late;
            sdb_tree_init(&tree, &rig->fs, "/tree");
            int res, errors = 0;
            while ((res = sdb_tree_step(&tree, 3)) != 0) {
                assert_true(res == 1 || res == SDB_EIO);
                errors += res < 0;
                if (res < 0 && late) {
                    sdb_tree_init(&tree, &rig->fs, "/tree");
                }
                assert_int_equal(memfs_open_handles(&rig->mem), 0);
            }
            assert_gone(&rig->mem);
            if (rig->mem.calls < n) {
                assert_int_equal(errors, 0);
                assert_true(n > 30);
                break;
            }
            assert_int_equal(errors, 1);
        }
    }
}

static unsigned calls_seen;

static int count_file(void *ctx, const char *path) {
    struct rig *rig = ctx;
    calls_seen++;
    assert_non_null(memfs_find(&rig->mem, path));
    return rig->fs.remove(rig->fs.ctx, path);
}

static int count_dir(void *ctx, const char *path) {
    struct rig *rig = ctx;
    assert_int_equal(memfs_find(&rig->mem, path)->type, SDB_FS_DIR);
    calls_seen += 100;
    return 0;
}

static int refuse(void *ctx, const char *path) {
    (void)ctx;
    (void)path;
    return SDB_EPERM;
}

static void test_callbacks(void **state) {
    struct rig *rig = *state;
    fill(&rig->mem);
    sdb_tree_init(&tree, &rig->fs, "/tree");
    tree.file = count_file;
    tree.dir = count_dir;
    tree.ctx = rig;
    calls_seen = 0;
    assert_int_equal(sdb_tree_step(&tree, 100), 0);
    assert_int_equal(calls_seen, 4 + 6 * 100); // the root is not reported
    assert_gone(&rig->mem);

    fill(&rig->mem);
    sdb_tree_init(&tree, &rig->fs, "/tree");
    tree.dir = refuse;
    assert_int_equal(sdb_tree_step(&tree, 100), SDB_EPERM);
    tree.dir = NULL;
    tree.file = refuse;
    assert_int_equal(sdb_tree_step(&tree, 100), SDB_EPERM);
    assert_non_null(memfs_find(&rig->mem, "/tree/d/e/three"));
}

static void test_parents(void **state) {
    struct rig *rig = *state;
    char path[] = "/a/b/c/d.txt";
    assert_int_equal(sdb_tree_parents(&rig->fs, path, 0), 0);
    assert_string_equal(path, "/a/b/c/d.txt");
    assert_int_equal(memfs_find(&rig->mem, "/a/b/c")->type, SDB_FS_DIR);
    assert_null(memfs_find(&rig->mem, "/a/b/c/d.txt"));
    assert_int_equal(rig->mem.mutations, 3);
    assert_int_equal(sdb_tree_parents(&rig->fs, path, 0), 0);
    assert_int_equal(rig->mem.mutations, 3);

    char top[] = "/file";
    assert_int_equal(sdb_tree_parents(&rig->fs, top, 0), 0);
    assert_int_equal(rig->mem.mutations, 3);

    memfs_text(&rig->mem, "/f", "x");
    char through[] = "/f/g/h";
    assert_int_equal(sdb_tree_parents(&rig->fs, through, 0), SDB_ENOTDIR);
    assert_string_equal(through, "/f/g/h");

    // From a position on: what is before it is not looked at.
    char deep[] = "/a/b/x/y";
    unsigned calls = rig->mem.calls;
    assert_int_equal(sdb_tree_parents(&rig->fs, deep, 5), 0);
    assert_int_equal(rig->mem.calls - calls, 2);
}

static void test_parents_errors(void **state) {
    struct rig *rig = *state;
    for (unsigned n = 1; n <= 4; n++) {
        UNIT_CASE(n);
        char path[] = "/a/b/c";
        memfs_free(&rig->mem);
        rig->mem.fail_at = n;
        rig->mem.fail_error = SDB_EROFS;
        assert_int_equal(sdb_tree_parents(&rig->fs, path, 0), SDB_EROFS);
        assert_string_equal(path, "/a/b/c");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_budget),       TEST(test_no_budget),      TEST(test_missing_root),
        TEST(test_file_as_root), TEST(test_deep),           TEST(test_path_too_long),
        TEST(test_path_limit),   TEST(test_errors),         TEST(test_callbacks),
        TEST(test_parents),      TEST(test_parents_errors),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
