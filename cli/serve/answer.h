// SPDX-License-Identifier: MIT
// Answering a request for a file.
#ifndef SDBOOT_ANSWER_H
#define SDBOOT_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>

struct serve {
    const char *folder;
    unsigned delay; // milliseconds before each answer
    unsigned loss;  // per cent of the answers that break off
    unsigned seed;  // of which those are
    FILE *log;      // combined format, or NULL
    bool quiet;
};

// For MHD_start_daemon(); `cls` is a struct serve.
enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                       const char *version, const char *data, size_t *data_len, void **state);

#endif
