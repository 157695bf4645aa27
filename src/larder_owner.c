/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_owner.h"
#include "larder_num.h"
#include "larder_ownerline.h"
#include "larder_ownerready.h"
#include "larder_ownertxn.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With many nodes bind records are looked at this often, else always. */
#define SCAN_ALWAYS  64
#define SCAN_EVERY_S 0.0002

/* Who waits gives a sign of life at least this often. */
#define SIGNS_S 2.5

/* Pause words are looked at this often. */
#define PAUSES_EVERY_S 0.2

int larder_owner_open (const struct larder_owner_options *x, struct larder_owner **out,
                       larder_error *err)
{
    const struct larder_wire_layout *l = &x->words.nodecache->layout;
    int places = x->settings->max_objects, size = x->words.nodecache->topology->size;
    struct larder_owner *o = calloc (1, sizeof *o);
    if (!o)
        goto no_memory;
    *o = (struct larder_owner){.words = x->words,
                               .env = {x->words.nodecache, x->stats, x->in_callback, NULL, 0},
                               .clock = x->clock,
                               .settings = x->settings,
                               .index = x->index,
                               .home = x->home,
                               .rank = x->rank,
                               .session = x->session,
                               .next_transaction = 1,
                               .attention = {larder_clock_now (&x->clock), 1},
                               .now = 1};
    o->line_count = (int)(l->shape.node_count * l->shape.max_lines);
    o->objects = calloc ((size_t)places, sizeof *o->objects);
    o->lines = calloc ((size_t)o->line_count, sizeof *o->lines);
    o->active = calloc ((size_t)o->line_count, sizeof *o->active);
    o->env.quarantine = calloc (l->shape.slot_count, sizeof *o->env.quarantine);
    o->txns = calloc ((size_t)x->settings->max_transactions, sizeof (struct larder_ownertxn *));
    o->left = calloc ((size_t)size, sizeof *o->left);
    o->paused = calloc ((size_t)size, sizeof *o->paused);
    o->pause_seen = calloc ((size_t)size, sizeof *o->pause_seen);
    if (!o->txns || !o->left || !o->paused || !o->pause_seen || !o->objects || !o->lines ||
        !o->active || !o->env.quarantine)
        goto no_memory;
    for (int i = 0; i < places; ++i)
        o->objects[i].quota = larder_nodecache_word (x->words.nodecache,
                                                     l->quota + 8 * (size_t)(o->home * places + i));
    for (int i = 0; i < o->line_count; ++i) {
        o->lines[i].node = i / x->settings->max_lines;
        o->lines[i].line = i % x->settings->max_lines;
    }
    *out = o;
    return LARDER_OK;
no_memory:
    larder_owner_close (&o);
    return larder_error_set (err, LARDER_ENOMEM, 0, "session: no memory for the owner's books");
}

void larder_owner_close (struct larder_owner **owner)
{
    struct larder_owner *o = *owner;
    *owner = NULL;
    if (!o)
        return;
    for (int i = 0; o->lines && i < o->line_count; ++i) {
        free (o->lines[i].seen);
        free (o->lines[i].gone);
    }
    while (o->txn_count)
        larder_ownertxn_forget (o, o->txns[o->txn_count - 1]);
    larder_receipts_free (&o->receipts);
    free (o->pause_seen);
    free (o->paused);
    free (o->left);
    free (o->txns);
    free (o->env.quarantine);
    free (o->objects);
    free (o->lines);
    free (o->active);
    free (o);
}

/* ---------------------------------------------------------------- which chunks must stay */

static int needed (const struct larder_owner *o, int place, const struct larder_cached *entry)
{
    const struct larder_offered *f = &o->objects[place];
    if (!f->let_go && !f->object.reproduce && larder_txn_unseen (f->txn, &f->page))
        return 1;
    for (int i = 0; i < o->active_count; ++i) {
        const struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object == place && !ln->lagging && entry->chunk.number >= ln->cursor &&
            entry->chunk.item < ln->end_item)
            return 1;
    }
    return 0;
}

/* Retract a chunk from every line that was told of it, then drop it.  -1: somebody views it. */
static int evict (struct larder_owner *o, int place, struct larder_cached *entry)
{
    for (int i = 0; i < o->active_count; ++i) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object == place && larder_ownerready_retract (o, ln, entry) != 0)
            return -1;
    }
    larder_offered_drop (&o->objects[place], &o->env, entry);
    return 0;
}

