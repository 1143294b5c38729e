// _sdboot.Card: the block device that filesystems are mounted on. All access of sdboot to a card
// goes through the struct sdb_bdev inside it.
#ifndef SDB_CARD_H
#define SDB_CARD_H

#include "objdev.h"

struct sdb_card {
    mp_obj_base_t base;
    struct sdb_objdev card;
    uint32_t block_size; // bytes, a multiple of 512
    uint8_t bounce[SDB_SECTOR];
};

extern const mp_obj_type_t sdb_card_type;

// The Card in `obj`; raises TypeError if it is something else.
struct sdb_card *sdb_card_get(mp_obj_t obj);

#endif
