// SPDX-License-Identifier: MIT
// MicroPython's hashlib takes SHA-1 from axTLS or Mbed TLS; Debian's source package has neither.
// This is axTLS's interface to emu/sha1.c.
#ifndef EMU_CRYPTO_H
#define EMU_CRYPTO_H

#include <stdint.h>

#define SHA1_SIZE 20

typedef struct {
    uint64_t bytes;
    uint32_t state[5];
    uint8_t block[64];
} SHA1_CTX;

void SHA1_Init(SHA1_CTX *ctx);
void SHA1_Update(SHA1_CTX *ctx, const uint8_t *data, int len);
void SHA1_Final(uint8_t *digest, SHA1_CTX *ctx);

#endif
