// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/error.h"
#include "core/web/http.h"

static struct sdb_http h;
static char body[65536];
static size_t body_len;

// Feeds `text` in two pieces, cut at `cut`, then closes. Returns the result of the whole.
static int feed_cut(const char *text, size_t len, size_t cut) {
    body_len = 0;
    sdb_http_init(&h, NULL, 0);
    for (int i = 0; i < 2; i++) {
        UNIT_CASE(i);
        size_t n = i ? len - cut : cut;
        char *buf = malloc(n + !n); // of its exact size, so that a read beyond it is found
        memcpy(buf, i ? text + cut : text, n);
        int res = sdb_http_feed(&h, buf, n);
        if (res < 0) {
            free(buf);
            char more[] = "x";
            assert_int_equal(sdb_http_feed(&h, more, 1), res); // final
            assert_int_equal(sdb_http_eof(&h), res);
            return res;
        }
        assert_true((size_t)res <= n && body_len + (size_t)res < sizeof body);
        memcpy(body + body_len, buf, (size_t)res);
        body_len += (size_t)res;
        free(buf);
    }
    bool done = h.done;
    int res = sdb_http_eof(&h);
    assert_true(done ? res == 0 : res == SDB_EHTTP_SHORT || !(h.has_length || h.chunked));
    assert_int_equal(h.done, res == 0);
    return res;
}

static int feed_n(const char *text, size_t len) {
    char first_body[sizeof body];
    size_t first_len = 0;
    struct sdb_http first;
    int res = feed_cut(text, len, 0);
    first = h;
    first_len = body_len;
    memcpy(first_body, body, body_len);
    for (size_t cut = 1; cut <= len; cut += len > 5000 ? 997 : 1) {
        UNIT_CASE(cut);
        assert_int_equal(feed_cut(text, len, cut), res);
        assert_int_equal(h.status, first.status);
        assert_int_equal(h.length, first.length);
        assert_true(h.headers_done == first.headers_done && h.has_length == first.has_length &&
                    h.chunked == first.chunked && h.done == first.done);
        if (res == 0 || res == SDB_EHTTP_SHORT) {
            assert_int_equal(body_len, first_len);
            assert_memory_equal(body, first_body, first_len);
        }
    }
    sdb_http_init(&h, NULL, 0); // byte by byte
    size_t got = 0;
    int byte_res = 0;
    for (size_t i = 0; i < len && byte_res >= 0; i++) {
        UNIT_CASE(i);
        char c = text[i];
        byte_res = sdb_http_feed(&h, &c, 1);
        if (byte_res == 1 && (res == 0 || res == SDB_EHTTP_SHORT)) {
            assert_true(got < first_len && c == first_body[got]);
            got++;
        }
    }
    assert_int_equal(sdb_http_eof(&h), res);
    return res;
}

static int feed(const char *text) {
    return feed_n(text, strlen(text));
}

static void assert_body(const char *text) {
    assert_int_equal(body_len, strlen(text));
    assert_memory_equal(body, text, body_len);
}
#define assert_body(...) UNIT_FROM(assert_body(__VA_ARGS__))

#define OK "HTTP/1.1 200 OK\r\n"

