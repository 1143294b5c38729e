// SPDX-License-Identifier: MIT
// MicroPython's hardware layer: serial line and waiting. The rest is the unix port's.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "extmod/misc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/pyexec.h"

#include "board.h"

void unix_hal_set_interrupt_char(char c);
void unix_hal_stdio_mode_raw(void);
void unix_hal_stdio_mode_orig(void);
int unix_hal_stdin_rx_chr(void);

// What os.dupterm's reading side looks at; the board's is for writing only.
int mp_interrupt_char = -1;

void mp_hal_set_interrupt_char(char c) {
    if (sim_host) {
        unix_hal_set_interrupt_char(c);
    } else {
        sim_interrupt_char = c == CHAR_CTRL_C ? CHAR_CTRL_C : -1;
    }
}

// The terminal of a board is raw all the time.
void mp_hal_stdio_mode_raw(void) {
    if (sim_host) {
        unix_hal_stdio_mode_raw();
    }
}

void mp_hal_stdio_mode_orig(void) {
    if (sim_host) {
        unix_hal_stdio_mode_orig();
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ret = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && (sim_host || sim_uart_any())) {
        ret |= MP_STREAM_POLL_RD;
    }
    return ret;
}

int mp_hal_stdin_rx_chr(void) {
    if (sim_host) {
        return unix_hal_stdin_rx_chr();
    }
    for (;;) {
        int c = sim_uart_get();
        if (c >= 0) {
            // Lines typed into a file or pipe end in "\n", a terminal sends "\r".
            bool convert = !sim->tty && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL;
            return c == '\n' && convert ? '\r' : c;
        }
        if (sim_uart_eof()) {
            sim_power_off(0, NULL);
        }
        mp_handle_pending(true);
        sim_irq_wait(1000);
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(STDOUT_FILENO, str + done, len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            usleep(1000);
        } else if (n == 0 || errno != EINTR) {
            break; // nobody listens to the serial line
        }
    }
    mp_os_dupterm_tx_strn(str, len);
    return len;
}

// What print() writes. A terminal gets "\r\n" for "\n", as from a board; a file or pipe does not.
void mp_hal_stdout_tx_strn_cooked(const char *str, size_t len) {
    while (sim->tty && len != 0) {
        const char *end = memchr(str, '\n', len);
        size_t n = end != NULL ? (size_t)(end - str) : len;
        mp_hal_stdout_tx_strn(str, n);
        if (end == NULL) {
            return;
        }
        mp_hal_stdout_tx_strn("\r\n", 2);
        str += n + 1;
        len -= n + 1;
    }
    mp_hal_stdout_tx_strn(str, len);
}

void mp_hal_stdout_tx_str(const char *str) {
    mp_hal_stdout_tx_strn(str, strlen(str));
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = sim_now_ns() + (uint64_t)ms * 1000000u;
    for (;;) {
        mp_event_handle_nowait();
        uint64_t now = sim_now_ns();
        if (now >= end) {
            return;
        }
        uint64_t left = (end - now + 999999u) / 1000000u;
        sim_irq_wait(left > 1000 ? 1000 : (int)left);
    }
}

uint64_t mp_hal_time_ns(void) {
    return (uint64_t)sim_clock_ns();
}
