// SPDX-License-Identifier: MIT
#include "card.h"

#include "core/card/blocks.h"
#include "core/error.h"

enum { CARD_INIT = 1, CARD_DEINIT, CARD_SYNC, CARD_COUNT, CARD_SIZE, CARD_ERASE };

#define CARD_BLOCK_MAX (1u << 20) // bytes: a sane block, and a number that fits

struct sdb_card *sdb_card_get(mp_obj_t obj) {
    return sdb_object(obj, SDB_TYPE_PTR(sdb_card_type));
}

struct sdb_card *sdb_card_new(const struct sdb_bdev *dev, struct sdb_call *call, mp_obj_t owner) {
    struct sdb_card *self = mp_obj_malloc(struct sdb_card, SDB_TYPE_PTR(sdb_card_type));
    self->dev = *dev;
    self->call = call;
    self->owner = owner;
    self->gate = NULL;
    self->now = NULL;
    self->before_sync = NULL;
    self->failed = NULL;
    self->error = 0;
    self->stop = false;
    self->errors = 0;
    self->dead = false;
    self->forgotten = false;
    self->sync_raises = false;
    self->block_size = SDB_SECTOR;
    return self;
}

// Card(bdev, block_size=512)
mp_obj_t sdb_card_make(size_t n_args, const mp_obj_t *args) {
    uint32_t block_size = n_args > 1 ? (uint32_t)mp_obj_get_int_truncated(args[1]) : SDB_SECTOR;
    if (block_size < SDB_SECTOR || block_size % SDB_SECTOR != 0 || block_size > CARD_BLOCK_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("block_size must be a multiple of 512"));
    }
    struct sdb_card *self;
    if (mp_obj_get_type(args[0]) == SDB_TYPE_PTR(sdb_card_type)) {
        struct sdb_card *other = MP_OBJ_TO_PTR(args[0]);
        self = sdb_card_new(&other->dev, other->call,
                            other->owner != MP_OBJ_NULL ? other->owner : args[0]);
        self->gate = other->gate;
        self->now = other->now;
        self->since = other->since;
        self->before_sync = other->before_sync;
    } else {
        const struct sdb_bdev none = {0};
        self = sdb_card_new(&none, NULL, MP_OBJ_NULL);
        self->call = &self->root.call;
        SDB_KEEP(self);
        int res = sdb_objdev_init(&self->root, args[0]);
        sdb_call_end(self->call, res);
        if (res < 0) {
            mp_raise_OSError(-res);
        }
        self->dev = self->root.dev;
    }
    self->block_size = block_size;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t card_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                              const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 1, 2, false);
    return sdb_card_make(n_args, args);
}

typedef int (*card_transfer_t)(struct sdb_card *self, uint32_t block, uint32_t off,
                               mp_buffer_info_t *buf);

static int card_read(struct sdb_card *self, uint32_t block, uint32_t off, mp_buffer_info_t *buf) {
    return sdb_blocks_read(&self->dev, self->block_size, block, off, buf->buf, (uint32_t)buf->len,
                           self->bounce);
}

static int card_write(struct sdb_card *self, uint32_t block, uint32_t off, mp_buffer_info_t *buf) {
    return sdb_blocks_write(&self->dev, self->block_size, block, off, buf->buf, (uint32_t)buf->len,
                            self->bounce);
}

// Writes at an offset are littlefs's, which relies on their order.
static int card_program(struct sdb_card *self, uint32_t block, uint32_t off,
                        mp_buffer_info_t *buf) {
    return sdb_blocks_program(&self->dev, self->block_size, block, off, buf->buf,
                              (uint32_t)buf->len, self->bounce);
}

bool sdb_card_is_dead(const struct sdb_card *self) {
    return self->dead || (self->now != NULL && *self->now != self->since);
}

int sdb_card_failed(const struct sdb_card *self) {
    return self->stop ? self->error : self->failed != NULL ? self->failed(self->owner) : 0;
}

// Notes an error. littlefs, whose calls have an offset, believes what its caches hold after a read
// that has failed: it must not go on. FatFs may.
static void card_note(struct sdb_card *self, int res, bool write, bool offset) {
    if (res >= 0) {
        return;
    }
    self->errors++;
    self->stop = self->stop || offset;
    if (self->error == 0 && (write || offset)) {
        self->error = res;
    }
}

int sdb_gate_enter(struct sdb_gate *gate) {
    gate->broken |= gate->busy;
    if (gate->broken) {
        return SDB_EBUSY;
    }
    gate->busy = true;
    return 0;
}

// An exception that is about to jump out of FatFs leaves it in the middle of something.
static int card_leave(struct sdb_card *self, int res) {
    if (self->gate != NULL) {
        self->gate->busy = false;
        self->gate->broken |= self->call->pending != MP_OBJ_NULL;
    }
    return res;
}

// FatFs and littlefs make a bare EIO of any error of the card: whoever would be told is told here.
static NORETURN void card_raise(int res, const char *message) {
    if (!sdb_may_allocate()) {
        mp_raise_OSError(-res);
    }
    sdb_raise_os_error(-res, message);
}

