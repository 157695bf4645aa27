/* SPDX-License-Identifier: Apache-2.0 */
/* Reading every byte once: the sum of the 64-bit words of what comes in parts of any size. */
#ifndef LARDER_BENCH_SUM_H
#define LARDER_BENCH_SUM_H

#include <stdint.h>

/* Zero-initialise. */
struct larder_bench_sum {
    uint64_t sum;
    unsigned char word[8]; /* of a word whose rest comes with the next part */
    unsigned filled;
};

void larder_bench_sum_add (struct larder_bench_sum *s, const void *data, uint64_t size);

/* The sum; a last word that is not full counts as if zeros followed. */
uint64_t larder_bench_sum_end (const struct larder_bench_sum *s);

/* Of one piece. */
uint64_t larder_bench_sum_of (const void *data, uint64_t size);

#endif
