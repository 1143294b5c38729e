// SPDX-License-Identifier: MIT
#include "core/journal/journal.h"

#include <string.h>

#include "core/bytes.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

int sdb_journal_card_read(struct sdb_journal *j, uint32_t lba, uint32_t count, void *buf) {
    return j->card->read(j->card->ctx, lba, count, buf);
}

int sdb_journal_card_write(struct sdb_journal *j, uint32_t lba, uint32_t count, const void *buf) {
    return j->card->write(j->card->ctx, lba, count, buf);
}

int sdb_journal_card_sync(struct sdb_journal *j) {
    int err = j->card->sync(j->card->ctx);
    if (err == 0) {
        j->passed = false;
    }
    return err;
}

static int journal_fail(struct sdb_journal *j, int err) {
    if (j->failed == 0) {
        j->failed = err;
    }
    return err;
}

// ---- reading

static int journal_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct sdb_journal *j = ctx;
    int err = sdb_journal_ready(j);
    if (err < 0) {
        return err;
    }
    err = sdb_journal_read(j, lba, count, buf);
    // The filesystem may stop in the middle of an operation whose first half is captured.
    if (err < 0 && j->dirty + j->spilled > 0) {
        return journal_fail(j, err);
    }
    return err;
}

// ---- writing

// Is this a sector of a directory? What is neither empty nor made of entries is none.
static bool journal_like_directory(const uint8_t *sector) {
    uint32_t at = 0;
    for (; at < SDB_SECTOR && sector[at] != 0; at += 32) {
        const uint8_t *entry = sector + at;
        bool fits = entry[11] == 0x0F ? entry[12] == 0 && sdb_get16(entry + 26) == 0
                                      : (entry[11] & 0xC0) == 0 && (entry[12] & 0xE7) == 0;
        if (!fits) {
            return false;
        }
    }
    return at > 0;
}

// The journal gets full. May what is captured so far be committed, in the middle of an operation of
// the filesystem? FatFs writes what leads to clusters and what frees them in an order that leaves
// lost clusters at worst (docs/DESIGN.md has it operation by operation), with one exception:
// between two sectors of directories a file that is renamed has two names, and where clusters that
// become a directory are captured, they are linked before they are clean. So it may before file
// content and before the FAT, and anywhere only if there is no way out.
static bool journal_may_part(const struct sdb_journal *j, uint32_t lba, uint32_t count,
                             const uint8_t *data) {
    uint32_t used = j->dirty + j->spilled;
    uint32_t left = j->slots - used;
    uint32_t reserve = j->slots / 2 < 160 ? j->slots / 2 : 160;
    bool runs = j->run_count + SDB_JOURNAL_RAM >= JOURNAL_RUNS_MAX;
    if (j->open || j->area == 0 || used == 0 || (left >= count + reserve && !runs)) {
        return false;
    }
    if (sdb_journal_room(j) == 0 || count > 1 || journal_in_fat(j, lba)) {
        return true;
    }
    return j->geo.safe && !journal_like_directory(data);
}

static int journal_write_run(struct sdb_journal *j, uint32_t lba, uint32_t count,
                             const uint8_t *data, uint32_t *done) {
    uint32_t second = lba - j->geo.fat - j->geo.fat_sectors;
    if (journal_mirrors(j) && second < j->geo.fat_sectors) {
        *done = j->geo.fat_sectors - second < count ? j->geo.fat_sectors - second : count;
        return 0; // the commit writes it
    }
    const struct sdb_journal_run *run = sdb_journal_run_of(j, lba);
    if (run != NULL) {
        uint32_t at = lba - run->lba;
        *done = run->count - at < count ? run->count - at : count;
        if (*done == 1) {
            memcpy(j->ram[0], data, SDB_SECTOR);
            int err = sdb_journal_unmask(j, lba, j->ram[0]);
            if (err < 0) {
                return err;
            }
            data = j->ram[0];
        }
        sdb_journal_write_cached(j, lba, *done, data);
        return sdb_journal_card_write(j, journal_slot_lba(j, run->slot + at), *done, data);
    }
    uint32_t i = sdb_journal_buffer(j, lba);
    *done = 1;
    // What is held has no content yet that a commit has promised, so it may change.
    if (i < SDB_JOURNAL_RAM && j->buffers[i].state >= JOURNAL_DIRTY) {
        memcpy(j->ram[0], data, SDB_SECTOR);
        int err = sdb_journal_unmask(j, lba, j->ram[0]);
        sdb_journal_change(j, i, j->ram[0]);
        memcpy(journal_ram(j, i), j->ram[0], SDB_SECTOR);
        j->buffers[i].used = ++j->clock;
        return err;
    }
    int pass = sdb_journal_passes(j, lba);
    if (pass < 0) {
        return pass;
    }
    while (*done < count && !sdb_journal_captured(j, lba + *done)) {
        int same = sdb_journal_passes(j, lba + *done);
        if (same != pass) {
            break; // an error shows up again when its sector's turn comes
        }
        ++*done;
    }
    if (pass) {
        int err = sdb_journal_note(j, lba, *done);
        if (err == 0 && journal_logs(j) && *done == 1 && !j->open && !j->deferred) {
            return sdb_journal_keep_fresh(j, lba, data);
        }
        if (err == 0) {
            // FatFs writes a sector of a new directory with each of its entries, twice.
            bool hold = *done == 1 && j->area != 0 && (j->open || j->deferred) &&
                        journal_like_directory(data);
            err = hold ? sdb_journal_hold(j, lba, data) : 0;
            if (err != 0) {
                return err < 0 ? err : 0;
            }
            j->passed = true;
            sdb_journal_write_cached(j, lba, *done, data);
            err = sdb_journal_card_write(j, lba, *done, data);
        }
        return err;
    }
    if (journal_may_part(j, lba, *done, data)) {
        *done = 0; // it may pass after the commit
        return sdb_journal_commit_pending(j, JOURNAL_PART);
    }
    if (j->open && *done > sdb_journal_room(j)) {
        return SDB_ENOSPC;
    }
    return sdb_journal_capture(j, lba, *done, data, done);
}

