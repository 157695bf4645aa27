/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_owner.h"
#include "larder_num.h"
#include "larder_ownerline.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With many nodes bind records are looked at this often, else always. */
#define SCAN_ALWAYS  64
#define SCAN_EVERY_S 0.0002

/* When all receivers are final, a line on which nobody is active is given so long to close. */
#define LINGER_S 1.0

int larder_owner_open (const struct larder_owner_options *x, struct larder_owner **out,
                       larder_error *err)
{
    const struct larder_wire_layout *l = &x->words.nodecache->layout;
    int places = x->settings->max_objects;
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
                               .next_transaction = 1};
    o->line_count = (int)(l->shape.node_count * l->shape.max_lines);
    o->objects = calloc ((size_t)places, sizeof *o->objects);
    o->lines = calloc ((size_t)o->line_count, sizeof *o->lines);
    o->active = calloc ((size_t)o->line_count, sizeof *o->active);
    o->env.quarantine = calloc (l->shape.slot_count, sizeof *o->env.quarantine);
    if (!o->objects || !o->lines || !o->active || !o->env.quarantine)
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
    for (int i = 0; o->lines && i < o->line_count; ++i)
        free (o->lines[i].seen);
    for (int i = 0; o->objects && i < o->settings->max_objects; ++i)
        larder_offered_forget (&o->objects[i]);
    free (o->env.quarantine);
    free (o->objects);
    free (o->lines);
    free (o->active);
    free (o);
}

/* ---------------------------------------------------------------- offering and ending */

static int free_place (const struct larder_owner *o)
{
    int settled = -1;
    for (int i = 0; i < o->settings->max_objects; ++i) {
        if (o->objects[i].state == LARDER_OFFER_FREE)
            return i;
        if (o->objects[i].state == LARDER_OFFER_SETTLED &&
            (settled < 0 || o->objects[i].transaction < o->objects[settled].transaction))
            settled = i;
    }
    return settled;
}

int larder_owner_offer (struct larder_owner *o, const larder_object *object, uint64_t chunk_size,
                        larder_receivers receivers, int *place, larder_error *err)
{
    int i = free_place (o), size = o->words.nodecache->topology->size;
    if (i < 0)
        return larder_error_set (err, LARDER_EBUSY, 0,
                                 "%s: %d objects are offered already (max_objects)",
                                 object->name ? object->name : "object", o->settings->max_objects);
    struct larder_txn txn;
    int rc = larder_txn_init (&txn, receivers.ranks, receivers.count, size, o->rank, err);
    if (rc != LARDER_OK)
        return rc;
    struct larder_offered *f = &o->objects[i];
    struct larder_txn old = f->txn;
    uint64_t transaction = f->transaction;
    f->transaction = o->next_transaction;
    rc = larder_offered_init (f, &o->env, object, chunk_size, err);
    if (rc != LARDER_OK) {
        f->transaction = transaction;
        larder_txn_free (&txn);
        return rc;
    }
    larder_txn_free (&old);
    f->txn = txn;
    ++o->next_transaction;
    ++f->generation;
    f->key = larder_num_mix (larder_num_mix (o->session ^ (uint64_t)o->rank << 32 ^ (uint64_t)i) ^
                             f->transaction);
    f->key += f->key == 0;
    f->state = LARDER_OFFER_LIVE;
    ++o->live_count;
    *place = i;
    return LARDER_OK;
}

void larder_owner_end (struct larder_owner *o, int place, larder_done done, int code,
                       const char *text)
{
    struct larder_offered *f = &o->objects[place];
    if (f->state != LARDER_OFFER_LIVE)
        return;
    larder_error why;
    if (code != LARDER_OK && f->failed.code == 0)
        larder_error_set (&f->failed, code, 0, "%s: %s", f->name, text);
    larder_error_set (&why, f->failed.code ? f->failed.code : LARDER_EGONE, 0, "%s",
                      f->failed.code ? f->failed.text : "everybody has the object");
    for (int i = o->active_count; i-- > 0;)
        if (o->lines[o->active[i]].object == place)
            larder_ownerline_fail (o, &o->lines[o->active[i]], &why);
    for (int i = 0; i < f->txn.count; ++i)
        larder_offered_final (f, &o->env, f->txn.receivers[i].rank,
                              code != LARDER_OK ? code : LARDER_EGONE);
    larder_offered_settle (f, &o->env, done);
    --o->live_count;
}

