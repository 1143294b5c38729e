// SPDX-License-Identifier: MIT
#include "core/semver.h"

#include <string.h>

// ---- What a file says --------------------------------------------------------------------------

void sdb_version_word(const void *data, size_t len, char word[SDB_VERSION_MAX + 1]) {
    const unsigned char *p = data;
    size_t step = 1; // bytes of a character
    size_t low = 0;  // the one of them that counts
    size_t fill = 0;
    if (len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
        low = p[0] == 0xfe;
        step = 2;
        p += 2;
        len -= 2;
    } else if (len >= 2 && (p[0] == 0) != (p[1] == 0)) {
        low = p[0] == 0;
        step = 2;
    } else if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        len -= 3;
    }
    memset(word, 0, SDB_VERSION_MAX + 1);
    for (; len >= step; p += step, len -= step) {
        bool ascii = step == 1 || p[1 - low] == 0;
        char c = ascii && p[low] > ' ' && p[low] < 0x7f ? (char)p[low] : '?';
        bool blank = ascii && (p[low] == ' ' || (p[low] >= '\t' && p[low] <= '\r'));
        if (blank && fill > 0) {
            return;
        }
        if (fill == SDB_VERSION_MAX) {
            word[fill - 1] = '?';
            return;
        }
        if (!blank) {
            word[fill++] = c;
        }
    }
}

// ---- Numbers -----------------------------------------------------------------------------------

static bool semver_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t semver_digits(const char *p) {
    size_t n = 0;
    while (semver_digit(p[n])) {
        n++;
    }
    return n;
}

// The numbers of a version, one after the other.
struct semver_numbers {
    const char *p; // behind the number read last
    bool more;     // another one begins at p
    bool first;    // none has been read
    bool dashes;   // a date: there are dashes between them
};

static void semver_begin(struct semver_numbers *n, const char *v) {
    n->p = v + (*v == 'v' || *v == 'V');
    n->more = true;
    n->first = true;
    n->dashes = false;
}

// Month or day of a date: is `p` a dash and one or two digits, and not the beginning of a
// pre-release?
static bool semver_date(const char *p) {
    if (*p != '-') {
        return false; // perhaps the end: nothing behind it is looked at
    }
    size_t n = semver_digits(p + 1);
    char end = p[n + 1];
    return (n == 1 || n == 2) && (end == '\0' || end == '-' || end == '+');
}

// Sets *digits to the next number and returns its length; 0 if there are no digits.
static size_t semver_next(struct semver_numbers *n, const char **digits) {
    size_t len = semver_digits(n->p);
    *digits = n->p;
    n->p += len;
    n->dashes = n->first ? len == 4 : n->dashes;
    n->dashes = n->dashes && semver_date(n->p);
    n->more = n->dashes || *n->p == '.';
    n->p += n->more;
    n->first = false;
    return len;
}

// ---- Pre-releases and build metadata -----------------------------------------------------------

// Length of the identifier at `p`; *numeric tells whether it has digits only.
static size_t semver_identifier(const char *p, bool *numeric) {
    size_t n = 0;
    *numeric = true;
    for (;; n++) {
        char lower = (char)(p[n] | 0x20);
        if (!semver_digit(p[n])) {
            if (!(lower >= 'a' && lower <= 'z') && p[n] != '-') {
                return n;
            }
            *numeric = false;
        }
    }
}

bool sdb_semver_valid(const char *v) {
    struct semver_numbers numbers;
    semver_begin(&numbers, v);
    while (numbers.more) {
        if (semver_next(&numbers, &v) == 0) {
            return false;
        }
    }
    v = numbers.p;
    while (*v == '-' || *v == '+') {
        char kind = *v;
        do {
            bool numeric;
            size_t n = semver_identifier(++v, &numeric);
            if (n == 0) {
                return false;
            }
            v += n;
        } while (*v == '.');
        if (kind == '+') {
            break;
        }
    }
    return *v == '\0';
}

// ---- Order -------------------------------------------------------------------------------------

static int semver_order(const char *a, size_t a_len, const char *b, size_t b_len, bool numeric) {
    if (numeric) {
        for (; a_len > 0 && *a == '0'; a_len--) {
            a++;
        }
        for (; b_len > 0 && *b == '0'; b_len--) {
            b++;
        }
        if (a_len != b_len) {
            return a_len < b_len ? -1 : 1; // more digits, larger number
        }
    }
    for (size_t i = 0; i < a_len && i < b_len; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return (a_len > b_len) - (a_len < b_len);
}

int sdb_semver_compare(const char *a, const char *b) {
    struct semver_numbers x, y;
    semver_begin(&x, a);
    semver_begin(&y, b);
    while (x.more || y.more) {
        size_t a_len = x.more ? semver_next(&x, &a) : 0;
        size_t b_len = y.more ? semver_next(&y, &b) : 0;
        int order = semver_order(a, a_len, b, b_len, true);
        if (order != 0) {
            return order;
        }
    }
    a = x.p;
    b = y.p;
    if (*a != '-' || *b != '-') {
        return (*b == '-') - (*a == '-'); // a pre-release comes before its release
    }
    do {
        bool a_numeric, b_numeric;
        size_t a_len = semver_identifier(++a, &a_numeric);
        size_t b_len = semver_identifier(++b, &b_numeric);
        if (a_numeric != b_numeric) {
            return a_numeric ? -1 : 1;
        }
        int order = semver_order(a, a_len, b, b_len, a_numeric);
        if (order != 0) {
            return order;
        }
        a += a_len;
        b += b_len;
    } while (*a == '.' && *b == '.');
    return (*a == '.') - (*b == '.'); // more identifiers, newer
}
