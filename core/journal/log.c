// SPDX-License-Identifier: MIT
// The log: a commit that changes a few bytes of a few sectors is one sector on the card, a record.
// What it changes stays in memory, captured, until a commit puts all of it in place and begins the
// next epoch, in which the records of before count no more. Sectors with nothing committed in them
// are kept in memory as well: they may be written at any time, for the records lead to what is in
// them whatever the card holds.
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

// ---- The anchor

void sdb_journal_set_epoch(struct sdb_journal *j, uint32_t epoch) {
    j->epoch = epoch;
    j->slots = sdb_area_slots(epoch != 0 ? j->area_sectors - j->ring : j->area_sectors);
}

static bool log_is_anchor(const struct sdb_journal *j, const uint8_t *s) {
    return sdb_get32(s) == JOURNAL_ANCHOR_MAGIC && sdb_get32(s + JOURNAL_LOG_AREA) == j->area &&
           sdb_get32(s + JOURNAL_LOG_SECTORS) == j->area_sectors &&
           sdb_get32(s + JOURNAL_AT_CRC) == sdb_crc32(0, s, JOURNAL_AT_CRC);
}

int sdb_journal_read_anchor(struct sdb_journal *j) {
    uint32_t epoch = 0;
    j->marks = 0;
    if (j->ring > 0) {
        int err = sdb_journal_card_read(j, journal_anchor_lba(j), 1, j->ram[0]);
        if (err < 0) {
            return err;
        }
        if (log_is_anchor(j, j->ram[0])) {
            epoch = sdb_get32(j->ram[0] + JOURNAL_LOG_EPOCH) & JOURNAL_EPOCHS;
            j->marks = sdb_get32(j->ram[0] + JOURNAL_LOG_MARKS);
        }
    }
    sdb_journal_set_epoch(j, epoch);
    return 0;
}

static int log_write(struct sdb_journal *j, uint32_t lba, uint32_t magic, uint32_t epoch) {
    uint8_t *s = j->ram[0];
    sdb_put32(s, magic);
    sdb_put32(s + JOURNAL_LOG_AREA, j->area);
    sdb_put32(s + JOURNAL_LOG_EPOCH, epoch);
    sdb_put32(s + JOURNAL_AT_CRC, sdb_crc32(0, s, JOURNAL_AT_CRC));
    int err = sdb_journal_card_write(j, lba, 1, s);
    return err == 0 ? sdb_journal_card_sync(j) : err;
}

int sdb_journal_write_anchor(struct sdb_journal *j, uint32_t epoch) {
    memset(j->ram[0], 0, SDB_SECTOR);
    sdb_put32(j->ram[0] + JOURNAL_LOG_SECTORS, j->area_sectors);
    sdb_put32(j->ram[0] + JOURNAL_LOG_MARKS, j->marks & JOURNAL_PARTED);
    int err = log_write(j, journal_anchor_lba(j), JOURNAL_ANCHOR_MAGIC, epoch);
    if (err == 0) {
        sdb_journal_set_epoch(j, epoch);
    }
    return err;
}

void sdb_journal_log(struct sdb_journal *j, bool on) {
    j->log = SDB_JOURNAL_LOG && on && j->area != 0 && j->ring > 0;
    j->unlogged |= j->dirty + j->spilled > 0; // nobody has noted what has changed
}

int sdb_journal_records(const struct sdb_journal *j) {
    return journal_logs(j) ? (int)j->records : -1;
}

uint32_t sdb_journal_found(const struct sdb_journal *j) {
    return j->found;
}

#if SDB_JOURNAL_LOG

// The first epoch on this card: no record of an earlier life must seem to be of it. The first
// record is of the latest epoch that had any.
static int log_begin(struct sdb_journal *j) {
    int err = sdb_journal_card_read(j, journal_anchor_lba(j) + 1, 1, j->ram[0]);
    uint32_t last = sdb_get32(j->ram[0] + JOURNAL_LOG_EPOCH) & JOURNAL_EPOCHS;
    return err < 0 ? err : sdb_journal_write_anchor(j, last == JOURNAL_EPOCHS ? 1 : last + 1);
}

// ---- Sectors in memory

// Which bytes of `to` differ from `from` (NULL: from zeros): sets *at, returns how many.
static uint32_t log_differ(const uint8_t *from, const uint8_t *to, uint32_t *at) {
    uint32_t end = SDB_SECTOR;
    for (*at = 0; *at < end && (from != NULL ? from[*at] : 0) == to[*at]; ++*at) {
    }
    while (end > *at && (from != NULL ? from[end - 1] : 0) == to[end - 1]) {
        end--;
    }
    return end - *at;
}

