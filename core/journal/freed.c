// SPDX-License-Identifier: MIT
// Which clusters hold nothing committed, and which hold something although the filesystem has freed
// them: the committed FAT says it.
#include <string.h>

#include "core/bytes.h"
#include "core/error.h"
#include "core/journal/journal_disk.h"

// Loads sector `lba` of the committed FAT into fat[].
static int journal_load_fat(struct sdb_journal *j, uint32_t lba) {
    if (lba == j->fat_lba) {
        return 0;
    }
    uint32_t i = sdb_journal_buffer(j, lba);
    j->fat_lba = 0;
    if (i < SDB_JOURNAL_RAM && !sdb_journal_captured(j, lba)) {
        memcpy(j->fat, journal_ram(j, i), SDB_SECTOR);
    } else {
        int err = sdb_journal_card_read(j, lba, 1, j->fat);
        if (err < 0) {
            return err;
        }
    }
    j->fat_lba = lba;
    return 0;
}

// 1 if the committed FAT calls `cluster` free, 0 if not, or an error. The captured FAT must not be
// asked: a cluster freed in this transaction still holds what a power cut would bring back.
static int journal_is_free(struct sdb_journal *j, uint32_t cluster) {
    int err = journal_load_fat(j, sdb_fatgeo_entry_lba(&j->geo, cluster));
    return err < 0 ? err : sdb_fatgeo_entry(&j->geo, j->fat, cluster) == 0;
}

// ---- Young clusters: they were free in the committed FAT when they were first written to. Sectors
// of them that were not written since hold nothing, although the cluster may be committed by now.

static struct sdb_journal_young *journal_young(struct sdb_journal *j, uint32_t cluster) {
    for (uint32_t i = 0; i < SDB_JOURNAL_YOUNG; i++) {
        if (j->young[i].cluster == cluster) {
            return &j->young[i];
        }
    }
    return NULL;
}

int sdb_journal_passes(struct sdb_journal *j, uint32_t lba) {
    uint32_t cluster = j->geo.safe ? sdb_fatgeo_cluster(&j->geo, lba) : 0;
    if (cluster == 0) {
        return 0;
    }
    const struct sdb_journal_young *y = journal_young(j, cluster);
    uint32_t at = lba - sdb_fatgeo_lba(&j->geo, cluster);
    if (y != NULL && (y->written[at / 32] >> at % 32 & 1) == 0) {
        return 1;
    }
    if (y != NULL && journal_logs(j) && j->fat_logged) {
        return 0; // the log may have allocated it, and the FAT on the card does not say so yet
    }
    return journal_is_free(j, cluster);
}

// An entry for a cluster that is written to for the first time since it was free. Once an entry had
// to be given up it can't be told any more which clusters these are, until a sync: then what was
// written is allocated in the committed FAT. NULL if there is none.
static struct sdb_journal_young *journal_new_young(struct sdb_journal *j, uint32_t cluster) {
    if (j->forgot || cluster - j->full_from < j->full_count) {
        return NULL;
    }
    struct sdb_journal_young *y = &j->young[0];
    for (uint32_t i = 1; i < SDB_JOURNAL_YOUNG; i++) {
        if (j->young[i].since < y->since ||
            (j->young[i].since == y->since && j->young[i].used < y->used)) {
            y = &j->young[i];
        }
    }
    j->forgot = y->since;
    if (y->since && journal_logs(j) && j->fat_logged) {
        return NULL; // nobody else knows what is in that one
    }
    memset(y, 0, sizeof *y);
    y->cluster = cluster;
    return y;
}

// A free cluster has been written whole: it is never young, and it must be known as long as the FAT
// calls it free.
static void journal_note_full(struct sdb_journal *j, uint32_t cluster) {
    if (j->full_count == 0) {
        j->full_from = cluster;
    }
    if (cluster == j->full_from + j->full_count) {
        j->full_count++;
    } else if (cluster - j->full_from >= j->full_count) {
        j->forgot = true;
    }
}

