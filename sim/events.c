// SPDX-License-Identifier: MIT
// What the hardware beside the processor keeps: timers, watchdog, the serial line's input. Whoever
// looks after it, a thread (irq.c) or the interpreter itself (emu/irq.c), asks.
#include "py/mphal.h"
#include "py/runtime.h"

#include "board.h"

struct events_timer {
    bool on, repeat;
    uint64_t start_ns, due_ns, period_ns;
    void *callback, *arg;
};

static struct events_timer events_timers[SIM_TIMERS];
static volatile uint64_t events_wdt_due, events_wdt_timeout; // 0: off

// ---- Timers ------------------------------------------------------------------------------------

void sim_timer_set(int id, uint64_t period_ns, bool repeat, void *callback, void *arg) {
    sim_irq_disable();
    uint64_t now = sim_now_ns();
    events_timers[id] = (struct events_timer){
        .on = true,
        .repeat = repeat,
        .start_ns = now,
        .due_ns = now + period_ns,
        .period_ns = period_ns != 0 ? period_ns : 1000,
        .callback = callback,
        .arg = arg,
    };
    sim_irq_enable();
    sim_irq_changed();
}

void sim_timer_stop(int id) {
    sim_irq_disable();
    events_timers[id].on = false;
    sim_irq_enable();
}

void sim_timer_stop_all(void) {
    for (int id = 0; id < SIM_TIMERS; id++) {
        sim_timer_stop(id);
    }
}

uint64_t sim_timer_elapsed_ns(int id) {
    return events_timers[id].on ? sim_now_ns() - events_timers[id].start_ns : 0;
}

bool sim_events_timers(uint64_t now, uint64_t *next) {
    bool happened = false;
    for (int id = 0; id < SIM_TIMERS; id++) {
        struct events_timer *t = &events_timers[id];
        if (t->on && t->due_ns <= now) {
            // A full queue drops the callback, as on the board.
            mp_sched_schedule(t->callback, t->arg);
            happened = true;
            t->on = t->repeat;
            t->start_ns = t->due_ns;
            t->due_ns += t->period_ns;
            if (t->due_ns <= now) {
                t->due_ns = now + t->period_ns; // missed: the host was busy
            }
        }
        if (t->on && t->due_ns < *next) {
            *next = t->due_ns;
        }
    }
    return happened;
}

// ---- Watchdog ----------------------------------------------------------------------------------

void sim_wdt_set(uint64_t timeout_ns) {
    events_wdt_timeout = timeout_ns;
    sim_wdt_feed();
    sim_irq_changed();
}

void sim_wdt_feed(void) {
    events_wdt_due = sim_now_ns() + events_wdt_timeout;
}

void sim_events_watchdog(uint64_t now, uint64_t *next) {
    if (events_wdt_timeout == 0) {
        return;
    }
    if (events_wdt_due <= now) {
        sim_hard_reset(SIM_WDT);
    }
    *next = events_wdt_due;
}

// ---- Serial line -------------------------------------------------------------------------------

uint32_t sim_uart_room(void) {
    return SIM_UART_RING - (sim->uart_head - sim->uart_tail);
}

bool sim_uart_any(void) {
    return sim->uart_head != sim->uart_tail;
}

void sim_uart_received(uint8_t c, int interrupt) {
    if (c == interrupt) {
        mp_sched_keyboard_interrupt();
    } else {
        sim->uart_ring[sim->uart_head++ % SIM_UART_RING] = c;
    }
}

int sim_uart_get(void) {
    sim_irq_disable();
    int c = -1;
    if (sim_uart_any()) {
        bool full = sim_uart_room() == 0;
        c = sim->uart_ring[sim->uart_tail++ % SIM_UART_RING];
        if (full) {
            sim_irq_changed();
        }
    }
    sim_irq_enable();
    return c;
}
