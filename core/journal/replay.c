// SPDX-License-Identifier: MIT
// What a power cut has left: put in place, or left alone if somebody else wrote in between.
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

struct replay {
    struct sdb_journal *j;
    uint32_t count; // entries of the commit
    uint32_t crc;   // of index blocks 1.., chained
    uint32_t torn;  // entry whose home is neither old nor new, or `count`
    bool foreign;   // there are more of these, or one that no commit of ours can have
    bool whole;     // every slot is what was committed
};

static bool replay_block_ok(const struct sdb_journal *j, const uint8_t *s, uint32_t block) {
    return sdb_get32(s) == JOURNAL_MAGIC &&
           sdb_get32(s + JOURNAL_AT_CRC) == sdb_crc32(0, s, JOURNAL_AT_CRC) &&
           sdb_get32(s + JOURNAL_AT_VERSION) == journal_version(j) &&
           sdb_get32(s + JOURNAL_AT_AREA) == j->area &&
           sdb_get32(s + JOURNAL_AT_SECTORS) == j->area_sectors &&
           sdb_get32(s + JOURNAL_AT_BLOCK) == block;
}

static const uint8_t *replay_entry(const struct replay *r, uint32_t i) {
    const uint8_t *block = i < JOURNAL_PER_BLOCK ? r->j->ram[0] : r->j->fat;
    return block + JOURNAL_AT_ENTRIES + (i % JOURNAL_PER_BLOCK) * JOURNAL_ENTRY;
}

// Entries from `i` on that belong to neighbours, as many as memory holds.
static uint32_t replay_group(const struct replay *r, uint32_t i) {
    uint32_t n = 1;
    while (i + n < r->count && (i + n) % JOURNAL_PER_BLOCK != 0 && n < SDB_JOURNAL_RAM &&
           sdb_get32(replay_entry(r, i + n)) == sdb_get32(replay_entry(r, i)) + n) {
        n++;
    }
    return n;
}

// Compares slots and homes of `n` entries with what the index says.
static int replay_examine(struct replay *r, uint32_t i, uint32_t n) {
    struct sdb_journal *j = r->j;
    uint32_t lba = sdb_get32(replay_entry(r, i));
    if (lba >= j->card->sectors || n > j->card->sectors - lba ||
        (lba < j->area + j->area_sectors && j->area < lba + n)) {
        r->foreign = true;
        return 0;
    }
    int err = sdb_journal_card_read(j, journal_slot_lba(j, i), n, j->ram[1]);
    for (uint32_t k = 0; k < n && err == 0; k++) {
        r->whole &=
            sdb_crc32(0, j->ram[1 + k], SDB_SECTOR) == sdb_get32(replay_entry(r, i + k) + 4);
    }
    if (err == 0) {
        err = sdb_journal_card_read(j, lba, n, j->ram[1]);
    }
    for (uint32_t k = 0; k < n && err == 0; k++) {
        uint32_t crc = sdb_crc32(0, j->ram[1 + k], SDB_SECTOR);
        const uint8_t *entry = replay_entry(r, i + k);
        if (crc != sdb_get32(entry + 4) && crc != sdb_get32(entry + 8)) {
            r->foreign |= r->torn < r->count;
            r->torn = i + k;
        }
    }
    return err;
}

static int replay_copy(struct replay *r, uint32_t i, uint32_t n) {
    struct sdb_journal *j = r->j;
    int err = sdb_journal_card_read(j, journal_slot_lba(j, i), n, j->ram[1]);
    return err < 0 ? err : sdb_journal_go_home(j, sdb_get32(replay_entry(r, i)), n, j->ram[1]);
}

// The one torn home: first, and alone. A cut from here on must again leave no more than one.
static int replay_mend(struct replay *r, uint32_t i, uint32_t n) {
    if (r->torn - i >= n) {
        return 0;
    }
    int err = replay_copy(r, r->torn, 1);
    return err < 0 ? err : sdb_journal_card_sync(r->j);
}

