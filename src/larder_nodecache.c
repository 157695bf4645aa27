/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_nodecache.h"
#include "larder_guard.h"
#include <string.h>

/* ---------------------------------------------------------------- places */

struct larder_line *larder_nodecache_line (const struct larder_nodecache *nc, int owner, int line)
{
    size_t at = larder_wire_line (&nc->layout, (uint64_t)owner, (uint64_t)line);
    return (struct larder_line *)(void *)(nc->base + at);
}

larder_word *larder_nodecache_positions (const struct larder_nodecache *nc, int owner, int line)
{
    return larder_nodecache_word (nc,
                                  larder_wire_line (&nc->layout, (uint64_t)owner, (uint64_t)line) +
                                      nc->layout.line_position);
}

larder_word *larder_nodecache_states (const struct larder_nodecache *nc, int owner, int line)
{
    return larder_nodecache_word (nc,
                                  larder_wire_line (&nc->layout, (uint64_t)owner, (uint64_t)line) +
                                      nc->layout.line_state);
}

larder_word *larder_nodecache_splits (const struct larder_nodecache *nc, int owner, int line)
{
    return larder_nodecache_word (nc,
                                  larder_wire_line (&nc->layout, (uint64_t)owner, (uint64_t)line) +
                                      nc->layout.line_split);
}

struct larder_slot_header *larder_nodecache_slot (const struct larder_nodecache *nc, uint32_t slot)
{
    return (struct larder_slot_header *)(void *)(nc->base + larder_wire_slot (&nc->layout, slot));
}

static larder_word *directory (const struct larder_nodecache *nc, int owner, int line,
                               uint64_t chunk)
{
    size_t at = larder_wire_line (&nc->layout, (uint64_t)owner, (uint64_t)line) +
                nc->layout.line_directory + 8 * (size_t)(chunk % nc->layout.shape.ring);
    return larder_nodecache_word (nc, at);
}

static int local_count (const struct larder_nodecache *nc)
{
    return larder_topology_node_size (nc->topology, nc->node);
}

static int at_home (const struct larder_nodecache *nc, int owner)
{
    return nc->topology->node[nc->owners[owner]] == nc->node;
}

/* ---------------------------------------------------------------- directory */

static uint64_t entry (uint64_t life, uint64_t chunk, uint32_t slot)
{
    return (chunk & UINT32_MAX) << 32 | (life & 0xff) << 24 | ((uint64_t)slot + 1);
}

static uint32_t entry_slot (uint64_t word, uint64_t life, uint64_t chunk)
{
    if (word >> 24 != ((chunk & UINT32_MAX) << 8 | (life & 0xff)) || (word & 0xffffff) == 0)
        return LARDER_POOL_NONE;
    return (uint32_t)(word & 0xffffff) - 1;
}

uint32_t larder_nodecache_lookup (const struct larder_nodecache *nc, int owner, int line,
                                  uint64_t life, uint64_t chunk)
{
    return entry_slot (larder_load (directory (nc, owner, line, chunk)), life, chunk);
}

void larder_nodecache_show (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            uint64_t chunk, uint32_t slot)
{
    atomic_store (directory (nc, owner, line, chunk), entry (life, chunk, slot));
}

int larder_nodecache_publish (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                              uint64_t chunk, uint32_t slot)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    int rc = -1;
    larder_pool_lock (nc->pool);
    larder_word *word = directory (nc, owner, line, chunk);
    if (larder_load (&ln->life) == life && larder_load (&ln->state) == LARDER_LINE_OPEN &&
        larder_wire_count (larder_load (&ln->cursor)) <= chunk &&
        entry_slot (larder_load (word), life, chunk) == LARDER_POOL_NONE) {
        larder_store (word, entry (life, chunk, slot));
        rc = 0;
    }
    larder_pool_unlock (nc->pool);
    return rc;
}

