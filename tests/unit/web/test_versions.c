// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/error.h"
#include "core/web/versions.h"

#define SHA "2988860ca0858eca16a795399148fca95b649784"
#define SHA2 "000102030405060708090a0b0c0d0e0fABCDEF00"

static struct sdb_versions v;

static int parse_n(const char *text, size_t len, const char *current, const char *exclude,
                   bool force) {
    sdb_versions_init(&v, current, exclude, force);
    int res = sdb_versions_feed(&v, text, len);
    int end = sdb_versions_finish(&v);
    assert_true(res == 0 || res == end);

    struct sdb_versions bytewise;
    sdb_versions_init(&bytewise, current, exclude, force);
    for (size_t i = 0; i < len; i++) {
        res = sdb_versions_feed(&bytewise, text + i, 1);
    }
    assert_int_equal(sdb_versions_finish(&bytewise), end);
    if (end == SDB_EVER_LONG) {
        return end; // how much of it was looked at depends on the pieces
    }
    assert_int_equal(bytewise.good, v.good);
    assert_int_equal(bytewise.bad, v.bad);
    assert_memory_equal(&bytewise.best, &v.best, sizeof v.best);
    return end;
}

static int parse(const char *text, const char *current) {
    return parse_n(text, strlen(text), current, NULL, false);
}

static void assert_best(const char *version, const char *file) {
    assert_string_equal(v.best.version, version);
    assert_string_equal(v.best.file, file);
}
#define assert_best(...) UNIT_FROM(assert_best(__VA_ARGS__))

static void test_newest_wins(void **state) {
    (void)state;
    const char *text = "0.0.1;0_0_1-firmware.tar;" SHA2 "\n0.0.2;0_0_2-firmware.tar;" SHA "\n";
    assert_int_equal(parse(text, "0.0.1"), 1);
    assert_best("0.0.2", "0_0_2-firmware.tar");
    assert_true(v.best.has_sha1);
    assert_int_equal(v.best.sha1[0], 0x29);
    assert_int_equal(v.best.sha1[19], 0x84);
    assert_int_equal(v.good, 2);
    assert_int_equal(v.bad, 0);
    assert_int_equal(v.total, strlen(text));
    assert_int_equal(parse(text, "0.0.2"), 0);
    assert_int_equal(parse(text, "0.0.3"), 0);
    const char *unreadable[] = {"", "?", "not a version", "1.0a"};
    for (size_t i = 0; i < COUNT(unreadable); i++) {
        UNIT_CASE(i);
        assert_int_equal(sdb_versions_init(&v, unreadable[i], NULL, false), SDB_EVER_RUNNING);
        assert_int_equal(sdb_versions_init(&v, unreadable[i], NULL, true), 0);
        assert_int_equal(parse_n(text, strlen(text), unreadable[i], NULL, true), 1);
    }
}

static void test_versions_are_not_strings(void **state) {
    (void)state;
    assert_int_equal(parse("1.6.0;a.tar;" SHA "\n1.11.0;b.tar;" SHA "\n", "1.6.0"), 1);
    assert_best("1.11.0", "b.tar");
    assert_int_equal(parse("1.11.0;b.tar;" SHA "\n1.6.0;a.tar;" SHA "\n", "1.6.0"), 1);
    assert_best("1.11.0", "b.tar"); // wherever it stands
    assert_int_equal(parse("2.0.0-rc.1;r.tar;" SHA "\n", "2.0.0-beta.11"), 1);
    assert_int_equal(parse("2.0.0-rc.1;r.tar;" SHA "\n", "2.0.0"), 0);
    assert_int_equal(parse("1.0.0+b;b.tar;" SHA "\n", "1.0.0+a"), 0);
}

static void test_spaces_and_line_ends(void **state) {
    (void)state;
    const char *texts[] = {
        "1.0.0;a.tar;" SHA2,
        "1.0.0;a.tar;" SHA2 "\r\n",
        "\xef\xbb\xbf"
        "1.0.0;a.tar;" SHA2 "\n",
        "\n\n  \t\r\n1.0.0;a.tar;" SHA2 "\n\n",
        "  1.0.0 ;\ta.tar ; " SHA2 " \r\n",
        "1.0.0;a.tar;" SHA2 ";\n",
        "1.0.0;a.tar;" SHA2 " ; \r\n",
        "# sdboot seq=17\n1.0.0;a.tar;" SHA2,
        "  # 9.9.9;z.tar;" SHA2 "\n1.0.0;a.tar;" SHA2,
        "\xef\xbb\xbf# first\r\n1.0.0;a.tar;000102030405060708090A0B0C0D0E0Fabcdef00",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        UNIT_CASE(i);
        assert_int_equal(parse(texts[i], "0.9.9"), 1);
        assert_best("1.0.0", "a.tar");
        assert_memory_equal(v.best.sha1, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\xab\xcd\xef\0",
                            20);
        assert_int_equal(v.good, 1);
        assert_int_equal(v.bad, 0);
    }
}

