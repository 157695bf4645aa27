/* SPDX-License-Identifier: Apache-2.0 */
/* The collective way: relays over all nodes, and one result for all ranks. */
#include "larder_backoff.h"
#include "larder_mpi.h"
#include "larder_num.h"
#include "larder_ownertxn.h"
#include "larder_progress.h"
#include "larder_relay.h"
#include "larder_terms.h"
#include <larder/collective.h>
#include <larder/offer.h>
#include <stdlib.h>
#include <string.h>

struct collecting {
    larder *session;
    larder_ref_info info;
    int whole;                      /* not a part of the object only: its end is a verdict */
    struct larder_offered *offered; /* NULL: not this rank's */
    struct larder_chunks chunks;
    struct larder_relay relay;
    struct larder_track track;
    int *codes; /* of all ranks, at the owner; behind them this rank's own */
};

/* ---------------------------------------------------------------- events, and the consumer's end */

static void event (struct collecting *c, larder_event_state state)
{
    const larder_consumer *k = c->relay.consumer;
    larder_event e = {.transaction = c->info.transaction,
                      .owner = (int)c->info.owner,
                      .object = (int)c->info.object,
                      .receiver = c->session->rank};
    if (!k || !k->download_progress ||
        !larder_track_event (&c->track, state, c->relay.bytes, c->relay.next_item,
                             k->progress_interval_s, larder_clock_now (&c->session->clock), &e))
        return;
    c->session->in_callback = 1;
    k->download_progress (k->self, &e);
    c->session->in_callback = 0;
}

/* This rank's own result. */
static int finish (struct collecting *c)
{
    struct larder_relay *r = &c->relay;
    const larder_consumer *k = r->consumer;
    larder_error why = {0};
    int rc = r->result.code ? r->result.code : r->failed;
    c->session->in_callback = 1;
    if (rc == LARDER_OK && k && k->download_completed && k->download_completed (k->self, &why) < 0)
        rc = larder_error_set (&r->result, LARDER_ECONSUMER, why.detail, "%s",
                               why.text[0] ? why.text : "the consumer failed at its end");
    else if (rc != LARDER_OK && k && k->download_failed) {
        if (r->result.code == 0)
            larder_error_set (&why, rc, 0, "the download failed on another node");
        k->download_failed (k->self, r->result.code ? &r->result : &why);
    }
    c->session->in_callback = 0;
    event (c, rc == LARDER_OK          ? LARDER_EVENT_COMPLETED
              : rc == LARDER_ECANCELED ? LARDER_EVENT_ABORTED
                                       : LARDER_EVENT_FAILED);
    return rc;
}

/* ---------------------------------------------------------------- driving it */

static int gone (const struct collecting *c)
{
    const struct larder_offered *f = c->offered;
    return f && (f->transaction != c->info.transaction || f->state != LARDER_OFFER_LIVE ||
                 f->generation != c->info.generation);
}

static void look_around (struct collecting *c)
{
    struct larder_relay *r = &c->relay;
    larder_error why = {0};
    int rc = larder_progress_once (c->session, 4, &why);
    if (rc < 0)
        larder_relay_fail (r, rc, why.text);
    if (gone (c)) {
        const struct larder_receipt *receipt =
            larder_receipts_find (&c->session->owner->receipts, c->info.transaction);
        if (receipt && receipt->done == LARDER_DONE_TIMEOUT)
            larder_relay_fail (r, LARDER_ETIMEDOUT, "nothing moved in a collective download");
        else
            larder_relay_fail (r, LARDER_EGONE, "the object is no longer offered by its owner");
        c->offered = NULL;
        r->chunks = NULL;
    }
    if (r->consumer && r->consumer->abort_requested && r->result.code == 0) {
        c->session->in_callback = 1;
        if (r->consumer->abort_requested (r->consumer->self))
            larder_error_set (&r->result, LARDER_ECANCELED, 0, "aborted by the consumer");
        c->session->in_callback = 0;
    }
}

/* Something has moved, here or where it shows. */
static void moved (struct collecting *c)
{
    if (c->offered)
        c->offered->txn->moved = c->session->owner->now;
}

