/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_cache.h"
#include "larder_test.h"
#include "larder_test_random.h"

enum { SLOTS = 13, NUMBERS = 60, STEPS = 20000 };

static void random_steps (void)
{
    struct larder_test_random r = larder_test_seed ();
    struct larder_cache c;
    larder_error err;
    uint32_t slot_of[NUMBERS], count = 0; /* slot + 1, 0: not in it */
    int wrong = 0, was_full = 0;
    for (int i = 0; i < NUMBERS; ++i)
        slot_of[i] = 0;
    CU_ASSERT_EQUAL_FATAL (larder_cache_init (&c, SLOTS, &err), LARDER_OK);
    for (int step = 0; step < STEPS; ++step) {
        uint64_t n = larder_test_below (&r, NUMBERS);
        struct larder_cached *e = larder_cache_find (&c, n);
        wrong += (e != NULL) != (slot_of[n] != 0);
        if (e) {
            wrong += e->slot + 1 != slot_of[n] || e->chunk.number != n || e->chunk.item != 3 * n;
            larder_cache_drop (&c, e);
            slot_of[n] = 0;
            --count;
        } else if (count < SLOTS) {
            struct larder_chunk chunk = {.number = n, .item = 3 * n, .count = 1};
            e = larder_cache_add (&c, &chunk, (uint32_t)step);
            wrong += e != larder_cache_find (&c, n) || e->used != 0;
            slot_of[n] = (uint32_t)step + 1;
            ++count;
        }
        was_full += count == SLOTS;
        wrong += c.count != count || larder_cache_selfcheck (&c) != 0;
    }
    CU_ASSERT_EQUAL (wrong, 0);
    CU_ASSERT (was_full > 0);
    larder_cache_free (&c);
    CU_ASSERT_PTR_NULL (c.entries);
    larder_cache_free (&c);
}

static void large_numbers (void)
{
    struct larder_cache c;
    larder_error err;
    CU_ASSERT_EQUAL_FATAL (larder_cache_init (&c, 2, &err), LARDER_OK);
    larder_cache_add (&c, &(struct larder_chunk){.number = UINT64_MAX}, 0);
    larder_cache_add (&c, &(struct larder_chunk){.number = UINT64_C (1) << 40}, 1);
    CU_ASSERT_PTR_NOT_NULL (larder_cache_find (&c, UINT64_MAX));
    CU_ASSERT_EQUAL (larder_cache_find (&c, UINT64_C (1) << 40)->slot, 1);
    CU_ASSERT_PTR_NULL (larder_cache_find (&c, 0));
    c.entries[0].chunk.number = c.entries[1].chunk.number;
    CU_ASSERT (larder_cache_selfcheck (&c) != 0);
    larder_cache_free (&c);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"random steps against a table", random_steps},
        {"large numbers", large_numbers},
        {NULL, NULL},
    };
    return larder_test_main ("cache", tests);
}
