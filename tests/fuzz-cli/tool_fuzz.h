// SPDX-License-Identifier: MIT
// Where the tool's functions that would end the process go instead.
#ifndef TOOL_FUZZ_H
#define TOOL_FUZZ_H

#include <setjmp.h>

extern jmp_buf tool_fuzz_end;

#endif