static void drive (struct collecting *c)
{
    struct larder_relay *r = &c->relay;
    struct larder_backoff backoff = {0};
    struct larder_clock_attention waiting = larder_clock_attention (&c->session->clock);
    event (c, LARDER_EVENT_STARTED);
    while (!larder_relay_over (r)) {
        int stirs = 0, moves = larder_relay_poll (r);
        if (moves) {
            larder_backoff_reset (&backoff);
            event (c, LARDER_EVENT_ACTIVE);
        } else {
            stirs = larder_relay_stirs (r);
        }
        if (moves || stirs) {
            waiting = larder_clock_attention (&c->session->clock);
            moved (c);
        } else if (larder_clock_attend (&waiting, &c->session->clock) >
                   c->session->settings.timeout_s) {
            larder_relay_fail (r, LARDER_ETIMEDOUT, "nothing moved in a collective download");
            r->failed = LARDER_ETIMEDOUT;
        }
        look_around (c); /* words that were written leave here */
        if (!moves && !stirs && !larder_relay_over (r))
            larder_backoff_wait (&backoff, 1);
    }
}

/* ---------------------------------------------------------------- the end */

/* The owner hears how each rank has ended. */
static int report (struct collecting *c, int code, larder_error *err)
{
    larder *s = c->session;
    MPI_Request request;
    int owner = (int)c->info.owner, *codes = c->codes;
    codes[s->size] = code;
    int rc = larder_mpi_check (
        MPI_Igather (&codes[s->size], 1, MPI_INT, codes, 1, MPI_INT, owner, s->comm, &request),
        "MPI_Igather", err);
    if (rc == LARDER_OK)
        rc = larder_progress_request (s, &request, err);
    if (rc == LARDER_ETIMEDOUT) {
        s->broken = rc;
        c->codes = NULL; /* left to MPI, which may still write there */
        return larder_progress_leave (
            s,
            larder_error_set (err, rc, 0, "not all ranks came to the end of a collective download"),
            err);
    }
    for (int i = 0; rc == LARDER_OK && s->rank == owner && c->offered && !gone (c) && i < s->size;
         ++i)
        larder_ownertxn_collected (
            s->owner, (int)c->info.object, i, c->info.via, (int)c->info.share,
            c->whole || codes[i] == LARDER_ECANCELED ? codes[i] : LARDER_AGAIN);
    return larder_progress_leave (s, rc, err);
}

static int run (larder *s, const larder_ref *ref, const larder_consumer *consumer,
                const struct larder_terms *terms, larder_error *err)
{
    larder_error why = {0};
    struct collecting *c = calloc (1, sizeof *c);
    int rc = LARDER_OK;
    if (!c || !(c->codes = calloc ((size_t)s->size + 1, sizeof *c->codes)))
        rc = larder_error_set (&why, LARDER_ENOMEM, 0, "no memory for a collective download");
    if (rc == LARDER_OK && s->collectives == LARDER_LIFE_MAX)
        rc = larder_error_set (&why, LARDER_ERANGE, 0,
                               "this session has had as many collective downloads as it can");
    rc = larder_agree (s, rc, &why, err);
    if (rc != LARDER_OK) {
        if (c)
            free (c->codes);
        free (c);
        return rc;
    }
    (void)larder_ref_read (ref, &c->info, NULL); /* it was read before */
    c->session = s;
    c->whole = terms->first_item == 0 && terms->end_item == terms->items;
    struct larder_relay *r = &c->relay;
    *r = (struct larder_relay){.words = {&s->nodecache, &s->transport},
                               .settings = &s->settings,
                               .stats = &s->stats,
                               .clock = s->clock,
                               .life = ++s->collectives,
                               .key = larder_num_mix (c->info.session ^ s->collectives) | 1,
                               .item_size = terms->item_size,
                               .first_item = terms->first_item,
                               .end_item = terms->end_item,
                               .consumer = consumer,
                               .in_callback = &s->in_callback};
    larder_relay_plan_make (s->topology.node_count, terms->size, terms->payload, &s->settings,
                            &r->plan);
    larder_relay_begin (r, (int)c->info.owner);
    if (s->rank == (int)c->info.owner) {
        c->offered = &s->owner->objects[c->info.object];
        r->chunks = &c->chunks;
        s->in_callback = 1;
        rc = larder_chunks_init (&c->chunks, &c->offered->object, r->plan.payload, &why);
        if (rc == LARDER_OK && r->first_item < r->end_item)
            rc = larder_chunks_find (&c->chunks, r->first_item, &r->base, &why);
        s->in_callback = 0;
        if (rc != LARDER_OK)
            larder_relay_fail (r, rc, why.text);
    }
    drive (c);
    int mine = finish (c);
    rc = report (c, mine, err);
    /* Who only heard of a failure leaves it to the one that has it to tell. */
    if (rc == LARDER_OK)
        rc = larder_agree (s, r->result.code, &r->result, err);
    larder_chunks_free (&c->chunks);
    free (c->codes);
    free (c);
    return rc;
}

