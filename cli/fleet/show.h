// SPDX-License-Identifier: MIT
// A fleet in words, as JSON, as a page.
#ifndef SDBOOT_SHOW_H
#define SDBOOT_SHOW_H

#include <stdio.h>

#include "cli/fleet/fleet.h"

struct show {
    const struct fleet *fleet;
    const uint32_t *order; // releases, the newest first; without the first, "-"
    uint32_t order_count;
    uint32_t boards;     // that are listed at most
    const char *verdict; // "good", "wait", "bad"; NULL: not asked for
    const char *why;
};

void show_words(const struct show *s);
void show_json(const struct show *s);
void show_html(const struct show *s, FILE *out);

// "2026-11-25 22:10", "-" for 0. One of a few static texts.
const char *show_time(int64_t when);

#endif
