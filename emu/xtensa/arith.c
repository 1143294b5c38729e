// SPDX-License-Identifier: MIT
// What the compiler calls for arithmetic that takes more than an instruction. Its own library is
// for the other calling convention. Division is in micropython/native/divide.c.
#include <stdint.h>

union words {
    uint64_t whole;
    struct {
        uint32_t low, high;
    } half;
};

// In products of 16 bits: the processor that QEMU emulates has no MULUH, unlike ESP32's.
uint64_t __umulsidi3(uint32_t a, uint32_t b) {
    uint32_t low = (a & 0xffff) * (b & 0xffff);
    uint32_t one = (a >> 16) * (b & 0xffff) + (low >> 16); // can't overflow
    uint32_t other = (a & 0xffff) * (b >> 16) + (one & 0xffff);
    union words r;
    r.half.low = other << 16 | (low & 0xffff);
    r.half.high = (a >> 16) * (b >> 16) + (one >> 16) + (other >> 16);
    return r.whole;
}

uint64_t __muldi3(uint64_t a, uint64_t b) {
    union words x = {a}, y = {b};
    union words r = {__umulsidi3(x.half.low, y.half.low)};
    r.half.high += x.half.low * y.half.high + x.half.high * y.half.low;
    return r.whole;
}

uint64_t __ashldi3(uint64_t a, int n) {
    union words x = {a}, r = {a};
    if (n >= 32) {
        r.half.high = x.half.low << (n - 32);
        r.half.low = 0;
    } else if (n > 0) {
        r.half.high = x.half.high << n | x.half.low >> (32 - n);
        r.half.low = x.half.low << n;
    }
    return r.whole;
}

uint64_t __lshrdi3(uint64_t a, int n) {
    union words x = {a}, r = {a};
    if (n >= 32) {
        r.half.low = x.half.high >> (n - 32);
        r.half.high = 0;
    } else if (n > 0) {
        r.half.low = x.half.low >> n | x.half.high << (32 - n);
        r.half.high = x.half.high >> n;
    }
    return r.whole;
}

int64_t __ashrdi3(int64_t a, int n) {
    uint64_t sign = a < 0 && n > 0 ? __ashldi3(UINT64_MAX, 64 - n) : 0;
    return (int64_t)(__lshrdi3((uint64_t)a, n) | sign);
}

// A bit of the quotient at a time.
static uint64_t divide(uint64_t a, uint64_t b, uint64_t *rest) {
    uint64_t quotient = 0, r = 0;
    for (int i = 63; i >= 0; i--) {
        r = r + r + (__lshrdi3(a, i) & 1);
        quotient += quotient;
        if (r >= b) {
            r -= b;
            quotient++;
        }
    }
    *rest = r;
    return quotient;
}

uint64_t __udivdi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    return divide(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    divide(a, b, &rest);
    return rest;
}

static uint64_t magnitude(int64_t a) {
    return a < 0 ? -(uint64_t)a : (uint64_t)a;
}

int64_t __divdi3(int64_t a, int64_t b) {
    uint64_t quotient = __udivdi3(magnitude(a), magnitude(b));
    return (int64_t)((a < 0) != (b < 0) ? -quotient : quotient);
}

int64_t __moddi3(int64_t a, int64_t b) {
    uint64_t rest = __umoddi3(magnitude(a), magnitude(b));
    return (int64_t)(a < 0 ? -rest : rest);
}

int __clzsi2(uint32_t a) {
    int n;
    __asm__("nsau %0, %1" : "=a"(n) : "a"(a));
    return n;
}

int __ctzsi2(uint32_t a) {
    return 31 - __clzsi2(a & -a);
}

int __popcountsi2(uint32_t a) {
    int n = 0;
    for (; a != 0; a &= a - 1) {
        n++;
    }
    return n;
}

uint32_t __bswapsi2(uint32_t a) {
    return a << 24 | (a & 0xff00) << 8 | (a >> 8 & 0xff00) | a >> 24;
}
