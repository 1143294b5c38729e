// SPDX-License-Identifier: MIT
// Packages made in memory (ustar), and hashes as the callback struct that the core takes.
#ifndef SDB_PACKAGE_H
#define SDB_PACKAGE_H

#include <stddef.h>
#include <stdint.h>

#include <mbedtls/md.h>

#include "core/release/hash.h"

struct package {
    uint8_t *data;
    size_t size;
};

void package_init(struct package *p);
void package_free(struct package *p);
void package_file(struct package *p, const char *path, const void *data, size_t size);
void package_text(struct package *p, const char *path, const char *text);
void package_dir(struct package *p, const char *path);
void package_end(struct package *p);                            // two zero blocks
void package_sha1(const struct package *p, uint8_t digest[20]); // of all so far

struct package_hash {
    struct sdb_hash hash;
    mbedtls_md_context_t md;
    int fail; // what update returns
};

void package_hash_init(struct package_hash *h, mbedtls_md_type_t type);
void package_hash_free(struct package_hash *h);

#endif
