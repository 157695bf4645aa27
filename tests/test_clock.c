/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_clock.h"
#include "larder_test.h"

static void monotonic (void)
{
    struct larder_clock clock = larder_clock_monotonic ();
    double start = larder_clock_now (&clock), before = start;
    int went_back = 0;

    CU_ASSERT (start > 0);
    for (int i = 0; i < 10000; ++i) {
        double now = larder_clock_now (&clock);
        went_back += now < before;
        before = now;
    }
    CU_ASSERT_EQUAL (went_back, 0);
    /* It shows parts of a second: that many readings do not all fall on one value. */
    while (before == start)
        before = larder_clock_now (&clock);
    CU_ASSERT (before - start > 0);
}

static void fake (void)
{
    struct larder_clock_fake mine = {5.5}, other = {1.0};
    struct larder_clock clock = larder_clock_from_fake (&mine);
    struct larder_clock second = larder_clock_from_fake (&other);

    CU_ASSERT_EQUAL (larder_clock_now (&clock), 5.5);
    mine.time += 60;
    CU_ASSERT_EQUAL (larder_clock_now (&clock), 65.5);
    CU_ASSERT_EQUAL (larder_clock_now (&second), 1.0);
}

static void attend (void)
{
    struct larder_clock_fake mine = {1000};
    struct larder_clock clock = larder_clock_from_fake (&mine);
    struct larder_clock_attention waiting = {0};
    double start = larder_clock_attend (&waiting, &clock), sum = 0;
    CU_ASSERT (start > 0);
    for (int i = 0; i < 100; ++i) {
        mine.time += 0.25;
        CU_ASSERT (larder_clock_attend (&waiting, &clock) > start + sum);
        sum += 0.25;
    }
    CU_ASSERT_DOUBLE_EQUAL (waiting.now - start, 25, 1e-9);
    mine.time += 3600; /* away */
    CU_ASSERT_DOUBLE_EQUAL (larder_clock_attend (&waiting, &clock) - start, 26, 1e-9);
    CU_ASSERT_EQUAL (waiting.looked, mine.time);
    mine.time += 0.5;
    CU_ASSERT_DOUBLE_EQUAL (larder_clock_attend (&waiting, &clock) - start, 26.5, 1e-9);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"the real clock never goes back", monotonic},
        {"a fake clock shows what it is told", fake},
        {"who was away has waited a second", attend},
        {NULL, NULL},
    };
    return larder_test_main ("clock", tests);
}
