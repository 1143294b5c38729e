// SPDX-License-Identifier: MIT
#include "core/web/details.h"

#include <string.h>

#include "core/error.h"
#include "core/semver.h"

static bool details_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *details_begin(const char *line) {
    while (details_blank(*line)) {
        line++;
    }
    return line;
}

bool sdb_details_is(const char *line) {
    line = details_begin(line);
    return strncmp(line, "sdboot", 6) == 0 && details_blank(line[6]);
}

// FNV-1a.
static uint32_t details_hash(uint32_t hash, const void *data, size_t len) {
    const uint8_t *p = data;
    for (; len > 0; len--) {
        hash = (hash ^ *p++) * 16777619u;
    }
    return hash;
}

static uint32_t details_name(const char *file) {
    return details_hash(2166136261u, file, strlen(file)) | 1; // never 0
}

unsigned sdb_details_share(const void *id, size_t id_len, const char *version) {
    uint32_t h = details_hash(2166136261u, id, id_len);
    h = details_hash(h, ";", 1);
    h = details_hash(h, version, strlen(version));
    // Mixed as MurmurHash3 ends: devices that are early for one version aren't for the next.
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    h ^= h >> 16;
    return h % 100;
}

// The digits of a number up to `most`, of `len` digits or (0) any count. Returns false if it is
// none.
static bool details_number(const char *text, size_t len, uint32_t most, uint32_t *value) {
    uint32_t n = 0;
    size_t i = 0;
    for (; len == 0 ? text[i] != '\0' : i < len; i++) {
        uint32_t digit = (uint32_t)(uint8_t)text[i] - '0';
        if (digit > 9 || n > most / 10 || n * 10 > most - digit) {
            return false;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return i > 0;
}

// "2027-01-31" as 20270131.
static bool details_date(const char *text, uint32_t *value) {
    uint32_t year, month, day;
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' ||
        !details_number(text, 4, 9999, &year) || !details_number(text + 5, 2, 12, &month) ||
        !details_number(text + 8, 2, 31, &day) || year == 0 || month == 0 || day == 0) {
        return false;
    }
    *value = year * 10000 + month * 100 + day;
    return true;
}

bool sdb_details_digest(const char *hex, uint8_t *out, size_t size) {
    for (size_t i = 0; i < 2 * size; i++) {
        char c = hex[i];
        char low = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0) {
            return false; // its end, too
        }
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
    }
    return hex[2 * size] == '\0';
}

static char details_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

// Is one of the names in `a` in `b`, too? Case doesn't matter.
static bool details_common(const char *a, const char *b) {
    while (*a != '\0') {
        size_t len = 0;
        while (a[len] != '\0' && a[len] != ',') {
            len++;
        }
        for (const char *p = b; len > 0 && *p != '\0';) {
            size_t same = 0;
            while (same < len && details_lower(a[same]) == details_lower(p[same])) {
                same++;
            }
            if (same == len && (p[same] == '\0' || p[same] == ',')) {
                return true;
            }
            while (*p != '\0' && *p++ != ',') {
            }
        }
        a += len + (a[len] == ',');
    }
    return false;
}

