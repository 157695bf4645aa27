/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "larder_offered.h"
#include "larder_num.h"
#include "larder_produce.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int larder_offered_init (struct larder_offered *o, struct larder_offered_env *env,
                         const larder_object *object, uint64_t payload, larder_error *err)
{
    uint32_t slots = (uint32_t)env->nodecache->layout.shape.slot_count;
    o->object = *object;
    o->name = strdup (object->name ? object->name : "object");
    if (!o->name)
        return larder_error_set (err, LARDER_ENOMEM, 0, "offer: no memory for a name");
    o->object.name = o->name;
    int rc = larder_cache_init (&o->cache, slots, err);
    if (rc == LARDER_OK && object->ops->set_transaction) {
        *env->in_callback = 1;
        rc = object->ops->set_transaction (object->self, o->transaction, err);
        *env->in_callback = 0;
    }
    if (rc == LARDER_OK) {
        *env->in_callback = 1;
        rc = larder_chunks_init (&o->chunks, &o->object, payload, err);
        *env->in_callback = 0;
    }
    if (rc != LARDER_OK) {
        larder_cache_free (&o->cache);
        free (o->name);
        o->name = NULL;
        return rc;
    }
    o->produced = (struct larder_intervals){0};
    o->lines = o->checked = o->let_go = o->loose = o->stale_needs = o->all_told = o->quota_open = 0;
    o->bytes_produced = o->uses = o->round = 0;
    o->stuck_since = 0;
    o->failed = (larder_error){0};
    return LARDER_OK;
}

/* ---------------------------------------------------------------- production */

static void fail (struct larder_offered *o, int code, const larder_error *why)
{
    int keep = code == LARDER_ESTALE || code == LARDER_ENOMEM;
    larder_error_set (&o->failed, keep ? code : LARDER_EOWNER, why->detail, "%s: %s", o->name,
                      why->text[0] ? why->text : larder_code_text (code));
}

static int count (struct larder_offered *o, struct larder_offered_env *env,
                  const struct larder_chunk *chunk, larder_error *err)
{
    int again = larder_intervals_has (&o->produced, chunk->number);
    uint64_t items = chunk->flags & LARDER_CHUNK_ENDS ? chunk->count : 0;
    larder_stats *s = env->stats;
    *(again ? &s->chunks_reproduced : &s->chunks_produced) += 1;
    *(again ? &s->items_reproduced : &s->items_produced) += items;
    s->bytes_produced += chunk->payload;
    if (!again)
        o->bytes_produced += chunk->payload;
    return larder_intervals_add (&o->produced, chunk->number, err);
}

void larder_offered_check (struct larder_offered *o, struct larder_offered_env *env,
                           const struct larder_cached *entry)
{
    struct larder_slot_header *h = larder_nodecache_slot (env->nodecache, entry->slot);
    (void)o;
    if (h->flags & LARDER_CHUNK_CHECKED)
        return;
    h->flags |= LARDER_CHUNK_CHECKED;
    h->check = larder_wire_slot_check (h, h + 1);
}

int larder_offered_produce (struct larder_offered *o, struct larder_offered_env *env,
                            const struct larder_chunk *planned)
{
    struct larder_chunk chunk = *planned;
    uint32_t slot = larder_pool_take (env->nodecache->pool, o->quota);
    if (slot == LARDER_POOL_NONE)
        return LARDER_AGAIN;
    struct larder_slot_header *h = larder_nodecache_slot (env->nodecache, slot);
    uint32_t generation = h->generation + 1;
    larder_error why = {0};
    /* Retract, then bytes: whoever still reads the slot sees that it is another chunk's. */
    h->key = 0;
    atomic_thread_fence (memory_order_seq_cst);
    *env->in_callback = 1;
    int rc = larder_produce (&o->chunks, &chunk, (unsigned char *)(h + 1), &why);
    if (rc == LARDER_OK && o->object.ops->prefetch_item && (chunk.flags & LARDER_CHUNK_ENDS) &&
        !(chunk.flags & LARDER_CHUNK_LAST))
        o->object.ops->prefetch_item (o->object.self, chunk.item + chunk.count);
    *env->in_callback = 0;
    if (rc == LARDER_OK)
        rc = count (o, env, &chunk, &why);
    if (rc != LARDER_OK) {
        larder_pool_give (env->nodecache->pool, o->quota, slot);
        fail (o, rc, &why);
        return o->failed.code;
    }
    *h = (struct larder_slot_header){.key = o->key,
                                     .chunk = chunk.number,
                                     .item = chunk.item,
                                     .offset = chunk.offset,
                                     .count = (uint32_t)chunk.count,
                                     .flags = chunk.flags,
                                     .size = (uint32_t)chunk.size,
                                     .generation = generation};
    struct larder_cached *entry = larder_cache_add (&o->cache, &chunk, slot);
    entry->used = ++o->uses;
    if (o->checked)
        larder_offered_check (o, env, entry);
    return LARDER_OK;
}

void larder_offered_drop (struct larder_offered *o, struct larder_offered_env *env,
                          struct larder_cached *entry)
{
    uint32_t slot = entry->slot;
    larder_cache_drop (&o->cache, entry);
    if (larder_nodecache_guarded (env->nodecache, slot))
        env->quarantine[env->quarantined++] = (struct larder_quarantined){slot, o->quota};
    else
        larder_pool_give (env->nodecache->pool, o->quota, slot);
}

void larder_offered_release_quarantine (struct larder_offered_env *env)
{
    for (uint32_t i = 0; i < env->quarantined;) {
        struct larder_quarantined *q = &env->quarantine[i];
        if (larder_nodecache_guarded (env->nodecache, q->slot)) {
            ++i;
            continue;
        }
        larder_pool_give (env->nodecache->pool, q->quota, q->slot);
        *q = env->quarantine[--env->quarantined];
    }
}

