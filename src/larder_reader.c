/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_reader.h"
#include "larder_detach.h"
#include "larder_end.h"
#include "larder_event.h"
#include "larder_fetch.h"
#include "larder_join.h"
#include "larder_num.h"
#include "larder_tell.h"
#include "larder_view.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A request that waits asks the owner again after this, then ever more rarely. */
#define PING_S     0.5
#define PING_MAX_S 10.0

/* A rank of which the owner heard nothing else gives a sign of life this often, unless the owner says
 * otherwise. */
#define BEAT_S 1.0

/* Lines that nobody of this node is in any more are looked at this often. */
#define SWEEP_S 0.5
/* Transactions may end as soon as nobody is expected any more. */
#define LOOK_S 0.002

static struct larder_nodecache *cache (const struct larder_request *q)
{
    return q->reader->words.nodecache;
}

static int remote (const struct larder_request *q)
{
    const struct larder_nodecache *nc = cache (q);
    return nc->topology->node[nc->owners[q->want.owner]] != nc->node;
}

/* The line waits for ranks that have not come. */
static int owed (const struct larder_request *q)
{
    return larder_load (&larder_nodecache_line (cache (q), q->want.owner, q->line)->owed) != 0;
}

/* ---------------------------------------------------------------- viewing */

static int advance (struct larder_request *q, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    struct larder_line *ln = larder_nodecache_line (nc, q->want.owner, q->line);
    ++q->position;
    uint64_t want = larder_wire_word (q->life, q->position);
    int rc = larder_nodecache_advance (nc, q->want.owner, q->line, q->life, q->position);
    if (rc == LARDER_NODECACHE_DETACHED) {
        larder_end_detached (q);
        return LARDER_OK;
    }
    int highest = larder_raise (&ln->want, want);
    if (rc)
        return larder_tell_cursor (q, q->line, err);
    return highest ? larder_tell_want (q, want, err) : LARDER_OK;
}

/* The consumer has it already: the line began before the place where this download goes on. */
static int had (const struct larder_request *q, const larder_view *view)
{
    return view->item == q->next_item && view->offset < q->next_offset &&
           view->size <= q->next_offset - view->offset && !view->item_ends;
}

static int show (struct larder_request *q, const larder_view *view, larder_error *err)
{
    q->reader->stats->bytes_consumed += view->size;
    *q->reader->in_callback = 1;
    int rc = q->consumer.consume_items ? q->consumer.consume_items (q->consumer.self, view, err)
                                       : LARDER_OK;
    *q->reader->in_callback = 0;
    q->next_item = view->item + view->count - (view->item_ends ? 0 : 1);
    q->next_offset = view->item_ends ? 0 : view->offset + view->size;
    q->from = q->position + 2;
    q->bytes_done += view->size;
    if (rc == LARDER_OK)
        return rc;
    char text[LARDER_ERROR_TEXT];
    snprintf (text, sizeof text, "consumer: %.400s",
              err->text[0] ? err->text : larder_code_text (rc));
    return larder_error_set (err, LARDER_ECONSUMER, err->detail, "%s", text);
}

/* Show the next chunk to the consumer.  1: done; 0: it is not here; < 0: error. */
static int consume (struct larder_request *q, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    uint32_t slot = larder_nodecache_lookup (nc, q->want.owner, q->line, q->life, q->position);
    if (slot == LARDER_POOL_NONE ||
        larder_nodecache_guard (nc, q->want.owner, q->line, q->life, q->position, slot) != 0)
        return 0;
    const struct larder_slot_header *h = larder_nodecache_slot (nc, slot);
    larder_view view;
    int ends = 0, rc = LARDER_OK;
    if (h->key != q->info.key || h->chunk != q->position) {
        larder_nodecache_unguard (nc);
        return 0;
    }
    int shown =
        larder_view_make (h, q->info.item_size, q->want.first_item, q->want.end_item, &view, &ends);
    if (shown == 1 && had (q, &view))
        shown = 0;
    if (shown < 0 || (shown && (view.item != q->next_item || view.offset != q->next_offset))) {
        larder_nodecache_unguard (nc);
        return larder_error_set (err, LARDER_ECHECKSUM, 0,
                                 "chunk %" PRIu64 " does not follow the one before", q->position);
    }
    if (shown)
        rc = show (q, &view, err);
    larder_nodecache_unguard (nc);
    if (rc != LARDER_OK)
        return rc;
    if (shown && q->consumer.download_progress)
        larder_event_active (q);
    if (ends) {
        larder_end_complete (q);
        return 1;
    }
    rc = advance (q, err);
    return rc < 0 ? rc : 1;
}

/* ---------------------------------------------------------------- waiting */

/* A time of the reader's, by the clock that all ranks of the node share. */
static uint64_t microseconds (const struct larder_reader *r, double time)
{
    return (uint64_t)((time - r->attention.now + r->attention.looked) * 1e6);
}

static void look (struct larder_request *q, double now)
{
    struct larder_nodecache *nc = cache (q);
    size_t ranks = nc->layout.shape.node_size;
    if (!q->stood && !(q->stood = calloc (ranks, sizeof *q->stood)))
        return; /* then the others wait */
    larder_detach_look (nc, q->want.owner, q->line, q->life, q->stood);
    q->stood_at = now;
}

