// SPDX-License-Identifier: MIT
// What MicroPython wants from a port beside the parts in emu/.
#include "py/gc.h"
#include "py/mpstate.h"
#include "py/runtime.h"

#include "emu.h"

void xt_spill(void);

// A frame deeper than the registers that xt_spill() has put on the stack.
static void __attribute__((noinline)) port_collect_stack(void) {
    void *volatile here;
    uintptr_t size = (uintptr_t)MP_STATE_THREAD(stack_top) - (uintptr_t)&here;
    gc_collect_root((void **)&here, size / sizeof(void *));
}

void gc_collect(void) {
    gc_collect_start();
    xt_spill();
    port_collect_stack();
    gc_collect_end();
}

_Noreturn void nlr_jump_fail(void *val) {
    (void)val;
    sim_power_off(1, "board: exception without a handler");
}

_Noreturn void abort(void) {
    sim_power_off(1, "board: abort");
}

_Noreturn void exit(int status) {
    sim_power_off(status, NULL);
}
