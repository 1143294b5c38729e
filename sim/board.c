// SPDX-License-Identifier: MIT
// main() of the board.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

// ESP32 gives MicroPython 16 KiB of stack. Frames here are of 64-bit words and partly of an
// unoptimised build, so this only keeps recursion in the same order of magnitude.
#if SIM_SANITIZE
#define SIM_STACK (512 * 1024)
#else
#define SIM_STACK (40 * 1024)
#endif

int unix_main(int argc, char **argv);
bool sim_host;
char **sim_argv;

int main(int argc, char **argv) {
    char stack_top;
    sim_argv = argv;
    if (argc > 1 && strcmp(argv[1], "--host") == 0) {
        sim_host = true;
        sim_options_parse(1, argv);
        sim_power_on();
        argv[1] = argv[0];
        return unix_main(argc - 1, argv + 1);
    }
    sim_options_parse(argc, argv);
    sim_power_on();
    sim_card_open();
    sim_flash_open();
    char *heap = malloc(sim_opt.heap);
    if (heap == NULL) {
        sim_power_off(2, "board: no memory for the heap");
    }
    sim_irq_start();
    sim_boot(heap, &stack_top, SIM_STACK);
}
