// SPDX-License-Identifier: MIT
// Log files, compressed or not, line by line.
#ifndef SDBOOT_SOURCE_H
#define SDBOOT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fleet/logline.h"

#define SOURCE_LINE 16384 // bytes of a line; of a longer one the beginning is looked at

// Called for each line, without its end. Returns false to end the file.
typedef bool source_line(void *ctx, struct logformat *f, const char *line, size_t len);

// Reads the file `path` ("-": standard input). Dies if it can't be read. Returns the bytes that
// were in it, uncompressed.
uint64_t source_read(const char *path, source_line *each, void *ctx);

// Puts the files into the order of the first time in each.
void source_sort(char **paths, size_t count);

#endif
