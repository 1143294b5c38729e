// SPDX-License-Identifier: MIT
// Sector 0 and boot sector as they are compared with their copies. Private to
// core/journal/control_repair.c and control_rescue.c.
#ifndef SDB_CONTROL_COPY_H
#define SDB_CONTROL_COPY_H

#include "core/journal/control_disk.h"

#define COPY_NEAR 32u // two sectors that differ in no more bits are the same one, damaged

// Fields of a boot sector (Microsoft FAT specification 1.03, section 3).
#define BOOT_HIDDEN_AT 28 // sectors before the volume
#define BOOT_BACKUP 6u    // where every FAT32 has the backup

// Fields of an entry of the MBR's table.
#define MBR_ENTRIES 4
#define MBR_ENTRY 16
#define MBR_TYPE 4
#define MBR_START 8
#define MBR_SIZE 12

static inline bool copy_signed(const uint8_t *s) {
    return sdb_get16(s + CONTROL_SIGNATURE_AT) == CONTROL_SIGNATURE;
}

static inline const uint8_t *copy_partition(const uint8_t *s, int i) {
    return s + CONTROL_MBR_TABLE + i * MBR_ENTRY;
}

// Bits in which `n` bytes differ.
static inline uint32_t copy_bits(const uint8_t *a, const uint8_t *b, uint32_t n) {
    uint32_t bits = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t x = a[i] ^ b[i]; x != 0; x &= x - 1) {
            bits++;
        }
    }
    return bits;
}

// Does a FAT begin where `geo` says? Returns 1 for the first, 2 if only the second one does, 0 for
// none, or the card's error.
int sdb_control_sees_fat(const struct sdb_bdev *card, const struct sdb_fatgeo *geo, uint8_t *buf);

#endif
