// SPDX-License-Identifier: MIT
// machine.Pin: ESP32's pins, their levels from outside (--pin), and who uses which.
#include <string.h>

#include "extmod/virtpin.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "board.h"
#include "sim_types.h"

#define PIN_FIRST_INPUT_ONLY 34
#define PIN_MODE_IN 1
#define PIN_MODE_OUT 3
#define PIN_MODE_OPEN_DRAIN 7
#define PIN_MODE_DRIVES 2
#define PIN_PULL_DOWN 1
#define PIN_PULL_UP 2
#define PIN_NONEXISTENT ((1ull << 24) | (0xfull << 28)) // GPIO 20 exists on some packages

struct pin_obj {
    mp_obj_base_t base;
    uint8_t id;
};

struct pin_state {
    uint8_t mode, pull, out;
};

static struct pin_obj pin_objs[SIM_PINS];
static struct pin_state pin_states[SIM_PINS];
static uint64_t pin_used_as_pin, pin_used_by_card;

// Remembers who uses a pin, and that two did.
void sim_pin_use(int pin, bool by_card, bool used) {
    uint64_t *users = by_card ? &pin_used_by_card : &pin_used_as_pin;
    if (used) {
        *users |= 1ull << pin;
    } else {
        *users &= ~(1ull << pin);
    }
    sim->pins_shared |= pin_used_as_pin & pin_used_by_card;
}

uint64_t sim_pins_of_card(void) {
    return pin_used_by_card;
}

// A soft reset: pins keep their configuration on ESP32, but nobody has a Pin object any more.
void sim_pins_reset(void) {
    pin_used_as_pin = 0;
}

static int pin_level(int id) {
    const struct pin_state *s = &pin_states[id];
    bool drives = (s->mode & PIN_MODE_DRIVES) != 0;
    if (drives && !(s->mode == PIN_MODE_OPEN_DRAIN && s->out)) {
        return s->out;
    }
    if (sim_opt.pin[id] >= 0) {
        return sim_opt.pin[id];
    }
    return s->pull == PIN_PULL_DOWN ? 0 : 1;
}

static struct pin_obj *pin_find(mp_obj_t pin_in) {
    if (mp_obj_is_type(pin_in, &machine_pin_type)) {
        return MP_OBJ_TO_PTR(pin_in);
    }
    if (mp_obj_is_int(pin_in)) {
        mp_int_t id = mp_obj_get_int(pin_in);
        if (id >= 0 && id < SIM_PINS && !(PIN_NONEXISTENT >> id & 1)) {
            pin_objs[id].base.type = &machine_pin_type;
            pin_objs[id].id = (uint8_t)id;
            return &pin_objs[id];
        }
    }
    mp_raise_ValueError(MP_ERROR_TEXT("invalid pin"));
}

int machine_pin_get_id(mp_obj_t pin_in) {
    return pin_find(pin_in)->id;
}

static void pin_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_printf(print, "Pin(%u)", ((struct pin_obj *)MP_OBJ_TO_PTR(self_in))->id);
}

static mp_obj_t pin_init_helper(struct pin_obj *self, size_t n_args, const mp_obj_t *pos_args,
                                mp_map_t *kw_args) {
    enum { ARG_mode, ARG_pull, ARG_value, ARG_drive, ARG_hold };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_mode, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_pull, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_INT(-1)}},
        {MP_QSTR_value, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_PTR(MP_OBJ_NULL)}},
        {MP_QSTR_drive, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_PTR(MP_OBJ_NULL)}},
        {MP_QSTR_hold, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_PTR(MP_OBJ_NULL)}},
    };
    mp_arg_val_t arg[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, arg);
    struct pin_state *s = &pin_states[self->id];
    sim_pin_use(self->id, false, true);
    if (arg[ARG_value].u_obj != MP_OBJ_NULL) {
        s->out = mp_obj_is_true(arg[ARG_value].u_obj);
    }
    if (arg[ARG_mode].u_obj != mp_const_none) {
        mp_int_t mode = mp_obj_get_int(arg[ARG_mode].u_obj);
        if (self->id >= PIN_FIRST_INPUT_ONLY && (mode & PIN_MODE_DRIVES)) {
            mp_raise_ValueError(MP_ERROR_TEXT("pin can only be input"));
        }
        s->mode = (uint8_t)mode;
    }
    if (arg[ARG_pull].u_obj != MP_OBJ_NEW_SMALL_INT(-1)) {
        bool none = arg[ARG_pull].u_obj == mp_const_none;
        s->pull = none ? 0 : (uint8_t)mp_obj_get_int(arg[ARG_pull].u_obj);
    }
    return mp_const_none;
}