static void test_nothing_in_it(void **state) {
    (void)state;
    assert_int_equal(parse("", "0.0.0"), 0);
    assert_int_equal(parse("\n \n\t\r\n", "0.0.0"), 0);
    assert_int_equal(parse("\xef\xbb\xbf", "0.0.0"), 0);
    assert_int_equal(parse("# a comment\n#\n# no newline", "0.0.0"), 0);
    assert_int_equal(v.good + v.bad, 0);
    assert_int_equal(v.best.version[0], 0);
}

static void test_bad_lines_are_skipped(void **state) {
    (void)state;
    const char *bad[] = {
        "9.0a;a.tar;" SHA,
        "w9.0;a.tar;" SHA,
        ";a.tar;" SHA,
        "9.0.0",
        "9.0.0;",
        "9.0.0;;" SHA,
        "9.0.0; ;" SHA,
        "9.0.0;a\x01.tar;" SHA,
        "9.0.0;a.tar\x7f;" SHA,
        "9.0.0;a.tar;\x02" SHA,
        "9.0.0;a.\ttar;" SHA,
        "9.0.0;a.\rtar;" SHA,
        "9.0.0;/a.tar;" SHA,
        "9.0.0;//host/a.tar;" SHA,
        "9.0.0;http://host/a.tar;" SHA,
        "9.0.0;c:a.tar;" SHA,
        "9.0.0;../a.tar;" SHA,
        "9.0.0;b/../a.tar;" SHA,
        "9.0.0;b/..;" SHA,
        "9.0.0;..;" SHA,
        "9.0.0;.;" SHA,
        "9.0.0;./a.tar;" SHA,
        "9.0.0;b//a.tar;" SHA,
        "9.0.0;b/;" SHA,
        "9.0.0;b/%2e%2e/a.tar;" SHA,
        "9.0.0;a.tar?x=1;" SHA,
        "9.0.0;a.tar#x;" SHA,
        "9.0.0;a b.tar;" SHA,
        "9.0.0;a\\b.tar;" SHA,
        "9.0.0;\xc3\xa4.tar;" SHA,
        "9.0.0 9.0.1;a.tar;" SHA,
        "<html><body>404 Not Found</body></html>",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        UNIT_CASE(i);
        char text[1024];
        snprintf(text, sizeof text, "%s\n1.0.0;ok.tar;" SHA "\n%s", bad[i], bad[i]);
        if (parse(text, "0.0.0") != 1 || v.bad != 2 || v.good != 1) {
            fail_msg("%s", bad[i]);
        }
        assert_best("1.0.0", "ok.tar");
        assert_int_equal(parse(bad[i], "0.0.0"), SDB_EVER_GARBAGE);
    }
}

static void test_good_file_names(void **state) {
    (void)state;
    const char *files[] = {"a",   "stable/esp32/a.tar", ".hidden",        "a..b.tar",
                           "...", "~x/a-b_c.TAR",       "a@2,b=(1)+$&!*'"};
    for (size_t i = 0; i < COUNT(files); i++) {
        UNIT_CASE(i);
        char text[256];
        snprintf(text, sizeof text, "1.0.0;%s;" SHA, files[i]);
        assert_int_equal(parse(text, "0.0.0"), 1);
        assert_string_equal(v.best.file, files[i]);
    }
}

static void test_hash_is_needed(void **state) {
    (void)state;
    const char *bad[] = {
        "",
        ";",
        ";;;",
        "; ;",
        ";2988860ca0858eca16a795399148fca95b64978",
        ";" SHA "0",
        ";" SHA ";x",
        ";" SHA " x",
        ";2988860ca0858eca16a795399148fca95b64978g",
        ";0x88860ca0858eca16a795399148fca95b649784",
        ";\xc3\xa4"
        "88860ca0858eca16a795399148fca95b649784",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        UNIT_CASE(i);
        char text[512];
        snprintf(text, sizeof text, "1.0.0;a.tar;" SHA "\n1.1.0;b.tar%s\n", bad[i]);
        assert_int_equal(parse(text, "0.0.0"), SDB_EVER_HASH);
        assert_best("1.1.0", "b.tar");
        assert_false(v.best.has_sha1);
        assert_int_equal(parse(text, "1.1.0"), 0); // not to be installed: no harm
        snprintf(text, sizeof text, "1.1.0;b.tar%s\n1.2.0;a.tar;" SHA "\n", bad[i]);
        assert_int_equal(parse(text, "0.0.0"), 1); // not the one that wins
        assert_best("1.2.0", "a.tar");
    }
}

