// SPDX-License-Identifier: MIT
// The commit: header, index and slots, a barrier, everything to where it belongs, a barrier, the
// header cleared, a barrier. The header and what it leads to have the CRCs of all slots: a write of
// them that was torn or came in another order is no commit.
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

int sdb_journal_take_back(struct sdb_journal *j) {
    memset(j->ram[0], 0, SDB_SECTOR);
    sdb_put32(j->ram[0], j->marks & JOURNAL_PARTED);
    int err = sdb_journal_card_write(j, journal_block_lba(j, 0), 1, j->ram[0]);
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    if (err == 0) {
        j->stale = false;
    }
    return err;
}

int sdb_journal_clear(struct sdb_journal *j) {
    if (j->epoch == 0) {
        return sdb_journal_take_back(j);
    }
    // A header counts in its own epoch only, as do records.
    int err = sdb_journal_write_anchor(j, j->epoch == JOURNAL_EPOCHS ? 1 : j->epoch + 1);
    if (err == 0) {
        j->stale = false;
    }
    return err;
}

int sdb_journal_end(struct sdb_journal *j) {
    int err = sdb_journal_card_sync(j);
    if (err == 0) {
        j->marks = j->marks >> 1 & JOURNAL_PARTED;
        err = sdb_journal_clear(j);
    }
    return err;
}

int sdb_journal_go_home(struct sdb_journal *j, uint32_t lba, uint32_t count, const uint8_t *data) {
    int err = sdb_journal_card_write(j, lba, count, data);
    uint32_t from = lba > j->geo.fat ? lba : j->geo.fat;
    uint32_t end = j->geo.fat + j->geo.fat_sectors;
    uint32_t to = lba + count < end ? lba + count : end;
    if (err == 0 && journal_mirrors(j) && from < to) {
        err = sdb_journal_card_write(j, from + j->geo.fat_sectors, to - from,
                                     data + (from - lba) * SDB_SECTOR);
    }
    return err;
}

static void journal_block_begin(struct sdb_journal *j, uint32_t block, uint32_t count,
                                uint32_t index_crc) {
    uint8_t *s = j->ram[0];
    memset(s, 0, SDB_SECTOR);
    sdb_put32(s, JOURNAL_MAGIC);
    sdb_put32(s + JOURNAL_AT_VERSION, journal_version(j));
    sdb_put32(s + JOURNAL_AT_AREA, j->area);
    sdb_put32(s + JOURNAL_AT_SECTORS, j->area_sectors);
    sdb_put32(s + JOURNAL_AT_COUNT, count | j->marks);
    sdb_put32(s + JOURNAL_AT_INDEX_CRC, index_crc);
    sdb_put32(s + JOURNAL_AT_BLOCK, block);
}

static void journal_block_end(struct sdb_journal *j) {
    sdb_put32(j->ram[0] + JOURNAL_AT_CRC, sdb_crc32(0, j->ram[0], JOURNAL_AT_CRC));
}

// Writes what the commit consists of from block 0 on, `count` sectors from ram[0]. What went
// straight to the card must be there before anything points to it.
static int journal_point(struct sdb_journal *j, uint32_t count) {
    int err = j->passed ? sdb_journal_card_sync(j) : 0;
    if (err < 0) {
        j->failed = err;
        return err;
    }
    err = sdb_journal_card_write(j, journal_block_lba(j, 0), count, j->ram[0]);
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    if (err < 0) {
        // Did the header get there? If it can't be taken back, the next boot has to find out.
        j->failed = err;
        j->dead = sdb_journal_take_back(j) < 0;
    }
    return err;
}

// After the commit point. `err`: of the writes home.
static int journal_done(struct sdb_journal *j, int err) {
    if (err == 0) {
        err = sdb_journal_end(j);
    }
    if (err < 0) {
        j->failed = err;
        j->dead = true;
        j->committed = true;
    }
    return err;
}

// ---- All is in memory: one command.

static int journal_commit_memory(struct sdb_journal *j) {
    uint32_t n = j->dirty;
    sdb_journal_sort(j);
    for (uint32_t i = 0; i < n; i++) {
        struct sdb_journal_buffer *b = &j->buffers[i];
        if (!b->known) {
            int err = sdb_journal_card_read(j, b->lba, 1, j->ram[0]);
            if (err < 0) {
                j->failed = err;
                return err;
            }
            b->old = sdb_crc32(0, j->ram[0], SDB_SECTOR);
            b->known = true;
        }
    }
    journal_block_begin(j, 0, n, 0);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t *entry = j->ram[0] + JOURNAL_AT_ENTRIES + i * JOURNAL_ENTRY;
        sdb_put32(entry, j->buffers[i].lba);
        sdb_put32(entry + 4, sdb_crc32(0, journal_ram(j, i), SDB_SECTOR));
        sdb_put32(entry + 8, j->buffers[i].old);
    }
    journal_block_end(j);
    int err = journal_point(j, 1 + n);
    if (err < 0) {
        return err;
    }
    uint32_t group;
    for (uint32_t i = 0; i < n && err == 0; i += group) {
        group = sdb_journal_group(j, i);
        err = sdb_journal_go_home(j, j->buffers[i].lba, group, journal_ram(j, i));
    }
    err = journal_done(j, err);
    for (uint32_t i = 0; i < n && err == 0; i++) {
        j->buffers[i].state = JOURNAL_CLEAN;
        if (j->buffers[i].lba == j->fat_lba) {
            memcpy(j->fat, journal_ram(j, i), SDB_SECTOR);
        }
    }
    return err;
}

