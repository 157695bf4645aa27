/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_cache.h"
#include "larder_num.h"
#include <stdlib.h>

int larder_cache_init (struct larder_cache *c, uint32_t slots, larder_error *err)
{
    *c = (struct larder_cache){.capacity = slots};
    c->entries = malloc (slots * sizeof *c->entries);
    c->buckets = calloc (slots, sizeof *c->buckets);
    if (c->entries && c->buckets)
        return LARDER_OK;
    larder_cache_free (c);
    return larder_error_set (err, LARDER_ENOMEM, 0, "cache: no memory for the places of %u slots",
                             slots);
}

void larder_cache_free (struct larder_cache *c)
{
    free (c->entries);
    free (c->buckets);
    *c = (struct larder_cache){0};
}

static uint32_t *bucket (const struct larder_cache *c, uint64_t number)
{
    return &c->buckets[larder_num_mix (number) % c->capacity];
}

struct larder_cached *larder_cache_find (const struct larder_cache *c, uint64_t number)
{
    for (uint32_t i = *bucket (c, number); i; i = c->entries[i - 1].next)
        if (c->entries[i - 1].chunk.number == number)
            return &c->entries[i - 1];
    return NULL;
}

struct larder_cached *larder_cache_add (struct larder_cache *c, const struct larder_chunk *chunk,
                                        uint32_t slot)
{
    uint32_t *head = bucket (c, chunk->number);
    struct larder_cached *e = &c->entries[c->count++];
    *e = (struct larder_cached){.chunk = *chunk, .slot = slot, .next = *head};
    *head = c->count;
    return e;
}

/* The link that leads to entry i (counted from 1). */
static uint32_t *link_to (struct larder_cache *c, uint32_t i)
{
    uint32_t *link = bucket (c, c->entries[i - 1].chunk.number);
    while (*link != i)
        link = &c->entries[*link - 1].next;
    return link;
}

void larder_cache_drop (struct larder_cache *c, struct larder_cached *entry)
{
    uint32_t i = (uint32_t)(entry - c->entries) + 1;
    *link_to (c, i) = entry->next;
    if (i != c->count) {
        *link_to (c, c->count) = i;
        *entry = c->entries[c->count - 1];
    }
    --c->count;
}

int larder_cache_selfcheck (const struct larder_cache *c)
{
    for (uint32_t i = 0; i < c->count; ++i)
        if (larder_cache_find (c, c->entries[i].chunk.number) != &c->entries[i])
            return -1;
    return c->count <= c->capacity ? 0 : -1;
}
