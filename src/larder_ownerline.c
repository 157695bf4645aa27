/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ownerline.h"
#include "larder_num.h"
#include "larder_ownerbind.h"
#include "larder_ownermail.h"
#include "larder_ownerready.h"
#include "larder_ownertxn.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct larder_wire_layout *layout (const struct larder_owner *o)
{
    return &o->words.nodecache->layout;
}

static size_t request (const struct larder_owner *o, const struct larder_owner_line *ln)
{
    return larder_wire_request (layout (o), (uint64_t)o->home, (uint64_t)ln->node,
                                (uint64_t)ln->line);
}

static uint64_t word (const struct larder_owner *o, size_t offset)
{
    return larder_load (larder_nodecache_word (o->words.nodecache, offset));
}

/* ---------------------------------------------------------------- giving up and closing */

void larder_ownerline_too_late (struct larder_owner *o, int place, int node)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    struct larder_offered *f = &o->objects[place];
    for (int i = 0; i < o->active_count; ++i)
        if (o->lines[o->active[i]].object == place && o->lines[o->active[i]].node == node)
            return;
    for (int i = 0; i < larder_topology_node_size (t, node); ++i) {
        int k = larder_txn_find (f->txn, larder_topology_rank (t, node, i));
        if (k >= 0 && f->page.standing[k].state == LARDER_UNSEEN)
            larder_offered_dismiss (f, &o->env, f->txn->receivers[k].rank, LARDER_EHELD, o->now);
    }
}

static void deactivate (struct larder_owner *o, struct larder_owner_line *ln)
{
    struct larder_offered *f = &o->objects[ln->object];
    ln->active = 0;
    if (--f->lines == 0)
        f->loose = 0;
    f->stale_needs = 1;
    for (int i = 0; i < o->active_count; ++i)
        if (&o->lines[o->active[i]] == ln) {
            o->active[i] = o->active[--o->active_count];
            break;
        }
    if (f->let_go && f->object.once && f->state == LARDER_OFFER_LIVE)
        larder_ownerline_too_late (o, ln->object, ln->node);
}

static void retract_all (struct larder_owner *o, struct larder_owner_line *ln)
{
    struct larder_cache *c = &o->objects[ln->object].cache;
    for (uint32_t i = 0; i < c->count; ++i)
        (void)larder_nodecache_retract (o->words.nodecache, o->index, ln->line, ln->life,
                                        c->entries[i].chunk.number, c->entries[i].slot, 1);
}

void larder_ownerline_drop (struct larder_owner *o, struct larder_owner_line *ln,
                            const larder_error *why)
{
    larder_error ignored; /* a transport that fails shows in the next poll */
    ln->failed_code = why->code;
    memcpy (ln->failed_text, why->text, LARDER_FAILED_TEXT - 1);
    if (ln->active && larder_ownermail_home (o, ln))
        retract_all (o, ln);
    (void)larder_ownermail_failed (o, ln, why->code, ln->failed_text, &ignored);
    if (ln->active)
        deactivate (o, ln);
}

void larder_ownerline_fail (struct larder_owner *o, struct larder_owner_line *ln,
                            const larder_error *why)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    int active = ln->active;
    for (int i = 0; active && i < larder_topology_node_size (t, ln->node); ++i)
        larder_ownerline_success (o, ln, larder_topology_rank (t, ln->node, i));
    larder_ownerline_drop (o, ln, why);
    for (int i = 0; active && i < larder_topology_node_size (t, ln->node); ++i)
        if (larder_owner_seen (ln->seen[i]) == LARDER_SEEN_ACQUIRED)
            larder_offered_dismiss (&o->objects[ln->object], &o->env,
                                    larder_topology_rank (t, ln->node, i), why->code, o->now);
}

int larder_ownerline_forsaken (const struct larder_owner *o, const struct larder_owner_line *ln)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    const struct larder_offered *f = &o->objects[ln->object];
    for (int i = 0; i < larder_topology_node_size (t, ln->node); ++i) {
        int k = larder_txn_find (f->txn, larder_topology_rank (t, ln->node, i));
        if (larder_owner_seen (ln->seen[i]) == LARDER_SEEN_ACQUIRED &&
            (k < 0 || f->page.standing[k].state != LARDER_FINAL))
            return 0;
    }
    return 1;
}

