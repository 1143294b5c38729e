// SPDX-License-Identifier: MIT
// The board's clock and machine.RTC. It starts at 2000-01-01 at power-on and keeps time over
// resets, as ESP32's does.
#include <time.h>

#include "lib/oofatfs/ff.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"

#include "board.h"
#include "sim_types.h"

#define CLOCK_2000_NS ((int64_t)TIMEUTILS_SECONDS_1970_TO_2000 * 1000000000LL)

int64_t sim_clock_ns(void) {
    return (int64_t)sim_now_ns() + sim->clock_ns;
}

// Nanoseconds since 1970; -1: what the clock says after power-on.
void sim_clock_set_ns(int64_t ns) {
    if (ns < 0) {
        ns = sim_host || sim_opt.clock_set ? sim_host_clock_ns() : CLOCK_2000_NS;
    }
    sim->clock_ns = ns - (int64_t)sim_now_ns();
}

// Since the last hard reset (that is, since this process began): a soft reset does not touch it.
static uint64_t clock_ticks_ns(void) {
    static uint64_t start;
    if (start == 0) {
        start = sim_now_ns();
    }
    return sim_now_ns() - start;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(clock_ticks_ns() / 1000000);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(clock_ticks_ns() / 1000);
}

// libmbedtls checks the dates of certificates with this.
time_t time(time_t *t) {
    time_t now = sim != NULL ? sim_clock_ns() / 1000000000LL : sim_host_clock_ns() / 1000000000LL;
    if (t != NULL) {
        *t = now;
    }
    return now;
}

static void clock_get(timeutils_struct_time_t *tm, mp_int_t *us) {
    int64_t ns = sim_clock_ns();
    timeutils_seconds_since_epoch_to_struct_time((mp_uint_t)((ns - CLOCK_2000_NS) / 1000000000LL),
                                                 tm);
    *us = ns / 1000 % 1000000;
}

DWORD get_fattime(void) {
    timeutils_struct_time_t tm;
    mp_int_t us;
    clock_get(&tm, &us);
    return ((DWORD)(tm.tm_year - 1980) << 25) | ((DWORD)tm.tm_mon << 21) |
           ((DWORD)tm.tm_mday << 16) | ((DWORD)tm.tm_hour << 11) | ((DWORD)tm.tm_min << 5) |
           ((DWORD)tm.tm_sec >> 1);
}

// machine.RTC: datetime() and init()

static const mp_obj_base_t clock_rtc_obj = {&sim_rtc_type};

static mp_obj_t clock_rtc_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                   const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&clock_rtc_obj);
}

static mp_obj_t clock_rtc_set(mp_obj_t tuple, int hour) {
    mp_obj_t *items;
    mp_obj_get_array_fixed_n(tuple, 8, &items);
    mp_uint_t seconds = timeutils_seconds_since_epoch(
        mp_obj_get_int(items[0]), mp_obj_get_int(items[1]), mp_obj_get_int(items[2]),
        mp_obj_get_int(items[hour]), mp_obj_get_int(items[hour + 1]),
        mp_obj_get_int(items[hour + 2]));
    int64_t us = mp_obj_get_int(items[7]);
    sim_clock_set_ns(CLOCK_2000_NS + (int64_t)seconds * 1000000000LL + us * 1000);
    return mp_const_none;
}

static mp_obj_t clock_rtc_datetime(size_t n_args, const mp_obj_t *args) {
    if (n_args == 2) {
        return clock_rtc_set(args[1], 4);
    }
    timeutils_struct_time_t tm;
    mp_int_t us;
    clock_get(&tm, &us);
    mp_obj_t tuple[8] = {
        MP_OBJ_NEW_SMALL_INT(tm.tm_year), MP_OBJ_NEW_SMALL_INT(tm.tm_mon),
        MP_OBJ_NEW_SMALL_INT(tm.tm_mday), MP_OBJ_NEW_SMALL_INT(tm.tm_wday),
        MP_OBJ_NEW_SMALL_INT(tm.tm_hour), MP_OBJ_NEW_SMALL_INT(tm.tm_min),
        MP_OBJ_NEW_SMALL_INT(tm.tm_sec),  MP_OBJ_NEW_SMALL_INT(us),
    };
    return mp_obj_new_tuple(8, tuple);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(clock_rtc_datetime_obj, 1, 2, clock_rtc_datetime);

static mp_obj_t clock_rtc_init(mp_obj_t self_in, mp_obj_t tuple) {
    (void)self_in;
    return clock_rtc_set(tuple, 3);
}
static MP_DEFINE_CONST_FUN_OBJ_2(clock_rtc_init_obj, clock_rtc_init);

static const mp_rom_map_elem_t clock_rtc_table[] = {
    {MP_ROM_QSTR(MP_QSTR_datetime), MP_ROM_PTR(&clock_rtc_datetime_obj)},
    {MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&clock_rtc_init_obj)},
};
static MP_DEFINE_CONST_DICT(clock_rtc_dict, clock_rtc_table);

MP_DEFINE_CONST_OBJ_TYPE(sim_rtc_type, MP_QSTR_RTC, MP_TYPE_FLAG_NONE, make_new, clock_rtc_make_new,
                         locals_dict, &clock_rtc_dict);
