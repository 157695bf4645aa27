/* SPDX-License-Identifier: Apache-2.0 */
#include "larder_end.h"
#include "larder_event.h"
#include "larder_fetch.h"
#include "larder_join.h"
#include "larder_tell.h"
#include <stdlib.h>

static struct larder_nodecache *cache (const struct larder_request *q)
{
    return q->reader->words.nodecache;
}

/* ---------------------------------------------------------------- verdicts */

static uint64_t state_word (const struct larder_request *q, int code)
{
    /* Before the owner has answered nobody here knows how many items there are: who gives up then, and
     * has begun at the first item, is through with the object. */
    int whole = q->first_item == 0 &&
                (q->state == LARDER_REQUEST_INFO || q->want.end_item == q->info.end_item);
    if (q->verdict <= 0)
        code = q->verdict;
    else if ((!whole || q->partial) && code != LARDER_ECANCELED)
        return LARDER_STATE_LEFT;
    return code == LARDER_OK ? LARDER_STATE_DONE : LARDER_STATE_FAILED + (uint64_t)-code;
}

/* A request of the reader's own, for what is left to do when its user may free the other one. */
static struct larder_request *orphan (const struct larder_request *q)
{
    struct larder_request *r = malloc (sizeof *r);
    if (!r)
        return NULL; /* the owner's timeouts will tell */
    *r = *q;
    r->stood = NULL;
    for (int i = 0; i < LARDER_FETCHES; ++i)
        r->fetches[i] = NULL;
    r->orphan = r->settled = 1;
    r->consumer = (larder_consumer){0};
    r->moved = r->reader->attention.now;
    r->next = r->reader->requests;
    r->reader->requests = r;
    return r;
}

/* The line has ended before the owner answered.  Its record may be lost between words of an older one:
 * it is said again until the owner closes the line. */
static void stay_to_close (const struct larder_request *q)
{
    struct larder_info info;
    if (larder_nodecache_info (cache (q), q->want.owner, q->line, q->life, &info) == LARDER_OK)
        return;
    struct larder_request *r = orphan (q);
    if (!r)
        return;
    r->state = LARDER_REQUEST_CLOSE;
    r->verdict = 0;
}

int larder_end_closed (struct larder_request *q)
{
    const struct larder_line *ln = larder_nodecache_line (cache (q), q->want.owner, q->line);
    larder_join_sweep (cache (q), q->want.owner);
    return larder_load (&ln->life) != q->life || larder_load (&ln->state) == LARDER_LINE_FREE;
}

/* Leave the line.  1: the line had gone on without this rank, and the verdict in `state` was not told. */
static int leave (struct larder_request *q, uint64_t state)
{
    larder_error ignored; /* a transport that fails shows in the next poll */
    struct larder_nodecache *nc = cache (q);
    larder_fetch_abandon (q);
    larder_fetch_release (q);
    int rc = larder_nodecache_leave (nc, q->want.owner, q->line, q->life, state);
    if (rc == LARDER_NODECACHE_DETACHED)
        return state >= LARDER_STATE_DONE;
    (void)larder_tell_state (q, nc->local, state, &ignored);
    if (rc == 1)
        (void)larder_tell_cursor (q, q->line, &ignored);
    if (rc == 2) {
        (void)larder_tell_end (q->reader, q->want.owner, q->line, &ignored);
        stay_to_close (q);
    }
    return 0;
}

/* Nothing is left to do but to tell a verdict, by a line of its own. */
static void tell_later (struct larder_request *q, int code)
{
    q->verdict = code;
    q->settled = q->rejoins = 1;
    q->consumer = (larder_consumer){0};
    q->next_item = q->next_offset = 0;
    q->want.first_item = q->want.end_item = 0;
    q->want.from = q->from = (uint64_t)-code;
    q->state = LARDER_REQUEST_JOIN;
}

/* The same for a request that its user frees at once. */
static void tell_alone (const struct larder_request *q, int code)
{
    struct larder_request *r = orphan (q);
    if (r)
        tell_later (r, code);
}

/* ---------------------------------------------------------------- failing */