/* ---------------------------------------------------------------- which chunks must stay */

static int needed (const struct larder_owner *o, int place, const struct larder_cached *entry)
{
    const struct larder_offered *f = &o->objects[place];
    if (f->txn.unseen && !f->let_go && !f->object.reproduce)
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
        if (ln->object == place && larder_ownerline_retract (o, ln, entry) != 0)
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

/* Somebody waits for the line's next chunk; else it would only be fetched ahead. */
static int urgent (const struct larder_owner_line *ln)
{
    return ln->sent <= larder_num_max (ln->cursor, ln->want);
}

/* The waiting line that has waited longest, one that is urgent first. */
static struct larder_owner_line *next_line (struct larder_owner *o, uint64_t skip)
{
    struct larder_owner_line *best = NULL;
    for (int i = 0; i < o->active_count; ++i) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (!ln->waits || ln->lagging || (skip >> (ln->object % 64) & 1))
            continue;
        if (!best || urgent (ln) > urgent (best) ||
            (urgent (ln) == urgent (best) && ln->waits_since < best->waits_since))
            best = ln;
    }
    return best;
}

/* Production fails: everybody who waits for the object, or will ask for it, gets the reason. */
static void object_failed (struct larder_owner *o, int place)
{
    struct larder_offered *f = &o->objects[place];
    o->last_failure = f->failed;
    larder_owner_end (o, place, LARDER_DONE_FINISHED, f->failed.code, "");
}

/* Chunks may go though somebody still needs them: hold_timeout has passed. */
static int let_go (struct larder_owner *o, int place, double now)
{
    struct larder_offered *f = &o->objects[place];
    int moved = 0;
    char text[96];
    snprintf (text, sizeof text, "stood still for %.3g s while others waited",
              o->settings->hold_timeout_s);
    if (f->txn.unseen && !f->let_go) {
        f->let_go = f->stale_needs = 1;
        moved = 1;
        for (int i = 0; f->object.once && i < f->txn.count; ++i)
            if (f->txn.receivers[i].state == LARDER_UNSEEN)
                larder_offered_final (f, &o->env, f->txn.receivers[i].rank, LARDER_EHELD);
    }
    for (int i = o->active_count; i-- > 0;) {
        struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object != place || ln->lagging || ln->waits ||
            now - ln->moved < o->settings->hold_timeout_s)
            continue;
        moved = f->stale_needs = 1;
        ln->lagging = 1;
        if (f->object.once) {
            larder_error why;
            larder_error_set (&why, LARDER_EHELD, 0, "%s: %s", f->name, text);
            larder_ownerline_fail (o, ln, &why);
        }
    }
    return moved;
}

/* Nobody stands still, everybody waits: lines hold chunks for each other (they read in different
 * orders, or ranges that overlap).  The object's chunks go early from now on; one that cannot be
 * produced again loses its youngest line. */
static int break_cycle (struct larder_owner *o, struct larder_owner_line *ln)
{
    struct larder_offered *f = &o->objects[ln->object];
    if (!ln->waits || f->loose)
        return 0;
    if (!f->object.once)
        return f->loose = 1;
    for (int i = 0; i < o->active_count; ++i) {
        struct larder_owner_line *other = &o->lines[o->active[i]];
        if (other->object == ln->object && other->waits && other->bound > ln->bound)
            ln = other;
    }
    larder_error why;
    larder_error_set (&why, LARDER_EHELD, 0,
                      "%s: receivers hold its chunks for each other, and it cannot "
                      "be produced again",
                      f->name);
    larder_ownerline_fail (o, ln, &why);
    return 1;
}

/* No slot for anybody who waits. */
static int stuck (struct larder_owner *o, double now)
{
    int moved = 0;
    if (o->stuck_since == 0)
        o->stuck_since = now;
    if (now - o->stuck_since < o->settings->hold_timeout_s)
        return 0;
    for (int i = 0; i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE)
            moved += let_go (o, i, now);
    for (int i = 0; !moved && i < o->active_count; ++i)
        moved += break_cycle (o, &o->lines[o->active[i]]);
    o->stuck_since = now;
    return moved;
}

