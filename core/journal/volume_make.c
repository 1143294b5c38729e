// Making the control area of a volume that has none.
#include "core/journal/volume.h"

#include "core/error.h"
#include "core/journal/volume_area.h"

#include <string.h>

int sdb_volume_prepare(struct sdb_volume *v, const struct sdb_bdev *card, uint8_t *buf) {
    int res = sdb_volume_open(v, card, true, buf);
    if (res < 0 || v->without != SDB_ENOENT) {
        return res;
    }
    v->without = sdb_control_place_gap(card, sdb_journal_geo(&v->journal), &v->control, buf);
    if (v->without == 0) {
        v->without = sdb_journal_attach(&v->journal, v->control.lba, v->control.sectors);
    }
    if (v->without == 0) {
        sdb_volume_set_area(v);
    }
    return 0;
}

int sdb_volume_begin_file(struct sdb_volume *v) {
    // Where nothing can pass through, on FAT12, the file would have to fit in the journal's RAM.
    return sdb_journal_geo(&v->journal)->safe ? sdb_journal_begin(&v->journal) : SDB_ENOSPC;
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
    sdb_volume_set_area(v);
    return 0;
}