/* ---------------------------------------------------------------- receivers */

void larder_offered_progress (struct larder_offered *o, struct larder_offered_env *env, int rank,
                              larder_event_state state, uint64_t bytes, uint64_t items, double now)
{
    int i = o->watch.progress && o->txn ? larder_txn_find (o->txn, rank) : -1;
    if (i < 0)
        return;
    struct larder_standing *s = &o->page.standing[i];
    larder_event event = o->watch.pair;
    if (!s->track && (state == LARDER_EVENT_STARTED || s->state != LARDER_UNSEEN))
        s->track = calloc (1, sizeof *s->track);
    if (!s->track ||
        !larder_track_event (s->track, state, bytes, items, o->watch.interval_s, now, &event))
        return;
    event.receiver = rank;
    *env->in_callback = 1;
    o->watch.progress (o->watch.self, &event);
    *env->in_callback = 0;
}

static void tell_all (struct larder_offered *o, struct larder_offered_env *env)
{
    if (o->all_told)
        return;
    o->all_told = 1;
    *env->in_callback = 1;
    if (o->object.ops->downloaded_to_all)
        o->object.ops->downloaded_to_all (o->object.self);
    *env->in_callback = 0;
}

void larder_offered_all (struct larder_offered *o, struct larder_offered_env *env)
{
    if (larder_txn_complete (o->txn, &o->page))
        tell_all (o, env);
    o->stale_needs = 1;
}

void larder_offered_untaken (struct larder_offered *o, struct larder_offered_env *env, int at,
                             int code)
{
    if (o->state == LARDER_OFFER_LIVE && !o->page.closed &&
        larder_txn_final_at (o->txn, &o->page, at, code))
        larder_offered_all (o, env);
}

void larder_offered_final (struct larder_offered *o, struct larder_offered_env *env, int rank,
                           int code, double now)
{
    if (o->state != LARDER_OFFER_LIVE || o->page.closed ||
        !larder_txn_final (o->txn, &o->page, rank, code))
        return;
    o->stale_needs = 1;
    *env->in_callback = 1;
    if (o->object.ops->downloaded_to_one)
        o->object.ops->downloaded_to_one (o->object.self, rank, code);
    *env->in_callback = 0;
    larder_offered_all (o, env);
    larder_offered_progress (o, env, rank,
                             code == LARDER_OK          ? LARDER_EVENT_COMPLETED
                             : code == LARDER_ECANCELED ? LARDER_EVENT_ABORTED
                                                        : LARDER_EVENT_FAILED,
                             code != LARDER_OK     ? 0
                             : o->chunks.item_size ? larder_chunks_bytes (&o->chunks)
                             : o->chunks.unknown   ? 0
                                                   : o->bytes_produced,
                             code == LARDER_OK ? o->chunks.item_count : 0, now);
}

void larder_offered_dismiss (struct larder_offered *o, struct larder_offered_env *env, int rank,
                             int code, double now)
{
    int i = o->state == LARDER_OFFER_LIVE ? larder_txn_find (o->txn, rank) : -1;
    if (i >= 0 && o->page.standing[i].state != LARDER_FINAL)
        o->page.standing[i].given_up = 1;
    larder_offered_final (o, env, rank, code, now);
}

void larder_offered_give_up (struct larder_offered *o, struct larder_offered_env *env, double now)
{
    for (int i = 0; i < o->txn->count; ++i)
        larder_offered_final (o, env, o->txn->receivers[i].rank, o->failed.code, now);
    o->page.closed = o->failed.code;
    tell_all (o, env);
}

/* ---------------------------------------------------------------- versions and the end */

static void drop_all (struct larder_offered *o, struct larder_offered_env *env)
{
    while (o->cache.count)
        larder_offered_drop (o, env, &o->cache.entries[o->cache.count - 1]);
}

int larder_offered_renew (struct larder_offered *o, struct larder_offered_env *env,
                          uint64_t payload)
{
    larder_error why = {0};
    drop_all (o, env);
    larder_intervals_free (&o->produced);
    o->produced = (struct larder_intervals){0};
    larder_chunks_free (&o->chunks);
    larder_txn_anew (o->txn, &o->page);
    o->bytes_produced = 0;
    o->let_go = o->loose = 0;
    o->stuck_since = 0;
    *env->in_callback = 1;
    int rc = larder_chunks_init (&o->chunks, &o->object, payload, &why);
    *env->in_callback = 0;
    if (rc != LARDER_OK)
        fail (o, rc, &why);
    return rc == LARDER_OK ? rc : o->failed.code;
}

void larder_offered_close (struct larder_offered *o, struct larder_offered_env *env)
{
    o->state = LARDER_OFFER_SETTLED;
    drop_all (o, env);
    if (o->quota_open)
        larder_pool_close (env->nodecache->pool, o->quota);
    o->quota_open = 0;
}

void larder_offered_tell_done (struct larder_offered *o, struct larder_offered_env *env,
                               larder_done done)
{
    *env->in_callback = 1;
    if (o->object.ops->transaction_done)
        o->object.ops->transaction_done (o->object.self, o->transaction, done);
    *env->in_callback = 0;
}

void larder_offered_release (struct larder_offered *o, struct larder_offered_env *env)
{
    *env->in_callback = 1;
    if (o->object.ops->release)
        o->object.ops->release (o->object.self);
    *env->in_callback = 0;
    larder_cache_free (&o->cache);
    larder_chunks_free (&o->chunks);
    larder_intervals_free (&o->produced);
    free (o->name);
    o->name = NULL;
    o->object = (larder_object){0};
    o->watch = (struct larder_offered_watch){0};
    o->txn = NULL;
}
