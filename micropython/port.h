// One source, two forms: a USER_C_MODULES module of a firmware, or a native module (.mpy) that a
// stock firmware loads. What differs between them is here.
#ifndef SDB_PORT_H
#define SDB_PORT_H

#if defined(MICROPY_ENABLE_DYNRUNTIME)
#include "py/dynruntime.h"
#else
#include "py/runtime.h"
#include "py/stream.h"
#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/objtuple.h"
#include "py/binary.h"
#endif

#include "py/nlr.h"

#define SDB_NEW_INT(i) MP_OBJ_NEW_SMALL_INT(i)

#endif
