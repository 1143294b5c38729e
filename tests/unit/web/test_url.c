// SPDX-License-Identifier: MIT
#include "unit.h"

#include "core/error.h"
#include "core/web/url.h"

static void test_split(void **state) {
    (void)state;
    static const struct {
        const char *url, *authority, *host, *path;
        unsigned port;
        bool secure;
    } cases[] = {
        {"http://h", "h", "h", "", 80, false},
        {"https://example.com/x/y?z#w", "example.com", "example.com", "/x/y?z", 443, true},
        {"HTTPS://Example.com:8443", "Example.com:8443", "Example.com", "", 8443, true},
        {"http://192.168.1.10:8000/releases", "192.168.1.10:8000", "192.168.1.10", "/releases",
         8000, false},
        {"http://[fe80::1]/x", "[fe80::1]", "fe80::1", "/x", 80, false},
        {"http://[::1]:81?q", "[::1]:81", "::1", "?q", 81, false},
        {"http://a_b-c.d/#", "a_b-c.d", "a_b-c.d", "/", 80, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct sdb_url u;
        assert_int_equal(sdb_url_split(&u, cases[i].url, strlen(cases[i].url)), 0);
        assert_int_equal(u.authority_len, strlen(cases[i].authority));
        assert_memory_equal(u.authority, cases[i].authority, u.authority_len);
        assert_int_equal(u.host_len, strlen(cases[i].host));
        assert_memory_equal(u.host, cases[i].host, u.host_len);
        assert_int_equal(u.path_len, strlen(cases[i].path));
        assert_memory_equal(u.path, cases[i].path, u.path_len);
        assert_int_equal(u.port, cases[i].port);
        assert_int_equal(u.secure, cases[i].secure);
    }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *url;
        int result;
    } cases[] = {
        {"", SDB_EURL_SCHEME},
        {"h/x", SDB_EURL_SCHEME},
        {"ftp://h", SDB_EURL_SCHEME},
        {"http:/h", SDB_EURL_SCHEME},
        {"http://", SDB_EURL_HOST},
        {"http:///x", SDB_EURL_HOST},
        {"http://:80", SDB_EURL_HOST},
        {"http://h:", SDB_EURL_HOST},
        {"http://h:0", SDB_EURL_HOST},
        {"http://h:65536", SDB_EURL_HOST},
        {"http://h:99999999999999999999", SDB_EURL_HOST},
        {"http://h:8o", SDB_EURL_HOST},
        {"http://[::1", SDB_EURL_HOST},
        {"http://[]", SDB_EURL_HOST},
        {"http://[::1]x", SDB_EURL_HOST},
        {"http://[x]", SDB_EURL_HOST},
        {"http://a%2fb", SDB_EURL_HOST},
        {"http://user@h", SDB_EURL_USER},
        {"http://user:pw@h/x", SDB_EURL_USER},
        {"http://h/a b", SDB_EURL_TEXT},
        {"http://h/a\r\nX: y", SDB_EURL_TEXT},
        {"http://h\t", SDB_EURL_TEXT},
        {"http://b\xc3\xbc"
         "cher.example/",
         SDB_EURL_TEXT},
        {"http://h\\@x", SDB_EURL_TEXT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        struct sdb_url u;
        assert_int_equal(sdb_url_split(&u, cases[i].url, strlen(cases[i].url)), cases[i].result);
    }
    char text[SDB_URL_MAX + 2];
    struct sdb_url u;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://h/", 9);
    assert_int_equal(sdb_url_split(&u, text, SDB_URL_MAX), 0);
    assert_int_equal(sdb_url_split(&u, text, SDB_URL_MAX + 1), SDB_EURL_LONG);
}

// RFC 3986, section 5.4, with another scheme.
static void test_resolve(void **state) {
    (void)state;
    static const struct {
        const char *ref, *url;
    } cases[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/../h", "http://a/b/c/h"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"https://other.example:8443/x?y=%2F", "https://other.example:8443/x?y=%2F"},
        {"HTTP://other/../x", "HTTP://other/x"},
    };
    static const char base[] = "http://a/b/c/d;p?q";
    char out[SDB_URL_MAX + 1];
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        const char *ref = cases[i].ref;
        int len = sdb_url_resolve(base, strlen(base), ref, strlen(ref), out);
        assert_string_equal(out, cases[i].url);
        assert_int_equal(len, strlen(out));
    }
    assert_int_equal(sdb_url_resolve("http://a", 8, "x", 1, out), 10);
    assert_string_equal(out, "http://a/x");
    assert_int_equal(sdb_url_resolve("http://a?b", 10, "?c", 2, out), 11);
    assert_string_equal(out, "http://a/?c");
}

static void test_resolve_refused(void **state) {
    (void)state;
    static const struct {
        const char *ref;
        int result;
    } cases[] = {
        {"ftp://x/", SDB_EURL_SCHEME},
        {"javascript:alert(1)", SDB_EURL_SCHEME},
        {"//", SDB_EURL_HOST},
        {"//u@h", SDB_EURL_USER},
        {"/a b", SDB_EURL_TEXT},
        {"http:x", SDB_EURL_SCHEME},
        {"/x\r\nSet-Cookie: a", SDB_EURL_TEXT},
    };
    static const char base[] = "https://a/b";
    char out[SDB_URL_MAX + 1];
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        const char *ref = cases[i].ref;
        assert_int_equal(sdb_url_resolve(base, strlen(base), ref, strlen(ref), out),
                         cases[i].result);
    }
    char text[SDB_URL_MAX + 1];
    memset(text, 'a', sizeof text);
    for (size_t len = SDB_URL_MAX - 12; len < sizeof text; len++) {
        UNIT_CASE(len);
        int res = sdb_url_resolve(base, strlen(base), text, len, out);
        bool fits = strlen("https://a/") + len <= SDB_URL_MAX;
        assert_int_equal(res, fits ? (int)(strlen("https://a/") + len) : SDB_EURL_LONG);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_resolve_refused),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