static void test_content_length(void **state) {
    (void)state;
    assert_int_equal(feed(OK "Server: x\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello"), 0);
    assert_body("hello");
    assert_int_equal(h.status, 200);
    assert_int_equal(h.length, 5);
    assert_true(h.has_length && h.headers_done && h.done && !h.chunked);
    assert_int_equal(feed(OK "content-LENGTH:5\r\n\r\nhello, and more"), 0);
    assert_body("hello");
    assert_int_equal(feed(OK "Content-Length: \t 05 \t\r\n\r\nhello"), 0);
    assert_int_equal(feed(OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 0);
    assert_int_equal(feed(OK "Content-Length: 0\r\n\r\n"), 0);
    assert_int_equal(feed(OK "Content-Length: 0\r\n\r\nxx"), 0);
    assert_body("");
    assert_int_equal(feed("HTTP/1.0 404 Not Found\nContent-Length: 2\n\nno"), 0); // bare LF
    assert_int_equal(h.status, 404);
    assert_body("no");
    assert_int_equal(feed("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx"), 0); // no reason
    assert_int_equal(feed("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx"), 0);
    assert_int_equal(feed(OK "X-Content-Length: 9\r\nContent-Length: 1\r\n\r\nx"), 0);
    assert_int_equal(feed(OK "Content\rLength: 9\r\nContent-Length: 1\r\n\r\nx"), 0);
    assert_int_equal(feed(OK "Content-Lengthy: 9\r\nContent-Length: 1\r\n\r\nx"), 0);
}

static void test_length_that_is_none(void **state) {
    (void)state;
    const char *lengths[] = {"",
                             "-1",
                             "+1",
                             "x",
                             "5x",
                             "5, 5",
                             "5 5",
                             "0x5",
                             "4294967296",
                             "18446744073709551617",
                             "5\r\nContent-Length: 6",
                             "5;",
                             "5.0"};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        UNIT_CASE(i);
        char text[200];
        snprintf(text, sizeof text, OK "Content-Length: %s\r\n\r\nhello", lengths[i]);
        assert_int_equal(feed(text), SDB_EHTTP_LENGTH);
    }
    assert_int_equal(feed(OK "Content-Length: 4294967295\r\n\r\nhello"), SDB_EHTTP_SHORT);
    assert_int_equal(h.length, UINT32_MAX);
}

static void test_until_the_connection_closes(void **state) {
    (void)state;
    assert_int_equal(feed("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall of it\r\n"), 0);
    assert_body("all of it\r\n");
    assert_int_equal(feed("HTTP/1.0 200 OK\r\n\r\n"), 0);
    assert_body("");
    assert_true(h.headers_done && h.done);
}

