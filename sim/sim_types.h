// SPDX-License-Identifier: MIT
// Types of module machine that sim/ defines.
#ifndef SIM_TYPES_H
#define SIM_TYPES_H

#include "py/obj.h"

extern const mp_obj_type_t sim_rtc_type;
extern const mp_obj_type_t machine_pin_type;
extern const mp_obj_type_t machine_sdcard_type;
extern const mp_obj_type_t machine_timer_type;

int machine_pin_get_id(mp_obj_t pin_in);

#endif
