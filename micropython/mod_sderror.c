// SPDX-License-Identifier: MIT
// Module _sderror: what the error codes mean. Loaded when there is one to tell.
#include "port.h"

#include "core/error.h"

#include <string.h>

// strerror(code) -> message
static mp_obj_t mod_strerror(mp_obj_t code) {
    return sdb_str(sdb_strerror((int)mp_obj_get_int(code)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_strerror_obj, mod_strerror);

#define SDERROR_TYPES(T)
#define SDERROR_GLOBALS(X) X(MP_QSTR_strerror, mod_strerror_obj)

SDB_MODULE(sdb_mod_sderror, MP_QSTR__sderror, SDERROR_GLOBALS, SDERROR_TYPES);
MP_REGISTER_MODULE(MP_QSTR__sderror, sdb_mod_sderror);
