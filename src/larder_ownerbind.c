/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ownerbind.h"
#include "larder_num.h"
#include "larder_ownertxn.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The rank that binds; -1: there is none. */
static int rank_of (const struct larder_owner *o, const struct larder_bind *b,
                    const struct larder_owner_line *ln)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    uint64_t local = larder_bind_local (b);
    return local < (uint64_t)larder_topology_node_size (t, ln->node)
               ? larder_topology_rank (t, ln->node, (int)local)
               : -1;
}

/* What the receipt of a transaction that has ended says of the object and the rank that binds. */
static int code_of (const struct larder_owner *o, const struct larder_bind *b,
                    const struct larder_owner_line *ln, const char **name)
{
    int rank = rank_of (o, b, ln);
    const larder_receipt *r = larder_receipts_find (&o->receipts, b->transaction);
    larder_ref_info info;
    *name = "the object";
    for (int i = 0; r && i < r->objects; ++i) {
        if (larder_ref_read (&r->object[i].ref, &info, NULL) != LARDER_OK ||
            info.object != (b->object & UINT32_MAX))
            continue;
        *name = r->object[i].name;
        for (int k = 0; k < r->receivers; ++k)
            if (rank >= 0 && r->object[i].lines[k].rank == rank)
                return r->object[i].lines[k].code;
    }
    return LARDER_OK;
}

static const char *reason (int code)
{
    return code == LARDER_EHELD       ? "this rank stood still or was absent while others waited"
           : code == LARDER_ECANCELED ? "this rank has cancelled its transaction"
           : code == LARDER_ETIMEDOUT ? "the time that this rank had has run out"
                                      : "this rank was given up";
}

int larder_ownerbind_refusal (struct larder_owner *o, const struct larder_bind *b,
                              const struct larder_owner_line *ln, larder_error *why)
{
    uint64_t place = b->object & UINT32_MAX;
    const struct larder_offered *f;
    const char *name;
    int code;
    if (place >= (uint64_t)o->settings->max_objects)
        return larder_error_set (why, LARDER_EREF, 0, "the ref names object %" PRIu64, place);
    f = &o->objects[place];
    if (f->transaction == b->transaction && f->failed.code)
        return larder_error_set (why, f->failed.code, f->failed.detail, "%s", f->failed.text);
    if (f->transaction != b->transaction || f->state != LARDER_OFFER_LIVE) {
        code = code_of (o, b, ln, &name);
        if (code == LARDER_EHELD || code == LARDER_ETIMEDOUT)
            return larder_error_set (why, code, 0, "%s: %s, and the object has gone meanwhile",
                                     name, reason (code));
        return larder_error_set (why, LARDER_EGONE, 0, "%s is no longer offered by its owner",
                                 name);
    }
    if (!f->txn->live)
        return larder_error_set (why, LARDER_EBUSY, 0, "%s: it is being prepared", f->name);
    if (b->object >> 32 != f->generation)
        return larder_error_set (why, LARDER_ESTALE, 0, "%s: the ref is of another version",
                                 f->name);
    if (!larder_num_inside (b->first_item, b->item_count, f->chunks.item_count))
        return larder_error_set (why, LARDER_ERANGE, 0,
                                 "%s: it has %" PRIu64 " items, the ref names %" PRIu64
                                 " from %" PRIu64,
                                 f->name, f->chunks.item_count, b->item_count, b->first_item);
    return LARDER_OK;
}

/* The chunk that a line begins with.  Who goes on with a download says which. */
static int find_start (struct larder_offered *f, const struct larder_bind *b, uint64_t *chunk,
                       larder_error *why)
{
    struct larder_chunk from;
    if (!b->from)
        return larder_chunks_find (&f->chunks, b->first_item, chunk, why);
    *chunk = b->from - 1;
    int rc = larder_chunks_plan (&f->chunks, *chunk, &from, why);
    if (rc == LARDER_OK && (from.item > b->first_item || from.item + from.count <= b->first_item))
        rc = larder_error_set (why, LARDER_EREF, 0,
                               "%s: chunk %" PRIu64 " has nothing of item %" PRIu64, f->name,
                               *chunk, b->first_item);
    return rc;
}

int larder_ownerbind_cancel (struct larder_owner *o, const struct larder_bind *b,
                             const struct larder_owner_line *ln, larder_error *err)
{
    uint64_t place = b->object & UINT32_MAX, split = larder_bind_split (b);
    if (!larder_bind_cancels (b) || place >= (uint64_t)o->settings->max_objects)
        return LARDER_OK;
    struct larder_offered *f = &o->objects[place];
    struct larder_presenter who = {.rank = rank_of (o, b, ln),
                                   .via = split ? larder_wire_split_via (split) : -1,
                                   .share = larder_wire_split_share (split)};
    larder_error ignored; /* a ref that is refused cancels nothing */
    int lost;
    if (who.rank < 0 || f->transaction != b->transaction || !f->txn || !f->txn->live ||
        larder_txn_acquired (f->txn, &f->page, &who, o->now, &lost, &ignored) != LARDER_OK)
        return LARDER_OK;
    larder_ownertxn_cancel (o, f->txn, who.rank);
    return split || lost >= 0 ? larder_ownertxn_lost (o, f->txn, lost, err) : LARDER_OK;
}

