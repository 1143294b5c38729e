// SPDX-License-Identifier: MIT
// The control area: up to 4 MiB of the card that hold the state record, the journal and copies of
// the sectors that lead to everything else; found through a pointer of 16 bytes in sector 0.
// docs/FORMAT.md fixes the bytes.
//
//   control.c         finding it: at every boot
//   control_place.c   where a new one goes
//   control_make.c    making it
//   control_repair.c  sector 0 and boot sector against their copies
//   control_rescue.c  searching for it, when those are damaged
#ifndef SDB_CONTROL_H
#define SDB_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bdev.h"
#include "core/card/fatgeo.h"
#include "core/journal/area.h"
#include "core/journal/journal.h"
#include "core/slots.h"

#define SDB_CONTROL_VERSION 2u     // of the areas that are made
#define SDB_CONTROL_VERSION_OLD 1u // has to be replaced, see old_replay.h

struct sdb_control {
    uint32_t lba;     // first sector, 0: none
    uint32_t sectors; // length
    uint32_t version; // of its format
    uint32_t wanted;  // sectors that it was to have when it was made
    // Only for an area in a file: the directory entry and what it says.
    uint32_t entry_lba;  // sector of the entry, 0 for an area in the gap
    uint32_t entry_at;   // offset of the entry in it
    uint32_t file_first; // first cluster of the file
    uint32_t file_size;  // its bytes
    uint32_t crc;        // of sector 0 as sdb_control_find has read it
};

// Reads the pointer and the identity that it leads to. Returns 0 with *c, SDB_ENOENT if there is no
// area (c->lba is 0 if there is not even a pointer), or the card's error. The journal may be
// replayed with what this returns: that checks itself. Everything else needs sdb_control_verify
// first. `buf`: 512 bytes.
int sdb_control_find(const struct sdb_bdev *card, struct sdb_control *c, uint8_t *buf);

// Is the area that has been found still ours? In the gap: outside every partition. In a file: the
// directory entry and the FAT still say so (a PC may have deleted it). Only after replay. Returns
// 0, SDB_ENOENT if it is not (don't write there; place it anew), or the card's error.
int sdb_control_verify(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       const struct sdb_control *c, uint8_t *buf);

// Do sector 0 and the boot sector, whose CRCs are c->crc and `boot`, differ from their copies in
// the area? Returns 0, 1, or the card's error.
int sdb_control_differs(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                        const struct sdb_control *c, uint32_t boot, uint8_t *buf);

// Sectors that an area may have in the gap of this card, and in a file of this volume: 0 if it
// can't be there.
uint32_t sdb_control_gap_size(const struct sdb_fatgeo *geo);
uint32_t sdb_control_file_size(const struct sdb_fatgeo *geo);

// The two slots of the state record in the area. `store->ctx` will be `s`.
struct sdb_control_store {
    const struct sdb_bdev *card;
    struct sdb_control area;
};
void sdb_control_record_store(struct sdb_control_store *s, const struct sdb_bdev *card,
                              const struct sdb_control *c, struct sdb_record_store *out);

// ---- For a card that needs more than that. `len` bytes at `buf`, 1024 at least, more is faster --

// Looks for the longest run of sectors in the gap between MBR and first partition that are zero or
// ours, but for those of `keep` (NULL: none). Returns 0 with c->lba and c->sectors, SDB_ENOSPC, or
// the card's error.
int sdb_control_find_gap(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                         const struct sdb_control *keep, struct sdb_control *c, uint8_t *buf,
                         uint32_t len);

// Looks for free clusters in one piece: sdb_control_file_size of them, or what there is. Returns 0
// with c->lba, sectors, file_first and file_size, SDB_ENOSPC, or the card's error.
int sdb_control_find_free(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                          struct sdb_control *c, uint8_t *buf, uint32_t len);

// Makes the area that `c` describes, in sectors that hold nothing. `from`: the area whose record it
// takes over, NULL: none; with the same lba: an older one that is converted where it is. The
// pointer in sector 0 is the last that is written and the only thing that counts. Every write may
// be cut. Returns 0, SDB_EROFS or another error of the card.
int sdb_control_make(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                     const struct sdb_control *c, const struct sdb_control *from, uint8_t *buf);

// Writes sector 0 anew with the pointer to `c`, and the backup that FAT32 keeps of it.
int sdb_control_point(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                      const struct sdb_control *c, uint8_t *buf);

// The card is readable as a FAT volume, but no pointer leads to an area of ours: is there one all
// the same, in the gap or in the file? An identity that is lost alone is written anew. Returns 0
// with *c (verified; of either version), SDB_ENOENT, or the card's error.
int sdb_control_search(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       struct sdb_control *c, uint8_t *buf);

// Sector 0 or the boot sector differ from their copies in the area `c`: damage is repaired, the
// copies follow what a PC has changed. Returns 1 if something was restored (read everything
// anew), 0, or the card's error. Every write may be cut.
int sdb_control_compare(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                        const struct sdb_control *c, uint8_t *buf, uint32_t len);

// What is on the card can't be read as a FAT volume, nor is it anything else that is known. If it
// is one of ours, or FAT32 with its backup, sector 0, the boot sector and what else lay in the
// first 4 KiB are put back from their copies. Returns enum sdb_rescue or the card's error; may be
// cut at any write and repeated. Call it before anything is formatted. Reads 640 sectors; if they
// hold anything every 1024th of the first 4 GiB, of 32 GiB if a FAT is seen: 66,000 at most.
enum sdb_rescue {
    SDB_RESCUE_NONE = 0, // there is nothing to restore
    SDB_RESCUE_DONE = 1, // the card can be read again
    SDB_RESCUE_LOST = 2, // it is ours, but more is lost than there are copies of
};
int sdb_control_rescue(const struct sdb_bdev *card, uint8_t *buf, uint32_t len);

#endif