static int journal_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    struct sdb_journal *j = ctx;
    const uint8_t *data = buf;
    if (j->failed < 0) {
        return j->failed;
    }
    int ready = sdb_journal_ready(j);
    if (ready < 0) {
        return journal_fail(j, ready);
    }
    if (journal_in_area(j, lba, count)) {
        return journal_fail(j, SDB_EPERM);
    }
    if (j->stale) {
        int err = sdb_journal_clear(j);
        if (err < 0) {
            return journal_fail(j, err);
        }
    }
    while (count > 0) {
        uint32_t done;
        int err = journal_write_run(j, lba, count, data, &done);
        if (err < 0) {
            return journal_fail(j, err);
        }
        lba += done;
        count -= done;
        data += done * SDB_SECTOR;
    }
    return 0;
}

int sdb_journal_forget(struct sdb_journal *j) {
    return j->stale ? sdb_journal_clear(j) : 0;
}

static int journal_sync(void *ctx) {
    struct sdb_journal *j = ctx;
    if (j->failed < 0) {
        return j->failed;
    }
    if (j->open || j->deferred) {
        return 0;
    }
    int err = journal_logs(j) ? sdb_journal_write_record(j) : 0;
    if (err != 0) {
        return err < 0 ? err : 0;
    }
    err = sdb_journal_checkpoint(j);
    if (err == 0) {
        sdb_journal_in_place(j, true);
    }
    return err;
}

// ---- from the start to the end

void sdb_journal_init(struct sdb_journal *j, const struct sdb_bdev *card,
                      const struct sdb_fatgeo *geo, uint32_t area, uint32_t sectors) {
    struct sdb_fatgeo copy = *geo; // may be j's own
    memset(j, 0, sizeof *j);
    j->card = card;
    j->geo = copy;
    j->slots = SDB_JOURNAL_RAM;
    if (area != 0 && sectors >= SDB_CONTROL_MIN && sectors <= SDB_CONTROL_MAX) {
        j->area = area;
        j->area_sectors = sectors;
        j->ring = sdb_area_ring(sectors);
        sdb_journal_set_epoch(j, 0);
    }
}

void sdb_journal_bdev(struct sdb_journal *j, struct sdb_bdev *out) {
    out->ctx = j;
    out->sectors = j->card->sectors;
    out->read = journal_read;
    out->write = journal_write;
    out->sync = journal_sync;
}

int sdb_journal_begin(struct sdb_journal *j) {
    if (j->open) {
        return SDB_EBUSY;
    }
    int err = sdb_journal_checkpoint(j);
    j->open = err == 0;
    return err;
}

int sdb_journal_commit(struct sdb_journal *j) {
    int err = sdb_journal_checkpoint(j);
    if (err == 0) {
        j->open = false;
    }
    return err;
}

void sdb_journal_abort(struct sdb_journal *j) {
    if (!j->dead) {
        j->due |= SDB_JOURNAL_LOG && j->records > 0;
        sdb_journal_drop(j);
        j->failed = 0;
    }
    j->open = false;
    j->deferred = false;
}

void sdb_journal_defer(struct sdb_journal *j, bool deferred) {
    j->deferred = deferred;
}

// ---- what is asked

uint32_t sdb_journal_room(const struct sdb_journal *j) {
    uint32_t left = j->slots - j->dirty - j->spilled;
    uint32_t memory = SDB_JOURNAL_RAM - j->dirty - j->held;
    return j->run_count >= JOURNAL_RUNS_MAX && memory < left ? memory : left;
}

uint32_t sdb_journal_slots(const struct sdb_journal *j) {
    return j->slots;
}

bool sdb_journal_full(const struct sdb_journal *j) {
    return j->slots - j->dirty - j->spilled <= j->slots / 2 || j->run_count > JOURNAL_RUNS_MAX / 2;
}

bool sdb_journal_is_open(const struct sdb_journal *j) {
    return j->open;
}

bool sdb_journal_is_deferred(const struct sdb_journal *j) {
    return j->deferred;
}

int sdb_journal_failed(const struct sdb_journal *j) {
    return j->failed;
}

bool sdb_journal_is_committed(const struct sdb_journal *j) {
    return j->committed;
}

bool sdb_journal_parted(const struct sdb_journal *j) {
    return (j->marks & JOURNAL_PARTED) != 0;
}

bool sdb_journal_is_dead(const struct sdb_journal *j) {
    return j->dead;
}

const struct sdb_fatgeo *sdb_journal_geo(const struct sdb_journal *j) {
    return &j->geo;
}
