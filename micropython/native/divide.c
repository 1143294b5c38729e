// SPDX-License-Identifier: MIT
// Division for processors, or compilers, without an instruction for it: gcc calls these.
#include <stdint.h>

#if defined(__XTENSA_WINDOWED_ABI__)

// The ESP32's processors do have the instructions; Debian's compiler is for one that has not.
__attribute__((used)) uint32_t __udivsi3(uint32_t n, uint32_t d) {
    uint32_t q;
    __asm__("quou %0, %1, %2" : "=a"(q) : "a"(n), "a"(d));
    return q;
}

__attribute__((used)) uint32_t __umodsi3(uint32_t n, uint32_t d) {
    uint32_t r;
    __asm__("remu %0, %1, %2" : "=a"(r) : "a"(n), "a"(d));
    return r;
}

// Never called, but gcc names them when it weighs what a division costs.
__attribute__((used)) int32_t __divsi3(int32_t n, int32_t d) {
    int32_t q;
    __asm__("quos %0, %1, %2" : "=a"(q) : "a"(n), "a"(d));
    return q;
}

__attribute__((used)) int32_t __modsi3(int32_t n, int32_t d) {
    int32_t r;
    __asm__("rems %0, %1, %2" : "=a"(r) : "a"(n), "a"(d));
    return r;
}

#elif defined(__ARM_ARCH_6M__)

// Quotient in the lower half of the result, remainder in the upper one (Arm's run-time ABI, 4.3.1).
__attribute__((used)) uint64_t __aeabi_uidivmod(uint32_t n, uint32_t d) {
    uint32_t q = 0;
    uint32_t r = 0;
    for (int i = 31; i >= 0; i--) {
        r = r << 1 | (n >> i & 1);
        if (r >= d) {
            r -= d;
            q |= UINT32_C(1) << i;
        }
    }
    return (uint64_t)r << 32 | q;
}

__attribute__((used)) uint32_t __aeabi_uidiv(uint32_t n, uint32_t d) {
    return (uint32_t)__aeabi_uidivmod(n, d);
}

// Never called, but gcc names them when it weighs what a division costs.
__attribute__((used)) uint64_t __aeabi_idivmod(int32_t n, int32_t d) {
    uint64_t both = __aeabi_uidivmod((uint32_t)(n < 0 ? -n : n), (uint32_t)(d < 0 ? -d : d));
    int32_t q = (int32_t)both;
    int32_t r = (int32_t)(both >> 32);
    q = (n < 0) != (d < 0) ? -q : q;
    r = n < 0 ? -r : r;
    return (uint64_t)(uint32_t)r << 32 | (uint32_t)q;
}

__attribute__((used)) int32_t __aeabi_idiv(int32_t n, int32_t d) {
    return (int32_t)__aeabi_idivmod(n, d);
}

#endif
