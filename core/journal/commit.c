// The commit: slots and index, a barrier, the header, a barrier, everything to where it belongs, a
// barrier, the header cleared, a barrier.
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

int sdb_journal_clear(struct sdb_journal *j) {
    memset(j->tmp, 0, SDB_SECTOR);
    int err = sdb_journal_card_write(j, journal_block_lba(j, 0), 1, j->tmp);
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    if (err == 0) {
        j->stale = false;
    }
    return err;
}

// Puts the entries in memory in the order of their sectors: neighbours then go home in one command.
static void journal_sort(struct sdb_journal *j) {
    uint32_t n = j->count < SDB_JOURNAL_RAM ? j->count : SDB_JOURNAL_RAM;
    for (uint32_t i = 0; i + 1 < n; i++) {
        uint32_t least = i;
        for (uint32_t k = i + 1; k < n; k++) {
            if (j->lba[k] < j->lba[least]) {
                least = k;
            }
        }
        if (least != i) {
            uint32_t lba = j->lba[i];
            j->lba[i] = j->lba[least];
            j->lba[least] = lba;
            memcpy(j->tmp, j->ram[i], SDB_SECTOR);
            memcpy(j->ram[i], j->ram[least], SDB_SECTOR);
            memcpy(j->ram[least], j->tmp, SDB_SECTOR);
        }
    }
}

// Fills in entry `i` of an index block.
static int journal_index_entry(struct sdb_journal *j, uint32_t i, uint8_t *entry) {
    const uint8_t *data = j->tmp;
    if (i < SDB_JOURNAL_RAM) {
        data = j->ram[i];
    } else {
        int err = sdb_journal_card_read(j, j->slot0 + i, 1, j->tmp);
        if (err < 0) {
            return err;
        }
    }
    sdb_put32(entry, j->lba[i]);
    sdb_put32(entry + 4, sdb_crc32(0, data, SDB_SECTOR));
    int err = sdb_journal_card_read(j, j->lba[i], 1, j->tmp);
    if (err < 0) {
        return err;
    }
    sdb_put32(entry + 8, sdb_crc32(0, j->tmp, SDB_SECTOR));
    return 0;
}

// Makes index block `block` in fat[].
static int journal_index_block(struct sdb_journal *j, uint32_t block, uint32_t index_crc) {
    memset(j->fat, 0, SDB_SECTOR);
    sdb_put32(j->fat, JOURNAL_MAGIC);
    sdb_put32(j->fat + JOURNAL_AT_VERSION, JOURNAL_VERSION);
    sdb_put32(j->fat + JOURNAL_AT_AREA, j->area);
    sdb_put32(j->fat + JOURNAL_AT_SECTORS, j->area_sectors);
    sdb_put32(j->fat + JOURNAL_AT_COUNT, j->count);
    sdb_put32(j->fat + JOURNAL_AT_INDEX_CRC, index_crc);
    sdb_put32(j->fat + JOURNAL_AT_BLOCK, block);
    uint32_t first = block * JOURNAL_PER_BLOCK;
    for (uint32_t i = first; i < j->count && i < first + JOURNAL_PER_BLOCK; i++) {
        int err =
            journal_index_entry(j, i, j->fat + JOURNAL_AT_ENTRIES + (i - first) * JOURNAL_ENTRY);
        if (err < 0) {
            return err;
        }
    }
    sdb_put32(j->fat + JOURNAL_AT_CRC, sdb_crc32(0, j->fat, JOURNAL_AT_CRC));
    return 0;
}

// Everything before the commit point. Leaves the header in fat[].
static int journal_prepare(struct sdb_journal *j) {
    uint32_t crc = 0;
    uint32_t blocks = (j->count + JOURNAL_PER_BLOCK - 1) / JOURNAL_PER_BLOCK;
    j->fat_lba = 0;
    journal_sort(j);
    uint32_t n = j->count < SDB_JOURNAL_RAM ? j->count : SDB_JOURNAL_RAM;
    int err = sdb_journal_card_write(j, j->slot0, n, j->ram);
    for (uint32_t block = 1; block < blocks && err == 0; block++) {
        err = journal_index_block(j, block, 0);
        if (err == 0) {
            crc = sdb_crc32(crc, j->fat, SDB_SECTOR);
            err = sdb_journal_card_write(j, journal_block_lba(j, block), 1, j->fat);
        }
    }
    if (err == 0) {
        err = journal_index_block(j, 0, crc);
    }
    // What went straight to the card must be there as well before anything points to it.
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    return err;
}

int sdb_journal_copy_home(struct sdb_journal *j, uint32_t from, uint32_t to) {
    while (from < to) {
        uint32_t n = to - from;
        uint32_t base = 0;
        if (from < SDB_JOURNAL_RAM && !j->flushed) {
            base = from;
            n = n < SDB_JOURNAL_RAM - from ? n : SDB_JOURNAL_RAM - from;
        } else {
            n = n < SDB_JOURNAL_RAM ? n : SDB_JOURNAL_RAM;
            j->flushed = true;
            int err = sdb_journal_card_read(j, j->slot0 + from, n, j->ram);
            if (err < 0) {
                return err;
            }
        }
        uint32_t run;
        for (uint32_t i = 0; i < n; i += run) {
            run = 1;
            while (i + run < n && j->lba[from + i + run] == j->lba[from + i] + run) {
                run++;
            }
            int err = sdb_journal_card_write(j, j->lba[from + i], run, j->ram[base + i]);
            if (err < 0) {
                return err;
            }
        }
        from += n;
    }
    return 0;
}

int sdb_journal_checkpoint(struct sdb_journal *j) {
    if (j->failed < 0) {
        return j->failed;
    }
    if (j->count == 0) {
        return sdb_journal_card_sync(j);
    }
    int err = j->area == 0 ? SDB_ENOSPC : journal_prepare(j);
    if (err < 0) {
        j->failed = err;
        return err;
    }
    err = sdb_journal_card_write(j, journal_block_lba(j, 0), 1, j->fat);
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    if (err < 0) {
        // Did the header get there? If it can't be taken back, the next boot has to find out.
        j->failed = err;
        j->dead = sdb_journal_clear(j) < 0;
        return err;
    }
    err = sdb_journal_copy_home(j, 0, j->count);
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    if (err == 0) {
        err = sdb_journal_clear(j);
    }
    if (err < 0) {
        j->failed = err;
        j->dead = true;
        j->committed = true;
        return err;
    }
    j->count = 0;
    j->flushed = false;
    return 0;
}
