#include "core/journal/volume.h"

#include "core/error.h"
#include "core/journal/volume_area.h"

#include <string.h>

void sdb_volume_set_area(struct sdb_volume *v) {
    sdb_control_record_store(&v->slots, v->card, &v->control, &v->area_store);
    v->without = 0;
}

// Looks for the control area and puts a commit in place that it may hold.
static int volume_replay(struct sdb_volume *v, const struct sdb_fatgeo *geo, uint8_t *buf) {
    int res = sdb_control_find(v->card, &v->control, buf);
    if (res < 0) {
        sdb_journal_init(&v->journal, v->card, geo, 0, 0);
        return res;
    }
    sdb_journal_init(&v->journal, v->card, geo, v->control.lba, v->control.sectors);
    res = sdb_journal_replay(&v->journal);
    if (res < 0) {
        return res;
    }
    v->replay = res;
    res = sdb_control_verify(v->card, geo, &v->control, buf);
    if (res == SDB_ENOENT) {
        sdb_journal_init(&v->journal, v->card, geo, 0, 0); // not ours any more
    }
    return res;
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
    v->without = volume_replay(v, &geo, buf);
    if (v->without < 0 && v->without != SDB_ENOENT) {
        return v->without; // can't be read: nothing must be written
    }
    if (v->without == 0) {
        sdb_volume_set_area(v);
        // Without the journal nobody else would see to it that a foreign commit is forgotten.
        return journal ? 0 : sdb_journal_forget(&v->journal);
    }
    return 0;
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
    int res = v->wanted ? sdb_journal_checkpoint(&v->journal) : 0;
    return res < 0 ? res : v->area_store.write(v->area_store.ctx, slot, buf);
}

void sdb_volume_store(struct sdb_volume *v, struct sdb_record_store *store) {
    store->ctx = v;
    store->read = volume_record_read;
    store->write = volume_record_write;
}