static int produce_next (struct larder_owner *o, double now)
{
    uint64_t skip = 0;
    struct larder_owner_line *ln;
    int waiting = 0;
    while ((ln = next_line (o, skip)) != NULL) {
        struct larder_offered *f = &o->objects[ln->object];
        struct larder_chunk chunk;
        waiting |= urgent (ln);
        *o->env.in_callback = 1;
        int rc = larder_chunks_plan (&f->chunks, ln->sent, &chunk, &f->failed);
        *o->env.in_callback = 0;
        if (rc != LARDER_OK) {
            object_failed (o, ln->object);
            return 1;
        }
        if (f->object.once && larder_intervals_has (&f->produced, chunk.number)) {
            larder_error why;
            larder_error_set (&why, LARDER_EHELD, 0,
                              "%s: what is asked for has gone and cannot be produced again",
                              f->name);
            larder_ownerline_fail (o, ln, &why);
            return 1;
        }
        rc = larder_offered_produce (f, &o->env, &chunk);
        if (rc == LARDER_AGAIN && urgent (ln) && (f->object.reproduce || f->loose) &&
            make_room (o, ln->object) == 0)
            rc = larder_offered_produce (f, &o->env, &chunk);
        if (rc == LARDER_AGAIN) {
            skip |= UINT64_C (1) << (ln->object % 64);
            continue;
        }
        o->stuck_since = 0;
        if (rc != LARDER_OK)
            object_failed (o, ln->object);
        return 1;
    }
    if (waiting)
        return stuck (o, now);
    o->stuck_since = 0;
    return 0;
}

/* ---------------------------------------------------------------- polling */

static int take_binds (struct larder_owner *o, double now, larder_error *err)
{
    int moved = 0;
    if (o->line_count > SCAN_ALWAYS && now - o->scanned < SCAN_EVERY_S)
        return 0;
    o->scanned = now;
    for (int i = 0; i < o->line_count; ++i) {
        int rc = larder_ownerline_look (o, &o->lines[i], err);
        if (rc < 0)
            return rc;
        moved += rc;
    }
    return moved;
}

/* Somebody is downloading the object, or a node may still be about to close its line. */
static int in_use (const struct larder_owner *o, int place, double now)
{
    for (int i = 0; o->objects[place].lines && i < o->active_count; ++i) {
        const struct larder_owner_line *ln = &o->lines[o->active[i]];
        if (ln->object != place)
            continue;
        if (now - ln->moved < LINGER_S)
            return 1;
        for (uint64_t k = 0; k < o->words.nodecache->layout.shape.node_size; ++k)
            if (ln->seen[k] == LARDER_STATE_ACQUIRED)
                return 1;
    }
    return 0;
}

static void settle_complete (struct larder_owner *o, double now)
{
    for (int i = 0; i < o->settings->max_objects; ++i) {
        struct larder_offered *f = &o->objects[i];
        if (f->state == LARDER_OFFER_LIVE && larder_txn_complete (&f->txn) && !in_use (o, i, now))
            larder_owner_end (o, i, LARDER_DONE_FINISHED, LARDER_OK, "");
    }
}

int larder_owner_poll (struct larder_owner *o, larder_error *err)
{
    double now = larder_clock_now (&o->clock);
    int moved = take_binds (o, now, err);
    if (moved < 0)
        return moved;
    for (int i = o->active_count; i-- > 0;) {
        int rc = larder_ownerline_update (o, &o->lines[o->active[i]], now, err);
        if (rc < 0)
            return rc;
        moved += rc;
    }
    for (int i = 0; o->live_count && i < o->settings->max_objects; ++i)
        if (o->objects[i].state == LARDER_OFFER_LIVE && o->objects[i].stale_needs)
            moved += sweep (o, i);
    if (o->active_count) {
        int rc = larder_ownerline_serve (o, now, err);
        int made = rc < 0 ? 0 : produce_next (o, now);
        if (made)
            rc = larder_ownerline_serve (o, now, err);
        if (rc < 0)
            return rc;
        moved += rc + made;
    }
    if (o->live_count)
        settle_complete (o, now);
    if (o->env.quarantined)
        larder_offered_release_quarantine (&o->env);
    return moved;
}
