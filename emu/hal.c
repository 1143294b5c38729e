// MicroPython's hardware layer: serial line and waiting.
#include "extmod/misc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/pyexec.h"

#include "emu.h"

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    return poll_flags & MP_STREAM_POLL_WR;
}

// One character at a time: the next life of the machine reads on where this one has ended.
int mp_hal_stdin_rx_chr(void) {
    uint8_t c;
    mp_handle_pending(true);
    if (emu_read(emu_std(EMU_STDIN), &c, 1) != 1) {
        sim_power_off(0, NULL);
    }
    // Lines typed into a file or pipe end in "\n", a terminal sends "\r".
    return c == '\n' && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL ? '\r' : c;
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
    do {
        sim_irq_wait(1);
        mp_event_handle_nowait();
    } while (sim_now_ns() < end);
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)sim_now_ns();
}

uint64_t mp_hal_time_ns(void) {
    return (uint64_t)sim_clock_ns();
}
