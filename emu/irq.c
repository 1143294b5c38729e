// SPDX-License-Identifier: MIT
// Timers, watchdog and serial line, polled by the interpreter: MICROPY_VM_HOOK_LOOP, and whoever
// waits.
#include "py/mphal.h"
#include "py/runtime.h"

#include "emu.h"

#define IRQ_TURNS 1024u // of a loop in Python

struct irq_timer {
    bool on, repeat;
    uint64_t start_ns, due_ns, period_ns;
    void *callback, *arg;
};

static struct irq_timer irq_timers[SIM_TIMERS];
static uint64_t irq_wdt_due, irq_wdt_timeout;
static uint32_t irq_active; // timers on, and the watchdog

uint64_t sim_now_ns(void) {
    return emu_elapsed_ns();
}

void sim_irq_disable(void) {
}

void sim_irq_enable(void) {
}

void sim_timer_set(int id, uint64_t period_ns, bool repeat, void *callback, void *arg) {
    uint64_t now = sim_now_ns();
    irq_timers[id] = (struct irq_timer){
        .on = true,
        .repeat = repeat,
        .start_ns = now,
        .due_ns = now + period_ns,
        .period_ns = period_ns != 0 ? period_ns : 1000,
        .callback = callback,
        .arg = arg,
    };
    irq_active |= 1u << id;
}

void sim_timer_stop(int id) {
    irq_timers[id].on = false;
    irq_active &= ~(1u << id);
}

void sim_timer_stop_all(void) {
    for (int id = 0; id < SIM_TIMERS; id++) {
        sim_timer_stop(id);
    }
}

uint64_t sim_timer_elapsed_ns(int id) {
    return irq_timers[id].on ? sim_now_ns() - irq_timers[id].start_ns : 0;
}

void sim_wdt_set(uint64_t timeout_ns) {
    irq_wdt_timeout = timeout_ns;
    irq_active |= 1u << SIM_TIMERS;
    sim_wdt_feed();
}

void sim_wdt_feed(void) {
    irq_wdt_due = sim_now_ns() + irq_wdt_timeout;
}

static void irq_look(void) {
    uint64_t now = sim_now_ns();
    if (irq_wdt_timeout != 0 && irq_wdt_due <= now) {
        sim_hard_reset(SIM_WDT);
    }
    for (int id = 0; id < SIM_TIMERS; id++) {
        struct irq_timer *t = &irq_timers[id];
        if (!t->on || t->due_ns > now) {
            continue;
        }
        mp_sched_schedule(t->callback, t->arg);
        t->start_ns = t->due_ns;
        t->due_ns = now + t->period_ns;
        if (!t->repeat) {
            sim_timer_stop(id);
        }
    }
}

// Looking at the clock takes longer than a turn of a loop.
void emu_irq_poll(void) {
    static uint32_t turns;
    if (++turns % IRQ_TURNS == 0) {
        emu_uart_poll();
        if (irq_active != 0) {
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
    if (irq_active != 0) {
        irq_look();
    }
}