static int sweep (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    int moved = 0;
    f->stale_needs = 0;
    for (uint32_t i = f->cache.count; i-- > 0;)
        if (!needed (o, place, &f->cache.entries[i]) && evict (o, place, &f->cache.entries[i]) == 0)
            ++moved;
    if (f->quota_open && f->lines == 0 && f->cache.count == 0) {
        larder_pool_close (o->words.nodecache->pool, f->quota);
        f->quota_open = 0;
    }
    return moved;
}

/* ---------------------------------------------------------------- production */

/* Policy `reproduce`: the chunk that was used longest ago and that no line wants next. */
static int make_room (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    struct larder_cached *victim = NULL;
    for (uint32_t i = 0; i < f->cache.count; ++i) {
        struct larder_cached *e = &f->cache.entries[i];
        int next = 0;
        for (int k = 0; k < o->active_count && !next; ++k) {
            const struct larder_owner_line *ln = &o->lines[o->active[k]];
            next = ln->object == place && !ln->lagging &&
                   (e->chunk.number == ln->cursor ||
                    e->chunk.number == larder_num_max (ln->cursor, ln->want));
        }
        if (!next && (!victim || e->used < victim->used))
            victim = e;
    }
    return victim ? evict (o, place, victim) : -1;
}

/* The waiting line that has waited longest, one that is urgent first. */
static struct larder_owner_line *next_line (struct larder_owner *o)
{
    struct larder_owner_line *best = NULL;
    for (int i = 0; i < o->active_count; ++i) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (!ln->waits || ln->lagging || o->objects[ln->object].round == o->round)
            continue;
        if (!best || ln->urgent > best->urgent ||
            (ln->urgent == best->urgent && ln->waits_since < best->waits_since))
            best = ln;
    }
    return best;
}

/* Production fails: everybody who waits for the object, or will ask for it, gets the reason. */
static void object_failed (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    o->last_failure = f->failed;
    for (int i = o->active_count; i-- > 0;)
        if (o->lines[o->active[i]].object == place)
            larder_ownerline_fail (o, &o->lines[o->active[i]], &f->failed);
    larder_offered_give_up (f, &o->env, o->now);
}

/* A rank has announced that it is away, or came back from that less than hold_timeout ago. */
static int excused (const struct larder_owner *o, int rank)
{
    return o->now - o->paused[rank] < o->settings->hold_timeout_s;
}

static int line_excused (const struct larder_owner *o, const struct larder_owner_line *ln)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    for (int i = 0; i < larder_topology_node_size (t, ln->node); ++i)
        if (larder_owner_seen (ln->seen[i]) == LARDER_SEEN_ACQUIRED &&
            excused (o, larder_topology_rank (t, ln->node, i)))
            return 1;
    return 0;
}

/* Receivers that have not begun hold no chunks any more. */
static int let_unseen_go (struct larder_owner *o, struct larder_offered *f)
{
    if (f->let_go || !larder_txn_unseen (f->txn, &f->page) || f->cache.count == 0 ||
        o->now - f->txn->live_at < o->settings->hold_timeout_s)
        return 0;
    for (int i = 0; i < f->txn->count; ++i) {
        const struct larder_receiver *r = &f->txn->receivers[i];
        if (f->page.standing[i].state == LARDER_UNSEEN &&
            excused (o, r->rank < 0 ? r->via : r->rank))
            return 0;
    }
    f->let_go = f->stale_needs = 1;
    for (int node = 0; f->object.once && node < o->words.nodecache->topology->node_count; ++node)
        larder_ownerline_too_late (o, (int)(f - o->objects), node);
    return 1;
}

static int takes_part (const struct larder_owner *o, const struct larder_owner_line *ln)
{
    for (uint64_t i = 0; i < o->words.nodecache->layout.shape.node_size; ++i)
        if (larder_owner_seen (ln->seen[i]) == LARDER_SEEN_ACQUIRED)
            return 1;
    return 0;
}

