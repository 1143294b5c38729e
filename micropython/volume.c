// SPDX-License-Identifier: MIT
#include "volume.h"

#include "core/error.h"

struct sdb_volume_obj *sdb_volume_get(mp_obj_t obj) {
    if (obj == mp_const_none) {
        return NULL;
    }
    return sdb_object(obj, SDB_TYPE_PTR(sdb_volume_type));
}

// Of a method, which is called on a Volume.
static struct sdb_volume_obj *volume_self(mp_obj_t obj) {
    return sdb_object(obj, SDB_TYPE_PTR(sdb_volume_type));
}

static mp_obj_t volume_end(struct sdb_volume_obj *self, int res) {
    return sdb_call_end(self->card->call, res);
}

// Volume(card, journal): journal is 2 for one with a log, else true or false. Raises OSError if the
// card can't be read or holds no FAT.
static mp_obj_t volume_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    struct sdb_volume_obj *self = mp_obj_malloc(struct sdb_volume_obj, type);
    self->card = sdb_card_get(args[0]);
    self->mounts = 0;
    self->gate.busy = false;
    self->gate.broken = false;
    self->flusher = MP_OBJ_NULL;
    self->guard = MP_OBJ_NULL;
    self->broken = false;
    self->committed = false;
    self->log = args[1] == MP_OBJ_NEW_SMALL_INT(2);
    SDB_KEEP(self);
    int res = sdb_volume_open(&self->volume, &self->card->dev, mp_obj_is_true(args[1]),
                              self->card->bounce);
    volume_end(self, res);
    if (res < 0) {
        mp_raise_OSError(-res);
    }
    return MP_OBJ_FROM_PTR(self);
}

static bool volume_is_journalled(const struct sdb_volume_obj *self) {
    return sdb_volume_why(&self->volume) == 0;
}

// Runs a step of the journal, which calls the device.
static int volume_step(struct sdb_volume_obj *self, int (*step)(struct sdb_journal *journal)) {
    int res = volume_is_journalled(self) ? sdb_gate_enter(&self->gate) : SDB_EINVAL;
    if (res == 0) {
        res = step(sdb_volume_journal(&self->volume));
        self->gate.busy = false;
    }
    return res;
}

#if SDB_JOURNAL_LOG
void sdb_volume_bring_home(mp_obj_t obj) {
    struct sdb_volume_obj *self = sdb_volume_get(obj);
    struct sdb_journal *journal = sdb_volume_journal(&self->volume);
    if (sdb_journal_records(journal) > 0 && !sdb_journal_is_open(journal)) {
        volume_step(self, sdb_journal_checkpoint);
        self->card->call->pending = MP_OBJ_NULL;
    }
}
#endif

static int volume_flush(struct sdb_volume_obj *self) {
    struct sdb_journal *journal = sdb_volume_journal(&self->volume);
    if (self->flusher == MP_OBJ_NULL || sdb_journal_is_deferred(journal)) {
        return 0;
    }
    mp_obj_t ret;
    sdb_journal_defer(journal, true);
    int res = sdb_call(self->card->call, self->flusher, MP_QSTR_flush, &ret, 0, NULL);
    sdb_journal_defer(journal, false);
    return res < 0 ? res : sdb_call_number(ret);
}

// May who calls commit what is open? 0, or SDB_EBUSY and what the guard says waits to be raised.
static int volume_may_commit(struct sdb_volume_obj *self) {
    mp_obj_t said = mp_const_none;
    if (self->guard == MP_OBJ_NULL || !sdb_journal_is_open(sdb_volume_journal(&self->volume))) {
        return 0;
    }
    int res = sdb_call_function(self->card->call, self->guard, &said);
    if (res == 0 && said != mp_const_none) {
        self->card->call->pending = said;
        res = SDB_EBUSY;
    }
    return res;
}

// FatFs syncs as the last thing of an operation: its window is clean then, and it may be entered
// again for the other file.
static int volume_before_sync(mp_obj_t owner) {
    struct sdb_volume_obj *self = MP_OBJ_TO_PTR(owner);
    int res = volume_may_commit(self);
    return res < 0 || sdb_journal_is_open(sdb_volume_journal(&self->volume)) ? res
                                                                             : volume_flush(self);
}

// After an error of it the filesystem may be in the middle of something.
static int volume_failed(mp_obj_t owner) {
    struct sdb_volume_obj *self = MP_OBJ_TO_PTR(owner);
    return self->gate.broken ? SDB_EBUSY
           : self->broken    ? SDB_EIO
                             : sdb_journal_failed(sdb_volume_journal(&self->volume));
}

