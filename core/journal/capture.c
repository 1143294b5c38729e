// SPDX-License-Identifier: MIT
// What is captured: in memory as long as it fits, in slots of the control area beyond that, which
// are known as runs of neighbours. Memory that captures nothing holds what was read last.
#include <string.h>

#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

uint32_t sdb_journal_run(const struct sdb_journal *j, uint32_t lba) {
    uint32_t from = 0;
    uint32_t to = j->run_count;
    while (from < to) {
        uint32_t mid = (from + to) / 2;
        if (j->runs[mid].lba + j->runs[mid].count <= lba) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

const struct sdb_journal_run *sdb_journal_run_of(const struct sdb_journal *j, uint32_t lba) {
    uint32_t i = sdb_journal_run(j, lba);
    return i < j->run_count && j->runs[i].lba <= lba ? &j->runs[i] : NULL;
}

const struct sdb_journal_run *sdb_journal_run_at(const struct sdb_journal *j, uint32_t slot) {
    uint32_t i = 0;
    while (slot - j->runs[i].slot >= j->runs[i].count) {
        i++;
    }
    return &j->runs[i];
}

uint32_t sdb_journal_buffer(const struct sdb_journal *j, uint32_t lba) {
    uint32_t i = 0;
    while (i < SDB_JOURNAL_RAM &&
           (j->buffers[i].lba != lba || j->buffers[i].state == JOURNAL_EMPTY)) {
        i++;
    }
    return i;
}

uint32_t sdb_journal_spare(const struct sdb_journal *j) {
    uint32_t best = SDB_JOURNAL_RAM;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        const struct sdb_journal_buffer *b = &j->buffers[i];
        if (b->state != JOURNAL_DIRTY && b->state != JOURNAL_HELD &&
            (best == SDB_JOURNAL_RAM || b->used < j->buffers[best].used)) {
            best = i;
        }
    }
    return best;
}

bool sdb_journal_captured(const struct sdb_journal *j, uint32_t lba) {
    uint32_t i = sdb_journal_buffer(j, lba);
    return (i < SDB_JOURNAL_RAM && j->buffers[i].state >= JOURNAL_DIRTY) ||
           sdb_journal_run_of(j, lba) != NULL;
}

int sdb_journal_let_go(struct sdb_journal *j) {
    for (uint32_t i = 0; j->held > 0; i++) {
        struct sdb_journal_buffer *b = &j->buffers[i];
        if (b->state == JOURNAL_HELD) {
            j->passed = true;
            int err = sdb_journal_card_write(j, b->lba, 1, journal_ram(j, i));
            if (err < 0) {
                return err;
            }
            b->state = JOURNAL_CLEAN;
            j->held--;
        }
    }
    return 0;
}

int sdb_journal_hold(struct sdb_journal *j, uint32_t lba, const uint8_t *data) {
    int err = j->held == JOURNAL_HELD_MAX ? sdb_journal_let_go(j) : 0;
    if (err < 0) {
        return err;
    }
    uint32_t i = sdb_journal_buffer(j, lba);
    i = i < SDB_JOURNAL_RAM ? i : sdb_journal_spare(j);
    if (i == SDB_JOURNAL_RAM) {
        return 0;
    }
    struct sdb_journal_buffer *b = &j->buffers[i];
    memcpy(journal_ram(j, i), data, SDB_SECTOR);
    b->lba = lba;
    b->used = ++j->clock;
    b->state = JOURNAL_HELD;
    j->held++;
    return 1;
}

void sdb_journal_write_cached(struct sdb_journal *j, uint32_t lba, uint32_t count,
                              const uint8_t *data) {
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        uint32_t at = j->buffers[i].lba - lba;
        if (j->buffers[i].state != JOURNAL_EMPTY && at < count) {
            memcpy(journal_ram(j, i), data + at * SDB_SECTOR, SDB_SECTOR);
        }
    }
}

void sdb_journal_drop(struct sdb_journal *j) {
    memset(j->buffers, 0, sizeof j->buffers);
    j->dirty = j->held = j->spilled = j->run_count = 0;
    j->fat_lba = 0;
}

// The next `count` slots are those of `lba` and its neighbours. There must be room for a run.
static void journal_add_run(struct sdb_journal *j, uint32_t lba, uint32_t count) {
    uint32_t i = sdb_journal_run(j, lba);
    struct sdb_journal_run *run = &j->runs[i];
    if (i > 0 && run[-1].lba + run[-1].count == lba && run[-1].slot + run[-1].count == j->spilled) {
        run[-1].count = (uint16_t)(run[-1].count + count);
    } else {
        memmove(run + 1, run, (j->run_count - i) * sizeof *run);
        *run = (struct sdb_journal_run){lba, (uint16_t)count, (uint16_t)j->spilled};
        j->run_count++;
    }
    j->spilled += count;
}

void sdb_journal_sort(struct sdb_journal *j) {
    for (uint32_t i = 0; i < j->dirty; i++) {
        uint32_t least = SDB_JOURNAL_RAM;
        for (uint32_t k = i; k < SDB_JOURNAL_RAM; k++) {
            if (j->buffers[k].state == JOURNAL_DIRTY &&
                (least == SDB_JOURNAL_RAM || j->buffers[k].lba < j->buffers[least].lba)) {
                least = k;
            }
        }
        if (least != i) {
            struct sdb_journal_buffer b = j->buffers[i];
            j->buffers[i] = j->buffers[least];
            j->buffers[least] = b;
            memcpy(j->ram[0], journal_ram(j, i), SDB_SECTOR);
            memcpy(journal_ram(j, i), journal_ram(j, least), SDB_SECTOR);
            memcpy(journal_ram(j, least), j->ram[0], SDB_SECTOR);
        }
    }
}

