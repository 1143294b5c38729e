// SPDX-License-Identifier: MIT
// Hashes for the core, from Mbed TLS.
#ifndef SDBOOT_HASH_H
#define SDBOOT_HASH_H

#include <mbedtls/md.h>

#include "core/release/hash.h"

// A running hash, whose state is in `md`; hash_free() it. Dies if there is no memory for it.
struct sdb_hash hash_of(mbedtls_md_context_t *md, mbedtls_md_type_t type);
struct sdb_hash hash_sha256(mbedtls_md_context_t *md);
void hash_free(mbedtls_md_context_t *md);

#endif
