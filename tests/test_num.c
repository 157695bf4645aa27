/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_num.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <stdint.h>
#include <string.h>

enum { ROUNDS = 2000 };

static void add_and_mul (void)
{
    uint64_t r = 42;
    size_t s = 42;

    CU_ASSERT_EQUAL (larder_num_add (UINT64_MAX, 1, &r), -1);
    CU_ASSERT_EQUAL (larder_num_mul (UINT64_C (1) << 32, UINT64_C (1) << 32, &r), -1);
    CU_ASSERT_EQUAL (r, 42);
    CU_ASSERT_EQUAL (larder_num_add_size (SIZE_MAX, 1, &s), -1);
    CU_ASSERT_EQUAL (larder_num_mul_size (SIZE_MAX, 2, &s), -1);
    CU_ASSERT_EQUAL (s, 42);
    CU_ASSERT_EQUAL (larder_num_add (UINT64_MAX - 1, 1, &r), 0);
    CU_ASSERT_EQUAL (r, UINT64_MAX);
    CU_ASSERT_EQUAL (larder_num_mul (UINT64_MAX, 1, &r), 0);
    CU_ASSERT_EQUAL (r, UINT64_MAX);
    CU_ASSERT_EQUAL (larder_num_add_size (3, 4, &s), 0);
    CU_ASSERT_EQUAL (s, 7);
    CU_ASSERT_EQUAL (larder_num_mul_size (3, 4, &s), 0);
    CU_ASSERT_EQUAL (s, 12);
}

static void conversions (void)
{
    int i = 42;
    size_t s = 42;

    CU_ASSERT_EQUAL (larder_num_to_int (INT_MAX, &i), 0);
    CU_ASSERT_EQUAL (i, INT_MAX);
    CU_ASSERT_EQUAL (larder_num_to_int ((uint64_t)INT_MAX + 1, &i), -1);
    CU_ASSERT_EQUAL (i, INT_MAX);
    CU_ASSERT_EQUAL (larder_num_to_size (7, &s), 0);
    CU_ASSERT_EQUAL (s, 7);
}

static void ranges (void)
{
    CU_ASSERT (larder_num_inside (0, 0, 0));
    CU_ASSERT (larder_num_inside (5, 0, 5));
    CU_ASSERT (larder_num_inside (2, 3, 5));
    CU_ASSERT (!larder_num_inside (2, 4, 5));
    CU_ASSERT (!larder_num_inside (6, 0, 5));
    CU_ASSERT (!larder_num_inside (2, UINT64_MAX, 5));
    CU_ASSERT_EQUAL (larder_num_min (3, UINT64_MAX), 3);
    CU_ASSERT_EQUAL (larder_num_max (3, UINT64_MAX), UINT64_MAX);
    CU_ASSERT_EQUAL (larder_num_min_size (4, 3), 3);
    CU_ASSERT_EQUAL (larder_num_max_size (4, 3), 4);
}

static void rounding (void)
{
    struct larder_test_random r = larder_test_seed ();
    uint64_t up = 42;

    CU_ASSERT_EQUAL (larder_num_ceil_div (UINT64_MAX, 2), UINT64_C (1) << 63);
    CU_ASSERT_EQUAL (larder_num_ceil_div (0, 7), 0);
    CU_ASSERT_EQUAL (larder_num_round_up (UINT64_MAX, 2, &up), -1);
    CU_ASSERT_EQUAL (up, 42);
    for (int i = 0; i < ROUNDS; ++i) {
        uint64_t a = larder_test_any_size (&r), b = larder_test_any_size (&r) | 1;
        uint64_t down = larder_num_round_down (a, b);

        CU_ASSERT (down <= a && a - down < b && down % b == 0);
        if (larder_num_round_up (a, b, &up) == 0)
            CU_ASSERT (up >= a && up - a < b && up % b == 0 && up / b == larder_num_ceil_div (a, b))
        else
            CU_ASSERT (down > UINT64_MAX - b);
    }
}

static void little_endian (void)
{
    struct larder_test_random r = larder_test_seed ();
    static const unsigned char bytes[8] = {0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8};
    unsigned char room[11];

    CU_ASSERT_EQUAL (larder_num_load16 (bytes), 0x9281);
    CU_ASSERT_EQUAL (larder_num_load32 (bytes), 0xb4a39281);
    CU_ASSERT_EQUAL (larder_num_load64 (bytes), UINT64_C (0xf8e7d6c5b4a39281));
    memset (room, 0, sizeof room);
    larder_num_store64 (room + 1, UINT64_C (0xf8e7d6c5b4a39281)); /* unaligned on purpose */
    CU_ASSERT (memcmp (room + 1, bytes, 8) == 0);
    CU_ASSERT (room[0] == 0 && room[9] == 0);
    for (int i = 0; i < ROUNDS; ++i) {
        uint64_t v = larder_test_any_size (&r);
        unsigned char *at = room + larder_test_below (&r, 4);

        larder_num_store64 (at, v);
        CU_ASSERT_EQUAL (larder_num_load64 (at), v);
        larder_num_store32 (at, (uint32_t)v);
        CU_ASSERT_EQUAL (larder_num_load32 (at), (uint32_t)v);
        larder_num_store16 (at, (uint16_t)v);
        CU_ASSERT_EQUAL (larder_num_load16 (at), (uint16_t)v);
    }
}

static void mix (void)
{
    uint64_t bits = 0;

    /* The reference implementation's first outputs for the seeds 0 and 1234567. */
    CU_ASSERT_EQUAL (larder_num_mix (0), UINT64_C (0xe220a8397b1dcdaf));
    CU_ASSERT_EQUAL (larder_num_mix (1234567), UINT64_C (6457827717110365317));
    /* Neighbouring seeds differ in about half of their bits. */
    for (uint64_t i = 0; i < 1000; ++i)
        bits += (uint64_t)__builtin_popcountll (larder_num_mix (i) ^ larder_num_mix (i + 1));
    CU_ASSERT (bits > 30 * 1000 && bits < 34 * 1000);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"checked add and mul", add_and_mul},
        {"conversions", conversions},
        {"ranges, min, max", ranges},
        {"rounding", rounding},
        {"little-endian words", little_endian},
        {"mix", mix},
        {NULL, NULL},
    };
    return larder_test_main ("num", tests);
}