int sdb_journal_note(struct sdb_journal *j, uint32_t lba, uint32_t count) {
    uint32_t size = 1u << j->geo.cluster_shift;
    uint32_t n;
    for (; count > 0; lba += n, count -= n) {
        uint32_t cluster = sdb_fatgeo_cluster(&j->geo, lba);
        uint32_t at = lba - sdb_fatgeo_lba(&j->geo, cluster);
        struct sdb_journal_young *y = journal_young(j, cluster);
        n = count < size - at ? count : size - at;
        if (y == NULL) {
            int is_free = journal_is_free(j, cluster);
            if (is_free <= 0) {
                return is_free;
            }
            if (n == size) {
                journal_note_full(j, cluster);
                continue;
            }
            y = journal_new_young(j, cluster);
            if (y == NULL) {
                continue;
            }
        }
        y->used = ++j->clock;
        y->since = true;
        for (uint32_t i = at; i < at + n; i++) {
            y->written[i / 32] |= 1u << i % 32;
        }
    }
    return 0;
}

void sdb_journal_in_place(struct sdb_journal *j, bool sync) {
    j->records = 0;
    j->unlogged = j->fat_logged = false;
    for (uint32_t i = 0; i < SDB_JOURNAL_YOUNG; i++) {
        j->young[i].homed = false;
        j->young[i].since = j->young[i].since && !sync;
    }
    if (sync) {
        j->forgot = false;
        j->full_count = 0;
    }
}

#if SDB_JOURNAL_LOG

void sdb_journal_set_homed(struct sdb_journal *j, uint32_t lba) {
    struct sdb_journal_young *y = journal_young(j, sdb_fatgeo_cluster(&j->geo, lba));
    if (y != NULL) {
        y->homed = true;
    } else {
        j->unlogged = true;
    }
}

bool sdb_journal_is_homed(struct sdb_journal *j, uint32_t lba) {
    uint32_t cluster = sdb_fatgeo_cluster(&j->geo, lba);
    const struct sdb_journal_young *y = cluster != 0 ? journal_young(j, cluster) : NULL;
    return y != NULL && y->homed;
}

int sdb_journal_frees(struct sdb_journal *j, uint32_t lba, const uint8_t *sector) {
    int err = journal_load_fat(j, lba);
    for (uint32_t i = 0; err == 0 && i < (j->geo.type == 16 ? 256u : 128u); i++) {
        if (sdb_fatgeo_entry(&j->geo, sector, i) == 0 &&
            sdb_fatgeo_entry(&j->geo, j->fat, i) != 0) {
            return 1;
        }
    }
    return err;
}

#endif

// ---- Marks: a cluster freed since the last commit looks bad to the filesystem, so that it takes
// others, which are free in the committed state as well. What is written there passes.

static uint32_t journal_mark(const struct sdb_journal *j) {
    return j->geo.type == 16 ? 0xFFF7 : 0x0FFFFFF7;
}

static void journal_put_entry(const struct sdb_journal *j, uint8_t *sector, uint32_t i,
                              uint32_t value) {
    if (j->geo.type == 16) {
        sdb_put16(sector + 2 * i, (uint16_t)value);
    } else {
        sdb_put32(sector + 4 * i, (sdb_get32(sector + 4 * i) & 0xF0000000u) | value);
    }
}

// Entries that read `from` become `to` if the committed one is of the right kind.
static int journal_exchange(struct sdb_journal *j, uint32_t lba, uint8_t *sector, uint32_t from,
                            uint32_t to) {
    if (!j->geo.safe || !journal_in_fat(j, lba)) {
        return 0;
    }
    int err = journal_load_fat(j, lba);
    uint32_t mark = journal_mark(j);
    for (uint32_t i = 0; err == 0 && i < (j->geo.type == 16 ? 256u : 128u); i++) {
        uint32_t home = sdb_fatgeo_entry(&j->geo, j->fat, i);
        // The mark's own value is left alone where a cluster is really bad; and the filesystem may
        // hold marks that an earlier transaction has shown it.
        if (sdb_fatgeo_entry(&j->geo, sector, i) == from && home != mark && (home | from) != 0) {
            journal_put_entry(j, sector, i, to);
            j->masked = true;
        }
    }
    return err;
}

int sdb_journal_mask(struct sdb_journal *j, uint32_t lba, uint8_t *sector) {
    return journal_exchange(j, lba, sector, 0, journal_mark(j));
}

int sdb_journal_unmask(struct sdb_journal *j, uint32_t lba, uint8_t *sector) {
    return j->masked ? journal_exchange(j, lba, sector, journal_mark(j), 0) : 0;
}
