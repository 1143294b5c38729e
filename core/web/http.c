// SPDX-License-Identifier: MIT
#include "core/web/http.h"

#include <string.h>
#include "core/error.h"

enum http_state {
    HTTP_STATUS,
    HTTP_HEADER,
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_END, // the line end after a chunk's data
    HTTP_TRAILER,
    HTTP_BODY, // this and the next two take bytes, those before take lines
    HTTP_CHUNK,
    HTTP_BODY_TO_EOF,
    HTTP_END,
};

void sdb_http_init(struct sdb_http *http, char *location, uint16_t size) {
    memset(http, 0, sizeof *http);
    http->location = location;
    http->location_size = size;
    if (size > 0) {
        location[0] = '\0';
    }
}

static bool http_blank(char c) {
    return c == ' ' || c == '\t';
}

static const char *http_skip(const char *p) {
    while (http_blank(*p)) {
        p++;
    }
    return p;
}

// Value of a digit, or 16.
static uint32_t http_digit(char c) {
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

// Reads digits up to blanks and one of `ends` or the end of the string.
static bool http_number(const char *p, uint32_t base, char ends, uint32_t *value) {
    uint32_t n = 0, d;
    if (http_digit(*p) >= base) {
        return false;
    }
    for (; (d = http_digit(*p)) < base; p++) {
        if (n > (UINT32_MAX - d) / base) {
            return false;
        }
        n = n * base + d;
    }
    p = http_skip(p);
    *value = n;
    return *p == '\0' || *p == ends;
}

// Does `text` begin with the lower-case `word`, in whatever case? Returns what follows, or NULL.
static char *http_word(char *text, const char *word) {
    for (; *word; word++, text++) {
        if (*text != *word && !(*text >= 'A' && *text <= 'Z' && *text + 32 == *word)) {
            return NULL;
        }
    }
    return text;
}

static int http_status_line(struct sdb_http *http) {
    const char *p = http->line + 7; // "HTTP/1." has been checked
    http->keeps = *p != '0';
    uint32_t status = 0;
    if (http_digit(p[0]) > 9 || p[1] != ' ') {
        return SDB_EHTTP_GARBAGE;
    }
    for (p += 2; http_digit(*p) < 10 && status < 1000; p++) {
        status = status * 10 + http_digit(*p);
    }
    // 101: another protocol would follow.
    if (status < 100 || status > 999 || status == 101 || (*p != '\0' && *p != ' ')) {
        return SDB_EHTTP_GARBAGE;
    }
    http->status = (uint16_t)status;
    http->state = HTTP_HEADER;
    return 0;
}

// Cuts the next token off a list with commas and sets *list to what follows; NULL at the end.
static char *http_token(char **list) {
    char *p = *list;
    while (http_blank(*p) || *p == ',') {
        p++;
    }
    if (*p == '\0') {
        return NULL;
    }
    char *token = p;
    while (*p && *p != ',' && !http_blank(*p)) {
        p++;
    }
    *list = p + (*p != '\0');
    *p = '\0';
    return token;
}

// The codings that the body has gone through. None but "chunked" is read, none was asked for.
static int http_codings(struct sdb_http *http, char *list, bool transfer) {
    char *token;
    while ((token = http_token(&list)) != NULL) {
        const char *end = http_word(token, "identity");
        if (end != NULL && *end == '\0') {
            continue; // no coding, said by servers of before 2014
        }
        end = http_word(token, "chunked");
        if (!transfer || end == NULL || *end != '\0') {
            return SDB_EHTTP_CODING;
        }
        if (http->chunked) {
            return SDB_EHTTP_LENGTH;
        }
        http->chunked = true;
    }
    return 0;
}

// Content-Length. Said twice it has to be the same.
static int http_length(struct sdb_http *http, const char *value) {
    uint32_t length;
    if (!http_number(http_skip(value), 10, '\0', &length) ||
        (http->has_length && length != http->length)) {
        return SDB_EHTTP_LENGTH;
    }
    http->has_length = true;
    http->length = length;
    return 0;
}

// Content-Range: "bytes 0-499/1234", or "bytes 0-499/" and a star.
static void http_range(struct sdb_http *http, char *value) {
    const char *p = http_word((char *)http_skip(value), "bytes");
    http->has_range = false;
    http->total = 0;
    if (p == NULL || !http_blank(*p) || !http_number(p = http_skip(p), 10, '-', &http->first)) {
        return;
    }
    while (*p && *p != '-') {
        p++;
    }
    if (*p == '\0' || !http_number(++p, 10, '/', &http->last)) {
        return;
    }
    while (*p && *p != '/') {
        p++;
    }
    if (*p == '\0' || http->first > http->last) {
        return;
    }
    p++;
    http->has_range = (p[0] == '*' && p[1] == '\0') ||
                      (http_number(p, 10, '\0', &http->total) && http->last < http->total);
}

// An ETag names the file's content, a date only nearly: it counts where there is nothing else.
static void http_validator(struct sdb_http *http, const char *value, bool etag) {
    size_t n = 0;
    value = http_skip(value);
    while (value[n] >= ' ' && value[n] <= '~') {
        n++;
    }
    if (value[n] != '\0' || n == 0 || n > SDB_HTTP_VALIDATOR_MAX || (http->has_etag && !etag)) {
        return;
    }
    memcpy(http->validator, value, n + 1);
    http->has_etag = etag;
}

static int http_header(struct sdb_http *http, bool whole) {
    char *end = http->line;
    while (*end && *end != ':' && !http_blank(*end)) {
        end++;
    }
    if (end == http->line || (*end != ':' && (whole || *end))) {
        return SDB_EHTTP_GARBAGE; // also a folded line without one before it
    }
    char *value, *token;
    bool transfer = false;
    // These say where the body ends and what it is: they must be known whole.
    if ((value = http_word(http->line, "content-length:")) != NULL) {
        return whole ? http_length(http, value) : SDB_EHTTP_LONG;
    }
    if ((value = http_word(http->line, "transfer-encoding:")) != NULL) {
        transfer = true;
    } else {
        value = http_word(http->line, "content-encoding:");
    }
    if (value != NULL) {
        return whole ? http_codings(http, value, transfer) : SDB_EHTTP_LONG;
    }
    if (!whole) {
        return 0;
    }
    if ((value = http_word(http->line, "content-range:")) != NULL) {
        http_range(http, value);
    } else if ((value = http_word(http->line, "etag:")) != NULL) {
        http_validator(http, value, true);
    } else if ((value = http_word(http->line, "last-modified:")) != NULL) {
        http_validator(http, value, false);
    } else if ((value = http_word(http->line, "connection:")) != NULL) {
        while ((token = http_token(&value)) != NULL) {
            const char *rest = http_word(token, "close");
            http->keeps = http->keeps && (rest == NULL || *rest != '\0');
        }
    }
    return 0;
}

static void http_headers_end(struct sdb_http *http) {
    if (http->status < 200) { // the real answer follows
        http->has_length = false;
        http->length = 0;
        http->chunked = false;
        http->has_range = false;
        http->has_etag = false;
        http->validator[0] = '\0';
        http->state = HTTP_STATUS;
        return;
    }
    http->headers_done = true;
    if (http->chunked) {
        http->has_length = false; // RFC 9112, 6.3
        http->length = 0;
    }
    http->left = http->length;
    if (http->status == 204 || http->status == 304 || (http->has_length && http->left == 0)) {
        http->state = HTTP_END;
    } else if (http->chunked) {
        http->state = HTTP_CHUNK_SIZE;
    } else {
        http->state = http->has_length ? HTTP_BODY : HTTP_BODY_TO_EOF;
        http->keeps = http->keeps && http->has_length;
    }
    http->head = 0;
}

// A line is complete in http->line, without its end; `whole` if it wasn't longer than that.
static int http_line(struct sdb_http *http, bool whole) {
    bool empty = http->line[0] == '\0';
    switch (http->state) {
    case HTTP_STATUS:
        return http_status_line(http);
    case HTTP_HEADER:
        if (!empty) {
            return http_header(http, whole);
        }
        http_headers_end(http);
        return 0;
    case HTTP_CHUNK_SIZE:
        if (!http_number(http->line, 16, ';', &http->left)) {
            return SDB_EHTTP_LENGTH;
        }
        http->state = http->left ? HTTP_CHUNK : HTTP_TRAILER;
        return 0;
    case HTTP_CHUNK_END:
        http->state = HTTP_CHUNK_SIZE;
        http->head = 0;
        return empty ? 0 : SDB_EHTTP_LENGTH;
    default:
        if (empty) {
            http->state = HTTP_END;
        }
        return 0;
    }
}

// Takes the line in http->line, whose end has been seen.
static int http_line_done(struct sdb_http *http) {
    bool whole = http->fill <= SDB_HTTP_LINE_MAX;
    http->line[whole ? http->fill : SDB_HTTP_LINE_MAX] = '\0';
    int res = http_line(http, whole);
    http->fill = 0;
    return res;
}

// Keeps the value of a header Location, which may be longer than a line that is kept otherwise: an
// address with a signature in it has a thousand bytes.
static int http_location_byte(struct sdb_http *http, char c) {
    if (http->fill == 9) {
        http->moving = http->location_size > 0 && http->status / 100 == 3 &&
                       http_word(http->line, "location:") == http->line + 9;
        http->location_len = 0;
        return 0;
    }
    if (!http->moving || c == '\r' || (http->location_len == 0 && http_blank(c))) {
        return 0;
    }
    if (http->location_len + 1u >= http->location_size) {
        return SDB_EHTTP_LONG;
    }
    http->location[http->location_len++] = c;
    http->location[http->location_len] = '\0';
    return 0;
}

static int http_line_byte(struct sdb_http *http, char c) {
    static const char start[] = "HTTP/1.";
    if (++http->head > SDB_HTTP_HEAD_MAX) {
        return SDB_EHTTP_LONG;
    }
    if (http->held) {
        http->held = false;
        int res = http_blank(c) ? 0 : http_line_done(http);
        if (res < 0) {
            return res;
        }
    }
    if (http->state == HTTP_STATUS && http->fill < sizeof start - 1 && c != start[http->fill]) {
        return SDB_EHTTP_GARBAGE; // early: it may have no line ends at all
    }
    if (c == '\0') {
        return SDB_EHTTP_GARBAGE; // it would hide the rest of the line
    }
    if (c != '\n') {
        if (http->fill < SDB_HTTP_LINE_MAX) {
            http->line[http->fill] = c;
        }
        http->fill++;
        return http->state == HTTP_HEADER ? http_location_byte(http, c) : 0;
    }
    http->moving = false;
    if (http->fill > 0 && http->fill <= SDB_HTTP_LINE_MAX && http->line[http->fill - 1] == '\r') {
        http->fill--;
    }
    // A header goes on in the next line if that begins with a blank (RFC 9112, 5.2).
    http->held = http->state == HTTP_HEADER && http->fill > 0;
    return http->held ? 0 : http_line_done(http);
}

int sdb_http_feed(struct sdb_http *http, void *buf, size_t len) {
    uint8_t *out = buf;
    const uint8_t *in = buf;
    while (len > 0 && http->error == 0 && http->state != HTTP_END) {
        size_t n = 1;
        if (http->state < HTTP_BODY) {
            http->error = http_line_byte(http, (char)*in);
        } else {
            n = len;
            if (http->state != HTTP_BODY_TO_EOF) {
                n = http->left < len ? http->left : len;
                http->left -= (uint32_t)n;
                if (http->left == 0) {
                    http->state = http->state == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_END;
                }
            }
            memmove(out, in, n);
            out += n;
        }
        in += n;
        len -= n;
    }
    http->done = http->state == HTTP_END;
    if (len > 0) {
        http->keeps = false; // what is this? Not the answer to the next request
    }
    return http->error ? http->error : (int)(out - (uint8_t *)buf);
}

int sdb_http_eof(struct sdb_http *http) {
    if (http->error == 0 && http->held) {
        http->held = false;
        http->error = http_line_done(http);
    }
    if (http->error == 0 && http->state == HTTP_BODY_TO_EOF) {
        http->state = HTTP_END;
        http->done = true;
    }
    if (http->error == 0 && !http->done) {
        http->error = SDB_EHTTP_SHORT;
    }
    return http->error;
}
