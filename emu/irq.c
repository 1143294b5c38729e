// SPDX-License-Identifier: MIT
// The hardware beside the processor (sim/events.c), polled by the interpreter:
// MICROPY_VM_HOOK_LOOP, and whoever waits.
#include "py/mphal.h"
#include "py/runtime.h"

#include "emu.h"

#define IRQ_TURNS 1024u // of a loop in Python

static bool irq_active; // a timer, the watchdog: is any on?

uint64_t sim_now_ns(void) {
    return emu_elapsed_ns();
}

void sim_irq_disable(void) {
}

void sim_irq_enable(void) {
}

void sim_irq_changed(void) {
    irq_active = true;
}

static void irq_look(void) {
    uint64_t now = sim_now_ns();
    uint64_t next = UINT64_MAX;
    sim_events_watchdog(now, &next);
    sim_events_timers(now, &next);
    irq_active = next != UINT64_MAX;
}

// Looking at the clock takes longer than a turn of a loop.
void emu_irq_poll(void) {
    static uint32_t turns;
    if (++turns % IRQ_TURNS == 0) {
        emu_uart_poll();
        if (irq_active) {
            irq_look();
        }
    }
}

// May come back late by a tick of the serial line, hence not for short times.
void sim_irq_wait(int timeout_ms) {
    if (timeout_ms > 0) {
        emu_uart_wait();
    }
    emu_uart_poll();
    if (irq_active) {
        irq_look();
    }
}
