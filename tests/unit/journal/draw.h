// SPDX-License-Identifier: MIT
// Chance that is the same on every machine, for tests against a model.
#ifndef SDB_DRAW_H
#define SDB_DRAW_H

#include <stdint.h>

static uint32_t seed;

// A number below `n`.
static inline uint32_t draw(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

#endif
