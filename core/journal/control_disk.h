// The control area's bytes on the card. Private to core/control*.c.
#ifndef SDB_CONTROL_DISK_H
#define SDB_CONTROL_DISK_H

#include <string.h>

#include "core/bytes.h"
#include "core/journal/control.h"

#define CONTROL_POINTER_AT 384
#define CONTROL_POINTER_SIZE 16
#define CONTROL_POINTER_MAGIC 0x50626473u // "sdbP"
#define CONTROL_IDENT_MAGIC 0x43626473u   // "sdbC"
#define CONTROL_VERSION 2u
#define CONTROL_TWIN_CRC_AT 32
#define CONTROL_PLACE_MAX 512u // sectors of the largest area that is made

// Rescue looks at every CONTROL_NEAR_STEP-th sector up to CONTROL_NEAR, then at every
// CONTROL_FAR_STEP-th up to the largest FAT16 volume: every area contains one of these.
#define CONTROL_NEAR 16384u
#define CONTROL_NEAR_STEP SDB_CONTROL_MIN
#define CONTROL_FAR 8388608u
#define CONTROL_FAR_STEP SDB_CONTROL_FILE_MIN
#define CONTROL_RESERVED 64u // sectors before the first FAT, at most, that are looked through

bool sdb_control_pointer(const uint8_t *sector, uint32_t card_sectors, uint32_t *lba,
                         uint32_t *sectors);
bool sdb_control_ident(const uint8_t *s, uint32_t lba, struct sdb_control *c);
int sdb_control_next(const struct sdb_bdev *dev, const struct sdb_fatgeo *geo, uint8_t *buf,
                     uint32_t *at, uint32_t cluster, uint32_t *next);

// Makes the area that `c` describes; the pointer in sector 0 is the last thing that counts.
int sdb_control_make(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                     const struct sdb_control *c, uint8_t *buf);

static inline bool control_is_journal(const uint8_t *entry) {
    return memcmp(entry, "JOURNAL    ", 11) == 0 && (entry[11] & 0x18) == 0;
}

static inline uint32_t control_first(const uint8_t *entry) {
    return sdb_get16(entry + 26) | ((uint32_t)sdb_get16(entry + 20) << 16);
}

#endif
