/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ownerline.h"
#include "larder_num.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Chunks told to be ready beyond the highest one wanted. */
#define AHEAD 8

#define INFO_WORDS   (sizeof (struct larder_info) / 8)
#define FAILED_WORDS (sizeof (struct larder_failed) / 8)
#define BITS_MAX     64

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

static int holder_local (const struct larder_owner_line *ln)
{
    return (int)(ln->holder & LARDER_HOLDER_NOBODY);
}

static int home_line (const struct larder_owner *o, const struct larder_owner_line *ln)
{
    return ln->node == o->words.nodecache->node;
}

/* Write into the mailbox of a local rank of the line's node. */
static int mail (const struct larder_owner *o, const struct larder_owner_line *ln, int local,
                 size_t offset, const uint64_t *values, size_t n, larder_error *err)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    size_t at =
        larder_wire_mailbox (layout (o), (uint64_t)o->index, (uint64_t)ln->line, (uint64_t)local);
    if (local >= larder_topology_node_size (t, ln->node))
        return LARDER_OK; /* a holder word that makes no sense is not believed */
    return larder_words_write (&o->words, larder_topology_rank (t, ln->node, local), at + offset,
                               LARDER_WRITE_REPLACE, values, n, err);
}

/* ---------------------------------------------------------------- giving up and closing */

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
}

static void retract_all (struct larder_owner *o, struct larder_owner_line *ln)
{
    struct larder_cache *c = &o->objects[ln->object].cache;
    for (uint32_t i = 0; i < c->count; ++i)
        (void)larder_nodecache_retract (o->words.nodecache, o->index, ln->line, ln->life,
                                        c->entries[i].chunk.number, c->entries[i].slot, 1);
}

static int tell_failure (struct larder_owner *o, struct larder_owner_line *ln, int code,
                         const char *text, larder_error *err)
{
    union {
        struct larder_failed record;
        uint64_t words[FAILED_WORDS];
    } u;
    memset (&u, 0, sizeof u);
    u.record.life = ln->life;
    u.record.code = (uint64_t)-code;
    strncpy (u.record.text, text, LARDER_FAILED_TEXT - 1);
    u.record.check = larder_wire_check (u.words, FAILED_WORDS);
    if (home_line (o, ln)) {
        larder_nodecache_fail (o->words.nodecache, o->index, ln->line, ln->life, code,
                               u.record.text);
        return LARDER_OK;
    }
    return mail (o, ln, holder_local (ln), layout (o)->mailbox_failed, u.words, FAILED_WORDS, err);
}

void larder_ownerline_fail (struct larder_owner *o, struct larder_owner_line *ln,
                            const larder_error *why)
{
    larder_error ignored; /* a transport that fails shows in the next poll */
    const struct larder_topology *t = o->words.nodecache->topology;
    ln->failed_code = why->code;
    memcpy (ln->failed_text, why->text, LARDER_FAILED_TEXT - 1);
    if (ln->active && home_line (o, ln))
        retract_all (o, ln);
    (void)tell_failure (o, ln, why->code, ln->failed_text, &ignored);
    if (!ln->active)
        return;
    struct larder_offered *f = &o->objects[ln->object];
    deactivate (o, ln);
    for (int i = 0; i < larder_topology_node_size (t, ln->node); ++i)
        if (ln->seen[i] == LARDER_STATE_ACQUIRED)
            larder_offered_final (f, &o->env, larder_topology_rank (t, ln->node, i), why->code);
}

/* ---------------------------------------------------------------- binding */

