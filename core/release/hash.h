// SPDX-License-Identifier: MIT
// A running hash, supplied by the caller: on a board the firmware's hashlib (hardware on ESP32).
#ifndef SDB_HASH_H
#define SDB_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SDB_HASH_MAX 32 // bytes of the longest digest

// The callbacks return 0 or a negative error.
struct sdb_hash {
    void *ctx;   // handed to each callback, owned by the caller
    size_t size; // bytes of the digest: 20 for SHA-1, 32 for SHA-256
    int (*update)(void *ctx, const void *data, size_t len);
    int (*digest)(void *ctx, uint8_t *out); // writes `size` bytes; the hash is used up
    int (*start)(void *ctx);                // begins anew; before the first update
};

#endif
