// SPDX-License-Identifier: MIT
// cli/tool.c with other ways to end.
#define _GNU_SOURCE
#include "tool_fuzz.h"

#define tool_die tool_die_unused
#define tool_refuse tool_refuse_unused
#include "cli/tool.c"
#undef tool_die
#undef tool_refuse

jmp_buf tool_fuzz_end;

_Noreturn void tool_die(const char *format, ...) {
    (void)format;
    longjmp(tool_fuzz_end, 1);
}

_Noreturn void tool_refuse(const char *format, ...) {
    (void)format;
    longjmp(tool_fuzz_end, 1);
}
