// SPDX-License-Identifier: MIT
// What every unit test needs: cmocka and the headers that it wants first.
#ifndef SDB_UNIT_H
#define SDB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// ---- A failed assertion says which case it is about
// -----------------------------------------------

// Loops that have been entered, innermost last, and the line that called a helper with assertions.
struct unit_case {
    const char *name;
    long long value;
};
static struct unit_case unit_cases[4];
static unsigned unit_depth;
static int unit_line;

static inline unsigned unit_enter(const char *name, long long value) {
    unsigned outer = unit_depth;
    if (unit_depth < COUNT(unit_cases)) {
        unit_cases[unit_depth++] = (struct unit_case){name, value};
    }
    return outer;
}

static inline void unit_leave(const unsigned *outer) {
    unit_depth = *outer;
}

// At the beginning of a loop's body: `i` is the number of the case.
#define UNIT_CASE(i)                                                                               \
    __attribute__((cleanup(unit_leave), unused)) const unsigned unit_outer =                       \
        unit_enter(#i, (long long)(i))

// Calls a helper that has assertions in it: they name this line too.
#define UNIT_FROM(call)                                                                            \
    do {                                                                                           \
        int unit_before = unit_line;                                                               \
        unit_line = unit_before ? unit_before : __LINE__;                                          \
        call;                                                                                      \
        unit_line = unit_before;                                                                   \
    } while (0)

// The test before may have failed within a case.
static inline int unit_reset(void **state) {
    (void)state;
    unit_depth = 0;
    unit_line = 0;
    return 0;
}

#undef cmocka_unit_test
#define cmocka_unit_test(f)                                                                        \
    { #f, f, unit_reset, NULL, NULL }

// The file's name as cmocka shall print it.
static inline const char *unit_at(const char *file) {
    static char text[300];
    int n = snprintf(text, sizeof text, "%s", file);
    for (unsigned i = 0; i < unit_depth && n < (int)sizeof text - 60; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, " [%s = %lld]", unit_cases[i].name,
                      unit_cases[i].value);
    }
    if (unit_line != 0 && n < (int)sizeof text - 40) {
        snprintf(text + n, sizeof text - (size_t)n, " [called from line %d]", unit_line);
    }
    return unit_depth > 0 || unit_line != 0 ? text : file;
}

#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
#undef assert_int_equal
#undef assert_int_not_equal
#undef assert_ptr_equal
#undef assert_string_equal
#undef assert_string_not_equal
#undef assert_memory_equal
#undef assert_in_range
#define UNIT_INT(x) cast_to_largest_integral_type(x)
#define UNIT_PTR(x) cast_ptr_to_largest_integral_type(x)
#define assert_true(c) _assert_true(UNIT_INT(c), #c, unit_at(__FILE__), __LINE__)
#define assert_false(c) _assert_true(!UNIT_INT(c), "not " #c, unit_at(__FILE__), __LINE__)
#define assert_null(c) _assert_true(!UNIT_PTR(c), #c " is NULL", unit_at(__FILE__), __LINE__)
#define assert_non_null(c) _assert_true(UNIT_PTR(c), #c, unit_at(__FILE__), __LINE__)
#define assert_int_equal(a, b)                                                                     \
    _assert_int_equal(UNIT_INT(a), UNIT_INT(b), unit_at(__FILE__), __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    _assert_int_not_equal(UNIT_INT(a), UNIT_INT(b), unit_at(__FILE__), __LINE__)
#define assert_ptr_equal(a, b)                                                                     \
    _assert_int_equal(UNIT_PTR(a), UNIT_PTR(b), unit_at(__FILE__), __LINE__)
#define assert_string_equal(a, b) _assert_string_equal((a), (b), unit_at(__FILE__), __LINE__)
#define assert_string_not_equal(a, b)                                                              \
    _assert_string_not_equal((a), (b), unit_at(__FILE__), __LINE__)
#define assert_memory_equal(a, b, size)                                                            \
    _assert_memory_equal((a), (b), (size), unit_at(__FILE__), __LINE__)
#define assert_in_range(value, low, high)                                                          \
    _assert_in_range(UNIT_INT(value), UNIT_INT(low), UNIT_INT(high), unit_at(__FILE__), __LINE__)

// Of cases that are many, every n-th one; each of them with EXHAUSTIVE=1 in the environment.
static inline uint32_t unit_every(uint32_t n) {
    return getenv("EXHAUSTIVE") != NULL ? 1 : n;
}

// A small repeatable generator (xorshift32): the same splits on every machine.
static inline uint32_t unit_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

#endif