int larder_nodecache_retract (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                              uint64_t chunk, uint32_t slot, int force)
{
    larder_word *word = directory (nc, owner, line, chunk);
    uint64_t old = entry (life, chunk, slot);
    if (!atomic_compare_exchange_strong (word, &old, 0))
        return 0;
    /* A reader sets its guard, then looks at the directory again; here it is the other way round, so
     * one of the two sees the other (both orders are sequentially consistent). */
    if (!larder_nodecache_guarded (nc, slot))
        return 0;
    if (!force)
        atomic_store (word, entry (life, chunk, slot));
    return -1;
}

int larder_nodecache_guard (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            uint64_t chunk, uint32_t slot)
{
    larder_guard_set (nc, slot);
    if (atomic_load (directory (nc, owner, line, chunk)) == entry (life, chunk, slot))
        return 0;
    larder_guard_clear (nc);
    return -1;
}

void larder_nodecache_unguard (struct larder_nodecache *nc)
{
    larder_guard_clear (nc);
}

int larder_nodecache_guarded (const struct larder_nodecache *nc, uint32_t slot)
{
    return larder_guard_find (nc, slot) >= 0;
}

/* ---------------------------------------------------------------- cursor; all under the lock */

static void take_out (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                      uint64_t chunk)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    larder_word *word = directory (nc, owner, line, chunk);
    uint32_t slot = entry_slot (larder_load (word), life, chunk);
    if (slot == LARDER_POOL_NONE)
        return;
    if (!larder_load (&ln->detached)) { /* nobody views what all have passed */
        larder_store (word, 0);
        if (!at_home (nc, owner))
            larder_pool_give_locked (nc->pool, &ln->quota, slot);
        return;
    }
    atomic_store (word, 0); /* then the guards, as larder_nodecache_retract does */
    if (!at_home (nc, owner))
        larder_guard_give (nc, owner, line, slot);
}

int larder_nodecache_raise_locked (struct larder_nodecache *nc, int owner, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    const larder_word *positions = larder_nodecache_positions (nc, owner, line);
    uint64_t life = larder_load (&ln->life), low = LARDER_POSITION_NONE;
    uint64_t cursor = larder_wire_count (larder_load (&ln->cursor));
    if (larder_wire_life (larder_load (&ln->info_code)) != life)
        return 0; /* chunk numbers are not known yet */
    for (int i = 0; i < local_count (nc); ++i) {
        uint64_t p = atomic_load (&positions[i]);
        if (p < low)
            low = p;
    }
    if (low >= LARDER_POSITION_DONE || low <= cursor)
        return 0;
    uint64_t last = low - cursor > nc->layout.shape.ring ? cursor + nc->layout.shape.ring : low;
    for (uint64_t c = cursor; c < last; ++c)
        take_out (nc, owner, line, life, c);
    atomic_store (&ln->cursor, larder_wire_word (life, low));
    return 1;
}

int larder_nodecache_member (const struct larder_nodecache *nc, int owner, int line, uint64_t life)
{
    return larder_load (&larder_nodecache_line (nc, owner, line)->life) == life &&
           larder_load (&larder_nodecache_positions (nc, owner, line)[nc->local]) !=
               LARDER_POSITION_NONE;
}

int larder_nodecache_advance (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                              uint64_t position)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    larder_word *mine = &larder_nodecache_positions (nc, owner, line)[nc->local];
    uint64_t old = larder_load (mine);
    if (larder_load (&ln->life) != life || old == LARDER_POSITION_NONE ||
        !atomic_compare_exchange_strong (mine, &old, position))
        return LARDER_NODECACHE_DETACHED;
    if (old > larder_wire_count (atomic_load (&ln->cursor)))
        return 0; /* somebody else is furthest behind, and looks when it moves */
    larder_pool_lock (nc->pool);
    int raised = larder_nodecache_raise_locked (nc, owner, line);
    larder_pool_unlock (nc->pool);
    return raised;
}

uint64_t larder_nodecache_cursor (const struct larder_nodecache *nc, int owner, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    uint64_t cursor = larder_load (&ln->cursor);
    if (larder_load (&ln->state) == LARDER_LINE_DRAINING)
        return larder_wire_word (larder_wire_life (cursor), LARDER_CURSOR_END +
                                                                (larder_load (&ln->closing) << 16) +
                                                                larder_load (&ln->joined));
    return cursor;
}

