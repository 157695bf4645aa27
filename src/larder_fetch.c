/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_fetch.h"
#include "larder_num.h"
#include "larder_tell.h"
#include <inttypes.h>
#include <stdlib.h>

/* A holder that has shown no sign of life for so long is replaced.  What it had under way crosses the link
 * again, so a busy processor or a slow write must not look like absence. */
#define TAKE_OVER_S 0.2
#define TRIES       3

static struct larder_nodecache *cache (const struct larder_request *q)
{
    return q->reader->words.nodecache;
}

static struct larder_line *line_of (const struct larder_request *q)
{
    return larder_nodecache_line (cache (q), q->want.owner, q->line);
}

/* ---------------------------------------------------------------- who fetches */

static int change_holder (struct larder_request *q, uint64_t seen, uint64_t local, int tell,
                          larder_error *err)
{
    uint64_t epoch = (larder_wire_count (seen) >> LARDER_HOLDER_BITS) + 1;
    uint64_t word = larder_wire_word (q->life, epoch << LARDER_HOLDER_BITS | local);
    if (!atomic_compare_exchange_strong (&line_of (q)->holder, &seen, word) || !tell)
        return LARDER_OK;
    return larder_tell (q, q->line, LARDER_REQUEST_HOLDER, LARDER_WRITE_MAX, &word, 1, err);
}

int larder_fetch_hold (struct larder_request *q, double now, larder_error *err)
{
    struct larder_line *ln = line_of (q);
    uint64_t mine = (uint64_t)cache (q)->local, holder = larder_load (&ln->holder);
    uint64_t who = holder & LARDER_HOLDER_NOBODY, beat = larder_load (&ln->beat);
    if (larder_wire_life (holder) != q->life)
        return 0;
    if (who == mine) {
        larder_store (&ln->beat, beat + 1);
        return 1;
    }
    if (beat != q->beat || q->beat_seen == 0) {
        q->beat = beat;
        q->beat_seen = now;
    }
    if (who != LARDER_HOLDER_NOBODY && now - q->beat_seen < TAKE_OVER_S)
        return 0;
    q->fetch_next = 0;
    q->beat_seen = now;
    int rc = change_holder (q, holder, mine, 1, err);
    return rc < 0 ? rc : 0; /* the next poll sees whether it worked */
}

void larder_fetch_release (struct larder_request *q)
{
    uint64_t holder = larder_load (&line_of (q)->holder);
    larder_error ignored;
    if (larder_wire_life (holder) == q->life &&
        (holder & LARDER_HOLDER_NOBODY) == (uint64_t)cache (q)->local)
        (void)change_holder (q, holder, LARDER_HOLDER_NOBODY, 0, &ignored);
}

int larder_fetch_ping (struct larder_request *q, larder_error *err)
{
    uint64_t holder = larder_load (&line_of (q)->holder);
    if (larder_wire_life (holder) != q->life)
        return LARDER_OK;
    return change_holder (q, holder, (uint64_t)cache (q)->local, 1, err);
}

/* ---------------------------------------------------------------- one chunk */

static int start (struct larder_request *q, struct larder_fetch **place_of, uint64_t place,
                  uint32_t from, uint64_t size, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    struct larder_line *ln = line_of (q);
    struct larder_transport *t = q->reader->words.transport;
    struct larder_fetch *f = calloc (1, sizeof *f);
    if (!f)
        return larder_error_set (err, LARDER_ENOMEM, 0, "no memory for a fetch");
    f->slot = larder_pool_take (nc->pool, &ln->quota);
    if (f->slot == LARDER_POOL_NONE) {
        free (f);
        return LARDER_AGAIN;
    }
    f->quota = &ln->quota;
    f->chunk = q->fetch_next;
    f->place = place;
    f->get = (struct larder_get){.rank = nc->owners[q->want.owner],
                                 .offset = larder_wire_slot (&nc->layout, from),
                                 .buffer = (unsigned char *)larder_nodecache_slot (nc, f->slot),
                                 .size = LARDER_HEADER_BYTES + (size_t)size};
    *place_of = f;
    int rc = t->ops->get (t->self, &f->get, err);
    return rc < 0 ? rc : LARDER_OK;
}

