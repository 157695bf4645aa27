/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_bench_sum.h"
#include <string.h>

static uint64_t word_at (const unsigned char *p)
{
    uint64_t word;
    memcpy (&word, p, sizeof word);
    return word;
}

/* Four sums at a time, so that memory and not the adding is what takes time. */
static uint64_t sum_words (const unsigned char *p, uint64_t words)
{
    uint64_t a = 0, b = 0, c = 0, d = 0, i = 0;
    for (; i + 4 <= words; i += 4, p += 32) {
        a += word_at (p);
        b += word_at (p + 8);
        c += word_at (p + 16);
        d += word_at (p + 24);
    }
    for (; i < words; ++i, p += 8)
        a += word_at (p);
    return a + b + c + d;
}

void larder_bench_sum_add (struct larder_bench_sum *s, const void *data, uint64_t size)
{
    const unsigned char *p = data;
    while (s->filled > 0 && size > 0) {
        s->word[s->filled++] = *p++;
        --size;
        if (s->filled == sizeof s->word) {
            s->sum += word_at (s->word);
            s->filled = 0;
        }
    }
    s->sum += sum_words (p, size / 8);
    for (uint64_t at = size / 8 * 8; at < size; ++at)
        s->word[s->filled++] = p[at];
}

uint64_t larder_bench_sum_end (const struct larder_bench_sum *s)
{
    unsigned char word[8] = {0};
    memcpy (word, s->word, s->filled);
    return s->sum + word_at (word);
}

uint64_t larder_bench_sum_of (const void *data, uint64_t size)
{
    struct larder_bench_sum s = {0, {0}, 0};
    larder_bench_sum_add (&s, data, size);
    return larder_bench_sum_end (&s);
}