/* ---------------------------------------------------------------- join and leave */

static uint64_t state_of (const struct larder_nodecache *nc, int owner, int line, uint64_t life)
{
    uint64_t word = larder_load (&larder_nodecache_states (nc, owner, line)[nc->local]);
    return larder_wire_life (word) == life ? larder_wire_count (word) : LARDER_STATE_ABSENT;
}

static void empty_line (struct larder_nodecache *nc, int owner, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    uint64_t life = larder_load (&ln->life), cursor = larder_wire_count (larder_load (&ln->cursor));
    for (uint64_t c = cursor; c < cursor + nc->layout.shape.ring; ++c)
        take_out (nc, owner, line, life, c);
}

/* Nobody is in the line any more: it ends, or is free at once when the owner gave it up. */
static int end_if_empty (struct larder_nodecache *nc, int owner, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    int failed = larder_nodecache_failed (nc, owner, line, larder_load (&ln->life)) != 0;
    if (larder_load (&ln->members) || (larder_load (&ln->owed) && !failed))
        return 0;
    empty_line (nc, owner, line);
    if (!at_home (nc, owner))
        larder_pool_close_locked (nc->pool, &ln->quota);
    larder_store (&ln->closing, (uint64_t)nc->local);
    larder_store (&ln->state, failed ? LARDER_LINE_FREE : LARDER_LINE_DRAINING);
    return 1;
}

/* Nothing that the rank wants has gone by in this line. */
static int not_passed (const struct larder_nodecache *nc, const struct larder_want *want, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, want->owner, line);
    uint64_t life = larder_load (&ln->life), cursor = larder_wire_count (larder_load (&ln->cursor));
    uint64_t from = larder_load (&ln->from);
    int begun = larder_wire_life (larder_load (&ln->info_code)) == life;
    if (want->from)
        return begun ? cursor < want->from : from <= want->from;
    if (!begun || cursor == larder_load (&ln->info[2])) /* it stands where it began */
        return !from || want->first_item > larder_load (&ln->first_item);
    uint32_t slot = larder_nodecache_lookup (nc, want->owner, line, life, cursor);
    if (slot == LARDER_POOL_NONE)
        return 0;
    const struct larder_slot_header *h = larder_nodecache_slot (nc, slot);
    return h->item < want->first_item || (h->item == want->first_item && h->offset == 0);
}

static int joinable (const struct larder_nodecache *nc, const struct larder_want *want, int line)
{
    struct larder_line *ln = larder_nodecache_line (nc, want->owner, line);
    uint64_t life = larder_load (&ln->life);
    return larder_load (&ln->state) == LARDER_LINE_OPEN &&
           larder_load (&ln->object) == want->object &&
           larder_load (&ln->transaction) == want->transaction &&
           larder_nodecache_failed (nc, want->owner, line, life) == 0 &&
           state_of (nc, want->owner, line, life) == LARDER_STATE_ABSENT &&
           want->first_item < want->end_item && /* a verdict alone needs no line that may fail */
           want->first_item >= larder_load (&ln->first_item) &&
           want->first_item < larder_load (&ln->end) && not_passed (nc, want, line);
}

static void enter (struct larder_nodecache *nc, const struct larder_want *want, int line,
                   struct larder_joined *joined)
{
    struct larder_line *ln = larder_nodecache_line (nc, want->owner, line);
    larder_word *position = &larder_nodecache_positions (nc, want->owner, line)[nc->local];
    uint64_t life = larder_load (&ln->life);
    if (atomic_load (position) != LARDER_POSITION_NONE)
        larder_store (&ln->owed, larder_load (&ln->owed) - 1);
    atomic_store (position, larder_wire_count (larder_load (&ln->cursor)));
    if (want->split) /* before the others can say anything of this rank */
        larder_store (&larder_nodecache_splits (nc, want->owner, line)[nc->local],
                      larder_wire_word (life, want->split));
    larder_store (&larder_nodecache_states (nc, want->owner, line)[nc->local],
                  larder_wire_word (life, LARDER_STATE_ACQUIRED));
    larder_store (&ln->members, larder_load (&ln->members) + 1);
    larder_store (&ln->joined, larder_load (&ln->joined) + 1);
    joined->line = line;
    joined->life = life;
    if (want->end_item > larder_load (&ln->end)) {
        larder_store (&ln->end, want->end_item);
        joined->extended = 1;
    }
    joined->end_item = larder_load (&ln->end);
}