/* What the owner says of a chunk: {chunk word, place}. */
static void ready (const struct larder_request *q, uint64_t chunk, uint64_t *word, uint64_t *place)
{
    const struct larder_nodecache *nc = cache (q);
    size_t at = larder_wire_mailbox (&nc->layout, (uint64_t)q->want.owner, (uint64_t)q->line,
                                     (uint64_t)nc->local) +
                nc->layout.mailbox_ring + 16 * (size_t)(chunk % nc->layout.shape.ring);
    *word = larder_load (larder_nodecache_word (nc, at));
    *place = larder_load (larder_nodecache_word (nc, at + 8));
}

/* A chunk that came damaged is not fetched again at once: perhaps it has gone, and the owner's word of
 * that is under way. */
static int too_early (struct larder_request *q, uint64_t word, uint64_t place)
{
    if (q->bad_tries == 0 || q->bad_chunk != q->fetch_next)
        return 0;
    if (word != larder_wire_word (q->life, q->bad_chunk) || place != q->bad_place)
        q->bad_tries = 0;
    return q->bad_tries && larder_clock_now (&q->reader->clock) < q->bad_until;
}

/* Start to fetch the next chunk that is ready at the owner and not here. */
static int fetch_next (struct larder_request *q, struct larder_fetch **place_of, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    uint64_t ring = nc->layout.shape.ring, slot = 0, size = 0, word, place;
    uint64_t cursor = larder_wire_count (larder_load (&line_of (q)->cursor));
    q->fetch_next = larder_num_max (q->fetch_next, cursor);
    while (q->fetch_next < cursor + ring &&
           larder_nodecache_lookup (nc, q->want.owner, q->line, q->life, q->fetch_next) !=
               LARDER_POOL_NONE)
        ++q->fetch_next;
    if (q->fetch_next >= cursor + ring)
        return LARDER_AGAIN;
    for (int i = 0; i < LARDER_FETCHES; ++i)
        if (q->fetches[i] && q->fetches[i]->chunk == q->fetch_next)
            return LARDER_AGAIN;
    ready (q, q->fetch_next, &word, &place);
    if (too_early (q, word, place))
        return LARDER_AGAIN;
    if (word != larder_wire_word (q->life, q->fetch_next) ||
        !larder_wire_place_read (word, place, &slot, &size) ||
        slot >= nc->layout.shape.slot_count || size > nc->layout.shape.chunk_size)
        return LARDER_AGAIN;
    int rc = start (q, place_of, place, (uint32_t)slot, size, err);
    if (rc == LARDER_OK)
        ++q->fetch_next;
    return rc;
}

static void damage (struct larder_reader *r, struct larder_slot_header *h, size_t size)
{
    const struct larder_settings *s = r->settings;
    uint64_t n = larder_num_mix (s->fault_seed + ++r->fetched);
    if (s->fault_every && n % s->fault_every == 0)
        ((unsigned char *)h)[larder_num_mix (n) % size] ^= 0x40;
}

static int good (const struct larder_request *q, const struct larder_fetch *f)
{
    const struct larder_slot_header *h = (const struct larder_slot_header *)(void *)f->get.buffer;
    return h->key == q->info.key && h->chunk == f->chunk &&
           h->size + LARDER_HEADER_BYTES == f->get.size && (h->flags & LARDER_CHUNK_CHECKED) &&
           h->check == larder_wire_slot_check (h, h + 1);
}

/* A chunk is in this node's cache, or everybody here has passed it. */
static int came (const struct larder_request *q, uint64_t chunk)
{
    return larder_wire_count (larder_load (&line_of (q)->cursor)) > chunk ||
           larder_nodecache_lookup (cache (q), q->want.owner, q->line, q->life, chunk) !=
               LARDER_POOL_NONE;
}

/* While the bytes were under way the chunk came by another holder, or everybody here has passed it, or
 * it has gone at the owner: its slot there may be another chunk's by now, which is no damage. */
static int outdated (const struct larder_request *q, const struct larder_fetch *f)
{
    uint64_t word, place;
    ready (q, f->chunk, &word, &place);
    return word != larder_wire_word (q->life, f->chunk) || place != f->place || came (q, f->chunk);
}

/* The slot is another chunk's by now, and the owner's word of that is still to leave: perhaps it is in a
 * callback. */
