// SPDX-License-Identifier: MIT
// Installing with a fault at any point: what is left is the running release, and nothing staged.
#include "unit.h"
#include "core/error.h"
#include "core/release/layout.h"
#include "core/release/settle.h"
#include "stage_assert.h"

// What a boot does before the swap. Returns 0, or the error of a cut.
static int settle(struct stage *s) {
    static struct sdb_tree tree;
    struct sdb_record r = record_of(s);
    bool second = r.flags & SDB_FLAG_SECOND;
    int res;
    while ((res = sdb_settle_step(&tree, &s->fs, &s->store, &r, 3)) == 1) {
    }
    if (res == 0 && second) {
        assert_int_equal(record_of(s).flags & SDB_FLAG_SECOND, 0);
        assert_null(memfs_find(&s->mem, SDB_DIR_APP2));
        assert_null(memfs_find(&s->mem, SDB_DIR_NEW2));
    }
    return res;
}

// The release that `staged` holds waits, whole.
static void assert_waiting(struct stage *s, const struct memfs *staged) {
    assert_int_equal(record_of(s).state, SDB_STAGED);
    assert_same(&s->mem, "/next", staged, "/next", false);
    assert_same(&s->mem, "/.sdboot/new", staged, "/.sdboot/new", false);
    assert_same(&s->mem, "", staged, "", true);
}
#define assert_waiting(...) UNIT_FROM(assert_waiting(__VA_ARGS__))

// A release that waits does so until the next one is whole, wherever power fails; then that waits.
static void test_second_release(void **state) {
    struct stage *s = *state;
    struct memfs before, staged[2];
    memfs_copy(&before, &s->mem);
    stage_package(&s->pkg);
    assert_int_equal(stage_run(s), 0);
    memfs_copy(&staged[0], &s->mem);
    package_free(&s->pkg);
    package_init(&s->pkg);
    package_text(&s->pkg, "app/.version", "3.0.0");
    package_text(&s->pkg, "app/third.py", "three");
    package_text(&s->pkg, "third.py", "three");
    package_end(&s->pkg);
    s->cfg.version = "3.0.0";
    stage_reset(s, &before);
    assert_int_equal(stage_run(s), 0);
    memfs_copy(&staged[1], &s->mem);
    bool seen[2] = {false, false};
    int res = -1;
    for (unsigned cut = 0; res != 0; cut++) {
        UNIT_CASE(cut);
        stage_reset(s, &staged[0]);
        s->mem.cut = true;
        s->mem.cut_at = cut;
        stage_run(s);
        res = s->mem.mutations >= cut;
        memfs_power_on(&s->mem);
        struct memfs now;
        memfs_copy(&now, &s->mem);
        int step = -1;
        for (unsigned again = 0; step != 0; again++) { // and again in what is done then
            UNIT_CASE(again);
            stage_reset(s, &now);
            s->mem.cut = true;
            s->mem.cut_at = again;
            settle(s);
            step = s->mem.mutations >= again;
            memfs_power_on(&s->mem);
            assert_int_equal(settle(s), 0);
            int third = record_of(s).version[0] == '3';
            seen[third] = true;
            assert_waiting(s, &staged[third]);
        }
        memfs_free(&now);
    }
    assert_true(seen[0] && seen[1]);
    memfs_free(&before);
    memfs_free(&staged[0]);
    memfs_free(&staged[1]);
}

static void test_checkpoints(void **state) {
    struct stage *s = *state;
    struct memfs before;
    memfs_copy(&before, &s->mem);
    stage_package(&s->pkg);
    assert_int_equal(stage_begin(s), 0);
    unsigned cleaning = s->checkpoints;
    assert_int_equal(s->musts, cleaning); // one a leftover, each in a transaction of its own
    assert_int_equal(stage_feed(s), 0);
    assert_int_equal(s->checkpoints - cleaning, s->in.files + 1);
    assert_int_equal(s->musts - cleaning, 1);
    unsigned all = s->checkpoints;
    for (unsigned n = 1; n <= all; n++) {
        UNIT_CASE(n);
        stage_reset(s, &before);
        s->fail_at = n;
        assert_int_equal(stage_run(s), SDB_EIO);
        assert_int_equal(stage_abort(s), 0);
        assert_untouched(s, &before);
    }
    s->cfg.checkpoint = NULL;
    stage_reset(s, &before);
    assert_int_equal(stage_run(s), 0);
    memfs_free(&before);
}

// The card full at any byte.
static void test_full(void **state) {
    struct stage *s = *state;
    struct memfs before;
    memfs_copy(&before, &s->mem);
    stage_package(&s->pkg);
    s->cfg.file_hash = &s->file_hash.hash;
    s->cfg.gather = s->gather;
    s->cfg.gather_size = sizeof s->gather;
    assert_int_equal(stage_run(s), 0);
    size_t used = 0, old = 0;
    for (size_t i = 0; i < s->mem.count; i++) {
        used += s->mem.nodes[i].size;
    }
    for (size_t i = 0; i < before.count; i++) {
        old += before.nodes[i].size;
    }
    for (size_t capacity = old; capacity <= used; capacity += capacity + 60 < used ? 61 : 1) {
        UNIT_CASE(capacity);
        stage_reset(s, &before);
        s->mem.capacity = capacity;
        int res = stage_run(s);
        assert_int_equal(res, capacity < used ? SDB_ENOSPC : 0);
        if (res < 0) {
            assert_int_equal(stage_abort(s), 0);
            assert_untouched(s, &before);
        }
    }
    memfs_free(&before);
}