static void test_same_version_twice(void **state) {
    (void)state;
    assert_int_equal(parse("1.0.0;a.tar;" SHA2 "\n1.0.0;b.tar;" SHA "\n", "0.0.0"), 1);
    assert_best("1.0.0", "b.tar");
    assert_int_equal(v.best.sha1[0], 0x29);
    assert_int_equal(parse("1.0.0;a.tar;" SHA "\n1.0.0;b.tar\n", "0.0.0"), SDB_EVER_HASH);
}

static void test_exclude_and_force(void **state) {
    (void)state;
    const char *text = "1.0.0;a.tar;" SHA "\n1.2.0;c.tar;" SHA "\n1.1.0;b.tar;" SHA "\n";
    size_t len = strlen(text);
    assert_int_equal(parse_n(text, len, "1.0.0", "1.2.0", false), 0);
    assert_int_equal(parse_n(text, len, "1.0.0", "1.1.0", false), 1);
    assert_best("1.2.0", "c.tar");
    assert_int_equal(parse_n(text, len, "1.0.0", "no version", false), 1);
    assert_best("1.2.0", "c.tar");
    assert_int_equal(parse_n(text, len, "1.1.0", "1.2.0", false), 0);
    assert_int_equal(parse_n(text, len, "1.0.0", "", false), 1);
    assert_best("1.2.0", "c.tar");
    assert_int_equal(parse_n(text, len, "3.0.0", NULL, true), 1);
    assert_best("1.2.0", "c.tar");
    assert_int_equal(parse_n(text, len, "3.0.0", "1.1.0", true), 1);
    assert_best("1.2.0", "c.tar");
    assert_int_equal(parse_n("1.0.0;a.tar;" SHA, 52, "0.1.0", "1.0.0", true), 0);
    assert_int_equal(v.good, 1);
    // Another build of the version is not newer.
    assert_int_equal(parse_n("1.0.0+2;a.tar;" SHA, 54, "0.1.0", "1.0.0+1", false), 0);
}

static void test_limits_of_fields(void **state) {
    (void)state;
    char version[64] = "1.0.0-", file[160], text[600];
    memset(version + 6, 'x', sizeof version - 6);
    memset(file, 'f', sizeof file);
    version[SDB_VERSION_MAX] = '\0';
    file[SDB_FILE_MAX] = '\0';
    snprintf(text, sizeof text, "%s;%s;" SHA, version, file);
    assert_int_equal(parse(text, "0.0.0"), 1);
    assert_best(version, file);
    snprintf(text, sizeof text, "%sx;%s;" SHA, version, file);
    assert_int_equal(parse(text, "0.0.0"), SDB_EVER_GARBAGE);
    snprintf(text, sizeof text, "%s;%sf;" SHA, version, file);
    assert_int_equal(parse(text, "0.0.0"), SDB_EVER_GARBAGE);

    // The longest line, and one byte more.
    snprintf(text, sizeof text, "%*s;a.tar;" SHA, SDB_VERSIONS_LINE_MAX - 47, "1.0.0");
    assert_int_equal(strlen(text), SDB_VERSIONS_LINE_MAX);
    assert_int_equal(parse(text, "0.0.0"), 1);
    strcat(text, " ");
    assert_int_equal(parse(text, "0.0.0"), SDB_EVER_GARBAGE);
    strcat(text, "\n1.0.0;a.tar;" SHA);
    assert_int_equal(parse(text, "0.0.0"), 1);
    assert_int_equal(v.bad, 1);
}

static void test_long_lines(void **state) {
    (void)state;
    size_t len = 200000;
    char *text = malloc(2 * len);
    memset(text, 'x', len);
    strcpy(text + len, "\n1.0.0;a.tar;" SHA "\n");
    assert_int_equal(parse(text, "0.0.0"), 1);
    assert_int_equal(v.bad, 1);
    text[0] = '#'; // a long comment is no bad line
    assert_int_equal(parse(text, "0.0.0"), 1);
    assert_int_equal(v.bad, 0);
    free(text);
}

static void test_long_files(void **state) {
    (void)state;
    size_t len = 1 << 20;
    char *text = malloc(len);
    memset(text, 'x', len);
    assert_int_equal(parse_n(text, len, "0.0.0", NULL, false), SDB_EVER_LONG); // a 1 MB line
    memset(text, '\n', len);
    memcpy(text, "1.0.0;a.tar;" SHA, 52);
    assert_int_equal(parse_n(text, SDB_VERSIONS_MAX, "0.0.0", NULL, false), 1);
    assert_int_equal(parse_n(text, SDB_VERSIONS_MAX + 1, "0.0.0", NULL, false), SDB_EVER_LONG);
    assert_int_equal(sdb_versions_feed(&v, "\n", 1), SDB_EVER_LONG); // and so it stays
    assert_int_equal(sdb_versions_feed(&v, text, SIZE_MAX), SDB_EVER_LONG);
    free(text);
}

