// SPDX-License-Identifier: MIT
// HTTP responses: where a body begins and ends, and what is none.
#include "http_feed.h"

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
        assert_int_equal(feed_printed(OK "Content-Length: %s\r\n\r\nhello", lengths[i]),
                         SDB_EHTTP_LENGTH);
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
        assert_int_equal(feed_printed(CHUNKED "1\r\na\r\n%s", bad[i]), SDB_EHTTP_LENGTH);
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
        assert_int_equal(feed_printed(CHUNKED "%s", cut[i]), SDB_EHTTP_SHORT);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_length),
        cmocka_unit_test(test_length_that_is_none),
        cmocka_unit_test(test_until_the_connection_closes),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_bad_chunks),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_answers_without_body),
        cmocka_unit_test(test_no_http),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_many_chunks),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
