// SPDX-License-Identifier: MIT
// Ed25519 signatures (RFC 8032) over a message that streams in; only checking them. The arithmetic
// is that of tinyssh, a Debian source package that tools/setup.sh unpacks. What is accepted is as
// strict as with libsodium: S below the group's order, a canonical public key, neither it nor R of
// small order.
#ifndef SDB_ED25519_H
#define SDB_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sdb_ed25519 {
    uint64_t state[8]; // of SHA-512
    uint32_t total;    // bytes hashed
    uint8_t block[128];
    uint8_t sig[64];
    uint8_t key[32];
};

// Starts to check the signature `sig` by the public key `key`; both are copied.
void sdb_ed25519_begin(struct sdb_ed25519 *e, const uint8_t sig[64], const uint8_t key[32]);

// The next `len` bytes of the message.
void sdb_ed25519_feed(struct sdb_ed25519 *e, const void *data, size_t len);

// The message has ended: is it signed by the key? Takes about 4 KiB of stack.
bool sdb_ed25519_end(struct sdb_ed25519 *e);

#endif
