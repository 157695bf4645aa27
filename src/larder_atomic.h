/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic words in memory that the ranks of a node share.  Words that other nodes write by RMA are
 * read with these loads too. */
#ifndef LARDER_ATOMIC_H
#define LARDER_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t larder_word;

_Static_assert(sizeof (larder_word) == sizeof (uint64_t), "words are plain 8 bytes");

static inline uint64_t larder_load (const larder_word *word)
{
    return atomic_load_explicit (word, memory_order_acquire);
}

static inline void larder_store (larder_word *word, uint64_t value)
{
    atomic_store_explicit (word, value, memory_order_release);
}

/* Advance a word that only grows.  Returns 1 when this call raised it. */
static inline int larder_raise (larder_word *word, uint64_t value)
{
    uint64_t seen = atomic_load_explicit (word, memory_order_relaxed);
    while (seen < value)
        if (atomic_compare_exchange_weak (word, &seen, value))
            return 1;
    return 0;
}

#endif
