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
    return j->card->sync(j->card->ctx);
}

static int journal_fail(struct sdb_journal *j, int err) {
    if (j->failed == 0) {
        j->failed = err;
    }
    return err;
}

// Number of the entry for `lba`, or `count`.
static uint32_t journal_search(const struct sdb_journal *j, uint32_t lba) {
    uint32_t i = 0;
    while (i < j->count && j->lba[i] != lba) {
        i++;
    }
    return i;
}

static bool journal_in_ram(const struct sdb_journal *j, uint32_t entry) {
    return entry < SDB_JOURNAL_RAM && !j->flushed;
}

// 1 if the card's own FAT says that the cluster of `lba` is free, 0 if not, or an error. The
// captured FAT must not be asked: a cluster freed in this transaction still holds what a power cut
// would bring back.
static int journal_is_free(struct sdb_journal *j, uint32_t lba) {
    uint32_t cluster = j->geo.safe ? sdb_fatgeo_cluster(&j->geo, lba) : 0;
    if (cluster == 0) {
        return 0;
    }
    uint32_t at = sdb_fatgeo_entry_lba(&j->geo, cluster);
    if (at != j->fat_lba) {
        j->fat_lba = 0;
        int err = sdb_journal_card_read(j, at, 1, j->fat);
        if (err < 0) {
            return err;
        }
        j->fat_lba = at;
    }
    return sdb_fatgeo_entry(&j->geo, j->fat, cluster) == 0;
}

static int journal_read(void *ctx, uint32_t lba, uint32_t count, void *buf) {
    struct sdb_journal *j = ctx;
    uint8_t *out = buf;
    int err = 0;
    if (count != 1 || journal_search(j, lba) == j->count) {
        err = sdb_journal_card_read(j, lba, count, buf);
    }
    for (uint32_t i = 0; i < j->count && err >= 0; i++) {
        uint32_t at = j->lba[i] - lba;
        if (at >= count) {
            continue;
        }
        if (journal_in_ram(j, i)) {
            memcpy(out + at * SDB_SECTOR, j->ram[i], SDB_SECTOR);
        } else {
            err = sdb_journal_card_read(j, j->slot0 + i, 1, out + at * SDB_SECTOR);
        }
    }
    // The filesystem may stop in the middle of an operation whose first half is captured.
    if (err < 0 && j->count > 0) {
        return journal_fail(j, err);
    }
    return err;
}

// Captures `count` sectors from `lba` on that have no entries yet.
static int journal_capture(struct sdb_journal *j, uint32_t lba, uint32_t count,
                           const uint8_t *data) {
    if (count > j->slots - j->count) {
        return SDB_ENOSPC;
    }
    while (count > 0) {
        uint32_t n = 1;
        if (j->count < SDB_JOURNAL_RAM) {
            memcpy(j->ram[j->count], data, SDB_SECTOR);
        } else {
            n = count;
            int err = sdb_journal_card_write(j, j->slot0 + j->count, n, data);
            if (err < 0) {
                return err;
            }
        }
        for (uint32_t i = 0; i < n; i++) {
            j->lba[j->count++] = lba++;
        }
        data += n * SDB_SECTOR;
        count -= n;
    }
    return 0;
}

static int journal_write_run(struct sdb_journal *j, uint32_t lba, uint32_t count,
                             const uint8_t *data, uint32_t *done) {
    uint32_t entry = journal_search(j, lba);
    *done = 1;
    if (entry < j->count) {
        if (journal_in_ram(j, entry)) {
            memcpy(j->ram[entry], data, SDB_SECTOR);
            return 0;
        }
        return sdb_journal_card_write(j, j->slot0 + entry, 1, data);
    }
    int pass = journal_is_free(j, lba);
    if (pass < 0) {
        return pass;
    }
    while (*done < count && journal_search(j, lba + *done) == j->count) {
        int same = journal_is_free(j, lba + *done);
        if (same != pass) {
            break; // an error shows up again when its sector's turn comes
        }
        ++*done;
    }
    if (pass) {
        return sdb_journal_card_write(j, lba, *done, data);
    }
    return journal_capture(j, lba, *done, data);
}

static int journal_write(void *ctx, uint32_t lba, uint32_t count, const void *buf) {
    struct sdb_journal *j = ctx;
    const uint8_t *data = buf;
    if (j->failed < 0) {
        return j->failed;
    }
    if (lba < j->area + j->area_sectors && j->area < lba + count) {
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
    return j->open || j->deferred ? 0 : sdb_journal_checkpoint(j);
}

int sdb_journal_attach(struct sdb_journal *j, uint32_t area, uint32_t sectors) {
    if (sectors < SDB_CONTROL_MIN || sectors > SDB_CONTROL_MAX) {
        return SDB_ENOSPC;
    }
    uint32_t slots = sdb_area_slots(sectors);
    slots = slots < SDB_JOURNAL_SLOTS ? slots : SDB_JOURNAL_SLOTS;
    j->area = area;
    j->area_sectors = sectors;
    j->slots = slots;
    j->slot0 = area + sectors - 1 - slots;
    return 0;
}

void sdb_journal_init(struct sdb_journal *j, const struct sdb_bdev *card,
                      const struct sdb_fatgeo *geo, uint32_t area, uint32_t sectors) {
    struct sdb_fatgeo copy = *geo; // may be j's own
    memset(j, 0, sizeof *j);
    j->card = card;
    j->geo = copy;
    if (area == 0 || sdb_journal_attach(j, area, sectors) < 0) {
        j->slots = SDB_JOURNAL_RAM;
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
        j->count = 0;
        j->failed = 0;
    }
    j->open = false;
    j->deferred = false;
}

void sdb_journal_defer(struct sdb_journal *j, bool deferred) {
    j->deferred = deferred;
}

uint32_t sdb_journal_room(const struct sdb_journal *j) {
    return j->slots - j->count;
}

uint32_t sdb_journal_slots(const struct sdb_journal *j) {
    return j->slots;
}

bool sdb_journal_full(const struct sdb_journal *j) {
    return sdb_journal_room(j) <= j->slots / 2;
}

bool sdb_journal_captures(const struct sdb_journal *j, uint32_t lba, uint32_t count) {
    for (uint32_t i = 0; i < j->count; i++) {
        if (j->lba[i] - lba < count) {
            return true;
        }
    }
    return false;
}

bool sdb_journal_is_open(const struct sdb_journal *j) {
    return j->open;
}

bool sdb_journal_is_deferred(const struct sdb_journal *j) {
    return j->deferred;
}

bool sdb_journal_has_area(const struct sdb_journal *j) {
    return j->area != 0;
}

int sdb_journal_failed(const struct sdb_journal *j) {
    return j->failed;
}

bool sdb_journal_is_committed(const struct sdb_journal *j) {
    return j->committed;
}

bool sdb_journal_is_dead(const struct sdb_journal *j) {
    return j->dead;
}

const struct sdb_fatgeo *sdb_journal_geo(const struct sdb_journal *j) {
    return &j->geo;
}