/* ---------------------------------------------------------------- binding */

/* A line that was given up keeps answering: its holder may have changed since, or the node ended it
 * before it heard of that, and waits until it may use it again. */
static int answer_again (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    if (ln->active || !ln->failed_code)
        return 0;
    uint64_t cursor = word (o, request (o, ln) + LARDER_REQUEST_CURSOR);
    if (!ln->closed && larder_wire_life (cursor) == ln->life &&
        larder_wire_count (cursor) >= LARDER_CURSOR_END)
        return larder_ownermail_closed (o, ln, larder_wire_count (cursor) - LARDER_CURSOR_END, err);
    uint64_t holder = word (o, request (o, ln) + LARDER_REQUEST_HOLDER);
    if (larder_wire_life (holder) != ln->life || holder == ln->holder)
        return 0;
    ln->holder = holder;
    int rc = larder_ownermail_failed (o, ln, ln->failed_code, ln->failed_text, err);
    return rc < 0 ? rc : 1;
}

/* The line is active.  What ends the rank that binds is said before what lets it begin: a verdict alone
 * is done when it begins. */
static int answer (struct larder_owner *o, struct larder_owner_line *ln,
                   const struct larder_bind *bind, larder_error *err)
{
    larder_error why = {0};
    int lost, rc = LARDER_OK;
    if (larder_ownerbind_split (o, bind, &lost, &why) != LARDER_OK ||
        larder_ownerbind_given_up (o, bind, ln, &why) != LARDER_OK)
        rc = larder_ownermail_dismissed (o, ln, (int)larder_bind_local (bind), why.code, why.text,
                                         err);
    if (rc == LARDER_OK)
        rc = larder_ownermail_info (o, ln, err);
    if (rc == LARDER_OK && larder_bind_split (bind))
        rc = larder_ownertxn_lost (o, o->objects[ln->object].txn, lost, err);
    return rc;
}

int larder_ownerline_look (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    union {
        struct larder_bind bind;
        uint64_t words[8];
    } u;
    size_t at = request (o, ln) + LARDER_REQUEST_BIND;
    if (word (o, at) == ln->life)
        return answer_again (o, ln, err);
    if (larder_words_record (o->words.nodecache, at, u.words, 8) != 0 || u.bind.life <= ln->life)
        return 0; /* not all of it is here */
    larder_error why = {0};
    int rc = larder_ownerbind_refusal (o, &u.bind, ln, &why);
    if (rc == LARDER_OK && larder_ownerbind_waits (o, ln, &u.bind))
        return 0;
    int failed = rc == LARDER_OK ? LARDER_OK : larder_ownerbind_cancel (o, &u.bind, ln, err);
    if (failed < 0)
        return failed;
    if (ln->active)
        deactivate (o, ln);
    ln->life = u.bind.life;
    ln->holder = larder_wire_word (ln->life, larder_bind_local (&u.bind) & LARDER_HOLDER_NOBODY);
    ln->failed_code = ln->closed = 0;
    if (rc == LARDER_OK)
        rc = larder_ownerbind_activate (o, ln, &u.bind, &why);
    if (rc != LARDER_OK) {
        larder_ownerline_fail (o, ln, &why);
        return 1;
    }
    rc = answer (o, ln, &u.bind, err);
    return rc < 0 ? rc : 1;
}

/* ---------------------------------------------------------------- reading the node's words */

/* Instead of the count of a rank's state word: its ref was refused, and nothing that it says is booked. */
#define REFUSED UINT64_MAX

/* A rank begins.  Without memory for a place it is served and not accounted for.  Returns 0, or -1: its
 * ref is refused.  What goes wrong with the transport shows in the next poll. */
