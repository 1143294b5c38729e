// SPDX-License-Identifier: MIT
// Included by extmod/modtime.c: the time of the board's clock, whole seconds since 2000.
#include "py/mphal.h"
#include "shared/timeutils/timeutils.h"

static mp_uint_t sim_time_seconds(void) {
    return (mp_uint_t)(mp_hal_time_ns() / 1000000000u - TIMEUTILS_SECONDS_1970_TO_2000);
}

static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(sim_time_seconds(), &tm);
    mp_obj_t tuple[8] = {
        MP_OBJ_NEW_SMALL_INT(tm.tm_year), MP_OBJ_NEW_SMALL_INT(tm.tm_mon),
        MP_OBJ_NEW_SMALL_INT(tm.tm_mday), MP_OBJ_NEW_SMALL_INT(tm.tm_hour),
        MP_OBJ_NEW_SMALL_INT(tm.tm_min),  MP_OBJ_NEW_SMALL_INT(tm.tm_sec),
        MP_OBJ_NEW_SMALL_INT(tm.tm_wday), MP_OBJ_NEW_SMALL_INT(tm.tm_yday),
    };
    return mp_obj_new_tuple(8, tuple);
}

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_uint(sim_time_seconds());
}
