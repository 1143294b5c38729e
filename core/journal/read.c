// SPDX-License-Identifier: MIT
// Reading: what is captured as it was written, the rest from the card; sector after sector, some of
// them ahead.
#include <string.h>

#include "core/journal/journal_disk.h"

// Neighbouring buffers that capture nothing, JOURNAL_AHEAD at most: of the longest such rows the
// one used longest ago. Returns how many, sets *first.
static uint32_t journal_spare_row(const struct sdb_journal *j, uint32_t *first) {
    uint32_t best = 0;
    uint32_t best_used = 0;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        uint32_t n = 0;
        uint32_t used = 0;
        const struct sdb_journal_buffer *b = &j->buffers[i];
        for (; i + n < SDB_JOURNAL_RAM && n < JOURNAL_AHEAD && b[n].state <= JOURNAL_CLEAN; n++) {
            used = b[n].used > used ? b[n].used : used;
        }
        if (n > best || (n == best && used < best_used)) {
            *first = i;
            best = n;
            best_used = used;
        }
    }
    return best;
}

// Is sector after sector read, as directories are, cluster after cluster? Two may be by chance. The
// FAT is looked into in between.
static bool journal_follows(struct sdb_journal *j, uint32_t lba) {
    if (journal_in_fat(j, lba)) {
        return false;
    }
    uint32_t next = j->last + 1;
    uint32_t within = (1u << j->geo.cluster_shift) - 1;
    j->last = lba;
    bool follows =
        lba == next || (within > 1 && (((lba - j->geo.data) | (next - j->geo.data)) & within) == 0);
    j->row = follows ? j->row + 1 : 0;
    return j->row > 1;
}

// Reads `lba` and some of those behind it, no more than were asked for before it. Returns the
// buffer that has it then, SDB_JOURNAL_RAM: nothing was read.
static uint32_t journal_read_ahead(struct sdb_journal *j, uint32_t lba) {
    sdb_journal_sort(j); // what is captured stands together then
    uint32_t first = 0;
    uint32_t most = journal_spare_row(j, &first);
    uint32_t n = 0;
    while (n < most && n < j->row && lba + n < j->card->sectors &&
           sdb_journal_buffer(j, lba + n) == SDB_JOURNAL_RAM &&
           sdb_journal_run_of(j, lba + n) == NULL && !journal_in_area(j, lba + n, 1)) {
        n++;
    }
    if (n < 2) {
        return SDB_JOURNAL_RAM;
    }
    struct sdb_journal_buffer *b = &j->buffers[first];
    memset(b, 0, n * sizeof *b);
    if (sdb_journal_card_read(j, lba, n, journal_ram(j, first)) < 0) {
        return SDB_JOURNAL_RAM; // the one that is wanted may be fine
    }
    for (uint32_t k = 0; k < n; k++) {
        b[k].lba = lba + k;
        b[k].used = j->clock;
        b[k].state = JOURNAL_CLEAN;
    }
    return first;
}

static int journal_read_one(struct sdb_journal *j, uint32_t lba, uint8_t *out) {
    const struct sdb_journal_run *run = sdb_journal_run_of(j, lba);
    uint32_t i = sdb_journal_buffer(j, lba);
    if (journal_follows(j, lba) && i == SDB_JOURNAL_RAM) {
        i = journal_read_ahead(j, lba);
    }
    if (i == SDB_JOURNAL_RAM) {
        i = journal_in_area(j, lba, 1) ? SDB_JOURNAL_RAM : sdb_journal_spare(j);
        uint8_t *into = i < SDB_JOURNAL_RAM ? journal_ram(j, i) : out;
        if (i < SDB_JOURNAL_RAM) {
            j->buffers[i].state = JOURNAL_EMPTY;
        }
        int err = sdb_journal_card_read(
            j, run != NULL ? journal_slot_lba(j, run->slot + (lba - run->lba)) : lba, 1, into);
        if (err < 0) {
            return err;
        }
        if (i < SDB_JOURNAL_RAM) {
            j->buffers[i].lba = lba;
            j->buffers[i].state = JOURNAL_CLEAN;
        }
    }
    bool captured = run != NULL;
    if (i < SDB_JOURNAL_RAM) {
        j->buffers[i].used = ++j->clock;
        captured |= j->buffers[i].state == JOURNAL_DIRTY;
        memcpy(out, journal_ram(j, i), SDB_SECTOR);
    }
    return captured ? sdb_journal_mask(j, lba, out) : 0;
}

static int journal_read_many(struct sdb_journal *j, uint32_t lba, uint32_t count, uint8_t *out) {
    int err = sdb_journal_card_read(j, lba, count, out);
    uint32_t end = lba + count;
    for (uint32_t r = sdb_journal_run(j, lba); r < j->run_count && err == 0; r++) {
        const struct sdb_journal_run *run = &j->runs[r];
        uint32_t from = run->lba > lba ? run->lba : lba;
        uint32_t to = run->lba + run->count < end ? run->lba + run->count : end;
        if (from >= to) {
            break;
        }
        err = sdb_journal_card_read(j, journal_slot_lba(j, run->slot + (from - run->lba)),
                                    to - from, out + (from - lba) * SDB_SECTOR);
    }
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM && err == 0; i++) {
        uint32_t at = j->buffers[i].lba - lba;
        if (j->buffers[i].state >= JOURNAL_DIRTY && at < count) {
            memcpy(out + at * SDB_SECTOR, journal_ram(j, i), SDB_SECTOR);
        }
    }
    return err;
}

int sdb_journal_read(struct sdb_journal *j, uint32_t lba, uint32_t count, uint8_t *out) {
    return count == 1 ? journal_read_one(j, lba, out) : journal_read_many(j, lba, count, out);
}
