// SPDX-License-Identifier: MIT
// Multiplication of 64 bits for processors, or compilers, without an instruction for it: gcc calls
// these. In products of 16 bits, where only the lower half of a product can be had.
#include <stdint.h>

#if defined(__XTENSA_WINDOWED_ABI__) || defined(__ARM_ARCH_6M__)

union wide {
    uint64_t whole;
    struct {
        uint32_t low, high;
    } half;
};

static inline uint64_t wide_mul(uint64_t a, uint64_t b) {
    union wide x = {a};
    union wide y = {b};
    union wide r;
    uint32_t xl = x.half.low & 0xffff;
    uint32_t xh = x.half.low >> 16;
    uint32_t yl = y.half.low & 0xffff;
    uint32_t yh = y.half.low >> 16;
    uint32_t low = xl * yl;
    uint32_t one = xh * yl + (low >> 16); // can't overflow
    uint32_t other = xl * yh + (one & 0xffff);
    r.half.low = other << 16 | (low & 0xffff);
    r.half.high =
        xh * yh + (one >> 16) + (other >> 16) + x.half.low * y.half.high + x.half.high * y.half.low;
    return r.whole;
}

#if defined(__ARM_ARCH_6M__)
__attribute__((used)) uint64_t __aeabi_lmul(uint64_t a, uint64_t b) {
    return wide_mul(a, b);
}
#else
__attribute__((used)) uint64_t __muldi3(uint64_t a, uint64_t b) {
    return wide_mul(a, b);
}
#endif

#endif
