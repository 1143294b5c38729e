#include "volume.h"

#include "error.h"

#include <string.h>

static void volume_set_area(struct sdb_volume *v) {
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
    if (v->without == SDB_ENOENT && journal) {
        v->without = sdb_control_place_gap(card, &geo, &v->control, buf);
        if (v->without == 0) {
            v->without = sdb_journal_attach(&v->journal, v->control.lba, v->control.sectors);
        }
    } else if (v->without < 0 && v->without != SDB_ENOENT) {
        return v->without; // can't be read: nothing must be written
    }
    if (v->without == 0) {
        volume_set_area(v);
        // Without the journal nobody else would see to it that a foreign commit is forgotten.
        return journal ? 0 : sdb_journal_forget(&v->journal);
    }
    return 0;
}

void sdb_volume_bdev(struct sdb_volume *v, struct sdb_bdev *out) {
    if (v->wanted && (v->without == 0 || v->journal.open)) {
        sdb_journal_bdev(&v->journal, out);
    } else {
        *out = *v->card;
    }
}

int sdb_volume_begin_file(struct sdb_volume *v) {
    // Where nothing can pass through, on FAT12, the file would have to fit in the journal's RAM.
    return v->journal.geo.safe ? sdb_journal_begin(&v->journal) : SDB_ENOSPC;
}

static int volume_write_file(const struct sdb_fs *fs, uint8_t *buf) {
    int res = fs->mkdir(fs->ctx, "/.sdboot");
    if (res < 0 && res != SDB_EEXIST) {
        return res == SDB_EACCES ? SDB_ENOSPC : res; // what FatFs says when the card is full
    }
    // Copied from another card, with all its files: what it holds is of no interest, but its
    // clusters are not free, so that writing it anew would have to be captured.
    uint32_t size;
    if (fs->stat(fs->ctx, "/.sdboot/journal", &size) == SDB_FS_FILE &&
        size >= SDB_CONTROL_FILE_MIN * SDB_SECTOR) {
        return 0;
    }
    int file = fs->open(fs->ctx, "/.sdboot/journal", 'w');
    if (file < 0) {
        return file;
    }
    res = 0;
    memset(buf, 0, SDB_SECTOR);
    for (uint32_t i = 0; res == 0 && i < SDB_CONTROL_FILE_MIN; i++) {
        res = fs->write(fs->ctx, file, buf, SDB_SECTOR);
    }
    int closed = fs->close(fs->ctx, file);
    return res < 0 ? res : closed;
}

int sdb_volume_make_file(struct sdb_volume *v, const struct sdb_fs *fs, uint8_t *buf) {
    int res = volume_write_file(fs, buf);
    if (res == 0) {
        res = sdb_control_place_file(&v->journal, &v->control, buf);
    }
    if (res < 0) {
        sdb_journal_abort(&v->journal);
        v->without = res;
        return res;
    }
    volume_set_area(v);
    return 0;
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