static void test_binary_noise(void **state) {
    (void)state;
    uint32_t seed = 7;
    char noise[5000];
    for (int round = 0; round < 50; round++) {
        UNIT_CASE(round);
        for (size_t i = 0; i < sizeof noise; i++) {
            noise[i] = (char)(unit_random(&seed) >> 11);
        }
        noise[0] = 'x';
        assert_int_equal(parse_n(noise, sizeof noise, "0.0.0", NULL, true), SDB_EVER_GARBAGE);
    }
    assert_int_equal(parse_n("\0\0\0", 3, "0.0.0", NULL, false), SDB_EVER_GARBAGE);
}

// PowerShell's ">>" writes UTF-16, and goes on with it in a file that was begun with another tool.
static void test_utf16(void **state) {
    (void)state;
    const char *lines[] = {"# of today\r\n", "0.9;z.tar;" SHA2 "\r\n", "v1.0;a.tar;" SHA "\r\n"};
    for (size_t i = 0; i < 16; i++) {
        UNIT_CASE(i);
        char text[600];
        size_t n = 0;
        bool big = i & 1;
        if (i & 2) {
            memcpy(text, big ? "\xfe\xff" : "\xff\xfe", 2);
            n = 2;
        }
        for (size_t line = 0; line < COUNT(lines); line++) {
            bool wide = line > 0 || !(i & 4);
            for (const char *p = lines[line]; *p; p++) {
                if (wide && big) {
                    text[n++] = '\0';
                }
                text[n++] = *p;
                if (wide && !big) {
                    text[n++] = '\0';
                }
            }
        }
        assert_int_equal(parse_n(text, n, "0.9.9", NULL, i & 8), 1);
        assert_best("v1.0", "a.tar");
        assert_true(v.best.has_sha1);
        assert_int_equal(v.good, 2);
    }
}

static void test_as_people_write_them(void **state) {
    (void)state;
    assert_int_equal(parse("v1.9.9;a.tar;" SHA, "2.0"), 0);
    assert_int_equal(parse("2;a.tar;" SHA, "v2.0.0"), 0);
    assert_int_equal(parse("2.0.1;a.tar;" SHA, "2"), 1);
    assert_int_equal(parse("2024-02-01;a.tar;" SHA, "2024.1.31"), 1);
    assert_int_equal(parse("02.1;a.tar;" SHA "\nv2.01;b.tar;" SHA, "2.0"), 1);
    assert_best("v2.01", "b.tar"); // the same version twice: the later line
}

static void test_excluded_is_told(void **state) {
    (void)state;
    const char *text = "1.0;a.tar;" SHA "\n1.2;c.tar;" SHA "\n";
    size_t len = strlen(text);
    assert_int_equal(parse_n(text, len, "1.0.0", "v1.2.0", false), 0);
    assert_true(v.excluded);
    assert_int_equal(parse_n(text, len, "1.2", "1.2", false), 0); // it runs all the same
    assert_false(v.excluded);
    assert_int_equal(parse_n(text, len, "1.0", NULL, false), 1);
    assert_false(v.excluded);
    assert_int_equal(parse_n(text, len, "1.0", "1.3", true), 0);
    assert_false(v.excluded);
}

static void test_many_bad_lines_do_not_wrap(void **state) {
    (void)state;
    char *text = malloc(140000);
    for (size_t i = 0; i < 70000; i++) {
        memcpy(text + 2 * i, "x\n", 2);
    }
    assert_int_equal(parse_n(text, 2 * 65536, "0.0.0", NULL, false), SDB_EVER_GARBAGE);
    assert_int_equal(v.bad, 65535);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_wins),
        cmocka_unit_test(test_versions_are_not_strings),
        cmocka_unit_test(test_spaces_and_line_ends),
        cmocka_unit_test(test_nothing_in_it),
        cmocka_unit_test(test_bad_lines_are_skipped),
        cmocka_unit_test(test_good_file_names),
        cmocka_unit_test(test_hash_is_needed),
        cmocka_unit_test(test_same_version_twice),
        cmocka_unit_test(test_exclude_and_force),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_as_people_write_them),
        cmocka_unit_test(test_excluded_is_told),
        cmocka_unit_test(test_limits_of_fields),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_long_files),
        cmocka_unit_test(test_binary_noise),
        cmocka_unit_test(test_many_bad_lines_do_not_wrap),
    };
    return cmocka_run_group_tests_name("versions", tests, NULL, NULL);
}
