/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: checked arithmetic, rounding, little-endian words, and a mixing function.
 * The checked functions return 0, or -1 when the result does not fit; the result is then
 * unchanged. */
#ifndef LARDER_NUM_H
#define LARDER_NUM_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

static inline int larder_num_add (uint64_t a, uint64_t b, uint64_t *sum)
{
    uint64_t r;
    if (__builtin_add_overflow (a, b, &r))
        return -1;
    *sum = r;
    return 0;
}

static inline int larder_num_mul (uint64_t a, uint64_t b, uint64_t *product)
{
    uint64_t r;
    if (__builtin_mul_overflow (a, b, &r))
        return -1;
    *product = r;
    return 0;
}

static inline int larder_num_add_size (size_t a, size_t b, size_t *sum)
{
    size_t r;
    if (__builtin_add_overflow (a, b, &r))
        return -1;
    *sum = r;
    return 0;
}

static inline int larder_num_mul_size (size_t a, size_t b, size_t *product)
{
    size_t r;
    if (__builtin_mul_overflow (a, b, &r))
        return -1;
    *product = r;
    return 0;
}

static inline int larder_num_to_size (uint64_t a, size_t *size)
{
#if SIZE_MAX < UINT64_MAX
    if (a > SIZE_MAX)
        return -1;
#endif
    *size = (size_t)a;
    return 0;
}

static inline int larder_num_to_int (uint64_t a, int *number)
{
    if (a > INT_MAX)
        return -1;
    *number = (int)a;
    return 0;
}

/* Whether [first, first + count) lies inside [0, end), without overflow. */
static inline int larder_num_inside (uint64_t first, uint64_t count, uint64_t end)
{
    return first <= end && count <= end - first;
}

static inline uint64_t larder_num_min (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t larder_num_max (uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline size_t larder_num_min_size (size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t larder_num_max_size (size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Parts of size b that hold a; b >= 1; never overflows. */
static inline uint64_t larder_num_ceil_div (uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* Largest multiple of b that is <= a; b >= 1. */
static inline uint64_t larder_num_round_down (uint64_t a, uint64_t b)
{
    return a - a % b;
}

/* Smallest multiple of b that is >= a; b >= 1; checked. */
static inline int larder_num_round_up (uint64_t a, uint64_t b, uint64_t *rounded)
{
    return larder_num_mul (larder_num_ceil_div (a, b), b, rounded);
}

static inline uint16_t larder_num_load16 (const void *from)
{
    const unsigned char *p = from;
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t larder_num_load32 (const void *from)
{
    const unsigned char *p = from;
    return (uint32_t)larder_num_load16 (p) | (uint32_t)larder_num_load16 (p + 2) << 16;
}

static inline uint64_t larder_num_load64 (const void *from)
{
    const unsigned char *p = from;
    return (uint64_t)larder_num_load32 (p) | (uint64_t)larder_num_load32 (p + 4) << 32;
}

static inline void larder_num_store16 (void *to, uint16_t value)
{
    unsigned char *p = to;
    p[0] = (unsigned char)(value & 0xff);
    p[1] = (unsigned char)(value >> 8);
}

static inline void larder_num_store32 (void *to, uint32_t value)
{
    unsigned char *p = to;
    larder_num_store16 (p, (uint16_t)(value & 0xffff));
    larder_num_store16 (p + 2, (uint16_t)(value >> 16));
}

static inline void larder_num_store64 (void *to, uint64_t value)
{
    unsigned char *p = to;
    larder_num_store32 (p, (uint32_t)(value & 0xffffffff));
    larder_num_store32 (p + 4, (uint32_t)(value >> 32));
}

/* splitmix64's output for the state `seed`: a bijection that scatters neighbouring seeds.  Not for
 * secrets.  A sequence is larder_num_mix (seed + n) or larder_num_mix (larder_num_mix (seed) ^ n).
 */
uint64_t larder_num_mix (uint64_t seed);

#endif
