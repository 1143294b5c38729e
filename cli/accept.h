// SPDX-License-Identifier: MIT
// Would a board take this package? Asked of the code that runs on boards.
#ifndef SDBOOT_ACCEPT_H
#define SDBOOT_ACCEPT_H

#include <stddef.h>
#include <stdint.h>

#define ACCEPT_MEMBER_MAX 512

// Streams the package in the file `path` through the installer of a board that runs nothing yet.
// `version` and `sha1` are what `versions` announces. Returns 0, or the error that the board would
// say (core/error.h), with the member that it is about in `member` ("": none). Dies if the file
// can't be read.
int accept_package(const char *path, const char *version, const uint8_t sha1[20],
                   char member[ACCEPT_MEMBER_MAX]);

// Hash of a file. Dies if it can't be read.
void accept_sha1(const char *path, uint8_t sha1[20]);
void accept_sha256(const char *path, uint8_t sha256[32]);

#endif
