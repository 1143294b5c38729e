// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/semver.h"

static int sign(int n) {
    return (n > 0) - (n < 0);
}

static void test_valid(void **state) {
    (void)state;
    const char *valid[] = {
        "0.0.0",
        "0.0.4",
        "1.2.3",
        "10.20.30",
        "1.1.2-prerelease+meta",
        "1.1.2+meta",
        "1.1.2+meta-valid",
        "1.0.0-alpha",
        "1.0.0-alpha.beta.1",
        "1.0.0-alpha0.valid",
        "1.0.0-alpha.0valid",
        "1.0.0-rc.1+build.1",
        "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
        "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
        "99999999999999999999999.999999999999999999.99999999999999999",
        "1.0.0-0A.is.legal",
        "1.0.0-0",
        "1.0.0+001",
    };
    for (size_t i = 0; i < COUNT(valid); i++) {
        if (!sdb_semver_valid(valid[i])) {
            fail_msg("refused: %s", valid[i]);
        }
    }
}

static void test_invalid(void **state) {
    (void)state;
    const char *invalid[] = {
        "",           ".1.2.3",      "1.2.",     "v",        "vv1",
        "V.1",        " 1.2.3",      "1.2.3 ",   "1.2.3-",   "1.2.3+",
        "1.2.3+a+b",  "1.2.3-a..b",  "1.2.3-a.", "1.2.3-.a", "1.2.3-a_b",
        "1.2.3+a..b", "1.2.3+a/b",   "-1.2.3",   "1.-2.3",   "a.b.c",
        "1..3",       "1.2.3\r",     "1.2.3-\r", "1.2.3-@",  "1.2.3-[",
        "+1.2.3",     "1.0a",        "1_0",      "1,0",      "2024-03-",
        "2024/03/07", "1.2.3-a+b+c", "?",        "1.2.?",    "1.2.3-a\xc3\xa9",
    };
    for (size_t i = 0; i < COUNT(invalid); i++) {
        if (sdb_semver_valid(invalid[i])) {
            fail_msg("accepted: %s", invalid[i]);
        }
    }
}

// Every version is older than all after it.
static void test_order(void **state) {
    (void)state;
    const char *order[] = {
        "0.0.0-0",
        "0.0.0",
        "0.0.2",
        "0.0.10",
        "0.9.0",
        "1.0.0--",     // '-' sorts before letters, and is no number
        "1.0.0-alpha", // from here to 1.0.0: the specification's own example
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.6.0",
        "1.11.0", // older than 1.6.0 as a string
        "2.0.0",
        "2.1.0",
        "2.1.1-4294967295",
        "2.1.1-4294967296",
        "2.1.1-18446744073709551616",
        "2.1.1-99999999999999999999999999999999999999999",
        "2.1.1-100000000000000000000000000000000000000000",
        "2.1.1-A",
        "2.1.1-a",
        "2.1.1",
        "4294967296.0.0",
        "18446744073709551615.0.0",
        "18446744073709551616.0.0",
        "18446744073709551617.0.0",
    };
    for (size_t i = 0; i < COUNT(order); i++) {
        UNIT_CASE(i);
        assert_true(sdb_semver_valid(order[i]));
        for (size_t k = 0; k < COUNT(order); k++) {
            if (sign(sdb_semver_compare(order[i], order[k])) != (i > k) - (i < k)) {
                fail_msg("%s and %s", order[i], order[k]);
            }
        }
    }
}

static void test_as_people_write_them(void **state) {
    (void)state;
    const char *same[][4] = {
        {"2", "2.0", "v2.0.0", "V02.00.000.0"},
        {"1.2.3", "v1.2.3", "01.02.03", "1.2.3.0"},
        {"1.2-rc.1", "v1.2.0-rc.01", "1.2.0.0-rc.001", "1.2-rc.1+x"},
        {"2024-03-07", "2024.03.07", "v2024.3.7", "2024-3-7"},
        {"2024-03-07-rc1", "2024.3.7-rc1", "2024.03.07.0-rc1", "2024-3-07-rc1+b"},
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        UNIT_CASE(i);
        for (size_t k = 0; k < 16; k++) {
            const char *a = same[i][k / 4], *b = same[i][k % 4];
            if (!sdb_semver_valid(a) || sdb_semver_compare(a, b) != 0) {
                fail_msg("%s and %s", a, b);
            }
        }
    }
    // Every one is older than the next.
    const char *order[] = {
        "0",          "0.0.0.1",  "v0.1",       "0.9.99",   "1-rc",       "1",
        "1.0.1",      "1.9.9",    "2.0",        "v2.0.1-b", "2.0.1",      "2.0.1.1-a",
        "2.0.1.1",    "2.10",     "10.1",       "99.1",     "2023-12-31", "2024-1-2",
        "2024-01-10", "2024.2.1", "2024-10-01", "20240101",
    };
    for (size_t i = 0; i + 1 < COUNT(order); i++) {
        for (size_t k = i + 1; k < COUNT(order); k++) {
            if (!(sdb_semver_compare(order[i], order[k]) < 0 &&
                  sdb_semver_compare(order[k], order[i]) > 0)) {
                fail_msg("%s and %s", order[i], order[k]);
            }
        }
    }
    // Not a date: a pre-release whose name is a number.
    assert_true(sdb_semver_compare("2024.0.0-03", "2024") < 0);
    assert_true(sdb_semver_compare("3-03", "3") < 0);
    assert_true(sdb_semver_compare("2024-03x", "2024") < 0);
}

