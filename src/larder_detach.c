/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_detach.h"
#include "larder_guard.h"

static int here (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                 uint64_t position)
{
    return position < LARDER_POSITION_DONE &&
           larder_nodecache_lookup (nc, owner, line, life, position) != LARDER_POOL_NONE;
}

void larder_detach_look (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                         uint64_t *stood)
{
    const larder_word *positions = larder_nodecache_positions (nc, owner, line);
    for (int i = 0; i < larder_topology_node_size (nc->topology, nc->node); ++i) {
        uint64_t position = larder_load (&positions[i]);
        stood[i] = here (nc, owner, line, life, position) ? position : LARDER_POSITION_NONE;
    }
}

/* One rank; under the lock.  It may advance meanwhile: then it is not detached. */
static int detach (struct larder_nodecache *nc, int owner, int line, uint64_t life, int local,
                   uint64_t stood, uint64_t state)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    larder_word *states = larder_nodecache_states (nc, owner, line);
    if (local == nc->local || !here (nc, owner, line, life, stood) ||
        larder_load (&states[local]) != larder_wire_word (life, LARDER_STATE_ACQUIRED) ||
        !atomic_compare_exchange_strong (&larder_nodecache_positions (nc, owner, line)[local],
                                         &stood, LARDER_POSITION_NONE))
        return 0;
    larder_store (&states[local], larder_wire_word (life, state));
    larder_store (&ln->members, larder_load (&ln->members) - 1);
    larder_store (&ln->detached, larder_load (&ln->detached) + 1);
    return 1;
}

int larder_detach_ranks (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                         uint64_t *stood, uint64_t since, uint64_t state)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    int count = 0;
    larder_pool_lock (nc->pool);
    int open = larder_load (&ln->life) == life && larder_load (&ln->state) == LARDER_LINE_OPEN &&
               larder_nodecache_failed (nc, owner, line, life) == 0;
    for (int i = 0; i < larder_topology_node_size (nc->topology, nc->node); ++i) {
        if (open && larder_guard_paused (nc, i) <= since &&
            detach (nc, owner, line, life, i, stood[i], state))
            ++count;
        else
            stood[i] = LARDER_POSITION_NONE;
    }
    if (count)
        (void)larder_nodecache_raise_locked (nc, owner, line);
    larder_pool_unlock (nc->pool);
    return count;
}