static NORETURN void card_raise_failed(int res) {
    card_raise(res, res == SDB_EBUSY
                        ? "a timer, thread or driver has used files in the middle of another "
                          "access: call sdboot.recover(), open files again"
                    : res == SDB_EROFS ? "the card is write-protected"
                                       : "the card has failed, what was not flushed is lost: call "
                                         "sdboot.recover(), open files again");
}

// What is dead is never used again, so that an exception may jump out of the filesystem. A file of
// FatFs that the garbage collector closes is lost in silence: nobody is there to be told. littlefs
// needs to know that it can't read.
static bool card_is_lost(struct sdb_card *self) {
    if (!self->forgotten && sdb_card_is_dead(self)) {
        if (sdb_may_allocate()) {
            card_raise(SDB_EIO, "the card has been mounted anew since, what was not flushed is "
                                "lost: open the file again");
        }
        return self->sync_raises;
    }
    return self->forgotten;
}

static int card_sync(struct sdb_card *self) {
    if (card_is_lost(self)) {
        return 0;
    }
    if (sdb_card_is_dead(self)) {
        return SDB_ENODEV;
    }
    int res = sdb_card_failed(self);
    if (res < 0) {
        return res;
    }
    res = self->before_sync != NULL ? self->before_sync(self->owner) : 0;
    if (res == 0 && self->gate != NULL) {
        res = sdb_gate_enter(self->gate);
    }
    return res < 0 ? res : card_leave(self, self->dev.sync(self->dev.ctx));
}

// readblocks(block, buf), readblocks(block, buf, offset) and likewise writeblocks: 0 or -errno.
static mp_obj_t card_transfer(size_t n_args, const mp_obj_t *args, mp_uint_t flags,
                              card_transfer_t transfer) {
    struct sdb_card *self = sdb_card_get(args[0]);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, flags);
    if (card_is_lost(self)) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    uint32_t off = n_args > 3 ? (uint32_t)mp_obj_get_int_truncated(args[3]) : 0;
    int res = sdb_card_is_dead(self) ? SDB_ENODEV : sdb_card_failed(self);
    if (res == 0 && self->gate != NULL) {
        res = sdb_gate_enter(self->gate);
    }
    if (res == 0) {
        uint32_t block = (uint32_t)mp_obj_get_int_truncated(args[1]);
        res = card_leave(self, transfer(self, block, off, &buf));
    }
    card_note(self, res, flags == MP_BUFFER_READ, n_args > 3);
    mp_obj_t ret = sdb_call_end(self->call, res);
    // FatFs would call it an error of the card. As after a sync, all of it is given up.
    if (res == SDB_ENOSPC && self->sync_raises) {
        sdb_raise_os_error(-res, "more changes than fit into one transaction, see "
                                 "sdboot.status()[\"transaction\"]: nothing of it is kept");
    }
    if (res < 0 && flags == MP_BUFFER_READ && self->sync_raises && sdb_card_failed(self) < 0) {
        card_raise_failed(res);
    }
    return ret;
}

static mp_obj_t card_readblocks(size_t n_args, const mp_obj_t *args) {
    return card_transfer(n_args, args, MP_BUFFER_WRITE, card_read);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(card_readblocks_obj, 3, 4, card_readblocks);

static mp_obj_t card_writeblocks(size_t n_args, const mp_obj_t *args) {
    return card_transfer(n_args, args, MP_BUFFER_READ, n_args > 3 ? card_program : card_write);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(card_writeblocks_obj, 3, 4, card_writeblocks);

static mp_obj_t card_ioctl(mp_obj_t self_in, mp_obj_t op, mp_obj_t arg) {
    struct sdb_card *self = sdb_card_get(self_in);
    const struct sdb_bdev *dev = &self->dev;
    (void)arg;
    switch (mp_obj_get_int(op)) {
    case CARD_INIT:
    case CARD_DEINIT:
    case CARD_ERASE: // a card erases by itself
        return MP_OBJ_NEW_SMALL_INT(0);
    case CARD_SYNC: {
        int res = card_sync(self);
        mp_obj_t ret = sdb_call_end(self->call, res);
        // It is the last step of every operation of FatFs: what the exception jumps over is of no
        // use any more, nothing will be committed before recover() has mounted anew.
        if (res < 0 && self->sync_raises) {
            card_raise_failed(res);
        }
        return ret;
    }
    case CARD_COUNT:
        return mp_obj_new_int_from_uint(dev->sectors / (self->block_size / SDB_SECTOR));
    case CARD_SIZE:
        return MP_OBJ_NEW_SMALL_INT(self->block_size);
    default:
        return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(card_ioctl_obj, card_ioctl);

#define CARD_METHODS(X)                                                                            \
    X(MP_QSTR_readblocks, card_readblocks_obj)                                                     \
    X(MP_QSTR_writeblocks, card_writeblocks_obj)                                                   \
    X(MP_QSTR_ioctl, card_ioctl_obj)

SDB_TYPE(sdb_card_type, MP_QSTR_Card, card_make_new, CARD_METHODS);