uint32_t sdb_journal_group(const struct sdb_journal *j, uint32_t i) {
    uint32_t n = 1;
    while (i + n < j->dirty && j->buffers[i + n].lba == j->buffers[i].lba + n) {
        n++;
    }
    return n;
}

// Puts `count` neighbours from sorted buffer `i` on into slots. They stay as they are in memory.
static int journal_spill_group(struct sdb_journal *j, uint32_t i, uint32_t count) {
    int err = sdb_journal_card_write(j, journal_slot_lba(j, j->spilled), count, journal_ram(j, i));
    if (err < 0) {
        return err;
    }
    journal_add_run(j, j->buffers[i].lba, count);
    for (uint32_t k = 0; k < count; k++) {
        j->buffers[i + k].state = JOURNAL_CLEAN;
    }
    return 0;
}

int sdb_journal_spill_all(struct sdb_journal *j) {
    sdb_journal_sort(j);
    uint32_t n;
    for (uint32_t i = 0; i < j->dirty; i += n) {
        n = sdb_journal_group(j, i);
        int err = journal_spill_group(j, i, n);
        if (err < 0) {
            return err;
        }
    }
    j->dirty = 0;
    return 0;
}

// Memory is full. What may be written in place goes there; else the most neighbours go into slots,
// among equals those not used for longest.
static int journal_spill(struct sdb_journal *j) {
    for (int keep = 1; SDB_JOURNAL_LOG && keep >= 0; keep--) {
        int err = sdb_journal_flush_fresh(j, keep);
        if (err < 0 || j->dirty + j->held < SDB_JOURNAL_RAM) {
            return err;
        }
    }
    sdb_journal_sort(j);
    uint32_t best = 0;
    uint32_t most = 0;
    uint32_t n;
    for (uint32_t i = 0; i < j->dirty; i += n) {
        n = sdb_journal_group(j, i);
        if (n > most || (n == most && j->buffers[i].used < j->buffers[best].used)) {
            best = i;
            most = n;
        }
    }
    int err = journal_spill_group(j, best, most);
    j->dirty -= err < 0 ? 0 : most;
    return err;
}

// Captures one sector in a buffer.
static int journal_capture_one(struct sdb_journal *j, uint32_t lba, const uint8_t *data) {
    uint32_t i = sdb_journal_buffer(j, lba);
    bool known = i < SDB_JOURNAL_RAM; // the committed content, as it was read a moment ago
    if (!known) {
        i = sdb_journal_spare(j);
    }
    struct sdb_journal_buffer *b = &j->buffers[i];
    if (!known && journal_logs(j)) {
        // A record says which bytes have changed.
        b->state = JOURNAL_EMPTY;
        int err = sdb_journal_card_read(j, lba, 1, journal_ram(j, i));
        if (err < 0) {
            return err;
        }
        known = true;
    }
    b->known = known;
    b->fresh = b->in_log = false;
    b->from = b->to = 0;
    j->unlogged |= journal_logs(j) && sdb_journal_is_homed(j, lba);
    if (known) {
        b->old = sdb_crc32(0, journal_ram(j, i), SDB_SECTOR);
        if (journal_in_fat(j, lba)) {
            memcpy(j->fat, journal_ram(j, i), SDB_SECTOR);
            j->fat_lba = lba;
        }
    }
    b->state = JOURNAL_EMPTY;
    memcpy(j->ram[0], data, SDB_SECTOR);
    int err = sdb_journal_unmask(j, lba, j->ram[0]);
    if (err < 0) {
        return err;
    }
    sdb_journal_change(j, i, j->ram[0]);
    memcpy(journal_ram(j, i), j->ram[0], SDB_SECTOR);
    b->lba = lba;
    b->used = ++j->clock;
    b->state = JOURNAL_DIRTY;
    j->dirty++;
    return 0;
}

int sdb_journal_capture(struct sdb_journal *j, uint32_t lba, uint32_t count, const uint8_t *data,
                        uint32_t *done) {
    uint32_t room = sdb_journal_room(j);
    if (room == 0) {
        return SDB_ENOSPC;
    }
    if (count > SDB_JOURNAL_RAM - j->dirty - j->held && count > SDB_JOURNAL_RAM / 2 &&
        j->area != 0 && j->run_count < JOURNAL_RUNS_MAX) {
        *done = count < room ? count : room;
        int err = sdb_journal_card_write(j, journal_slot_lba(j, j->spilled), *done, data);
        if (err == 0) {
            journal_add_run(j, lba, *done);
            sdb_journal_write_cached(j, lba, *done, data);
        }
        return err;
    }
    for (*done = 0; *done < count && *done < room; ++*done) {
        int err = j->dirty + j->held == SDB_JOURNAL_RAM ? journal_spill(j) : 0;
        if (err == 0) {
            err = journal_capture_one(j, lba + *done, data + *done * SDB_SECTOR);
        }
        if (err < 0) {
            return err;
        }
    }
    return 0;
}