// device() -> block device to mount; dead after the next abort
static mp_obj_t volume_device(mp_obj_t self_in) {
    struct sdb_volume_obj *self = volume_self(self_in);
    struct sdb_bdev dev;
    sdb_volume_bdev(&self->volume, &dev);
    sdb_journal_log(sdb_volume_journal(&self->volume), self->log);
    struct sdb_card *card = sdb_card_new(&dev, self->card->call, self_in);
    card->gate = &self->gate;
    card->now = &self->mounts;
    card->since = self->mounts;
    card->before_sync = volume_before_sync;
    card->failed = volume_failed;
    card->sync_raises = true;
    return MP_OBJ_FROM_PTR(card);
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_device_obj, volume_device);

// info() -> (replay result, 0 or why there is no journal, first sector of the control area, its
// sectors, error that blocks the journal until abort, sectors that fit in a transaction, records
// in the log, -1: there is none, clusters may be lost); mounted.py has names for them
static mp_obj_t volume_info(mp_obj_t self_in) {
    struct sdb_volume_obj *self = volume_self(self_in);
    struct sdb_volume *v = &self->volume;
    int failed = self->gate.broken ? SDB_EBUSY : sdb_journal_failed(sdb_volume_journal(v));
    uint32_t lba, sectors;
    sdb_volume_area(v, &lba, &sectors);
    mp_obj_t items[8] = {
        MP_OBJ_NEW_SMALL_INT(sdb_volume_replayed(v)),
        MP_OBJ_NEW_SMALL_INT(sdb_volume_why(v)),
        mp_obj_new_int_from_uint(lba),
        mp_obj_new_int_from_uint(sectors),
        MP_OBJ_NEW_SMALL_INT(failed),
        MP_OBJ_NEW_SMALL_INT(sdb_journal_slots(sdb_volume_journal(v))),
        MP_OBJ_NEW_SMALL_INT(sdb_journal_records(sdb_volume_journal(v))),
        MP_OBJ_NEW_SMALL_INT(sdb_volume_parted(v)),
    };
    return mp_obj_new_tuple(8, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_info_obj, volume_info);

// abort(): forgets what is not committed; every device handed out so far is dead
static mp_obj_t volume_abort(mp_obj_t self_in) {
    struct sdb_volume_obj *self = volume_self(self_in);
    if (self->gate.busy) {
        self->gate.broken = true; // its caller is told, and calls again
        return MP_OBJ_NEW_SMALL_INT(SDB_EBUSY);
    }
    sdb_journal_abort(sdb_volume_journal(&self->volume));
    self->gate.broken = false;
    self->mounts++;
    self->flusher = MP_OBJ_NULL; // its file is of what is dead
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_abort_obj, volume_abort);

// settle() -> 0: nothing of the last commit is in place, 1: all of it, or a negative error: that is
// not known yet. After an abort, before device(): does what the next boot would do.
static mp_obj_t volume_settle(mp_obj_t self_in) {
    struct sdb_volume_obj *self = volume_self(self_in);
    struct sdb_volume *v = &self->volume;
    if (!self->broken && !sdb_journal_is_dead(sdb_volume_journal(v))) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    self->committed = self->committed || sdb_journal_is_committed(sdb_volume_journal(v));
    self->broken = true;
    int res = sdb_volume_open(v, &self->card->dev, true, self->card->bounce);
    if (res == 0) {
        // Without an area now, or changed by somebody else: not the card that it was.
        res = sdb_volume_why(v) < 0 || sdb_volume_replayed(v) == SDB_REPLAY_FOREIGN ? SDB_EIO
              : self->committed                                                     ? 1
                                : sdb_volume_replayed(v);
        self->broken = res < 0;
        self->committed = self->committed && res < 0;
    }
    return volume_end(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_settle_obj, volume_settle);

// begin(), commit() -> 0 or a negative error: an explicit transaction. begin(guard): guard() is
// asked at each commit of somebody else's in it, and returns None or the exception for that one.
static mp_obj_t volume_begin(size_t n_args, const mp_obj_t *args) {
    struct sdb_volume_obj *self = volume_self(args[0]);
    int res = volume_flush(self);
    res = res < 0 ? res : volume_step(self, sdb_journal_begin);
    if (res == 0) {
        self->guard = n_args > 1 && args[1] != mp_const_none ? args[1] : MP_OBJ_NULL;
    }
    return volume_end(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(volume_begin_obj, 1, 2, volume_begin);

static mp_obj_t volume_commit(mp_obj_t self_in) {
    struct sdb_volume_obj *self = volume_self(self_in);
    int res = volume_flush(self);
    return volume_end(self, res < 0 ? res : volume_step(self, sdb_journal_commit));
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_commit_obj, volume_commit);

// ---- For the modules of updates, which see a Volume as a Python object (objvolume.h) ------------

// has() -> SDB_VOLUME_RECORD | SDB_VOLUME_JOURNAL | SDB_VOLUME_CARE
static mp_obj_t volume_has(mp_obj_t self_in) {
    const struct sdb_volume *v = &volume_self(self_in)->volume;
    int has = (sdb_volume_has_record(v) ? SDB_VOLUME_RECORD : 0) |
              (sdb_volume_why(v) == 0 ? SDB_VOLUME_JOURNAL : 0) |
              (sdb_volume_needs_care(v) ? SDB_VOLUME_CARE : 0);
    return MP_OBJ_NEW_SMALL_INT(has);
}
static MP_DEFINE_CONST_FUN_OBJ_1(volume_has_obj, volume_has);

// slot(number, buf, write) -> 0 or a negative error: the state record's sector is read or written
static mp_obj_t volume_slot(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    struct sdb_volume_obj *self = volume_self(args[0]);
    struct sdb_record_store store;
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    if (!sdb_volume_has_record(&self->volume) || buf.len != SDB_RECORD_SIZE) {
        return MP_OBJ_NEW_SMALL_INT(SDB_EINVAL);
    }
    int number = (int)mp_obj_get_int(args[1]);
    bool write = mp_obj_is_true(args[3]);
    int res = write ? volume_may_commit(self) : 0;
    if (res == 0) {
        res = self->gate.busy ? SDB_EBUSY : sdb_gate_enter(&self->gate);
    }
    if (res == 0) {
        sdb_volume_store(&self->volume, &store);
        res = write ? store.write(store.ctx, number, buf.buf)
                    : store.read(store.ctx, number, buf.buf);
        self->gate.busy = false;
    }
    return volume_end(self, res);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(volume_slot_obj, 4, 4, volume_slot);

// defer(True): syncs are no commits until defer(False). defer(install) likewise, or a negative
// error if that is not watched any more: an abort may have dropped files of it.
static mp_obj_t volume_defer(mp_obj_t self_in, mp_obj_t on) {
    struct sdb_volume_obj *self = volume_self(self_in);
    if (on != mp_const_true && on != mp_const_false && on != self->flusher) {
        return MP_OBJ_NEW_SMALL_INT(SDB_ECANCELED);
    }
    sdb_journal_defer(sdb_volume_journal(&self->volume), on != mp_const_false);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(volume_defer_obj, volume_defer);

// checkpoint(must) -> 0 or a negative error: commits, if it must be or before the journal gets
// full. checkpoint(2): not what an open transaction holds, that is an error
static mp_obj_t volume_checkpoint(mp_obj_t self_in, mp_obj_t must) {
    struct sdb_volume_obj *self = volume_self(self_in);
    bool due = mp_obj_is_true(must) || sdb_journal_full(sdb_volume_journal(&self->volume));
    int res = due ? volume_may_commit(self) : 0;
    if (must == MP_OBJ_NEW_SMALL_INT(2) && sdb_journal_is_open(sdb_volume_journal(&self->volume))) {
        res = SDB_EBUSY;
    }
    return volume_end(self, due && res == 0 ? volume_step(self, sdb_journal_checkpoint) : res);
}
static MP_DEFINE_CONST_FUN_OBJ_2(volume_checkpoint_obj, volume_checkpoint);

// watch(install): its flush() is called before anybody else's commit; None ends that
static mp_obj_t volume_watch(mp_obj_t self_in, mp_obj_t install) {
    volume_self(self_in)->flusher = install == mp_const_none ? MP_OBJ_NULL : install;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(volume_watch_obj, volume_watch);

#define VOLUME_METHODS(X)                                                                          \
    X(MP_QSTR_device, volume_device_obj)                                                           \
    X(MP_QSTR_info, volume_info_obj)                                                               \
    X(MP_QSTR_abort, volume_abort_obj)                                                             \
    X(MP_QSTR_settle, volume_settle_obj)                                                           \
    X(MP_QSTR_begin, volume_begin_obj)                                                             \
    X(MP_QSTR_commit, volume_commit_obj)                                                           \
    X(MP_QSTR_has, volume_has_obj)                                                                 \
    X(MP_QSTR_slot, volume_slot_obj)                                                               \
    X(MP_QSTR_defer, volume_defer_obj)                                                             \
    X(MP_QSTR_checkpoint, volume_checkpoint_obj)                                                   \
    X(MP_QSTR_watch, volume_watch_obj)

SDB_TYPE(sdb_volume_type, MP_QSTR_Volume, volume_make_new, VOLUME_METHODS);
