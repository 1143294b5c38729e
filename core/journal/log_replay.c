// SPDX-License-Identifier: MIT
// What a power cut has left in the log is captured anew and committed; or left alone if somebody
// else has written in between.
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

bool sdb_journal_record_ok(const struct sdb_journal *j, const uint8_t *s, uint32_t number) {
    return sdb_get32(s) == JOURNAL_RECORD_MAGIC && sdb_get32(s + JOURNAL_LOG_AREA) == j->area &&
           sdb_get32(s + JOURNAL_LOG_EPOCH) == j->epoch &&
           sdb_get16(s + JOURNAL_LOG_SEQUENCE) == number &&
           sdb_get32(s + JOURNAL_AT_CRC) == sdb_crc32(0, s, JOURNAL_AT_CRC);
}

#if SDB_JOURNAL_LOG

struct log_change {
    uint32_t lba;
    uint32_t crc;
    uint32_t kind;
    uint32_t from;
    uint32_t len;
    uint32_t source;
    const uint8_t *bytes;
};

static bool log_lba_ok(const struct sdb_journal *j, uint32_t lba) {
    return lba < j->card->sectors && lba - j->area >= j->area_sectors;
}

// Reads the change at `at` of the record in fat[]. Returns where the next one is, 0: this is none.
static uint32_t log_parse(const struct sdb_journal *j, uint32_t at, struct log_change *c) {
    const uint8_t *s = j->fat + at;
    if (at + JOURNAL_CHANGE + 4 > JOURNAL_AT_CRC) {
        return 0;
    }
    uint32_t head = JOURNAL_CHANGE;
    c->lba = sdb_get32(s);
    c->crc = sdb_get32(s + 4);
    c->kind = sdb_get16(s + 8) >> JOURNAL_KIND_SHIFT;
    c->from = sdb_get16(s + 8) & (SDB_SECTOR - 1);
    c->len = sdb_get16(s + 10);
    c->source = 0;
    if (c->kind == JOURNAL_COPY) {
        c->source = sdb_get32(s + JOURNAL_CHANGE);
        head += 4;
    }
    c->bytes = s + head;
    return c->kind <= JOURNAL_COPY && log_lba_ok(j, c->lba) && log_lba_ok(j, c->source) &&
                   c->from + c->len <= SDB_SECTOR && at + head + c->len <= JOURNAL_AT_CRC
               ? at + head + c->len
               : 0;
}

// The sector as the changes so far have left it.
static int log_image(struct sdb_journal *j, uint32_t lba, uint8_t *out) {
    const struct sdb_journal_run *run = sdb_journal_run_of(j, lba);
    uint32_t i = sdb_journal_buffer(j, lba);
    if (i < SDB_JOURNAL_RAM) {
        memcpy(out, journal_ram(j, i), SDB_SECTOR);
        return 0;
    }
    return sdb_journal_card_read(
        j, run != NULL ? journal_slot_lba(j, run->slot + (lba - run->lba)) : lba, 1, out);
}

static int log_keep(struct sdb_journal *j, const struct log_change *c, const uint8_t *data) {
    const struct sdb_journal_run *run = sdb_journal_run_of(j, c->lba);
    uint32_t i = sdb_journal_buffer(j, c->lba);
    uint32_t done;
    if (run != NULL) {
        sdb_journal_write_cached(j, c->lba, 1, data);
        return sdb_journal_card_write(j, journal_slot_lba(j, run->slot + (c->lba - run->lba)), 1,
                                      data);
    }
    if (i < SDB_JOURNAL_RAM && j->buffers[i].state == JOURNAL_DIRTY) {
        memcpy(journal_ram(j, i), data, SDB_SECTOR);
        return 0;
    }
    return c->kind == JOURNAL_COPY ? sdb_journal_keep_fresh(j, c->lba, data)
                                   : sdb_journal_capture(j, c->lba, 1, data, &done);
}

// Is the card what it was when this change was written? Only what is there for the first time can
// be told before anything is done.
static int log_check(struct sdb_journal *j, const struct log_change *c) {
    int err = 0;
    if (c->kind == JOURNAL_HOME) {
        err = sdb_journal_card_read(j, c->lba, 1, j->ram[0]);
        if (err == 0 && sdb_crc32(0, j->ram[0], SDB_SECTOR) != c->crc) {
            return SDB_REPLAY_FOREIGN;
        }
    }
    return err;
}

static int log_apply(struct sdb_journal *j, const struct log_change *c) {
    uint8_t sector[SDB_SECTOR];
    memset(sector, 0, sizeof sector);
    int err = c->kind != JOURNAL_COPY ? log_image(j, c->lba, sector)
              : c->source != 0        ? log_image(j, c->source, sector)
                                      : 0;
    if (err < 0) {
        return err;
    }
    bool same = c->kind == JOURNAL_COPY || sdb_crc32(0, sector, SDB_SECTOR) == c->crc;
    memcpy(sector + c->from, c->bytes, c->len);
    same &= c->kind != JOURNAL_COPY || sdb_crc32(0, sector, SDB_SECTOR) == c->crc;
    return same ? log_keep(j, c, sector) : SDB_REPLAY_FOREIGN;
}

// Calls `each` for all changes, in order. Sets *records. Returns 0, SDB_REPLAY_FOREIGN, or an
// error.
static int log_each(struct sdb_journal *j, uint32_t *records,
                    int (*each)(struct sdb_journal *j, const struct log_change *c)) {
    for (*records = 0; *records + 1 < j->ring; ++*records) {
        j->fat_lba = 0;
        int res = sdb_journal_card_read(j, journal_anchor_lba(j) + 1 + *records, 1, j->fat);
        if (res < 0 || !sdb_journal_record_ok(j, j->fat, *records)) {
            return res;
        }
        uint32_t at = JOURNAL_LOG_CHANGES;
        for (uint32_t i = sdb_get16(j->fat + JOURNAL_LOG_COUNT); i > 0; i--) {
            struct log_change c;
            at = log_parse(j, at, &c);
            res = at == 0 ? SDB_REPLAY_FOREIGN : each(j, &c);
            if (res != 0) {
                return res;
            }
        }
    }
    return 0;
}

static int log_replay(struct sdb_journal *j) {
    uint32_t records;
    int res = log_each(j, &records, log_check);
    j->found = records;
    if (res == SDB_REPLAY_FOREIGN) {
        j->stale = true;
        return res;
    }
    if (res < 0 || records == 0) {
        return res;
    }
    // A commit that was cut short must not become whole by what is written to slots now.
    res = j->stale ? sdb_journal_take_back(j) : 0;
    if (res == 0) {
        res = log_each(j, &records, log_apply);
    }
    if (res != 0) {
        sdb_journal_drop(j);
        j->stale = res > 0;
        return res;
    }
    j->records = records;
    res = sdb_journal_checkpoint(j);
    j->failed = 0; // who is told by what is returned may try again
    return res < 0 ? res : SDB_REPLAY_DONE;
}

int sdb_journal_replay_log(struct sdb_journal *j) {
    // What is captured here is as it shall be, and the memory for the FAT is in use.
    bool log = j->log;
    j->log = j->masked = false;
    int res = log_replay(j);
    j->log = log;
    return res;
}

#else

int sdb_journal_replay_log(struct sdb_journal *j) {
    int err = sdb_journal_card_read(j, journal_anchor_lba(j) + 1, 1, j->fat);
    return err < 0 ? err : sdb_journal_record_ok(j, j->fat, 0) ? SDB_ELOG : 0;
}

#endif