// An error at every call. Late: it was done all the same, as when a card's answer is lost.
static void test_errors_everywhere(void **state) {
    struct stage *s = *state;
    struct memfs live, before;
    memfs_copy(&live, &s->mem);
    stage_package(&s->pkg);
    for (int variant = 0; variant < 4; variant++) {
        UNIT_CASE(variant);
        // The latter is what a keyboard interrupt in a callback gives.
        const int error = variant & 2 ? SDB_EIO : SDB_ECANCELED;
        s->cfg.file_hash = variant & 2 ? &s->file_hash.hash : NULL;
        s->cfg.gather = s->gather;
        s->cfg.gather_size = variant & 2 ? 1000 : 0;
        memfs_copy(&before, &live);
        stage_reset(s, &before);
        assert_int_equal(stage_run(s), 0); // a release waits
        memfs_text(&s->mem, "/prev/x", "old");
        memfs_text(&s->mem, "/.sdboot/old/y", "old");
        memfs_free(&before);
        memfs_copy(&before, &s->mem);
        for (unsigned n = 1;; n++) {
            UNIT_CASE(n);
            stage_reset(s, &before);
            s->mem.fail_at = n;
            s->mem.fail_error = error;
            s->mem.fail_late = variant & 1;
            int begun = stage_begin(s);
            int res = begun < 0 ? begun : stage_feed(s);
            bool hit = s->mem.calls >= n;
            s->mem.fail_at = 0;
            if (res == 0) {
                assert_int_equal(settle(s), 0);
                assert_waiting(s, &before);
                if (!hit) {
                    assert_true(n > 150);
                    break;
                }
                continue; // the close of a file that was only read
            }
            assert_int_equal(res, error);
            assert_int_equal(stage_abort(s), 0);
            assert_int_equal(memfs_open_handles(&s->mem), 0);
            assert_int_equal(settle(s), 0);
            assert_waiting(s, &before);        // it, or the new one, which is the same
            assert_int_equal(stage_run(s), 0); // the next attempt works
        }
        memfs_free(&before);
    }
    memfs_free(&live);
}

// An error while aborting: abort can be called again.
static void test_errors_in_abort(void **state) {
    struct stage *s = *state;
    struct memfs before;
    memfs_copy(&before, &s->mem);
    stage_package(&s->pkg);
    for (unsigned n = 1;; n++) {
        UNIT_CASE(n);
        stage_reset(s, &before);
        assert_int_equal(stage_begin(s), 0);
        assert_int_equal(sdb_install_feed(&s->in, s->pkg.data, s->pkg.size - 1500), 0);
        unsigned calls = s->mem.calls;
        s->mem.fail_at = calls + n;
        s->mem.fail_error = SDB_EIO;
        int res = stage_abort(s);
        bool hit = s->mem.calls >= calls + n;
        s->mem.fail_at = 0;
        assert_true(res == 0 || (hit && res == SDB_EIO));
        assert_int_equal(stage_abort(s), 0);
        assert_untouched(s, &before);
        assert_int_equal(sdb_install_feed(&s->in, s->pkg.data, 512), SDB_ECANCELED);
        assert_int_equal(sdb_install_finish(&s->in), SDB_ECANCELED);
        assert_int_equal(stage_abort(s), 0);
        if (!hit) {
            assert_true(n > 20);
            break;
        }
    }
    memfs_free(&before);
}

// The power may go at any change: what is there then is a live tree as before, and the next
// attempt works.
static void test_cuts(void **state) {
    struct stage *s = *state;
    struct memfs before;
    memfs_copy(&before, &s->mem);
    stage_package(&s->pkg);
    for (unsigned cut = 0;; cut++) {
        UNIT_CASE(cut);
        stage_reset(s, &before);
        s->mem.cut = true;
        s->mem.cut_at = cut;
        int res = stage_run(s);
        memfs_power_on(&s->mem);
        assert_same(&s->mem, "", &before, "", true);
        assert_int_equal(record_of(s).state, res == 0 ? SDB_STAGED : SDB_IDLE);
        assert_int_equal(stage_run(s), 0);
        if (res == 0) {
            assert_true(cut > 30);
            break;
        }
    }
    memfs_free(&before);
}

// A live file that gets shorter while it is compared: an error, not a wrong file.
static void test_live_gets_shorter(void **state) {
    struct stage *s = *state;
    uint8_t data[1500];
    memcpy(data, memfs_find(&s->mem, "/main.py")->data, sizeof data);
    data[sizeof data - 1] ^= 0x80;
    package_file(&s->pkg, "main.py", data, sizeof data);
    package_text(&s->pkg, "app/x", "x");
    package_end(&s->pkg);
    assert_int_equal(stage_begin(s), 0);
    assert_int_equal(sdb_install_feed(&s->in, s->pkg.data, 512 + 1024), 0);
    memfs_put(&s->mem, "/main.py", data, 600);
    int res = sdb_install_feed(&s->in, s->pkg.data + 1536, s->pkg.size - 1536);
    assert_int_equal(res, SDB_EIO);
    assert_int_equal(stage_abort(s), 0);
    assert_int_equal(record_of(s).state, SDB_IDLE);
    assert_null(memfs_find(&s->mem, "/.sdboot/new"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_second_release),    TEST(test_checkpoints),     TEST(test_full),
        TEST(test_errors_everywhere), TEST(test_errors_in_abort), TEST(test_cuts),
        TEST(test_live_gets_shorter),
    };
    return cmocka_run_group_tests_name("install_faults", tests, NULL, NULL);
}