// Calls `each` for all entries, whose index block is then loaded.
static int replay_each(struct replay *r, int (*each)(struct replay *r, uint32_t i, uint32_t n)) {
    struct sdb_journal *j = r->j;
    uint32_t n;
    r->crc = 0;
    for (uint32_t i = 0; i < r->count; i += n) {
        if (i > 0 && i % JOURNAL_PER_BLOCK == 0) {
            uint32_t block = i / JOURNAL_PER_BLOCK;
            int err = sdb_journal_card_read(j, journal_block_lba(j, block), 1, j->fat);
            if (err < 0) {
                return err;
            }
            if (!replay_block_ok(j, j->fat, block)) {
                r->whole = false;
                return 0;
            }
            r->crc = sdb_crc32(r->crc, j->fat, SDB_SECTOR);
        }
        n = replay_group(r, i);
        int err = each(r, i, n);
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int replay_run(struct replay *r) {
    struct sdb_journal *j = r->j;
    int err = replay_each(r, replay_examine);
    if (err < 0) {
        return err;
    }
    if (!r->whole || r->crc != sdb_get32(j->ram[0] + JOURNAL_AT_INDEX_CRC)) {
        // A commit that was cut short. It must never become whole by what is written to slots.
        j->stale = true;
        return SDB_REPLAY_NONE;
    }
    if (r->foreign) {
        j->stale = true;
        return SDB_REPLAY_FOREIGN;
    }
    if (r->torn < r->count) {
        err = replay_each(r, replay_mend);
    }
    // Also if all is new: the writes that made it so may still be in flight for the card.
    if (err == 0) {
        err = replay_each(r, replay_copy);
    }
    if (err == 0) {
        err = sdb_journal_end(j);
    }
    return err == 0 ? SDB_REPLAY_DONE : err;
}

// The commit that the header leads to, if it is one of this epoch of the log, or of none.
static int replay_commit(struct sdb_journal *j) {
    int err = sdb_journal_card_read(j, journal_block_lba(j, 0), 1, j->ram[0]);
    if (err < 0) {
        return err;
    }
    uint32_t epoch = j->epoch;
    uint32_t bound = sdb_get32(j->ram[0] + JOURNAL_AT_VERSION) >> JOURNAL_EPOCH_SHIFT;
    if (bound != 0 && j->ring == 0) {
        return SDB_REPLAY_NONE;
    }
    if (bound == 0 || epoch == 0) {
        sdb_journal_set_epoch(j, bound); // no log, or power failed while its next epoch began
    }
    uint32_t marks = JOURNAL_PART | JOURNAL_PARTED;
    uint32_t count = sdb_get32(j->ram[0] + JOURNAL_AT_COUNT) & ~marks;
    if (!replay_block_ok(j, j->ram[0], 0) || count == 0 || count > j->slots) {
        sdb_journal_set_epoch(j, epoch);
        if (epoch == 0 && sdb_get32(j->ram[0]) == JOURNAL_PARTED) {
            j->marks = JOURNAL_PARTED;
        }
        return SDB_REPLAY_NONE;
    }
    j->marks = sdb_get32(j->ram[0] + JOURNAL_AT_COUNT) & marks;
    struct replay r = {.j = j, .count = count, .torn = count, .whole = true};
    int res = replay_run(&r);
    if (bound == 0 && epoch != 0) {
        err = res >= 0 && j->stale ? sdb_journal_take_back(j) : 0;
        sdb_journal_set_epoch(j, epoch);
    }
    return err < 0 ? err : res;
}

int sdb_journal_replay(struct sdb_journal *j) {
    if (j->area == 0) {
        return SDB_REPLAY_NONE;
    }
    sdb_journal_drop(j);
    sdb_journal_in_place(j, false);
    int res = sdb_journal_read_anchor(j);
    if (res == 0) {
        res = replay_commit(j);
    }
    return res == SDB_REPLAY_NONE && j->epoch != 0 ? sdb_journal_replay_log(j) : res;
}

int sdb_journal_ready(struct sdb_journal *j) {
    if (!SDB_JOURNAL_LOG || !j->due || j->failed < 0) {
        return 0;
    }
    j->due = false;
    int res = sdb_journal_replay(j);
    if (res == SDB_REPLAY_FOREIGN) {
        res = SDB_EIO; // not the card that it was
    }
    j->due = res < 0;
    return res < 0 ? res : 0;
}
