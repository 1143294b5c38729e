// SPDX-License-Identifier: MIT
// A directory with many files changes places as a whole: what comes of it is what comes of it file
// by file, there and back.
#include "unit.h"
#include "core/error.h"
#include "core/release/record_fs.h"
#include "core/release/revert.h"
#include "core/release/swap.h"
#include "memfs.h"

#include <string.h>

struct rig {
    struct memfs mem;
    struct sdb_fs fs;
    struct sdb_record_store store;
    struct sdb_record record;
    struct sdb_swap swap;
};

// What is in lib/: the release has files 0 .. `staged` - 1, those from `from` to `to` - 1 are there
// already; `kept` files and a directory are the application's.
struct shape {
    int staged, from, to, kept;
    const char *more;      // staged as well
    const char *more_live; // is there as well
    bool whole;            // is it to change places as a whole? And back?
    bool back;
};

static const struct shape shapes[] = {
    {40, 0, 40, 0, NULL, NULL, true, true},
    {300, 0, 300, 2, NULL, NULL, true, true}, // more names than there are in memory
    {300, 0, 300, 31, NULL, NULL, true, true},
    {300, 0, 300, 32, NULL, NULL, false, false}, // 32 and a directory
    {200, 25, 200, 3, NULL, NULL, true, true},   // 25 are new: they are taken away on the way back
    {200, 150, 200, 3, NULL, NULL, true, false},
    {16, 0, 16, 1, NULL, NULL, true, true},
    {15, 0, 15, 0, NULL, NULL, false, false},
    {40, 0, 30, 0, "/.sdboot/new/lib/sub/x.py", NULL, false, true},
    {20, 0, 0, -1, NULL, NULL, true, false}, // no such directory yet
};
// One file on FAT.
static const struct shape cases = {20,   0,   20, 1, "/.sdboot/new/lib/Readme", "/lib/README",
                                   true, true};

static void put(struct memfs *m, const char *where, const char *what, int n) {
    char path[SDB_PATH_MAX + 1];
    char text[64];
    snprintf(path, sizeof path, "%s/module %d with a long name.py", where, n);
    snprintf(text, sizeof text, "%s %d", what, n);
    memfs_text(m, path, text);
}

static void make(struct rig *rig, const struct shape *shape) {
    struct memfs *m = &rig->mem;
    memset(rig, 0, sizeof *rig);
    memset(&rig->swap, 0xa5, sizeof rig->swap);
    memfs_init(m);
    m->fat = true;
    memfs_ops(m, &rig->fs);
    memfs_text(m, "/main.py", "old");
    memfs_text(m, "/app/.version", "1.0.0");
    memfs_text(m, "/next/.version", "2.0.0");
    memfs_text(m, "/.sdboot/new/main.py", "new");
    for (int i = 0; i < shape->staged; i++) {
        put(m, "/.sdboot/new/lib", "new", i);
    }
    for (int i = shape->from; i < shape->to; i++) {
        put(m, "/lib", "old", i);
    }
    for (int i = 0; i < shape->kept; i++) {
        put(m, "/lib", "kept", 1000 + i);
    }
    if (shape->kept > 0) {
        memfs_text(m, "/lib/data/log", "kept");
    }
    if (shape->more) {
        memfs_text(m, shape->more, "more");
    }
    if (shape->more_live) {
        memfs_text(m, shape->more_live, "there");
    }
    sdb_record_fs(&rig->store, &rig->fs);
    strcpy(rig->record.main_dir, "app");
    strcpy(rig->record.next_dir, "next");
    strcpy(rig->record.version, "2.0.0");
    rig->record.state = SDB_STAGED;
}

static void same(const struct rig *a, const struct rig *b, const char *path) {
    char *left = memfs_list(&a->mem, path, path[0] == '\0');
    char *right = memfs_list(&b->mem, path, path[0] == '\0');
    assert_string_equal(left, right);
    free(left);
    free(right);
}

static unsigned count_lines(const struct memfs *m, const char *path) {
    const struct memfs_node *node = memfs_find(m, path);
    unsigned lines = 0;
    for (size_t i = 0; node != NULL && i < node->size; i++) {
        lines += node->data[i] == '\n';
    }
    return lines;
}

static unsigned swap(struct rig *rig, bool whole) {
    unsigned before = rig->mem.mutations;
    rig->swap.whole = whole;
    assert_int_equal(sdb_swap(&rig->swap, &rig->fs, &rig->store, &rig->record), 1);
    assert_int_equal(memfs_open_handles(&rig->mem), 0);
    assert_null(memfs_find(&rig->mem, "/.sdboot/new"));
    return rig->mem.mutations - before;
}

