// SPDX-License-Identifier: MIT
// Memory for native code, as ESP32 has it: apart from MicroPython's heap, limited, and free again
// only after a reset.
#include <string.h>

#include "py/gc.h"
#include "py/persistentcode.h"
#include "py/runtime.h"

#include "emu.h"

#define EXEC_ALIGN 16u

static uint8_t exec_memory[EMU_EXEC_MAX] __attribute__((aligned(EXEC_ALIGN), section(".bss.exec")));
static uint32_t exec_used;

void *emu_exec_commit(void *buf, size_t len, void *reloc) {
    uint32_t size = (uint32_t)(len + EXEC_ALIGN - 1) & ~(EXEC_ALIGN - 1);
    void *code = buf;
    if (emu_exec_limit == EMU_EXEC_IN_HEAP) {
        // Functions in it point into its middle, which the collector does not follow.
        if (MP_STATE_PORT(emu_exec_blocks) == MP_OBJ_NULL) {
            MP_STATE_PORT(emu_exec_blocks) = mp_obj_new_list(0, NULL);
        }
        mp_obj_list_append(MP_STATE_PORT(emu_exec_blocks), MP_OBJ_FROM_PTR(buf));
    } else if (exec_used + size > emu_exec_limit) {
        m_malloc_fail(len);
    } else {
        code = exec_memory + exec_used;
    }
    exec_used += size;
    if (reloc != NULL) {
        mp_native_relocate(reloc, buf, (uintptr_t)code);
    }
    memmove(code, buf, len);
#if defined(__riscv)
    __asm__ volatile(".word 0x0000100f" ::: "memory"); // fence.i
#endif
    return code;
}

uint32_t emu_exec_used(void) {
    return exec_used;
}

void emu_exec_free(void) {
    exec_used = 0;
    MP_STATE_PORT(emu_exec_blocks) = MP_OBJ_NULL;
}

MP_REGISTER_ROOT_POINTER(mp_obj_t emu_exec_blocks);
