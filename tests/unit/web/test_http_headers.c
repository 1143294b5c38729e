// SPDX-License-Identifier: MIT
// The headers of HTTP responses that say something: codings, places, ranges, validators.
#include "http_feed.h"

static void test_codings(void **state) {
    (void)state;
    const char *fine[] = {
        "Transfer-Encoding: identity\r\n", "transfer-encoding:IDENTITY \r\n",
        "Transfer-Encoding:\r\n",          "Transfer-Encoding: , identity ,identity\r\n",
        "Content-Encoding: identity\r\n",  "Content-Encoding: \r\n",
    };
    for (size_t i = 0; i < COUNT(fine); i++) {
        UNIT_CASE(i);
        assert_int_equal(feed_printed(OK "%sContent-Length: 2\r\n\r\nok", fine[i]), 0);
        assert_true(body_len == 2 && h.has_length && !h.chunked);
    }
    assert_int_equal(feed(OK "Transfer-Encoding: identity, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
                     0);
    assert_true(body_len == 2 && h.chunked);
    const char *coded[] = {
        "Content-Encoding: gzip",        "content-encoding:br",
        "Content-Encoding: identity, x", "Content-Encoding: chunked",
        "Transfer-Encoding: gzip",       "Transfer-Encoding: identityx",
        "Content-Encoding:\r\n gzip",    "Transfer-Encoding: chunked,deflate",
    };
    for (size_t i = 0; i < COUNT(coded); i++) {
        UNIT_CASE(i);
        assert_int_equal(feed_printed(OK "%s\r\nContent-Length: 2\r\n\r\nok", coded[i]),
                         SDB_EHTTP_CODING);
    }
}

// RFC 9112, 5.2: a line that begins with a blank goes on with the header before it.
static void test_folded(void **state) {
    (void)state;
    assert_int_equal(feed(OK "A: b\r\n\tfolded\r\n Content-Length: 9\r\n\r\n"), 0);
    assert_false(h.has_length);
    assert_int_equal(feed(OK "Content-Length:\r\n 2\r\n\r\nok"), 0);
    assert_true(h.has_length && h.length == 2 && body_len == 2);
    assert_int_equal(feed(OK "Content-Length: 2\n \t \n\nok"), 0);
    assert_int_equal(h.length, 2);
    assert_int_equal(feed(OK "Content-Length: 1\r\n 2\r\n\r\nok"), SDB_EHTTP_LENGTH);
    assert_int_equal(feed(OK "Transfer-Encoding:\r\n\tidentity,\r\n\tchunked\r\n\r\n"
                             "2\r\nok\r\n0\r\nX: y\r\n z\r\n\r\n"),
                     0);
    assert_true(h.chunked && body_len == 2);
    assert_int_equal(feed("HTTP/1.1 100 Go\r\nA: b\r\n c\r\n\r\n" OK "A: b\r\n c\r\n\r\n"), 0);
}

static void test_location(void **state) {
    (void)state;
    static const struct {
        const char *headers, *location;
    } cases[] = {
        {"HTTP/1.1 302 Found\r\nLocation: http://x/y\r\n\r\n", "http://x/y"},
        {"HTTP/1.1 301 Moved\r\nLOCATION:/y\r\nContent-Length: 0\r\n\r\n", "/y"},
        {"HTTP/1.1 307 T\nContent-Location: /no\nlocation:\t /yes?a=b\n\n", "/yes?a=b"},
        {"HTTP/1.1 308 P\r\nLocationX: /no\r\n\r\n", ""},
        {"HTTP/1.1 308 P\r\nLocation:\r\n\r\n", ""},
        {"HTTP/1.1 200 OK\r\nLocation: /ignored\r\nContent-Length: 0\r\n\r\n", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        for (size_t cut = 0; cut <= strlen(cases[i].headers); cut++) {
            UNIT_CASE(cut);
            char location[12];
            char text[200];
            snprintf(text, sizeof text, "%s", cases[i].headers);
            sdb_http_init(&h, location, sizeof location);
            assert_int_equal(sdb_http_feed(&h, text, cut), 0);
            assert_int_equal(sdb_http_feed(&h, text + cut, strlen(cases[i].headers) - cut), 0);
            assert_true(h.headers_done);
            assert_string_equal(location, cases[i].location);
        }
    }
}

static void test_location_too_long(void **state) {
    (void)state;
    for (int size = 1; size < 16; size++) {
        UNIT_CASE(size);
        char *location = malloc((size_t)size);
        char text[] = "HTTP/1.1 302 Found\r\nLocation: 0123456789\r\n\r\n";
        sdb_http_init(&h, location, (uint16_t)size);
        assert_int_equal(sdb_http_feed(&h, text, strlen(text)), size > 10 ? 0 : SDB_EHTTP_LONG);
        free(location);
    }
}

static void test_range(void **state) {
    (void)state;
    assert_int_equal(feed("HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n"
                          "Content-Range: bytes 20-24/100\r\n\r\nhello"),
                     0);
    assert_true(h.has_range);
    assert_int_equal(h.first, 20);
    assert_int_equal(h.last, 24);
    assert_int_equal(h.total, 100);
    struct {
        const char *value;
        bool ok;
        uint32_t total;
    } cases[] = {
        {"BYTES  0-4/5", true, 5},
        {"bytes 4294967290-4294967294/4294967295", true, 4294967295u},
        {"bytes 0-4/*", true, 0},
        {"bytes 0 - 4 / 5 ", false, 0}, // the total has a blank in front
        {"bytes 0-4", false, 0},
        {"bytes 0-4/", false, 0},
        {"bytes 0-4/5x", false, 0},
        {"bytes 0-4/4", false, 0},
        {"bytes 4-0/5", false, 0},
        {"bytes */5", false, 0},
        {"bytes -4/5", false, 0},
        {"bytes 0-/5", false, 0},
        {"bytes 0", false, 0},
        {"bytes", false, 0},
        {"bytes0-4/5", false, 0},
        {"items 0-4/5", false, 0},
        {"bytes 0-4294967296/4294967297", false, 0},
        {"", false, 0},
        {"bytes 0-4/5\r\nContent-Range: x", false, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        assert_int_equal(
            feed_printed(OK "Content-Range: %s\r\nContent-Length: 1\r\n\r\nx", cases[i].value), 0);
        assert_int_equal(h.has_range, cases[i].ok);
        if (cases[i].ok) {
            assert_int_equal(h.total, cases[i].total);
        }
    }
}

static void test_validator(void **state) {
    (void)state;
#define END "Content-Length: 1\r\n\r\nx"
#define DATE "Wed, 25 Nov 2026 22:00:00 GMT"
    assert_int_equal(feed(OK END), 0);
    assert_string_equal(h.validator, "");
    assert_int_equal(feed(OK "Last-Modified: " DATE "\r\n" END), 0);
    assert_string_equal(h.validator, DATE);
    assert_int_equal(feed(OK "Last-Modified: " DATE "\r\nETag: \"a-1\"\r\n" END), 0);
    assert_string_equal(h.validator, "\"a-1\"");
    assert_int_equal(feed(OK "etag: W/\"a-1\"\r\nLast-Modified: " DATE "\r\n" END), 0);
    assert_string_equal(h.validator, "W/\"a-1\"");
    // What can't be sent back is as if it were not there.
    assert_int_equal(feed(OK "ETag: \"\xc3\xa4\"\r\n" END), 0);
    assert_string_equal(h.validator, "");
    assert_int_equal(feed(OK "ETag: \"a\rb\"\r\nLast-Modified: " DATE "\r\n" END), 0);
    assert_string_equal(h.validator, DATE);
    assert_int_equal(feed(OK "ETag:\r\n" END), 0);
    assert_string_equal(h.validator, "");
    char text[300], tag[SDB_HTTP_VALIDATOR_MAX + 2];
    memset(tag, 'x', sizeof tag - 1);
    tag[sizeof tag - 1] = '\0';
    snprintf(text, sizeof text, OK "ETag: %s\r\n" END, tag);
    assert_int_equal(feed(text), 0);
    assert_string_equal(h.validator, "");
    snprintf(text, sizeof text, OK "ETag: %s\r\n" END, tag + 1);
    assert_int_equal(feed(text), 0);
    assert_string_equal(h.validator, tag + 1);
    // Of an answer 1xx nothing counts.
    assert_int_equal(feed("HTTP/1.1 103 Hints\r\nETag: \"a\"\r\nContent-Range: bytes 0-0/1\r\n"
                          "\r\n" OK "Last-Modified: " DATE "\r\n" END),
                     0);
    assert_string_equal(h.validator, DATE);
    assert_false(h.has_range);
}

static void test_may_be_used_again(void **state) {
    (void)state;
    struct {
        const char *text;
        bool keeps;
    } cases[] = {
        {OK END, true},
        {OK "Connection: keep-alive\r\n" END, true},
        {OK "Connection: Close\r\n" END, false},
        {OK "Connection: foo, close, bar\r\n" END, false},
        {OK "Connection: closet\r\n" END, true},
        {"HTTP/1.0 200 OK\r\n" END, false},
        {OK "\r\nx", false}, // it ends with the connection
        {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", true},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", true},
        {OK END "more", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        assert_int_equal(feed_cut(cases[i].text, strlen(cases[i].text), 0), 0);
        assert_int_equal(h.keeps, cases[i].keeps);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_location),
        cmocka_unit_test(test_location_too_long),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_validator),
        cmocka_unit_test(test_may_be_used_again),
    };
    return cmocka_run_group_tests_name("http_headers", tests, NULL, NULL);
}
