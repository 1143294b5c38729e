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
        "",           "1",           "1.2",
        "1.2.",       ".1.2.3",      "1.2.3.4",
        "v1.2.3",     " 1.2.3",      "1.2.3 ",
        "01.2.3",     "1.02.3",      "1.2.03",
        "1.2.3-",     "1.2.3+",      "1.2.3-a..b",
        "1.2.3-a.",   "1.2.3-.a",    "1.2.3-01",
        "1.2.3-a.01", "1.2.3+a+b",   "1.2.3+",
        "1.2.3+a..b", "1.2.3-a_b",   "1.2.3+a/b",
        "-1.2.3",     "1.-2.3",      "1.2.3-a\xc3\xa9",
        "a.b.c",      "1.2.3-a+b+c", "1.2-3",
        "1..3",       "1.2.3\r",     "1.2.3-\r",
        "1.2.3-@",    "1.2.3-[",     "+1.2.3",
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

static void test_build_metadata_does_not_count(void **state) {
    (void)state;
    assert_int_equal(sdb_semver_compare("1.0.0+a", "1.0.0"), 0);
    assert_int_equal(sdb_semver_compare("1.0.0+a", "1.0.0+b.c-d"), 0);
    assert_int_equal(sdb_semver_compare("1.0.0-x.1+a", "1.0.0-x.1+b"), 0);
    assert_true(sdb_semver_compare("1.0.0-x+9", "1.0.0+1") < 0);
    assert_true(sdb_semver_compare("1.0.0-x+9.9", "1.0.0-x.1") < 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_build_metadata_does_not_count),
    };
    return cmocka_run_group_tests_name("semver", tests, NULL, NULL);
}
