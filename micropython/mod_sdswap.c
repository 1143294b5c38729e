// SPDX-License-Identifier: MIT
// Module _sdswap: puts a staged release in place, checks it, ends its trial, takes it back. Loaded
// at a boot that has such work to do, and to verify.
#include "objfs.h"
#include "objhash.h"
#include "objvolume.h"

#include "core/release/boot.h"
#include "core/error.h"

#define SWAP_BUFFER 4096 // bytes: to read files with

// Everything a call needs, in memory that the garbage collector scans.
struct swap_work {
    struct sdb_objfs fs;
    struct sdb_objvolume volume;
    struct sdb_objhash hash;
    struct sdb_boot boot;
};

static struct swap_work *swap_work_new(mp_obj_t vfs, mp_obj_t volume) {
    struct swap_work *work = sdb_new0(struct swap_work);
    SDB_KEEP(work);
    sdb_objfs_init(&work->fs, vfs, volume);
    sdb_objvolume_init(&work->volume, volume, &work->fs.call, &work->fs.fs);
    work->boot.fs = &work->fs.fs;
    work->boot.store = &work->volume.store;
    work->boot.swap.whole = work->volume.journalled;
    return work;
}

// Gives `work` the class sha256 of hashlib and a buffer to read files into.
static void swap_work_hash(struct swap_work *work, mp_obj_t sha256) {
    sdb_objhash_init(&work->hash, &work->fs.call, sha256, SDB_MANIFEST_DIGEST);
    work->boot.hash = &work->hash.hash;
    work->boot.buf = m_new(uint8_t, SWAP_BUFFER);
    work->boot.len = SWAP_BUFFER;
}

static int swap_run(struct swap_work *work, bool counts) {
    int res = sdb_objvolume_do(&work->volume, MP_QSTR_begin);
    if (res == 0) {
        res = sdb_boot_run(&work->boot, counts);
    }
    if (res >= 0) {
        int committed = sdb_objvolume_do(&work->volume, MP_QSTR_commit);
        res = committed < 0 ? committed : res;
    }
    while (res >= 0 && sdb_boot_tidy(&work->boot) == 1) {
    }
    return res;
}

// run(vfs, volume, sha256, trials, counts) -> (result, state): enum sdb_boot_result or a negative
// error (then the volume must be aborted and mounted again), and the record's state. Without sha256
// (None) the files of a release are not checked.
static mp_obj_t mod_run(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    struct swap_work *work = swap_work_new(args[0], args[1]);
    SDB_KEEP(work);
    work->boot.trials = (uint8_t)mp_obj_get_int(args[3]);
    bool counts = mp_obj_is_true(args[4]);
    if (args[2] != mp_const_none) {
        swap_work_hash(work, args[2]);
    }
    int res = sdb_boot_load(&work->boot);
    if (res == 0) {
        res = swap_run(work, counts);
    }
    if (work->fs.call.pending != MP_OBJ_NULL) {
        sdb_objvolume_do(&work->volume, MP_QSTR_abort); // nobody else knows of the transaction
    }
    mp_obj_t items[2] = {sdb_call_end(&work->fs.call, res),
                         MP_OBJ_NEW_SMALL_INT(work->boot.record.state)};
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_run_obj, 5, 5, mod_run);

// confirm(vfs, volume) -> 1 if there was a trial, else 0, or a negative error
static mp_obj_t mod_confirm(mp_obj_t vfs, mp_obj_t volume) {
    struct swap_work *work = swap_work_new(vfs, volume);
    struct sdb_boot *boot = &work->boot;
    SDB_KEEP(work);
    int res = sdb_boot_load(boot);
    return sdb_call_end(&work->fs.call,
                        res < 0 ? res : sdb_boot_confirm(boot->store, &boot->record));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_confirm_obj, mod_confirm);

// rollback(vfs, volume, event) -> 0: the next boot does it; 1: a staged release is given up; or a
// negative error
static mp_obj_t mod_rollback(mp_obj_t vfs, mp_obj_t volume, mp_obj_t event_in) {
    uint8_t event = (uint8_t)mp_obj_get_int(event_in);
    struct swap_work *work = swap_work_new(vfs, volume);
    SDB_KEEP(work);
    int res = sdb_boot_load(&work->boot);
    return sdb_call_end(&work->fs.call, res < 0 ? res : sdb_boot_rollback(&work->boot, event));
}
static MP_DEFINE_CONST_FUN_OBJ_3(mod_rollback_obj, mod_rollback);

// remove_staged(vfs, volume) -> after rollback() has returned 1: 1 while there is more to do, then
// 0, or a negative error
static mp_obj_t mod_remove_staged(mp_obj_t vfs, mp_obj_t volume) {
    struct swap_work *work = swap_work_new(vfs, volume);
    SDB_KEEP(work);
    int res = sdb_boot_load(&work->boot);
    return sdb_call_end(&work->fs.call, res < 0 ? res : sdb_boot_remove_staged(&work->boot));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mod_remove_staged_obj, mod_remove_staged);

// verify(vfs, main_dir, sha256) -> list of the files that differ, or a negative error
static mp_obj_t mod_verify(mp_obj_t vfs, mp_obj_t main_dir, mp_obj_t sha256) {
    struct swap_work *work = swap_work_new(vfs, mp_const_none);
    struct sdb_verify *v = &work->boot.verify;
    SDB_KEEP(work);
    swap_work_hash(work, sha256);
    sdb_verify_init(v, &work->fs.fs, &work->hash.hash, sdb_chars(main_dir), work->boot.buf,
                    work->boot.len);
    mp_obj_t list = mp_obj_new_list(0, NULL);
    int res;
    while ((res = sdb_verify_next(v)) == 1 || res == SDB_EVERIFY) {
        if (res == SDB_EVERIFY) {
            mp_obj_list_append(list, sdb_str(v->path));
        }
    }
    mp_obj_t code = sdb_call_end(&work->fs.call, res);
    return res < 0 ? code : list;
}
static MP_DEFINE_CONST_FUN_OBJ_3(mod_verify_obj, mod_verify);

#define SDSWAP_TYPES(T)
#define SDSWAP_GLOBALS(X)                                                                          \
    X(MP_QSTR_run, mod_run_obj)                                                                    \
    X(MP_QSTR_confirm, mod_confirm_obj)                                                            \
    X(MP_QSTR_rollback, mod_rollback_obj)                                                          \
    X(MP_QSTR_remove_staged, mod_remove_staged_obj)                                                \
    X(MP_QSTR_verify, mod_verify_obj)

SDB_MODULE(sdb_mod_sdswap, MP_QSTR__sdswap, SDSWAP_GLOBALS, SDSWAP_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sdswap, sdb_mod_sdswap);
