// SPDX-License-Identifier: MIT
// Access logs of any content: read, counted, shown. What boards say is anybody's.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/show.h"
#include "tool_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fleet f;
    struct logformat format = {0};
    char why[256];
    char *text;
    size_t len;
    fleet_init(&f);
    for (const char *p = (const char *)data, *end = p + size; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((stop != NULL ? stop : end) - p);
        char *line = malloc(n + 1); // its end is where it is, for AddressSanitizer
        memcpy(line, p, n);
        char *exact = realloc(line, n > 0 ? n : 1);
        fleet_line(&f, &format, exact, n);
        free(exact);
        p += n + 1;
    }
    fleet_finish(&f);
    struct fleet_terms terms = {NULL, 1, 1};
    uint32_t *order = malloc(f.release_count * sizeof *order);
    for (uint32_t i = 1; i < f.release_count; i++) {
        order[i - 1] = i;
    }
    struct show s = {&f, order, f.release_count - 1, 50, fleet_verdict(&f, &terms, why), why};
    FILE *out = open_memstream(&text, &len);
    show_html(&s, out);
    fclose(out);
    if (strstr(text, "<script") != NULL || memchr(text, '\x1b', len) != NULL) {
        abort();
    }
    free(text);
    show_words(&s);
    show_json(&s);
    free(order);
    fleet_free(&f);
    return 0;
}
