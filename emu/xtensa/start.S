// SPDX-License-Identifier: MIT
/* Start, system calls and non-local jumps for the windowed ABI of Xtensa. A frame's registers
 * a0 to a3 are saved below the stack pointer of the frame that it has called, at -16; a4 to a7,
 * after call8, below that of its own caller, at -32. */

    .text

    .align 4
    .global _start
_start:
    movi a0, 0                  /* no caller: the debugger's and our end */
    movi a2, -16
    and a1, a1, a2
    movi a6, 0
    movi a7, 0
    call4 main
1:  j 1b

/* int xt_syscall(number, a, b, c): Linux takes the number in a2, arguments in a6, a3, a4. */
    .align 4
    .global xt_syscall
xt_syscall:
    entry a1, 32
    mov a6, a3
    mov a3, a4
    mov a4, a5
    movi a5, 0
    movi a8, 0
    movi a9, 0
    syscall
    retw

/* Saves the registers of all callers on the stack: six calls that take 12 registers each go once
 * around the 64 that there are. */
    .align 4
    .global xt_spill
xt_spill:
    entry a1, 48
    movi a14, 5
    call12 spill_further
    retw
    .align 4
spill_further:
    entry a1, 48
    beqz a2, 1f
    addi a14, a2, -1
    call12 spill_further
1:  retw

/* \n words from \from to \to, both unchanged. */
    .macro copy n, from, to
    .irp i, 0, 1, 2, 3
    .if \i < \n
    l32i a8, \from, 4 * \i
    s32i a8, \to, 4 * \i
    .endif
    .endr
    .endm

/* int setjmp(env). With F the function that calls it, env gets
 *   0 to 3     F's a0 to a3
 *   4 to 11    F's a4 to a7 after call8, a4 to a11 after call12
 *   12 to 15   a0 to a3 of F's caller, kept below F's stack pointer
 *   16         the return address, in its upper two bits the kind of call */
    .align 4
    .global setjmp
setjmp:
    entry a1, 16
    call4 xt_spill
    addi a5, a1, -16
    copy 4, a5, a2
    addi a5, a2, 48
    copy 4, a1, a5
    s32i a0, a2, 64
    extui a3, a0, 30, 2
    l32i a6, a1, 4              /* the stack pointer of F's caller */
    addi a5, a2, 16
    bltui a3, 2, 2f
    beqi a3, 2, 1f
    addi a7, a6, -48
    copy 4, a7, a5
    addi a5, a5, 16
1:  addi a7, a6, -32
    copy 4, a7, a5
2:  movi a2, 0
    retw

/* void longjmp(env, value): puts all that back to where returning from a call takes it from. */
    .align 4
    .global longjmp
longjmp:
    entry a1, 16
    call4 xt_spill
    l32i a0, a2, 64
    addi a5, a1, -16
    copy 4, a2, a5
    l32i a5, a2, 4              /* F's stack pointer */
    addi a5, a5, -16
    addi a6, a2, 48
    copy 4, a6, a5
    extui a4, a0, 30, 2
    l32i a6, a2, 52             /* that of F's caller */
    addi a5, a2, 16
    bltui a4, 2, 2f
    beqi a4, 2, 1f
    addi a7, a6, -48
    copy 4, a5, a7
    addi a5, a5, 16
1:  addi a7, a6, -32
    copy 4, a5, a7
2:  movi a2, 1
    movnez a2, a3, a3
    retw
