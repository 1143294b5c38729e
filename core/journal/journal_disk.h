// The journal's bytes on the card and what its parts share. Private to core/journal*.c.
#ifndef SDB_JOURNAL_DISK_H
#define SDB_JOURNAL_DISK_H

#include "core/journal/area.h"
#include "core/journal/journal.h"

// Header sector and index sectors, little-endian. The header is index block 0.
#define JOURNAL_MAGIC 0x4A626473u // "sdbJ"
#define JOURNAL_VERSION 1u
#define JOURNAL_AT_VERSION 4
#define JOURNAL_AT_AREA 8
#define JOURNAL_AT_SECTORS 12
#define JOURNAL_AT_COUNT 16
#define JOURNAL_AT_INDEX_CRC 20 // of index blocks 1.., chained; 0 if there are none
#define JOURNAL_AT_BLOCK 24     // number of this index block
#define JOURNAL_AT_ENTRIES 28   // {lba, crc of new, crc of old} each
#define JOURNAL_ENTRY 12
#define JOURNAL_PER_BLOCK SDB_INDEX_ENTRIES
#define JOURNAL_AT_CRC 508 // of the bytes before it

_Static_assert(JOURNAL_AT_ENTRIES + JOURNAL_ENTRY * JOURNAL_PER_BLOCK == JOURNAL_AT_CRC, "index");
// LBA of index block `block`.
static inline uint32_t journal_block_lba(const struct sdb_journal *j, uint32_t block) {
    return j->area + SDB_CONTROL_HEADER + block;
}

int sdb_journal_card_read(struct sdb_journal *j, uint32_t lba, uint32_t count, void *buf);
int sdb_journal_card_write(struct sdb_journal *j, uint32_t lba, uint32_t count, const void *buf);
int sdb_journal_card_sync(struct sdb_journal *j);

// Overwrites the header and waits until that is on the medium.
int sdb_journal_clear(struct sdb_journal *j);

// Copies entries from..to-1 to where they belong, slots as source unless they are still in ram[].
int sdb_journal_copy_home(struct sdb_journal *j, uint32_t from, uint32_t to);

#endif
