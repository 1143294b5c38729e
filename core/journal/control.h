// The control area: up to 256 KiB of the card that hold the state record and the journal, found
// through a pointer of 16 bytes in sector 0. docs/FORMAT.md fixes the bytes.
#ifndef SDB_CONTROL_H
#define SDB_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bdev.h"
#include "core/card/fatgeo.h"
#include "core/journal/area.h"
#include "core/journal/journal.h"
#include "core/slots.h"

struct sdb_control {
    uint32_t lba;     // first sector, 0: none
    uint32_t sectors; // length
    // Only for an area in a file: the directory entry and what it says.
    uint32_t entry_lba;  // sector of the entry, 0 for an area in the gap
    uint32_t entry_at;   // offset of the entry in it
    uint32_t file_first; // first cluster of the file
    uint32_t file_size;  // its bytes
};

// Reads the pointer. Returns 0 with lba and sectors set, SDB_ENOENT if there is none, or the
// card's error. The journal may be replayed with what this returns, before anything is verified:
// that checks itself. Everything else needs sdb_control_verify first. `buf`: 512 bytes.
int sdb_control_find(const struct sdb_bdev *card, struct sdb_control *c, uint8_t *buf);

// Is the area that the pointer leads to still ours? In the gap: outside every partition. In a file:
// the directory entry and the FAT still say so (a PC may have deleted it). Only after replay.
// Returns 0, SDB_ENOENT if it is not (don't write there; place it anew), or the card's error.
int sdb_control_verify(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                       struct sdb_control *c, uint8_t *buf);

// Looks for the longest run of sectors in the gap between MBR and first partition that are zero or
// ours, and makes a new area there. Every write of it may be cut. Returns 0, SDB_ENOSPC if there
// is no such gap, SDB_EROFS or another error of the card.
int sdb_control_place_gap(const struct sdb_bdev *card, const struct sdb_fatgeo *geo,
                          struct sdb_control *c, uint8_t *buf);

// Makes a new area in the file /.sdboot/journal, which the caller has written through `j` and
// closed, in an explicit transaction of a journal that has no area yet: the clusters are free as
// far as the card knows, so that the area can be made in them before anything else changes, and
// then carries the very transaction that creates the file. Commits. If the file was there before,
// nothing is pending and it is just taken into use.
// Returns 0; SDB_ENOENT without such a file; SDB_ENOSPC if no SDB_CONTROL_FILE_MIN sectors of it
// are contiguous; or the card's error. On any error: sdb_journal_abort and mount again.
int sdb_control_place_file(struct sdb_journal *j, struct sdb_control *c, uint8_t *buf);

// Sector 0 can't be read as anything, or is blank: was a control area being created when the power
// went? Then its content is put back. Returns 1 if that was done, 0 if there is nothing to restore,
// or the card's error. Call it before anything is formatted, never for a sector 0 of a known shape.
// Reads about 600 sectors; up to 66,000 if a FAT is seen where one would be. `buf`: 512 bytes.
int sdb_control_rescue(const struct sdb_bdev *card, uint8_t *buf);

// The two slots of the state record in the area. `store->ctx` will be `c`, see the struct.
struct sdb_control_store {
    const struct sdb_bdev *card;
    struct sdb_control area;
};
void sdb_control_record_store(struct sdb_control_store *s, const struct sdb_bdev *card,
                              const struct sdb_control *c, struct sdb_record_store *out);

#endif
