// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "cli/fleet/logline.h"

#include <stdlib.h>
#include <string.h>

// Days from 1970-01-01 in the proleptic Gregorian calendar.
static int64_t days(int year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

// `n` digits; -1 if they are none.
static int digits(const char *p, int n) {
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return -1;
        }
        value = value * 10 + p[i] - '0';
    }
    return value;
}

static int64_t moment(int year, int month, int day, const char *clock) {
    int h = digits(clock, 2);
    int m = digits(clock + 3, 2);
    int s = digits(clock + 6, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || h < 0 || m < 0 || s < 0) {
        return 0;
    }
    return days(year, month, day) * 86400 + h * 3600 + m * 60 + s;
}

// "25/Nov/2026:22:10:01 +0100", 26 bytes.
static int64_t combined_time(const char *p) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char name[4] = {p[3], p[4], p[5], 0};
    const char *month = strstr(months, name);
    int zone_h = digits(p + 22, 2);
    int zone_m = digits(p + 24, 2);
    if (month == NULL || (month - months) % 3 != 0 || zone_h < 0 || zone_m < 0) {
        return 0;
    }
    int64_t t = moment(digits(p + 7, 4), (int)(month - months) / 3 + 1, digits(p, 2), p + 12);
    int zone = zone_h * 3600 + zone_m * 60;
    return t == 0 ? 0 : t - (p[21] == '-' ? -zone : zone);
}

#define COMBINED_TIME 26

static int64_t find_time(const char *line, size_t len) {
    const char *p = memchr(line, '[', len);
    return p != NULL && len - (size_t)(p - line) > COMBINED_TIME + 1 && p[COMBINED_TIME + 1] == ']'
               ? combined_time(p + 1)
               : 0;
}

// ---- combined, S3 -------------------------------------------------------------------------------

// The next text in quotes from *at on, \" and \x22 within it. Returns false if there is none.
static bool quoted(const char **at, const char *end, const char **text, size_t *len) {
    const char *p = memchr(*at, '"', (size_t)(end - *at));
    if (p == NULL) {
        return false;
    }
    *text = ++p;
    while (p < end && *p != '"') {
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    }
    *len = (size_t)(p - *text);
    *at = p < end ? p + 1 : end;
    return p < end;
}

static bool combined(const char *line, size_t len, struct logline *out) {
    const char *end = line + len;
    const char *at = line;
    const char *text;
    size_t n;
    out->when = find_time(line, len);
    if (!quoted(&at, end, &text, &n)) {
        return false;
    }
    out->get = n > 4 && memcmp(text, "GET ", 4) == 0;
    out->path = text;
    out->path_len = 0;
    if (out->get) {
        const char *stop = memchr(text + 4, ' ', n - 4);
        out->path = text + 4;
        out->path_len = stop != NULL ? (size_t)(stop - out->path) : n - 4;
    }
    out->status = end - at > 3 && *at == ' ' ? digits(at + 1, 3) : -1;
    while (quoted(&at, end, &text, &n)) {
        if (n >= 7 && n < LOGLINE_AGENT && memcmp(text, "sdboot/", 7) == 0) {
            memcpy(out->agent, text, n);
            out->agent_len = n;
            return true;
        }
    }
    return false;
}

// ---- CloudFront ---------------------------------------------------------------------------------

static void read_fields(struct logformat *f, const char *line, size_t len) {
    const char *end = line + len;
    *f = (struct logformat){true, 0, -1, -1, -1, -1, -1, -1};
    const struct {
        const char *name;
        int *column;
    } known[] = {
        {"date", &f->date},
        {"time", &f->time},
        {"cs-uri-stem", &f->path},
        {"sc-status", &f->status},
        {"cs(User-Agent)", &f->agent},
        {"cs-method", &f->method},
    };
    while (line < end && f->count < LOGLINE_COLUMNS) {
        while (line < end && (*line == ' ' || *line == '\t')) {
            line++;
        }
        const char *word = line;
        while (line < end && *line != ' ' && *line != '\t') {
            line++;
        }
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            size_t n = strlen(known[i].name);
            if ((size_t)(line - word) == n && memcmp(word, known[i].name, n) == 0) {
                *known[i].column = f->count;
            }
        }
        f->count += line > word;
    }
}

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// CloudFront writes blanks and '%' of a header as %20 and %25: back to what was sent.
static size_t decoded(const char *text, size_t len, char *out) {
    size_t n = 0;
    for (size_t i = 0; i < len && n < LOGLINE_AGENT; i++) {
        char c = text[i];
        if (c == '%' && i + 2 < len && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
            c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
            i += 2;
        }
        out[n++] = c;
    }
    return n;
}

struct column {
    const char *text;
    size_t len;
};

static int split(const char *line, size_t len, struct column *columns) {
    const char *end = line + len;
    int count = 0;
    while (count < LOGLINE_COLUMNS) {
        const char *tab = memchr(line, '\t', (size_t)(end - line));
        const char *stop = tab != NULL ? tab : end;
        columns[count++] = (struct column){line, (size_t)(stop - line)};
        if (tab == NULL) {
            break;
        }
        line = tab + 1;
    }
    return count;
}

static int64_t column_time(const struct logformat *f, const struct column *columns, int count) {
    if (f->date < 0 || f->time < 0 || f->date >= count || f->time >= count ||
        columns[f->date].len != 10 || columns[f->time].len != 8) {
        return 0;
    }
    const char *d = columns[f->date].text;
    return moment(digits(d, 4), digits(d + 5, 2), digits(d + 8, 2), columns[f->time].text);
}

static bool columns_read(struct logformat *f, const char *line, size_t len, struct logline *out) {
    struct column c[LOGLINE_COLUMNS];
    int count = split(line, len, c);
    if (f->agent < 0 || f->agent >= count || f->path >= count || f->status >= count ||
        f->method >= count) {
        return false;
    }
    out->when = column_time(f, c, count);
    out->status = f->status >= 0 && c[f->status].len == 3 ? digits(c[f->status].text, 3) : -1;
    out->get = f->method < 0 || (c[f->method].len == 3 && memcmp(c[f->method].text, "GET", 3) == 0);
    out->path = f->path >= 0 ? c[f->path].text : line;
    out->path_len = f->path >= 0 ? c[f->path].len : 0;
    out->agent_len = decoded(c[f->agent].text, c[f->agent].len, out->agent);
    return out->agent_len >= 7 && memcmp(out->agent, "sdboot/", 7) == 0;
}

// ---- Any ----------------------------------------------------------------------------------------

#define FIELDS "#Fields:"

bool logline_read(struct logformat *f, const char *line, size_t len, struct logline *out) {
    size_t n = strlen(FIELDS);
    if (len > n && line[0] == '#') {
        if (memcmp(line, FIELDS, n) == 0) {
            read_fields(f, line + n, len - n);
        }
        return false;
    }
    // Most lines are of somebody else.
    if (memmem(line, len, "sdboot/", 7) == NULL) {
        return false;
    }
    return f->columns ? columns_read(f, line, len, out) : combined(line, len, out);
}

int64_t logline_time(struct logformat *f, const char *line, size_t len) {
    struct logline ignored;
    struct column c[LOGLINE_COLUMNS];
    if (len > 0 && line[0] == '#') {
        logline_read(f, line, len, &ignored);
        return 0;
    }
    return f->columns ? column_time(f, c, split(line, len, c)) : find_time(line, len);
}
