// main() of the board and the boot order of ports/esp32/main.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

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

static void boot_soft_reset_cleanup(void) {
    sim_timer_stop_all();
    memset(MP_STATE_PORT(sim_timer_objs), 0, sizeof(MP_STATE_PORT(sim_timer_objs)));
    gc_sweep_all();
    mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
    sim_pins_reset();
    mp_deinit();
    sim_close_foreign_fds();
    sim_count_soft_reset();
}

// One life of the interpreter: from power-on or a soft reset to the next soft reset.
static void boot_run(char *heap, char *stack_top) {
    mp_cstack_init_with_top(stack_top, SIM_STACK);
    gc_init(heap, heap + sim_opt.heap);
    mp_init();
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(qstr_from_str("/lib")));
    readline_init0();

    pyexec_frozen_module("_boot.py", false);
    int ret = pyexec_file_if_exists("boot.py");
    if (ret & PYEXEC_FORCED_EXIT) {
        return;
    }
    if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && ret != 0) {
        if (pyexec_file_if_exists("main.py") & PYEXEC_FORCED_EXIT) {
            return;
        }
    }
    for (;;) {
        if (pyexec_mode_kind == PYEXEC_MODE_RAW_REPL) {
            if (pyexec_raw_repl() != 0) {
                return;
            }
        } else if (pyexec_friendly_repl() != 0) {
            return;
        }
    }
}

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
    for (;;) {
        boot_run(heap, &stack_top);
        boot_soft_reset_cleanup();
    }
}
