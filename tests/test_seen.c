/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_seen.h"
#include "larder_test.h"
#include "larder_test_random.h"

enum { THINGS = 5000 };

static int equal (const void *self, uint64_t number, const void *key)
{
    return ((const uint64_t *)self)[number] == *(const uint64_t *)key;
}

/* `bits` of the hash count: with few of them most things share one. */
static void all_are_found (unsigned bits)
{
    struct larder_test_random r = larder_test_seed ();
    struct larder_seen seen = {0};
    static uint64_t things[THINGS];
    uint64_t mask = (UINT64_C (1) << bits) - 1, number = 77, other;

    CU_ASSERT_EQUAL (larder_seen_find (&seen, 5, equal, things, &(uint64_t){5}, &number), 0);
    for (uint64_t i = 0; i < THINGS; ++i) {
        things[i] = 2 * i;
        CU_ASSERT_EQUAL (larder_seen_add (&seen, larder_num_mix (things[i]) & mask, i), 0);
    }
    for (int i = 0; i < 1000; ++i) {
        uint64_t at = larder_test_below (&r, THINGS), thing = things[at];
        CU_ASSERT (larder_seen_find (&seen, larder_num_mix (thing) & mask, equal, things, &thing,
                                     &number) &&
                   number == at);
        thing += 1;
        other = number;
        CU_ASSERT (!larder_seen_find (&seen, larder_num_mix (thing) & mask, equal, things, &thing,
                                      &number) &&
                   number == other);
    }
    larder_seen_free (&seen);
    CU_ASSERT_PTR_NULL (seen.slots);
}

static void with_all_bits (void)
{
    all_are_found (63);
}

static void with_few_bits (void)
{
    all_are_found (4);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"all are found", with_all_bits},
        {"also where hashes are equal", with_few_bits},
        {NULL, NULL},
    };
    return larder_test_main ("seen", tests);
}
