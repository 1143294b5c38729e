// SPDX-License-Identifier: MIT
// BLAKE2b with 64 bytes of digest and without a key (RFC 7693): what minisign signs of a file
// unless it is told otherwise. In loops, for size: only lists of releases are hashed with it.
#ifndef SDB_BLAKE2B_H
#define SDB_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

struct sdb_blake2b {
    uint64_t h[8];
    uint32_t total;     // bytes so far
    uint8_t block[128]; // the last ones; it is hashed when it is known whether more follow
};

void sdb_blake2b_begin(struct sdb_blake2b *b);

// The next `len` bytes. All together must be less than 4 GiB.
void sdb_blake2b_feed(struct sdb_blake2b *b, const void *data, size_t len);

// Ends the message.
void sdb_blake2b_end(struct sdb_blake2b *b, uint8_t digest[64]);

#endif
