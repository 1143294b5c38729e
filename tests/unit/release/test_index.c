// SPDX-License-Identifier: MIT
// The index of a package, and the headers that a board makes from it.
#include "core/error.h"
#include "made.h"

static void test_headers(void **state) {
    (void)state;
    uint8_t head[512];
    char path[400];
    memset(path, 'x', sizeof path);
    for (size_t len = 1; len < 300; len++) {
        for (size_t slash = 0; slash < len; slash += len < 90 ? 17 : 1) {
            path[len] = '\0';
            path[slash] = '/';
            for (int dir = 0; dir < 2; dir++) {
                size_t all = len + (size_t)dir, rest = all - slash - 1;
                bool fits = all <= 100 || (slash > 0 && slash <= 155 && rest > 0 && rest <= 100 &&
                                           slash + 1 < len);
                bool made = sdb_tarhead_make(head, path, dir ? SDB_INDEX_DIR : SDB_INDEX_FILE, 8);
                if (len > 99 && slash + 1 >= len) {
                    continue; // no name behind the last '/', which no index has
                }
                assert_int_equal(made, fits);
            }
            path[slash] = 'x';
        }
        path[len] = 'x';
    }
}

static void test_index_cut_or_changed(void **state) {
    (void)state;
    static struct made second;
    struct sdb_index ix;
    made_release(&second, "2.0.0", 21);
    for (size_t piece = 1; piece < 9; piece++) {
        struct reader r = {second.index, second.index_size, 0, piece};
        assert_int_equal(sdb_index_open(&ix, reader_more, &r), 0);
        uint32_t seen = 0;
        while (sdb_index_next(&ix) == 1) {
            assert_int_equal(ix.at % 512, 0);
            assert_int_equal(ix.number, seen++);
        }
        assert_int_equal(seen, second.count);
        assert_int_equal(ix.end, second.size);
        assert_int_equal(sdb_index_next(&ix), 0);
        for (size_t size = 0; size < second.index_size; size++) {
            r = (struct reader){second.index, size, 0, piece};
            int res = sdb_index_open(&ix, reader_more, &r);
            while (res == 0 && (res = sdb_index_next(&ix)) == 1) {
                res = 0;
            }
            assert_int_equal(res, SDB_EINVAL);
            if (size > 6) {
                assert_int_equal(sdb_index_next(&ix), SDB_EINVAL);
            }
        }
    }
    const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"sdbJ\1\1\3\1", 8},                              // another magic
        {"sdbI\2\1\3\1", 8},                              // a newer version
        {"sdbI\1\1\3\0", 8},                              // no blocks
        {"sdbI\1\1\7\1", 8},                              // a path where none is
        {"sdbI\1\1\1\0", 8},                              // an empty path
        {"sdbI\1\1\5\1x", 9},                             // more in common than there was
        {"sdbI\1\1\1\1\0", 9},                            // a zero in a path
        {"sdbI\1\1\1\200\4x", 10},                        // too long a path
        {"sdbI\1\1\3\377\377\377\377\17", 12},            // more than 4 GiB
        {"sdbI\1\1\3\377\377\377\377\177\0", 13},         // a number of more than 32 bits
        {"sdbI\1\2\3\377\377\377\3\3\377\377\377\3", 16}, // together more than 4 GiB
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        UNIT_CASE(i);
        struct reader r = {(const uint8_t *)bad[i].bytes, bad[i].size, 0, 100};
        int res = sdb_index_open(&ix, reader_more, &r);
        while (res == 0 && (res = sdb_index_next(&ix)) == 1) {
            res = 0;
        }
        assert_int_equal(res, SDB_EINVAL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_index_cut_or_changed),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
