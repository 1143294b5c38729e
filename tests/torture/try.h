// SPDX-License-Identifier: MIT
// Calls of a scenario that must succeed. The first one that doesn't is remembered: «BROKEN» says
// it.
#ifndef TORTURE_TRY_H
#define TORTURE_TRY_H

#include <stdio.h>

extern char try_failed[160]; // file, line, result and text of the call; "" if all went well

// What a failed call of FatFs (positive) or of ours (negative) becomes.
static inline int try_note(int res, const char *file, int line, const char *call) {
    if (res != 0 && try_failed[0] == '\0') {
        snprintf(try_failed, sizeof try_failed, "%s:%d: %d from %s", file, line, res, call);
    }
    return res > 0 ? -5 : res;
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_res = try_note((int)(call), __FILE__, __LINE__, #call);                            \
        if (try_res != 0) {                                                                        \
            return try_res;                                                                        \
        }                                                                                          \
    } while (0)

// Likewise where positive results are counts or handles.
#define TRY_COUNT(call)                                                                            \
    do {                                                                                           \
        int try_res = (int)(call);                                                                 \
        if (try_res < 0) {                                                                         \
            return try_note(try_res, __FILE__, __LINE__, #call);                                   \
        }                                                                                          \
    } while (0)

#endif
