// SPDX-License-Identifier: MIT
// What of a file is asked for: Range and conditions of RFC 9110.
#ifndef SDBOOT_RANGE_H
#define SDBOOT_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint64_t from, length;
    bool part; // not the whole file
};

// Reads "bytes=…" for a file of `size` bytes; several parts, and what is no such range, mean the
// whole file. Returns false if the file has no such part (416).
bool range_read(const char *text, uint64_t size, struct range *r);

// Is `tag` one of those in a header If-None-Match or If-Range? A weak one is none.
bool range_tag(const char *header, const char *tag);

#endif
