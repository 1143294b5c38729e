// SPDX-License-Identifier: MIT
#include "core/error.h"
#include "memfs_assert.h"
#include "core/release/record_fs.h"

static struct sdb_record_store store;

static int setup(void **state) {
    rig_setup(state);
    sdb_record_fs(&store, &((struct rig *)*state)->fs);
    return 0;
}

static void test_files(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    assert_int_equal(sdb_record_load(&store, &r), 0);
    assert_int_equal(r.seq, 0);
    assert_int_equal(rig->mem.mutations, 0);
    for (uint32_t seq = 1; seq < 5; seq++) {
        UNIT_CASE(seq);
        r.state = SDB_STAGED;
        r.left = (uint8_t)seq;
        assert_int_equal(sdb_record_save(&store, &r), 0);
        const char *path = seq % 2 ? "/.sdboot/record.0" : "/.sdboot/record.1";
        assert_int_equal(memfs_find(&rig->mem, path)->size, SDB_RECORD_SIZE);
        memset(&r, 0, sizeof r);
        assert_int_equal(sdb_record_load(&store, &r), 0);
        assert_int_equal(r.seq, seq);
        assert_int_equal(r.left, seq);
    }
    assert_int_equal(rig->mem.count, 3);
}

// A cut at every operation of a save leaves the record before it, or the new one.
static void test_cuts(void **state) {
    struct rig *rig = *state;
    for (uint32_t before = 0; before < 3; before++) {
        UNIT_CASE(before);
        for (unsigned cut = 0;; cut++) {
            UNIT_CASE(cut);
            struct sdb_record r, back;
            memfs_free(&rig->mem);
            memset(&r, 0, sizeof r);
            for (uint32_t i = 0; i < before; i++) {
                UNIT_CASE(i);
                assert_int_equal(sdb_record_save(&store, &r), 0);
            }
            memfs_power_on(&rig->mem);
            rig->mem.cut = true;
            rig->mem.cut_at = cut;
            int res = sdb_record_save(&store, &r);
            memfs_power_on(&rig->mem);
            assert_int_equal(sdb_record_load(&store, &back), 0);
            assert_int_equal(back.seq, res == 0 ? before + 1 : before);
            assert_int_equal(sdb_record_save(&store, &back), 0);
            if (res == 0) {
                assert_true(cut >= 2);
                break;
            }
        }
    }
}

// A file of another length is none.
static void test_lengths(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    memset(&r, 0, sizeof r);
    assert_int_equal(sdb_record_save(&store, &r), 0);
    uint8_t data[SDB_RECORD_SIZE];
    memcpy(data, memfs_find(&rig->mem, "/.sdboot/record.0")->data, sizeof data);
    for (size_t len = 0; len < sizeof data; len += 73) {
        UNIT_CASE(len);
        memfs_put(&rig->mem, "/.sdboot/record.0", data, len);
        assert_int_equal(sdb_record_load(&store, &r), 0);
        assert_int_equal(r.seq, 0);
    }
    memfs_put(&rig->mem, "/.sdboot/record.0", data, sizeof data);
    assert_int_equal(sdb_record_load(&store, &r), 0);
    assert_int_equal(r.seq, 1);
}

// Every error comes through, but for the close of a file that was read: its bytes are here.
static void test_errors(void **state) {
    struct rig *rig = *state;
    for (int saving = 0; saving < 2; saving++) {
        UNIT_CASE(saving);
        for (unsigned n = 1;; n++) {
            UNIT_CASE(n);
            struct sdb_record r;
            memfs_free(&rig->mem);
            memset(&r, 0, sizeof r);
            assert_int_equal(sdb_record_save(&store, &r), 0);
            assert_int_equal(sdb_record_save(&store, &r), 0);
            memfs_power_on(&rig->mem);
            rig->mem.fail_at = n;
            rig->mem.fail_error = SDB_EIO;
            int res = saving ? sdb_record_save(&store, &r) : sdb_record_load(&store, &r);
            assert_int_equal(memfs_open_handles(&rig->mem), 0);
            if (rig->mem.calls < n) {
                assert_int_equal(res, 0);
                assert_true(n > 6);
                break;
            }
            assert_true(res == SDB_EIO || (res == 0 && n % 3 == 0 && n <= 6));
        }
    }
}

static void test_no_directory_possible(void **state) {
    struct rig *rig = *state;
    struct sdb_record r;
    memset(&r, 0, sizeof r);
    rig->mem.fail_at = 4; // two reads that find nothing, open, mkdir
    rig->mem.fail_error = SDB_ENOSPC;
    assert_int_equal(sdb_record_save(&store, &r), SDB_ENOSPC);

    memfs_text(&rig->mem, "/.sdboot", "a file");
    assert_int_equal(sdb_record_load(&store, &r), SDB_ENOTDIR);
    assert_int_equal(sdb_record_save(&store, &r), SDB_ENOTDIR);
    assert_int_equal(memfs_find(&rig->mem, "/.sdboot")->size, 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_files),
        TEST(test_cuts),
        TEST(test_lengths),
        TEST(test_errors),
        TEST(test_no_directory_possible),
    };
    return cmocka_run_group_tests_name("record_fs", tests, NULL, NULL);
}
