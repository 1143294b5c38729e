// SPDX-License-Identifier: MIT
// The tar reader on archives made by hand: what is refused, and forms that no tool here writes.
#include "tar_trace.h"
#include "core/error.h"

static struct sdb_tar tar;
static struct made m;
static char trace_text[4096]; // of the last read_made()

static int read_bytes(const void *data, size_t len) {
    int first = 0;
    for (size_t piece = 1; piece <= len + 513; piece += 512) {
        UNIT_CASE(piece);
        struct trace t;
        trace_start(&t, &tar);
        int res = trace_feed(&tar, data, len, piece, NULL);
        if (piece == 1) {
            first = res;
            snprintf(trace_text, sizeof trace_text, "%s", t.text);
        }
        assert_int_equal(res, first);
        assert_string_equal(t.text, trace_text);
        free(t.text);
    }
    return first;
}

static int read_made(void) {
    return read_bytes(m.bytes, m.len);
}

static int read_one(const char *name, char type, uint32_t size) {
    m.len = 0;
    made_header(&m, name, type, size);
    made_body(&m, (const uint8_t[512]){'x'}, size);
    made_end(&m);
    return read_made();
}

static int read_pax(char type, const char *records, size_t len) {
    m.len = 0;
    made_member(&m, "pax", type, records, len);
    made_header(&m, "app/a", '0', 0);
    made_end(&m);
    return read_made();
}

#define PAX(type, records) read_pax(type, records, sizeof(records) - 1)

static void test_types(void **state) {
    (void)state;
    static const struct {
        const char *name;
        char type;
        unsigned size;
        const char *want;
    } types[] = {
        {"app/a", '0', 1, "f 1 8cdc1683 app/a\n"},
        {"app/a", '\0', 1, "f 1 8cdc1683 app/a\n"},
        {"app/a", '7', 1, "f 1 8cdc1683 app/a\n"},
        {"app/", '0', 0, "d 0 0 app\n"},
        {"app/", '\0', 0, "d 0 0 app\n"},
        {"app", '5', 0, "d 0 0 app\n"},
        {"./", '5', 0, ""},
    };
    for (int type = 1; type < 256; type++) {
        UNIT_CASE(type);
        if (!strchr("057LKxg", type)) {
            assert_int_equal(read_one("app/a", (char)type, 0), SDB_EPKG_TYPE);
            assert_string_equal(tar.path, "app/a");
        }
    }
    for (size_t i = 0; i < COUNT(types); i++) {
        UNIT_CASE(i);
        assert_int_equal(read_one(types[i].name, types[i].type, types[i].size), 0);
        assert_string_equal(trace_text, types[i].want);
    }
    assert_int_equal(read_one("app/", '1', 0), SDB_EPKG_TYPE);
    assert_int_equal(read_one("app/", '5', 512), SDB_EPKG_FIELD); // a directory with a body
    assert_int_equal(read_one("app/", '0', 512), SDB_EPKG_FIELD);
}

static void test_paths(void **state) {
    (void)state;
    assert_int_equal(read_one("/app/a", '0', 0), SDB_EPKG_ABSOLUTE);
    assert_int_equal(read_one("app/../a", '0', 0), SDB_EPKG_PARENT);
    assert_string_equal(tar.path, "app/../a");
    assert_int_equal(read_one("app\\a", '0', 0), SDB_EPKG_CHARACTER);
    assert_int_equal(read_one("c:a", '0', 0), SDB_EPKG_CHARACTER);
    assert_int_equal(read_one("a\x01", '5', 0), SDB_EPKG_CHARACTER);
    assert_int_equal(read_one("", '0', 0), SDB_EPKG_FIELD);
    assert_int_equal(read_one("./", '\0', 1), SDB_EPKG_FIELD);
    assert_int_equal(read_one(".", '0', 0), SDB_EPKG_FIELD);

    // A name that fills its field, and a prefix that does.
    char text[300];
    memset(text, 'n', sizeof text);
    text[100] = '\0';
    m.len = 0;
    uint8_t *h = made_header(&m, text, '0', 0);
    memset(h + 345, 'p', 155);
    made_checksum(h, false);
    made_end(&m);
    assert_int_equal(read_made(), 0);
    memset(text, 'p', 155);
    snprintf(text + 155, sizeof text - 155, "/%0100d", 0);
    memset(text + 156, 'n', 100);
    assert_memory_equal(trace_text, "f 0 00000000 ", 13);
    assert_memory_equal(trace_text + 13, text, 256);
    assert_string_equal(trace_text + 13 + 256, "\n");
    // Where old GNU tar has other things in that place.
    memcpy(h + 257, "ustar  ", 8);
    made_checksum(h, false);
    assert_int_equal(read_made(), 0);
    assert_int_equal(strlen(trace_text), 13 + 100 + 1);
}

