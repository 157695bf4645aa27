/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_guard.h"

static larder_word *word (const struct larder_nodecache *nc, int local, size_t which)
{
    return larder_nodecache_word (nc, nc->layout.guard + 64 * (size_t)local + which);
}

static int local_count (const struct larder_nodecache *nc)
{
    return larder_topology_node_size (nc->topology, nc->node);
}

void larder_guard_set (struct larder_nodecache *nc, uint32_t slot)
{
    atomic_store (word (nc, nc->local, LARDER_GUARD_SLOT), (uint64_t)slot + 1);
}

int larder_guard_find (const struct larder_nodecache *nc, uint32_t slot)
{
    for (int i = 0; i < local_count (nc); ++i)
        if (atomic_load (word (nc, i, LARDER_GUARD_SLOT)) == (uint64_t)slot + 1)
            return i;
    return -1;
}

static uint64_t kept_word (const struct larder_nodecache *nc, int owner, int line, uint32_t slot)
{
    uint64_t number = (uint64_t)owner * nc->layout.shape.max_lines + (uint64_t)line;
    return number << 32 | ((uint64_t)slot + 1);
}

void larder_guard_give (struct larder_nodecache *nc, int owner, int line, uint32_t slot)
{
    int viewer;
    while ((viewer = larder_guard_find (nc, slot)) >= 0) {
        larder_word *kept = word (nc, viewer, LARDER_GUARD_KEPT);
        atomic_store (kept, kept_word (nc, owner, line, slot));
        if (atomic_load (word (nc, viewer, LARDER_GUARD_SLOT)) == (uint64_t)slot + 1)
            return;
        if (atomic_exchange (kept, 0) == 0)
            return; /* the viewer has it */
    }
    larder_pool_give_locked (nc->pool, &larder_nodecache_line (nc, owner, line)->quota, slot);
}

static void give_kept (struct larder_nodecache *nc)
{
    uint64_t kept = atomic_exchange (word (nc, nc->local, LARDER_GUARD_KEPT), 0);
    int lines = (int)nc->layout.shape.max_lines, number = (int)(kept >> 32);
    if (kept == 0)
        return;
    larder_pool_lock (nc->pool);
    larder_guard_give (nc, number / lines, number % lines, (uint32_t)kept - 1);
    larder_pool_unlock (nc->pool);
}

void larder_guard_clear (struct larder_nodecache *nc)
{
    atomic_store (word (nc, nc->local, LARDER_GUARD_SLOT), 0);
    if (atomic_load (word (nc, nc->local, LARDER_GUARD_KEPT)))
        give_kept (nc);
}

void larder_guard_pause (struct larder_nodecache *nc, uint64_t until)
{
    larder_store (word (nc, nc->local, LARDER_GUARD_PAUSE), until);
}

uint64_t larder_guard_paused (const struct larder_nodecache *nc, int local)
{
    return larder_load (word (nc, local, LARDER_GUARD_PAUSE));
}
