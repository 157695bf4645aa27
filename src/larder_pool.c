/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_pool.h"
#include <sched.h>

#define OPEN (UINT64_C (1) << 63)

void larder_pool_lock (struct larder_pool *pool)
{
    for (;;) {
        uint64_t unlocked = 0;
        for (int i = 0; i < 64; ++i, unlocked = 0)
            if (larder_load (&pool->lock) == 0 &&
                atomic_compare_exchange_weak (&pool->lock, &unlocked, 1))
                return;
        sched_yield ();
    }
}

void larder_pool_unlock (struct larder_pool *pool)
{
    larder_store (&pool->lock, 0);
}

void larder_pool_init (struct larder_pool *pool, uint32_t slots)
{
    larder_store (&pool->lock, 0);
    pool->slots = pool->free = slots;
    pool->promised = pool->peak = 0;
    for (uint32_t i = 0; i < slots; ++i)
        pool->stack[i] = slots - 1 - i;
}

static uint64_t get (const larder_word *quota)
{
    return atomic_load_explicit (quota, memory_order_relaxed);
}

static void set (larder_word *quota, uint64_t value)
{
    atomic_store_explicit (quota, value, memory_order_relaxed);
}

/* What the pool owes an open quota that holds `held` slots. */
static uint32_t owed (uint64_t quota)
{
    uint64_t held = quota & ~OPEN;
    return (quota & OPEN) && held < LARDER_POOL_PROMISE ? (uint32_t)(LARDER_POOL_PROMISE - held)
                                                        : 0;
}

/* The one place where a quota changes. */
static void change (struct larder_pool *pool, larder_word *quota, uint64_t value)
{
    pool->promised = pool->promised - owed (get (quota)) + owed (value);
    set (quota, value);
}

int larder_pool_open (struct larder_pool *pool, larder_word *quota)
{
    int rc = -1;
    larder_pool_lock (pool);
    uint64_t value = get (quota) | OPEN;
    if (pool->promised - owed (get (quota)) + owed (value) <= pool->free) {
        change (pool, quota, value);
        rc = 0;
    }
    larder_pool_unlock (pool);
    return rc;
}

void larder_pool_close (struct larder_pool *pool, larder_word *quota)
{
    larder_pool_lock (pool);
    change (pool, quota, get (quota) & ~OPEN);
    larder_pool_unlock (pool);
}

uint32_t larder_pool_take (struct larder_pool *pool, larder_word *quota)
{
    uint32_t slot = LARDER_POOL_NONE;
    larder_pool_lock (pool);
    if (owed (get (quota)) > 0 || pool->free > pool->promised) {
        slot = pool->stack[--pool->free];
        change (pool, quota, get (quota) + 1);
        uint32_t used = pool->slots - pool->free;
        if (used > pool->peak)
            pool->peak = used;
    }
    larder_pool_unlock (pool);
    return slot;
}

void larder_pool_give (struct larder_pool *pool, larder_word *quota, uint32_t slot)
{
    larder_pool_lock (pool);
    pool->stack[pool->free++] = slot;
    change (pool, quota, get (quota) - 1);
    larder_pool_unlock (pool);
}

uint32_t larder_pool_held (const larder_word *quota)
{
    return (uint32_t)(get (quota) & ~OPEN);
}

int larder_pool_selfcheck (const struct larder_pool *pool, const larder_word *quotas, uint32_t n)
{
    uint64_t held = 0, promised = 0;
    for (uint32_t i = 0; i < n; ++i) {
        held += larder_pool_held (&quotas[i]);
        promised += owed (get (&quotas[i]));
    }
    return held + pool->free == pool->slots && promised == pool->promised &&
                   pool->promised <= pool->free && pool->peak <= pool->slots
               ? 0
               : -1;
}