int larder_ownerbind_activate (struct larder_owner *o, struct larder_owner_line *ln,
                               const struct larder_bind *b, larder_error *why)
{
    struct larder_offered *f = &o->objects[b->object & UINT32_MAX];
    size_t ranks = o->words.nodecache->layout.shape.node_size;
    size_t gone = ((size_t)o->words.nodecache->layout.shape.ring + 63) / 64 * sizeof *ln->gone;
    uint64_t first_chunk = 0;
    int rc = LARDER_OK;
    if (b->item_count) {
        *o->env.in_callback = 1;
        rc = find_start (f, b, &first_chunk, why);
        *o->env.in_callback = 0;
    }
    if (rc == LARDER_OK && !ln->seen &&
        (!(ln->seen = calloc (ranks, sizeof *ln->seen)) || !(ln->gone = calloc (1, gone))))
        rc = larder_error_set (why, LARDER_ENOMEM, 0, "%s: no memory for a line", f->name);
    if (rc != LARDER_OK)
        return rc;
    memset (ln->seen, 0, ranks * sizeof *ln->seen);
    ln->active = 1;
    ln->object = (int)(b->object & UINT32_MAX);
    ln->first_item = b->first_item;
    ln->end_item = b->first_item + b->item_count;
    ln->resumed = b->item_count && b->from;
    ln->first_chunk = ln->cursor = ln->want = ln->sent = first_chunk;
    ln->all_sent = b->item_count == 0 || !f->quota_open; /* it has ended already */
    ln->lagging = ln->waits = ln->last_sent = ln->gone_count = 0;
    memset (ln->gone, 0, gone);
    ln->items = ln->bytes = 0;
    ln->moved = ln->bound = ln->signed_at = f->txn->moved = o->now;
    o->active[o->active_count++] = (int)(ln - o->lines);
    ++f->lines;
    if (ln->node != o->words.nodecache->node)
        f->checked = 1;
    return LARDER_OK;
}

int larder_ownerbind_split (struct larder_owner *o, const struct larder_bind *b, int *lost,
                            larder_error *why)
{
    struct larder_offered *f = &o->objects[b->object & UINT32_MAX];
    uint64_t split = larder_bind_split (b);
    larder_error reason;
    *lost = -1;
    if (split == 0)
        return LARDER_OK;
    int rc = larder_txn_split (f->txn, larder_wire_split_via (split),
                               larder_wire_split_share (split), o->now, lost, &reason);
    return rc == LARDER_OK || rc == LARDER_ENOMEM
               ? LARDER_OK
               : larder_error_set (why, rc, 0, "%.40s: %s", f->name, reason.text);
}

int larder_ownerbind_given_up (const struct larder_owner *o, const struct larder_bind *b,
                               const struct larder_owner_line *ln, larder_error *why)
{
    const struct larder_offered *f = &o->objects[b->object & UINT32_MAX];
    if (b->item_count == 0)
        return LARDER_OK;
    int i = larder_txn_find (f->txn, rank_of (o, b, ln));
    if (i < 0 || !f->page.standing[i].given_up)
        return LARDER_OK;
    int code = f->page.standing[i].code;
    return larder_error_set (why, code, 0, "%s: %s", f->name, reason (code));
}

/* The node has given the line up meanwhile: it only says how it ended. */
static int ended (const struct larder_owner *o, const struct larder_owner_line *ln, uint64_t life)
{
    const struct larder_nodecache *nc = o->words.nodecache;
    size_t at = larder_wire_request (&nc->layout, (uint64_t)o->home, (uint64_t)ln->node,
                                     (uint64_t)ln->line) +
                LARDER_REQUEST_CURSOR;
    uint64_t cursor = larder_load (larder_nodecache_word (nc, at));
    return larder_wire_life (cursor) == life && larder_wire_count (cursor) >= LARDER_CURSOR_END;
}

int larder_ownerbind_waits (struct larder_owner *o, const struct larder_owner_line *ln,
                            const struct larder_bind *b)
{
    struct larder_offered *f = &o->objects[b->object & UINT32_MAX];
    if (f->quota_open || b->item_count == 0 || ended (o, ln, b->life))
        return 0;
    f->quota_open = larder_pool_open (o->words.nodecache->pool, f->quota) == 0;
    f->stale_needs = 1; /* should the line not come to life, the promise is given back */
    o->crowded |= !f->quota_open;
    return !f->quota_open;
}
