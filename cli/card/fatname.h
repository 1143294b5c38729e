// SPDX-License-Identifier: MIT
// Names of a FAT directory, long and short ones, as text.
#ifndef SDBOOT_FATNAME_H
#define SDBOOT_FATNAME_H

#include <stdbool.h>
#include <stdint.h>

#define FATNAME_MAX 1024 // bytes of a name in UTF-8, with its end

struct fatname {
    uint16_t units[20 * 13]; // UTF-16 of a long name
    int pieces;              // that it consists of, 0: there is none
    int expected;            // number of the next one, 0: all have been met
    uint8_t sum;             // of the short name that it belongs to
};

// Forgets the pieces of a long name. Returns true if there were any.
bool fatname_drop(struct fatname *n);

// Takes the 32 bytes of a piece. Returns false if it does not fit what came before.
bool fatname_piece(struct fatname *n, const uint8_t *entry);

// The name of the file or folder whose 32 bytes are `entry`, in UTF-8: the long one if there is
// one. Forgets the long name. Returns false if there were pieces that don't belong to it.
bool fatname_take(struct fatname *n, const uint8_t *entry, char text[FATNAME_MAX]);

// Bytes of FatFs's code page (437) as UTF-8. What is UTF-8 already, as MicroPython writes names,
// stays. `out` has FATNAME_MAX bytes.
void fatname_utf8(const char *in, char *out);

#endif
