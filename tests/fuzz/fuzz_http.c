// SPDX-License-Identifier: MIT
// An HTTP response: how it is cut must not matter.
#include "fuzz.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/web/http.h"

struct seen {
    struct sdb_http http;
    uint32_t crc;
    size_t body;
    char location[64];
};

static int run(const uint8_t *data, size_t size, uint32_t seed, struct seen *s) {
    s->crc = 0;
    s->body = 0;
    memset(&s->http, 0xa5, sizeof s->http);
    memset(s->location, 0xa5, sizeof s->location);
    sdb_http_init(&s->http, s->location, sizeof s->location);
    int res = 0;
    for (size_t n; size > 0 && res >= 0; data += n, size -= n) {
        uint8_t *piece = fuzz_piece(data, size, &seed, &n);
        bool had_headers = s->http.headers_done;
        res = sdb_http_feed(&s->http, piece, n);
        if (res > 0) {
            CHECK((size_t)res <= n && s->http.headers_done && (had_headers || (size_t)res < n));
            s->crc = sdb_crc32(s->crc, piece, (size_t)res);
            s->body += (size_t)res;
        }
        free(piece);
    }
    int end = sdb_http_eof(&s->http);
    CHECK(memchr(s->location, '\0', sizeof s->location) != NULL);
    CHECK(end == 0 || (end >= SDB_EHTTP_GARBAGE && end <= SDB_EHTTP_CODING));
    CHECK(res >= 0 || end == res);
    CHECK(s->http.done == (end == 0));
    if (s->http.has_length && s->http.headers_done) {
        CHECK(s->body <= s->http.length && !s->http.chunked);
        CHECK(end != 0 || s->body == s->http.length || s->http.status == 204 ||
              s->http.status == 304);
    }
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct seen whole, cut;
    if (size == 0) {
        return 0;
    }
    int res = run(data + 1, size - 1, 0, &whole);
    CHECK(run(data + 1, size - 1, data[0] | 0x100u, &cut) == res);
    CHECK(whole.http.status == cut.http.status && whole.http.length == cut.http.length);
    CHECK(whole.http.has_length == cut.http.has_length && whole.http.chunked == cut.http.chunked);
    CHECK(strcmp(whole.location, cut.location) == 0);
    if (res == 0 || res == SDB_EHTTP_SHORT) { // after any other error the last piece is lost
        CHECK(whole.body == cut.body && whole.crc == cut.crc);
    }
    return 0;
}