// The value of `key`, if `word` is that. NULL: it is another.
static const char *details_value(const char *word, const char *key) {
    size_t len = strlen(key);
    return strncmp(word, key, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

// A word about the list. Returns 1, 0 if it is none, or SDB_EVER_LINE.
static int details_of_list(struct sdb_details *d, const char *word) {
    const char *value;
    bool good;
    if ((value = details_value(word, "seq")) != NULL) {
        good = d->seq == 0 && details_number(value, 0, UINT32_MAX, &d->seq) && d->seq > 0;
    } else if ((value = details_value(word, "expires")) != NULL) {
        good = d->expires == 0 && details_date(value, &d->expires);
    } else if ((value = details_value(word, "product")) != NULL) {
        good = !d->for_product && *value != '\0';
        d->for_product = true;
        d->product = d->board != NULL && details_common(value, d->board->product);
    } else {
        return 0;
    }
    return good ? 1 : SDB_EVER_LINE;
}

static int details_of_file(struct sdb_details *d, struct sdb_details_file *f, const char *word) {
    const struct sdb_details_board *b = d->board;
    const char *value;
    uint8_t held = SDB_HELD_NOT;
    bool good;
    if ((value = details_value(word, "file")) != NULL) {
        good = f->name == 0 && *value != '\0';
        f->name = details_name(value);
    } else if ((value = details_value(word, "size")) != NULL) {
        good = f->size == 0 && details_number(value, 0, UINT32_MAX, &f->size) && f->size > 0;
    } else if ((value = details_value(word, "sha256")) != NULL) {
        good = !f->has_sha256 && sdb_details_digest(value, f->sha256, sizeof f->sha256);
        f->has_sha256 = true;
    } else if ((value = details_value(word, "index")) != NULL) {
        good = !f->has_index && sdb_details_digest(value, f->index, sizeof f->index);
        f->has_index = true;
    } else if ((value = details_value(word, "board")) != NULL) {
        good = *value != '\0';
        held = b != NULL && !details_common(value, b->names) ? SDB_HELD_BOARD : SDB_HELD_NOT;
    } else if ((value = details_value(word, "channel")) != NULL) {
        good = *value != '\0';
        held = b != NULL && !details_common(value, b->channel) ? SDB_HELD_CHANNEL : SDB_HELD_NOT;
    } else if ((value = details_value(word, "min")) != NULL) {
        good = strlen(value) <= SDB_VERSION_MAX && sdb_semver_valid(value);
        if (good && b != NULL &&
            (!sdb_semver_valid(d->current) || sdb_semver_compare(d->current, value) < 0)) {
            held = SDB_HELD_MIN;
        }
    } else if ((value = details_value(word, "rollout")) != NULL) {
        uint32_t share = 0;
        good = f->rollout == 100 && details_number(value, 0, 100, &share);
        f->rollout = (uint8_t)share;
    } else {
        return 0;
    }
    if (f->held == SDB_HELD_NOT) {
        f->held = held;
    }
    return good ? 1 : SDB_EVER_LINE;
}

int sdb_details_line(struct sdb_details *d, char *line) {
    if (!sdb_details_is(line)) {
        return 0;
    }
    struct sdb_details_file f = {.rollout = 100};
    bool of_file = false;
    line = (char *)details_begin(line) + 6;
    while (*(line = (char *)details_begin(line)) != '\0') {
        char *word = line;
        while (*line != '\0' && !details_blank(*line)) {
            line++;
        }
        if (*line != '\0') {
            *line++ = '\0';
        }
        int known = details_of_list(d, word);
        if (known == 0) {
            known = details_of_file(d, &f, word);
            of_file = of_file || known == 1;
        }
        if (known < 0) {
            return known;
        }
    }
    if (!of_file) {
        return 0;
    }
    if (f.name == 0) {
        return SDB_EVER_LINE; // of which file?
    }
    struct sdb_details_file *place = &d->files[d->next];
    d->lost = d->lost || (place->name != 0 && !place->used);
    *place = f;
    d->next = (uint8_t)((d->next + 1) % SDB_DETAILS_FILES);
    return 0;
}

struct sdb_details_file *sdb_details_find(struct sdb_details *d, const char *file) {
    uint32_t name = details_name(file);
    for (unsigned i = 1; i <= SDB_DETAILS_FILES; i++) { // the last one said first
        struct sdb_details_file *f =
            &d->files[(d->next + SDB_DETAILS_FILES - i) % SDB_DETAILS_FILES];
        if (f->name == name) {
            f->used = true;
            return f;
        }
    }
    return NULL;
}

enum sdb_held sdb_details_held(const struct sdb_details *d, const struct sdb_details_file *f,
                               const char *version, bool everybody) {
    const struct sdb_details_board *b = d->board;
    if (f == NULL) {
        return d->lost ? SDB_HELD_LOST : SDB_HELD_NOT;
    }
    if (f->held != SDB_HELD_NOT || b == NULL || everybody || f->rollout == 100) {
        return (enum sdb_held)f->held;
    }
    return sdb_details_share(b->id, b->id_len, version) < f->rollout ? SDB_HELD_NOT
                                                                     : SDB_HELD_ROLLOUT;
}

int sdb_details_check(const struct sdb_details *d) {
    const struct sdb_details_board *b = d->board;
    if (b == NULL) {
        return 0;
    }
    if (b->product[0] != '\0' && !d->product) {
        return SDB_EVER_PRODUCT;
    }
    if (d->seq < b->floor) {
        return SDB_EVER_OLD;
    }
    return b->today != 0 && d->expires != 0 && d->expires < b->today ? SDB_EVER_EXPIRED : 0;
}
