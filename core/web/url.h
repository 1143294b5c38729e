// SPDX-License-Identifier: MIT
// URLs of http and https (RFC 3986), and what a redirect makes of one.
#ifndef SDB_URL_H
#define SDB_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDB_URL_MAX 2047u // bytes of the longest one

// Parts of a URL, within its text; none is NUL-terminated.
struct sdb_url {
    const char *origin; // scheme, host and port as written: "https://example.com:8443"
    size_t origin_len;
    const char *authority; // host and port as written: what a request's Host says
    size_t authority_len;
    const char *host; // without the brackets of an IPv6 address
    size_t host_len;
    const char *path; // path and query; may be empty, or begin with '?'
    size_t path_len;  // without a fragment
    uint16_t port;
    bool secure; // https
};

// Takes the `len` bytes at `url` apart; nothing is copied. Returns 0 or SDB_EURL_*: the text must
// be ASCII without blanks and control bytes.
int sdb_url_split(struct sdb_url *u, const char *url, size_t len);

// Resolves the reference `ref` of `len` bytes (RFC 3986, section 5.2: another URL, or relative to
// `base`) into `out`, at most SDB_URL_MAX + 1 bytes, NUL-terminated and without a fragment. `out`
// must be other memory than both. Returns its length or SDB_EURL_*.
int sdb_url_resolve(const char *base, size_t base_len, const char *ref, size_t len, char *out);

#endif