static void test_chunked(void **state) {
    (void)state;
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
    assert_int_equal(feed(CHUNKED "5\r\nhello\r\n0\r\n\r\n"), 0);
    assert_body("hello");
    assert_true(h.chunked && !h.has_length);
    assert_int_equal(feed(CHUNKED "1\r\na\r\n00a;ext=\"v\"\r\n0123456789\r\nB \r\n0123456789a\r\n"
                                  "000;last\r\nTrailer: x\r\nOther: y\r\n\r\nafter"),
                     0);
    assert_body("a01234567890123456789a");
    assert_int_equal(feed(CHUNKED "0\r\n\r\n"), 0);
    assert_body("");
    assert_int_equal(feed(CHUNKED "2\n\r\n\n0\n\n"), 0); // data that looks like line ends
    assert_body("\r\n");
    assert_int_equal(feed(OK "TRANSFER-encoding:  Chunked \r\n\r\n0\r\n\r\n"), 0);
    // Both: the chunks count.
    assert_int_equal(feed(OK "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "1\r\nx\r\n0\r\n\r\n"),
                     0);
    assert_body("x");
    assert_false(h.has_length);
}

static void test_bad_chunks(void **state) {
    (void)state;
    const char *bad[] = {"\r\n",
                         "x\r\n",
                         "-1\r\n",
                         "0x1\r\n",
                         "100000000\r\n",
                         "1 1\r\n",
                         "1\r\nab\r\n0\r\n\r\n",
                         "2\r\nabc\n",
                         "fffffffff\r\n",
                         ";x\r\n",
                         " 1\r\n"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        UNIT_CASE(i);
        char text[200];
        snprintf(text, sizeof text, CHUNKED "1\r\na\r\n%s", bad[i]);
        assert_int_equal(feed(text), SDB_EHTTP_LENGTH);
    }
    const char *cut[] = {"",
                         "5",
                         "5\r\n",
                         "5\r\nhell",
                         "5\r\nhello",
                         "5\r\nhello\r\n",
                         "5\r\nhello\r\n0\r\n",
                         "5\r\nhello\r\n0\r\nTrailer: x\r\n",
                         "ffffffff\r\nx"};
    for (size_t i = 0; i < COUNT(cut); i++) {
        UNIT_CASE(i);
        char text[200];
        snprintf(text, sizeof text, CHUNKED "%s", cut[i]);
        assert_int_equal(feed(text), SDB_EHTTP_SHORT);
    }
    assert_int_equal(feed(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"), SDB_EHTTP_CODING);
    assert_int_equal(feed(OK "Transfer-Encoding: gzip\r\n\r\n"), SDB_EHTTP_CODING);
    assert_int_equal(feed(OK "Transfer-Encoding: chunkedx\r\n\r\n"), SDB_EHTTP_CODING);
    assert_int_equal(feed(OK "Transfer-Encoding: chunked, chunked\r\n\r\n"), SDB_EHTTP_LENGTH);
    assert_int_equal(feed(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
                     SDB_EHTTP_LENGTH);
}

static void test_cut_short(void **state) {
    (void)state;
    const char text[] = OK "Content-Length: 5\r\n\r\nhello";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        UNIT_CASE(len);
        assert_int_equal(feed_n(text, len), SDB_EHTTP_SHORT);
        assert_int_equal(h.headers_done, len >= sizeof text - 1 - 5);
    }
}

static void test_answers_without_body(void **state) {
    (void)state;
    assert_int_equal(feed("HTTP/1.1 204 No Content\r\n\r\n"), 0);
    assert_int_equal(feed("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\nx"), 0);
    assert_body("");
    assert_int_equal(h.length, 77);
    assert_int_equal(feed("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n"), 0);
    assert_int_equal(feed("HTTP/1.1 100 Continue\r\n\r\n"
                          "HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 3\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n" OK "Content-Length: 2\r\n\r\nok"),
                     0);
    assert_body("ok");
    assert_int_equal(h.status, 200);
    assert_int_equal(feed("HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n" OK "\r\nto the end"),
                     0);
    assert_body("to the end");
    assert_int_equal(h.length, 0);
    assert_int_equal(feed("HTTP/1.1 100 Continue\r\n\r\n"), SDB_EHTTP_SHORT);
    assert_false(h.headers_done);
}

static void test_no_http(void **state) {
    (void)state;
    const char *bad[] = {
        "x",
        "\r\n",
        "<html>",
        "http/1.1 200 OK\r\n",
        "HTTP/2 200 OK\r\n",
        "HTTP/1\r\n",
        "HTTP/1.\r\n",
        "HTTP/1.x 200 OK\r\n",
        "HTTP/1.1\r\n",
        "HTTP/1.1 \r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 99999999999 OK\r\n",
        "HTTP/1.1 20x OK\r\n",
        "HTTP/1.1 200OK\r\n",
        "HTTP/1.1 -20 OK\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n",
        OK "no colon\r\n",
        OK ": no name\r\n",
        OK "Content-Length : 5\r\n",
        OK " folded: x\r\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (feed(bad[i]) != SDB_EHTTP_GARBAGE) {
            fail_msg("%s", bad[i]);
        }
    }
    const char nul[] = OK "Content-Length: 5\0"
                          "5\r\n\r\nhello";
    assert_int_equal(feed_n(nul, sizeof nul - 1), SDB_EHTTP_GARBAGE);
}

// A response with a header of `name` and a value of `len` bytes.
static int feed_long(const char *before, const char *name, int len, const char *after) {
    char text[40000];
    snprintf(text, sizeof text, "%s%s%0*d\r\n%s", before, name, len, 5, after);
    return feed(text);
}

static void test_limits(void **state) {
    (void)state;
    const char *after = "Content-Length: 5\r\n\r\nhello";
    assert_int_equal(feed_long(OK, "Cookie: ", 2000, after), 0);
    assert_body("hello");
    assert_int_equal(feed_long(OK, "Content-Length:", 400, after), 0);
    assert_int_equal(feed_long(OK, "Content-Length:", 495, after), 0); // with its CR, 511 bytes
    assert_int_equal(feed_long(OK, "Content-Length:", 496, after), SDB_EHTTP_LONG);
    assert_int_equal(feed_long(OK, "Transfer-Encoding:", 600, after), SDB_EHTTP_LONG);
    assert_int_equal(feed_long("HTTP/1.1 200 ", "", 600, after), 0);
    char name[600];
    memset(name, 'n', sizeof name);
    name[599] = '\0';
    assert_int_equal(feed_long(OK, name, 600, after), 0); // a colon may come later
    name[300] = ' ';
    assert_int_equal(feed_long(OK, name, 600, after), SDB_EHTTP_GARBAGE);

    // The whole head: 17 + 3 + n + 2 + 19 + 2 bytes.
    int most = (int)SDB_HTTP_HEAD_MAX - 43;
    assert_int_equal(feed_long(OK, "A: ", most, after), 0);
    assert_int_equal(feed_long(OK, "A: ", most + 1, after), SDB_EHTTP_LONG);
    assert_int_equal(feed_long("HTTP/1.1 100 x\r\n\r\n" OK, "A: ", most, after), SDB_EHTTP_LONG);
    assert_int_equal(feed_long(CHUNKED, "1;", (int)SDB_HTTP_HEAD_MAX - 192, "x\r\n0\r\n\r\n"), 0);
    assert_body("x");
    assert_int_equal(feed_long(CHUNKED, "1;", (int)SDB_HTTP_HEAD_MAX, "x\r\n0\r\n\r\n"),
                     SDB_EHTTP_LONG);
    assert_int_equal(feed_long(CHUNKED "0\r\n", "Trailer: ", (int)SDB_HTTP_HEAD_MAX, "\r\n"),
                     SDB_EHTTP_LONG);
}

static void test_many_chunks(void **state) {
    (void)state;
    char text[60000] = CHUNKED;
    size_t len = strlen(text);
    for (int i = 0; i < 5000; i++) { // their sizes don't add up to a head too long
        len += (size_t)sprintf(text + len, "1;x=y\r\n%c\r\n", 'a' + i % 26);
    }
    len += (size_t)sprintf(text + len, "0\r\n\r\n");
    assert_int_equal(feed_n(text, len), 0);
    assert_int_equal(body_len, 5000);
    assert_memory_equal(body, "abcdefghijklmnopqrstuvwxyzab", 28);
}

static void test_codings(void **state) {
    (void)state;
    const char *fine[] = {
        "Transfer-Encoding: identity\r\n", "transfer-encoding:IDENTITY \r\n",
        "Transfer-Encoding:\r\n",          "Transfer-Encoding: , identity ,identity\r\n",
        "Content-Encoding: identity\r\n",  "Content-Encoding: \r\n",
    };
    for (size_t i = 0; i < COUNT(fine); i++) {
        UNIT_CASE(i);
        char text[200];
        snprintf(text, sizeof text, OK "%sContent-Length: 2\r\n\r\nok", fine[i]);
        assert_int_equal(feed(text), 0);
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
        char text[200];
        snprintf(text, sizeof text, OK "%s\r\nContent-Length: 2\r\n\r\nok", coded[i]);
        assert_int_equal(feed(text), SDB_EHTTP_CODING);
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
        char text[200];
        snprintf(text, sizeof text, OK "Content-Range: %s\r\nContent-Length: 1\r\n\r\nx",
                 cases[i].value);
        assert_int_equal(feed(text), 0);
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
        cmocka_unit_test(test_location),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_validator),
        cmocka_unit_test(test_may_be_used_again),
        cmocka_unit_test(test_location_too_long),
        cmocka_unit_test(test_content_length),
        cmocka_unit_test(test_length_that_is_none),
        cmocka_unit_test(test_until_the_connection_closes),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_folded),
        cmocka_unit_test(test_bad_chunks),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_answers_without_body),
        cmocka_unit_test(test_no_http),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many_chunks),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
