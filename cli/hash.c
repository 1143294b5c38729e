// SPDX-License-Identifier: MIT
#include "cli/hash.h"

#include "cli/tool.h"

static int hash_start(void *ctx) {
    return mbedtls_md_starts(ctx);
}

static int hash_update(void *ctx, const void *data, size_t len) {
    return mbedtls_md_update(ctx, data, len);
}

static int hash_digest(void *ctx, uint8_t *out) {
    return mbedtls_md_finish(ctx, out);
}

struct sdb_hash hash_of(mbedtls_md_context_t *md, mbedtls_md_type_t type) {
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(type);
    mbedtls_md_init(md);
    if (mbedtls_md_setup(md, info, 0) != 0 || mbedtls_md_starts(md) != 0) {
        tool_die("no memory, or no hash");
    }
    return (struct sdb_hash){md, mbedtls_md_get_size(info), hash_update, hash_digest, hash_start};
}

struct sdb_hash hash_sha256(mbedtls_md_context_t *md) {
    return hash_of(md, MBEDTLS_MD_SHA256);
}

void hash_free(mbedtls_md_context_t *md) {
    mbedtls_md_free(md);
}