static void bind (struct larder_nodecache *nc, const struct larder_want *want, int line,
                  struct larder_joined *joined)
{
    struct larder_line *ln = larder_nodecache_line (nc, want->owner, line);
    larder_word *positions = larder_nodecache_positions (nc, want->owner, line);
    uint64_t life = larder_load (&ln->life) + 1;
    for (int i = 0; i < local_count (nc); ++i)
        atomic_store (&positions[i], LARDER_POSITION_NONE);
    larder_store (&ln->life, life);
    larder_store (&ln->object, want->object);
    larder_store (&ln->transaction, want->transaction);
    larder_store (&ln->first_item, want->first_item);
    larder_store (&ln->end, want->end_item);
    larder_store (&ln->from, want->from);
    larder_store (&ln->members, 0);
    larder_store (&ln->owed, 0);
    larder_store (&ln->joined, 0);
    larder_store (&ln->detached, 0);
    larder_store (&ln->cursor, larder_wire_word (life, 0));
    larder_store (&ln->want, larder_wire_word (life, 0));
    larder_store (&ln->holder, larder_wire_word (life, (uint64_t)nc->local));
    larder_store (&ln->state, LARDER_LINE_OPEN);
    joined->binds = 1;
    enter (nc, want, line, joined);
}

/* The line does not wait for a rank that the owner counted on; under the lock. */
static void do_without (struct larder_nodecache *nc, int owner, int line, int local)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    atomic_store (&larder_nodecache_positions (nc, owner, line)[local], LARDER_POSITION_NONE);
    larder_store (&ln->owed, larder_load (&ln->owed) - 1);
}

static int awaited (const struct larder_nodecache *nc, int owner, int line, int local)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    uint64_t state = larder_load (&larder_nodecache_states (nc, owner, line)[local]);
    return larder_load (&ln->state) == LARDER_LINE_OPEN &&
           (larder_wire_life (state) != larder_load (&ln->life) ||
            larder_wire_count (state) == LARDER_STATE_ABSENT) &&
           atomic_load (&larder_nodecache_positions (nc, owner, line)[local]) !=
               LARDER_POSITION_NONE;
}

/* Lines that wait for this rank, which has joined another one of the same object; or, as it joined none
 * (-1), needs one of them for something else. */
static uint64_t not_coming (struct larder_nodecache *nc, const struct larder_want *want,
                            int joined_line)
{
    uint64_t raised = 0;
    for (int l = 0; l < (int)nc->layout.shape.max_lines; ++l) {
        struct larder_line *ln = larder_nodecache_line (nc, want->owner, l);
        int same = larder_load (&ln->object) == want->object &&
                   larder_load (&ln->transaction) == want->transaction;
        if (l == joined_line || (joined_line >= 0 && !same) ||
            !awaited (nc, want->owner, l, nc->local))
            continue;
        do_without (nc, want->owner, l, nc->local);
        if (larder_nodecache_raise_locked (nc, want->owner, l) | end_if_empty (nc, want->owner, l))
            raised |= UINT64_C (1) << l;
    }
    return raised;
}

/* Lines that all have left and that wait for ranks which have not come end without them: those may be waiting
 * for a line of another owner in the same way.  They will bind one of their own. */
static uint64_t end_idle (struct larder_nodecache *nc, int owner)
{
    uint64_t ended = 0;
    for (int l = 0; l < (int)nc->layout.shape.max_lines; ++l) {
        const struct larder_line *ln = larder_nodecache_line (nc, owner, l);
        if (larder_load (&ln->state) != LARDER_LINE_OPEN || larder_load (&ln->members))
            continue;
        for (int i = 0; i < local_count (nc); ++i)
            if (awaited (nc, owner, l, i))
                do_without (nc, owner, l, i);
        if (larder_nodecache_raise_locked (nc, owner, l) | end_if_empty (nc, owner, l))
            ended |= UINT64_C (1) << l;
    }
    return ended;
}