/* Somebody in the line waits for a chunk, and lives. */
static int awaits (const struct larder_owner *o, const struct larder_owner_line *ln)
{
    return ln->waits && ln->urgent &&
           o->now - ln->signed_at < o->settings->hold_timeout_s + SIGNS_S && takes_part (o, ln);
}

/* Chunks may go though somebody still needs them: hold_timeout has passed. */
static int let_go (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    int moved = let_unseen_go (o, f);
    for (int i = o->active_count; i-- > 0;) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object != place || ln->lagging || awaits (o, ln) ||
            o->now - ln->moved < o->settings->hold_timeout_s || line_excused (o, ln))
            continue;
        moved = f->stale_needs = 1;
        ln->lagging = 1;
        if (f->object.once) {
            larder_error why;
            larder_error_set (&why, LARDER_EHELD, 0,
                              "%s: stood still for %.3g s while others waited", f->name,
                              o->settings->hold_timeout_s);
            larder_ownerline_fail (o, ln, &why);
        }
    }
    return moved;
}

/* Everybody who reads the object waits for the chunk that it needs next, and none of them is there. */
static int all_wait (const struct larder_owner *o, int place)
{
    const struct larder_offered *f = &o->objects[place];
    if (!f->let_go && larder_txn_unseen (f->txn, &f->page))
        return 0;
    for (int i = 0; i < o->active_count; ++i) {
        const struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object == place && (!ln->waits || ln->lagging || ln->cursor != ln->next))
            return 0;
    }
    return 1;
}

/* Lines hold chunks for each other (they read in different orders, or ranges that overlap).  The
 * object's chunks go early from now on; one that cannot be produced again loses its youngest line. */
static int break_cycle (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    struct larder_owner_line *youngest = NULL;
    if (f->loose || !all_wait (o, place))
        return 0;
    if (!f->object.once)
        return f->loose = 1;
    for (int i = 0; i < o->active_count; ++i) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object == place && (!youngest || ln->bound > youngest->bound))
            youngest = ln;
    }
    larder_error why;
    larder_error_set (&why, LARDER_EHELD, 0,
                      "%s: receivers hold its chunks for each other, and it cannot "
                      "be produced again",
                      f->name);
    if (youngest)
        larder_ownerline_fail (o, youngest, &why);
    return youngest != NULL;
}

static int let_all_go (struct larder_owner *o)
{
    int moved = 0;
    for (int i = 0; i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE)
            moved += let_go (o, i);
    return moved;
}

/* No slot for an object that somebody waits for. */
static int stuck (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    double hold = o->settings->hold_timeout_s;
    if (f->stuck_since == 0 || o->now - f->stuck_seen > hold / 2)
        f->stuck_since = o->now;
    f->stuck_seen = o->now;
    /* When nobody else has slots that could come back, nothing would happen until then. */
    if (!f->object.once && o->words.nodecache->pool->open == 1 && break_cycle (o, place))
        return 1;
    if (o->now - f->stuck_since < hold)
        return 0;
    f->stuck_since = o->now - hold * 3 / 4;
    return let_go (o, place) || let_all_go (o) || break_cycle (o, place);
}

/* Somebody waits for the two slots that every object is promised that is being downloaded.  Objects that nobody
 * is reading may hold them for receivers that have not begun. */
static int crowded (struct larder_owner *o)
{
    if (o->waits_since == 0 || o->now - o->waits_seen > o->settings->hold_timeout_s / 2)
        o->waits_since = o->now;
    o->waits_seen = o->now;
    if (o->now - o->waits_since < o->settings->hold_timeout_s)
        return 0;
    o->waits_since = o->now - o->settings->hold_timeout_s * 3 / 4;
    return let_all_go (o);
}

/* What the line waits for cannot be made a second time. */
static int gone_for_good (struct larder_owner *o, struct larder_owner_line *ln,
                          const struct larder_chunk *chunk)
{
    struct larder_offered *f = &o->objects[ln->object];
    larder_error why;
    if (!f->object.once || !larder_intervals_has (&f->produced, chunk->number))
        return 0;
    larder_error_set (&why, LARDER_EHELD, 0,
                      "%s: what is asked for has gone and cannot be produced again", f->name);
    larder_ownerline_fail (o, ln, &why);
    return 1;
}