mp_obj_t mp_pin_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                         const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    struct pin_obj *self = pin_find(args[0]);
    if (n_args > 1 || n_kw > 0) {
        mp_map_t kw_args;
        mp_map_init_fixed_table(&kw_args, n_kw, args + n_args);
        pin_init_helper(self, n_args - 1, args + 1, &kw_args);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t pin_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    struct pin_obj *self = MP_OBJ_TO_PTR(self_in);
    if (n_args == 0) {
        return MP_OBJ_NEW_SMALL_INT(pin_level(self->id));
    }
    pin_states[self->id].out = mp_obj_is_true(args[0]);
    return mp_const_none;
}

static mp_obj_t pin_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    return pin_init_helper(MP_OBJ_TO_PTR(args[0]), n_args - 1, args + 1, kw_args);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(pin_init_obj, 1, pin_init);

static mp_obj_t pin_value(size_t n_args, const mp_obj_t *args) {
    return pin_call(args[0], n_args - 1, 0, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(pin_value_obj, 1, 2, pin_value);

static mp_obj_t pin_off(mp_obj_t self_in) {
    pin_states[machine_pin_get_id(self_in)].out = 0;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(pin_off_obj, pin_off);

static mp_obj_t pin_on(mp_obj_t self_in) {
    pin_states[machine_pin_get_id(self_in)].out = 1;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(pin_on_obj, pin_on);

static mp_obj_t pin_toggle(mp_obj_t self_in) {
    pin_states[machine_pin_get_id(self_in)].out ^= 1;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(pin_toggle_obj, pin_toggle);

// Levels from outside never change while the board runs, so no edge ever comes.
static mp_obj_t pin_irq(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    (void)n_args;
    (void)kw_args;
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_KW(pin_irq_obj, 1, pin_irq);

static const mp_rom_map_elem_t pin_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&pin_init_obj)},
    {MP_ROM_QSTR(MP_QSTR_value), MP_ROM_PTR(&pin_value_obj)},
    {MP_ROM_QSTR(MP_QSTR_off), MP_ROM_PTR(&pin_off_obj)},
    {MP_ROM_QSTR(MP_QSTR_on), MP_ROM_PTR(&pin_on_obj)},
    {MP_ROM_QSTR(MP_QSTR_toggle), MP_ROM_PTR(&pin_toggle_obj)},
    {MP_ROM_QSTR(MP_QSTR_irq), MP_ROM_PTR(&pin_irq_obj)},
    {MP_ROM_QSTR(MP_QSTR_IN), MP_ROM_INT(PIN_MODE_IN)},
    {MP_ROM_QSTR(MP_QSTR_OUT), MP_ROM_INT(PIN_MODE_OUT)},
    {MP_ROM_QSTR(MP_QSTR_OPEN_DRAIN), MP_ROM_INT(PIN_MODE_OPEN_DRAIN)},
    {MP_ROM_QSTR(MP_QSTR_PULL_UP), MP_ROM_INT(PIN_PULL_UP)},
    {MP_ROM_QSTR(MP_QSTR_PULL_DOWN), MP_ROM_INT(PIN_PULL_DOWN)},
    {MP_ROM_QSTR(MP_QSTR_IRQ_RISING), MP_ROM_INT(1)},
    {MP_ROM_QSTR(MP_QSTR_IRQ_FALLING), MP_ROM_INT(2)},
};
static MP_DEFINE_CONST_DICT(pin_locals_dict, pin_locals_table);

static mp_uint_t pin_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    (void)errcode;
    int id = ((struct pin_obj *)MP_OBJ_TO_PTR(self_in))->id;
    switch (request) {
    case MP_PIN_READ:
        return (mp_uint_t)pin_level(id);
    case MP_PIN_WRITE:
        pin_states[id].out = arg != 0;
        return 0;
    default:
        return (mp_uint_t)-1;
    }
}

static const mp_pin_p_t pin_protocol = {.ioctl = pin_ioctl};

MP_DEFINE_CONST_OBJ_TYPE(machine_pin_type, MP_QSTR_Pin, MP_TYPE_FLAG_NONE, make_new,
                         mp_pin_make_new, print, pin_print, call, pin_call, protocol, &pin_protocol,
                         locals_dict, &pin_locals_dict);