int larder_nodecache_join (struct larder_nodecache *nc, const struct larder_want *want,
                           struct larder_joined *joined)
{
    int lines = (int)nc->layout.shape.max_lines, found = -1, rc = LARDER_EBUSY;
    *joined = (struct larder_joined){.line = -1};
    larder_pool_lock (nc->pool);
    for (int l = 0; l < lines && found < 0; ++l)
        if (joinable (nc, want, l)) {
            enter (nc, want, l, joined);
            found = l;
        }
    for (int l = 0; l < lines && found < 0; ++l) {
        struct larder_line *ln = larder_nodecache_line (nc, want->owner, l);
        uint64_t state = larder_load (&ln->state);
        if (state == LARDER_LINE_DRAINING)
            rc = LARDER_AGAIN;
        if (state != LARDER_LINE_FREE || larder_load (&ln->life) == LARDER_LIFE_MAX)
            continue;
        if (!at_home (nc, want->owner) && want->end_item > want->first_item &&
            larder_pool_open_locked (nc->pool, &ln->quota) != 0)
            break;
        bind (nc, want, l, joined);
        found = l;
    }
    joined->raised = not_coming (nc, want, found);
    if (found < 0 && want->impatient)
        joined->raised |= end_idle (nc, want->owner);
    if (found >= 0)
        rc = LARDER_OK;
    else if (joined->raised)
        rc = LARDER_AGAIN;
    larder_pool_unlock (nc->pool);
    return rc;
}

int larder_nodecache_leave (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            uint64_t state)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    int rc = LARDER_NODECACHE_DETACHED;
    larder_pool_lock (nc->pool);
    if (larder_nodecache_member (nc, owner, line, life)) {
        larder_store (&larder_nodecache_states (nc, owner, line)[nc->local],
                      larder_wire_word (life, state));
        atomic_store (&larder_nodecache_positions (nc, owner, line)[nc->local],
                      LARDER_POSITION_NONE);
        larder_store (&ln->members, larder_load (&ln->members) - 1);
        rc = larder_nodecache_raise_locked (nc, owner, line);
        if (end_if_empty (nc, owner, line))
            rc = larder_load (&ln->state) == LARDER_LINE_DRAINING ? 2 : 0;
    }
    larder_pool_unlock (nc->pool);
    return rc;
}

int larder_nodecache_do_without (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                                 uint64_t since)
{
    int rc = 0;
    larder_pool_lock (nc->pool);
    if (larder_load (&larder_nodecache_line (nc, owner, line)->life) == life) {
        for (int i = 0; i < local_count (nc); ++i)
            if (awaited (nc, owner, line, i) && larder_guard_paused (nc, i) <= since)
                do_without (nc, owner, line, i);
        rc = larder_nodecache_raise_locked (nc, owner, line);
    }
    larder_pool_unlock (nc->pool);
    return rc;
}

void larder_nodecache_closed (struct larder_nodecache *nc, int owner, int line, uint64_t life)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    larder_pool_lock (nc->pool);
    if (larder_load (&ln->life) == life && larder_load (&ln->state) == LARDER_LINE_DRAINING)
        larder_store (&ln->state, LARDER_LINE_FREE);
    larder_pool_unlock (nc->pool);
}

/* ---------------------------------------------------------------- what the owner says */

/* A rank of the node takes part in the object by another line. */
static int elsewhere (const struct larder_nodecache *nc, int owner, int line, int local)
{
    struct larder_line *here = larder_nodecache_line (nc, owner, line);
    for (int l = 0; l < (int)nc->layout.shape.max_lines; ++l) {
        struct larder_line *ln = larder_nodecache_line (nc, owner, l);
        uint64_t state = larder_load (&larder_nodecache_states (nc, owner, l)[local]);
        if (l != line && larder_load (&ln->object) == larder_load (&here->object) &&
            larder_load (&ln->transaction) == larder_load (&here->transaction) &&
            larder_wire_life (state) == larder_load (&ln->life) &&
            larder_wire_count (state) != LARDER_STATE_ABSENT)
            return 1;
    }
    return 0;
}