static unsigned back(struct rig *rig, bool whole) {
    unsigned before = rig->mem.mutations;
    rig->swap.whole = whole;
    assert_int_equal(
        sdb_revert_begin(&rig->swap, &rig->fs, &rig->store, &rig->record, SDB_EVENT_ROLLED_BACK),
        0);
    assert_int_equal(sdb_revert(&rig->swap, &rig->fs, &rig->store, &rig->record), 1);
    assert_int_equal(memfs_open_handles(&rig->mem), 0);
    assert_null(memfs_find(&rig->mem, "/.sdboot/old"));
    return rig->mem.mutations - before;
}

static void test_like_file_by_file(void **state) {
    (void)state;
    static struct rig one;
    static struct rig all;
    static struct rig before;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        UNIT_CASE(i);
        make(&one, &shapes[i]);
        make(&all, &shapes[i]);
        make(&before, &shapes[i]);
        unsigned slow = swap(&one, false);
        unsigned fast = swap(&all, true);
        same(&one, &all, "");
        same(&one, &all, "/.sdboot/old");
        assert_int_equal(count_lines(&one.mem, "/.sdboot/added"),
                         count_lines(&all.mem, "/.sdboot/added"));
        assert_int_equal(fast < slow, shapes[i].whole);
        slow = back(&one, false);
        fast = back(&all, true);
        same(&one, &all, "");
        same(&before, &all, "/lib");
        assert_int_equal(fast < slow, shapes[i].back);
        memfs_free(&one.mem);
        memfs_free(&all.mem);
        memfs_free(&before.mem);
    }
}

static void assert_lists(const struct memfs *m, const char *path, bool there) {
    char *list = memfs_list(m, "", false);
    assert_int_equal(strstr(list, path) != NULL, there);
    free(list);
}

static void test_upper_and_lower_case(void **state) {
    (void)state;
    static struct rig rig;
    make(&rig, &cases);
    swap(&rig, true);
    assert_lists(&rig.mem, "\n/lib/Readme ", true);
    assert_lists(&rig.mem, "/.sdboot/old/lib/README ", true);
    assert_lists(&rig.mem, "/.sdboot/added ", false);
    back(&rig, true);
    assert_lists(&rig.mem, "\n/lib/README ", true);
    assert_lists(&rig.mem, "\n/lib/Readme ", false);
    memfs_free(&rig.mem);
}

// An error at every `step`th call is the swap's; what was there is dropped by the transaction
// around it. Returns how many were.
static unsigned errors(const struct shape *shape, unsigned step) {
    static struct rig rig;
    unsigned failed = 0;
    bool hit = true;
    for (unsigned n = 1; hit; n += step) {
        UNIT_CASE(n);
        make(&rig, shape);
        rig.swap.whole = true;
        rig.mem.fail_at = n;
        rig.mem.fail_error = SDB_EROFS;
        int res = sdb_swap(&rig.swap, &rig.fs, &rig.store, &rig.record);
        assert_int_equal(memfs_open_handles(&rig.mem), 0);
        hit = rig.mem.calls >= n;
        assert_true(res == 1 || (hit && res == SDB_EROFS));
        failed += res != 1;
        memfs_free(&rig.mem);
    }
    return failed;
}

static void test_errors(void **state) {
    (void)state;
    static const struct shape few = {24, 5, 24, 3, NULL, NULL, true, true};
    assert_true(errors(&few, 1) > 100);
    assert_true(errors(&shapes[4], 61) > 10); // more names than there are in memory
}

// A path that would be too long on the other side: file by file, which tells.
static void test_long_names(void **state) {
    (void)state;
    static struct rig rig;
    char deep[SDB_PATH_MAX + 1] = "/lib";
    make(&rig, &shapes[7]);
    while (strlen(deep) < SDB_PATH_MAX - 230) {
        strcat(deep, "/deep");
    }
    char staged[2 * SDB_PATH_MAX];
    snprintf(staged, sizeof staged, "/.sdboot/new%s", deep);
    for (int i = 0; i < 20; i++) {
        put(&rig.mem, staged, "new", i);
        put(&rig.mem, deep, "old", i);
    }
    char mine[2 * SDB_PATH_MAX];
    snprintf(mine, sizeof mine, "%s/%0220d", deep, 1);
    memfs_text(&rig.mem, mine, "mine");
    swap(&rig, true);
    assert_non_null(memfs_find(&rig.mem, mine));
    memfs_free(&rig.mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_file_by_file),
        cmocka_unit_test(test_upper_and_lower_case),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_long_names),
    };
    return cmocka_run_group_tests_name("swap_dir", tests, NULL, NULL);
}
