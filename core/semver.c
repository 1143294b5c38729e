#include "core/semver.h"

#include <stddef.h>

static bool semver_digit(char c) {
    return c >= '0' && c <= '9';
}

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

// Length of the digits at `p`: one of the first three numbers, which '-' ends.
static size_t semver_number(const char *p) {
    size_t n = 0;
    while (semver_digit(p[n])) {
        n++;
    }
    return n;
}

bool sdb_semver_valid(const char *v) {
    for (int part = 0; part < 3; part++) {
        size_t n = semver_number(v);
        if (n == 0 || (n > 1 && *v == '0')) {
            return false;
        }
        v += n;
        if (part < 2 && *v++ != '.') {
            return false;
        }
    }
    while (*v == '-' || *v == '+') {
        char kind = *v;
        do {
            bool numeric;
            size_t n = semver_identifier(++v, &numeric);
            if (n == 0 || (kind == '-' && numeric && n > 1 && *v == '0')) {
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

static int semver_order(const char *a, size_t a_len, const char *b, size_t b_len, bool numeric) {
    if (numeric && a_len != b_len) {
        return a_len < b_len ? -1 : 1; // no leading zeros: more digits, larger number
    }
    for (size_t i = 0; i < a_len && i < b_len; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return (a_len > b_len) - (a_len < b_len);
}

int sdb_semver_compare(const char *a, const char *b) {
    for (int part = 0;; part++) {
        bool a_numeric = true, b_numeric = true;
        size_t a_len = part < 3 ? semver_number(a) : semver_identifier(a, &a_numeric);
        size_t b_len = part < 3 ? semver_number(b) : semver_identifier(b, &b_numeric);
        if (a_numeric != b_numeric) {
            return a_numeric ? -1 : 1;
        }
        int order = semver_order(a, a_len, b, b_len, a_numeric);
        if (order != 0) {
            return order;
        }
        a += a_len;
        b += b_len;
        if (part == 2 && (*a != '-' || *b != '-')) {
            return (*b == '-') - (*a == '-'); // a pre-release comes before its release
        }
        if (part > 2 && (*a != '.' || *b != '.')) {
            return (*a == '.') - (*b == '.'); // more identifiers, newer
        }
        a++;
        b++;
    }
}
