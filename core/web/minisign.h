// SPDX-License-Identifier: MIT
// Signatures and public keys in the files of minisign (https://jedisct1.github.io/minisign,
// "Signature format"): what they say, not whether it is true. Ed25519 itself is the caller's.
//
//   untrusted comment: <anything>                        untrusted comment: <anything>
//   base64: "Ed" or "ED", key id, signature              base64: "Ed", key id, public key
//   trusted comment: <text>
//   base64: signature of signature and <text>
#ifndef SDB_MINISIGN_H
#define SDB_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDB_MINISIG_MAX 2048u // bytes of a signature file that is read

struct sdb_minisig {
    uint8_t id[8];       // of the key that made it
    uint8_t sig[64];     // of the file
    uint8_t global[64];  // of `sig` and the trusted comment together
    bool prehashed;      // `sig` is of the file's BLAKE2b, 64 bytes ("ED"), not of the file ("Ed")
    const char *comment; // the trusted comment, within the text that was parsed
    size_t comment_len;  // its bytes
};

// Reads the `len` bytes of a signature file, with line ends of any system. Returns 0, or
// SDB_ESIG_FORMAT if that is none.
int sdb_minisig_parse(struct sdb_minisig *s, const char *text, size_t len);

// Looks for the key with this id among the lines of `text`: keys in base64, as minisign writes
// them, lines that begin with "untrusted comment:" or '#', and empty ones. Returns 0 with `key`
// set, SDB_ESIG_KEY if it is not there, or SDB_ESIG_KEYS if a line is none of that.
int sdb_minisign_key(const char *text, size_t len, const uint8_t id[8], uint8_t key[32]);

// The number of keys in such a text, or SDB_ESIG_KEYS.
int sdb_minisign_count(const char *text, size_t len);

#endif
