// SPDX-License-Identifier: MIT
// The serial line's input. board.py appends what comes to the file "typed", which can be read
// without waiting, unlike a pipe; a byte in the FIFO "ticks", every few milliseconds and when
// something has come, lets the board sleep in between.
#include "py/runtime.h"
#include "shared/runtime/interrupt_char.h"

#include "emu.h"

static int uart_typed = -1;
static int uart_ticks = -1;

static void uart_open(void) {
    uart_typed = emu_open("typed", SIM_FILE_READ);
    uart_ticks = emu_open("ticks", SIM_FILE_READ);
    if (uart_typed < 0 || uart_ticks < 0 || !emu_seek(uart_typed, emu_state.typed)) {
        sim_power_off(2, "board: no serial line; emu/board.py starts it");
    }
}

void emu_uart_poll(void) {
    uint8_t buf[64];
    if (uart_typed < 0) {
        uart_open();
    }
    while (sim_uart_room() >= sizeof(buf)) {
        int n = emu_read(uart_typed, buf, sizeof(buf));
        for (int i = 0; i < n; i++) {
            sim_uart_received(buf[i], mp_interrupt_char);
        }
        if (n <= 0) {
            break;
        }
        emu_state.typed += (uint32_t)n;
    }
}

// Was that all, for ever?
bool sim_uart_eof(void) {
    int file = emu_open("typed.end", SIM_FILE_READ);
    if (file < 0) {
        return false;
    }
    emu_close(file);
    emu_uart_poll(); // what came before the end
    return !sim_uart_any();
}

void emu_uart_wait(void) {
    uint8_t buf[64];
    emu_uart_poll(); // opens the files
    if (emu_read(uart_ticks, buf, sizeof(buf)) <= 0) {
        sim_power_off(0, NULL);
    }
}