void sdb_journal_change(struct sdb_journal *j, uint32_t i, const uint8_t *data) {
    struct sdb_journal_buffer *b = &j->buffers[i];
    uint32_t at;
    uint32_t n = j->log ? log_differ(journal_ram(j, i), data, &at) : 0;
    if (n > 0) {
        bool first = b->from == b->to;
        b->from = (uint16_t)(first || at < b->from ? at : b->from);
        b->to = (uint16_t)(first || at + n > b->to ? at + n : b->to);
    }
}

// Is so much memory taken that the rest is needed for what comes? What is fresh can go.
static bool log_is_crowded(const struct sdb_journal *j) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        n += j->buffers[i].state == JOURNAL_DIRTY && !j->buffers[i].fresh;
    }
    return n + 2 > SDB_JOURNAL_RAM;
}

// Fresh, and nothing on the card leads to it yet.
static bool log_is_new(const struct sdb_journal_buffer *b) {
    return b->state == JOURNAL_DIRTY && b->fresh && !b->in_log;
}

// Writes `count` fresh neighbours from buffer `i` on in place.
static int log_flush(struct sdb_journal *j, uint32_t i, uint32_t count) {
    j->passed = true;
    int err = sdb_journal_card_write(j, j->buffers[i].lba, count, journal_ram(j, i));
    for (uint32_t k = i; k < i + count && err == 0; k++) {
        struct sdb_journal_buffer *b = &j->buffers[k];
        if (b->in_log) {
            sdb_journal_set_homed(j, b->lba);
            j->unlogged |= b->from < b->to;
        }
        b->state = JOURNAL_CLEAN;
        j->dirty--;
    }
    return err;
}

int sdb_journal_flush_fresh(struct sdb_journal *j, bool keep) {
    uint32_t last = 0;   // clock of the one used last,
    uint32_t second = 0; // of the one before
    uint32_t any = 0;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        const struct sdb_journal_buffer *b = &j->buffers[i];
        if (b->state == JOURNAL_DIRTY && b->fresh) {
            any++;
            if (b->used > last) {
                second = last;
                last = b->used;
            } else if (b->used > second) {
                second = b->used;
            }
        }
    }
    if (any <= (keep ? 2u : 0u)) {
        return 0;
    }
    sdb_journal_sort(j);
    uint32_t n;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i += n == 0 ? 1 : n) {
        for (n = 0; i + n < SDB_JOURNAL_RAM; n++) {
            const struct sdb_journal_buffer *b = &j->buffers[i + n];
            if (b->state != JOURNAL_DIRTY || !b->fresh || (keep && b->used >= second) ||
                b->lba != j->buffers[i].lba + n) {
                break;
            }
        }
        int err = n > 0 ? log_flush(j, i, n) : 0;
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

int sdb_journal_keep_fresh(struct sdb_journal *j, uint32_t lba, const uint8_t *data) {
    // What is read needs room as well.
    int err = j->dirty + j->held + 2 >= SDB_JOURNAL_RAM ? sdb_journal_flush_fresh(j, true) : 0;
    if (err < 0) {
        return err;
    }
    uint32_t i = sdb_journal_buffer(j, lba);
    i = i < SDB_JOURNAL_RAM ? i : sdb_journal_spare(j);
    if (i == SDB_JOURNAL_RAM) {
        j->passed = true;
        return sdb_journal_card_write(j, lba, 1, data);
    }
    memcpy(journal_ram(j, i), data, SDB_SECTOR);
    j->buffers[i] = (struct sdb_journal_buffer){
        .lba = lba, .used = ++j->clock, .state = JOURNAL_DIRTY, .fresh = true};
    j->dirty++;
    return 0;
}

// ---- Records

struct log_record {
    struct sdb_journal *j;
    uint32_t at; // end of the changes so far
    uint32_t count;
};

// Adds a change of buffer `i`. False if there is no room for it.
static bool log_add(struct log_record *r, uint32_t i, enum journal_kind kind, uint32_t crc,
                    uint32_t from, uint32_t len, uint32_t source) {
    uint32_t head = JOURNAL_CHANGE + (kind == JOURNAL_COPY ? 4u : 0u);
    if (r->at + head + len > JOURNAL_AT_CRC) {
        return false;
    }
    uint8_t *s = r->j->ram[0] + r->at;
    sdb_put32(s, r->j->buffers[i].lba);
    sdb_put32(s + 4, crc);
    sdb_put16(s + 8, from | (uint32_t)kind << JOURNAL_KIND_SHIFT);
    sdb_put16(s + 10, len);
    if (kind == JOURNAL_COPY) {
        sdb_put32(s + JOURNAL_CHANGE, source);
    }
    memcpy(s + head, journal_ram(r->j, i) + from, len);
    r->at += head + len;
    r->count++;
    return true;
}

// What has been changed in place. 1, 0 if it can't be said in this record, or an error.
static int log_add_changes(struct log_record *r) {
    struct sdb_journal *j = r->j;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        const struct sdb_journal_buffer *b = &j->buffers[i];
        if (b->state != JOURNAL_DIRTY || log_is_new(b) || b->from == b->to) {
            continue;
        }
        if (!b->known && !b->fresh) {
            return 0; // captured before there was a log
        }
        if (journal_in_fat(j, b->lba)) {
            // What has been freed may only be used again when that is in place.
            int frees = sdb_journal_frees(j, b->lba, journal_ram(j, i));
            if (frees != 0) {
                return frees < 0 ? frees : 0;
            }
        }
        if (!log_add(r, i, b->in_log ? JOURNAL_AGAIN : JOURNAL_HOME, b->in_log ? b->logged : b->old,
                     b->from, (uint32_t)b->to - b->from, 0)) {
            return 0;
        }
    }
    return 1;
}

