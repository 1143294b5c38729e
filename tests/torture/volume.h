// SPDX-License-Identifier: MIT
// Shapes of cards, formatted by a formatter of the torture's own.
#ifndef TORTURE_VOLUME_H
#define TORTURE_VOLUME_H

#include "image.h"

enum layout { LAYOUT_GAP, LAYOUT_SMALL_GAP, LAYOUT_SUPERFLOPPY };

struct volume {
    uint32_t lfs_block; // littlefs with blocks of so many bytes; 0: FAT
    int type;           // 16 or 32
    uint32_t cluster_sectors;
    int fats;
    int layout;
    bool crowded;
    // Computed.
    uint32_t start;
    uint32_t fat;
    uint32_t fat_sectors;
    uint32_t root; // LBA of the first root sector
    uint32_t data;
    uint32_t clusters;
    uint32_t sectors; // of the card
    char name[48];
};

// Fills in the rest from type, cluster_sectors, fats, layout, crowded.
void volume_shape(struct volume *v);

// Makes `img` a card freshly formatted as `v`; v must outlive img. Sectors of the data area that
// were never written read as directory entries that point at the first clusters.
void volume_format(const struct volume *v, struct image *img);

// All shapes, for index 0.. ; false at the end. First the FAT_VOLUMES, then littlefs.
#define FAT_VOLUMES 96u
bool volume_nth(unsigned n, struct volume *v);

#endif
