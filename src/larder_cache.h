/* SPDX-License-Identifier: Apache-2.0 */
/* Which chunks of one object its owner has in slots, found by chunk number.  Private to the owner. */
#ifndef LARDER_CACHE_H
#define LARDER_CACHE_H

#include "larder_chunks.h"
#include <stdint.h>

struct larder_cached {
    struct larder_chunk chunk;
    uint32_t slot;
    uint32_t next; /* index + 1 in the same bucket */
    uint64_t used; /* when it was last handed to a line, for the `reproduce` policy */
};

/* Entries are dense: [0, count).  Dropping one moves the last into its place. */
struct larder_cache {
    struct larder_cached *entries;
    uint32_t *buckets; /* index + 1, 0: empty */
    uint32_t capacity, count;
};

/* Room for as many chunks as there are slots.  On failure nothing is to be freed. */
int larder_cache_init (struct larder_cache *cache, uint32_t slots, larder_error *err);
void larder_cache_free (struct larder_cache *cache);

/* The entry of a chunk, or NULL.  Valid until the next add or drop. */
struct larder_cached *larder_cache_find (const struct larder_cache *cache, uint64_t number);

/* Add a chunk that is not in it.  There is room as long as every entry has a slot of its own. */
struct larder_cached *larder_cache_add (struct larder_cache *cache,
                                        const struct larder_chunk *chunk, uint32_t slot);
void larder_cache_drop (struct larder_cache *cache, struct larder_cached *entry);

/* 0 when every entry is found under its own number. */
int larder_cache_selfcheck (const struct larder_cache *cache);

#endif
