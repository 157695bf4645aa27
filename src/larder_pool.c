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
    pool->promised = pool->peak = pool->open = 0;
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
    pool->open += (uint32_t)((value >> 63) - (get (quota) >> 63));
    set (quota, value);
}

int larder_pool_open_locked (struct larder_pool *pool, larder_word *quota)
{
    uint64_t value = get (quota) | OPEN;
    if (!(get (quota) & OPEN) && (pool->open + 1) * LARDER_POOL_PROMISE > pool->slots)
        return -1;
    change (pool, quota, value);
    return 0;
}

void larder_pool_close_locked (struct larder_pool *pool, larder_word *quota)
{
    change (pool, quota, get (quota) & ~OPEN);
}

void larder_pool_give_locked (struct larder_pool *pool, larder_word *quota, uint32_t slot)
{
    pool->stack[pool->free++] = slot;
    change (pool, quota, get (quota) - 1);
}

int larder_pool_open (struct larder_pool *pool, larder_word *quota)
{
    larder_pool_lock (pool);
    int rc = larder_pool_open_locked (pool, quota);
    larder_pool_unlock (pool);
    return rc;
}

void larder_pool_close (struct larder_pool *pool, larder_word *quota)
{
    larder_pool_lock (pool);
    larder_pool_close_locked (pool, quota);
    larder_pool_unlock (pool);
}

uint32_t larder_pool_take (struct larder_pool *pool, larder_word *quota)
{
    uint32_t slot = LARDER_POOL_NONE;
    larder_pool_lock (pool);
    if (pool->free &&
        (owed (get (quota)) > 0 || pool->free > pool->promised + LARDER_POOL_PROMISE)) {
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
    larder_pool_give_locked (pool, quota, slot);
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
                   pool->open * LARDER_POOL_PROMISE <= pool->slots && pool->peak <= pool->slots
               ? 0
               : -1;
}
