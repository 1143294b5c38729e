// SPDX-License-Identifier: MIT
#include "core/journal/volume.h"

#include "core/crc32.h"
#include "core/error.h"
#include "core/journal/volume_area.h"

#include <string.h>

#define VOLUME_WORTH 4u // an area that could be so many times larger is replaced

void sdb_volume_set_area(struct sdb_volume *v) {
    sdb_control_record_store(&v->slots, v->card, &v->control, &v->area_store);
    v->record = true;
    v->without = v->control.version == SDB_CONTROL_VERSION ? 0 : SDB_ENOENT;
}

uint32_t sdb_volume_wanted(const struct sdb_fatgeo *geo) {
    uint32_t gap = sdb_control_gap_size(geo);
    uint32_t file = sdb_control_file_size(geo);
    return gap < file ? file : gap;
}

static bool volume_is_small(const struct sdb_volume *v, const struct sdb_fatgeo *geo) {
    uint32_t most = v->control.sectors > v->control.wanted ? v->control.sectors : v->control.wanted;
    return sdb_volume_wanted(geo) / VOLUME_WORTH >= most;
}

// Looks for the control area and puts a commit in place that it may hold. `boot`: CRC of the boot
// sector.
static int volume_find(struct sdb_volume *v, const struct sdb_fatgeo *geo, uint32_t boot,
                       uint8_t *buf) {
    int res = sdb_control_find(v->card, &v->control, buf);
    if (res < 0) {
        return res;
    }
    if (v->control.version != SDB_CONTROL_VERSION) {
        v->look = true;
        return sdb_control_verify(v->card, geo, &v->control, buf);
    }
    res = sdb_control_differs(v->card, geo, &v->control, boot, buf);
    if (res < 0) {
        return res;
    }
    v->look = res > 0 || volume_is_small(v, geo);
    sdb_journal_init(&v->journal, v->card, geo, v->control.lba, v->control.sectors);
    res = sdb_journal_replay(&v->journal);
    if (res < 0) {
        return res;
    }
    v->replay = res;
    v->parted = sdb_journal_parted(&v->journal);
    return sdb_control_verify(v->card, geo, &v->control, buf);
}

int sdb_volume_open(struct sdb_volume *v, const struct sdb_bdev *card, bool journal, uint8_t *buf) {
    struct sdb_fatgeo geo;
    memset(v, 0, sizeof(*v));
    v->card = card;
    v->wanted = journal;
    int res = sdb_fatgeo_read(&geo, card, buf);
    if (res < 0) {
        return res;
    }
    sdb_journal_init(&v->journal, card, &geo, 0, 0);
    v->without = volume_find(v, &geo, sdb_crc32(0, buf, SDB_SECTOR), buf);
    if (v->without < 0 && v->without != SDB_ENOENT) {
        return v->without; // can't be read: nothing must be written
    }
    if (v->without < 0) {
        sdb_journal_init(&v->journal, card, &geo, 0, 0); // not ours any more
        return 0;
    }
    sdb_volume_set_area(v);
    // Without the journal nobody else would see to it that a foreign commit is forgotten.
    return journal || v->without < 0 ? 0 : sdb_journal_forget(&v->journal);
}

bool sdb_volume_needs_care(const struct sdb_volume *v) {
    return v->look;
}

int sdb_volume_why(const struct sdb_volume *v) {
    return v->wanted ? v->without : SDB_ECANCELED;
}

bool sdb_volume_has_record(const struct sdb_volume *v) {
    return v->record;
}

void sdb_volume_area(const struct sdb_volume *v, uint32_t *lba, uint32_t *sectors) {
    *lba = v->record ? v->control.lba : 0;
    *sectors = v->record ? v->control.sectors : 0;
}

int sdb_volume_replayed(const struct sdb_volume *v) {
    return v->replay;
}

bool sdb_volume_parted(const struct sdb_volume *v) {
    return v->parted;
}

struct sdb_journal *sdb_volume_journal(struct sdb_volume *v) {
    return &v->journal;
}

void sdb_volume_bdev(struct sdb_volume *v, struct sdb_bdev *out) {
    if (v->wanted && (v->without == 0 || sdb_journal_is_open(&v->journal))) {
        sdb_journal_bdev(&v->journal, out);
    } else {
        *out = *v->card;
    }
}

static int volume_record_read(void *ctx, int slot, uint8_t *buf) {
    struct sdb_volume *v = ctx;
    return v->area_store.read(v->area_store.ctx, slot, buf);
}

static int volume_record_write(void *ctx, int slot, const uint8_t *buf) {
    struct sdb_volume *v = ctx;
    int res = sdb_volume_why(v) == 0 ? sdb_journal_checkpoint(&v->journal) : 0;
    return res < 0 ? res : v->area_store.write(v->area_store.ctx, slot, buf);
}

void sdb_volume_store(struct sdb_volume *v, struct sdb_record_store *store) {
    store->ctx = v;
    store->read = volume_record_read;
    store->write = volume_record_write;
}
