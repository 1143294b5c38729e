// SPDX-License-Identifier: MIT
// machine.Timer with the arguments of ports/esp32/machine_timer.c; the time is kept by irq.c.
#include "py/mphal.h"
#include "py/runtime.h"

#include "board.h"
#include "sim_types.h"

struct timer_obj {
    mp_obj_base_t base;
    uint8_t id;
    bool repeat;
    uint64_t period_us;
    mp_obj_t callback;
};

static void timer_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    struct timer_obj *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "Timer(%u, mode=%q, period=%u)", self->id,
              (qstr)(self->repeat ? MP_QSTR_PERIODIC : MP_QSTR_ONE_SHOT),
              (unsigned)(self->period_us / 1000));
}

static mp_obj_t timer_init_helper(struct timer_obj *self, size_t n_args, const mp_obj_t *pos_args,
                                  mp_map_t *kw_args) {
    enum { ARG_mode, ARG_callback, ARG_period, ARG_tick_hz, ARG_freq };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_mode, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 1}},
        {MP_QSTR_callback, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_period, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 0xffffffff}},
        {MP_QSTR_tick_hz, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 1000}},
        {MP_QSTR_freq, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
    };
    sim_timer_stop(self->id);
    mp_arg_val_t arg[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, arg);
    if (arg[ARG_freq].u_obj != mp_const_none) {
#if MICROPY_PY_BUILTINS_FLOAT
        self->period_us = (uint64_t)(1e6 / mp_obj_get_float(arg[ARG_freq].u_obj));
#else
        self->period_us = 1000000u / (uint64_t)mp_obj_get_int(arg[ARG_freq].u_obj);
#endif
    } else {
        if (arg[ARG_tick_hz].u_int <= 0) {
            mp_raise_ValueError(MP_ERROR_TEXT("invalid tick_hz"));
        }
        self->period_us =
            (uint64_t)arg[ARG_period].u_int * 1000000u / (uint64_t)arg[ARG_tick_hz].u_int;
    }
    self->repeat = arg[ARG_mode].u_int != 0;
    self->callback = arg[ARG_callback].u_obj;
    sim_timer_set(self->id, self->period_us * 1000u, self->repeat, self->callback, self);
    return mp_const_none;
}

static mp_obj_t timer_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                               const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_int_t id = mp_obj_get_int(args[0]);
    if (id < 0 || id >= SIM_TIMERS) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid Timer number"));
    }
    struct timer_obj *self = MP_STATE_PORT(sim_timer_objs)[id];
    if (self == NULL) {
        self = mp_obj_malloc(struct timer_obj, type);
        self->id = (uint8_t)id;
        self->repeat = false;
        self->period_us = 0;
        self->callback = mp_const_none;
        MP_STATE_PORT(sim_timer_objs)[id] = self;
    }
    if (n_args > 1 || n_kw > 0) {
        mp_map_t kw_args;
        mp_map_init_fixed_table(&kw_args, n_kw, args + n_args);
        timer_init_helper(self, n_args - 1, args + 1, &kw_args);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t timer_deinit(mp_obj_t self_in) {
    sim_timer_stop(((struct timer_obj *)MP_OBJ_TO_PTR(self_in))->id);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(timer_deinit_obj, timer_deinit);

static mp_obj_t timer_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    return timer_init_helper(MP_OBJ_TO_PTR(args[0]), n_args - 1, args + 1, kw_args);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(timer_init_obj, 1, timer_init);

static mp_obj_t timer_value(mp_obj_t self_in) {
    uint64_t ns = sim_timer_elapsed_ns(((struct timer_obj *)MP_OBJ_TO_PTR(self_in))->id);
    return mp_obj_new_int_from_ull(ns / 1000000u);
}
static MP_DEFINE_CONST_FUN_OBJ_1(timer_value_obj, timer_value);

static const mp_rom_map_elem_t timer_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_deinit), MP_ROM_PTR(&timer_deinit_obj)},
    {MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&timer_init_obj)},
    {MP_ROM_QSTR(MP_QSTR_value), MP_ROM_PTR(&timer_value_obj)},
    {MP_ROM_QSTR(MP_QSTR_ONE_SHOT), MP_ROM_INT(0)},
    {MP_ROM_QSTR(MP_QSTR_PERIODIC), MP_ROM_INT(1)},
};
static MP_DEFINE_CONST_DICT(timer_locals_dict, timer_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(machine_timer_type, MP_QSTR_Timer, MP_TYPE_FLAG_NONE, make_new,
                         timer_make_new, print, timer_print, locals_dict, &timer_locals_dict);

MP_REGISTER_ROOT_POINTER(void *sim_timer_objs[4]);
