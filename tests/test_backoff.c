/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_backoff.h"
#include "larder_test.h"

enum { LOOKS = 1200 }; /* beyond the pauses and the yields */

static void counts (void)
{
    struct larder_backoff b = {0};
    for (uint32_t i = 0; i < LOOKS; ++i) {
        CU_ASSERT_EQUAL (b.looks, i);
        larder_backoff_wait (&b, 0);
    }
    larder_backoff_reset (&b);
    CU_ASSERT_EQUAL (b.looks, 0);
}

static void stays_in_bounds (void)
{
    /* Waiting for ever neither wraps to the short waits nor overflows the length of a nap. */
    struct larder_backoff b = {UINT32_MAX - 1};
    larder_backoff_wait (&b, 0);
    CU_ASSERT (b.looks > LOOKS && b.looks < UINT32_MAX);
    larder_backoff_wait (&b, -1);
    larder_backoff_wait (&b, 1e-6);
    CU_ASSERT (b.looks > LOOKS && b.looks < UINT32_MAX);
}

int main (void)
{
    static const struct larder_test tests[] = {
        {"looks are counted and forgotten", counts},
        {"a long wait stays a long wait", stays_in_bounds},
        {NULL, NULL},
    };
    return larder_test_main ("backoff", tests);
}