/* Produce the next chunk of a line.  LARDER_AGAIN: no slot is free for it. */
static int produce_for (struct larder_owner *o, struct larder_owner_line *ln)
{
    struct larder_offered *f = &o->objects[ln->object];
    struct larder_chunk chunk;
    int place = ln->object;
    *o->env.in_callback = 1;
    int rc = larder_chunks_plan (&f->chunks, ln->next, &chunk, &f->failed);
    *o->env.in_callback = 0;
    if (rc == LARDER_OK && gone_for_good (o, ln, &chunk))
        return LARDER_OK;
    if (rc == LARDER_OK)
        rc = larder_offered_produce (f, &o->env, &chunk);
    if (rc == LARDER_AGAIN && ln->urgent && (f->object.reproduce || f->loose) &&
        make_room (o, place) == 0)
        rc = larder_offered_produce (f, &o->env, &chunk);
    if (rc == LARDER_AGAIN)
        return rc;
    f->stuck_since = 0;
    if (rc != LARDER_OK)
        object_failed (o, place);
    return LARDER_OK;
}

static int produce_next (struct larder_owner *o)
{
    struct larder_owner_line *ln;
    ++o->round;
    while ((ln = next_line (o)) != NULL) {
        if (produce_for (o, ln) == LARDER_OK)
            return 1;
        o->objects[ln->object].round = o->round;
        if (ln->urgent && stuck (o, ln->object))
            return 1;
    }
    return 0;
}

/* ---------------------------------------------------------------- polling */

static int take_binds (struct larder_owner *o, double now, larder_error *err)
{
    int moved = 0;
    if (o->line_count > SCAN_ALWAYS && now - o->scanned < SCAN_EVERY_S)
        return 0;
    o->scanned = now;
    o->crowded = 0;
    for (int i = 0; i < o->line_count; ++i) {
        int rc = larder_ownerline_look (o, &o->lines[i], err);
        if (rc < 0)
            return rc;
        moved += rc;
    }
    return moved + (o->crowded ? crowded (o) : 0);
}

/* Announcements of ranks that they will be away. */
static void read_pauses (struct larder_owner *o)
{
    const struct larder_nodecache *nc = o->words.nodecache;
    o->pauses_read = o->now;
    for (int r = 0; r < nc->topology->size; ++r) {
        size_t at =
            larder_wire_pause (&nc->layout, (uint64_t)o->home, (uint64_t)nc->topology->node[r],
                               (uint64_t)nc->topology->local[r]);
        uint64_t word = larder_load (larder_nodecache_word (nc, at));
        if (word == o->pause_seen[r])
            continue;
        o->pause_seen[r] = word;
        int left = larder_wire_count (word) == LARDER_PAUSE_LEFT;
        o->paused[r] = left ? 0 : o->now + (double)larder_wire_count (word) / 1000;
        if (left) {
            o->left[r] = 1;
            ++o->left_count;
            o->left_at = o->now;
        }
        for (int i = 0; i < o->txn_count; ++i)
            larder_txn_again (&o->txns[i]->txn);
    }
}

double larder_owner_attend (struct larder_owner *o)
{
    o->now = larder_clock_attend (&o->attention, &o->clock);
    return o->attention.looked;
}

int larder_owner_poll (struct larder_owner *o, larder_error *err)
{
    double now = larder_owner_attend (o);
    if (o->now - o->pauses_read > PAUSES_EVERY_S)
        read_pauses (o);
    int moved = take_binds (o, now, err);
    if (moved < 0)
        return moved;
    for (int i = o->active_count; i-- > 0;) {
        int rc = larder_ownerline_update (o, &o->lines[o->active[i]], err);
        if (rc < 0)
            return rc;
        moved += rc;
    }
    for (int i = 0; o->live_count && i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE && o->objects[i].stale_needs)
            moved += sweep (o, i);
    if (o->active_count) {
        int rc = larder_ownerready_serve (o, err);
        int made = rc < 0 ? 0 : produce_next (o);
        if (made)
            rc = larder_ownerready_serve (o, err);
        if (rc < 0)
            return rc;
        moved += rc + made;
    }
    if (o->txn_count || o->receipts.count)
        moved += larder_ownertxn_poll (o);
    if (o->env.quarantined)
        larder_offered_release_quarantine (&o->env);
    return moved;
}
