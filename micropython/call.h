// SPDX-License-Identifier: MIT
// Calling Python from the core's callbacks: exceptions become negative errno values, because the C
// between the callback and its caller must not be jumped over.
#ifndef SDB_CALL_H
#define SDB_CALL_H

#include "port.h"

// Where an exception that is neither OSError nor MemoryError waits (KeyboardInterrupt, say) until
// sdb_call_end.
struct sdb_call {
    mp_obj_t pending;
};

// An argument of a call. What needs memory is made inside the call, where running out of it can be
// caught.
struct sdb_arg {
    mp_obj_t obj;    // used unless it is MP_OBJ_NULL
    const char *str; // else a string, unless this is NULL
    uint32_t num;    // else a number
};

// Calls obj.method(*args) with up to 3 arguments. Returns 0 with *result set (if not NULL), or
// -errno.
int sdb_call(struct sdb_call *call, mp_obj_t obj, qstr method, mp_obj_t *result, size_t n_args,
             const struct sdb_arg *args);

// Calls obj.method(*args) and returns its result. What FatFs raises as a mere number is said in
// words, other exceptions are handed on.
mp_obj_t sdb_call_named(mp_obj_t obj, qstr method, size_t n_args, const struct sdb_arg *args);

// Calls fun(). Returns 0 with *result set, or -errno.
int sdb_call_function(struct sdb_call *call, mp_obj_t fun, mp_obj_t *result);

// Runs take(ctx, obj), which may raise: what Python has returned need not be what it should.
// Returns what take returns, or -errno.
int sdb_call_take(struct sdb_call *call, int (*take)(void *ctx, mp_obj_t obj), void *ctx,
                  mp_obj_t obj);

// A method's result as a number: None is 0, what is no small int -EIO.
static inline int sdb_call_number(mp_obj_t ret) {
    return ret == mp_const_none       ? 0
           : mp_obj_is_small_int(ret) ? (int)MP_OBJ_SMALL_INT_VALUE(ret)
                                      : -MP_EIO;
}

// mp_iternext(iter): returns 1 with *item, 0 at the end, or -errno.
int sdb_call_next(struct sdb_call *call, mp_obj_t iter, mp_obj_t *item);

// Reads or writes a stream object. Returns the number of bytes or -errno.
int sdb_call_stream(struct sdb_call *call, mp_obj_t stream, void *buf, size_t len, bool write);

// Is there memory for a few bytes at least? There is none while the garbage collector runs, which
// calls the finalisers of what it has found: nobody hears what is raised then.
bool sdb_may_allocate(void);

// Raises OSError(errno, message).
NORETURN void sdb_raise_os_error(int code, const char *message);

// To be called when the core has returned: raises what is pending, else returns `res` as an int.
mp_obj_t sdb_call_end(struct sdb_call *call, int res);

#endif
