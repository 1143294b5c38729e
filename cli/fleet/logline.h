// SPDX-License-Identifier: MIT
// A line of a web server's access log: nginx's and Apache's combined format, that of S3, and
// CloudFront's.
#ifndef SDBOOT_LOGLINE_H
#define SDBOOT_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGLINE_AGENT 512 // bytes of a User-Agent that are looked at
#define LOGLINE_COLUMNS 64

// What the lines are like; zero at the beginning of a file.
struct logformat {
    bool columns; // a "#Fields:" line was met: CloudFront, W3C
    int count;
    int date, time, path, status, agent, method; // columns, -1: none
};

struct logline {
    int64_t when;     // seconds since 1970, 0: not known
    int status;       // HTTP's
    bool get;         // a GET
    const char *path; // within the line
    size_t path_len;
    char agent[LOGLINE_AGENT]; // as the board has sent it
    size_t agent_len;
};

// Reads a line of `len` bytes, without its end. Returns false if it tells nothing of a board.
bool logline_read(struct logformat *f, const char *line, size_t len, struct logline *out);

// The time of any line, 0 if it has none.
int64_t logline_time(struct logformat *f, const char *line, size_t len);

#endif
