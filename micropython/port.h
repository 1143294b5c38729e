// SPDX-License-Identifier: MIT
// One source, two forms: modules of a firmware (USER_C_MODULES), or native modules (.mpy) that a
// stock firmware loads, where a module can reach MicroPython through one table of functions only
// and has no constant that knows where it is. What differs between them is here.
#ifndef SDB_PORT_H
#define SDB_PORT_H

#if defined(MICROPY_ENABLE_DYNRUNTIME)

#include "py/dynruntime.h"
#include "native/port_native.h"

#else

#include "py/runtime.h"
#include "py/nlr.h"
#include "py/stream.h"
#include "port_firmware.h"

#endif

#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/objtuple.h"
#include "py/binary.h"

#include <string.h>

static inline mp_obj_t sdb_str(const char *s) {
    return mp_obj_new_str(s, strlen(s));
}

// Keeps the object at `start` until the end of the function. The garbage collector knows an object
// by a pointer to its start only, and a compiler may well keep but a pointer to a member. To be
// used by whoever makes an object and then calls Python, or what may: a device's callbacks, say.
#ifndef SDB_KEEP // else this is a mutant: tests/mutants
#define SDB_KEEP(start)                                                                            \
    void *volatile sdb_kept = (start);                                                             \
    (void)sdb_kept
#endif

// The object that a method is called on, or an argument that has to be one of `type`. Raises
// TypeError: a subclass need not have called __init__, and anything can be handed over.
__attribute__((unused)) static MP_NOINLINE void *sdb_object(mp_obj_t obj,
                                                            const mp_obj_type_t *type) {
    if (mp_obj_get_type(obj) != type) {
        mp_raise_TypeError(MP_ERROR_TEXT("wrong type"));
    }
    return MP_OBJ_TO_PTR(obj);
}

// The characters of a str, zero-terminated, which a bytearray's are not. Raises TypeError.
static inline const char *sdb_chars(mp_obj_t obj) {
    sdb_object(obj, &mp_type_str);
    return mp_obj_str_get_str(obj);
}

// A bytearray on the stack: memory that is lent to a Python method for one call.
#define SDB_BYTEARRAY(buf, len)                                                                    \
    { {SDB_TYPE_BYTEARRAY}, BYTEARRAY_TYPECODE, 0, (len), (void *)(buf) }

#endif
