// SPDX-License-Identifier: MIT
// The content of a card as layers of sectors: a layer holds what differs from its parent, so that
// the card as it was at any moment of a run costs no more than what was written since.
#ifndef TORTURE_IMAGE_H
#define TORTURE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A sector's content; equal content is stored once.
struct blob {
    uint64_t hash;
    struct blob *next;
    int used16; // entries that are not 0 if this is a sector of a FAT, -1: not counted yet
    int used32;
    uint8_t data[512];
};

uint64_t mix64(uint64_t x);
uint64_t mix2(uint64_t a, uint64_t b);
uint64_t hash_bytes(const void *data, size_t len);

const struct blob *blob_get(const uint8_t *data);
const struct blob *blob_zero(void);
extern unsigned blob_epoch;
void blob_reset(void); // forgets all blobs and begins a new epoch

struct image {
    const struct image *parent;
    const struct blob *(*unwritten)(void *ctx, uint32_t lba); // of the lowest layer
    void *ctx;
    struct image_cell *cells;
    uint32_t capacity; // a power of two
    uint32_t used;
    uint32_t generation;
    uint64_t hash; // of everything that differs from never-written sectors
};

void image_init(struct image *img, const struct image *parent);
void image_free(struct image *img);
void image_clear(struct image *img); // back to the parent's content
const struct blob *image_get(const struct image *img, uint32_t lba);
void image_set(struct image *img, uint32_t lba, const struct blob *blob);
// Moves what this layer holds into its parent.
void image_fold(struct image *img, struct image *parent);
// Calls `each` for every sector held by this layer.
void image_each(const struct image *img, void (*each)(void *, uint32_t, const struct blob *),
                void *ctx);

// A set of 64-bit numbers.
struct set64 {
    uint64_t *cells;
    size_t capacity;
    size_t used;
};
bool set64_add(struct set64 *set, uint64_t value); // true if it was not in there
void set64_free(struct set64 *set);

#endif
