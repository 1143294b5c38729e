// SPDX-License-Identifier: MIT
// Feeds a response to the parser in every way that a connection may cut it.
#ifndef SDB_HTTP_FEED_H
#define SDB_HTTP_FEED_H

#include "core/error.h"
#include "core/web/http.h"
#include "unit.h"

static struct sdb_http h;
static char body[65536];
static size_t body_len;

// Feeds `text` in two pieces, cut at `cut`, then closes. Returns the result of the whole.
static inline int feed_cut(const char *text, size_t len, size_t cut) {
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

static inline int feed_n(const char *text, size_t len) {
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

static inline int feed(const char *text) {
    return feed_n(text, strlen(text));
}

__attribute__((format(printf, 1, 2))) static inline int feed_printed(const char *format, ...) {
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_in_range(len, 0, sizeof text - 1);
    return feed(text);
}

static inline void assert_body(const char *text) {
    assert_int_equal(body_len, strlen(text));
    assert_memory_equal(body, text, body_len);
}
#define assert_body(...) UNIT_FROM(assert_body(__VA_ARGS__))

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

#endif
