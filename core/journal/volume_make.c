// SPDX-License-Identifier: MIT
#include "core/journal/volume_make.h"

#include "core/error.h"
#include "core/journal/control_file.h"
#include "core/journal/old_replay.h"
#include "core/journal/volume_area.h"

#include <string.h>

#define MAKE_ROUNDS 3 // openings of the volume: after repairing it, after finding a lost area

// Repairs what the volume was found with. Returns 1 if it has to be opened anew, 0, or an error
// with which nothing must be mounted.
static int make_repair(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf,
                       uint32_t len) {
    const struct sdb_fatgeo *geo = sdb_journal_geo(&v->journal);
    int res = 0;
    if (v->look && v->control.version == SDB_CONTROL_VERSION) {
        res = sdb_control_compare(v->card, geo, &v->control, buf, len);
    }
    if (res == 0 && v->without < 0 && v->control.version != SDB_CONTROL_VERSION_OLD) {
        struct sdb_control found;
        res = v->wanted ? sdb_control_search(v->card, geo, &found, buf) : SDB_ENOENT;
        if (res == 0 && found.version == SDB_CONTROL_VERSION) {
            res = sdb_control_point(v->card, geo, &found, buf);
            res = res == 0 ? 1 : res;
        } else if (res == 0) {
            v->control = found;
        }
    }
    if (res > 0) {
        m->done |= SDB_MADE_RESTORED;
    }
    // Where nothing can be written the card is used as it is.
    return res == SDB_ENOENT || res == SDB_EROFS ? 0 : res;
}

// An area of version 1: from here on only its record counts.
static int make_leave_old(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf) {
    int res = sdb_old_replay(v->card, &v->control, buf);
    if (res < 0) {
        return res;
    }
    v->replay = res;
    res = sdb_control_verify(v->card, sdb_journal_geo(&v->journal), &v->control, buf);
    if (res == 0) {
        sdb_volume_set_area(v);
    }
    m->has_from = res == 0;
    return res == SDB_ENOENT ? 0 : res;
}

// Nothing shall find the area that has been replaced. In the gap it stays where it was; that it may
// not be possible does no harm: what searches prefers the new one.
static void make_forget(const struct sdb_volume_make *m, const struct sdb_volume *v, uint8_t *buf) {
    if (m->has_from && m->from.entry_lba == 0 && m->from.lba != v->control.lba) {
        memset(buf, 0, SDB_SECTOR);
        v->card->write(v->card->ctx, m->from.lba, 1, buf);
    }
}

// Makes the area `made`, which needs no file, and takes it into use.
static int make_area(struct sdb_volume_make *m, struct sdb_volume *v, struct sdb_control made,
                     uint8_t *buf) {
    const struct sdb_fatgeo *geo = sdb_journal_geo(&v->journal);
    int res = sdb_control_make(v->card, geo, &made, m->has_from ? &m->from : NULL, buf);
    if (res == 0) {
        sdb_journal_init(&v->journal, v->card, geo, made.lba, made.sectors);
        v->control = made;
        sdb_volume_set_area(v);
        v->look = false;
        make_forget(m, v, buf);
        m->done |= m->has_from ? SDB_MADE_REPLACED : 0;
    } else if (v->without < 0) {
        v->without = res;
    }
    return res;
}

// An area of this version is replaced by one of twice its size only.
static bool make_is_worth(const struct sdb_volume_make *m, uint32_t sectors) {
    return sectors > 0 && (!m->has_from || m->from.version != SDB_CONTROL_VERSION ||
                           sectors / 2 >= m->from.sectors);
}

// Chooses between gap and file: the larger one, but a gap that is not much smaller takes no room
// from anybody's files.
static int make_place(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf, uint32_t len) {
    const struct sdb_fatgeo *geo = sdb_journal_geo(&v->journal);
    uint32_t file = sdb_control_file_size(geo);
    int res = sdb_control_find_gap(v->card, geo, m->has_from ? &m->from : NULL, &m->gap, buf, len);
    if (res < 0) {
        m->gap.sectors = 0;
    }
    if (res < 0 && res != SDB_ENOSPC) {
        return res;
    }
    m->gap.version = SDB_CONTROL_VERSION;
    m->gap.wanted = sdb_volume_wanted(geo);
    if (make_is_worth(m, m->gap.sectors) && m->gap.sectors >= file / 4 * 3) {
        return make_area(m, v, m->gap, buf);
    }
    return SDB_ENOSPC;
}

