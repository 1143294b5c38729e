// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/error.h"

static void test_every_code_has_its_own_text(void **state) {
    (void)state;
    const char *seen[128];
    size_t n = 0;
    for (int code = 0; code > -256; code--) {
        UNIT_CASE(code);
        const char *text = sdb_strerror(code);
        if (strcmp(text, "error") == 0) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            UNIT_CASE(i);
            assert_string_not_equal(text, seen[i]);
        }
        size_t len = strlen(text);
        assert_in_range(len, 4, 80);
        assert_true(text[len - 1] != '.' && text[len - 1] != ' ');
        assert_true(text[0] >= 'a' && text[0] <= 'z');
        seen[n++] = text;
    }
    // errno, package, signature, verify, log, versions, HTTP, URL
    assert_int_equal(n, 17 + 18 + 4 + 1 + 1 + 8 + 5 + 5);
}

static void test_groups_begin_and_end_where_they_should(void **state) {
    (void)state;
    assert_string_equal(sdb_strerror(SDB_OK), "no error");
    assert_string_equal(sdb_strerror(SDB_ENOENT), "no such file or directory");
    assert_string_equal(sdb_strerror(SDB_EPKG_PARENT), "package: path with '..'");
    assert_non_null(strstr(sdb_strerror(SDB_EPKG_TRUNCATED), "cut short"));
    assert_non_null(strstr(sdb_strerror(SDB_EPKG_NOT_TAR), ".tar"));
    assert_non_null(strstr(sdb_strerror(SDB_EPKG_CONFLICT), "file and directory"));
    assert_non_null(strstr(sdb_strerror(SDB_EVER_GARBAGE), "semver;file;sha1"));
    assert_non_null(strstr(sdb_strerror(SDB_EVER_LONG), "too long"));
    assert_non_null(strstr(sdb_strerror(SDB_EHTTP_GARBAGE), "HTTP/1.x"));
    assert_non_null(strstr(sdb_strerror(SDB_EHTTP_LENGTH), "length"));
}

static void test_other_numbers(void **state) {
    (void)state;
    const int others[] = {-3, -110, -201, -255, -256, -100000, 1, 22, 200, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(others); i++) {
        UNIT_CASE(i);
        assert_string_equal(sdb_strerror(others[i]), "error");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_its_own_text),
        cmocka_unit_test(test_groups_begin_and_end_where_they_should),
        cmocka_unit_test(test_other_numbers),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
