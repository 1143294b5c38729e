// SPDX-License-Identifier: MIT
// setjmp for the windowed ABI, in start.S. The size is that of ESP32's: native modules count on it.
#ifndef EMU_SETJMP_H
#define EMU_SETJMP_H

typedef unsigned int jmp_buf[17];

int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);

#endif
