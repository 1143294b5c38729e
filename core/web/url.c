// SPDX-License-Identifier: MIT
#include "core/web/url.h"

#include <string.h>

#include "core/error.h"

static bool url_begins(const char *text, size_t len, const char *lower, size_t n) {
    if (len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
        if (c != lower[i]) {
            return false;
        }
    }
    return true;
}

// Where one of the characters `stop` is first, or the end.
static size_t url_find(const char *text, size_t len, size_t from, const char *stop) {
    while (from < len) {
        for (const char *s = stop; *s != '\0'; s++) {
            if (text[from] == *s) {
                return from;
            }
        }
        from++;
    }
    return len;
}

static bool url_plain(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '<' || text[i] == '>' ||
            text[i] == '\\' || text[i] == '^' || text[i] == '`' || text[i] == '{' ||
            text[i] == '|' || text[i] == '}') {
            return false;
        }
    }
    return true;
}

static bool url_name_char(char c, bool v6) {
    bool digit = c >= '0' && c <= '9';
    bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return v6 ? digit || hex || c == ':' || c == '.'
              : digit || letter || c == '-' || c == '.' || c == '_';
}

// Host and port of an authority.
static int url_authority(struct sdb_url *u, const char *text, size_t len) {
    size_t end;
    if (url_find(text, len, 0, "@") < len) {
        return SDB_EURL_USER;
    }
    bool v6 = len > 0 && text[0] == '[';
    if (v6) {
        end = url_find(text, len, 0, "]");
        if (end == len) {
            return SDB_EURL_HOST;
        }
        u->host = text + 1;
        u->host_len = end - 1;
        end++;
    } else {
        end = url_find(text, len, 0, ":");
        u->host = text;
        u->host_len = end;
    }
    bool good = u->host_len > 0 && u->host_len <= 255;
    for (size_t i = 0; i < u->host_len; i++) {
        good = good && url_name_char(u->host[i], v6);
    }
    u->port = u->secure ? 443 : 80;
    if (end < len) {
        uint32_t port = 0;
        good = good && text[end] == ':' && end + 1 < len;
        for (size_t i = end + 1; i < len && good; i++) {
            good = text[i] >= '0' && text[i] <= '9' && port <= 65535;
            port = port * 10 + (uint32_t)(text[i] - '0');
        }
        good = good && port >= 1 && port <= 65535;
        u->port = (uint16_t)port;
    }
    return good ? 0 : SDB_EURL_HOST;
}

int sdb_url_split(struct sdb_url *u, const char *url, size_t len) {
    if (len > SDB_URL_MAX) {
        return SDB_EURL_LONG;
    }
    size_t at = url_begins(url, len, "https://", 8)  ? 8
                : url_begins(url, len, "http://", 7) ? 7
                                                     : 0;
    if (at == 0) {
        return SDB_EURL_SCHEME;
    }
    if (!url_plain(url, len)) {
        return SDB_EURL_TEXT;
    }
    size_t end = url_find(url, len, at, "/?#");
    u->secure = at == 8;
    u->origin = url;
    u->origin_len = end;
    u->authority = url + at;
    u->authority_len = end - at;
    u->path = url + end;
    u->path_len = url_find(url, len, end, "#") - end;
    return url_authority(u, u->authority, u->authority_len);
}

// Appends to out[*used], of which SDB_URL_MAX bytes may be used.
static int url_add(char *out, size_t *used, const char *text, size_t len) {
    if (len > SDB_URL_MAX - *used) {
        return SDB_EURL_LONG;
    }
    memcpy(out + *used, text, len);
    *used += len;
    return 0;
}

// Removes "." and ".." from the path in out[from..used-1], which begins with '/' (section 5.2.4).
// Returns its new end.
static size_t url_remove_dots(char *out, size_t from, size_t used) {
    size_t end = url_find(out, used, from, "?");
    size_t to = from;
    size_t at = from;
    while (at < end) {
        size_t next = url_find(out, end, at + 1, "/");
        size_t n = next - at - 1; // of the segment behind the '/' at `at`
        const char *segment = out + at + 1;
        bool one = n == 1 && segment[0] == '.';
        bool two = n == 2 && segment[0] == '.' && segment[1] == '.';
        if (two) {
            while (to > from && out[--to] != '/') {
            }
        }
        if (!one && !two) {
            memmove(out + to, out + at, n + 1);
            to += n + 1;
        } else if (next == end) {
            out[to++] = '/'; // the folder itself
        }
        at = next;
    }
    memmove(out + to, out + end, used - end);
    return to + used - end;
}

int sdb_url_resolve(const char *base, size_t base_len, const char *ref, size_t len, char *out) {
    struct sdb_url b;
    size_t used = 0;
    int res = sdb_url_split(&b, base, base_len);
    if (res < 0) {
        return res;
    }
    len = url_find(ref, len, 0, "#");
    // A scheme of its own, if there is a ':' before anything that ends one.
    size_t colon = url_find(ref, len, 0, ":/?");
    size_t path; // where the path begins in `out`
    if (colon < len && ref[colon] == ':') {
        res = url_add(out, &used, ref, len);
    } else if (len >= 2 && ref[0] == '/' && ref[1] == '/') {
        res = url_add(out, &used, base, b.secure ? 6 : 5);
        res = res < 0 ? res : url_add(out, &used, ref, len);
    } else {
        res = url_add(out, &used, b.origin, b.origin_len);
        size_t keep = 0; // bytes of the base's path
        if (len == 0) {
            keep = b.path_len;
        } else if (ref[0] == '?') {
            keep = url_find(b.path, b.path_len, 0, "?");
        } else if (ref[0] != '/') {
            size_t end = url_find(b.path, b.path_len, 0, "?");
            for (size_t i = 0; i < end; i++) {
                keep = b.path[i] == '/' ? i + 1 : keep;
            }
        }
        if (res == 0 && (keep == 0 || b.path[0] != '/') && (len == 0 || ref[0] != '/')) {
            res = url_add(out, &used, "/", 1);
        }
        res = res < 0 ? res : url_add(out, &used, b.path, keep);
        res = res < 0 ? res : url_add(out, &used, ref, len);
    }
    if (res == 0) {
        res = sdb_url_split(&b, out, used);
    }
    if (res < 0) {
        return res;
    }
    path = b.origin_len;
    if (path < used && out[path] == '/') {
        used = url_remove_dots(out, path, used);
    }
    out[used] = '\0';
    return (int)used;
}
