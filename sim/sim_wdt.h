// SPDX-License-Identifier: MIT
// Included by extmod/machine_wdt.c: ESP32's checks, the simulator's watchdog. There is no way to
// stop it but a hard reset.
#include "board.h"

struct _machine_wdt_obj_t {
    mp_obj_base_t base;
};

static machine_wdt_obj_t wdt_default = {{&machine_wdt_type}};

static machine_wdt_obj_t *mp_machine_wdt_make_new_instance(mp_int_t id, mp_int_t timeout_ms) {
    if (id != 0) {
        mp_raise_ValueError(NULL);
    }
    if (timeout_ms <= 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("WDT timeout too short"));
    }
    sim_wdt_set((uint64_t)timeout_ms * 1000000u);
    return &wdt_default;
}

static void mp_machine_wdt_feed(machine_wdt_obj_t *self) {
    (void)self;
    sim_wdt_feed();
}