/* End a request.  1: its verdict is still to be told. */
static int end (struct larder_request *q, int code, const char *text)
{
    int untold = code == LARDER_ECANCELED;
    if (!q->settled)
        larder_error_set (&q->result, code, 0, "%s", text);
    if (q->state != LARDER_REQUEST_JOIN)
        untold = leave (q, state_word (q, code));
    q->state = LARDER_REQUEST_OVER;
    if (q->consumer.download_failed) {
        *q->reader->in_callback = 1;
        q->consumer.download_failed (q->consumer.self, &q->result);
        *q->reader->in_callback = 0;
    }
    if (q->verdict > 0)
        larder_event_final (q, code);
    return untold;
}

void larder_reader_fail (struct larder_request *q, int code, const char *text)
{
    if (q->state != LARDER_REQUEST_OVER)
        (void)end (q, code, text);
}

void larder_end_fail (struct larder_request *q, int code, const char *text)
{
    if (end (q, code, text) && q->verdict > 0)
        tell_later (q, code);
}

void larder_end_given_up (struct larder_request *q, int code, const char *text)
{
    /* The owner books it for those of whom it knew; and takes no words of this life any more. */
    int untold = code == LARDER_EHELD && state_word (q, code) >= LARDER_STATE_DONE;
    (void)end (q, code, text);
    if (untold && q->verdict > 0)
        tell_later (q, code);
}

void larder_reader_cancel (struct larder_request *q, const char *text)
{
    if (q->state == LARDER_REQUEST_OVER)
        return;
    if (q->verdict <= 0) { /* only that is left to be told */
        (void)end (q, LARDER_ECANCELED, text);
        tell_alone (q, q->verdict);
        return;
    }
    for (struct larder_request *r = q->reader->requests; r; r = r->next)
        if (r->state != LARDER_REQUEST_OVER && r->verdict > 0 && r->want.owner == q->want.owner &&
            r->want.transaction == q->want.transaction)
            (void)end (r, LARDER_ECANCELED, text);
    /* The owner may have given those lines up meanwhile, and then reads nothing there. */
    tell_alone (q, LARDER_ECANCELED);
}

int larder_reader_interrupt (struct larder_request *q)
{
    if (q->state == LARDER_REQUEST_OVER || q->verdict <= 0)
        return -1;
    if (q->state != LARDER_REQUEST_JOIN)
        (void)leave (q, LARDER_STATE_LEFT);
    q->state = LARDER_REQUEST_OVER;
    return 0;
}

/* ---------------------------------------------------------------- completing, and going on */

static int held (const struct larder_request *q)
{
    const larder_word *states = larder_nodecache_states (cache (q), q->want.owner, q->line);
    if (q->verdict <= 0)
        return 0;
    if (q->state == LARDER_REQUEST_RUN)
        return (q->info.flags & LARDER_INFO_ONCE) != 0;
    return larder_load (&states[cache (q)->local]) ==
           larder_wire_word (q->life, LARDER_STATE_FAILED + (uint64_t)-LARDER_EHELD);
}

void larder_end_detached (struct larder_request *q)
{
    if (held (q))
        larder_reader_fail (q, LARDER_EHELD,
                            "stood still for hold_timeout while other ranks of its node waited, "
                            "and the object cannot be produced again");
    else
        larder_join_again (q);
}

static int finish (struct larder_request *q)
{
    larder_error why = {0};
    int rc = LARDER_OK;
    if (q->consumer.download_completed) {
        *q->reader->in_callback = 1;
        rc = q->consumer.download_completed (q->consumer.self, &why);
        *q->reader->in_callback = 0;
    }
    if (rc == LARDER_OK)
        return LARDER_OK;
    larder_error_set (&q->result, LARDER_ECONSUMER, why.detail, "consumer: %s",
                      why.text[0] ? why.text : larder_code_text (rc));
    return LARDER_ECONSUMER;
}

void larder_end_complete (struct larder_request *q)
{
    larder_error ignored;
    /* From here on it holds nothing and cannot be detached, however long its consumer takes. */
    int rc =
        larder_nodecache_advance (cache (q), q->want.owner, q->line, q->life, LARDER_POSITION_DONE);
    int detached = rc == LARDER_NODECACHE_DETACHED;
    if (rc == 1)
        (void)larder_tell_cursor (q, q->line, &ignored);
    if (detached && (q->verdict <= 0 || held (q))) {
        larder_end_detached (q);
        return;
    }
    int code = finish (q), untold = leave (q, state_word (q, code));
    q->state = LARDER_REQUEST_OVER;
    if (q->verdict > 0)
        larder_event_final (q, code);
    if (untold && q->verdict > 0)
        tell_later (q, code);
}
