// SPDX-License-Identifier: MIT
#include "core/web/minisign.h"

#include <stdbool.h>
#include <string.h>

#include "core/error.h"

#define MINISIGN_HEAD 10u // bytes before a signature or key: two of the algorithm, eight of the id

// Takes the next line from the text at *at. Returns its length without the line end, or -1.
static int minisign_line(const char *text, size_t len, size_t *at, const char **line) {
    size_t from = *at;
    if (from >= len) {
        return -1;
    }
    size_t end = from;
    while (end < len && text[end] != '\n') {
        end++;
    }
    *at = end + 1;
    *line = text + from;
    if (end > from && text[end - 1] == '\r') {
        end--;
    }
    return (int)(end - from);
}

static int minisign_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Decodes exactly `size` bytes (RFC 4648, section 4): no white space, padding as it must be, unused
// bits 0, so that no two texts say the same.
static bool minisign_base64(const char *text, int len, uint8_t *out, size_t size) {
    if (len < 0 || (size_t)len != (size + 2) / 3 * 4) {
        return false;
    }
    uint32_t bits = 0;
    unsigned count = 0;
    size_t done = 0;
    int i = 0;
    for (; i < len && text[i] != '='; i++) {
        int digit = minisign_digit(text[i]);
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            if (done == size) {
                return false;
            }
            out[done++] = (uint8_t)(bits >> count);
            bits &= (1u << count) - 1;
        }
    }
    bool padded = len - i == (size % 3 == 0 ? 0 : 3 - (int)(size % 3));
    for (; i < len; i++) {
        padded = padded && text[i] == '=';
    }
    return padded && done == size && bits == 0;
}

static bool minisign_begins(const char *line, int len, const char *with) {
    size_t n = strlen(with);
    return len >= 0 && (size_t)len >= n && memcmp(line, with, n) == 0;
}

int sdb_minisig_parse(struct sdb_minisig *s, const char *text, size_t len) {
    static const char trusted[] = "trusted comment: ";
    uint8_t body[MINISIGN_HEAD + 64];
    const char *line;
    size_t at = 0;
    int n = minisign_line(text, len, &at, &line);
    if (!minisign_begins(line, n, "untrusted comment: ")) {
        return SDB_ESIG_FORMAT;
    }
    n = minisign_line(text, len, &at, &line);
    if (!minisign_base64(line, n, body, sizeof body) || body[0] != 'E' ||
        (body[1] != 'd' && body[1] != 'D')) {
        return SDB_ESIG_FORMAT;
    }
    memcpy(s->id, body + 2, sizeof s->id);
    memcpy(s->sig, body + MINISIGN_HEAD, sizeof s->sig);
    n = minisign_line(text, len, &at, &line);
    if (!minisign_begins(line, n, trusted)) {
        return SDB_ESIG_FORMAT;
    }
    s->comment = line + sizeof trusted - 1;
    s->comment_len = (size_t)n - (sizeof trusted - 1);
    n = minisign_line(text, len, &at, &line);
    if (!minisign_base64(line, n, s->global, sizeof s->global)) {
        return SDB_ESIG_FORMAT;
    }
    while ((n = minisign_line(text, len, &at, &line)) >= 0) {
        if (n > 0) {
            return SDB_ESIG_FORMAT;
        }
    }
    s->prehashed = body[1] == 'D';
    return 0;
}

// Decodes the next key from the text at *at. Returns 1, 0 if there is none, or SDB_ESIG_KEYS.
static int minisign_next(const char *text, size_t len, size_t *at,
                         uint8_t body[MINISIGN_HEAD + 32]) {
    const char *line;
    int n;
    while ((n = minisign_line(text, len, at, &line)) >= 0) {
        if (n == 0 || line[0] == '#' || minisign_begins(line, n, "untrusted comment:")) {
            continue;
        }
        bool good =
            minisign_base64(line, n, body, MINISIGN_HEAD + 32) && body[0] == 'E' && body[1] == 'd';
        return good ? 1 : SDB_ESIG_KEYS;
    }
    return 0;
}

int sdb_minisign_key(const char *text, size_t len, const uint8_t id[8], uint8_t key[32]) {
    uint8_t body[MINISIGN_HEAD + 32];
    size_t at = 0;
    int res;
    while ((res = minisign_next(text, len, &at, body)) == 1) {
        if (memcmp(body + 2, id, 8) == 0) {
            memcpy(key, body + MINISIGN_HEAD, 32);
            return 0;
        }
    }
    return res < 0 ? res : SDB_ESIG_KEY;
}

int sdb_minisign_count(const char *text, size_t len) {
    uint8_t body[MINISIGN_HEAD + 32];
    size_t at = 0;
    int count = 0;
    int res;
    while ((res = minisign_next(text, len, &at, body)) == 1) {
        count++;
    }
    return res < 0 ? res : count;
}
