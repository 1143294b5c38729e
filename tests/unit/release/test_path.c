// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/error.h"
#include "core/release/path.h"

static int clean(const char *path, char out[2048]) {
    snprintf(out, 2048, "%s", path);
    return sdb_path_clean(out);
}

static void test_made_plain(void **state) {
    (void)state;
    const char *pairs[][2] = {
        {"app/main.py", "app/main.py"},
        {"./app/main.py", "app/main.py"},
        {"././/./app//lib///x.py", "app/lib/x.py"},
        {"app/", "app"},
        {"app/./", "app"},
        {"app//.", "app"},
        {"a/./b/././c", "a/b/c"},
        {"./", ""},
        {".", ""},
        {"", ""},
        {".//.", ""},
        {".version", ".version"},
        {"...a", "...a"},
        {"..a/b", "..a/b"},
        {" leading space", " leading space"},
        {"a b.c d", "a b.c d"},
        {"gr\xc3\xb6\xc3\x9f"
         "e",
         "gr\xc3\xb6\xc3\x9f"
         "e"},
        {"\xe2\x82\xac\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
         "\xe2\x82\xac\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"~!@#$%^&()_+-={}[];',`", "~!@#$%^&()_+-={}[];',`"},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        UNIT_CASE(i);
        char out[2048];
        assert_int_equal(clean(pairs[i][0], out), strlen(pairs[i][1]));
        assert_string_equal(out, pairs[i][1]);
    }
}

static void test_refused(void **state) {
    (void)state;
    const struct {
        int error;
        const char *path;
    } refused[] = {
        {SDB_EPKG_ABSOLUTE, "/"},
        {SDB_EPKG_ABSOLUTE, "/etc/passwd"},
        {SDB_EPKG_ABSOLUTE, "//x"},
        {SDB_EPKG_PARENT, ".."},
        {SDB_EPKG_PARENT, "../x"},
        {SDB_EPKG_PARENT, "a/.."},
        {SDB_EPKG_PARENT, "a/../b"},
        {SDB_EPKG_PARENT, "./../b"},
        {SDB_EPKG_PARENT, "a/..//b/"},
        {SDB_EPKG_PARENT, "a/../b:"},
        {SDB_EPKG_CHARACTER, "..."},
        {SDB_EPKG_CHARACTER, "a./b"},
        // No UTF-8: Latin-1, alone or cut short, overlong, a surrogate, beyond U+10FFFF.
        {SDB_EPKG_CHARACTER, "gr\xf6\xdf"},
        {SDB_EPKG_CHARACTER, "a\x80"},
        {SDB_EPKG_CHARACTER, "a\xe2\x82"},
        {SDB_EPKG_CHARACTER, "a\xe2\x82/b"},
        {SDB_EPKG_CHARACTER, "\xc0\xaf"},
        {SDB_EPKG_CHARACTER, "\xe0\x9f\xbf"},
        {SDB_EPKG_CHARACTER, "\xed\xa0\x80"},
        {SDB_EPKG_CHARACTER, "\xf0\x8f\xbf\xbf"},
        {SDB_EPKG_CHARACTER, "\xf4\x90\x80\x80"},
        {SDB_EPKG_CHARACTER, "\xff"},
        {SDB_EPKG_CHARACTER, "a/b."},
        {SDB_EPKG_CHARACTER, "a/b "},
        {SDB_EPKG_CHARACTER, "a/ /b"},
        {SDB_EPKG_CHARACTER, ".. /b"},
        {SDB_EPKG_CHARACTER, "a\\b"},
        {SDB_EPKG_CHARACTER, "c:/x"},
        {SDB_EPKG_CHARACTER, ":"},
        {SDB_EPKG_CHARACTER, "a/\\b"},
        {SDB_EPKG_CHARACTER, "a*"},
        {SDB_EPKG_CHARACTER, "a\"b"},
        {SDB_EPKG_CHARACTER, "a<b"},
        {SDB_EPKG_CHARACTER, "a>b"},
        {SDB_EPKG_CHARACTER, "a?b"},
        {SDB_EPKG_CHARACTER, "a|b"},
        {SDB_EPKG_CHARACTER, "a\nb"},
        {SDB_EPKG_CHARACTER, "a\x01"},
        {SDB_EPKG_CHARACTER, "a\x1f"
                             "b"},
        {SDB_EPKG_CHARACTER, "a\x7f"
                             "b"},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        char out[2048];
        if (clean(refused[i].path, out) != refused[i].error) {
            fail_msg("'%s': %d", refused[i].path, clean(refused[i].path, out));
        }
    }
}

static void test_lengths(void **state) {
    (void)state;
    char path[2048], out[2048];
    memset(path, 'a', sizeof path);
    path[255] = '\0';
    assert_int_equal(clean(path, out), 255);
    path[255] = 'a';
    path[256] = '\0';
    assert_int_equal(clean(path, out), SDB_EPKG_LONG);

    memset(path, 'a', sizeof path);
    path[200] = '/';
    path[400] = '/';
    path[479] = '\0';
    assert_int_equal(clean(path, out), 479);
    path[479] = 'a';
    path[480] = '\0';
    assert_int_equal(clean(path, out), SDB_EPKG_LONG);
    assert_string_equal(out, path);

    // What counts is the length of the plain path.
    memset(path, '/', sizeof path);
    memcpy(path, "app", 3);
    memcpy(path + 1800, "main.py", 8);
    assert_int_equal(clean(path, out), 11);
    assert_string_equal(out, "app/main.py");
}

static void test_refused_path_can_be_shown(void **state) {
    (void)state;
    char out[2048];
    assert_int_equal(clean("./app/../../x/", out), SDB_EPKG_PARENT);
    assert_string_equal(out, "app/../../x");
    assert_int_equal(clean("/etc/passwd", out), SDB_EPKG_ABSOLUTE);
    assert_string_equal(out, "/etc/passwd");
}

static void test_under(void **state) {
    (void)state;
    assert_true(sdb_path_under("app", "app"));
    assert_true(sdb_path_under("app/main.py", "app"));
    assert_true(sdb_path_under("a/b/c", "a/b"));
    assert_false(sdb_path_under("myapp/main.py", "app"));
    assert_false(sdb_path_under("apple", "app"));
    assert_false(sdb_path_under("ap", "app"));
    assert_false(sdb_path_under("", "app"));
    assert_false(sdb_path_under("App/main.py", "app"));
    assert_true(sdb_path_under_nocase("App/main.py", "app"));
    assert_true(sdb_path_under_nocase(".sdboot/x", ".SDBoot"));
    assert_true(sdb_path_under_nocase("BOOT.PY", "boot.py"));
    assert_false(sdb_path_under_nocase("BOOT.PYC", "boot.py"));
    assert_false(sdb_path_under_nocase("a[", "a{")); // 32 apart, but no letters
    assert_false(sdb_path_under_nocase("", "a"));
}

static void test_key(void **state) {
    (void)state;
    uint32_t a[2], b[2];
    sdb_path_key("foobar", a);
    assert_int_equal(a[0], 0x9ef61f95); // published values of both functions
    assert_int_equal(a[1], 0xbf9cf968);
    sdb_path_key("FooBAR", b);
    assert_memory_equal(a, b, sizeof a);
    sdb_path_key("foobaR/", b);
    assert_true(a[0] != b[0] && a[1] != b[1]);
    sdb_path_key("a[", a);
    sdb_path_key("a{", b);
    assert_true(a[0] != b[0] && a[1] != b[1]);
    sdb_path_key("", a);
    assert_true(a[0] == 0 && a[1] == 0x811c9dc5);
}

static void test_litter(void **state) {
    (void)state;
    const char *litter[] = {"._",        "./._.",         "app/._x.py",   "._dir/x",
                            ".DS_Store", "app/.DS_Store", "__MACOSX/._x", "__MACOSX",
                            "/abs/._x",  "../._x",        "a//._b",       "__MACOSX/"};
    const char *clean[] = {"",           ".",         "..",          "_._",         "a._b",
                           ".DS_Store2", "x__MACOSX", "__MACOSX.py", "app/ds_store"};
    for (size_t i = 0; i < COUNT(litter); i++) {
        UNIT_CASE(i);
        assert_true(sdb_path_is_litter(litter[i]));
    }
    for (size_t i = 0; i < COUNT(clean); i++) {
        UNIT_CASE(i);
        assert_false(sdb_path_is_litter(clean[i]));
    }
}

static void test_alias(void **state) {
    (void)state;
    const char *alias[] = {"~1.SDB",    "~1.sdb", "SDBOOT~1",     "sdboot~1",
                           "APP~1",     "A~1",    "ABCDEF~1.TXT", "ABCDE~12.A",
                           "AB~1F2A.x", "X~a",    "A~B~1.c",      "\xe4~1"};
    const char *others[] = {
        "",         "~",  "~.sdb", "app",     "main.py~",    "x.py~1", "ABCDEFG~1", "A~1.html",
        "A~1x.txt", "~x", "a~-1",  ".sdboot", "SDBOOT~1 .x", "A~1.",   "long~name", "a~1~"};
    for (size_t i = 0; i < COUNT(alias); i++) {
        UNIT_CASE(i);
        assert_true(sdb_path_is_alias(alias[i], strlen(alias[i])));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        UNIT_CASE(i);
        bool wanted = strcmp(others[i], "A~1.") == 0; // sdb_path_clean() refuses it
        assert_int_equal(sdb_path_is_alias(others[i], strlen(others[i])), wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_plain), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_lengths),    cmocka_unit_test(test_refused_path_can_be_shown),
        cmocka_unit_test(test_litter),     cmocka_unit_test(test_alias),
        cmocka_unit_test(test_under),      cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