static int send_info (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    struct larder_offered *f = &o->objects[ln->object];
    int ranks = larder_topology_node_size (t, ln->node);
    size_t bit_words = (layout (o)->shape.node_size + 63) / 64;
    union {
        struct larder_info info;
        uint64_t words[INFO_WORDS + BITS_MAX];
    } u;
    memset (&u, 0, sizeof u);
    u.info.life = ln->life;
    u.info.first_chunk = ln->first_chunk;
    u.info.end_item = f->chunks.item_count;
    u.info.item_size = f->chunks.item_size;
    u.info.last_size = f->chunks.last_size;
    u.info.key = f->key;
    /* Ranks that have not begun are expected where the whole object is: there most will come.  Nobody
     * can join a line without items. */
    int whole = ln->first_item == 0 && ln->end_item > 0 && ln->end_item == f->chunks.item_count;
    for (int i = 0; whole && i < ranks && i < 64 * BITS_MAX; ++i) {
        struct larder_receiver *r =
            larder_txn_find (&f->txn, larder_topology_rank (t, ln->node, i));
        if (r && r->state == LARDER_UNSEEN && !f->let_go)
            u.words[INFO_WORDS + (size_t)i / 64] |= UINT64_C (1) << (i % 64);
    }
    u.info.check = larder_wire_check (u.words, INFO_WORDS) ^
                   larder_wire_check (&u.words[INFO_WORDS], bit_words + 1);
    return mail (o, ln, holder_local (ln), 0, u.words, INFO_WORDS + bit_words, err);
}

