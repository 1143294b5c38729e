// SPDX-License-Identifier: MIT
// _sdboot.Card: the block device that filesystems are mounted on. All access of sdboot to a card
// goes through the struct sdb_bdev inside it.
#ifndef SDB_CARD_H
#define SDB_CARD_H

#include "objdev.h"

// Guards a journal: whoever it calls must not enter it again, nor must another thread.
struct sdb_gate {
    bool busy;
    bool broken; // somebody has, and what FatFs has in memory is worth nothing; until abort()
};

struct sdb_card {
    mp_obj_base_t base;
    struct sdb_bdev dev;
    struct sdb_call *call; // where exceptions of the device below wait
    mp_obj_t owner;        // keeps alive what dev is part of
    struct sdb_gate *gate; // of the journal below, NULL: none
    const uint32_t *now;   // the device works while *now is `since`; NULL: always
    uint32_t since;
    int (*before_sync)(mp_obj_t owner); // NULL: nothing to do before a sync of the filesystem
    int (*failed)(mp_obj_t owner);      // NULL, or why the device must be mounted anew, else 0
    int error;                          // the first of a device that is used without journal
    bool stop;                          // nothing goes on after it
    uint32_t errors;                    // counts transfers that have failed
    bool dead;                          // another device has taken the place of this one
    bool forgotten;                     // dead, and what is written is ignored in silence
    bool sync_raises;                   // for FAT: MicroPython's glue drops what ioctl(3) returns
    uint32_t block_size;                // bytes, a multiple of 512
    uint8_t bounce[SDB_SECTOR];
    struct sdb_objdev root; // the Python device, if this Card was made from one
};

SDB_TYPE_DECLARE(sdb_card_type);

// The Card in `obj`; raises TypeError if it is something else.
struct sdb_card *sdb_card_get(mp_obj_t obj);

// Enters a gate: 0, or SDB_EBUSY if it is entered already or broken.
int sdb_gate_enter(struct sdb_gate *gate);

// Card(*args) with 1 or 2 arguments: raises what the constructor raises.
mp_obj_t sdb_card_make(size_t n_args, const mp_obj_t *args);

// Is `card` one that has been dropped, with a transaction or for another device?
bool sdb_card_is_dead(const struct sdb_card *card);

// 0, or the error after which nothing but mounting the card anew helps.
int sdb_card_failed(const struct sdb_card *card);

// A Card on `dev`, a part of the object `owner`.
struct sdb_card *sdb_card_new(const struct sdb_bdev *dev, struct sdb_call *call, mp_obj_t owner);

#endif
