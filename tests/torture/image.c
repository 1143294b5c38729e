// SPDX-License-Identifier: MIT
#include "image.h"

#include <stdlib.h>
#include <string.h>

uint64_t mix64(uint64_t x) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t mix2(uint64_t a, uint64_t b) {
    return mix64(a + 0x9e3779b97f4a7c15u + mix64(b));
}

uint64_t hash_bytes(const void *data, size_t len) {
    const uint8_t *p = data;
    uint64_t a = 0x243f6a8885a308d3u ^ len;
    uint64_t b = 0x13198a2e03707344u;
    for (; len >= 16; len -= 16, p += 16) {
        uint64_t x;
        uint64_t y;
        memcpy(&x, p, 8);
        memcpy(&y, p + 8, 8);
        a = (a ^ x) * 0x9fb21c651e98df25u;
        b = (b ^ y) * 0xd6e8feb86659fd93u;
        a ^= a >> 35;
        b ^= b >> 32;
    }
    while (len--) {
        a = (a ^ *p++) * 0x9fb21c651e98df25u;
        a ^= a >> 35;
    }
    return mix2(a, b);
}

// ---- blobs

#define CHUNK 4096
static struct blob *chunks[65536];
static uint32_t chunk_count;
static uint32_t chunk_used = CHUNK;
static struct blob **buckets;
static uint32_t bucket_count;
static uint32_t blob_count;
unsigned blob_epoch;

static void buckets_grow(void) {
    uint32_t count = bucket_count ? bucket_count * 4 : 65536;
    struct blob **grown = calloc(count, sizeof *grown);
    for (uint32_t i = 0; i < bucket_count; i++) {
        struct blob *next;
        for (struct blob *b = buckets[i]; b; b = next) {
            next = b->next;
            b->next = grown[b->hash & (count - 1)];
            grown[b->hash & (count - 1)] = b;
        }
    }
    free(buckets);
    buckets = grown;
    bucket_count = count;
}

const struct blob *blob_get(const uint8_t *data) {
    uint64_t hash = hash_bytes(data, 512);
    if (blob_count >= bucket_count) {
        buckets_grow();
    }
    struct blob **bucket = &buckets[hash & (bucket_count - 1)];
    for (struct blob *b = *bucket; b; b = b->next) {
        if (b->hash == hash && memcmp(b->data, data, 512) == 0) {
            return b;
        }
    }
    if (chunk_used == CHUNK) {
        chunks[chunk_count++] = malloc(CHUNK * sizeof(struct blob));
        chunk_used = 0;
    }
    struct blob *b = &chunks[chunk_count - 1][chunk_used++];
    b->hash = hash;
    b->used16 = b->used32 = -1;
    memcpy(b->data, data, 512);
    b->next = *bucket;
    *bucket = b;
    blob_count++;
    return b;
}

const struct blob *blob_zero(void) {
    static const uint8_t zero[512];
    return blob_get(zero);
}

void blob_reset(void) {
    while (chunk_count > 0) {
        free(chunks[--chunk_count]);
    }
    blob_epoch++;
    chunk_used = CHUNK;
    blob_count = 0;
    free(buckets);
    buckets = NULL;
    bucket_count = 0;
}

// ---- images

struct image_cell {
    const struct blob *blob;
    uint32_t lba;
    uint32_t generation;
};

void image_init(struct image *img, const struct image *parent) {
    memset(img, 0, sizeof *img);
    img->parent = parent;
    img->capacity = 64;
    img->cells = calloc(img->capacity, sizeof *img->cells);
    image_clear(img);
}

void image_free(struct image *img) {
    free(img->cells);
    img->cells = NULL;
}

void image_clear(struct image *img) {
    img->generation++;
    img->used = 0;
    img->hash = img->parent ? img->parent->hash : 0;
}

static struct image_cell *image_cell(const struct image *img, uint32_t lba) {
    uint32_t i = (lba * 2654435761u) >> 7;
    for (;; i++) {
        struct image_cell *cell = &img->cells[i & (img->capacity - 1)];
        if (cell->generation != img->generation || cell->lba == lba) {
            return cell;
        }
    }
}

const struct blob *image_get(const struct image *img, uint32_t lba) {
    for (;; img = img->parent) {
        if (img->used > 0) {
            const struct image_cell *cell = image_cell(img, lba);
            if (cell->generation == img->generation) {
                return cell->blob;
            }
        }
        if (!img->parent) {
            return img->unwritten(img->ctx, lba);
        }
    }
}

static void image_grow(struct image *img) {
    struct image_cell *old = img->cells;
    uint32_t capacity = img->capacity;
    img->capacity *= 2;
    img->cells = calloc(img->capacity, sizeof *img->cells);
    for (uint32_t i = 0; i < capacity; i++) {
        if (old[i].generation == img->generation) {
            *image_cell(img, old[i].lba) = old[i];
        }
    }
    free(old);
}

void image_set(struct image *img, uint32_t lba, const struct blob *blob) {
    const struct blob *before = image_get(img, lba);
    if (before == blob) {
        return;
    }
    img->hash += mix2(lba, blob->hash) - mix2(lba, before->hash);
    if (2 * (img->used + 1) > img->capacity) {
        image_grow(img);
    }
    struct image_cell *cell = image_cell(img, lba);
    if (cell->generation != img->generation) {
        cell->generation = img->generation;
        cell->lba = lba;
        img->used++;
    }
    cell->blob = blob;
}

void image_each(const struct image *img, void (*each)(void *, uint32_t, const struct blob *),
                void *ctx) {
    for (uint32_t i = 0; i < img->capacity; i++) {
        if (img->cells[i].generation == img->generation) {
            each(ctx, img->cells[i].lba, img->cells[i].blob);
        }
    }
}

static void image_fold_one(void *ctx, uint32_t lba, const struct blob *blob) {
    image_set(ctx, lba, blob);
}

void image_fold(struct image *img, struct image *parent) {
    image_each(img, image_fold_one, parent);
    image_clear(img);
}

// ---- sets

bool set64_add(struct set64 *set, uint64_t value) {
    value += value == 0;
    if (2 * (set->used + 1) > set->capacity) {
        struct set64 grown = {.capacity = set->capacity ? set->capacity * 2 : 1024};
        grown.cells = calloc(grown.capacity, sizeof *grown.cells);
        for (size_t i = 0; i < set->capacity; i++) {
            if (set->cells[i]) {
                set64_add(&grown, set->cells[i]);
            }
        }
        free(set->cells);
        *set = grown;
    }
    for (size_t i = value;; i++) {
        uint64_t *cell = &set->cells[i & (set->capacity - 1)];
        if (*cell == value) {
            return false;
        }
        if (*cell == 0) {
            *cell = value;
            set->used++;
            return true;
        }
    }
}

void set64_free(struct set64 *set) {
    free(set->cells);
    memset(set, 0, sizeof *set);
}