int sdb_volume_prepare(struct sdb_volume_make *m, struct sdb_volume *v, const struct sdb_bdev *card,
                       bool journal, uint8_t *buf, uint32_t len) {
    memset(m, 0, sizeof *m);
    int res = 1;
    for (int round = 0; res == 1 && round < MAKE_ROUNDS; round++) {
        res = sdb_volume_open(v, card, journal, buf);
        if (res == 0) {
            res = make_repair(m, v, buf, len);
        }
    }
    if (res < 0) {
        return res;
    }
    if (v->control.version == SDB_CONTROL_VERSION_OLD) {
        res = make_leave_old(m, v, buf);
    } else {
        m->has_from = v->without == 0;
    }
    m->from = v->control;
    if (res < 0 || !journal || (v->without == 0 && !v->look)) {
        return res;
    }
    v->without = make_place(m, v, buf, len);
    return 0;
}

int sdb_volume_make_last(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf) {
    if (v->without == SDB_EIO) {
        return SDB_EIO; // the next boot may have more luck, and place it better
    }
    if (make_is_worth(m, m->gap.sectors)) {
        return make_area(m, v, m->gap, buf);
    }
    if (m->has_from && m->from.version != SDB_CONTROL_VERSION) {
        struct sdb_control made = m->from; // where it is: identity and record stay in their places
        made.version = SDB_CONTROL_VERSION;
        made.wanted = m->gap.wanted;
        return make_area(m, v, made, buf);
    }
    return v->without < 0 ? v->without : 0;
}

// There is no area, for the reason `res`.
static void make_fail(struct sdb_volume *v, int res) {
    sdb_journal_abort(&v->journal);
    sdb_journal_init(&v->journal, v->card, sdb_journal_geo(&v->journal), 0, 0);
    v->record = false;
    v->without = res;
}

int sdb_volume_begin_file(struct sdb_volume_make *m, struct sdb_volume *v, uint8_t *buf,
                          uint32_t len) {
    struct sdb_fatgeo geo = *sdb_journal_geo(&v->journal);
    struct sdb_control made;
    int res = sdb_control_find_free(v->card, &geo, &made, buf, len);
    if (res == 0 && (made.sectors <= m->gap.sectors || !make_is_worth(m, made.sectors))) {
        res = SDB_ENOSPC;
    }
    if (res == 0) {
        made.version = SDB_CONTROL_VERSION;
        made.wanted = m->gap.wanted;
        v->control = made;
        sdb_journal_init(&v->journal, v->card, &geo, made.lba, made.sectors);
        res = sdb_journal_begin(&v->journal);
    }
    if (res == 0) {
        res = sdb_control_reserve(&v->journal, &v->control, buf);
    }
    if (res < 0) {
        make_fail(v, res);
    }
    return res;
}

static int make_empty_file(const struct sdb_fs *fs) {
    int res = fs->mkdir(fs->ctx, "/.sdboot");
    if (res < 0 && res != SDB_EEXIST) {
        return res == SDB_EACCES ? SDB_ENOSPC : res; // what FatFs says when the card is full
    }
    int file = fs->open(fs->ctx, "/.sdboot/journal", 'w');
    return file < 0 ? file : fs->close(fs->ctx, file);
}

int sdb_volume_make_file(struct sdb_volume_make *m, struct sdb_volume *v, const struct sdb_fs *fs,
                         uint8_t *buf) {
    int res = make_empty_file(fs);
    if (res == 0) {
        res = sdb_control_place_file(&v->journal, v->card, &v->control,
                                     m->has_from ? &m->from : NULL, buf);
    }
    if (res < 0) {
        make_fail(v, res);
        return res;
    }
    sdb_volume_set_area(v);
    v->look = false;
    make_forget(m, v, buf);
    m->done |= m->has_from ? SDB_MADE_REPLACED : 0;
    return 0;
}
