/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a node: one pool in node-shared memory for its owners and its receiving side.
 *
 * Whoever uses slots (an object being downloaded, a line that fetches) has a quota word.  A quota
 * that is open is promised two slots; the rest is borrowed by whoever comes, but for two, so that an
 * owner whose cache is full can begin a download of its own.  Nobody borrows while a promise waits for
 * slots to come back.
 * Slots are handed out last in, first out, so that the ones in the processor's cache are used again.
 * Every rank of the node may call; a lock guards a handful of instructions. */
#ifndef LARDER_POOL_H
#define LARDER_POOL_H

#include "larder_atomic.h"
#include <stdint.h>

#define LARDER_POOL_PROMISE 2
#define LARDER_POOL_NONE    UINT32_MAX

struct larder_pool {
    larder_word lock;
    uint32_t slots, free;
    uint32_t promised; /* slots that open quotas may still claim */
    uint32_t peak;     /* largest number of slots in use */
    uint32_t open;     /* open quotas */
    uint32_t pad[9];
    uint32_t stack[]; /* free slots, the next one last */
};

void larder_pool_init (struct larder_pool *pool, uint32_t slots);

/* Open a quota.  0, or -1 when there are not two slots for one more. */
int larder_pool_open (struct larder_pool *pool, larder_word *quota);

/* Close a quota; slots it still has come back by larder_pool_give as before. */
void larder_pool_close (struct larder_pool *pool, larder_word *quota);

/* A slot, or LARDER_POOL_NONE. */
uint32_t larder_pool_take (struct larder_pool *pool, larder_word *quota);
void larder_pool_give (struct larder_pool *pool, larder_word *quota, uint32_t slot);

/* Slots that a quota holds. */
uint32_t larder_pool_held (const larder_word *quota);

/* The lock of the pool, also used for the node's lines. */
void larder_pool_lock (struct larder_pool *pool);
void larder_pool_unlock (struct larder_pool *pool);

/* The same for who has the lock. */
int larder_pool_open_locked (struct larder_pool *pool, larder_word *quota);
void larder_pool_close_locked (struct larder_pool *pool, larder_word *quota);
void larder_pool_give_locked (struct larder_pool *pool, larder_word *quota, uint32_t slot);

/* 0 when the books add up: `quotas` are all quota words there are. */
int larder_pool_selfcheck (const struct larder_pool *pool, const larder_word *quotas, uint32_t n);

#endif
