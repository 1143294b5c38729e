// SPDX-License-Identifier: MIT
#include "cli/card/fatname.h"

#include <iconv.h>
#include <string.h>

bool fatname_drop(struct fatname *n) {
    bool some = n->pieces > 0;
    n->pieces = 0;
    n->expected = 0;
    return some;
}

bool fatname_piece(struct fatname *n, const uint8_t *e) {
    int number = e[0] & 0x3F;
    bool good = true;
    if (e[0] & 0x40) {
        good = n->pieces == 0;
        n->pieces = n->expected = number;
        n->sum = e[13];
        memset(n->units, 0, sizeof n->units);
    }
    if (number < 1 || number > 20 || number != n->expected || e[13] != n->sum) {
        fatname_drop(n);
        return false;
    }
    uint16_t *to = n->units + 13 * (number - 1);
    for (int i = 0; i < 13; i++) {
        int at = i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
        to[i] = (uint16_t)(e[at] | e[at + 1] << 8);
    }
    n->expected--;
    return good;
}

static uint8_t short_sum(const uint8_t *name) {
    uint8_t sum = 0;
    for (int i = 0; i < 11; i++) {
        sum = (uint8_t)((sum << 7 | sum >> 1) + name[i]);
    }
    return sum;
}

// Converts `len` bytes of `from` into UTF-8; a name that is none becomes one that can be printed.
static void convert(const char *from, const char *in, size_t len, char *out) {
    iconv_t cd = iconv_open("UTF-8", from);
    char *source = (char *)in;
    char *target = out;
    size_t room = FATNAME_MAX - 1;
    if (cd != (iconv_t)-1) {
        while (len > 0 && iconv(cd, &source, &len, &target, &room) == (size_t)-1 && room > 0 &&
               len > 0) {
            size_t skip = strcmp(from, "UTF-16LE") == 0 && len > 1 ? 2 : 1;
            *target++ = '?'; // half a surrogate pair, say
            room--;
            source += skip;
            len -= skip;
            iconv(cd, NULL, NULL, NULL, NULL);
        }
        iconv_close(cd);
    }
    *target = '\0';
    for (char *p = out; *p != '\0'; p++) {
        if ((uint8_t)*p < ' ' || *p == 127) {
            *p = '?';
        }
    }
}

static bool is_utf8(const char *s) {
    char out[FATNAME_MAX];
    iconv_t cd = iconv_open("UTF-16LE", "UTF-8");
    char *source = (char *)s;
    char *target = out;
    size_t len = strlen(s);
    size_t room = sizeof out;
    bool good = cd != (iconv_t)-1 && iconv(cd, &source, &len, &target, &room) != (size_t)-1;
    if (cd != (iconv_t)-1) {
        iconv_close(cd);
    }
    return good;
}

void fatname_utf8(const char *in, char *out) {
    if (strlen(in) < FATNAME_MAX && is_utf8(in)) {
        strcpy(out, in);
    } else {
        convert("CP437", in, strlen(in), out);
    }
}

static void short_name(const uint8_t *e, char *out) {
    char raw[13];
    size_t len = 0;
    for (int i = 0; i < 11; i++) {
        uint8_t c = i == 0 && e[0] == 0x05 ? 0xE5 : e[i];
        if (i == 8 && e[8] != ' ') {
            raw[len++] = '.';
        }
        if (c != ' ') {
            // Windows and FatFs: bits that say that name or extension are in lower case.
            bool lower = e[12] & (i < 8 ? 0x08 : 0x10);
            raw[len++] = (char)(lower && c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
    }
    convert("CP437", raw, len, out);
}

bool fatname_take(struct fatname *n, const uint8_t *e, char text[FATNAME_MAX]) {
    bool some = n->pieces > 0;
    bool fits = some && n->expected == 0 && n->sum == short_sum(e);
    if (fits) {
        size_t len = 0;
        while (len < (size_t)n->pieces * 13 && n->units[len] != 0) {
            len++;
        }
        convert("UTF-16LE", (const char *)n->units, len * 2, text);
    } else {
        short_name(e, text);
    }
    fatname_drop(n);
    return fits || !some;
}