static void test_checksums(void **state) {
    (void)state;
    m.len = 0;
    uint8_t *h = made_header(&m,
                             "app/gr\xc3\xb6\xc3\x9f"
                             "e",
                             '0', 0);
    made_end(&m);
    assert_int_equal(read_made(), 0);
    made_checksum(h, true); // as historical tars did
    assert_int_equal(read_made(), 0);
    h[1]++;
    assert_int_equal(read_made(), SDB_EPKG_CHECKSUM);
    memset(h + 257, 0, 8);
    assert_int_equal(read_made(), SDB_EPKG_NOT_TAR); // the first header tells what it is
    made_checksum(h, false);
    assert_int_equal(read_made(), 0); // v7
    h[1]++;
    memset(h + 148, 0, 8);
    assert_int_equal(read_made(), SDB_EPKG_NOT_TAR);

    // A later header: nothing of it is used.
    m.len = 0;
    made_header(&m, "a", '0', 0);
    h = made_header(&m, "b", '0', 0);
    made_end(&m);
    for (size_t i = 0; i < 512; i++) {
        UNIT_CASE(i);
        h[i] ^= 0x04;
        int res = read_made();
        if (res != SDB_EPKG_CHECKSUM) {
            // Only bytes after the end of the checksum's number don't count.
            assert_true(i >= 154 && i < 156);
        } else {
            assert_string_equal(trace_text, "f 0 00000000 a\n");
        }
        h[i] ^= 0x04;
    }
}

static int read_size(const void *field, size_t len) {
    m.len = 0;
    uint8_t *h = made_header(&m, "a", '0', 0);
    memset(h + 124, 0, 12);
    memcpy(h + 124, field, len);
    made_checksum(h, false);
    made_body(&m, "x", 1);
    made_end(&m);
    return read_made();
}

#define SIZE_FIELD(text) read_size(text, sizeof(text) - 1)

