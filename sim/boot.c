// SPDX-License-Identifier: MIT
// The boot order of ports/esp32/main.c.
#include <string.h>

#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"

#include "board.h"

static void boot_soft_reset_cleanup(void) {
#if MICROPY_PY_THREAD
    mp_thread_deinit();
#endif
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
static void boot_run(char *heap, char *stack_top, size_t stack) {
#if MICROPY_PY_THREAD
    mp_thread_init(); // first: the interpreter's state is reached through it
#endif
    mp_cstack_init_with_top(stack_top, stack);
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

void sim_boot(char *heap, char *stack_top, size_t stack) {
    for (;;) {
        boot_run(heap, stack_top, stack);
        boot_soft_reset_cleanup();
    }
}