static int reused (const struct larder_request *q, const struct larder_fetch *f)
{
    const struct larder_slot_header *h = (const struct larder_slot_header *)(void *)f->get.buffer;
    return f->get.state == LARDER_OK && (h->key != q->info.key || h->chunk != f->chunk);
}

/* The chunk came damaged: again, after a while that grows. */
static int try_again (struct larder_request *q, const struct larder_fetch *f, larder_error *err)
{
    static const double after[TRIES] = {0.01, 0.1, 1};
    int gone = reused (q, f);
    q->reader->stats->checksum_errors += !gone;
    ++q->reader->stats->retries;
    if (q->bad_tries && f->chunk > q->bad_chunk && !came (q, q->bad_chunk))
        return LARDER_OK; /* the tries of the chunk before it count first */
    if (q->bad_chunk != f->chunk)
        q->bad_tries = 0;
    q->bad_chunk = f->chunk;
    q->bad_place = f->place;
    if (gone) { /* no damage, so it does not count */
        q->bad_tries = (int)larder_num_max (1, (uint64_t)q->bad_tries);
        q->bad_until = larder_clock_now (&q->reader->clock) + after[1];
        return LARDER_OK;
    }
    if (q->bad_tries == TRIES)
        return larder_error_set (err, LARDER_ECHECKSUM, 0,
                                 "chunk %" PRIu64 " from rank %d came damaged %d times", f->chunk,
                                 cache (q)->owners[q->want.owner], TRIES + 1);
    q->bad_until = larder_clock_now (&q->reader->clock) + after[q->bad_tries++];
    return LARDER_OK;
}

static int finish (struct larder_request *q, struct larder_fetch *f, larder_error *err)
{
    struct larder_reader *r = q->reader;
    struct larder_nodecache *nc = cache (q);
    if (r->settings->fault_every)
        damage (r, (struct larder_slot_header *)(void *)f->get.buffer, f->get.size);
    int rc = LARDER_OK, ok = f->get.state == LARDER_OK && good (q, f);
    r->stats->chunks_fetched += 1;
    r->stats->bytes_fetched += f->get.size - LARDER_HEADER_BYTES;
    r->stats->bytes_from_owner += f->get.size - LARDER_HEADER_BYTES;
    if (ok &&
        larder_nodecache_publish (nc, q->want.owner, q->line, q->life, f->chunk, f->slot) == 0) {
        free (f);
        return LARDER_OK;
    }
    if (!ok) {
        q->fetch_next = larder_num_min (q->fetch_next, f->chunk);
        rc = outdated (q, f) ? LARDER_OK : try_again (q, f, err);
    }
    larder_pool_give (nc->pool, f->quota, f->slot);
    free (f);
    return rc;
}

int larder_fetch_poll (struct larder_request *q, larder_error *err)
{
    struct larder_transport *t = q->reader->words.transport;
    int moved = 0;
    for (int i = 0; i < LARDER_FETCHES; ++i) {
        struct larder_fetch **f = &q->fetches[i];
        if (*f) {
            size_t done = (*f)->get.done;
            int rc = larder_transport_test (t, &(*f)->get, err);
            moved += (*f)->get.done != done;
            if (rc == LARDER_AGAIN)
                continue;
            struct larder_fetch *ended = *f;
            *f = NULL;
            rc = finish (q, ended, err);
            if (rc < 0)
                return rc;
            ++moved;
        }
        int rc = fetch_next (q, f, err);
        if (rc < 0)
            return rc;
        moved += rc == LARDER_OK;
    }
    return moved;
}

/* ---------------------------------------------------------------- what is left behind */

void larder_fetch_abandon (struct larder_request *q)
{
    for (int i = 0; i < LARDER_FETCHES; ++i)
        if (q->fetches[i]) {
            q->fetches[i]->next = q->reader->abandoned;
            q->reader->abandoned = q->fetches[i];
            q->fetches[i] = NULL;
        }
}

int larder_fetch_sweep (struct larder_reader *r, larder_error *err)
{
    int moved = 0;
    for (struct larder_fetch **link = &r->abandoned; *link;) {
        struct larder_fetch *f = *link;
        if (larder_transport_test (r->words.transport, &f->get, err) == LARDER_AGAIN) {
            link = &f->next;
            continue;
        }
        *link = f->next;
        larder_pool_give (r->words.nodecache->pool, f->quota, f->slot);
        free (f);
        ++moved;
    }
    return moved;
}
