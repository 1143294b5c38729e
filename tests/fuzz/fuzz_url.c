// SPDX-License-Identifier: MIT
// URLs and what redirects make of them: what is accepted stays what it is.
#include "fuzz.h"
#include "core/error.h"
#include "core/web/url.h"

static void check(const char *text, size_t len) {
    struct sdb_url u;
    if (sdb_url_split(&u, text, len) == 0) {
        CHECK(u.origin == text && u.origin_len <= len && u.port != 0);
        CHECK(u.authority >= text && u.authority + u.authority_len == text + u.origin_len);
        CHECK(u.host_len > 0 && u.host >= u.authority && u.host + u.host_len <= u.path);
        CHECK(u.path == text + u.origin_len && u.path_len <= len - u.origin_len);
        for (size_t i = 0; i < len; i++) {
            CHECK(text[i] > ' ' && text[i] <= '~'); // nothing that ends a line of a request
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char base[] = "https://example.com:8443/a/b/../c?q=1";
    char out[SDB_URL_MAX + 1];
    const char *text = (const char *)data;
    check(text, size);
    int len = sdb_url_resolve(base, sizeof base - 1, text, size, out);
    if (len >= 0) {
        CHECK((size_t)len == strlen(out) && len <= (int)SDB_URL_MAX);
        check(out, (size_t)len);
        struct sdb_url u;
        CHECK(sdb_url_split(&u, out, (size_t)len) == 0);
        // Resolved once more it is what it was.
        char again[SDB_URL_MAX + 1];
        int res = sdb_url_resolve(base, sizeof base - 1, out, (size_t)len, again);
        CHECK(res == len && memcmp(again, out, (size_t)len) == 0);
    } else {
        CHECK(len >= SDB_EURL_SCHEME && len <= SDB_EURL_LONG);
    }
    // And the other way round: any base.
    len = sdb_url_resolve(text, size, "../x?y", 6, out);
    CHECK(len < 0 || (size_t)len == strlen(out));
    return 0;
}