static int see_begun (struct larder_owner *o, struct larder_owner_line *ln, int local, int rank,
                      uint64_t split)
{
    larder_error why, ignored;
    struct larder_offered *f = &o->objects[ln->object];
    struct larder_presenter who = {.rank = rank,
                                   .via = split ? larder_wire_split_via (split) : -1,
                                   .share = larder_wire_split_share (split)};
    int lost, rc = larder_txn_acquired (f->txn, &f->page, &who, o->now, &lost, &why);
    if (rc == LARDER_ESPLIT || rc == LARDER_EREF) {
        char text[LARDER_FAILED_TEXT];
        snprintf (text, sizeof text, "%.40s: %.80s", f->name, why.text);
        (void)larder_ownermail_dismissed (o, ln, local, rc, text, &ignored);
        return -1;
    }
    if (split || lost >= 0)
        (void)larder_ownertxn_lost (o, f->txn, lost, &ignored);
    f->stale_needs = 1;
    larder_offered_progress (f, &o->env, rank, LARDER_EVENT_STARTED, 0, 0, o->now);
    return 0;
}

/* A rank's state word has risen to `count`; split: the count of its split word, 0: it has none. */
static void see_state (struct larder_owner *o, struct larder_owner_line *ln, int local,
                       uint64_t count, uint64_t split)
{
    struct larder_offered *f = &o->objects[ln->object];
    int rank = larder_topology_rank (o->words.nodecache->topology, ln->node, local);
    int begun = ln->seen[local] == LARDER_STATE_ABSENT;
    if (ln->seen[local] == REFUSED)
        return;
    ln->seen[local] = count;
    ln->signed_at = o->now;
    if (!begun) {
        larder_txn_sign (f->txn, rank, o->now);
    } else if (see_begun (o, ln, local, rank, split) != 0) {
        ln->seen[local] = REFUSED;
        return;
    }
    if (count == LARDER_STATE_DONE)
        larder_offered_final (f, &o->env, rank, LARDER_OK, o->now);
    else if (count == LARDER_STATE_FAILED - LARDER_ECANCELED)
        larder_ownertxn_cancel (o, f->txn, rank);
    else if (count >= LARDER_STATE_FAILED)
        larder_offered_final (f, &o->env, rank, -(int)(count - LARDER_STATE_FAILED), o->now);
}

/* What a rank's words say in this life: its state without LARDER_STATE_SPLIT, and how its ref was split.
 * 0: it has not come yet, or one of its words has not. */
static int read_state (const struct larder_owner *o, const struct larder_owner_line *ln, int local,
                       uint64_t *count, uint64_t *split)
{
    size_t at = request (o, ln) + 8 * (size_t)local;
    uint64_t state = word (o, at + layout (o)->request_state);
    *count = larder_wire_count (state) & ~LARDER_STATE_SPLIT;
    *split = 0;
    if (larder_wire_life (state) != ln->life || !(state & LARDER_STATE_SPLIT))
        return larder_wire_life (state) == ln->life;
    state = word (o, at + layout (o)->request_split);
    *split = larder_wire_count (state);
    return larder_wire_life (state) == ln->life && *split;
}

void larder_ownerline_success (struct larder_owner *o, struct larder_owner_line *ln, int rank)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    uint64_t count, split;
    if (t->node[rank] == ln->node && ln->seen[t->local[rank]] < LARDER_STATE_DONE &&
        read_state (o, ln, t->local[rank], &count, &split) && count == LARDER_STATE_DONE)
        see_state (o, ln, t->local[rank], LARDER_STATE_DONE, split);
}

static int see_states (struct larder_owner *o, struct larder_owner_line *ln)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    int moved = 0, through = 0;
    for (int i = 0; i < larder_topology_node_size (t, ln->node); ++i) {
        uint64_t count, split;
        if (!read_state (o, ln, i, &count, &split))
            continue;
        through += larder_owner_seen (count) >= LARDER_SEEN_LEFT;
        if (count <= ln->seen[i])
            continue;
        moved = 1;
        see_state (o, ln, i, count, split);
    }
    ln->through = through;
    return moved;
}

static int close_line (struct larder_owner *o, struct larder_owner_line *ln, uint64_t end,
                       larder_error *err)
{
    if (ln->through < (int)(end & 0xffff))
        return 0; /* a verdict is still on its way */
    deactivate (o, ln);
    return larder_ownermail_closed (o, ln, end, err);
}

