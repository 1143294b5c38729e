// SPDX-License-Identifier: MIT
// Included by extmod/modmachine.c: ESP32's part of module machine.
#include "board.h"
#include "sim_types.h"

// clang-format off
#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_sleep), MP_ROM_PTR(&machine_lightsleep_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_Timer), MP_ROM_PTR(&machine_timer_type) }, \
    { MP_ROM_QSTR(MP_QSTR_SDCard), MP_ROM_PTR(&machine_sdcard_type) }, \
    { MP_ROM_QSTR(MP_QSTR_Pin), MP_ROM_PTR(&machine_pin_type) }, \
    { MP_ROM_QSTR(MP_QSTR_RTC), MP_ROM_PTR(&sim_rtc_type) }, \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(SIM_HARD) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(SIM_PWRON) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT_RESET), MP_ROM_INT(SIM_WDT) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP_RESET), MP_ROM_INT(SIM_DEEPSLEEP) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(SIM_SOFT) },
// clang-format on

static mp_int_t sim_machine_mhz = 160;

static mp_obj_t mp_machine_get_freq(void) {
    return mp_obj_new_int(sim_machine_mhz * 1000000);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_int_t freq = mp_obj_get_int(args[0]) / 1000000;
    if (freq != 20 && freq != 40 && freq != 80 && freq != 160 && freq != 240) {
        mp_raise_ValueError(
            MP_ERROR_TEXT("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz"));
    }
    sim_machine_mhz = freq;
}

static mp_int_t mp_machine_reset_cause(void) {
    return sim->cause;
}

NORETURN static void mp_machine_reset(void) {
    sim_hard_reset(SIM_HARD);
}

// Sleeps without a wake-up source last until the board is switched off.
static void sim_machine_sleep(size_t n_args, const mp_obj_t *args) {
    if (n_args == 0 || sim_host) {
        sim_power_off(0, "board: asleep without a wake-up source, switched off");
    }
    uint64_t end = sim_now_ns() + (uint64_t)mp_obj_get_int(args[0]) * 1000000u;
    for (uint64_t now; (now = sim_now_ns()) < end;) {
        uint64_t left = (end - now + 999999u) / 1000000u;
        sim_irq_wait(left > 1000 ? 1000 : (int)left);
    }
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    sim_machine_sleep(n_args, args);
}

NORETURN static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    sim_wdt_set(0);
    sim_machine_sleep(n_args, args);
    sim_hard_reset(SIM_DEEPSLEEP);
}

static mp_obj_t mp_machine_unique_id(void) {
    return mp_obj_new_bytes(sim_opt.unique_id, sizeof(sim_opt.unique_id));
}

static void mp_machine_idle(void) {
    sim_irq_wait(1);
}