// A new sector of a file is, in FatFs's one window, what was in there before and what was written:
// so it differs least from one of the others.
static int log_add_new(struct log_record *r, uint32_t i) {
    struct sdb_journal *j = r->j;
    uint32_t from;
    uint32_t source = 0;
    uint32_t len = log_differ(NULL, journal_ram(j, i), &from);
    for (uint32_t k = 0; k < SDB_JOURNAL_RAM; k++) {
        // Those behind it that are new are not known to a reader when it comes to this one.
        if (j->buffers[k].state != JOURNAL_DIRTY || k == i ||
            (k > i && log_is_new(&j->buffers[k]))) {
            continue;
        }
        uint32_t at;
        uint32_t n = log_differ(journal_ram(j, k), journal_ram(j, i), &at);
        if (n < len) {
            len = n;
            from = at;
            source = j->buffers[k].lba;
        }
    }
    uint32_t crc = sdb_crc32(0, journal_ram(j, i), SDB_SECTOR);
    return log_add(r, i, JOURNAL_COPY, crc, from & (SDB_SECTOR - 1), len, source);
}

// Returns whether there is anything to be said in a record, 0 if it can't be, or an error.
static int log_build(struct log_record *r) {
    struct sdb_journal *j = r->j;
    sdb_journal_sort(j);
    memset(j->ram[0], 0, SDB_SECTOR);
    int res = log_add_changes(r);
    if (res <= 0) {
        return res;
    }
    bool changes = r->count > 0;
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        // Without a change in place nothing tells whether somebody else has written since.
        if (log_is_new(&j->buffers[i]) && (!changes || !log_add_new(r, i))) {
            int err = log_flush(j, i, 1);
            if (err < 0) {
                return err;
            }
        }
    }
    return 1;
}

static void log_done(struct sdb_journal *j) {
    for (uint32_t i = 0; i < SDB_JOURNAL_RAM; i++) {
        struct sdb_journal_buffer *b = &j->buffers[i];
        if (b->state == JOURNAL_DIRTY && (b->from < b->to || log_is_new(b))) {
            b->in_log = true;
            b->logged = sdb_crc32(0, journal_ram(j, i), SDB_SECTOR);
            b->from = b->to = 0;
            j->fat_logged |= journal_in_fat(j, b->lba);
        }
    }
    j->records++;
}

int sdb_journal_write_record(struct sdb_journal *j) {
    if (!j->log || j->unlogged || j->spilled > 0 || j->forgot || j->full_count > 0 || j->stale ||
        j->due || j->dirty == 0 || j->records + 1 >= j->ring || log_is_crowded(j)) {
        return 0;
    }
    int err = sdb_journal_let_go(j);
    if (err == 0 && j->epoch == 0) {
        err = log_begin(j);
    }
    struct log_record r = {.j = j, .at = JOURNAL_LOG_CHANGES};
    int res = err < 0 ? err : log_build(&r);
    if (res > 0) {
        err = j->passed ? sdb_journal_card_sync(j) : 0;
        if (err == 0 && r.count > 0) {
            sdb_put16(j->ram[0] + JOURNAL_LOG_SEQUENCE, j->records);
            sdb_put16(j->ram[0] + JOURNAL_LOG_COUNT, r.count);
            err = log_write(j, journal_anchor_lba(j) + 1 + j->records, JOURNAL_RECORD_MAGIC,
                            j->epoch);
        }
        res = err < 0 ? err : 1;
    }
    if (res < 0) {
        // Is the record there? The next replay finds out.
        j->due = true;
        j->failed = res;
    } else if (res > 0 && r.count > 0) {
        log_done(j);
    }
    return res;
}

#endif