void larder_nodecache_begin (struct larder_nodecache *nc, int owner, int line,
                             const struct larder_info *info, const uint64_t *expected)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    larder_word *positions = larder_nodecache_positions (nc, owner, line);
    larder_word *states = larder_nodecache_states (nc, owner, line);
    const uint64_t *words = (const uint64_t *)info;
    larder_pool_lock (nc->pool);
    if (larder_load (&ln->life) == info->life && larder_load (&ln->state) == LARDER_LINE_OPEN &&
        larder_wire_life (larder_load (&ln->info_code)) != info->life) {
        for (int i = 0; i < 8; ++i)
            larder_store (&ln->info[i], words[i]);
        for (int i = 0; i < local_count (nc); ++i) {
            uint64_t state = larder_load (&states[i]);
            int absent = larder_wire_life (state) != info->life ||
                         larder_wire_count (state) == LARDER_STATE_ABSENT;
            int owed = expected && absent && (expected[i / 64] >> (i % 64) & 1) &&
                       !elsewhere (nc, owner, line, i);
            if (owed)
                larder_store (&ln->owed, larder_load (&ln->owed) + 1);
            if (owed || atomic_load (&positions[i]) != LARDER_POSITION_NONE)
                atomic_store (&positions[i], info->first_chunk);
        }
        atomic_store (&ln->cursor, larder_wire_word (info->life, info->first_chunk));
        larder_store (&ln->info_code, larder_wire_word (info->life, 1));
    }
    larder_pool_unlock (nc->pool);
}

int larder_nodecache_expect (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                             const uint64_t *expected)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    int rc = 0;
    if (larder_load (&ln->owed) == 0)
        return 0;
    larder_pool_lock (nc->pool);
    if (larder_load (&ln->life) == life &&
        larder_load (&ln->info_code) == larder_wire_word (life, 1)) {
        for (int i = 0; i < local_count (nc); ++i)
            if (!(expected[i / 64] >> (i % 64) & 1) && awaited (nc, owner, line, i)) {
                do_without (nc, owner, line, i);
                rc = 1;
            }
        rc = rc && larder_nodecache_raise_locked (nc, owner, line);
        if (larder_load (&ln->state) == LARDER_LINE_OPEN && end_if_empty (nc, owner, line))
            rc = larder_load (&ln->state) == LARDER_LINE_DRAINING ? 2 : 0;
    }
    larder_pool_unlock (nc->pool);
    return rc;
}

int larder_nodecache_info (const struct larder_nodecache *nc, int owner, int line, uint64_t life,
                           struct larder_info *info)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    uint64_t *words = (uint64_t *)info;
    if (larder_load (&ln->info_code) != larder_wire_word (life, 1))
        return LARDER_AGAIN;
    for (int i = 0; i < 8; ++i)
        words[i] = larder_load (&ln->info[i]);
    return LARDER_OK;
}

void larder_nodecache_fail (struct larder_nodecache *nc, int owner, int line, uint64_t life,
                            int code, const char *text)
{
    struct larder_line *ln = larder_nodecache_line (nc, owner, line);
    larder_pool_lock (nc->pool);
    if (larder_load (&ln->life) == life && larder_nodecache_failed (nc, owner, line, life) == 0) {
        strncpy (ln->text, text, LARDER_FAILED_TEXT - 1);
        ln->text[LARDER_FAILED_TEXT - 1] = 0;
        larder_store (&ln->failed, larder_wire_word (life, (uint64_t)-code));
        if (larder_load (&ln->state) == LARDER_LINE_OPEN)
            (void)end_if_empty (nc, owner, line);
    }
    larder_pool_unlock (nc->pool);
}

int larder_nodecache_failed (const struct larder_nodecache *nc, int owner, int line, uint64_t life)
{
    uint64_t word = larder_load (&larder_nodecache_line (nc, owner, line)->failed);
    return larder_wire_life (word) == life ? -(int)larder_wire_count (word) : 0;
}