/* Why a bind record cannot be served. */
static int refusal (struct larder_owner *o, const struct larder_bind *b, larder_error *why)
{
    uint64_t place = b->object & UINT32_MAX;
    const struct larder_offered *f;
    if (b->session != o->session)
        return larder_error_set (why, LARDER_ESESSION, 0, "the ref is of another session");
    if (place >= (uint64_t)o->settings->max_objects)
        return larder_error_set (why, LARDER_EREF, 0, "the ref names object %" PRIu64, place);
    f = &o->objects[place];
    if (f->transaction != b->transaction || f->state != LARDER_OFFER_LIVE) {
        if (f->transaction == b->transaction && f->failed.code)
            return larder_error_set (why, f->failed.code, f->failed.detail, "%s", f->failed.text);
        return larder_error_set (why, LARDER_EGONE, 0,
                                 "the object is no longer offered by its owner");
    }
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

static int activate (struct larder_owner *o, struct larder_owner_line *ln,
                     const struct larder_bind *b, larder_error *why)
{
    struct larder_offered *f = &o->objects[b->object & UINT32_MAX];
    size_t ranks = layout (o)->shape.node_size;
    uint64_t first_chunk = 0;
    int rc = LARDER_OK;
    if (b->item_count) {
        *o->env.in_callback = 1;
        rc = larder_chunks_find (&f->chunks, b->first_item, &first_chunk, why);
        *o->env.in_callback = 0;
        if (rc == LARDER_OK && !f->quota_open &&
            larder_pool_open (o->words.nodecache->pool, f->quota) != 0)
            rc = larder_error_set (
                why, LARDER_EBUSY, 0,
                "%s: the owner's cache has no two slots left for one more object", f->name);
        if (rc == LARDER_OK)
            f->quota_open = 1;
    }
    if (rc == LARDER_OK && !ln->seen && !(ln->seen = calloc (ranks, 1)))
        rc = larder_error_set (why, LARDER_ENOMEM, 0, "%s: no memory for a line", f->name);
    if (rc != LARDER_OK)
        return rc;
    memset (ln->seen, 0, ranks);
    ln->active = 1;
    ln->object = (int)(b->object & UINT32_MAX);
    ln->first_item = b->first_item;
    ln->end_item = b->first_item + b->item_count;
    ln->first_chunk = ln->cursor = ln->want = ln->sent = ln->told = first_chunk;
    ln->all_sent = b->item_count == 0;
    ln->lagging = ln->waits = ln->last_sent = 0;
    ln->moved = ln->bound = larder_clock_now (&o->clock);
    o->active[o->active_count++] = (int)(ln - o->lines);
    ++f->lines;
    if (!home_line (o, ln))
        f->checked = 1;
    return LARDER_OK;
}

static int mail_closed (struct larder_owner *o, struct larder_owner_line *ln, uint64_t end,
                        larder_error *err)
{
    uint64_t life = ln->life;
    ln->closed = 1;
    int rc = mail (o, ln, (int)(end >> 16 & 0xffff), layout (o)->mailbox_closed, &life, 1, err);
    return rc < 0 ? rc : 1;
}

/* A line that was given up keeps answering: its holder may have changed since, or the node ended it
 * before it heard of that, and waits until it may use it again. */
static int answer_again (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    if (ln->active || !ln->failed_code)
        return 0;
    uint64_t cursor = word (o, request (o, ln) + LARDER_REQUEST_CURSOR);
    if (!ln->closed && larder_wire_life (cursor) == ln->life &&
        larder_wire_count (cursor) >= LARDER_CURSOR_END)
        return mail_closed (o, ln, larder_wire_count (cursor) - LARDER_CURSOR_END, err);
    uint64_t holder = word (o, request (o, ln) + LARDER_REQUEST_HOLDER);
    if (larder_wire_life (holder) != ln->life || holder == ln->holder)
        return 0;
    ln->holder = holder;
    int rc = tell_failure (o, ln, ln->failed_code, ln->failed_text, err);
    return rc < 0 ? rc : 1;
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
    if (ln->active)
        deactivate (o, ln);
    larder_error why = {0};
    ln->life = u.bind.life;
    ln->holder = larder_wire_word (ln->life, u.bind.local & LARDER_HOLDER_NOBODY);
    ln->failed_code = ln->closed = 0;
    int rc = refusal (o, &u.bind, &why);
    if (rc == LARDER_OK)
        rc = activate (o, ln, &u.bind, &why);
    if (rc != LARDER_OK) {
        larder_ownerline_fail (o, ln, &why);
        return 1;
    }
    rc = send_info (o, ln, err);
    return rc < 0 ? rc : 1;
}

/* ---------------------------------------------------------------- reading the node's words */

static int see_states (struct larder_owner *o, struct larder_owner_line *ln)
{
    const struct larder_topology *t = o->words.nodecache->topology;
    struct larder_offered *f = &o->objects[ln->object];
    size_t at = request (o, ln) + LARDER_REQUEST_STATE;
    int moved = 0, through = 0;
    for (int i = 0; i < larder_topology_node_size (t, ln->node); ++i) {
        uint64_t w = word (o, at + 8 * (size_t)i), count = larder_wire_count (w);
        if (larder_wire_life (w) != ln->life)
            continue;
        unsigned char state = count >= LARDER_STATE_FAILED ? 4 : (unsigned char)count;
        through += state >= LARDER_STATE_LEFT;
        if (state <= ln->seen[i])
            continue;
        ln->seen[i] = state;
        int rank = larder_topology_rank (t, ln->node, i);
        moved = f->stale_needs = 1;
        larder_txn_acquired (&f->txn, rank);
        if (state == LARDER_STATE_DONE)
            larder_offered_final (f, &o->env, rank, LARDER_OK);
        else if (state == 4)
            larder_offered_final (f, &o->env, rank, -(int)(count - LARDER_STATE_FAILED));
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
    return mail_closed (o, ln, end, err);
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

static int tell_ready (struct larder_owner *o, struct larder_owner_line *ln,
                       struct larder_cached *entry, larder_error *err)
{
    uint64_t n = entry->chunk.number;
    if (home_line (o, ln)) {
        larder_nodecache_show (o->words.nodecache, o->index, ln->line, ln->life, n, entry->slot);
        return LARDER_OK;
    }
    uint64_t words[2] = {larder_wire_word (ln->life, n), 0};
    words[1] = larder_wire_place (words[0], entry->slot, entry->chunk.size);
    larder_offered_check (&o->objects[ln->object], &o->env, entry);
    return mail (o, ln, holder_local (ln),
                 layout (o)->mailbox_ring + 16 * (size_t)(n % layout (o)->shape.ring), words, 2,
                 err);
}

/* What a chunk's entry says is not true any more, or was written for a holder before this one. */
static int tell_gone (struct larder_owner *o, struct larder_owner_line *ln, uint64_t n,
                      larder_error *err)
{
    static const uint64_t nothing[2];
    if (home_line (o, ln))
        return LARDER_OK;
    return mail (o, ln, holder_local (ln),
                 layout (o)->mailbox_ring + 16 * (size_t)(n % layout (o)->shape.ring), nothing, 2,
                 err);
}

int larder_ownerline_retract (struct larder_owner *o, struct larder_owner_line *ln,
                              const struct larder_cached *entry)
{
    larder_error ignored; /* a transport that fails shows in the next poll */
    uint64_t n = entry->chunk.number;
    if (n < ln->cursor || n >= ln->told)
        return 0;
    if (home_line (o, ln) && larder_nodecache_retract (o->words.nodecache, o->index, ln->line,
                                                       ln->life, n, entry->slot, 0))
        return -1;
    (void)tell_gone (o, ln, n, &ignored);
    ln->sent = larder_num_min (ln->sent, n);
    ln->all_sent = ln->last_sent = 0;
    return 0;
}

static int new_holder (struct larder_owner *o, struct larder_owner_line *ln, double now,
                       larder_error *err)
{
    uint64_t w = word (o, request (o, ln) + LARDER_REQUEST_HOLDER);
    if (larder_wire_life (w) != ln->life || w <= ln->holder)
        return 0;
    ln->holder = w;
    ln->lagging = 0;
    ln->moved = now;
    int rc = send_info (o, ln, err);
    for (uint64_t n = ln->cursor; rc == LARDER_OK && n < ln->told; ++n) {
        struct larder_cached *entry = larder_cache_find (&o->objects[ln->object].cache, n);
        rc = entry ? tell_ready (o, ln, entry, err) : tell_gone (o, ln, n, err);
    }
    return rc < 0 ? rc : 1;
}

int larder_ownerline_update (struct larder_owner *o, struct larder_owner_line *ln, double now,
                             larder_error *err)
{
    size_t at = request (o, ln);
    struct larder_offered *f = &o->objects[ln->object];
    uint64_t cursor = ln->cursor;
    int moved = see_states (o, ln);
    int rc = new_holder (o, ln, now, err);
    if (rc < 0)
        return rc;
    moved += rc + risen (o, ln, at + LARDER_REQUEST_WANT, &ln->want);
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
    ln->cursor = cursor;
    ln->sent = larder_num_max (ln->sent, cursor);
    ln->lagging = 0;
    ln->moved = now;
    f->stale_needs = 1;
    return moved + 1;
}

/* ---------------------------------------------------------------- telling what is ready */

static int serve_line (struct larder_owner *o, struct larder_owner_line *ln, double now,
                       larder_error *err)
{
    struct larder_offered *f = &o->objects[ln->object];
    uint64_t ring = layout (o)->shape.ring;
    uint64_t limit =
        larder_num_min (ln->cursor + ring, larder_num_max (ln->cursor, ln->want) + AHEAD);
    int told = 0, waits = 0;
    while (!ln->all_sent && ln->sent < limit) {
        struct larder_cached *entry = larder_cache_find (&f->cache, ln->sent);
        if (!entry) {
            waits = 1;
            break;
        }
        if (entry->chunk.item >= ln->end_item) {
            ln->all_sent = 1;
            break;
        }
        int rc = tell_ready (o, ln, entry, err);
        if (rc < 0)
            return rc;
        entry->used = ++f->uses;
        ++ln->sent;
        ln->told = larder_num_max (ln->told, ln->sent);
        ++told;
        ln->last_sent = (entry->chunk.flags & LARDER_CHUNK_LAST) != 0;
        ln->all_sent = ln->last_sent || ((entry->chunk.flags & LARDER_CHUNK_ENDS) &&
                                         entry->chunk.item + entry->chunk.count >= ln->end_item);
    }
    if (waits && !ln->waits)
        ln->waits_since = now;
    ln->waits = waits;
    return told;
}

int larder_ownerline_serve (struct larder_owner *o, double now, larder_error *err)
{
    int told = 0;
    for (int i = 0; i < o->active_count; ++i) {
        int rc = serve_line (o, &o->lines[o->active[i]], now, err);
        if (rc < 0)
            return rc;
        told += rc;
    }
    return told;
}