#define WORD(data) word_of(data, sizeof(data) - 1)

static const char *word_of(const char *data, size_t len) {
    static char word[SDB_VERSION_MAX + 1];
    char *exact = malloc(len + 1); // a read beyond it is found
    memcpy(exact, data, len);
    char *end = realloc(exact, len ? len : 1);
    memset(word, 0x5a, sizeof word);
    sdb_version_word(end, len, word);
    free(end);
    return word;
}

static void test_word_of_a_file(void **state) {
    (void)state;
    assert_string_equal(WORD("1.2.3"), "1.2.3");
    assert_string_equal(WORD("1.2.3\n"), "1.2.3");
    assert_string_equal(WORD(" \t\r\n\v\f1.2.3 # of today\r\n4.5.6"), "1.2.3");
    assert_string_equal(WORD("\xef\xbb\xbfv1.2\r\n"), "v1.2");
    assert_string_equal(WORD("\xff\xfe"
                             "1\0.\0002\0\r\0\n\0"),
                        "1.2");
    assert_string_equal(WORD("\xfe\xff\0001\0.\0002\0\r\0\n"), "1.2");
    assert_string_equal(WORD("1\0.\0002\0"), "1.2");
    assert_string_equal(WORD("\0001\0.\0002"), "1.2");
    assert_string_equal(WORD("\xff\xfe \0001\0.\000"), "1."); // cut in a character
    assert_string_equal(WORD("\xff\xfe\x31\x04"), "?");
    assert_string_equal(WORD(""), "");
    assert_string_equal(WORD("\xef\xbb\xbf"), "");
    assert_string_equal(WORD("\xff\xfe"), "");
    assert_string_equal(WORD(" \n"), "");
    assert_string_equal(WORD("\0\0\0"), "???");
    assert_string_equal(WORD("1.2\x1b[2J\x80"), "1.2?[2J?");
    assert_string_equal(WORD("1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcde"),
                        "1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcde");
    assert_string_equal(WORD("1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcdef"),
                        "1.0.0-abcdefghijklmnopqrstuvwxyz0123456789abcd?");
}

static void test_build_metadata_does_not_count(void **state) {
    (void)state;
    assert_int_equal(sdb_semver_compare("1.0.0+a", "1.0.0"), 0);
    assert_int_equal(sdb_semver_compare("1.0.0+a", "1.0.0+b.c-d"), 0);
    assert_int_equal(sdb_semver_compare("1.0.0-x.1+a", "1.0.0-x.1+b"), 0);
    assert_true(sdb_semver_compare("1.0.0-x+9", "1.0.0+1") < 0);
    assert_true(sdb_semver_compare("1.0.0-x+9.9", "1.0.0-x.1") < 0);
}

// Each beginning of versions, in memory of its exact size.
static void test_nothing_behind_the_end_is_read(void **state) {
    (void)state;
    static const char *const versions[] = {"v2024-03-07-rc.1+b", "1.2024-3", "2024",
                                           "0.0.1-a.0+0-0a"};
    for (size_t i = 0; i < COUNT(versions); i++) {
        UNIT_CASE(i);
        for (size_t len = 0; len <= strlen(versions[i]); len++) {
            UNIT_CASE(len);
            char *v = malloc(len + 1);
            memcpy(v, versions[i], len);
            v[len] = '\0';
            if (sdb_semver_valid(v)) {
                assert_int_equal(sdb_semver_compare(v, v), 0);
            }
            free(v);
        }
    }
    assert_true(sdb_semver_valid("2024"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_behind_the_end_is_read),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_as_people_write_them),
        cmocka_unit_test(test_word_of_a_file),
        cmocka_unit_test(test_build_metadata_does_not_count),
    };
    return cmocka_run_group_tests_name("semver", tests, NULL, NULL);
}
