/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_ownerready.h"
#include "larder_num.h"
#include "larder_ownermail.h"

/* Chunks told to be ready beyond the highest one wanted. */
#define AHEAD 8

static const struct larder_wire_layout *layout (const struct larder_owner *o)
{
    return &o->words.nodecache->layout;
}

/* ---------------------------------------------------------------- chunks that went again */

static int has_gone (const struct larder_owner *o, const struct larder_owner_line *ln, uint64_t n)
{
    uint64_t place = n % layout (o)->shape.ring;
    return ln->gone_count && (ln->gone[place / 64] >> place % 64 & 1);
}

static void mark (const struct larder_owner *o, struct larder_owner_line *ln, uint64_t n, int gone)
{
    uint64_t place = n % layout (o)->shape.ring;
    if (has_gone (o, ln, n) == gone)
        return;
    ln->gone[place / 64] ^= UINT64_C (1) << place % 64;
    ln->gone_count += gone ? 1 : -1;
}

/* The line could use chunk n; of several the first that somebody waits for comes first. */
static void want_next (struct larder_owner_line *ln, uint64_t n)
{
    int urgent = n == ln->cursor || n == larder_num_max (ln->cursor, ln->want);
    if (ln->waits && (ln->urgent || !urgent))
        return;
    ln->waits = 1;
    ln->next = n;
    ln->urgent = urgent;
}

void larder_ownerready_passed (const struct larder_owner *o, struct larder_owner_line *ln,
                               uint64_t cursor)
{
    uint64_t end = ln->cursor + layout (o)->shape.ring;
    for (uint64_t n = ln->cursor; ln->gone_count && n < cursor && n < end; ++n)
        mark (o, ln, n, 0);
    ln->sent = larder_num_max (ln->sent, cursor);
}

int larder_ownerready_repeat (struct larder_owner *o, struct larder_owner_line *ln,
                              larder_error *err)
{
    int rc = LARDER_OK;
    for (uint64_t n = ln->cursor; rc == LARDER_OK && n < ln->sent; ++n) {
        struct larder_cached *entry = larder_cache_find (&o->objects[ln->object].cache, n);
        rc = entry ? larder_ownermail_ready (o, ln, entry, err)
                   : larder_ownermail_gone (o, ln, n, err);
        mark (o, ln, n, !entry);
    }
    return rc;
}

int larder_ownerready_retract (struct larder_owner *o, struct larder_owner_line *ln,
                               const struct larder_cached *entry)
{
    larder_error ignored; /* a transport that fails shows in the next poll */
    uint64_t n = entry->chunk.number;
    if (n < ln->cursor || n >= ln->sent || has_gone (o, ln, n))
        return 0;
    if (larder_ownermail_home (o, ln) &&
        larder_nodecache_retract (o->words.nodecache, o->index, ln->line, ln->life, n, entry->slot,
                                  0))
        return -1;
    (void)larder_ownermail_gone (o, ln, n, &ignored);
    mark (o, ln, n, 1);
    return 0;
}

/* ---------------------------------------------------------------- telling what is ready */

/* Chunks [from, from + AHEAD) that went after they were told: those that are back are told again, the
 * first that is not is what the line waits for next. */
static int tell_again (struct larder_owner *o, struct larder_owner_line *ln, uint64_t from,
                       larder_error *err)
{
    struct larder_cache *cache = &o->objects[ln->object].cache;
    int told = 0;
    for (uint64_t n = from; ln->gone_count && n < from + AHEAD && n < ln->sent; ++n) {
        if (!has_gone (o, ln, n))
            continue;
        struct larder_cached *entry = larder_cache_find (cache, n);
        if (!entry) {
            want_next (ln, n);
            break;
        }
        int rc = larder_ownermail_ready (o, ln, entry, err);
        if (rc < 0)
            return rc;
        mark (o, ln, n, 0);
        ++told;
    }
    return told;
}

/* Tell the chunks that follow those told before. */
static int tell_on (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    struct larder_offered *f = &o->objects[ln->object];
    uint64_t limit = larder_num_min (ln->cursor + layout (o)->shape.ring,
                                     larder_num_max (ln->cursor, ln->want) + AHEAD);
    int told = 0;
    while (!ln->all_sent && ln->sent < limit) {
        struct larder_cached *entry = larder_cache_find (&f->cache, ln->sent);
        if (!entry) {
            want_next (ln, ln->sent);
            break;
        }
        if (entry->chunk.item >= ln->end_item) {
            ln->all_sent = 1;
            break;
        }
        int rc = larder_ownermail_ready (o, ln, entry, err);
        if (rc < 0)
            return rc;
        entry->used = ++f->uses;
        ++ln->sent;
        ++told;
        ln->last_sent = (entry->chunk.flags & LARDER_CHUNK_LAST) != 0;
        ln->all_sent = ln->last_sent || ((entry->chunk.flags & LARDER_CHUNK_ENDS) &&
                                         entry->chunk.item + entry->chunk.count >= ln->end_item);
    }
    return told;
}

/* The rank furthest behind waits for the chunk at the cursor, the first one for the one it wants; those
 * between are served when they are one of the two. */
static int serve_line (struct larder_owner *o, struct larder_owner_line *ln, larder_error *err)
{
    int waited = ln->waits, told = 0, rc = 0;
    ln->waits = ln->urgent = 0;
    if (ln->gone_count) {
        rc = tell_again (o, ln, ln->cursor, err);
        told += rc;
    }
    if (rc >= 0 && ln->gone_count && ln->want > ln->cursor) {
        rc = tell_again (o, ln, ln->want, err);
        told += rc;
    }
    if (rc >= 0) {
        rc = tell_on (o, ln, err);
        told += rc;
    }
    if (ln->waits && !waited)
        ln->waits_since = o->now;
    return rc < 0 ? rc : told;
}

int larder_ownerready_serve (struct larder_owner *o, larder_error *err)
{
    int told = 0;
    for (int i = 0; i < o->active_count; ++i) {
        int rc = serve_line (o, &o->lines[o->active[i]], err);
        if (rc < 0)
            return rc;
        told += rc;
    }
    return told;
}