static int detach (struct larder_request *q, double now, larder_error *err)
{
    struct larder_nodecache *nc = cache (q);
    uint64_t state = q->info.flags & LARDER_INFO_ONCE
                         ? LARDER_STATE_FAILED + (uint64_t)-LARDER_EHELD
                         : LARDER_STATE_LEFT;
    int count = larder_detach_ranks (nc, q->want.owner, q->line, q->life, q->stood,
                                     microseconds (q->reader, q->stood_at), state);
    int rc = LARDER_OK;
    for (int i = 0;
         count && rc == LARDER_OK && i < larder_topology_node_size (nc->topology, nc->node); ++i)
        if (q->stood[i] != LARDER_POSITION_NONE)
            rc = larder_tell_state (q, i, state, err);
    if (count && rc == LARDER_OK)
        rc = larder_tell_cursor (q, q->line, err);
    look (q, now);
    return rc < 0 ? rc : count > 0;
}

/* This rank waits.  When that is so for hold_timeout, the node goes on without ranks that have not come
 * and without ranks that stand still. */
static int without_others (struct larder_request *q, double now, larder_error *err)
{
    double hold = q->reader->settings->hold_timeout_s;
    if (q->state != LARDER_REQUEST_RUN || now - q->moved < hold / 64)
        return 0; /* most waits are short */
    if (q->stood_at < q->moved)
        look (q, now);
    if (now - q->moved <= hold)
        return 0;
    if (larder_nodecache_do_without (cache (q), q->want.owner, q->line, q->life,
                                     microseconds (q->reader, now - hold))) {
        int rc = larder_tell_cursor (q, q->line, err);
        return rc < 0 ? rc : 1;
    }
    if (!q->stood || q->stood_at < q->moved || now - q->stood_at < hold * 31 / 32)
        return 0;
    return detach (q, now, err);
}

static int ping (struct larder_request *q, double now, larder_error *err)
{
    double since = q->pinged > q->moved ? q->pinged : q->moved;
    if (q->pinged < q->moved)
        q->ping_after = PING_S;
    if (now - since < q->ping_after)
        return LARDER_OK;
    q->pinged = now;
    q->ping_after = q->ping_after * 2 < PING_MAX_S ? q->ping_after * 2 : PING_MAX_S;
    if (q->state == LARDER_REQUEST_JOIN)
        return LARDER_OK;
    int close = q->state == LARDER_REQUEST_CLOSE;
    int rc = close ? LARDER_OK : larder_fetch_ping (q, err);
    if (rc == LARDER_OK && (close || q->state == LARDER_REQUEST_INFO))
        rc = larder_tell_bind (q, err);
    if (rc != LARDER_OK)
        return rc;
    return close ? larder_tell_end (q->reader, q->want.owner, q->line, err)
                 : larder_tell_beat (q, err);
}

static int wait_longer (struct larder_request *q, double now, larder_error *err)
{
    if (now - q->moved > q->reader->settings->timeout_s) {
        char text[192];
        snprintf (text, sizeof text,
                  "nothing moved for %.3g s (waiting for chunk %" PRIu64
                  "): is rank %d in larder_serve, or "
                  "another call that makes progress?",
                  now - q->moved, q->position, cache (q)->owners[q->want.owner]);
        larder_end_fail (q, LARDER_ETIMEDOUT, text);
        return 1;
    }
    int rc = without_others (q, now, err);
    return rc ? rc : ping (q, now, err);
}

/* ---------------------------------------------------------------- polling */

/* The owner has given up this rank, or the whole line. */
static int given_up (struct larder_request *q, double now)
{
    char why[LARDER_FAILED_TEXT], text[LARDER_FAILED_TEXT + 32];
    int code = larder_join_dismissed (q, why), alone = code != LARDER_OK;
    if (!alone)
        code = larder_nodecache_failed (cache (q), q->want.owner, q->line, q->life);
    if (code == LARDER_OK)
        return 0;
    if (code == LARDER_EBUSY) {
        larder_join_later (q, now);
        return 1;
    }
    if (q->verdict < 0 && code == q->verdict)
        code = LARDER_EGONE; /* it has this verdict already, and needs nothing more */
    snprintf (text, sizeof text, "from rank %d: %s", cache (q)->owners[q->want.owner],
              alone ? why : larder_nodecache_line (cache (q), q->want.owner, q->line)->text);
    if (alone)
        larder_reader_fail (q, code, text);
    else
        larder_end_given_up (q, code, text);
    return 1;
}

/* The user wants no more of it. */
static int aborted (struct larder_request *q)
{
    if (!q->consumer.abort_requested)
        return 0;
    *q->reader->in_callback = 1;
    int abort = q->consumer.abort_requested (q->consumer.self);
    *q->reader->in_callback = 0;
    if (abort)
        larder_reader_cancel (q, "its consumer asked for that");
    return abort != 0;
}