static void test_sizes(void **state) {
    (void)state;
    assert_int_equal(SIZE_FIELD("00000000001"), 0);
    assert_int_equal(SIZE_FIELD("000000000001"), 0); // no terminator
    assert_string_equal(trace_text, "f 1 8cdc1683 a\n");
    assert_int_equal(SIZE_FIELD("          1 "), 0);
    assert_int_equal(SIZE_FIELD("1"), 0);
    assert_int_equal(SIZE_FIELD("1 x"), 0);
    assert_int_equal(SIZE_FIELD("\x80\0\0\0\0\0\0\0\0\0\0\1"), 0);
    assert_string_equal(trace_text, "f 1 8cdc1683 a\n");
    assert_int_equal(SIZE_FIELD("x"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("8"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("-1"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("1x"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("40000000000"), SDB_EPKG_FIELD); // 4 GiB
    assert_int_equal(SIZE_FIELD("777777777777"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("\x80\0\0\0\0\0\0\1\0\0\0\0"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("\x81\0\0\0\0\0\0\0\0\0\0\1"), SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                     SDB_EPKG_FIELD);
    assert_int_equal(SIZE_FIELD("37777777777"), SDB_EPKG_TRUNCATED); // 4 GiB - 1 of which 1 KiB
    assert_int_equal(tar.left, UINT32_MAX - 512 - 1024);
    assert_int_equal(SIZE_FIELD("\x80\0\0\0\0\0\0\0\xff\xff\xff\xff"), SDB_EPKG_TRUNCATED);
    m.len = 0;
    made_header(&m, "a", '0', 0);
    made_end(&m);
    memset(m.bytes + 124, ' ', 12); // blank, as some old tars leave it
    made_checksum(m.bytes, false);
    assert_int_equal(read_made(), 0);
}

static void test_gnu_long_names(void **state) {
    (void)state;
    char name[600];
    memset(name, 'x', sizeof name);
    name[240] = '/';
    name[479] = '\0';
    m.len = 0;
    made_member(&m, "././@LongLink", 'K', name, 480);
    made_member(&m, "././@LongLink", 'L', name, 480);
    made_header(&m, "cut", '0', 0);
    made_header(&m, "short", '0', 0);
    made_end(&m);
    assert_int_equal(read_made(), 0);
    assert_memory_equal(trace_text + 13, name, 479);
    assert_string_equal(trace_text + 13 + 479, "\nf 0 00000000 short\n");

    m.len = 0;
    made_member(&m, "././@LongLink", 'L', "app/y\0rest", 10); // the NUL ends it
    made_header(&m, "cut", '0', 0);
    made_end(&m);
    assert_int_equal(read_made(), 0);
    assert_string_equal(trace_text, "f 0 00000000 app/y\n");

    name[479] = 'x';
    const struct {
        size_t len;
        int error;
    } lengths[] = {{0, SDB_EPKG_FIELD},  {480, SDB_EPKG_LONG}, {511, SDB_EPKG_LONG},
                   {512, SDB_EPKG_LONG}, {513, SDB_EPKG_LONG}, {600, SDB_EPKG_LONG}};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        UNIT_CASE(i);
        m.len = 0;
        made_member(&m, "././@LongLink", 'L', name, lengths[i].len);
        made_header(&m, "cut", '0', 0);
        made_end(&m);
        assert_int_equal(read_made(), lengths[i].error);
    }
    m.len = 0;
    made_header(&m, "././@LongLink", 'L', 0xffffffff);
    assert_int_equal(read_made(), SDB_EPKG_LONG);
}

static void test_pax(void **state) {
    (void)state;
    assert_int_equal(PAX('x', "14 path=app/b\n"), 0);
    assert_string_equal(trace_text, "f 0 00000000 app/b\n");
    assert_int_equal(PAX('x', "0014 path=p/b\n20 comment=ab\0\n=\n34\n6 a=b\n5 =c\n"), 0);
    assert_string_equal(trace_text, "f 0 00000000 p/b\n");
    assert_int_equal(PAX('x', "12 path=p/b\n12 path=q/b\n"), 0); // the later one counts
    assert_string_equal(trace_text, "f 0 00000000 q/b\n");
    assert_int_equal(PAX('x', "9 path=d/\n"), SDB_EPKG_FIELD); // its length is 10
    assert_int_equal(PAX('x', "10 path=d/\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "11 path=d/\n"), 0);
    assert_string_equal(trace_text, "d 0 0 d\n");
    assert_int_equal(PAX('x', ""), 0);
    assert_string_equal(trace_text, "f 0 00000000 app/a\n");
    assert_int_equal(PAX('g', "13 comment=x\n"), 0);
    assert_string_equal(trace_text, "f 0 00000000 app/a\n");
    assert_int_equal(PAX('x', "13 path=../b\n"), SDB_EPKG_PARENT);
    assert_int_equal(PAX('x', "12 path=/bb\n"), SDB_EPKG_ABSOLUTE);

    // A size larger than the header's.
    m.len = 0;
    made_member(&m, "pax", 'x', "12 size=514\n", 12);
    made_header(&m, "a", '0', 0);
    uint8_t body[514];
    memset(body, 'y', sizeof body);
    made_body(&m, body, sizeof body);
    made_header(&m, "b", '0', 0); // to which it doesn't apply
    made_end(&m);
    assert_int_equal(read_made(), 0);
    assert_memory_equal(trace_text, "f 514 ", 6);
    assert_non_null(strstr(trace_text, " a\nf 0 00000000 b\n"));
}

static void test_pax_refused(void **state) {
    (void)state;
    assert_int_equal(PAX('x', "22 GNU.sparse.major=1\n"), SDB_EPKG_TYPE);
    assert_int_equal(PAX('g', "22 GNU.sparse.major=1\n"), SDB_EPKG_TYPE);
    assert_int_equal(PAX('g', "12 path=p/b\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('g', "10 size=0\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "8 path=\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "8 size=\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12 size=-12\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12 size=0x1\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "13 size=1.00\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "19 size=4294967296\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "19 size=4294967295\n"), SDB_EPKG_TRUNCATED);
    assert_int_equal(PAX('x', "30 size=99999999999999999999\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "13 path=a\0bb\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12 path=abc "), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12 path=abc"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12 path=abc\n1"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12 pathabcd\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "99 path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12=path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "12xpath=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', " path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "-12 path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "0 path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "2 path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "3 =\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "4294967308 path=abc\n"), SDB_EPKG_FIELD);
    assert_int_equal(PAX('x', "000000000012 path=abc\n"), SDB_EPKG_FIELD);
    char text[601];
    memset(text, 'a', sizeof text);
    memcpy(text, "600 path=", 9);
    text[599] = '\n';
    assert_int_equal(read_pax('x', text, 600), SDB_EPKG_LONG);
    memcpy(text, "600 aaaa=", 9);
    assert_int_equal(read_pax('x', text, 600), 0); // any other key may be as long as it likes
    memcpy(text, "600 aaaaa", 9);
    text[590] = '=';
    assert_int_equal(read_pax('x', text, 600), 0);
    assert_string_equal(trace_text, "f 0 00000000 app/a\n");
}

static void test_end(void **state) {
    (void)state;
    uint8_t zeros[2048] = {0};
    assert_int_equal(read_bytes(zeros, 1024), 0); // an archive without members
    assert_string_equal(trace_text, "");
    m.len = 0;
    made_header(&m, "a", '0', 0);
    assert_int_equal(read_made(), SDB_EPKG_TRUNCATED); // cut between two members
    made_body(&m, zeros, 512);
    assert_int_equal(read_made(), 0); // a lone zero block
    assert_int_equal(read_bytes(m.bytes, m.len - 1), SDB_EPKG_TRUNCATED);
    made_header(&m, "b", '0', 0);
    assert_int_equal(read_made(), SDB_EPKG_CHECKSUM); // in the middle: damage
    m.len -= 512;
    made_body(&m, zeros, 512);
    made_header(&m, "b", '1', 0);
    assert_int_equal(read_made(), 0); // after the end nothing counts
    assert_string_equal(trace_text, "f 0 00000000 a\n");

    m.len = 0;
    made_member(&m, "pax", 'x', "11 path=xy\n", 11);
    made_end(&m);
    assert_int_equal(read_made(), SDB_EPKG_TRUNCATED); // its member is missing
    m.len = 0;
    made_member(&m, "long", 'L', "xy", 3);
    made_end(&m);
    assert_int_equal(read_made(), SDB_EPKG_TRUNCATED);
}

static void test_no_tar(void **state) {
    (void)state;
    uint8_t noise[2048];
    uint32_t seed = 3;
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (uint8_t)(unit_random(&seed) >> 9);
    }
    assert_int_equal(read_bytes("", 0), SDB_EPKG_NOT_TAR);
    assert_int_equal(read_bytes("x", 1), SDB_EPKG_NOT_TAR);
    assert_int_equal(read_bytes(noise, sizeof noise), SDB_EPKG_NOT_TAR);
    assert_int_equal(read_bytes("<html>404</html>", 16), SDB_EPKG_NOT_TAR);
    memcpy(noise, "\x1f\x8b\x08\0", 4); // gzip
    assert_int_equal(read_bytes(noise, sizeof noise), SDB_EPKG_NOT_TAR);
    memset(noise, 0, 512); // a disk image
    assert_int_equal(read_bytes(noise, sizeof noise), SDB_EPKG_NOT_TAR);
}

static void test_callbacks_can_stop_it(void **state) {
    (void)state;
    m.len = 0;
    made_header(&m, "app", '5', 0);
    made_member(&m, "app/a", '0', "abc", 3);
    made_header(&m, "app/b", '0', 0);
    made_end(&m);
    for (unsigned stop = 1; stop <= 7; stop++) { // d, f (begin, data, end), f (begin, end)
        struct trace t;
        trace_start(&t, &tar);
        t.stop_at = stop;
        int res = trace_feed(&tar, m.bytes, m.len, SIZE_MAX, NULL);
        assert_int_equal(res, stop <= 6 ? -ESTOP : 0);
        assert_int_equal(t.calls, stop <= 6 ? stop : 6);
        free(t.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),          cmocka_unit_test(test_paths),
        cmocka_unit_test(test_checksums),      cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_gnu_long_names), cmocka_unit_test(test_pax),
        cmocka_unit_test(test_pax_refused),    cmocka_unit_test(test_end),
        cmocka_unit_test(test_no_tar),         cmocka_unit_test(test_callbacks_can_stop_it),
    };
    return cmocka_run_group_tests_name("tar_made", tests, NULL, NULL);
}
