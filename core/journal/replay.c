// What a power cut has left: put in place, or left alone if somebody else wrote in between.
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

static bool journal_block_ok(const struct sdb_journal *j, const uint8_t *s, uint32_t block) {
    return sdb_get32(s) == JOURNAL_MAGIC &&
           sdb_get32(s + JOURNAL_AT_CRC) == sdb_crc32(0, s, JOURNAL_AT_CRC) &&
           sdb_get32(s + JOURNAL_AT_VERSION) == JOURNAL_VERSION &&
           sdb_get32(s + JOURNAL_AT_AREA) == j->area &&
           sdb_get32(s + JOURNAL_AT_SECTORS) == j->area_sectors &&
           sdb_get32(s + JOURNAL_AT_BLOCK) == block;
}

// Compares the slot and the home of one entry with what the index says. Returns 0 if the home is
// old or new, 1 if it is neither, SDB_REPLAY_FOREIGN if the slot is not what was committed.
static int journal_examine(struct sdb_journal *j, uint32_t i, const uint8_t *entry, bool *all_new) {
    uint32_t lba = sdb_get32(entry);
    uint32_t crc_new = sdb_get32(entry + 4);
    j->lba[i] = lba;
    if (lba >= j->card->sectors || (lba >= j->area && lba < j->area + j->area_sectors)) {
        return SDB_REPLAY_FOREIGN;
    }
    int err = sdb_journal_card_read(j, j->slot0 + i, 1, j->ram[0]);
    if (err < 0) {
        return err;
    }
    if (sdb_crc32(0, j->ram[0], SDB_SECTOR) != crc_new) {
        return SDB_REPLAY_FOREIGN;
    }
    err = sdb_journal_card_read(j, lba, 1, j->ram[0]);
    if (err < 0) {
        return err;
    }
    uint32_t crc = sdb_crc32(0, j->ram[0], SDB_SECTOR);
    if (crc == crc_new) {
        return 0;
    }
    *all_new = false;
    return crc == sdb_get32(entry + 8) ? 0 : 1;
}

// Loads the index into lba[] and judges every entry. *torn: the one home that is neither old nor
// new, or `count`. Returns 0 or SDB_REPLAY_FOREIGN or an error.
static int journal_judge(struct sdb_journal *j, uint32_t *torn, bool *all_new) {
    uint32_t crc = 0;
    *torn = j->count;
    *all_new = true;
    const uint8_t *block = j->fat;
    for (uint32_t i = 0; i < j->count; i++) {
        if (i > 0 && i % JOURNAL_PER_BLOCK == 0) {
            uint32_t number = i / JOURNAL_PER_BLOCK;
            int err = sdb_journal_card_read(j, journal_block_lba(j, number), 1, j->tmp);
            if (err < 0) {
                return err;
            }
            if (!journal_block_ok(j, j->tmp, number)) {
                return SDB_REPLAY_FOREIGN;
            }
            crc = sdb_crc32(crc, j->tmp, SDB_SECTOR);
            block = j->tmp;
        }
        const uint8_t *entry = block + JOURNAL_AT_ENTRIES + (i % JOURNAL_PER_BLOCK) * JOURNAL_ENTRY;
        int state = journal_examine(j, i, entry, all_new);
        if (state < 0 || state == SDB_REPLAY_FOREIGN) {
            return state;
        }
        if (state == 1) {
            if (*torn < j->count) {
                return SDB_REPLAY_FOREIGN;
            }
            *torn = i;
        }
    }
    return crc == sdb_get32(j->fat + JOURNAL_AT_INDEX_CRC) ? 0 : SDB_REPLAY_FOREIGN;
}

static int journal_redo(struct sdb_journal *j, uint32_t torn, bool all_new) {
    int err = 0;
    j->flushed = true;
    if (torn < j->count) {
        // First, and alone: a cut from here on must again leave no more than one torn sector.
        err = sdb_journal_copy_home(j, torn, torn + 1);
        if (err == 0) {
            err = sdb_journal_card_sync(j);
        }
    }
    if (err == 0 && !all_new) {
        err = sdb_journal_copy_home(j, 0, j->count);
    }
    // Also if all is new: the writes that made it so may still be in flight for the card.
    if (err == 0) {
        err = sdb_journal_card_sync(j);
    }
    return err == 0 ? sdb_journal_clear(j) : err;
}

int sdb_journal_replay(struct sdb_journal *j) {
    if (j->area == 0) {
        return SDB_REPLAY_NONE;
    }
    j->fat_lba = 0;
    int err = sdb_journal_card_read(j, journal_block_lba(j, 0), 1, j->fat);
    if (err < 0) {
        return err;
    }
    uint32_t count = sdb_get32(j->fat + JOURNAL_AT_COUNT);
    if (!journal_block_ok(j, j->fat, 0) || count == 0 || count > j->slots) {
        return SDB_REPLAY_NONE;
    }
    uint32_t torn;
    bool all_new;
    j->count = count;
    err = journal_judge(j, &torn, &all_new);
    if (err == 0) {
        err = journal_redo(j, torn, all_new);
        if (err == 0) {
            err = SDB_REPLAY_DONE;
        }
    } else if (err == SDB_REPLAY_FOREIGN) {
        j->stale = true;
    }
    j->count = 0;
    j->flushed = false;
    return err;
}
