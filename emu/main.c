// SPDX-License-Identifier: MIT
// The emulated board starts.
#include "emu.h"

static char main_heap[EMU_HEAP_MAX] __attribute__((aligned(16)));

int main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    char stack_top;
    emu_options_read();
    sim_power_on();
    sim_card_open();
    sim_flash_open();
    sim_boot(main_heap, &stack_top, EMU_STACK);
}
