/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for tests: a fresh seed each run, printed; LARDER_TEST_SEED repeats a run. */
#ifndef LARDER_TEST_RANDOM_H
#define LARDER_TEST_RANDOM_H

#include "larder_num.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct larder_test_random {
    uint64_t state;
};

static inline struct larder_test_random larder_test_seed (void)
{
    const char *text = getenv ("LARDER_TEST_SEED");
    uint64_t seed = text ? strtoull (text, NULL, 0) : (uint64_t)time (NULL);

    printf ("\n    LARDER_TEST_SEED=%llu ", (unsigned long long)seed);
    return (struct larder_test_random){larder_num_mix (seed)};
}

static inline uint64_t larder_test_random (struct larder_test_random *r)
{
    return larder_num_mix (r->state++);
}

/* 0 .. below - 1 */
static inline uint64_t larder_test_below (struct larder_test_random *r, uint64_t below)
{
    return larder_test_random (r) % below;
}

/* All magnitudes are as likely: what overflows and what is tiny both turn up. */
static inline uint64_t larder_test_any_size (struct larder_test_random *r)
{
    return larder_test_random (r) >> larder_test_below (r, 64);
}

static inline void larder_test_fill (struct larder_test_random *r, void *to, size_t size)
{
    for (unsigned char *p = to; size; --size)
        *p++ = (unsigned char)larder_test_random (r);
}

#endif
