// SPDX-License-Identifier: MIT
// MicroPython's hardware layer: serial line and waiting.
#include "extmod/misc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/pyexec.h"

#include "emu.h"

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    emu_uart_poll();
    uintptr_t ret = poll_flags & MP_STREAM_POLL_WR;
    return sim_uart_any() ? ret | (poll_flags & MP_STREAM_POLL_RD) : ret;
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        emu_uart_poll();
        int c = sim_uart_get();
        if (c >= 0) {
            // Lines typed into a file or pipe end in "\n", a terminal sends "\r".
            return c == '\n' && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL ? '\r' : c;
        }
        if (sim_uart_eof()) {
            sim_power_off(0, NULL);
        }
        mp_handle_pending(true);
        sim_irq_wait(1);
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    emu_write(emu_std(EMU_STDOUT), str, len);
    mp_os_dupterm_tx_strn(str, len);
    return len;
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = sim_now_ns() + (uint64_t)us * 1000u;
    while (sim_now_ns() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = sim_now_ns() + (uint64_t)ms * 1000000u;
    for (uint64_t now; mp_event_handle_nowait(), (now = sim_now_ns()) < end;) {
        sim_irq_wait((int)((end - now) / 1000000u));
    }
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)sim_now_ns();
}

uint64_t mp_hal_time_ns(void) {
    return (uint64_t)sim_clock_ns();
}