// ---- All goes through slots; memory is for copying.

// Makes index block `block` in ram[0].
static int journal_index_block(struct sdb_journal *j, uint32_t block, uint32_t index_crc) {
    uint32_t first = block * JOURNAL_PER_BLOCK;
    uint32_t end = first + JOURNAL_PER_BLOCK < j->spilled ? first + JOURNAL_PER_BLOCK : j->spilled;
    journal_block_begin(j, block, j->spilled, index_crc);
    uint32_t n;
    for (uint32_t slot = first; slot < end; slot += n) {
        const struct sdb_journal_run *run = sdb_journal_run_at(j, slot);
        uint32_t lba = run->lba + (slot - run->slot);
        n = run->slot + run->count - slot;
        n = n < end - slot ? n : end - slot;
        n = n < SDB_JOURNAL_RAM ? n : SDB_JOURNAL_RAM;
        for (int old = 0; old < 2; old++) {
            int err = sdb_journal_card_read(j, old ? lba : journal_slot_lba(j, slot), n, j->ram[1]);
            if (err < 0) {
                return err;
            }
            for (uint32_t i = 0; i < n; i++) {
                uint8_t *entry =
                    j->ram[0] + JOURNAL_AT_ENTRIES + (slot - first + i) * JOURNAL_ENTRY;
                sdb_put32(entry, lba + i);
                sdb_put32(entry + 4 + 4 * old, sdb_crc32(0, j->ram[1 + i], SDB_SECTOR));
            }
        }
    }
    journal_block_end(j);
    return 0;
}

static int journal_index(struct sdb_journal *j) {
    uint32_t crc = 0;
    int err = sdb_journal_spill_all(j);
    uint32_t blocks = (j->spilled + JOURNAL_PER_BLOCK - 1) / JOURNAL_PER_BLOCK;
    memset(j->buffers, 0, sizeof j->buffers);
    for (uint32_t block = 1; block < blocks && err == 0; block++) {
        err = journal_index_block(j, block, 0);
        if (err == 0) {
            crc = sdb_crc32(crc, j->ram[0], SDB_SECTOR);
            err = sdb_journal_card_write(j, journal_block_lba(j, block), 1, j->ram[0]);
        }
    }
    return err == 0 ? journal_index_block(j, 0, crc) : err;
}

static int journal_commit_slots(struct sdb_journal *j) {
    j->fat_lba = 0;
    int err = journal_index(j);
    if (err < 0) {
        j->failed = err;
        return err;
    }
    err = journal_point(j, 1);
    if (err < 0) {
        return err;
    }
    for (uint32_t i = 0; i < j->run_count && err == 0; i++) {
        const struct sdb_journal_run *run = &j->runs[i];
        uint32_t n;
        for (uint32_t at = 0; at < run->count && err == 0; at += n) {
            n = run->count - at < SDB_JOURNAL_RAM ? run->count - at : SDB_JOURNAL_RAM;
            err = sdb_journal_card_read(j, journal_slot_lba(j, run->slot + at), n, j->ram[1]);
            if (err == 0) {
                err = sdb_journal_go_home(j, run->lba + at, n, j->ram[1]);
            }
        }
    }
    return journal_done(j, err);
}

int sdb_journal_commit_pending(struct sdb_journal *j, uint32_t part) {
    if (j->failed < 0) {
        return j->failed;
    }
    int err = sdb_journal_ready(j);
    err = err == 0 ? sdb_journal_let_go(j) : err;
    err = err == 0 ? sdb_journal_flush_fresh(j, false) : err;
    if (err < 0) {
        j->failed = err;
        return err;
    }
    j->marks = (j->marks & JOURNAL_PARTED) | part;
    if (j->dirty + j->spilled == 0 && j->records == 0 && j->marks == 0) {
        return sdb_journal_card_sync(j);
    }
    if (j->area == 0) {
        j->failed = SDB_ENOSPC;
        return j->failed;
    }
    err = j->dirty + j->spilled == 0 ? journal_done(j, 0)
          : j->spilled == 0          ? journal_commit_memory(j)
                                     : journal_commit_slots(j);
    if (err == 0) {
        j->dirty = j->spilled = j->run_count = 0;
        j->passed = false;
        sdb_journal_in_place(j, false);
    }
    return err;
}

int sdb_journal_checkpoint(struct sdb_journal *j) {
    return sdb_journal_commit_pending(j, 0);
}