/* In a line: fetch if this rank does, and consume. */
static int run (struct larder_request *q, int max_chunks, double now, larder_error *err)
{
    int moved = 0, rc = 0, hold = larder_fetch_hold (q, now, err);
    if (hold < 0)
        return hold;
    if (((hold && (remote (q) || owed (q))) || q->state == LARDER_REQUEST_INFO) &&
        (rc = larder_join_answers (q, err)) < 0)
        return rc;
    if (given_up (q, now))
        return 1;
    if (q->state == LARDER_REQUEST_INFO && larder_join_begin (q)) {
        ++moved;
        if (q->want.first_item == q->want.end_item)
            larder_end_complete (q);
    }
    if (q->state == LARDER_REQUEST_RUN && remote (q) && hold &&
        (rc = larder_fetch_poll (q, err)) < 0)
        return rc;
    moved += rc;
    for (int i = 0; i < max_chunks && q->state == LARDER_REQUEST_RUN; ++i) {
        rc = consume (q, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            break;
        ++moved;
    }
    return moved;
}

static double beat_s (const struct larder_request *q)
{
    return q->state == LARDER_REQUEST_RUN ? (double)(q->info.flags >> LARDER_INFO_BEAT_SHIFT) * 1e-3
                                          : BEAT_S;
}

static int poll_request (struct larder_request *q, int max_chunks, double now, larder_error *err)
{
    int moved = 0, rc = 0;
    if (aborted (q))
        return 1;
    if (q->state == LARDER_REQUEST_CLOSE) {
        if (!larder_end_closed (q))
            return wait_longer (q, now, err);
        q->state = LARDER_REQUEST_OVER;
        return 1;
    }
    if (q->state == LARDER_REQUEST_JOIN) {
        rc = now < q->ask_at ? LARDER_AGAIN : larder_join (q, err);
        if (rc != LARDER_OK)
            return rc == LARDER_AGAIN ? wait_longer (q, now, err) : rc;
        moved = q->not_live_since == 0; /* asking again is no progress */
    }
    if (larder_nodecache_member (cache (q), q->want.owner, q->line, q->life)) {
        if (q->track.sequence == 0)
            larder_event_started (q);
        rc = run (q, max_chunks, now, err);
        if (rc < 0)
            return rc;
        moved += rc;
    } else {
        larder_end_detached (q);
        moved = 1;
    }
    if (q->told) {
        q->told = 0;
        q->told_at = now;
    } else if (now - q->told_at > beat_s (q) &&
               (q->state == LARDER_REQUEST_INFO || q->state == LARDER_REQUEST_RUN)) {
        rc = larder_tell_beat (q, err);
        if (rc < 0)
            return rc;
    }
    if (moved && q->not_live_since == 0)
        q->moved = now;
    else if (q->state != LARDER_REQUEST_OVER)
        return wait_longer (q, now, err);
    return moved;
}

/* ---------------------------------------------------------------- the reader */

int larder_reader_start (struct larder_reader *r, struct larder_request *q, larder_error *err)
{
    q->reader = r;
    q->moved = larder_clock_attend (&r->attention, &r->clock);
    q->state = LARDER_REQUEST_JOIN;
    q->next_item = q->want.first_item;
    q->from = q->want.from;
    int rc = larder_join (q, err);
    if (rc < 0 && q->state == LARDER_REQUEST_JOIN)
        return rc;
    if (rc < 0)
        larder_reader_fail (q, rc, err->text);
    q->rejoins = 1; /* it has begun, whatever else begins meanwhile */
    q->next = r->requests;
    r->requests = q;
    return LARDER_OK;
}

int larder_reader_poll (struct larder_reader *r, int max_chunks, larder_error *err)
{
    int moved = 0;
    double now = larder_clock_attend (&r->attention, &r->clock);
    struct larder_request *next;
    for (struct larder_request *q = r->requests; q; q = next) {
        larder_error why = {0};
        int rc = q->state == LARDER_REQUEST_OVER ? 0 : poll_request (q, max_chunks, now, &why);
        if (rc < 0)
            larder_end_fail (q, rc, why.text);
        moved += rc != 0;
        next = q->next;
        if (q->orphan && q->state == LARDER_REQUEST_OVER) {
            larder_reader_remove (q);
            free (q);
        }
    }
    if (r->abandoned)
        moved += larder_fetch_sweep (r, err);
    if (now - r->looked > LOOK_S) {
        r->looked = now;
        for (int owner = 0; owner < r->words.nodecache->owner_count; ++owner) {
            int rc = larder_join_unawaited (r, owner, err);
            if (rc < 0)
                return rc;
        }
    }
    if (now - r->swept > SWEEP_S) {
        r->swept = now;
        for (int owner = 0; owner < r->words.nodecache->owner_count; ++owner)
            larder_join_sweep (r->words.nodecache, owner);
    }
    return moved;
}

void larder_reader_remove (struct larder_request *q)
{
    free (q->stood);
    q->stood = NULL;
    for (struct larder_request **link = &q->reader->requests; *link; link = &(*link)->next)
        if (*link == q) {
            *link = q->next;
            return;
        }
}

int larder_reader_abandoned (const struct larder_reader *r)
{
    return r->abandoned != NULL;
}