static int collect (larder *s, const larder_ref *ref, const larder_consumer *consumer, int bad,
                    const larder_error *why, larder_error *err)
{
    struct larder_terms terms;
    int rc = larder_terms_ask (s, ref, bad, why, &terms, err);
    return rc == LARDER_OK ? run (s, ref, consumer, &terms, err) : rc;
}

int larder_download_all (larder *s, const larder_ref *ref, const larder_consumer *consumer,
                         larder_error *err)
{
    larder_error why = {0};
    int rc = larder_progress_enter (s, "larder_download_all", err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    if (consumer && !consumer->consume_items)
        rc = larder_error_set (&why, LARDER_EINVAL, 0,
                               "larder_download_all: a consumer needs consume_items");
    return collect (s, ref, consumer, rc, &why, err);
}

/* ---------------------------------------------------------------- broadcast */

/* The root's ref to all; the same code on all ranks. */
static int share (larder *s, larder_ref *ref, int root, int code, const larder_error *why,
                  larder_error *err)
{
    MPI_Request request;
    int rc = larder_agree (s, code, why, err);
    if (rc == LARDER_OK)
        rc =
            larder_mpi_check (MPI_Ibcast (ref, (int)sizeof *ref, MPI_BYTE, root, s->comm, &request),
                              "MPI_Ibcast", err);
    if (rc == LARDER_OK)
        rc = larder_progress_request (s, &request, err);
    if (rc == LARDER_ETIMEDOUT)
        s->broken = rc;
    return rc;
}

int larder_bcast (larder *s, void *buffer, uint64_t size, int root, larder_error *err)
{
    larder_error why = {0};
    larder_object object = {0};
    larder_memory_sink sink = {.buffer = buffer, .capacity = size};
    larder_ref *ref;
    int rc = larder_progress_enter (s, "larder_bcast", err);
    if (rc != LARDER_OK)
        return larder_progress_leave (s, rc, err);
    if (root < 0 || root >= s->size)
        rc = larder_error_set (&why, LARDER_EINVAL, 0, "larder_bcast: root %d of %d ranks", root,
                               s->size);
    else if (!buffer && size)
        rc = larder_error_set (&why, LARDER_EINVAL, 0, "larder_bcast: buffer is NULL");
    else if (s->rank == root && !s->owner)
        rc = larder_error_set (&why, LARDER_EINVAL, 0,
                               "larder_bcast: rank %d is not among the session's owners", root);
    rc = larder_terms_compare (s, larder_num_mix (size ^ (uint64_t)root << 40), rc, &why,
                               "larder_bcast: size and root", err);
    if (rc != LARDER_OK)
        return rc;
    ref = calloc (1, sizeof *ref); /* left to MPI when a step does not finish */
    if (!ref)
        rc = larder_error_set (&why, LARDER_ENOMEM, 0, "larder_bcast: no memory");
    if (rc == LARDER_OK && s->rank == root) {
        struct larder_relay_plan plan; /* an item is a chunk, so that none is cut in two */
        larder_relay_plan_make (s->topology.node_count, size, s->settings.chunk_size, &s->settings,
                                &plan);
        rc = larder_object_memory (buffer, size, plan.payload, "larder_bcast", &object, &why);
        if (rc == LARDER_OK) {
            rc = larder_offer (s, &object, LARDER_EVERY_RANK, ref, &why);
            if (rc != LARDER_OK)
                object.ops->release (object.self);
        }
    }
    rc = share (s, ref, root, rc, &why, err);
    larder_consumer consumer = larder_consumer_memory (&sink);
    larder_error none = {0};
    if (rc == LARDER_OK)
        rc = collect (s, ref, s->rank == root ? NULL : &consumer, LARDER_OK, &none, err);
    if (s->rank == root && ref && !s->broken)
        (void)larder_withdraw (s, ref, &none); /* all have it, or will not get it */
    if (!s->broken)
        free (ref);
    return rc;
}