/* The word's count when it belongs to this life and is above `have`. */
static int risen (const struct larder_owner *o, const struct larder_owner_line *ln, size_t offset,
                  uint64_t *have)
{
    uint64_t w = word (o, offset);
    if (larder_wire_life (w) != ln->life || larder_wire_count (w) <= *have)
        return 0;
    *have = larder_wire_count (w);
    return 1;
}

static int new_holder (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    uint64_t w = word (o, request (o, ln) + LARDER_REQUEST_HOLDER);
    if (larder_wire_life (w) != ln->life || w <= ln->holder)
        return 0;
    ln->holder = w;
    ln->lagging = 0;
    ln->moved = ln->signed_at = o->now;
    int rc = larder_ownermail_info (o, ln, err);
    if (rc == LARDER_OK)
        rc = larder_ownerready_repeat (o, ln, err);
    return rc < 0 ? rc : 1;
}

/* Ranks of the line have moved: which, its words do not say. */
static void sign (struct larder_owner *o, struct larder_owner_line *ln, int events)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    struct larder_offered *f = &o->objects[ln->object];
    uint64_t bytes = ln->bytes, items = ln->items;
    ln->signed_at = f->txn->moved = o->now;
    if (!events && f->txn->limits.idle_s <= 0)
        return; /* nobody asks which rank it was */
    if (events && f->chunks.item_size)
        larder_chunks_before (&f->chunks, ln->cursor, &items, &bytes);
    for (int i = 0; i < larder_topology_node_size (t, ln->node); ++i) {
        if (larder_owner_seen (ln->seen[i]) != LARDER_SEEN_ACQUIRED)
            continue;
        int rank = larder_topology_rank (t, ln->node, i);
        larder_txn_sign (f->txn, rank, o->now);
        if (events)
            larder_offered_progress (f, &o->env, rank, LARDER_EVENT_ACTIVE, bytes, items, o->now);
    }
}

/* The cursor has risen. */
static void pass (struct larder_owner *o, struct larder_owner_line *ln, uint64_t cursor)
{
    struct larder_offered *f = &o->objects[ln->object];
    uint64_t ring = layout (o)->shape.ring;
    for (uint64_t n = ln->cursor; f->watch.progress && n < cursor && n < ln->cursor + ring; ++n) {
        const struct larder_cached *entry = larder_cache_find (&f->cache, n);
        if (!entry)
            continue;
        ln->bytes += f->chunks.unknown ? 0 : entry->chunk.payload;
        if (entry->chunk.flags & LARDER_CHUNK_ENDS)
            ln->items += entry->chunk.count;
    }
    larder_ownerready_passed (o, ln, cursor);
    ln->cursor = cursor;
    ln->lagging = 0;
    ln->moved = o->now;
    f->stale_needs = 1;
    sign (o, ln, f->watch.progress != NULL);
}

int larder_ownerline_update (struct larder_owner *o, struct larder_owner_line *ln,
                             larder_error *err)
{
    size_t at = request (o, ln);
    struct larder_offered *f = &o->objects[ln->object];
    uint64_t cursor = ln->cursor;
    int moved = see_states (o, ln);
    int rc = new_holder (o, ln, err);
    if (rc < 0)
        return rc;
    moved += rc;
    if (risen (o, ln, at + LARDER_REQUEST_WANT, &ln->want)) {
        sign (o, ln, 0);
        ++moved;
    }
    if (risen (o, ln, at + LARDER_REQUEST_END, &ln->end_item)) {
        ln->end_item = larder_num_min (ln->end_item, f->chunks.item_count);
        ln->all_sent = ln->last_sent;
        ++moved;
    }
    if (!risen (o, ln, at + LARDER_REQUEST_CURSOR, &cursor))
        return moved;
    if (cursor >= LARDER_CURSOR_END) {
        rc = close_line (o, ln, cursor - LARDER_CURSOR_END, err);
        return rc < 0 ? rc : moved + rc;
    }
    pass (o, ln, cursor);
    return moved + 1;
}
