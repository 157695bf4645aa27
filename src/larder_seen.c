/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_seen.h"
#include "larder_num.h"
#include <larder/error.h>
#include <stdlib.h>

enum { SIZE_FIRST = 16 };

int larder_seen_find (const struct larder_seen *seen, uint64_t hash,
                      int (*equal) (const void *self, uint64_t number, const void *key),
                      const void *self, const void *key, uint64_t *number)
{
    uint64_t mask = seen->size - 1;

    if (seen->size == 0)
        return 0;
    for (uint64_t at = hash & mask; seen->slots[at].number; at = (at + 1) & mask) {
        if (seen->slots[at].hash == hash && equal (self, seen->slots[at].number - 1, key)) {
            *number = seen->slots[at].number - 1;
            return 1;
        }
    }
    return 0;
}

static void put (struct larder_seen_slot *slots, uint64_t size, struct larder_seen_slot slot)
{
    uint64_t at = slot.hash & (size - 1);

    while (slots[at].number)
        at = (at + 1) & (size - 1);
    slots[at] = slot;
}

/* Half of the slots stay free. */
static int grow (struct larder_seen *seen)
{
    uint64_t size = seen->size ? 2 * seen->size : SIZE_FIRST;
    struct larder_seen_slot *slots;
    size_t n;

    if (larder_num_to_size (size, &n))
        return LARDER_ENOMEM;
    slots = calloc (n, sizeof *slots);
    if (!slots)
        return LARDER_ENOMEM;
    for (uint64_t i = 0; i < seen->size; ++i) {
        if (seen->slots[i].number)
            put (slots, size, seen->slots[i]);
    }
    free (seen->slots);
    seen->slots = slots;
    seen->size = size;
    return LARDER_OK;
}

int larder_seen_add (struct larder_seen *seen, uint64_t hash, uint64_t number)
{
    if (2 * (seen->used + 1) > seen->size && grow (seen) != LARDER_OK)
        return LARDER_ENOMEM;
    put (seen->slots, seen->size, (struct larder_seen_slot){.hash = hash, .number = number + 1});
    ++seen->used;
    return LARDER_OK;
}

void larder_seen_free (struct larder_seen *seen)
{
    free (seen->slots);
    *seen = (struct larder_seen){0};
}
