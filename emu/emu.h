// SPDX-License-Identifier: MIT
// What the emulated boards need beside sim/board.h: the emulator's services, memory for code.
#ifndef EMU_H
#define EMU_H

#include "board.h"

#define EMU_HEAP_MAX (2u << 20)
#define EMU_EXEC_MAX (256u << 10)
#define EMU_STACK (16 * 1024) // that of ESP32's MicroPython task
#define EMU_EXIT_RESET 90     // tells board.py to start the machine again

// semihost.c or xtensa/linux.c: the host's files as streams. -1: failed.
enum emu_std { EMU_STDOUT = 1, EMU_STDERR };
int emu_std(enum emu_std which);
int emu_open(const char *path, enum sim_file_mode mode);
void emu_close(int file);
int64_t emu_size(int file);
bool emu_seek(int file, uint64_t offset);
int emu_read(int file, void *buf, size_t len); // how much came; 0: end
bool emu_write(int file, const void *buf, size_t len);
uint64_t emu_elapsed_ns(void); // since the machine started
uint32_t emu_seconds(void);    // since 1970
_Noreturn void emu_exit(int status);

// options.c
extern uint32_t emu_exec_limit; // bytes; EMU_EXEC_IN_HEAP: as ports do that run code from the heap
#define EMU_EXEC_IN_HEAP UINT32_MAX
void emu_options_read(void);

// uart.c
void emu_uart_poll(void);
void emu_uart_wait(void); // some milliseconds at most

// power.c: what outlives a hard reset.
struct emu_state {
    struct sim_state board;
    uint32_t typed; // how much of the serial line's input has been read
};
extern struct emu_state emu_state;

// exec.c
uint32_t emu_exec_used(void);
void emu_exec_free(void); // a soft reset

#endif
