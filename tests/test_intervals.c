/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_intervals.h"
#include "larder_test.h"
#include "larder_test_random.h"
#include <string.h>

enum { NUMBERS = 300, ROUNDS = 60 };

static uint64_t runs_of (const unsigned char *in)
{
    uint64_t runs = 0;
    for (int i = 0; i < NUMBERS; ++i)
        runs += in[i] && (i == 0 || !in[i - 1]);
    return runs;
}

static void against_a_table (void)
{
    struct larder_test_random r = larder_test_seed ();
    larder_error err;
    for (int round = 0; round < ROUNDS; ++round) {
        struct larder_intervals s = {0};
        unsigned char in[NUMBERS] = {0};
        int wrong = 0;
        for (int step = 0; step < NUMBERS; ++step) {
            /* Some rounds add in order, some anywhere. */
            uint64_t n = round % 3 ? larder_test_below (&r, NUMBERS) : (uint64_t)step;
            in[n] = 1;
            CU_ASSERT_EQUAL (larder_intervals_add (&s, n, &err), LARDER_OK);
            wrong += s.count != runs_of (in);
        }
        for (uint64_t i = 0; i < NUMBERS; ++i)
            wrong += larder_intervals_has (&s, i) != in[i];
        for (uint64_t i = 1; i < s.count; ++i)
            wrong += s.list[i - 1].end >= s.list[i].first;
        CU_ASSERT_EQUAL (wrong, 0);
        larder_intervals_free (&s);
        CU_ASSERT_PTR_NULL (s.list);
    }
}

static void in_order_is_one (void)
{
    struct larder_intervals s = {0};
    larder_error err;
    CU_ASSERT (!larder_intervals_has (&s, 0));
    for (uint64_t i = 0; i < 100000; ++i)
        (void)larder_intervals_add (&s, i, &err);
    CU_ASSERT_EQUAL (s.count, 1);
    CU_ASSERT (larder_intervals_has (&s, 0) && larder_intervals_has (&s, 99999));
    CU_ASSERT (!larder_intervals_has (&s, 100000));
    CU_ASSERT_EQUAL (larder_intervals_add (&s, 7, &err), LARDER_OK);
    CU_ASSERT (s.count == 1 && s.list[0].first == 0 && s.list[0].end == 100000);
    larder_intervals_free (&s);
    larder_intervals_free (&s); /* free of nothing */
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"random numbers against a table", against_a_table},
        {"numbers in order make one interval", in_order_is_one},
        {NULL, NULL},
    };
    return larder_test_main ("intervals", tests);
}
