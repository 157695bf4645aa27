/* SPDX-License-Identifier: Apache-2.0 */
/* Which of some numbered things were seen before: a hash table of their numbers.  The things themselves, and what
 * makes two of them equal, are the caller's. */
#ifndef LARDER_SEEN_H
#define LARDER_SEEN_H

#include <stdint.h>

struct larder_seen_slot {
    uint64_t hash;
    uint64_t number; /* + 1; 0: the slot is free */
};

struct larder_seen { /* starts all zero */
    struct larder_seen_slot *slots;
    uint64_t size, used; /* size: a power of two, or 0 */
};

/* 1 when a thing with this hash was added for which equal (self, number, key) is not 0; its number. */
int larder_seen_find (const struct larder_seen *seen, uint64_t hash,
                      int (*equal) (const void *self, uint64_t number, const void *key),
                      const void *self, const void *key, uint64_t *number);
/* LARDER_OK, LARDER_ENOMEM: as it was. */
int larder_seen_add (struct larder_seen *seen, uint64_t hash, uint64_t number);
void larder_seen_free (struct larder_seen *seen);

#endif
