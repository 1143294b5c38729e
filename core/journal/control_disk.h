// SPDX-License-Identifier: MIT
// The control area's bytes on the card. Private to core/journal's control*.c
// and volume*.c.
#ifndef SDB_CONTROL_DISK_H
#define SDB_CONTROL_DISK_H

#include "core/bytes.h"
#include "core/card/fatdir.h"
#include "core/journal/control.h"

// Pointer, in sector 0.
#define CONTROL_POINTER_AT 384
#define CONTROL_POINTER_MAGIC 0x50626473u // "sdbP"
#define CONTROL_POINTER_LBA 4             // in the pointer
#define CONTROL_POINTER_SECTORS 8
#define CONTROL_POINTER_CRC 12
#define CONTROL_POINTER_SIZE 16

// Identity.
#define CONTROL_IDENT_MAGIC 0x43626473u // "sdbC"
#define CONTROL_AT_VERSION 4
#define CONTROL_AT_LBA 8
#define CONTROL_AT_SECTORS 12
#define CONTROL_AT_ENTRY_LBA 16
#define CONTROL_AT_ENTRY_AT 20
#define CONTROL_AT_FIRST 24
#define CONTROL_AT_SIZE 28
#define CONTROL_AT_WANTED 32
#define CONTROL_AT_CRC 508

// MBR and boot sector, as far as copies of them are compared.
#define CONTROL_MBR_TABLE 446
#define CONTROL_SIGNATURE_AT 510
#define CONTROL_SIGNATURE 0xAA55u

// Where an area may begin, so that it is found again when nothing else leads to it.
#define CONTROL_GAP_NEAR 128u   // in a smaller gap: anywhere
#define CONTROL_GAP_STEP 32u    // else at multiples of this, up to
#define CONTROL_GAP_END 16384u  // this sector
#define CONTROL_FILE_STEP 1024u // in a file
#define CONTROL_GAP_KEEP 128u   // sectors kept away from sector 0 in a gap of twice that

#define CONTROL_DIR ".sdboot"
#define CONTROL_FILE "JOURNAL    "

// ---- control.c

// Is there a pointer in `sector`, a sector 0, that leads to a place on the card?
bool sdb_control_pointer(const uint8_t *sector, uint32_t card_sectors, uint32_t *lba,
                         uint32_t *sectors);

// Is `s`, the content of sector `lba`, the identity of an area, of either version? Fills in *c.
bool sdb_control_ident(const uint8_t *s, uint32_t lba, struct sdb_control *c);

// The first sector of the gap that an area may begin at.
uint32_t sdb_control_gap_from(const struct sdb_fatgeo *geo);

// ---- control_make.c

// Writes the identity of the area `c`. Returns 0 or the card's error.
int sdb_control_write_ident(const struct sdb_bdev *card, const struct sdb_control *c, uint8_t *buf);

static inline int control_get(const struct sdb_bdev *card, uint32_t lba, uint8_t *buf) {
    return card->read(card->ctx, lba, 1, buf);
}

static inline int control_put(const struct sdb_bdev *card, uint32_t lba, const uint8_t *buf) {
    return card->write(card->ctx, lba, 1, buf);
}

static inline int control_flush(const struct sdb_bdev *card) {
    return card->sync(card->ctx);
}

static inline bool control_uniform(const uint8_t *s) {
    uint32_t i = 1;
    while (i < SDB_SECTOR && s[i] == s[0]) {
        i++;
    }
    return i == SDB_SECTOR && (s[0] == 0 || s[0] == 0xFF);
}

#endif
