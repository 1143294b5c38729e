// SPDX-License-Identifier: MIT
#include "package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(int condition) {
    if (!condition) {
        abort();
    }
}

static uint8_t *grow(struct package *p, size_t len) {
    p->data = realloc(p->data, p->size + len);
    require(p->data != NULL);
    memset(p->data + p->size, 0, len);
    p->size += len;
    return p->data + p->size - len;
}

static void header(struct package *p, const char *path, char type, size_t size) {
    uint8_t *h = grow(p, 512);
    unsigned sum = 0;
    size_t len = strlen(path);
    if (len > 100) {
        const char *cut = strchr(path + len - 101, '/');
        require(cut != NULL && cut - path <= 155);
        memcpy(h + 345, path, (size_t)(cut - path));
        path = cut + 1;
        len = strlen(path);
    }
    memcpy(h, path, len);
    memcpy(h + 100, "0000644", 8);
    snprintf((char *)h + 124, 12, "%011zo", size);
    h[156] = (uint8_t)type;
    memcpy(h + 257, "ustar\00000", 8);
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++) {
        sum += h[i];
    }
    snprintf((char *)h + 148, 7, "%06o", sum);
}

void package_init(struct package *p) {
    memset(p, 0, sizeof *p);
}

void package_free(struct package *p) {
    free(p->data);
    package_init(p);
}

void package_file(struct package *p, const char *path, const void *data, size_t size) {
    header(p, path, '0', size);
    uint8_t *to = grow(p, (size + 511) / 512 * 512);
    if (size > 0) {
        memcpy(to, data, size);
    }
}

void package_text(struct package *p, const char *path, const char *text) {
    package_file(p, path, text, strlen(text));
}

void package_dir(struct package *p, const char *path) {
    header(p, path, '5', 0);
}

void package_end(struct package *p) {
    grow(p, 1024);
}

static int hash_update(void *ctx, const void *data, size_t len) {
    struct package_hash *h = ctx;
    require(mbedtls_md_update(&h->md, data, len) == 0);
    return h->fail;
}

static int hash_digest(void *ctx, uint8_t *out) {
    struct package_hash *h = ctx;
    require(mbedtls_md_finish(&h->md, out) == 0);
    return 0;
}

static int hash_start(void *ctx) {
    struct package_hash *h = ctx;
    require(mbedtls_md_starts(&h->md) == 0);
    return 0;
}

void package_hash_init(struct package_hash *h, mbedtls_md_type_t type) {
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(type);
    memset(h, 0, sizeof *h);
    mbedtls_md_init(&h->md);
    require(mbedtls_md_setup(&h->md, info, 0) == 0);
    require(mbedtls_md_starts(&h->md) == 0);
    h->hash = (struct sdb_hash){
        .ctx = h,
        .size = mbedtls_md_get_size(info),
        .update = hash_update,
        .digest = hash_digest,
        .start = hash_start,
    };
}

void package_hash_free(struct package_hash *h) {
    mbedtls_md_free(&h->md);
}

void package_sha1(const struct package *p, uint8_t digest[20]) {
    struct package_hash h;
    package_hash_init(&h, MBEDTLS_MD_SHA1);
    hash_update(&h, p->data, p->size);
    hash_digest(&h, digest);
    package_hash_free(&h);
}
